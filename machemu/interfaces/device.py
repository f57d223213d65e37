# Made from servers/defs/device.defs by tools/make_interfaces.py: edit that file instead.
"""Interface device, ids from 2800."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("device", 2800,
    Routine(2800, "device_open", False,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("name", Kind.STRING, 12, 1024, long_form=True),
            ),
            reply=(Item("device", Kind.PORT, 17, 64),)),
    Routine(2801, "device_close", False,
            request=(),
            reply=()),
    Routine(2802, "device_write", False,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("data", Kind.OCTETS, 9, 8, 0, variable=True, out_of_line=True, long_form=True, single=False),
            ),
            reply=(Item("bytes_written", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(2803, "device_write_inband", False,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("data", Kind.OCTETS, 8, 8, 128, variable=True, single=False),
            ),
            reply=(Item("bytes_written", Kind.INTEGER, 2, 32, signed=True),)),
    Routine(2804, "device_read", False,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("bytes_wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 9, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(2805, "device_read_inband", False,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("recnum", Kind.INTEGER, 11, 64),
                Item("bytes_wanted", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("data", Kind.OCTETS, 8, 8, 128, variable=True, single=False),)),
    Routine(2806, "device_open_new", False,
            request=(
                Item("mode", Kind.INTEGER, 2, 32),
                Item("name", Kind.STRING, 12, 8, 128),
            ),
            reply=(Item("device", Kind.PORT, 17, 64),)),
    Routine(2809, "device_map", False,
            request=(
                Item("prot", Kind.INTEGER, 2, 32, signed=True),
                Item("offset", Kind.INTEGER, 11, 64),
                Item("size", Kind.INTEGER, 11, 64),
                Item("unmap", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(Item("pager", Kind.PORT, 17, 64),)),
    Routine(2810, "device_set_status", False,
            request=(
                Item("flavor", Kind.INTEGER, 2, 32),
                Item("status", Kind.INTEGERS, 2, 32, 1024, signed=True, variable=True, single=False),
            ),
            reply=()),
    Routine(2811, "device_get_status", False,
            request=(
                Item("flavor", Kind.INTEGER, 2, 32),
                Item("statusCnt", Kind.INTEGER, 2, 32),
            ),
            reply=(Item("status", Kind.INTEGERS, 2, 32, 1024, signed=True, variable=True, single=False),)),
    Routine(2812, "device_set_filter", False,
            request=(
                Item("receive_port", Kind.PORT, -1, 64, arrives=17),
                Item("priority", Kind.INTEGER, 2, 32, signed=True),
                Item("filter", Kind.INTEGERS, 1, 16, 128, signed=True, variable=True, single=False),
            ),
            reply=()),
    Routine(2813, "device_intr_register", False,
            request=(
                Item("id", Kind.INTEGER, 2, 32, signed=True),
                Item("flags", Kind.INTEGER, 2, 32, signed=True),
                Item("receive_port", Kind.PORT, -1, 64, arrives=17),
            ),
            reply=()),
    Routine(2814, "device_intr_ack", False,
            request=(Item("receive_port", Kind.PORT, -1, 64, arrives=17),),
            reply=()),
)
