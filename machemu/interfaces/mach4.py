# Made from servers/defs/mach4.defs by tools/make_interfaces.py: edit that file instead.
"""Interface mach4, ids from 4000."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("mach4", 4000,
    Routine(4010, "memory_object_create_proxy", False,
            request=(
                Item("max_protection", Kind.INTEGER, 2, 32, signed=True),
                Item("object", Kind.PORT, -1, 64, 1024, arrives=17, variable=True, single=False),
                Item("offset", Kind.INTEGERS, 11, 64, 1024, variable=True, single=False),
                Item("start", Kind.INTEGERS, 11, 64, 1024, variable=True, single=False),
                Item("len", Kind.INTEGERS, 11, 64, 1024, variable=True, single=False),
            ),
            reply=(Item("proxy", Kind.PORT, 17, 64),)),
    Routine(4011, "vm_region_create_proxy", False,
            request=(
                Item("address", Kind.INTEGER, 11, 64),
                Item("max_protection", Kind.INTEGER, 2, 32, signed=True),
                Item("len", Kind.INTEGER, 11, 64),
            ),
            reply=(Item("proxy", Kind.PORT, 17, 64),)),
)
