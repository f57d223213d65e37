# Made from servers/defs/task_notify.defs by tools/make_interfaces.py: edit that file instead.
"""Interface task_notify, ids from 4400."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("task_notify", 4400,
    Routine(4400, "mach_notify_new_task", True,
            request=(
                Item("task", Kind.PORT, 17, 64),
                Item("parent", Kind.PORT, 17, 64),
            ),
            reply=(), reply_to=0),
)
