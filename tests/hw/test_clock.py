"""Virtual time and its events, without an emulator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.clock import CANCELLED_KEPT, Clock, units
from machemu.hw.interrupt import InterruptLine
from machemu.hw.ticks import NEVER
from tests.hw.examples import examples


class HandTicks:
    """Time that passes when the test says so."""

    kind = "hand"

    def __init__(self) -> None:
        self.units = 0
        self.limit = NEVER

    def now(self) -> int:
        return self.units

    def add(self, units: int) -> None:
        self.units += units

    def executed(self, octets: int) -> None: ...
    def end_at(self, units: int) -> None: ...
    def end_sooner(self, units: int) -> None:
        self.limit = min(self.limit, units)

    ended = False

    def trapped(self, unretired: int, entered: bool, retired: bool) -> None: ...
    def run(self, engine: object) -> int:
        return 0


def clock(per_ns: int = 2) -> tuple[Clock, HandTicks]:
    ticks = HandTicks()
    return Clock(ticks, per_ns), ticks


@pytest.mark.parametrize(("rate", "expected"), [(400, (2, 5)), (1000, (1, 1)), (1, (1, 1000)), (7, (7, 1000))])
def test_nanosecond_and_octet_are_whole_numbers_of_units(rate: int, expected: tuple[int, int]) -> None:
    per_ns, per_octet = units(rate)
    assert (per_ns, per_octet) == expected
    assert per_ns * 1000 == per_octet * rate  # of code, as many octets as a microsecond holds


def test_calls_are_made_in_order_of_time_then_of_asking() -> None:
    time, _ = clock()
    made: list[str] = []
    for at, name in ((20, "c"), (10, "a"), (20, "d"), (10, "b"), (30, "later")):
        time.call_at(at, lambda name=name: made.append(name))  # type: ignore[misc]
    time.skip_to(20)
    time.run_due()
    assert made == ["a", "b", "c", "d"]
    assert time.next_event_ns == 30


def test_call_asked_for_by_a_call_is_made_if_it_is_due() -> None:
    time, _ = clock()
    made: list[str] = []

    def first() -> None:
        made.append("first")
        time.call_at(5, lambda: made.append("second"))  # in the past by now
        time.call_at(11, lambda: made.append("third"))

    time.call_at(10, first)
    time.skip_to(10)
    time.run_due()
    assert made == ["first", "second"]


def test_cancelled_call_is_not_made_and_is_no_event() -> None:
    time, _ = clock()
    made: list[int] = []
    handle = time.call_at(10, lambda: made.append(1))
    handle.cancel()
    handle.cancel()
    assert time.next_event_ns is None
    time.skip_to(10)
    time.run_due()
    assert made == []
    time.check()


def test_call_may_cancel_itself_and_the_next() -> None:
    time, _ = clock()
    made: list[str] = []

    def first() -> None:
        made.append("first")
        one.cancel()
        two.cancel()

    one = time.call_at(10, first)
    two = time.call_at(10, lambda: made.append("second"))
    time.skip_to(10)
    time.run_due()
    time.check()
    assert made == ["first"]


def test_asking_for_a_call_ends_the_run_in_time() -> None:
    time, ticks = clock()
    time.call_at(1000, lambda: None)
    assert ticks.limit == 2000
    time.call_at(2000, lambda: None)
    assert ticks.limit == 2000


def test_time_that_the_clock_never_reaches_does_not_come() -> None:
    time, ticks = clock()
    handle = time.call_at(2**64 - 1, lambda: pytest.fail("called"))
    assert time.next_event_ns is None
    assert ticks.limit == NEVER
    handle.cancel()
    time.check()


def test_cancelled_timeouts_do_not_pile_up() -> None:
    time, _ = clock()
    last = time.call_at(10**12, lambda: None)
    for _ in range(10_000):
        time.call_at(10**12, lambda: None).cancel()
    time.check()
    assert len(time._queue) <= 2 * CANCELLED_KEPT
    last.cancel()
    assert time.next_event_ns is None


def test_charged_work_passes_and_skipping_never_goes_back() -> None:
    time, _ = clock()
    time.charge(100)
    time.skip_to(50)
    assert time.now_ns == 100
    time.skip_to(250)
    assert time.now_ns == 250


@examples(100)
@given(st.lists(st.tuples(st.sampled_from(["ask", "cancel", "pass"]), st.integers(0, 50)), max_size=60))
def test_every_call_is_made_once_at_its_time_unless_cancelled(steps: list[tuple[str, int]]) -> None:
    time, _ = clock()
    made: dict[int, int] = {}
    asked: list[tuple[int, object]] = []
    cancelled: set[int] = set()
    for what, number in steps:
        if what == "ask":
            index, due = len(asked), time.now_ns + number
            asked.append((due, time.call_at(due, lambda index=index: made.__setitem__(index, time.now_ns))))  # type: ignore[misc]
        elif what == "cancel" and asked:
            index = number % len(asked)
            asked[index][1].cancel()  # type: ignore[attr-defined]
            if index not in made:
                cancelled.add(index)
        else:
            time.skip_to(time.now_ns + number)
            time.run_due()
        time.check()
    for index, (due, _) in enumerate(asked):
        assert (index in made) == (due <= time.now_ns and index not in cancelled) or due == time.now_ns


# -- interrupt lines --------------------------------------------------------------------


def line() -> tuple[InterruptLine, Clock, list[int]]:
    time, _ = clock()
    return InterruptLine(3, time), time, []


def test_interrupt_is_handled_as_an_event_not_at_once() -> None:
    wire, time, seen = line()
    wire.attach(lambda: seen.append(time.now_ns))
    time.skip_to(7)
    wire.raise_()
    assert seen == []
    time.run_due()
    assert seen == [7]


def test_edges_before_the_handler_ran_are_one() -> None:
    wire, time, seen = line()
    wire.attach(lambda: seen.append(1))
    for _ in range(3):
        wire.raise_()
    time.run_due()
    assert (seen, wire.edges) == ([1], 3)
    wire.raise_()
    time.run_due()
    assert seen == [1, 1]


def test_edge_waits_for_someone_to_attach() -> None:
    wire, time, seen = line()
    wire.raise_()
    time.run_due()
    wire.attach(lambda: seen.append(1))
    time.run_due()
    assert seen == [1]
    wire.check()


def test_edge_on_its_way_when_the_line_is_reset_reaches_nobody() -> None:
    wire, time, seen = line()
    wire.attach(lambda: seen.append("old owner"))
    wire.raise_()
    wire.reset()
    wire.attach(lambda: seen.append("new owner"))
    time.run_due()
    assert seen == []
    wire.raise_()
    time.run_due()
    assert seen == ["new owner"]
