# Made from servers/defs/acs.defs by tools/make_interfaces.py: edit that file instead.
"""Interface acs, ids from 16384."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("acs", 16384,
    Routine(16385, "acs_register", False,
            request=(
                Item("request", Kind.OCTETS, 8, 8, 72, single=False),
                Item("public_port", Kind.PORT, 19, 64, arrives=17),
                Item("door_port", Kind.PORT, 19, 64, arrives=17),
            ),
            reply=()),
    Routine(16386, "acs_deregister", False,
            request=(Item("name", Kind.OCTETS, 8, 8, 64, single=False),),
            reply=()),
    Routine(16400, "acs_resolve", False,
            request=(
                Item("name", Kind.OCTETS, 8, 8, 64, single=False),
                Item("interface", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("ttl", Kind.INTEGER, 2, 32, signed=True),
                Item("port", Kind.PORT, 17, 64),
            )),
    Routine(16401, "acs_query", False,
            request=(Item("name", Kind.OCTETS, 8, 8, 64, single=False),),
            reply=(
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("port", Kind.PORT, 17, 64),
            )),
    Routine(16402, "acs_list", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(16624, "acs_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
