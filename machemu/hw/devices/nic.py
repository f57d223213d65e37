"""The Ethernet adapter: queue pairs that can each be mapped into a task of their own.

Frames are whole Ethernet frames of 14 to 1514 octets; short ones are padded to 60 on
sending.  The check sequence (FCS, a CRC-32) is outside these octets: the segment, the only
one that can damage a frame, keeps it and tells the receiver whether it still fits.  Frames
for other stations are not received.

Page of queue n, unit "qn" (offsets hexadecimal, 4 octets unless said):

| offset | register | |
|---|---|---|
| 000, 004 | id "NIC1", version 1 | read only |
| 008 | queue index | read only |
| 00C | status | read only; bit 0 ready, bit 1 ring error: both rings are off until set up anew |
| 010:8, 018 | transmit ring: base, entries | writing the entries empties the ring; 0: off |
| 01C | transmit head | read only: the device has sent up to here |
| 020 | transmit tail | doorbell |
| 028 | interrupt enable | bits as below |
| 02C | interrupt status | bit 0 received, 1 sent, 2 error; write 1 to clear |
| 030:8, 038, 03C, 040 | receive ring: base, entries, head, tail | head: filled up to here; tail: posted |
| 048:8 | MAC | octets 0 to 5, read only |
| 060:8 … 090:8 | tx_frames, rx_frames, tx_octets, rx_octets, rx_no_buffer, tx_bad, rx_bad | read only |

A transmit descriptor is u64 bus address, u32 length, u32 flags (the device writes bit 31
done, bit 30 error); a receive descriptor u64 bus address, u32 buffer size (the device
writes the frame's length), u32 flags (the same bits).  tx_bad counts descriptors whose
length is no frame's or whose address is outside the queue's windows; rx_bad frames lost to
a buffer that is too small or outside them.

Privileged page, unit "":

| offset | register | |
|---|---|---|
| 000, 004 | id "NICP", version 1 | read only |
| 008 | number of queues | read only |
| 00C | link | bit 0 up; read only |
| 010:8 | MAC | read only |
| 100 + 16 i, i < 32 | steering: bit 0 valid; EtherType, 0 any; queue; zero | first valid match wins |
| 300:8 … 320:8 | rx_fcs, rx_no_steer, rx_oversize, tx_frames, rx_frames | read only |
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Final, final

from machemu.hw.api import InterruptLine as Line
from machemu.hw.clock import Clock
from machemu.hw.description import Device, integer_option, refuse_unknown_options
from machemu.hw.dma import DmaError, Windows
from machemu.hw.interrupt import InterruptLine
from machemu.hw.memory import Memory
from machemu.hw.parts import DeviceKind, Parts
from machemu.hw.registers import RegisterPage
from machemu.hw.ring import Ring, RingError
from machemu.hw.units import InterruptBits, Unit, UnitTable

ID_QUEUE: Final = 0x3143494E
ID_PRIVILEGED: Final = 0x5043494E
VERSION: Final = 1
MAC_PREFIX: Final = bytes.fromhex("024d4b")  # then the node's number
BROADCAST_BIT: Final = 1  # of the first octet: broadcast or multicast

HEADER: Final = 14  # octets: destination, source, EtherType
FRAME_MIN: Final = 60
FRAME_MAX: Final = 1514
GAP: Final = 24  # octets' time on the wire around a frame: preamble, FCS, inter-frame gap
NS_PER_OCTET: Final = 8  # 1 Gbit/s
DOORBELL_NS: Final = 500  # from a doorbell until the device looks at the ring

DESCRIPTOR: Final = struct.Struct("<QII")
LENGTH_AT: Final = 8  # offsets in a descriptor
FLAGS_AT: Final = 12
FLAGS: Final = struct.Struct("<I")
LENGTH_AND_FLAGS: Final = struct.Struct("<II")
DONE: Final = 1 << 31
ERROR: Final = 1 << 30
READY, RING_ERROR = 1, 2  # status
RECEIVED, SENT, FAILED = 1, 2, 4  # interrupt bits

WINDOWS: Final = 64  # per queue
QUEUES_MAX: Final = 32
STEERING_ROWS: Final = 32
STEERING: Final = 0x100
STEERING_STEP: Final = 16
COUNTERS: Final = 0x060
GLOBAL_COUNTERS: Final = 0x300


@final
class Counters:
    """Named counts, each an 8-octet register."""

    def __init__(self, page: RegisterPage, offset: int, names: tuple[str, ...]) -> None:
        self.values: dict[str, int] = dict.fromkeys(names, 0)
        for index, name in enumerate(names):
            page.add_wide(offset + 8 * index, functools.partial(self.values.__getitem__, name))

    def add(self, name: str, amount: int = 1) -> None:
        self.values[name] += amount


@final
class Queue:
    """One queue pair.

    Args:
        serve: called when there may be frames to send.
    """

    def __init__(self, index: int, mac: bytes, windows: Windows, line: InterruptLine,
                 serve: Callable[[], None]) -> None:
        self.index = index
        self.windows = windows
        self.send_ring = Ring(windows, DESCRIPTOR.size)
        self.receive_ring = Ring(windows, DESCRIPTOR.size)
        self.interrupts = InterruptBits(line)
        self.generation = 0  # rings it has had: a frame under way belongs to the one it came from
        self._ring_error = False
        self._serve = serve
        page = self.registers = RegisterPage(f"nic queue {index}")
        self.counters = Counters(page, COUNTERS, ("tx_frames", "rx_frames", "tx_octets", "rx_octets",
                                                  "rx_no_buffer", "tx_bad", "rx_bad"))
        page.constant(0x000, ID_QUEUE)
        page.constant(0x004, VERSION)
        page.constant(0x008, index)
        page.add(0x00C, lambda: READY | (RING_ERROR if self._ring_error else 0))
        self._add_ring(0x010, self.send_ring, self._ring_doorbell)
        self._add_ring(0x030, self.receive_ring, self._post)
        self.interrupts.add_to(page, 0x028, 0x02C)
        page.add_wide(0x048, lambda: int.from_bytes(mac, "little"))

    def _add_ring(self, offset: int, ring: Ring, doorbell: Callable[[int], None]) -> None:
        page = self.registers
        page.add_wide(offset, lambda: ring.base, ring.set_base)
        page.add(offset + 0x8, lambda: ring.entries, lambda value: self._set_entries(ring, value))
        page.add(offset + 0xC, lambda: ring.head)
        page.add(offset + 0x10, lambda: ring.tail, doorbell)

    def _set_entries(self, ring: Ring, entries: int) -> None:
        self.generation += ring is self.send_ring
        try:
            ring.set_entries(entries)
        except RingError:
            self.fail()
        else:
            self._ring_error = False

    def _ring_doorbell(self, tail: int) -> None:
        try:
            self.send_ring.set_tail(tail)
        except RingError:
            self.fail()
        else:
            self._serve()

    def _post(self, tail: int) -> None:
        try:
            self.receive_ring.set_tail(tail)
        except RingError:
            self.fail()

    def fail(self) -> None:
        """A ring that cannot be used: both stop until they are set up anew."""
        self.generation += 1
        self.send_ring.reset()
        self.receive_ring.reset()
        self._ring_error = True
        self.interrupts.set(FAILED)

    def stop(self) -> None:
        self.generation += 1
        self.send_ring.reset()
        self.receive_ring.reset()
        self.interrupts.reset()
        self._ring_error = False

    # -- sending --------------------------------------------------------------------

    def next_frame(self) -> bytes | None:
        """The next frame to send, padded; None: there is none.  Bad descriptors are passed."""
        while self.send_ring.waiting:
            try:
                address, length, _ = DESCRIPTOR.unpack(self.send_ring.first())
                if HEADER <= length <= FRAME_MAX:
                    return self.windows.read(address, length).ljust(FRAME_MIN, b"\0")
                self._refuse()
            except DmaError:
                self._refuse()
            except RingError:
                self.fail()
        return None

    def _refuse(self) -> None:
        self.counters.add("tx_bad")
        self._finish(self.send_ring, FLAGS_AT, FLAGS.pack(DONE | ERROR), FAILED)

    def sent(self, frame: bytes) -> None:
        """The frame of `next_frame` has left."""
        self.counters.add("tx_frames")
        self.counters.add("tx_octets", len(frame))
        self._finish(self.send_ring, FLAGS_AT, FLAGS.pack(DONE), SENT)

    def _finish(self, ring: Ring, offset: int, octets: bytes, interrupt: int) -> None:
        try:
            ring.finish(offset, octets)
        except RingError:
            self.fail()
        else:
            self.interrupts.set(interrupt)

    # -- receiving ------------------------------------------------------------------

    def receive(self, frame: bytes) -> bool:
        """Put a frame into the next buffer posted.  False: dropped."""
        ring = self.receive_ring
        if not ring.waiting:
            self.counters.add("rx_no_buffer")
            return False
        try:
            address, size, _ = DESCRIPTOR.unpack(ring.first())
        except RingError:
            self.fail()
            return False
        try:
            if size < len(frame):
                raise DmaError("a buffer too small for the frame")
            self.windows.write(address, frame)
        except DmaError:
            self.counters.add("rx_bad")
            self._finish(ring, LENGTH_AT, LENGTH_AND_FLAGS.pack(0, DONE | ERROR), FAILED)
            return False
        self.counters.add("rx_frames")
        self.counters.add("rx_octets", len(frame))
        self._finish(ring, LENGTH_AT, LENGTH_AND_FLAGS.pack(len(frame), DONE), RECEIVED)
        return True


@final
class Nic:
    """The adapter.  `on_transmit` gets each frame at the virtual time at which its last
    octet leaves; `receive` is the other end."""

    def __init__(self, base: int, queues: int, node: int, clock: Clock, memory: Memory,
                 lines: list[InterruptLine]) -> None:
        self.mac: Final = MAC_PREFIX + node.to_bytes(3, "big")
        self.on_transmit: Callable[[bytes], None] | None = None
        self.link_up = True
        self._clock = clock
        self._sending = False  # a frame is on its way out, or a doorbell has rung
        self._turn = 0  # the queue that is looked at first
        self.queues = [Queue(index, self.mac, Windows(memory, WINDOWS), lines[1 + index], self._ring)
                       for index in range(queues)]
        privileged = RegisterPage("nic")
        self._steering = [[0, 0, 0] for _ in range(STEERING_ROWS)]  # valid, EtherType, queue
        self.counters = Counters(privileged, GLOBAL_COUNTERS,
                                 ("rx_fcs", "rx_no_steer", "rx_oversize", "tx_frames", "rx_frames"))
        self._add_privileged(privileged)
        pages = [Unit("", privileged, Windows(memory, 0), lines[0], self._stop_steering)]
        pages += [Unit(f"q{queue.index}", queue.registers, queue.windows, lines[1 + queue.index], queue.stop)
                  for queue in self.queues]
        self.registers: Final = UnitTable(base, pages)

    def _add_privileged(self, page: RegisterPage) -> None:
        page.constant(0x000, ID_PRIVILEGED)
        page.constant(0x004, VERSION)
        page.constant(0x008, len(self.queues))
        page.add(0x00C, lambda: int(self.link_up))
        page.add_wide(0x010, lambda: int.from_bytes(self.mac, "little"))
        for index, row in enumerate(self._steering):
            for column, mask in enumerate((1, 0xFFFF, 0xFF)):
                page.add(STEERING + STEERING_STEP * index + 4 * column, functools.partial(row.__getitem__, column),
                         functools.partial(_set_masked, row, column, mask))

    def _stop_steering(self) -> None:
        for row in self._steering:
            row[:] = 0, 0, 0

    # -- what hw.api.MappedDevice asks ------------------------------------------------

    def units(self) -> tuple[str, ...]:
        return self.registers.names()

    def open(self, unit: str, task_number: int) -> bool:
        return self.registers.open(unit, task_number)

    def close(self, unit: str) -> None:
        self.registers.close(unit)

    def bus_page(self, unit: str) -> int:
        return self.registers.bus_page(unit)

    def interrupt(self, unit: str) -> Line | None:
        return self.registers[unit].line

    def open_window(self, unit: str, frames: tuple[int, ...], writable: bool) -> int | None:
        return self.registers.open_window(unit, frames, writable)

    # -- the wire -------------------------------------------------------------------

    def _ring(self) -> None:
        """A doorbell.  In a register callback: only noted."""
        if not self._sending:
            self._sending = True
            self._clock.call_at(self._clock.now_ns + DOORBELL_NS, self._send_next)

    def _send_next(self) -> None:
        """Begin to send the next frame; the queues take turns."""
        count = len(self.queues)
        for step in range(count):
            queue = self.queues[(self._turn + step) % count]
            frame = queue.next_frame()
            if frame is not None:
                self._turn = (queue.index + 1) % count
                self._begin(queue, frame)
                return
        self._sending = False

    def _begin(self, queue: Queue, frame: bytes) -> None:
        generation = queue.generation
        time = self._clock.now_ns + (len(frame) + GAP) * NS_PER_OCTET
        self._clock.call_at(time, lambda: self._sent(queue, generation, frame))

    def _sent(self, queue: Queue, generation: int, frame: bytes) -> None:
        self.counters.add("tx_frames")
        if queue.generation == generation:  # else the ring has gone; the frame goes out all the same
            queue.sent(frame)
        if self.on_transmit is not None and self.link_up:
            self.on_transmit(frame)
        self._send_next()

    def receive(self, frame: bytes, fcs_ok: bool) -> None:
        """A frame arrives from the segment.  As a clock event only."""
        if not self.link_up:
            return
        if not fcs_ok or len(frame) < HEADER:
            self.counters.add("rx_fcs")
        elif len(frame) > FRAME_MAX:
            self.counters.add("rx_oversize")
        elif frame[0] & BROADCAST_BIT or frame[:6] == self.mac:
            queue = self._steer(int.from_bytes(frame[12:14], "big"))
            if queue is None:
                self.counters.add("rx_no_steer")
            elif queue.receive(frame):
                self.counters.add("rx_frames")

    def _steer(self, ether_type: int) -> Queue | None:
        for valid, wanted, index in self._steering:
            if valid and wanted in (0, ether_type):
                return self.queues[index] if index < len(self.queues) else None
        return None

    def check(self) -> None:
        self.registers.check()
        for queue in self.queues:
            queue.send_ring.check()
            queue.receive_ring.check()


def _set_masked(row: list[int], column: int, mask: int, value: int) -> None:
    row[column] = value & mask


def _queues(device: Device) -> int:
    refuse_unknown_options(device, {"queues"})
    return integer_option(device, "queues", 4, 1, QUEUES_MAX)


def build(device: Device, parts: Parts) -> Nic:
    queues = _queues(device)
    lines = [parts.line(device.interrupt + index) for index in range(1 + queues)]
    nic = Nic(device.address, queues, parts.host.node, parts.clock, parts.memory, lines)
    parts.roles.mapped[device.name] = parts.roles.network[device.name] = nic
    return nic


KIND: Final = DeviceKind(pages=lambda device: 1 + _queues(device), build=build)
