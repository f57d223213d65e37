# Made from servers/defs/device_request.defs by tools/make_interfaces.py: edit that file instead.
"""Interface device_request, ids from 2800."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("device_request", 2800,
    Routine(2800, "device_open_request", True,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("name", Kind.STRING, 12, 1024, long_form=True),
            ),
            reply=()),
    Routine(2802, "device_write_request", True,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("data", Kind.OCTETS, 9, 8, 0, variable=True, out_of_line=True, long_form=True, single=False),
            ),
            reply=()),
    Routine(2803, "device_write_request_inband", True,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("data", Kind.OCTETS, 8, 8, 128, variable=True, single=False),
            ),
            reply=()),
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
