"""Windows and rings: all that a device can reach of memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.api import PAGE_SIZE
from machemu.hw.dma import INSIDE, WINDOW_SHIFT, DmaError, Physical, Window, Windows
from machemu.hw.memory import RAM_BASE, Memory
from machemu.hw.ring import COUNTER, Ring, RingError
from tests.hw.examples import examples

FRAMES = 16
LIMIT = 3


def windows() -> tuple[Memory, Windows]:
    memory = Memory(FRAMES * PAGE_SIZE)
    for frame in range(FRAMES):
        memory.data[frame * PAGE_SIZE:(frame + 1) * PAGE_SIZE] = bytes([frame]) * PAGE_SIZE
    return memory, Windows(memory, LIMIT)


def test_window_shows_its_frames_in_the_order_given() -> None:
    memory, unit = windows()
    bus = unit.open((9, 3, 5), True)
    assert bus is not None
    assert unit.opened == (Window(bus, (9, 3, 5), True),)
    assert unit.read(bus + PAGE_SIZE - 2, 4) == bytes([9, 9, 3, 3])
    unit.write(bus + 2 * PAGE_SIZE - 1, b"ab")
    assert memory.data[4 * PAGE_SIZE - 1] == ord("a")
    assert memory.data[5 * PAGE_SIZE] == ord("b")


@pytest.mark.parametrize(("shift", "octets"), [
    (-1, 1), (-1, 2), (2 * PAGE_SIZE, 1), (2 * PAGE_SIZE - 1, 2), (0, 2 * PAGE_SIZE + 1), (1 << WINDOW_SHIFT, 1),
    (-(1 << WINDOW_SHIFT), 1), (INSIDE, 1), (2**63, 1), (0, 2**32), (0, -1),
])
def test_nothing_outside_a_window_is_reached(shift: int, octets: int) -> None:
    memory, unit = windows()
    bus = unit.open((2, 4), True)
    assert bus is not None
    before = bytes(memory.data)
    with pytest.raises(DmaError):
        unit.read(bus + shift, octets)
    with pytest.raises(DmaError):
        unit.check_range(bus + shift, octets, write=True)
    if 0 < octets < 2**20:
        with pytest.raises(DmaError):
            unit.write(bus + shift, bytes(octets))
    assert before == memory.data


def test_write_that_leaves_its_window_writes_nothing_at_all() -> None:
    memory, unit = windows()
    bus = unit.open((2, 4), True)
    assert bus is not None
    with pytest.raises(DmaError):
        unit.write(bus + 2 * PAGE_SIZE - 2, b"four")
    assert bytes(memory.data[4 * PAGE_SIZE:5 * PAGE_SIZE]) == bytes([4]) * PAGE_SIZE


def test_read_only_window_is_only_read() -> None:
    _, unit = windows()
    bus = unit.open((2,), False)
    assert bus is not None
    assert unit.read(bus, 1) == b"\x02"
    with pytest.raises(DmaError, match="read only"):
        unit.write(bus, b"x")


def test_windows_are_limited_and_gone_when_closed() -> None:
    _, unit = windows()
    assert unit.open((), True) is None
    buses = [unit.open((1,), True) for _ in range(LIMIT + 1)]
    assert buses[LIMIT] is None
    unit.check()
    unit.close_all()
    with pytest.raises(DmaError):
        unit.read(buses[0] or 0, 1)
    assert unit.open((1,), True) == buses[0]


def test_check_notices_a_frame_that_is_not_ram() -> None:
    _, unit = windows()
    unit.open((FRAMES,), True)
    with pytest.raises(AssertionError):
        unit.check()


@examples(100)
@given(st.lists(st.tuples(st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=4), st.booleans()), max_size=LIMIT),
       st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 5 * PAGE_SIZE), st.integers(0, 3 * PAGE_SIZE)),
                max_size=8))
def test_windows_are_the_frames_they_name_and_no_more(
    opened: list[tuple[list[int], bool]], writes: list[tuple[int, int, int]]
) -> None:
    memory, unit = windows()
    expected = bytearray(memory.data)
    buses = [unit.open(tuple(frames), writable) for frames, writable in opened]
    for number, start, octets in writes:
        bus = buses[number] if number < len(buses) else 7 << WINDOW_SHIFT
        assert bus is not None
        inside = number < len(buses) and start >= 0 and start + octets <= len(opened[number][0]) * PAGE_SIZE
        allowed = not octets or (inside and opened[number][1])
        if allowed:
            unit.write(bus + start, b"\xdd" * octets)
            for offset in range(start, start + octets):
                expected[opened[number][0][offset // PAGE_SIZE] * PAGE_SIZE + offset % PAGE_SIZE] = 0xDD
        else:
            with pytest.raises(DmaError):
                unit.write(bus + start, b"\xdd" * octets)
    assert expected == memory.data
    unit.check()


@pytest.mark.parametrize(("address", "octets"), [
    (RAM_BASE - 1, 1), (RAM_BASE + FRAMES * PAGE_SIZE, 1), (RAM_BASE + FRAMES * PAGE_SIZE - 1, 2), (0, 1), (2**64, 1),
])
def test_kernels_own_devices_reach_ram_and_nothing_else(address: int, octets: int) -> None:
    memory = Memory(FRAMES * PAGE_SIZE)
    reach = Physical(memory)
    reach.write(RAM_BASE + FRAMES * PAGE_SIZE - 1, b"x")
    assert reach.read(RAM_BASE + FRAMES * PAGE_SIZE - 2, 2) == b"\0x"
    with pytest.raises(DmaError):
        reach.read(address, octets)
    with pytest.raises(DmaError):
        reach.write(address, bytes(octets))


def test_dma_makes_the_machine_forget_code_it_overwrites_and_no_other() -> None:
    memory, unit = windows()
    forgotten: list[int] = []
    memory.on_invalidate(lambda address, octets: forgotten.append((address - RAM_BASE) // PAGE_SIZE))
    memory.held_code[2] = memory.held_code[7] = 1
    bus = unit.open((1, 2, 3), True)
    assert bus is not None
    unit.write(bus + PAGE_SIZE - 4, bytes(8))
    unit.write(bus + 2 * PAGE_SIZE, bytes(8))
    assert forgotten == [2]
    assert memory.held_code[2] == 1  # it is mapped as before


# -- rings --------------------------------------------------------------------------------


def ring(entries: int = 8) -> Ring:
    _, unit = windows()
    ring = Ring(unit, 16)
    ring.set_base(unit.open((5,), True) or 0)
    ring.set_entries(entries)
    return ring


@pytest.mark.parametrize("entries", [1, 2, 4, 7, 9, 257, 512, 2**31, COUNTER])
def test_number_of_entries_is_a_power_of_two_from_8_to_256(entries: int) -> None:
    with pytest.raises(RingError):
        ring(entries)


def test_setting_the_entries_empties_the_ring_and_0_switches_it_off() -> None:
    one = ring()
    one.set_tail(3)
    one.set_entries(16)
    assert (one.head, one.tail, one.waiting) == (0, 0, 0)
    one.set_entries(0)
    with pytest.raises(RingError):
        one.set_tail(0)


def test_driver_is_never_more_than_a_ring_ahead() -> None:
    one = ring()
    one.set_tail(8)
    with pytest.raises(RingError):
        one.set_tail(9)
    one.skip()
    one.set_tail(9)
    one.check()


def test_counters_go_round_at_32_bits() -> None:
    one = ring()
    one.head = one.tail = COUNTER - 1
    one.set_tail(3)
    assert one.waiting == 5
    for expected in (COUNTER, 0, 1, 2, 3):
        one.finish(0, b"x")
        assert one.head == expected
    one.check()
    with pytest.raises(RingError):
        one.set_tail(COUNTER)


def test_driver_may_take_back_what_the_device_has_not_looked_at() -> None:
    one = ring()
    one.set_tail(5)
    one.skip()
    one.set_tail(1)
    assert one.waiting == 0
    with pytest.raises(RingError):  # but not what it has
        one.set_tail(0)


def test_entries_lie_one_behind_the_other() -> None:
    memory, unit = windows()
    one = Ring(unit, 32)
    one.set_base((unit.open((5,), True) or 0) + 64)
    one.set_entries(8)
    one.set_tail(8)
    for number in range(8):
        at = 5 * PAGE_SIZE + 64 + 32 * number
        memory.data[at:at + 32] = bytes([number]) * 32
        assert one.first() == bytes([number]) * 32
        one.finish(4, b"done")
        assert bytes(memory.data[at:at + 8]) == bytes([number]) * 4 + b"done"
