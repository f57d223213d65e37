# Made from servers/defs/counter.defs by tools/make_interfaces.py: edit that file instead.
"""Interface counter, ids from 24576."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("counter", 24576,
    Routine(24576, "counter_add", False,
            request=(Item("amount", Kind.INTEGER, 11, 64, signed=True),),
            reply=(Item("value", Kind.INTEGER, 11, 64, signed=True),)),
    Routine(24577, "counter_echo", False,
            request=(Item("data", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),),
            reply=(Item("same", Kind.OCTETS, 8, 8, 2048, variable=True, single=False),)),
    Routine(24578, "counter_echo_ool", False,
            request=(Item("data", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, single=False),),
            reply=(Item("same", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(24579, "counter_keep", False,
            request=(Item("notice", Kind.PORT, 20, 64, arrives=17),),
            reply=()),
    Routine(24580, "counter_new", False,
            request=(),
            reply=(Item("other", Kind.PORT, 20, 64, arrives=17),)),
    Routine(24816, "counter_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
