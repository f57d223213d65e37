# Made from servers/defs/os2_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface os2_reply, ids from 21092."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("os2_reply", 21092,
    Routine(21095, "os2_read_reply", True,
            request=(
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(21099, "os2_wait_reply", True,
            request=(
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("how", Kind.INTEGER, 2, 32, signed=True),
                Item("status", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
)
