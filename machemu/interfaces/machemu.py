# Made from servers/defs/machemu.defs by tools/make_interfaces.py: edit that file instead.
"""Interface machemu, ids from 4600."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("machemu", 4600,
    Routine(4600, "port_owner", False,
            request=(Item("port", Kind.PORT, 19, 64, arrives=17),),
            reply=(
                Item("task_number", Kind.INTEGER, 11, 64),
                Item("kind", Kind.INTEGER, 2, 32, signed=True),
            )),
    Routine(4602, "boot_info", False,
            request=(),
            reply=(Item("info", Kind.OCTETS, 8, 8, 64, single=False),)),
    Routine(4603, "set_network_server", False,
            request=(Item("task", Kind.PORT, 19, 64, arrives=17),),
            reply=(Item("instance", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(4604, "dma_window", False,
            request=(
                Item("task", Kind.PORT, 19, 64, arrives=17),
                Item("address", Kind.INTEGER, 11, 64),
                Item("size", Kind.INTEGER, 11, 64),
                Item("protection", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("bus", Kind.INTEGER, 11, 64),)),
    Routine(4605, "machemu_exit", False,
            request=(Item("status", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
)
