"""Which thread runs: preemptive round robin with direct hand-off.

A thread that blocks in a receive right after it woke another hands the processor, and
the rest of its quantum, to that other: a local RPC never visits the run queue.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from machemu.kernel.events import ContextSwitch

if TYPE_CHECKING:
    from machemu.hw.api import Clock, Cpu
    from machemu.kernel.events import KernelEvents
    from machemu.kernel.task.thread import Rest, Thread


@final
class Scheduler:
    """The run queue of a node's processor.

    Invariants, asserted by `check`:
      - the current thread is not in the run queue;
      - every queued thread is runnable: not waiting, not suspended, not ended;
      - no trap has anything left to do.
    """

    def __init__(self, cpu: Cpu, clock: Clock, events: KernelEvents, quantum_ns: int) -> None:
        self._cpu = cpu
        self._clock = clock
        self._events = events
        self._quantum_ns = quantum_ns
        self._ready: deque[Thread] = deque()
        self._woken: Thread | None = None  # the last thread made ready, if it is still the last
        self.continuations: deque[Rest] = deque()  # rests of traps, to be done before any thread runs
        self.current: Thread | None = None
        self.quantum_end_ns = 0
        self.switches = 0

    def ready(self, thread: Thread) -> None:
        """`thread` can run: it waits for its turn."""
        if self.current is None:
            self._run(thread)
        else:
            self._ready.append(thread)
            self._woken = thread

    def settle(self) -> None:
        """Do what traps of other threads have left to do: the last act of each entry into
        the kernel."""
        while self.continuations:
            self.continuations.popleft().run()

    def remove(self, thread: Thread) -> None:
        """`thread` cannot run any more, wherever it is."""
        if thread is self.current:
            self.block()
        elif thread in self._ready:
            self._ready.remove(thread)

    def block(self) -> None:
        """The current thread waits: hand over to the one it woke, or take turns."""
        ready, woken = self._ready, self._woken
        self._woken = None
        if not ready:
            self._idle()
        elif ready[-1] is woken:
            self._switch_to(ready.pop())
        else:
            self._run(ready.popleft())

    def prefer(self, thread: Thread) -> None:
        """When the current thread blocks, `thread` is next, if it can run."""
        if thread in self._ready:
            self._ready.remove(thread)
            self._ready.append(thread)
            self._woken = thread

    def yield_to(self, hint: Thread | None = None) -> bool:
        """The current thread lets others run first; True if there were any."""
        if not self._ready:
            return False
        current = self.current
        assert current is not None
        if hint is not None and hint in self._ready:
            self._ready.remove(hint)
            self._ready.appendleft(hint)
        self._ready.append(current)
        self._woken = None
        self._run(self._ready.popleft())
        return True

    @property
    def others_ready(self) -> bool:
        return bool(self._ready)

    def quantum_expired(self) -> None:
        """Called outside the engine at `quantum_end_ns` or later."""
        if self.current is not None and not self.yield_to():
            self.quantum_end_ns = self._clock.now_ns + self._quantum_ns

    def _run(self, thread: Thread) -> None:
        """Give `thread` the processor, and a quantum."""
        self.quantum_end_ns = self._clock.now_ns + self._quantum_ns
        self._switch_to(thread)

    def _switch_to(self, thread: Thread) -> None:
        self.current = thread
        self.switches += 1
        self._cpu.switch_to(thread.context)
        if self._events.context_switch:
            self._events.context_switch.emit(ContextSwitch(thread.number, thread.task.number))

    def _idle(self) -> None:
        self.current = None
        self._cpu.switch_to(None)
        if self._events.context_switch:
            self._events.context_switch.emit(ContextSwitch(0, 0))

    def check(self) -> None:
        assert not self.continuations
        assert self.current is None or self.current not in self._ready
        for thread in self._ready:
            assert thread.runnable, thread
