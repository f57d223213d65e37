# Made from servers/defs/device_request.defs by tools/make_interfaces.py: edit that file instead.
"""Interface device_request, ids from 2800."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("device_request", 2800,
    Routine(2804, "device_read_request", True,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("bytes_wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=()),
    Routine(2805, "device_read_request_inband", True,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("bytes_wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=()),
)
