# Made from servers/defs/gnumach.defs by tools/make_interfaces.py: edit that file instead.
"""Interface gnumach, ids from 4200."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("gnumach", 4200,
    Routine(4201, "thread_terminate_release", True,
            request=(
                Item("task", Kind.PORT, 19, 64, arrives=17),
                Item("thread_name", Kind.INTEGER, 15, 32),
                Item("reply_port", Kind.INTEGER, 15, 32),
                Item("address", Kind.INTEGER, 11, 64),
                Item("size", Kind.INTEGER, 11, 64),
            ),
            reply=(), reply_to=0),
    Routine(4202, "task_set_name", True,
            request=(Item("name", Kind.STRING, 12, 8, 64, variable=True, single=False),),
            reply=(), reply_to=0),
    Routine(4203, "register_new_task_notification", False,
            request=(Item("notification", Kind.PORT, -1, 64, arrives=17),),
            reply=()),
    Routine(4204, "gsync_wait", False,
            request=(
                Item("addr", Kind.INTEGER, 11, 64),
                Item("val1", Kind.INTEGER, 2, 32),
                Item("val2", Kind.INTEGER, 2, 32),
                Item("msec", Kind.INTEGER, 2, 32),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=()),
    Routine(4205, "gsync_wake", True,
            request=(
                Item("addr", Kind.INTEGER, 11, 64),
                Item("val", Kind.INTEGER, 2, 32),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), reply_to=0),
    Routine(4213, "thread_set_name", True,
            request=(Item("name", Kind.STRING, 12, 8, 64, variable=True, single=False),),
            reply=(), reply_to=0),
)
