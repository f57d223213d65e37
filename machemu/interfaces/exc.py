# Made from servers/defs/exc.defs by tools/make_interfaces.py: edit that file instead.
"""Interface exc, ids from 2400."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("exc", 2400,
    Routine(2400, "exception_raise", False,
            request=(
                Item("thread", Kind.PORT, 19, 64, arrives=17),
                Item("task", Kind.PORT, 19, 64, arrives=17),
                Item("exception", Kind.INTEGER, 2, 32, signed=True),
                Item("code", Kind.INTEGER, 2, 32, signed=True),
                Item("subcode", Kind.INTEGER, 11, 64),
            ),
            reply=()),
)
