# Made from servers/defs/win32.defs by tools/make_interfaces.py: edit that file instead.
"""Interface win32, ids from 21248."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("win32", 21248,
    Routine(21248, "win32_attach", False,
            request=(Item("proof", Kind.PORT, 20, 64, arrives=17),),
            reply=(
                Item("session", Kind.PORT, 20, 64, arrives=17),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(21249, "win32_open", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("access", Kind.INTEGER, 2, 32, signed=True),
                Item("disposition", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("handle", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(21250, "win32_close", False,
            request=(Item("handle", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(21251, "win32_read", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),)),
    Routine(21252, "win32_write", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(Item("written", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(21253, "win32_seek", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("distance", Kind.INTEGER, 11, 64, signed=True),
                Item("origin", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("offset", Kind.INTEGER, 11, 64, signed=True),)),
    Routine(21254, "win32_create_process", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("arguments", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),
            ),
            reply=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(21255, "win32_wait", False,
            request=(
                Item("handle", Kind.INTEGER, 2, 32, signed=True),
                Item("nowait", Kind.INTEGER, 0, 32, signed=True),
            ),
            reply=()),
    Routine(21256, "win32_exit_code", False,
            request=(Item("handle", Kind.INTEGER, 2, 32, signed=True),),
            reply=(Item("code", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(21257, "win32_time", False,
            request=(),
            reply=(
                Item("seconds", Kind.INTEGER, 11, 64, signed=True),
                Item("milliseconds", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(21258, "win32_other", False,
            request=(Item("name", Kind.STRING, 12, 8, 256, variable=True, single=False),),
            reply=()),
    Routine(21488, "win32_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
