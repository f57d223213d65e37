# Made from servers/defs/acs_request.defs by tools/make_interfaces.py: edit that file instead.
"""Interface acs_request, ids from 16384."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("acs_request", 16384,
    Routine(16401, "acs_query_request", True,
            request=(Item("name", Kind.OCTETS, 8, 8, 64, single=False),),
            reply=()),
)
