"""Threads: a context, and what it waits for.  Follows Mach 3 `kern/thread.c`.

There are no kernel stacks.  A thread that has to wait leaves a `Wait` behind, which
knows how to finish the trap when its time comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

from machemu.kernel.ipc.port import Port
from machemu.kernel.results import KernReturn

if TYPE_CHECKING:
    from machemu.hw.api import Context, Cpu
    from machemu.kernel.task.scheduler import Scheduler
    from machemu.kernel.task.task import Task


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
        self._scheduler.continuations.append(rest)

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

    def abort(self) -> None:
        for call in list(self.calls):
            call.interrupt()  # and the thread gets the answer, if it waits for it
        if self.wait is not None:
            self.wait.interrupt()

    def end(self) -> None:
        """Stop for good; the task still has to forget the thread."""
        was_runnable = self.runnable
        self.alive = False
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


def _in_register(value: int) -> int:
    """A 32-bit result as RV64 holds it: its sign extended."""
    value &= 0xFFFF_FFFF
    return value | 0xFFFF_FFFF_0000_0000 if value >> 31 else value
