# Made from servers/defs/dos.defs by tools/make_interfaces.py: edit that file instead.
"""Interface dos, ids from 20736."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("dos", 20736,
    Routine(20736, "dos_attach", False,
            request=(Item("proof", Kind.PORT, 20, 64, arrives=17),),
            reply=(
                Item("session", Kind.PORT, 20, 64, arrives=17),
                Item("psp", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20737, "dos_open", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("mode", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("handle", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20738, "dos_close", False,
            request=(Item("handle", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(20739, "dos_read", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),)),
    Routine(20740, "dos_write", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(Item("written", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20741, "dos_seek", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("distance", Kind.INTEGER, 2, 32, signed=True),
                Item("origin", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("offset", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20742, "dos_exec", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("tail", Kind.STRING, 12, 8, 256, variable=True, single=False),
            ),
            reply=()),
    Routine(20743, "dos_return_code", False,
            request=(),
            reply=(Item("code", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20744, "dos_change", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("create", Kind.INTEGER, 0, 32, signed=True),
            ),
            reply=()),
    Routine(20745, "dos_attributes", False,
            request=(Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),),
            reply=(Item("attributes", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(20746, "dos_chdir", False,
            request=(Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),),
            reply=()),
    Routine(20747, "dos_getcwd", False,
            request=(),
            reply=(Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),)),
    Routine(20748, "dos_find", False,
            request=(
                Item("pattern", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("attributes", Kind.INTEGER, 2, 32, signed=True),
                Item("index", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(
                Item("name", Kind.STRING, 12, 8, 16),
                Item("size", Kind.INTEGER, 2, 32, signed=True),
                Item("found", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20749, "dos_time", False,
            request=(),
            reply=(
                Item("seconds", Kind.INTEGER, 11, 64, signed=True),
                Item("hundredths", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(20750, "dos_other", False,
            request=(Item("function", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(20976, "dos_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
