# Made from servers/defs/bootstrap.defs by tools/make_interfaces.py: edit that file instead.
"""Interface bootstrap, ids from 1000000."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("bootstrap", 1000000,
    Routine(1000000, "bootstrap_privileged_ports", False,
            request=(),
            reply=(
                Item("host_priv", Kind.PORT, 19, 64, arrives=17),
                Item("device_master", Kind.PORT, 19, 64, arrives=17),
            )),
)
