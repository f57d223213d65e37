"""Exceptions of the processor that nobody answers: the task ends and the node goes on."""

from __future__ import annotations

import pytest

from machemu.hw.api import CpuException
from machemu.kernel.events import ExceptionRaised, TaskEnded
from machemu.kernel.ipc.right import DEAD_NAME
from tests.support.rig import KernelRig

CAUSES = [
    CpuException("bad_instruction", 2, 0x30200073),  # a privileged instruction
    CpuException("bad_instruction", 2, 0),
    CpuException("breakpoint", 3, 0x10000),
    CpuException("misaligned", 1, 0x10001),
    CpuException("bad_access", 1, 2**64 - 1),
]


@pytest.mark.req("A-M01")
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.kind} {cause.subcode:#x}")
def test_an_exception_ends_its_task_alone(rig: KernelRig, cause: CpuException) -> None:
    raised: list[ExceptionRaised] = []
    ended: list[TaskEnded] = []
    rig.kernel.events.exception_raised.attach(raised.append)
    rig.kernel.events.task_ended.attach(ended.append)
    victim = rig.another()
    second = rig.second_thread(victim)
    name = rig.name_of(rig.actor, victim.task)
    rig.run(second)
    rig.kernel.exception(cause)
    rig.check()
    assert [(one.thread, one.kind, one.code, one.subcode) for one in raised] == [
        (second.thread.number, cause.kind, cause.code, cause.subcode)]
    assert [(one.task, one.status) for one in ended] == [(victim.task.number, None)]
    assert not victim.thread.alive
    assert rig.actor.names()[name] == (DEAD_NAME, 1)
    assert rig.trap("mach_task_self") == rig.actor.self_name
    assert rig.machine.halted is None


def test_the_console_tells_why(rig: KernelRig) -> None:
    victim = rig.another()
    victim.task.name = "server"
    rig.run(victim)
    rig.machine.cpu.pc = 0x1234
    rig.kernel.exception(CpuException("bad_instruction", 2, 0xDEAD))
    line = bytes(rig.machine.console.written).decode()
    for part in (f"task {victim.task.number} server", "bad_instruction", "0xdead", "0x1234"):
        assert part in line


def test_the_last_task_may_end_too(rig: KernelRig) -> None:
    rig.kernel.exception(CpuException("breakpoint", 3, 0))
    rig.check()
    assert rig.kernel.scheduler.current is None
    assert not rig.kernel.tasks
    assert rig.kernel.pool.used == 0
