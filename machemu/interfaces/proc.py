# Made from servers/defs/proc.defs by tools/make_interfaces.py: edit that file instead.
"""Interface proc, ids from 16896."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("proc", 16896,
    Routine(16897, "proc_who", False,
            request=(Item("port", Kind.PORT, 19, 64, arrives=17),),
            reply=(Item("record", Kind.OCTETS, 8, 8, 128, single=False),)),
    Routine(16898, "proc_start", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("name", Kind.OCTETS, 8, 8, 64, single=False),
                Item("arguments", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("task", Kind.INTEGER, 11, 64, signed=True),
            )),
    Routine(16899, "proc_wait", False,
            request=(Item("pid", Kind.INTEGER, 2, 32, signed=True),),
            reply=(
                Item("status", Kind.INTEGER, 2, 32, signed=True),
                Item("how", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(16900, "proc_exit", True,
            request=(Item("status", Kind.INTEGER, 2, 32, signed=True),),
            reply=(), reply_to=0),
    Routine(16901, "proc_list", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(16902, "proc_kill", False,
            request=(Item("pid", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(17136, "proc_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
