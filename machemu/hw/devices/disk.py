"""The disk: a ring of commands in RAM, worked off in order.

Registers (offsets hexadecimal, 4 octets unless said):

| offset | register | |
|---|---|---|
| 000, 004 | id "HDD1", version 1 | read only |
| 008:8 | sectors of 512 octets | read only |
| 010:8, 018 | command ring: base, entries | writing the entries empties the ring |
| 01C | head | read only: the device has done up to here |
| 020 | tail | doorbell |
| 028 | interrupt enable | bits as below |
| 02C | interrupt status | bit 0 a command is done, 1 the ring cannot be used; write 1 to clear |

A command is 32 octets: u32 operation (1 read, 2 write, 3 flush), u32 tag (the driver's),
u64 first sector, u64 bus address, u32 octets, u32 status (the device writes 1 done or 2
failed).  It is one contiguous range of RAM; nothing of a failed one is done.

What is written goes to an overlay, and is safe from a crash once a later flush is done.
The kernel's driver, `submit`, is at the end.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.hw.clock import Clock
from machemu.hw.description import Device, integer_option, refuse_unknown_options
from machemu.hw.dma import DmaError, Physical
from machemu.hw.interrupt import InterruptLine
from machemu.hw.memory import RAM_BASE, Memory
from machemu.hw.parts import DeviceKind, Parts
from machemu.hw.registers import RegisterPage
from machemu.hw.ring import Ring, RingError
from machemu.hw.sectors import SECTOR, Sectors
from machemu.hw.units import InterruptBits

ID: Final = 0x31444448
VERSION: Final = 1
COMMAND: Final = struct.Struct("<IIQQII")
STATUS_AT: Final = 28  # offset in a command
OPERATIONS: Final = {"read": 1, "write": 2, "flush": 3}
READ, WRITE, FLUSH = OPERATIONS.values()
DONE, FAILED = 1, 2
COMPLETED, RING_BAD = 1, 2  # interrupt bits
RING_ENTRIES: Final = 128  # of the driver's ring, which is one frame
OCTETS_MAX: Final = 1 << 20  # of one command

COMMAND_NS: Final = 20_000  # of any command
NS_PER_OCTET: Final = 2
FLUSH_NS: Final = 200_000
SECTORS_MAX: Final = 1 << 32


@final
class Disk:
    """The device."""

    def __init__(self, store: Sectors, clock: Clock, memory: Memory, interrupt: InterruptLine) -> None:
        self.store: Final = store
        self.unreadable: set[int] = set()  # sectors; a read that touches one fails
        self.unwritable: set[int] = set()  # likewise a write
        self._memory = Physical(memory)
        self._clock = clock
        self._ring = Ring(self._memory, COMMAND.size)
        self._busy = False
        self.interrupts = InterruptBits(interrupt)
        page = self.registers = RegisterPage("disk")
        page.constant(0x000, ID)
        page.constant(0x004, VERSION)
        page.add_wide(0x008, lambda: store.count)
        page.add_wide(0x010, lambda: self._ring.base, self._ring.set_base)
        page.add(0x018, lambda: self._ring.entries, self._set_entries)
        page.add(0x01C, lambda: self._ring.head)
        page.add(0x020, lambda: self._ring.tail, self._doorbell)
        self.interrupts.add_to(page, 0x028, 0x02C)

    def _set_entries(self, entries: int) -> None:
        try:
            self._ring.set_entries(entries)
        except RingError:
            self._fail()

    def _doorbell(self, tail: int) -> None:
        try:
            self._ring.set_tail(tail)
        except RingError:
            self._fail()
        else:
            self._begin()

    def _fail(self) -> None:
        self._ring.reset()
        self.interrupts.set(RING_BAD)

    def _begin(self) -> None:
        """Start the next command, unless one is being worked on."""
        if self._busy or not self._ring.waiting:
            return
        try:
            operation, _, _, _, octets, _ = COMMAND.unpack(self._ring.first())
        except RingError:
            self._fail()
            return
        self._busy = True
        cost = FLUSH_NS if operation == FLUSH else COMMAND_NS + min(octets, OCTETS_MAX) * NS_PER_OCTET
        self._clock.call_at(self._clock.now_ns + cost, self._finish)

    def _finish(self) -> None:
        self._busy = False
        if not self._ring.waiting:  # set up anew meanwhile
            return
        try:
            operation, _, sector, address, octets, _ = COMMAND.unpack(self._ring.first())
            status = DONE if self._execute(operation, sector, address, octets) else FAILED
            self._ring.finish(STATUS_AT, status.to_bytes(4, "little"))
        except RingError:
            self._fail()
            return
        self.interrupts.set(COMPLETED)
        self._begin()

    def _execute(self, operation: int, sector: int, address: int, octets: int) -> bool:
        if operation == FLUSH:
            self.store.flush()
            return True
        count = octets // SECTOR
        if octets % SECTOR or octets > OCTETS_MAX or sector + count > self.store.count:
            return False
        touched = range(sector, sector + count)
        try:
            if operation == READ and self.unreadable.isdisjoint(touched):
                self._memory.write(address, self.store.read(sector, count))
                return True
            if operation == WRITE and self.unwritable.isdisjoint(touched):
                self.store.write(sector, self._memory.read(address, octets))
                return True
        except DmaError:
            pass
        return False

    def check(self) -> None:
        self.store.check()
        self._ring.check()


@dataclass(slots=True)
class Request:
    """One `submit`, which may be several commands."""

    done: Callable[[bool], None]
    unfinished: int
    ok: bool = True


@final
class DiskDriver:
    """The kernel's driver: it fills the ring and rings the doorbell.

    It is the machine's block device; `disk` is the device behind it.

    Invariants, asserted by `check`:
      - every command in the ring has an owner, and no other is there.

    Args:
        frame: of RAM, for the ring.
    """

    def __init__(self, disk: Disk, memory: Memory, frame: int, interrupt: InterruptLine) -> None:
        self.disk: Final = disk
        self.sectors = disk.store.count
        self._ring = memory.data[frame << PAGE_SHIFT:(frame + 1) << PAGE_SHIFT]
        self._waiting: deque[tuple[Request, bytes]] = deque()  # commands for which the ring has no room
        self._active: deque[Request] = deque()  # the owner of each command in the ring
        self._tail = 0
        self._done = 0  # commands taken back from the ring
        interrupt.attach(self._interrupted)
        disk.registers.write(0x010, 4, RAM_BASE + (frame << PAGE_SHIFT) & 0xFFFF_FFFF)
        disk.registers.write(0x014, 4, RAM_BASE + (frame << PAGE_SHIFT) >> 32)
        disk.registers.write(0x018, 4, RING_ENTRIES)
        disk.registers.write(0x028, 4, COMPLETED)

    @property
    def registers(self) -> RegisterPage:
        return self.disk.registers

    def submit(self, operation: str, sector: int, frames: tuple[int, ...], octets: int,
               done: Callable[[bool], None]) -> None:
        assert octets <= len(frames) * PAGE_SIZE
        assert octets or operation == "flush"
        runs = [(0, 0)] if operation == "flush" else _runs(frames, octets)
        request = Request(done, len(runs))
        for address, length in runs:
            command = COMMAND.pack(OPERATIONS[operation], 0, sector, address, length, 0)
            self._waiting.append((request, command))
            sector += length // SECTOR
        self._fill()

    def _fill(self) -> None:
        before = self._tail
        while self._waiting and self._tail - self._done < RING_ENTRIES:
            request, command = self._waiting.popleft()
            place = self._tail % RING_ENTRIES * COMMAND.size
            self._ring[place:place + COMMAND.size] = command
            self._active.append(request)
            self._tail += 1
        if self._tail != before:
            self.disk.registers.write(0x020, 4, self._tail & 0xFFFF_FFFF)

    def _interrupted(self) -> None:
        self.disk.registers.write(0x02C, 4, COMPLETED)
        finished = []
        head = self.disk.registers.read(0x01C, 4)
        while self._done & 0xFFFF_FFFF != head:
            place = self._done % RING_ENTRIES * COMMAND.size + STATUS_AT
            request = self._active.popleft()
            request.ok &= self._ring[place] == DONE
            request.unfinished -= 1
            if not request.unfinished:
                finished.append(request)
            self._done += 1
        self._fill()
        for request in finished:
            request.done(request.ok)

    def check(self) -> None:
        self.disk.check()
        assert len(self._active) == self._tail - self._done <= RING_ENTRIES
        assert not self._waiting or self._tail - self._done == RING_ENTRIES


def _runs(frames: tuple[int, ...], octets: int) -> list[tuple[int, int]]:
    """Bus addresses and lengths of the contiguous pieces of a buffer in frames."""
    runs: list[tuple[int, int]] = []
    for frame in frames:
        if not octets:
            break
        address = RAM_BASE + (frame << PAGE_SHIFT)
        length = min(octets, PAGE_SIZE)
        if runs and sum(runs[-1]) == address and runs[-1][1] + length <= OCTETS_MAX:
            runs[-1] = (runs[-1][0], runs[-1][1] + length)
        else:
            runs.append((address, length))
        octets -= length
    return runs


def build(device: Device, parts: Parts) -> DiskDriver:
    refuse_unknown_options(device, {"sectors"})
    sectors = integer_option(device, "sectors", 0, 0, SECTORS_MAX)
    line = parts.line(device.interrupt)
    disk = Disk(Sectors(parts.host.disk, parts.host.overlay, sectors), parts.clock, parts.memory, line)
    driver = parts.roles.block[device.name] = DiskDriver(disk, parts.memory, parts.frames[0], line)
    return driver


KIND: Final = DeviceKind(pages=lambda _: 1, build=build, frames=1)
