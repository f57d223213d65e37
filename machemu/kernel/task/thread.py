"""Threads: a context, and what it waits for.  Follows Mach 3 `kern/thread.c`.

There are no kernel stacks.  A thread that has to wait leaves a `Wait` behind, which
knows how to finish the trap when its time comes.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, Protocol, final

from machemu.kernel.ipc.port import Port
from machemu.kernel.results import KernReturn
from machemu.kernel.task.run_queue import WEAKEST

if TYPE_CHECKING:
    from machemu.hw.api import Clock, Context, Cpu, TimerHandle
    from machemu.kernel.task.scheduler import Scheduler
    from machemu.kernel.task.task import Task


NS_PER_SECOND: Final = 1_000_000_000
FADED: Final = 64  # seconds after which no usage is left
PER_SECOND: Final = 8  # priorities that a second of the processor costs


class Policy(enum.IntEnum):
    """`POLICY_`: how a thread shares the processor; their numbers are bits of a set's mask."""

    TIMESHARE = 1
    FIXEDPRI = 2


class Wait(Protocol):
    """Why a thread waits."""

    def abandon(self) -> None:
        """The thread ends: forget it, leaving queues and timers as if it had never waited."""

    def interrupt(self) -> None:
        """`thread_abort`: finish the wait with its interrupted result, if it has one."""


class Rest(Wait, Protocol):
    """What is left of a wait when what it waited for has come."""

    def run(self) -> None:
        """Do it, unless the thread has been aborted or ended meanwhile."""


@final
class Thread:
    """One thread.

    It runs when it neither waits nor is suspended, itself or by its task.

    Invariants, asserted by `check`:
      - it is the scheduler's or waits or is suspended or has ended.
    """

    def __init__(self, task: Task, number: int, context: Context, cpu: Cpu, scheduler: Scheduler) -> None:
        self.task = task
        self.number = number
        self.context = context
        self._cpu = cpu
        self._scheduler = scheduler
        self.alive = True
        self.suspend_count = 0
        self.wait: Wait | None = None
        self.calls: dict[Wait, None] = {}  # of its own, which the kernel answers late
        self.started = False  # has been resumed once
        self.self_port = Port(task.zone, self)
        self.kernel_port: Port | None = self.self_port  # what mach_thread_self gives
        self.exception_port: Port | None = None  # holds one of its send rights
        self.name = ""
        self.created_ns = 0  # host time
        self.cpu_units = 0  # of the clock, up to the turn it may be having
        self.stopped_units = 0  # when its last turn ended
        self.policy = Policy.TIMESHARE
        self.quantum_ns = scheduler.quantum_ns
        self.max_priority = task.processor_set.max_priority
        self.base_priority = max(task.priority, self.max_priority)
        self.priority = self.base_priority  # that it is scheduled by: smaller is stronger
        self.depressed = False
        self._depression: TimerHandle | None = None  # its end in time, if it has one
        self._usage_ns = 0  # of the processor, in whole quanta and fading
        self._usage_at_ns = 0  # when it last faded
        self.failed_memory: object = None  # `key` of the memory it has just waited for in vain

    @property
    def runnable(self) -> bool:
        return (self.alive and self.started and self.wait is None
                and self.suspend_count == 0 and self.task.suspend_count == 0)

    def set_result(self, value: int) -> None:
        """Store a trap's result where the thread finds it when it goes on."""
        arguments = self._cpu.arguments if self._scheduler.current is self else self.context.arguments
        arguments[0] = _in_register(value)

    def block(self, wait: Wait) -> None:
        """The thread, in a trap, waits from now on."""
        self.wait = wait
        if self._scheduler.current is self:
            self._scheduler.block()

    def go_on(self, result: int) -> None:
        """What it waited for has come: finish its trap with `result`."""
        self.wait = None
        self.context.arguments[0] = _in_register(result) if result else 0
        if self.suspend_count == 0 and self.task.suspend_count == 0:
            self._scheduler.ready(self)

    def go_on_unchanged(self) -> None:
        """What it waited for has come, and its registers are what they shall be."""
        self.wait = None
        if self.suspend_count == 0 and self.task.suspend_count == 0:
            self._scheduler.ready(self)

    def go_on_later(self, rest: Rest) -> None:
        """What it waited for has come, and `rest` of it is yet to be done."""
        self.wait = rest
        self._scheduler.later(rest)

    def suspend(self) -> None:
        was_runnable = self.runnable
        self.suspend_count += 1
        if was_runnable:
            self._scheduler.remove(self)

    def resume(self) -> int:
        """KERN_FAILURE: it was not suspended."""
        if self.suspend_count == 0:
            return KernReturn.FAILURE
        self.suspend_count -= 1
        self.started = True
        if self.runnable:
            self._scheduler.ready(self)
        return KernReturn.SUCCESS

    def task_suspended(self) -> None:
        """The task's suspend count rose from 0."""
        if self.alive and self.started and self.wait is None and self.suspend_count == 0:
            self._scheduler.remove(self)

    def task_resumed(self) -> None:
        """The task's suspend count fell to 0."""
        if self.runnable:
            self._scheduler.ready(self)

    # -- priority ---------------------------------------------------------------------

    def set_priority(self, priority: int) -> None:
        """The base priority; no stronger than `max_priority`."""
        self.base_priority = max(priority, self.max_priority)
        self._reschedule()

    def set_max_priority(self, priority: int) -> None:
        self.max_priority = priority
        self.set_priority(self.base_priority)

    def set_policy(self, policy: Policy, quantum_ns: int) -> None:
        """`quantum_ns` counts with FIXEDPRI; 0: the usual one."""
        fixed = policy is Policy.FIXEDPRI and quantum_ns > 0
        self.policy, self.quantum_ns = policy, quantum_ns if fixed else self._scheduler.quantum_ns
        self._usage_ns = 0
        self._reschedule()

    def depress(self, clock: Clock, ns: int) -> None:
        """Weakest of all until it runs again or `ns` have passed; 0: however long that is."""
        self.end_depression()
        self.depressed = True
        if ns:
            self._depression = clock.call_at(clock.now_ns + ns, self.end_depression)
        self._reschedule()

    def end_depression(self) -> None:
        if self.depressed:
            self.depressed = False
            if self._depression is not None:
                self._depression.cancel()
                self._depression = None
            self._reschedule()

    def tire(self, now_ns: int) -> bool:
        """It has used a whole quantum.  Returns whether that makes it weaker for a while."""
        if self.policy is not Policy.TIMESHARE:
            return False
        self._fade(now_ns)
        self._usage_ns += self.quantum_ns
        self._reschedule()
        return True

    def recover(self, now_ns: int) -> bool:
        """Time has passed since it was tired.  Returns whether it still is."""
        self._fade(now_ns)
        self._reschedule()
        return self._usage_ns > 0

    def _fade(self, now_ns: int) -> None:
        """Usage counts 5/8 of what it did a second ago."""
        if not self._usage_ns:
            self._usage_at_ns = now_ns
        seconds = (now_ns - self._usage_at_ns) // NS_PER_SECOND
        self._usage_at_ns += seconds * NS_PER_SECOND
        self._usage_ns = self._usage_ns * 5**seconds >> 3 * seconds if seconds < FADED else 0

    @property
    def cpu_usage(self) -> int:
        """Share of the processor of late, in thousandths."""
        return min(1000, self._usage_ns * 375 // NS_PER_SECOND)

    def _reschedule(self) -> None:
        weaker = self._usage_ns * PER_SECOND // NS_PER_SECOND
        priority = WEAKEST if self.depressed else min(self.base_priority + weaker, WEAKEST)
        self._scheduler.set_priority(self, priority)

    def abort(self) -> None:
        for call in list(self.calls):
            call.interrupt()  # and the thread gets the answer, if it waits for it
        if self.wait is not None:
            self.wait.interrupt()

    def end(self) -> None:
        """Stop for good; the task still has to forget the thread."""
        was_runnable = self.runnable
        self.alive = False
        self.end_depression()
        self._scheduler.forget(self)
        self.task.ended_cpu_ns += self._scheduler.cpu_ns(self)
        if self.wait is not None:
            self.wait.abandon()
            self.wait = None
        for call in list(self.calls):
            call.abandon()
        if was_runnable:
            self._scheduler.remove(self)
        if self.exception_port is not None:
            self.exception_port.drop_send()
            self.exception_port = None
        if self.kernel_port is not self.self_port and self.kernel_port is not None:
            self.kernel_port.drop_send()
        self.kernel_port = None
        self.self_port.die()

    def check(self) -> None:
        assert self.suspend_count >= 0
        assert self.alive or (self.wait is None and not self.calls)
        assert self.max_priority <= self.base_priority <= self.priority <= WEAKEST
        assert self.depressed or self._depression is None


def _in_register(value: int) -> int:
    """A 32-bit result as RV64 holds it: its sign extended."""
    value &= 0xFFFF_FFFF
    return value | 0xFFFF_FFFF_0000_0000 if value >> 31 else value
