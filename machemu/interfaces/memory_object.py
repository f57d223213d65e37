# Made from servers/defs/memory_object.defs by tools/make_interfaces.py: edit that file instead.
"""Interface memory_object, ids from 2200."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("memory_object", 2200,
    Routine(2200, "memory_object_init", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("object_name", Kind.PORT, 20, 64, arrives=17),
                Item("page_size", Kind.INTEGER, 11, 64),
            ),
            reply=(), reply_to=0),
    Routine(2201, "memory_object_terminate", True,
            request=(
                Item("memory_control", Kind.PORT, 16, 64),
                Item("object_name", Kind.PORT, 16, 64),
            ),
            reply=(), target=17, reply_to=0),
    Routine(2203, "memory_object_data_request", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("length", Kind.INTEGER, 11, 64),
                Item("desired_access", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), reply_to=0),
    Routine(2204, "memory_object_data_unlock", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("length", Kind.INTEGER, 11, 64),
                Item("desired_access", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), reply_to=0),
    Routine(2206, "memory_object_lock_completed", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("length", Kind.INTEGER, 11, 64),
            ),
            reply=(), target=18, reply_to=0),
    Routine(2207, "memory_object_supply_completed", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("length", Kind.INTEGER, 11, 64),
                Item("result", Kind.INTEGER, 2, 32, signed=True),
                Item("error_offset", Kind.INTEGER, 11, 64),
            ),
            reply=(), target=18, reply_to=0),
    Routine(2208, "memory_object_data_return", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("data", Kind.OCTETS, 9, 8, 0, variable=True, out_of_line=True, long_form=True, single=False),
                Item("dirty", Kind.INTEGER, 0, 32, signed=True),
                Item("kernel_copy", Kind.INTEGER, 0, 32, signed=True),
            ),
            reply=(), reply_to=0),
    Routine(2209, "memory_object_change_completed", True,
            request=(
                Item("may_cache", Kind.INTEGER, 0, 32, signed=True),
                Item("copy_strategy", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), target=18, reply_to=0),
)
