# Made from servers/defs/acs_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface acs_reply, ids from 16484."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("acs_reply", 16484,
    Routine(16500, "acs_resolve_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("ttl", Kind.INTEGER, 2, 32, signed=True),
                Item("port", Kind.PORT, -1, 64),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(16501, "acs_query_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("port", Kind.PORT, -1, 64),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
)
