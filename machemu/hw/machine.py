"""Puts one node's hardware together from a machine description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, final

from machemu.errors import ConfigError
from machemu.hw.api import PAGE_SHIFT
from machemu.hw.bus import Bus
from machemu.hw.clock import Clock, units
from machemu.hw.cpu import Cpu
from machemu.hw.description import Device, MachineDescription
from machemu.hw.devices import DEVICES
from machemu.hw.devices.console import Console
from machemu.hw.devices.disk import DiskDriver
from machemu.hw.engine import Engine
from machemu.hw.interrupt import InterruptLine
from machemu.hw.isa.riscv64.state import CPU_TYPE
from machemu.hw.memory import RAM_BASE, Memory
from machemu.hw.mmu import AddressSpace, Tlb
from machemu.hw.native import load_helper
from machemu.hw.parts import AnyDevice, DeviceKind, Host, Parts, Roles
from machemu.hw.ticks import BlockTicks, InstructionTicks, Ticks


@final
class RealMachine:
    """All of one node's hardware; made by `build_machine`."""

    cpu_type: Final = CPU_TYPE

    def __init__(self, description: MachineDescription, host: Host, *, live: bool, helper: Any) -> None:
        self.description: Final = description
        kinds = [(device, _kind(device)) for device in description.devices]
        _check_addresses(kinds)
        self.memory: Memory = Memory(description.ram, sum(kind.frames for _, kind in kinds))
        per_ns, per_octet = units(description.code_bytes_per_us)
        self._engine = Engine(self.memory.data, RAM_BASE, live=live)
        self.memory.on_invalidate(self._engine.forget_code)
        ticks: Ticks = (InstructionTicks(self._engine, per_octet) if helper is None
                        else BlockTicks(helper, self._engine, per_octet))
        self.clock: Clock = Clock(ticks, per_ns)
        self._tlb = Tlb(self._engine.words, self._engine.flusher)
        self.cpu: Cpu = Cpu(self._engine, self._tlb, ticks, self.clock, per_octet=per_octet, per_ns=per_ns,
                            trap_ns=description.trap_ns)
        self.bus: Bus = Bus(self._engine, self.cpu.report_bad_access, self.cpu.fail)
        self.devices: dict[str, AnyDevice] = {}  # all, by name
        self._roles: Final = Roles()
        self.character_devices: Final = self._roles.character
        self.block_devices: Final = self._roles.block
        self.mapped_devices: Final = self._roles.mapped
        self.network_devices: Final = self._roles.network
        self.interrupts: dict[int, InterruptLine] = {}
        self.on_halt: Callable[[bool], None] | None = None  # told whether to start again
        reserved = self.memory.frames
        for device, kind in kinds:
            frames = tuple(range(reserved, reserved + kind.frames))
            reserved += kind.frames
            self._add(device, kind, Parts(self.clock, self.memory, host, self._line, frames, self._roles, self.halt))

    def _add(self, device: Device, kind: DeviceKind, parts: Parts) -> None:
        made = kind.build(device, parts)
        self.devices[device.name] = made
        self.bus.attach(device.name, device.address, kind.pages(device), made.registers)

    def _line(self, number: int) -> InterruptLine:
        if number in self.interrupts:
            raise ConfigError(f"two devices of the machine have interrupt {number}")
        line = self.interrupts[number] = InterruptLine(number, self.clock)
        return line

    @property
    def on_console(self) -> Callable[[bytes], None] | None:
        """Gets what the node writes to its console, if it has one."""
        console = self.devices.get("console")
        return console.on_output if isinstance(console, Console) else None

    @on_console.setter
    def on_console(self, output: Callable[[bytes], None] | None) -> None:
        console = self.devices.get("console")
        if isinstance(console, Console):
            console.on_output = output

    @property
    def overlays(self) -> dict[str, Mapping[int, bytes]]:
        """For each disk the sectors that were written and flushed, by number."""
        return {name: device.disk.store.overlay for name, device in self.devices.items()
                if isinstance(device, DiskDriver)}

    def new_space(self, allocate: Callable[[], int], free: Callable[[int], None]) -> AddressSpace:
        return AddressSpace(self.memory, self._tlb, allocate, free)

    def halt(self, reboot: bool) -> None:
        """The power switch: the guest stops at the next block, and `on_halt` is told."""
        self.cpu.preempt()
        if self.on_halt is not None:
            self.on_halt(reboot)

    def check(self) -> None:
        """Assert the invariants of all parts."""
        self.cpu.check()
        self.clock.check()
        for device in self.devices.values():
            device.check()
        for line in self.interrupts.values():
            line.check()

    def close(self) -> None:
        """Free the emulator.  RAM and saved contexts stay; nothing can run any more."""
        self.cpu.close()
        self.memory.on_invalidate(None)
        self._engine.close()


def build_machine(description: MachineDescription, *, disk: bytes = b"", overlay: Mapping[int, bytes] | None = None,
                  seed: int = 0, entropy: Callable[[int], bytes] | None = None, node: int = 1, epoch: int = 1,
                  live: bool = True, native: bool = True) -> RealMachine:
    """A machine, switched on, with nothing in its RAM.

    Args:
        disk, overlay, seed, entropy, node, epoch: as in `Host`.
        live: False: see the processor's state by contexts only.
        native: False: count instructions instead of using the native helper.
    Raises ConfigError: the description cannot be built.
    """
    helper = load_helper() if native else None
    return RealMachine(description, Host(disk, overlay or {}, seed, entropy, node, epoch), live=live, helper=helper)


def _kind(device: Device) -> DeviceKind:
    kind = DEVICES.get(device.kind)
    if kind is None:
        raise ConfigError(f"device {device.name}: no kind {device.kind!r} (there are {', '.join(DEVICES)})")
    return kind


def _check_addresses(kinds: list[tuple[Device, DeviceKind]]) -> None:
    """Raises ConfigError: register pages overlap, or reach into RAM."""
    ranges = sorted((device.address, device.address + (kind.pages(device) << PAGE_SHIFT), device.name)
                    for device, kind in kinds)
    end, before = 0, ""
    for start, stop, name in ranges:
        if start < end:
            raise ConfigError(f"devices {before} and {name} overlap at {start:#x}")
        if stop > RAM_BASE:
            raise ConfigError(f"device {name} reaches into RAM, which begins at {RAM_BASE:#x}")
        end, before = stop, name
