# Made from servers/defs/mach_host.defs by tools/make_interfaces.py: edit that file instead.
"""Interface mach_host, ids from 2600."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("mach_host", 2600,
    Routine(2634, "host_get_time", False,
            request=(),
            reply=(Item("current_time", Kind.STRUCT, 11, 64, 2, fields="<qq", group=2),)),
    Routine(2635, "host_reboot", False,
            request=(Item("options", Kind.INTEGER, 2, 32, signed=True),),
            reply=()),
    Routine(2643, "host_get_time64", False,
            request=(),
            reply=(Item("current_time", Kind.STRUCT, 11, 64, 2, fields="<qq", group=2),)),
    Routine(2646, "host_get_kernel_version", False,
            request=(),
            reply=(Item("kernel_version", Kind.STRING, 12, 8, 512),)),
)
