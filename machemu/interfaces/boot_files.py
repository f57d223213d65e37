# Made from servers/defs/boot_files.defs by tools/make_interfaces.py: edit that file instead.
"""Interface boot_files, ids from 17408."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("boot_files", 17408,
    Routine(17409, "boot_list", False,
            request=(),
            reply=(Item("list", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(17410, "boot_size", False,
            request=(Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),),
            reply=(Item("size", Kind.INTEGER, 11, 64, signed=True),)),
    Routine(17411, "boot_read", False,
            request=(
                Item("path", Kind.STRING, 12, 8, 256, variable=True, single=False),
                Item("offset", Kind.INTEGER, 11, 64, signed=True),
                Item("size", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(17412, "boot_ready", True,
            request=(),
            reply=(), reply_to=0),
    Routine(17413, "boot_check_in", False,
            request=(Item("name", Kind.OCTETS, 8, 8, 64, single=False),),
            reply=(Item("port", Kind.PORT, 16, 64),)),
    Routine(17414, "boot_restarted", True,
            request=(
                Item("pid", Kind.INTEGER, 2, 32, signed=True),
                Item("task", Kind.INTEGER, 11, 64, signed=True),
            ),
            reply=(), reply_to=0),
    Routine(17648, "boot_stat", False,
            request=(),
            reply=(Item("text", Kind.OCTETS, 8, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
)
