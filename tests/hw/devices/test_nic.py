"""The Ethernet adapter: queue pairs, steering, and what becomes of every frame."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.hw.api import PAGE_SIZE
from tests.hw.devices.drivers import DONE, ENTRIES, ERROR, Buffer, Queue, Registers, nic_of, whole
from tests.hw.guests import DATA, RW, Rig, guest

ALL: Final = b"\xff" * 6
MINE: Final = bytes.fromhex("024d4b000001")  # node 1
OTHERS: Final = bytes.fromhex("024d4b000002")
GNS_TYPE: Final = 0x88B5
ENTRIES_AT, TAIL_AT = 0x018, 0x020
RECEIVED, SENT, FAILED = 1, 2, 4  # interrupt status


def frame(length: int = 60, *, to: bytes = ALL, ether_type: int = GNS_TYPE, fill: int = 0xA5) -> bytes:
    return (to + OTHERS + ether_type.to_bytes(2, "big")).ljust(length, bytes([fill]))


def privileged(rig: Rig) -> Registers:
    return Registers(nic_of(rig).registers[""].registers)


def steer(rig: Rig, row: int, ether_type: int, queue: int, valid: int = 1) -> None:
    page = privileged(rig)
    page[0x100 + 16 * row] = valid
    page[0x104 + 16 * row] = ether_type
    page[0x108 + 16 * row] = queue


def receiving(rig: Rig, unit: str = "q0", posted: int = ENTRIES) -> Queue:
    """A queue that gets all frames and has buffers."""
    queue = Queue(rig, unit)
    steer(rig, 0, 0, int(unit[1:]))
    queue.post(posted)
    return queue


def drops(rig: Rig) -> dict[str, int]:
    """Frames dropped before any queue saw them, by cause."""
    page = privileged(rig)
    return {name: page.wide(offset) for name, offset in (("fcs", 0x300), ("no_steer", 0x308), ("oversize", 0x310))}


class Cable:
    """What the adapter sends, with times."""

    def __init__(self, rig: Rig) -> None:
        self.frames: list[bytes] = []
        self.times: list[int] = []
        self._rig = rig
        nic_of(rig).on_transmit = self._note

    def _note(self, octets: bytes) -> None:
        self.frames.append(octets)
        self.times.append(self._rig.clock.now_ns)


# -- what the registers say ---------------------------------------------------------------


def test_pages_tell_what_they_are() -> None:
    rig = whole(node=0x0203)
    queue = Queue(rig, "q2")
    page = privileged(rig)
    assert struct.pack("<I", queue.registers[0]) == b"NIC1"
    assert struct.pack("<I", page[0]) == b"NICP"
    assert (queue.registers[4], queue.registers[8], queue.registers[0xC]) == (1, 2, 1)
    assert (page[4], page[8], page[0xC]) == (1, 4, 1)
    mac = bytes.fromhex("024d4b000203")
    assert nic_of(rig).mac == mac
    assert queue.registers.wide(0x048).to_bytes(8, "little") == mac + bytes(2)
    assert page.wide(0x010) == queue.registers.wide(0x048)


def test_each_queue_pair_has_a_page_and_an_interrupt_of_its_own() -> None:
    nic = nic_of(whole())
    units = nic.units()
    assert units == ("", "q0", "q1", "q2", "q3")
    assert [nic.bus_page(unit) for unit in units] == [0x10010 + n for n in range(5)]
    assert [nic.registers[unit].line.number for unit in units] == [16, 17, 18, 19, 20]
    with pytest.raises(KeyError):
        nic.bus_page("q4")


# -- sending ------------------------------------------------------------------------------


def test_frame_is_sent_padded_and_its_descriptor_done() -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    queue.send(frame(20))
    assert cable.frames == []  # the doorbell only notes
    rig.settle()
    assert cable.frames == [frame(20).ljust(60, b"\0")]
    assert queue.descriptor(Queue.SEND, 0)[1:] == (20, DONE)
    assert queue.registers[0x01C] == 1
    assert (queue.registers[0x02C], queue.interrupts) == (SENT, 1)
    assert (queue.counter("tx_frames"), queue.counter("tx_octets")) == (1, 60)
    assert privileged(rig).wide(0x318) == 1


@pytest.mark.parametrize("length", [14, 59, 60, 61, 1513, 1514])
def test_every_length_of_a_frame_passes(length: int) -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    queue.send(frame(length))
    rig.settle()
    assert cable.frames == [frame(length).ljust(60, b"\0")]


def test_frames_leave_one_after_the_other_at_the_speed_of_the_wire() -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    queue.send(frame(1000), frame(60))
    rig.settle()
    first, second = cable.times
    assert first == 500 + (1000 + 24) * 8
    assert second - first == (60 + 24) * 8


def test_queues_take_turns() -> None:
    rig = whole()
    cable = Cable(rig)
    queues = [Queue(rig, f"q{n}") for n in range(3)]
    for number, queue in enumerate(queues):
        queue.send(*[frame(fill=16 * number + n) for n in range(3)])
    rig.settle()
    assert [octets[-1] for octets in cable.frames] == [0, 16, 32, 1, 17, 33, 2, 18, 34]


def test_ring_goes_round() -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    for number in range(3 * ENTRIES):
        queue.send(frame(fill=number))
        rig.settle()
    assert [octets[-1] for octets in cable.frames] == list(range(3 * ENTRIES))
    assert queue.registers[0x01C] == 3 * ENTRIES


@pytest.mark.parametrize(("shift", "length"), [
    pytest.param(0, 0, id="no octets"),
    pytest.param(0, 13, id="no whole header"),
    pytest.param(0, 1515, id="longer than the MTU"),
    pytest.param(0, 2**32 - 1, id="absurdly long"),
    pytest.param(1 << 32, 60, id="in a window that is none"),
    pytest.param(-(1 << 32), 60, id="below all windows"),
    pytest.param(10 * PAGE_SIZE - 59 - Queue.DATA, 60, id="one octet behind the window"),
    pytest.param(2**63, 60, id="at the end of the bus"),
])
def test_bad_descriptor_is_refused_counted_and_passed(shift: int, length: int) -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    queue.fill(Queue.SEND, 0, queue.memory.bus + queue.place(0) + shift, length)
    queue.sent = 1
    queue.send(frame(fill=1))
    rig.settle()
    assert cable.frames == [frame(fill=1)]
    assert queue.descriptor(Queue.SEND, 0)[1:] == (length, DONE | ERROR)
    assert (queue.counter("tx_bad"), queue.counter("tx_frames")) == (1, 1)
    assert queue.registers[0x02C] == SENT | FAILED


def test_read_only_window_will_do_for_sending() -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    fixed = Buffer(rig, queue.nic, "q0", 1, writable=False)
    fixed.write(100, frame())
    queue.fill(Queue.SEND, 0, fixed.bus + 100, 60)
    queue.registers[TAIL_AT] = 1
    rig.settle()
    assert cable.frames == [frame()]


# -- receiving ----------------------------------------------------------------------------


def test_frame_goes_into_the_next_buffer() -> None:
    rig = whole()
    queue = receiving(rig)
    queue.nic.receive(frame(61, fill=1), True)
    queue.nic.receive(frame(1514, fill=2), True)
    rig.settle()
    assert queue.received(0) == (frame(61, fill=1), DONE)
    assert queue.received(1) == (frame(1514, fill=2), DONE)
    assert queue.registers[0x03C] == 2
    assert (queue.registers[0x02C], queue.interrupts) == (RECEIVED, 1)
    assert (queue.counter("rx_frames"), queue.counter("rx_octets")) == (2, 1575)
    assert privileged(rig).wide(0x320) == 2


@pytest.mark.parametrize(("to", "taken"), [
    pytest.param(ALL, True, id="all stations"),
    pytest.param(bytes.fromhex("01005e000001"), True, id="a group"),
    pytest.param(MINE, True, id="this station"),
    pytest.param(OTHERS, False, id="another station"),
])
def test_stations_take_what_is_for_them(to: bytes, taken: bool) -> None:
    rig = whole()
    queue = receiving(rig)
    queue.nic.receive(frame(to=to), True)
    assert queue.counter("rx_frames") == taken
    assert drops(rig) == {"fcs": 0, "no_steer": 0, "oversize": 0}


@pytest.mark.req("A-N11")
@pytest.mark.parametrize(("octets", "fcs_ok", "cause"), [
    pytest.param(frame(), False, "fcs", id="damaged"),
    pytest.param(frame(to=OTHERS), False, "fcs", id="damaged, for another station"),
    pytest.param(frame()[:13], True, "fcs", id="a fragment"),
    pytest.param(b"", True, "fcs", id="nothing"),
    pytest.param(frame(1515), True, "oversize", id="longer than the MTU"),
])
def test_frame_that_is_none_is_counted_by_cause(octets: bytes, fcs_ok: bool, cause: str) -> None:
    rig = whole()
    queue = receiving(rig)
    queue.nic.receive(octets, fcs_ok)
    assert drops(rig) == {"fcs": 0, "no_steer": 0, "oversize": 0} | {cause: 1}
    assert queue.registers[0x03C] == 0


def test_frame_without_a_buffer_is_dropped_and_counted() -> None:
    rig = whole()
    queue = receiving(rig, posted=1)
    for fill in range(3):
        queue.nic.receive(frame(fill=fill), True)
    assert (queue.counter("rx_frames"), queue.counter("rx_no_buffer")) == (1, 2)
    queue.post()
    queue.nic.receive(frame(fill=9), True)
    assert queue.received(1)[0] == frame(fill=9)


@pytest.mark.parametrize(("shift", "size"), [
    pytest.param(0, 59, id="too small"),
    pytest.param(0, 0, id="none at all"),
    pytest.param(1 << 32, 2048, id="in a window that is none"),
    pytest.param(10 * PAGE_SIZE - Queue.DATA - 10, 2048, id="across the end of the window"),
])
def test_bad_buffer_costs_its_frame_and_no_more(shift: int, size: int) -> None:
    rig = whole()
    queue = receiving(rig, posted=0)
    queue.fill(Queue.RECEIVE, 0, queue.memory.bus + queue.place(0) + shift, size)
    queue.posted = 1
    queue.post()
    before = bytes(rig.memory.data)
    queue.nic.receive(frame(fill=1), True)
    assert queue.descriptor(Queue.RECEIVE, 0)[1:] == (0, DONE | ERROR)
    assert (queue.counter("rx_bad"), queue.counter("rx_frames")) == (1, 0)
    descriptor = queue.memory.frames[0] * PAGE_SIZE + Queue.RECEIVE
    assert rig.changed(before) <= set(range(descriptor + 8, descriptor + 16))  # its length and flags
    queue.nic.receive(frame(fill=2), True)
    assert queue.received(1) == (frame(fill=2), DONE)


def test_buffer_in_a_read_only_window_is_not_written() -> None:
    rig = whole()
    queue = receiving(rig, posted=0)
    fixed = Buffer(rig, queue.nic, "q0", 1, writable=False)
    queue.fill(Queue.RECEIVE, 0, fixed.bus, 2048)
    queue.registers[0x040] = 1
    queue.nic.receive(frame(), True)
    assert fixed.read(0, 60) == bytes(60)
    assert queue.counter("rx_bad") == 1


def test_nothing_passes_while_the_link_is_down() -> None:
    rig = whole()
    cable, queue = Cable(rig), receiving(rig)
    queue.nic.link_up = False
    assert privileged(rig)[0xC] == 0
    queue.send(frame())
    queue.nic.receive(frame(), True)
    rig.settle()
    assert (cable.frames, queue.counter("rx_frames")) == ([], 0)
    assert queue.registers[0x01C] == 1  # the ring goes on


# -- steering -----------------------------------------------------------------------------


def arrived(rig: Rig, queues: list[Queue], ether_type: int) -> list[int]:
    """Which queues get a frame of this type."""
    before = [queue.counter("rx_frames") for queue in queues]
    nic_of(rig).receive(frame(ether_type=ether_type), True)
    return [n for n, queue in enumerate(queues) if queue.counter("rx_frames") != before[n]]


def test_frames_go_to_the_queue_of_their_type() -> None:
    rig = whole()
    queues = [Queue(rig, f"q{n}") for n in range(4)]
    for queue in queues:
        queue.post(ENTRIES)
    steer(rig, 3, 0x0800, 1)
    steer(rig, 7, GNS_TYPE, 2)
    assert [arrived(rig, queues, kind) for kind in (0x0800, GNS_TYPE, 0x0806)] == [[1], [2], []]
    assert drops(rig)["no_steer"] == 1
    steer(rig, 31, 0, 3)  # what nothing before it takes
    assert [arrived(rig, queues, kind) for kind in (0x0806, GNS_TYPE)] == [[3], [2]]
    steer(rig, 0, 0, 0)  # the first match wins
    assert arrived(rig, queues, GNS_TYPE) == [0]
    steer(rig, 0, 0, 0, valid=0)
    assert arrived(rig, queues, GNS_TYPE) == [2]


@pytest.mark.parametrize("queue", [4, 31, 255])
def test_row_for_a_queue_that_is_none_drops(queue: int) -> None:
    rig = whole()
    receiving(rig)
    steer(rig, 0, 0, queue)
    nic_of(rig).receive(frame(), True)
    assert drops(rig)["no_steer"] == 1


def test_steering_rows_hold_what_a_row_can_hold() -> None:
    page = privileged(whole())
    for offset, kept in ((0x100, 1), (0x104, 0xFFFF), (0x108, 0xFF)):
        page[offset] = 0xFFFF_FFFF
        assert page[offset] == kept


# -- interrupts ---------------------------------------------------------------------------


def test_interrupt_is_sent_again_only_after_its_bits_were_cleared() -> None:
    rig = whole()
    queue = receiving(rig)
    for _ in range(2):
        queue.nic.receive(frame(), True)
        rig.settle()
    assert queue.interrupts == 1
    queue.registers[0x02C] = RECEIVED
    assert queue.registers[0x02C] == 0
    queue.nic.receive(frame(), True)
    rig.settle()
    assert queue.interrupts == 2


def test_only_enabled_bits_interrupt_and_only_their_queue() -> None:
    rig = whole()
    queue, other = receiving(rig), Queue(rig, "q1")
    queue.registers[0x028] = SENT
    queue.nic.receive(frame(), True)
    rig.settle()
    assert (queue.registers[0x02C], queue.interrupts, other.interrupts) == (RECEIVED, 0, 0)
    queue.registers[0x028] = SENT | RECEIVED  # what waits counts as soon as it is enabled
    rig.settle()
    assert queue.interrupts == 1


# -- rings that are none ------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "value"), [
    pytest.param(ENTRIES_AT, 7, id="7 entries"),
    pytest.param(ENTRIES_AT, 4, id="4 entries"),
    pytest.param(ENTRIES_AT, 512, id="512 entries"),
    pytest.param(ENTRIES_AT, 2**32 - 1, id="very many entries"),
    pytest.param(0x038, 9, id="9 receive entries"),
    pytest.param(TAIL_AT, ENTRIES + 1, id="send tail more than a ring ahead"),
    pytest.param(TAIL_AT, 2**32 - 1, id="send tail behind the head"),
    pytest.param(0x040, ENTRIES + 1, id="receive tail more than a ring ahead"),
])
def test_impossible_ring_stops_the_pair_until_it_is_set_up_anew(offset: int, value: int) -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    queue.registers[offset] = value
    assert queue.registers[0x00C] == 1 | 2
    assert queue.registers[0x02C] == FAILED
    rig.settle()
    assert queue.interrupts == 1
    assert [queue.registers[at] for at in (ENTRIES_AT, TAIL_AT, 0x038, 0x040)] == [0, 0, 0, 0]
    queue.set_up()
    queue.send(frame())
    rig.settle()
    assert queue.registers[0x00C] == 1
    assert cable.frames == [frame()]


@pytest.mark.parametrize("base", [0, 0x1000, 1 << 33, 2**64 - 16, 2**64 - 1])
def test_ring_outside_the_windows_stops_the_pair(base: int) -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    queue.registers.set_wide(0x010, base)
    queue.registers[ENTRIES_AT] = ENTRIES
    queue.registers[TAIL_AT] = 1
    rig.settle()
    assert cable.frames == []
    assert queue.registers[0x00C] & 2


def test_ring_that_cannot_be_written_stops_the_pair() -> None:
    rig = whole()
    cable, queue = Cable(rig), Queue(rig)
    fixed = Buffer(rig, queue.nic, "q0", 1, writable=False)
    fixed.write(0, struct.pack("<QII", fixed.bus + 100, 60, 0))
    queue.registers.set_wide(0x010, fixed.bus)
    queue.registers[ENTRIES_AT] = ENTRIES
    queue.registers[TAIL_AT] = 1
    rig.settle()
    assert len(cable.frames) == 1  # it was sent before the ring was found bad
    assert queue.registers[0x00C] & 2
    assert fixed.read(12, 4) == bytes(4)


def test_tail_of_a_ring_that_is_off_is_an_error() -> None:
    rig = whole()
    queue = Queue(rig)
    queue.registers[ENTRIES_AT] = 0
    assert queue.registers[0x00C] == 1
    queue.registers[TAIL_AT] = 1
    assert queue.registers[0x00C] == 3


# -- owners and windows -------------------------------------------------------------------


def test_unit_belongs_to_one_task_at_a_time() -> None:
    nic = nic_of(whole())
    assert nic.open("q0", 3)
    assert nic.open("q0", 3)  # again
    assert not nic.open("q0", 4)
    nic.close("q0")
    assert nic.open("q0", 4)


def test_no_unit_reaches_the_windows_of_another() -> None:
    rig = whole()
    cable = Cable(rig)
    first, second = Queue(rig, "q0"), Queue(rig, "q1")
    secret = Buffer(rig, first.nic, "q0", 1)  # its second window
    secret.write(0, frame(fill=0x5E))
    second.fill(Queue.SEND, 0, secret.bus, 60)
    second.registers[TAIL_AT] = 1
    rig.settle()
    assert cable.frames == []
    assert second.counter("tx_bad") == 1


def test_windows_are_64_for_a_queue_and_none_for_the_privileged_page_or_without_owner() -> None:
    rig = whole()
    nic = nic_of(rig)
    assert nic.open_window("q0", (5,), True) is None
    assert nic.open("q0", 3)
    assert nic.open("", 3)
    assert nic.open_window("", (5,), True) is None
    buses = [nic.open_window("q0", (5,), True) for _ in range(65)]
    assert buses[-1] is None
    assert len(set(buses)) == 65


def test_closed_queue_forgets_rings_windows_and_interrupts() -> None:
    rig = whole()
    cable, queue, neighbour = Cable(rig), receiving(rig), Queue(rig, "q1")
    queue.send(frame(fill=1), frame(fill=2))
    rig.clock.skip_to(rig.clock.now_ns + 600)
    rig.clock.run_due()  # the first is on the wire now
    queue.nic.close("q0")
    neighbour.send(frame(fill=3))
    queue.nic.receive(frame(), True)
    rig.settle()
    assert [octets[-1] for octets in cable.frames] == [1, 3]
    assert queue.interrupts == 0
    assert [queue.registers[at] for at in (0x010, ENTRIES_AT, 0x01C, TAIL_AT, 0x028, 0x02C, 0x038)] == [0] * 7
    assert queue.nic.registers["q0"].windows.opened == ()
    assert queue.counter("rx_no_buffer") == 1


def test_next_owner_finds_nothing_of_the_last_one() -> None:
    """Not even what was written to the page, by a mapping that was still there, after it was closed."""
    rig = whole()
    queue = receiving(rig)
    queue.nic.receive(frame(), True)  # its interrupt is on its way
    queue.nic.close("q0")
    queue.registers[ENTRIES_AT] = ENTRIES
    queue.registers[0x028] = 7
    queue.registers[0x010] = 0x1234
    assert queue.nic.open("q0", 99)
    interrupts: list[int] = []
    queue.nic.registers["q0"].line.attach(lambda: interrupts.append(1))
    rig.settle()
    assert interrupts == []
    assert [queue.registers[at] for at in (ENTRIES_AT, 0x028, 0x02C)] == [0, 0, 0]
    queue.registers[0x014] = 0
    assert queue.registers.wide(0x010) == 0


def test_closing_the_privileged_page_ends_the_steering() -> None:
    rig = whole()
    queue = receiving(rig)
    assert queue.nic.open("", 3)
    queue.nic.close("")
    queue.nic.receive(frame(), True)
    assert drops(rig)["no_steer"] == 1


def test_dma_into_code_is_executed_as_it_now_is() -> None:
    rig = whole()
    queue = receiving(rig, posted=0)
    context = rig.load(guest("li s0, 0x30000\n1: jalr s0\necall\nj 1b"))
    code = guest("li a0, 1\nret").code
    buffer = Buffer(rig, queue.nic, "q0", 1)
    buffer.write(14, code)
    # A frame's header, then its code: the program jumps behind the header.
    context.space.map(0x30, buffer.frames[0], 5)
    program = guest("li s0, 0x3000e\n1: jalr s0\necall\nj 1b")
    context = rig.load(program, context.space)
    queue.fill(Queue.RECEIVE, 0, buffer.bus, 2048)
    queue.registers[0x040] = 1

    def ecall() -> None:
        if len(rig.kernel.traps) == 1:
            queue.nic.receive(frame(14) + guest("li a0, 2\nret").code, True)
        else:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    assert [trap.detail[0] for trap in rig.run(context)] == [1, 2]


# -- a driver that is a user program ------------------------------------------------------

DRIVER: Final = """
    li s0, 0x40000          # registers of the queue pair
    li s1, 0x20000          # ring and buffers: what the window shows
    li t0, 0x40             # both descriptors: buffer at 0x100 of the window
    ld t1, 0(s1)            # the window's bus address, which the kernel left here
    addi t2, t1, 0x100
    sd t2, 0x40(s1)
    li t0, 60
    sw t0, 0x48(s1)
    addi t2, t1, 0x200      # receive buffer
    sd t2, 0xc0(s1)
    li t0, 2048
    sw t0, 0xc8(s1)
    addi t2, t1, 0x40
    sd t2, 0x10(s0)         # 8 octets: the bus makes two of them
    li t0, 8
    sw t0, 0x18(s0)
    addi t2, t1, 0xc0
    sd t2, 0x30(s0)
    sw t0, 0x38(s0)
    li t0, 1
    sw t0, 0x40(s0)         # receive tail
    li t2, -1
    sd t2, 0x100(s1)        # to all stations
    li t2, 0x4d2
    sd t2, 0x120(s1)
    sw t0, 0x20(s0)         # send tail: the doorbell
1:  lw t2, 0x1c(s0)
    beqz t2, 1b             # until it is sent
    ecall
2:  lw t2, 0x3c(s0)
    beqz t2, 2b             # until one is received
    ld a0, 0x210(s1)
    lw a1, 0xc8(s1)
    ecall
"""


@pytest.mark.req("A-F02")
def test_users_map_and_the_window_name_the_same_frames_so_that_nothing_is_copied() -> None:
    rig = whole()
    nic, cable = nic_of(rig), Cable(rig)
    steer(rig, 0, 0, 1)
    context = rig.load(guest(DRIVER))
    assert nic.open("q1", 5)
    shared = rig.frame_at(context.space, DATA)
    bus = nic.open_window("q1", (shared,), True)
    assert bus is not None
    (window,) = nic.registers["q1"].windows.opened
    assert (window.address, window.frames) == (bus, (context.space.readable[DATA // PAGE_SIZE] // PAGE_SIZE,))
    struct.pack_into("<Q", rig.memory.data, shared * PAGE_SIZE, bus)
    context.space.map_device(0x40, nic.bus_page("q1"), RW)

    def ecall() -> None:
        if len(rig.kernel.traps) == 1:
            rig.clock.call_at(rig.clock.now_ns + 5000, lambda: nic.receive(frame(80, fill=0x77), True))
        else:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    sent, received = rig.run(context)
    # What the guest stored is what left, and what arrived is what it loads; the kernel
    # was asked for neither: all its traps are the guest's two marks.
    (octets,) = cable.frames
    assert octets[:8] == b"\xff" * 8
    assert octets[0x20:0x28] == struct.pack("<Q", 0x4D2)
    assert received.detail[:2] == (0x7777_7777_7777_7777, 80)
    assert received.time_ns - sent.time_ns > 5000


def test_same_run_twice_sends_the_same_frames_at_the_same_times() -> None:
    def times() -> list[int]:
        rig = whole()
        cable = Cable(rig)
        queues = [Queue(rig, f"q{n}") for n in range(4)]
        for number in range(20):
            queues[number % 4].send(frame(60 + 70 * number, fill=number))
            if number % 5 == 0:
                rig.settle(3000)
        rig.settle()
        return cable.times

    assert times() == times()
