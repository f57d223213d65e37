"""Drivers of a few lines, which use devices as a user program's driver does."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final, final

from machemu.hw.api import PAGE_SIZE
from machemu.hw.description import WORKSTATION, MachineDescription
from machemu.hw.devices.crypto import CryptoEngine
from machemu.hw.devices.disk import DiskDriver
from machemu.hw.devices.nic import Nic
from machemu.hw.registers import RegisterPage
from tests.hw.guests import Rig

# A workstation, but small: it is made in half the time.
SMALL: Final = MachineDescription.parse(
    WORKSTATION.replace("ram = 16777216", "ram = 4194304").replace("contexts = 128", "contexts = 10"), "small.toml")
ENTRIES: Final = 8
OWNER: Final = 7  # a task's number
DONE, ERROR = 1 << 31, 1 << 30  # flags of the NIC's descriptors


@final
class Registers:
    """A page of registers."""

    def __init__(self, page: RegisterPage) -> None:
        self.page = page

    def __getitem__(self, offset: int) -> int:
        return self.page.read(offset, 4)

    def __setitem__(self, offset: int, value: int) -> None:
        self.page.write(offset, 4, value)

    def wide(self, offset: int) -> int:
        low = self[offset]
        return self[offset + 4] << 32 | low

    def set_wide(self, offset: int, value: int) -> None:
        self[offset] = value & 0xFFFF_FFFF
        self[offset + 4] = value >> 32


@final
class Buffer:
    """Pages of memory that one unit reaches through one window."""

    def __init__(self, rig: Rig, device: Nic | CryptoEngine, unit: str, pages: int, *, writable: bool = True) -> None:
        # Not in order: what is one range on the bus is none in RAM.
        self.frames = tuple(sorted((rig.frame() for _ in range(pages)), key=lambda frame: (frame % 2, -frame)))
        self._ram = rig.memory.data
        bus = device.open_window(unit, self.frames, writable)
        assert bus is not None
        self.bus: Final = bus

    def write(self, offset: int, octets: bytes) -> None:
        for number, octet in enumerate(octets, offset):
            self._ram[self.frames[number // PAGE_SIZE] * PAGE_SIZE + number % PAGE_SIZE] = octet

    def read(self, offset: int, count: int) -> bytes:
        return bytes(self._ram[self.frames[number // PAGE_SIZE] * PAGE_SIZE + number % PAGE_SIZE]
                     for number in range(offset, offset + count))


@final
class Queue:
    """A queue pair: send descriptors at 0 of its memory, receive descriptors at 0x400, then buffers."""

    SEND, RECEIVE, DATA = 0, 0x400, 0x1000

    def __init__(self, rig: Rig, unit: str = "q0", *, owner: int = OWNER) -> None:
        self.rig = rig
        self.nic = nic_of(rig)
        assert self.nic.open(unit, owner)
        self.unit = unit
        self.registers = Registers(self.nic.registers[unit].registers)
        self.memory = Buffer(rig, self.nic, unit, 10)
        self.sent = self.posted = 0
        self.interrupts = 0
        self.nic.registers[unit].line.attach(self._interrupted)
        self.set_up()

    def set_up(self, entries: int = ENTRIES) -> None:
        self.registers.set_wide(0x010, self.memory.bus + self.SEND)
        self.registers[0x018] = entries
        self.registers.set_wide(0x030, self.memory.bus + self.RECEIVE)
        self.registers[0x038] = entries
        self.registers[0x028] = 7
        self.sent = self.posted = 0

    def _interrupted(self) -> None:
        self.interrupts += 1

    def place(self, number: int) -> int:
        """Offset of buffer `number` in the queue's memory."""
        return self.DATA + number % ENTRIES * PAGE_SIZE

    def fill(self, ring: int, number: int, address: int, length: int) -> None:
        self.memory.write(ring + number % ENTRIES * 16, struct.pack("<QII", address, length, 0))

    def descriptor(self, ring: int, number: int) -> tuple[int, int, int]:
        address, length, flags = struct.unpack("<QII", self.memory.read(ring + number % ENTRIES * 16, 16))
        return address, length, flags

    def send(self, *frames: bytes) -> None:
        for frame in frames:
            self.memory.write(self.place(self.sent), frame)
            self.fill(self.SEND, self.sent, self.memory.bus + self.place(self.sent), len(frame))
            self.sent += 1
        self.registers[0x020] = self.sent

    def post(self, count: int = 1, size: int = 2048) -> None:
        for _ in range(count):
            self.fill(self.RECEIVE, self.posted, self.memory.bus + self.place(self.posted), size)
            self.posted += 1
        self.registers[0x040] = self.posted

    def received(self, number: int) -> tuple[bytes, int]:
        """Contents and flags of receive buffer `number`."""
        _, length, flags = self.descriptor(self.RECEIVE, number)
        return self.memory.read(self.place(number), length), flags

    def counter(self, name: str) -> int:
        names = ("tx_frames", "rx_frames", "tx_octets", "rx_octets", "rx_no_buffer", "tx_bad", "rx_bad")
        return self.registers.wide(0x060 + 8 * names.index(name))


@dataclass(frozen=True)
class Completion:
    tag: int
    status: int
    out_len: int
    handle: int
    value: int
    cost_ns: int


@final
class Context:
    """A context of the crypto engine: commands at 0 of its memory, completions at 0x800, then data."""

    COMMANDS, COMPLETIONS, DATA = 0, 0x800, 0x1000

    def __init__(self, rig: Rig, unit: str = "c0", *, owner: int = OWNER, pages: int = 4) -> None:
        self.rig = rig
        self.engine = engine_of(rig)
        assert self.engine.open(unit, owner)
        self.unit = unit
        self.registers = Registers(self.engine.registers[unit].registers)
        self.memory = Buffer(rig, self.engine, unit, pages)
        self.data = self.memory.bus + self.DATA
        self.interrupts = 0
        self.engine.registers[unit].line.attach(self._interrupted)
        self.set_up()

    def set_up(self, entries: int = ENTRIES) -> None:
        self.registers.set_wide(0x010, self.memory.bus + self.COMMANDS)
        self.registers[0x018] = entries
        self.registers.set_wide(0x030, self.memory.bus + self.COMPLETIONS)
        self.registers[0x038] = entries
        self.registers[0x024] = 7
        self.asked = self.taken = 0

    def _interrupted(self) -> None:
        self.interrupts += 1

    def ask(self, op: int, *, src: int = 0, src_len: int = 0, dst: int = 0, dst_cap: int = 0, arg: int = 0,
            **others: int) -> int:
        """Put a command in the ring; its tag."""
        tag = 100 + self.asked
        command = struct.pack("<HHIIIQIIQQIIQ", op, others.get("flags", 0), tag, others.get("key", 0),
                              others.get("key2", 0), src, src_len, dst_cap, dst, others.get("aad", 0),
                              others.get("aad_len", 0), arg, others.get("aux", 0))
        self.memory.write(self.COMMANDS + self.asked % ENTRIES * 64, command)
        self.asked += 1
        self.registers[0x020] = self.asked
        return tag

    def completions(self) -> list[Completion]:
        """Those not taken yet; tells the engine that they are taken."""
        new = []
        while self.taken != self.registers[0x03C]:
            octets = self.memory.read(self.COMPLETIONS + self.taken % ENTRIES * 32, 32)
            new.append(Completion(*struct.unpack("<IiIIQQ", octets)))
            self.taken += 1
        self.registers[0x040] = self.taken
        return new

    def do(self, op: int, **arguments: int) -> Completion:
        """One command, from the doorbell to its completion."""
        self.ask(op, **arguments)
        self.rig.settle()
        (completion,) = self.completions()
        return completion


def whole(**options: Any) -> Rig:
    """A machine with every device."""
    return Rig(SMALL, **options)


def workstation(**options: Any) -> Rig:
    """The default machine."""
    return Rig(MachineDescription.workstation(), **options)


def nic_of(rig: Rig) -> Nic:
    nic = rig.machine.devices["eth0"]
    assert isinstance(nic, Nic)
    return nic


def engine_of(rig: Rig) -> CryptoEngine:
    engine = rig.machine.devices["crypto0"]
    assert isinstance(engine, CryptoEngine)
    return engine


def disk_of(rig: Rig) -> DiskDriver:
    disk = rig.machine.devices["hd0"]
    assert isinstance(disk, DiskDriver)
    return disk
