"""Which thread runs: the strongest that can, round robin among equals, direct hand-off.

A thread that blocks in a receive right after it woke another hands the processor, and the
rest of its quantum, to that other: a local RPC never visits the run queue.

Priorities and policies: mach-abi.md 9.6.  Follows Mach 3 `kern/sched_prim.c` and
`kern/priority.c`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from machemu.kernel.events import ContextSwitch
from machemu.kernel.task.load import Load
from machemu.kernel.task.run_queue import RunQueue

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
        self.quantum_ns = quantum_ns
        self._queue = RunQueue()
        self._woken: Thread | None = None  # the last thread made ready, not yet in the queue
        self._rests: deque[Rest] = deque()  # of traps, to be done before any thread runs
        self._tired: dict[Thread, None] = {}  # that used the processor much of late
        self._since = 0  # units of the clock when the current thread, or nobody, began to run
        self._idle_units = 0
        self._load = Load()
        self.unsettled = False  # `settle` has something to do
        self.current: Thread | None = None
        self.quantum_end_ns = 0
        self.switches = 0

    # -- threads come and go ------------------------------------------------------------

    def ready(self, thread: Thread) -> None:
        """`thread` can run: it waits for its turn, or for the end of this trap if it is
        stronger than who made it ready."""
        current = self.current
        if current is None:
            self._run(thread)
            return
        if self._woken is not None:
            self._queue.add(self._woken)
        self._woken = thread
        if thread.priority < current.priority:
            self.unsettled = True

    def later(self, rest: Rest) -> None:
        """Do `rest` at the end of this entry into the kernel."""
        self._rests.append(rest)
        self.unsettled = True

    def settle(self) -> None:
        """Do what traps of other threads have left to do, and let a stronger thread run: the
        last act of each entry into the kernel."""
        while self._rests:
            self._rests.popleft().run()
        self.unsettled = False
        current = self.current
        if current is not None:
            self._queue_woken()
            if self._queue.strongest < current.priority:
                self._queue.add_first(current)
                self._run(self._queue.take())

    def remove(self, thread: Thread) -> None:
        """`thread` cannot run any more, wherever it is."""
        if thread is self.current:
            self.block()
        elif thread is self._woken:
            self._woken = None
        else:
            self._queue.remove(thread)

    def block(self) -> None:
        """The current thread waits: hand over to the one it woke, or take turns."""
        woken = self._woken
        if woken is None:
            if self._queue.used:
                self._run(self._queue.take())
            else:
                self._idle()
        elif not self._queue.used or woken.priority <= self._queue.strongest:
            self._woken = None
            self._switch_to(woken)
        else:
            self._queue_woken()
            self._run(self._queue.take())

    def prefer(self, thread: Thread) -> None:
        """When the current thread blocks, `thread` is next among its equals, if it can run."""
        if self._queue.remove(thread):
            self._queue_woken()
            self._woken = thread

    def yield_to(self, hint: Thread | None = None) -> bool:
        """The current thread lets `hint` run, or its equals; True if anybody else can run."""
        if not self.others_ready:
            return False
        current = self.current
        assert current is not None
        self._queue_woken()
        handed = hint is not None and self._queue.remove(hint)
        self._queue.add(current)
        self._run(hint if hint is not None and handed else self._queue.take())
        return True

    def _queue_woken(self) -> None:
        if self._woken is not None:
            woken, self._woken = self._woken, None
            self._queue.add(woken)

    @property
    def others_ready(self) -> bool:
        return self._woken is not None or bool(self._queue.used)

    # -- priorities -----------------------------------------------------------------------

    def set_priority(self, thread: Thread, priority: int) -> None:
        """What `thread` is scheduled by from now on."""
        if thread.priority == priority:
            return
        queued = self._queue.remove(thread)
        thread.priority = priority
        if queued:
            self._queue.add(thread)
        self.unsettled = True

    def quantum_expired(self) -> None:
        """Called outside the engine at `quantum_end_ns` or later."""
        current = self.current
        if current is None:
            return
        now = self._clock.now_ns
        for thread in list(self._tired):
            if not thread.recover(now):
                del self._tired[thread]
        if current.tire(now):
            self._tired[current] = None
        self.current_load()
        if not self.yield_to():
            self.quantum_end_ns = now + current.quantum_ns

    def forget(self, thread: Thread) -> None:
        """It has ended."""
        self._tired.pop(thread, None)

    # -- the processor ----------------------------------------------------------------------

    def _run(self, thread: Thread) -> None:
        """Give `thread` the processor, and a quantum."""
        self.quantum_end_ns = self._clock.now_ns + thread.quantum_ns
        if thread.depressed:
            thread.end_depression()
        if thread is not self.current:
            self._switch_to(thread)

    def _switch_to(self, thread: Thread) -> None:
        self._end_turn()
        self.current = thread
        self.switches += 1
        self._cpu.switch_to(thread.context)
        if self._events.context_switch:
            self._events.context_switch.emit(ContextSwitch(thread.number, thread.task.number))

    def _idle(self) -> None:
        self._end_turn()
        self.current = None
        self._cpu.switch_to(None)
        if self._events.context_switch:
            self._events.context_switch.emit(ContextSwitch(0, 0))

    def _end_turn(self) -> None:
        now, current = self._clock.units(), self.current
        if current is not None:
            current.cpu_units += now - self._since
            current.stopped_units = now
        else:
            self._idle_units += now - self._since
        self._since = now

    def current_load(self) -> Load:
        """The load averages, brought up to date."""
        now = self._clock.units()
        idle = self._idle_units + (now - self._since if self.current is None else 0)
        self._load.update(self._clock.now_ns, self._clock.ns_of(now - idle),
                          len(self._queue) + (self._woken is not None))
        return self._load

    def cpu_ns(self, thread: Thread) -> int:
        """How long `thread` has run, its present turn included."""
        units = thread.cpu_units
        if thread is self.current:
            units += self._clock.units() - self._since
        return self._clock.ns_of(units)

    def check(self) -> None:
        assert not self._rests
        self._queue.check()
        ready = [*self._queue, *([self._woken] if self._woken is not None else [])]
        assert self.current is None or self.current not in ready
        assert self.current is not None or not ready
        for thread in ready:
            assert thread.runnable, thread
