# Made from servers/defs/unix_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface unix_reply, ids from 20580."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("unix_reply", 20580,
    Routine(20583, "unix_read_reply", True,
            request=(
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(20587, "unix_wait_reply", True,
            request=(
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("status", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
)
