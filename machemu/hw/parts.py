"""What a machine gives its devices to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from machemu.hw.api import BlockDevice, CharacterDevice, MappedDevice, NetworkDevice
from machemu.hw.bus import Registers
from machemu.hw.clock import Clock
from machemu.hw.interrupt import InterruptLine
from machemu.hw.memory import Memory

if TYPE_CHECKING:
    from machemu.hw.description import Device


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
class Roles:
    """What the kernel can do with which device: by role and name, as in hw/api.py."""

    character: dict[str, CharacterDevice] = field(default_factory=dict)
    block: dict[str, BlockDevice] = field(default_factory=dict)
    mapped: dict[str, MappedDevice] = field(default_factory=dict)
    network: dict[str, NetworkDevice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """The machine around a device.

    Args:
        line: makes an interrupt line of a number.
        frames: RAM frames that belong to this device's driver.
        roles: where a device enters what it can be used as, under its own name.
        halt: the power switch, told whether to start again.
    """

    clock: Clock
    memory: Memory
    host: Host
    line: Callable[[int], InterruptLine]
    frames: tuple[int, ...]
    roles: Roles
    halt: Callable[[bool], None]


class AnyDevice(Protocol):
    """Any device: what the machine asks of all."""

    @property
    def registers(self) -> Registers: ...
    def check(self) -> None:
        """Assert its invariants."""


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One row of DEVICES.

    Args:
        pages: how many register pages such a device has.  Raises ConfigError: bad options.
        build: makes one, and enters it in the roles it plays.
        frames: RAM frames its driver needs.
    """

    pages: Callable[[Device], int]
    build: Callable[[Device, Parts], AnyDevice]
    frames: int = 0
