# Made from servers/defs/memory_object_default.defs by tools/make_interfaces.py: edit that file instead.
"""Interface memory_object_default, ids from 2250."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("memory_object_default", 2250,
    Routine(2250, "memory_object_create", True,
            request=(
                Item("new_object", Kind.PORT, 16, 64),
                Item("object_size", Kind.INTEGER, 11, 64),
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("object_name", Kind.PORT, 20, 64, arrives=17),
                Item("page_size", Kind.INTEGER, 11, 64),
            ),
            reply=(), target=17, reply_to=0),
    Routine(2251, "memory_object_data_initialize", True,
            request=(
                Item("memory_control", Kind.PORT, 20, 64, arrives=17),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("data", Kind.OCTETS, 9, 8, 0, variable=True, out_of_line=True, long_form=True, single=False),
            ),
            reply=(), reply_to=0),
)
