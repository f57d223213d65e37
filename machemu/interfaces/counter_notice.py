# Made from servers/defs/counter_notice.defs by tools/make_interfaces.py: edit that file instead.
"""Interface counter_notice, ids from 24704."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("counter_notice", 24704,
    Routine(24704, "counter_notice", True,
            request=(Item("value", Kind.INTEGER, 11, 64, signed=True),),
            reply=(), reply_to=0),
)
