# Made from servers/defs/dos_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface dos_reply, ids from 20836."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("dos_reply", 20836,
    Routine(20839, "dos_read_reply", True,
            request=(
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 4096, variable=True, long_form=True, single=False),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(20842, "dos_exec_reply", True,
            request=(Item("result", Kind.INTEGER, 2, 32, signed=True),),
            reply=(), target=18, reply_to=0, is_reply=True),
)
