# Made from servers/defs/notify.defs by tools/make_interfaces.py: edit that file instead.
"""Interface notify, ids from 64."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("notify", 64,
    Routine(65, "mach_notify_port_deleted", True,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=(), target=18, reply_to=0),
    Routine(66, "mach_notify_msg_accepted", True,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=(), target=18, reply_to=0),
    Routine(69, "mach_notify_port_destroyed", True,
            request=(Item("rights", Kind.PORT, 16, 64),),
            reply=(), target=18, reply_to=0),
    Routine(70, "mach_notify_no_senders", True,
            request=(Item("mscount", Kind.INTEGER, 2, 32, signed=True),),
            reply=(), target=18, reply_to=0),
    Routine(71, "mach_notify_send_once", True,
            request=(),
            reply=(), target=18, reply_to=0),
    Routine(72, "mach_notify_dead_name", True,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=(), target=18, reply_to=0),
)
