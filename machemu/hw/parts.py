"""What a machine gives its devices to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from machemu.hw.bus import Registers
from machemu.hw.clock import Clock
from machemu.hw.interrupt import InterruptLine
from machemu.hw.memory import Memory

if TYPE_CHECKING:
    from machemu.hw.description import Device

CHARACTER: Final = "character"  # the parts a device can play, as in hw/api.py
BLOCK: Final = "block"
MAPPED: Final = "mapped"
INTERNAL: Final = "internal"  # none of them: only registers


@dataclass(frozen=True, slots=True)
class Host:
    """What comes from outside a node.

    Args:
        disk: octets of the disk image, never changed; empty: a disk of no sectors.
        overlay: sectors written in earlier runs, by number.
        seed: of random numbers, with `epoch`.
        entropy: gives random octets instead of the seed (sites that are no laboratory).
        node: its number on the segment.
        epoch: counts power-ons.
    """

    disk: bytes = b""
    overlay: Mapping[int, bytes] = field(default_factory=dict)
    seed: int = 0
    entropy: Callable[[int], bytes] | None = None
    node: int = 1
    epoch: int = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """The machine around a device.

    Args:
        line: makes an interrupt line of a number.
        frames: RAM frames that belong to this device's driver.
    """

    clock: Clock
    memory: Memory
    host: Host
    line: Callable[[int], InterruptLine]
    frames: tuple[int, ...]


class HasRegisters(Protocol):
    """Any device: what the bus calls."""

    @property
    def registers(self) -> Registers: ...


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One row of DEVICES.

    Args:
        part: CHARACTER, BLOCK, MAPPED or INTERNAL.
        pages: how many register pages such a device has.  Raises ConfigError: bad options.
        build: makes one.
        frames: RAM frames its driver needs.
    """

    part: str
    pages: Callable[[Device], int]
    build: Callable[[Device, Parts], HasRegisters]
    frames: int = 0
