"""Processors and sets of them: this machine has one of each (mach-abi.md 6.3, 9.6).

Follows Mach 3 `kern/processor.c`.  A set has two ports: control over its threads, and a name
that only tells about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from machemu.kernel.ipc.port import Port

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import PortZone

BASE_PRIORITY: Final = 25  # of user programs, and the strongest they may have


@final
class Processor:
    """The one processor."""

    def __init__(self, zone: PortZone) -> None:
        self.port = Port(zone, self)


@final
class ProcessorSetName:
    """What the name port of `set` stands for."""

    def __init__(self, zone: PortZone, of: ProcessorSet) -> None:
        self.set = of
        self.port = Port(zone, self)


@final
class ProcessorSet:
    """The default set, to which every task and thread belongs."""

    def __init__(self, zone: PortZone) -> None:
        self.port = Port(zone, self)  # control
        self.name = ProcessorSetName(zone, self)
        self.processor = Processor(zone)
        self.max_priority = BASE_PRIORITY
        self.fixed_allowed = False  # POLICY_FIXEDPRI; timesharing always is
