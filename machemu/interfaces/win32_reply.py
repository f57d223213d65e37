# Made from servers/defs/win32_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface win32_reply, ids from 21348."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("win32_reply", 21348,
    Routine(21351, "win32_read_reply", True,
            request=(
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(21355, "win32_wait_reply", True,
            request=(Item("result", Kind.INTEGER, 2, 32, signed=True),),
            reply=(), target=18, reply_to=0, is_reply=True),
)
