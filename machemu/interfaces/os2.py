# Made from servers/defs/os2.defs by tools/make_interfaces.py: edit that file instead.
"""Interface os2, ids from 20992."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("os2", 20992,
    Routine(20992, "os2_attach", False,
            request=(Item("proof", Kind.PORT, 20, 64, arrives=17),),
            reply=(
                Item("session", Kind.PORT, 20, 64, arrives=17),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20993, "os2_open", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("mode", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("action", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20994, "os2_close", False,
            request=(Item("handle", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(20995, "os2_read", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),)),
    Routine(20996, "os2_write", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(Item("written", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20997, "os2_seek", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("distance", Kind.INTEGER, 2, 32, signed=True),
                Item("origin", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("offset", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20998, "os2_exec", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("arguments", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),
            ),
            reply=(Item("pid", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20999, "os2_wait", False,
            request=(
                Item("wanted", Kind.INTEGER, 2, 32, signed=True),
                Item("nowait", Kind.INTEGER, 0, 32, signed=True),
            ),
            reply=(
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("how", Kind.INTEGER, 2, 32, signed=True),
                Item("status", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(21000, "os2_time", False,
            request=(),
            reply=(
                Item("seconds", Kind.INTEGER, 11, 64, signed=True),
                Item("hundredths", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(21001, "os2_other", False,
            request=(Item("ordinal", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(21232, "os2_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
