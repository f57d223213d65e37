# Made from servers/defs/device_reply.defs by tools/make_interfaces.py: edit that file instead.
"""Interface device_reply, ids from 2900."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("device_reply", 2900,
    Routine(2900, "device_open_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("device", Kind.PORT, 20, 64, arrives=17),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(2902, "device_write_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("bytes_written", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(2903, "device_write_reply_inband", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("bytes_written", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(2904, "device_read_reply", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 9, 8, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
    Routine(2905, "device_read_reply_inband", True,
            request=(
                Item("return_code", Kind.INTEGER, 2, 32, signed=True),
                Item("data", Kind.OCTETS, 8, 8, 128, variable=True, single=False),
            ),
            reply=(), target=18, reply_to=0, is_reply=True),
)
