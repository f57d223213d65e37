# Made from servers/defs/proc_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface proc_reply, ids from 16996."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("proc_reply", 16996,
    Routine(16998, "proc_start_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("task", Kind.INTEGER, 11, 64, signed=True),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(16999, "proc_wait_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("status", Kind.INTEGER, 2, 32, signed=True),
                Item("how", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
)
