# Made from servers/defs/proc_request.defs by tools/make_interfaces.py: edit that file instead.
"""Interface proc_request, ids from 16896."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("proc_request", 16896,
    Routine(16898, "proc_start_request", True,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("name", Kind.OCTETS, 8, 8, 64, single=False),
                Item("arguments", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=()),
    Routine(16899, "proc_wait_request", True,
            request=(Item("pid", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
)
