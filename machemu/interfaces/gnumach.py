# Made from servers/defs/gnumach.defs by tools/make_interfaces.py: edit that file instead.
"""Interface gnumach, ids from 4200."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("gnumach", 4200,
    Routine(4202, "task_set_name", True,
            request=(Item("name", Kind.STRING, 12, 8, 64, variable=True, single=False),),
            reply=(), reply_to=0),
    Routine(4213, "thread_set_name", True,
            request=(Item("name", Kind.STRING, 12, 8, 64, variable=True, single=False),),
            reply=(), reply_to=0),
)
