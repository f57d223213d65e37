"""Virtual time of one node, and what is due when."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Final, final

from machemu.hw.ticks import NEVER, Ticks

NS_PER_US: Final = 1000
CANCELLED_KEPT: Final = 64  # cancelled calls that may stay queued whatever their share


def units(code_bytes_per_us: int) -> tuple[int, int]:
    """The cost of a nanosecond and of an octet of code, in the largest common unit."""
    common = math.gcd(code_bytes_per_us, NS_PER_US)
    return code_bytes_per_us // common, NS_PER_US // common


@final
class TimerHandle:
    """A call asked for, until it is made or cancelled.

    Args:
        when_cancelled: told once, if it is.
    """

    __slots__ = ("_call", "_when_cancelled")

    def __init__(self, call: Callable[[], None], when_cancelled: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call
        self._when_cancelled = when_cancelled

    def cancel(self) -> None:
        if self._call is not None:
            self._call = None
            self._when_cancelled()

    @property
    def over(self) -> bool:
        """Nothing is left to be called."""
        return self._call is None

    def fire(self) -> None:
        """Make the call, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


@final
class Clock:
    """A node's clock, from 0 at power-on.

    While a block of code runs, which is while its device accesses are made, the clock is
    at the block's end: a block is paid for when it is entered, and a trap that ends it
    early gives the rest back before anyone sees the time.

    Invariants, asserted by `check`:
      - time never goes back;
      - what is due first is at the head of the queue;
      - the cancelled calls in the queue are counted.

    Args:
        per_ns: units of `ticks` to the nanosecond.
    """

    def __init__(self, ticks: Ticks, per_ns: int) -> None:
        self._ticks = ticks
        self._per_ns: Final = per_ns
        self.units: Final = ticks.now
        self._queue: list[tuple[int, int, TimerHandle]] = []  # (ns, order asked in, call)
        self._asked = 0
        self._cancelled = 0  # calls in the queue that nobody wants any more
        self._latest = 0  # ns, as last seen by `check`

    @property
    def now_ns(self) -> int:
        return self._ticks.now() // self._per_ns

    @property
    def kind(self) -> str:
        """What it counts: "bytes", or "instructions" without the native helper."""
        return self._ticks.kind

    def ns_of(self, units: int) -> int:
        return units // self._per_ns

    def charge(self, ns: int) -> None:
        self._ticks.add(ns * self._per_ns)

    def call_at(self, time_ns: int, call: Callable[[], None]) -> TimerHandle:
        """May be used anywhere, device callbacks included: the guest stops in time.

        A time that the clock can never reach (NEVER) does not come.
        """
        if time_ns * self._per_ns >= NEVER:
            return TimerHandle(call, lambda: None)
        handle = TimerHandle(call, self._forget_one)
        self._asked += 1
        heapq.heappush(self._queue, (max(time_ns, self.now_ns), self._asked, handle))
        self._ticks.end_sooner(time_ns * self._per_ns)
        return handle

    def _forget_one(self) -> None:
        """A call was cancelled.  Most timeouts are, long before their time."""
        self._cancelled += 1
        if self._cancelled > CANCELLED_KEPT and 2 * self._cancelled > len(self._queue):
            self._queue[:] = [entry for entry in self._queue if not entry[2].over]
            heapq.heapify(self._queue)
            self._cancelled = 0

    def _take_first(self) -> TimerHandle:
        handle = heapq.heappop(self._queue)[2]
        self._cancelled -= handle.over
        return handle

    @property
    def next_event_ns(self) -> int | None:
        queue = self._queue
        while queue and queue[0][2].over:
            self._take_first()
        return queue[0][0] if queue else None

    def run_due(self) -> None:
        """Make every call that is due, those they ask for included.  Outside the engine only."""
        queue = self._queue
        while queue and (queue[0][0] <= self.now_ns or queue[0][2].over):
            self._take_first().fire()

    def skip_to(self, time_ns: int) -> None:
        """Let the time until `time_ns` pass with nothing executed."""
        missing = time_ns * self._per_ns - self._ticks.now()
        if missing > 0:
            self._ticks.add(missing)

    def check(self) -> None:
        now = self.now_ns
        assert now >= self._latest
        self._latest = now
        assert all(entry <= child for index, entry in enumerate(self._queue)
                   for child in self._queue[2 * index + 1:2 * index + 3])
        assert self._cancelled == sum(handle.over for *_, handle in self._queue)
