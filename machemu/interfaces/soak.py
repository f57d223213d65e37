# Made from servers/defs/soak.defs by tools/make_interfaces.py: edit that file instead.
"""Interface soak, ids from 24832."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("soak", 24832,
    Routine(24832, "soak_put", True,
            request=(
                Item("number", Kind.INTEGER, 11, 64, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 2048, variable=True, indefinite=True, long_form=True, single=False),
            ),
            reply=(), reply_to=0),
    Routine(24833, "soak_put_right", True,
            request=(
                Item("number", Kind.INTEGER, 11, 64, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 2048, variable=True, indefinite=True, long_form=True, single=False),
                Item("token", Kind.PORT, 20, 64, arrives=17),
            ),
            reply=(), reply_to=0),
    Routine(24834, "soak_finish", False,
            request=(),
            reply=(
                Item("received", Kind.INTEGER, 11, 64, signed=True),
                Item("faults", Kind.INTEGER, 11, 64, signed=True),
                Item("first_fault", Kind.INTEGER, 11, 64, signed=True),
                Item("digest", Kind.INTEGER, 11, 64, signed=True),
            )),
    Routine(25072, "soak_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
