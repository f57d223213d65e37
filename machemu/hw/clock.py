"""Virtual time of one node, and what is due when."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Final, final

from machemu.hw.ticks import Ticks

NS_PER_US: Final = 1000


def units(code_bytes_per_us: int) -> tuple[int, int]:
    """The cost of a nanosecond and of an octet of code, in the largest common unit."""
    common = math.gcd(code_bytes_per_us, NS_PER_US)
    return code_bytes_per_us // common, NS_PER_US // common


@final
class TimerHandle:
    """A call asked for, until it is made or cancelled."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    @property
    def cancelled(self) -> bool:
        return self._call is None

    def fire(self) -> None:
        """Make the call, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


@final
class Clock:
    """A node's clock, from 0 at power-on.

    Invariants, asserted by `check`:
      - time never goes back;
      - no call is queued for a time before the one it was asked at.

    Args:
        per_ns: units of `ticks` to the nanosecond.
    """

    def __init__(self, ticks: Ticks, per_ns: int) -> None:
        self._ticks = ticks
        self._per_ns: Final = per_ns
        self._queue: list[tuple[int, int, TimerHandle]] = []  # (ns, order asked in, call)
        self._asked = 0
        self._latest = 0  # ns, as last seen by `check`

    @property
    def now_ns(self) -> int:
        return self._ticks.now() // self._per_ns

    @property
    def name(self) -> str:
        """What it counts: "bytes", or "instructions" without the native helper."""
        return self._ticks.name

    def charge(self, ns: int) -> None:
        self._ticks.add(ns * self._per_ns)

    def call_at(self, time_ns: int, call: Callable[[], None]) -> TimerHandle:
        """May be used anywhere, device callbacks included: the guest stops in time."""
        handle = TimerHandle(call)
        self._asked += 1
        heapq.heappush(self._queue, (max(time_ns, self.now_ns), self._asked, handle))
        self._ticks.end_sooner(time_ns * self._per_ns)
        return handle

    @property
    def next_event_ns(self) -> int | None:
        queue = self._queue
        while queue and queue[0][2].cancelled:
            heapq.heappop(queue)
        return queue[0][0] if queue else None

    def run_due(self) -> None:
        """Make every call that is due, those they ask for included.  Outside the engine only."""
        queue = self._queue
        while queue and (queue[0][0] <= self.now_ns or queue[0][2].cancelled):
            heapq.heappop(queue)[2].fire()

    def skip_to(self, time_ns: int) -> None:
        """Let the time until `time_ns` pass with nothing executed."""
        missing = time_ns * self._per_ns - self._ticks.now()
        if missing > 0:
            self._ticks.add(missing)

    def check(self) -> None:
        now = self.now_ns
        assert now >= self._latest
        self._latest = now
        assert all(entry >= child for index, child in enumerate(self._queue)
                   for entry in self._queue[2 * index + 1:2 * index + 3])
