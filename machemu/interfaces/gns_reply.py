# Made from servers/defs/gns_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface gns_reply, ids from 17252."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("gns_reply", 17252,
    Routine(17253, "gns_lookup_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("ttl", Kind.INTEGER, 2, 32, signed=True),
                Item("port", Kind.PORT, -1, 64),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
)
