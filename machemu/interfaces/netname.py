# Made from servers/defs/netname.defs by tools/make_interfaces.py: edit that file instead.
"""Interface netname, ids from 1040."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("netname", 1040,
    Routine(1040, "netname_check_in", False,
            request=(
                Item("port_name", Kind.STRING, 12, 640, long_form=True),
                Item("signature", Kind.PORT, 19, 64, arrives=17),
                Item("port_id", Kind.PORT, 20, 64, arrives=17),
            ),
            reply=()),
    Routine(1041, "netname_look_up", False,
            request=(
                Item("host_name", Kind.STRING, 12, 640, long_form=True),
                Item("port_name", Kind.STRING, 12, 640, long_form=True),
            ),
            reply=(Item("port_id", Kind.PORT, 17, 64),)),
    Routine(1042, "netname_check_out", False,
            request=(
                Item("port_name", Kind.STRING, 12, 640, long_form=True),
                Item("signature", Kind.PORT, 19, 64, arrives=17),
            ),
            reply=()),
    Routine(1043, "netname_version", False,
            request=(),
            reply=(Item("version", Kind.STRING, 12, 640, long_form=True),)),
)
