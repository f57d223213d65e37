# Made from servers/defs/soak_token.defs by tools/make_interfaces.py: edit that file instead.
"""Interface soak_token, ids from 25088."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("soak_token", 25088,
    Routine(25088, "soak_token", True,
            request=(Item("number", Kind.INTEGER, 11, 64, signed=True),),
            reply=(), reply_to=0),
)
