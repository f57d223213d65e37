# Made from servers/defs/gns_request.defs by tools/make_interfaces.py: edit that file instead.
"""Interface gns_request, ids from 17152."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("gns_request", 17152,
    Routine(17153, "gns_lookup_request", True,
            request=(Item("name", Kind.OCTETS, 8, 8, 64, single=False),),
            reply=()),
)
