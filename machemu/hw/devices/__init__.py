"""Devices, one per file; a machine description names them by the kinds of this table."""

from __future__ import annotations

from typing import Final

from machemu.hw.devices import console, crypto, disk, nic, power, timer
from machemu.hw.parts import DeviceKind

DEVICES: Final[dict[str, DeviceKind]] = {
    "console": console.KIND,
    "disk": disk.KIND,
    "timer": timer.KIND,
    "power": power.KIND,
    "nic": nic.KIND,
    "crypto": crypto.KIND,
}
