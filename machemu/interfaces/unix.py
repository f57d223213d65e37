# Made from servers/defs/unix.defs by tools/make_interfaces.py: edit that file instead.
"""Interface unix, ids from 20480."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("unix", 20480,
    Routine(20480, "unix_attach", False,
            request=(Item("proof", Kind.PORT, 20, 64, arrives=17),),
            reply=(
                Item("session", Kind.PORT, 20, 64, arrives=17),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20481, "unix_open", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("fd", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20482, "unix_close", False,
            request=(Item("fd", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(20483, "unix_read", False,
            request=(
                Item("fd", Kind.INTEGER, 2, 32, signed=True),
                Item("wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),)),
    Routine(20484, "unix_write", False,
            request=(
                Item("fd", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(Item("written", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20485, "unix_lseek", False,
            request=(
                Item("fd", Kind.INTEGER, 2, 32, signed=True),
                Item("distance", Kind.INTEGER, 11, 64, signed=True),
                Item("origin", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("offset", Kind.INTEGER, 11, 64, signed=True),)),
    Routine(20486, "unix_spawn", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("arguments", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),
            ),
            reply=(Item("pid", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20487, "unix_wait", False,
            request=(Item("wanted", Kind.INTEGER, 2, 32, signed=True),),
            reply=(
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("status", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20488, "unix_time", False,
            request=(),
            reply=(Item("seconds", Kind.INTEGER, 11, 64, signed=True),)),
    Routine(20489, "unix_other", False,
            request=(Item("number", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(20720, "unix_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
