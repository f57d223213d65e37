"""Interrupt lines: how a device makes the kernel look."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from machemu.hw.clock import Clock


@final
class InterruptLine:
    """One edge-triggered line.

    An edge becomes a clock event at the present time, so that its handler runs outside
    the engine and at the same virtual time in every run.  Edges before the handler has
    run are one edge; one that nobody is attached for waits.

    Invariants, asserted by `check`:
      - an edge that somebody is attached for is on its way.
    """

    def __init__(self, number: int, clock: Clock) -> None:
        self.number = number
        self._clock = clock
        self._handler: Callable[[], None] | None = None
        self._pending = False  # an edge not yet handled
        self._queued = False  # `_deliver` is due
        self.edges = 0

    def attach(self, handler: Callable[[], None] | None) -> None:
        self._handler = handler
        self._queue()

    def reset(self) -> None:
        """Nobody is attached, and no edge waits."""
        self._handler = None
        self._pending = False

    def raise_(self) -> None:
        """An edge.  May be used in a device's register callbacks."""
        self.edges += 1
        self._pending = True
        self._queue()

    def _queue(self) -> None:
        if self._pending and not self._queued and self._handler is not None:
            self._queued = True
            self._clock.call_at(self._clock.now_ns, self._deliver)

    def _deliver(self) -> None:
        self._queued = False
        if self._pending and self._handler is not None:
            self._pending = False
            self._handler()

    def check(self) -> None:
        assert self._queued or not self._pending or self._handler is None
