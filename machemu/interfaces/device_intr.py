# Made from servers/defs/device_intr.defs by tools/make_interfaces.py: edit that file instead.
"""Interface device_intr, ids from 100."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("device_intr", 100,
    Routine(100, "device_intr_notify", True,
            request=(Item("id", Kind.INTEGER, 2, 32, signed=True),),
            reply=(), reply_to=0),
)
