# Made from servers/defs/gns.defs by tools/make_interfaces.py: edit that file instead.
"""Interface gns, ids from 17152."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("gns", 17152,
    Routine(17153, "gns_lookup", False,
            request=(Item("name", Kind.OCTETS, 8, 8, 64, single=False),),
            reply=(
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("ttl", Kind.INTEGER, 2, 32, signed=True),
                Item("port", Kind.PORT, 17, 64),
            )),
    Routine(17154, "gns_node_down", False,
            request=(
                Item("host", Kind.PORT, 19, 64, arrives=17),
                Item("reason", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=()),
    Routine(17155, "gns_asker", True,
            request=(
                Item("wanted", Kind.OCTETS, 8, 8, 64, single=False),
                Item("name", Kind.OCTETS, 8, 8, 64, single=False),
                Item("port", Kind.PORT, 19, 64, arrives=17),
            ),
            reply=(), reply_to=0),
    Routine(17156, "gns_unregistered", True,
            request=(
                Item("name", Kind.OCTETS, 8, 8, 64, single=False),
                Item("port", Kind.PORT, 19, 64, arrives=17),
            ),
            reply=(), reply_to=0),
    Routine(17392, "gns_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
