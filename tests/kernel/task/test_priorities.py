"""Priorities and policies: who is stronger runs, who uses much gets weaker (mach-abi.md 9.6)."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.results import KernReturn
from machemu.kernel.task.run_queue import WEAKEST
from machemu.kernel.task.thread import Policy
from tests.kernel.task.test_scheduler import QUANTUM_NS, quantum_passes, running
from tests.support.rig import BLOCKED, COPY_SEND, NULL, Actor, Give, KernelRig, header

SECOND: Final = 1_000_000_000
BASE: Final = 25
THREAD_PRIORITY, THREAD_MAX, TASK_PRIORITY, SET_MAX = 2620, 2621, 2622, 2623
POLICY, ENABLE, DISABLE, DEPRESS_ABORT = 2624, 2625, 2626, 2631


def set_of(rig: KernelRig, actor: Actor) -> int:
    return rig.name_of(actor, rig.kernel.processor_set)


def call_thread(rig: KernelRig, of: Actor, ident: int, *arguments: object) -> int:
    """A call on `of`'s thread by the first actor; the code."""
    return rig.actor.rpc(rig.name_of(rig.actor, of.thread), ident, *arguments)[0]


# -- who runs ------------------------------------------------------------------------------


def test_the_stronger_runs_first(rig: KernelRig) -> None:
    weak, strong = rig.another(), rig.another()
    weak.thread.set_priority(BASE + 2)
    strong.thread.set_priority(BASE + 1)
    rig.actor.thread.set_priority(BASE + 3)
    assert quantum_passes(rig) is strong
    assert quantum_passes(rig) is strong, "the weak ones have no turn while it runs"
    strong.thread.suspend()
    assert running(rig) is weak


def test_equals_take_turns(rig: KernelRig) -> None:
    actors = [rig.actor, rig.another(), rig.another()]
    rig.another().thread.set_priority(BASE + 9)
    assert [quantum_passes(rig) for _ in range(6)] == [actors[1], actors[2], actors[0]] * 2


def test_a_stronger_thread_that_is_woken_runs_at_once_and_gives_back(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    sender.thread.set_priority(BASE + 5)
    other = rig.another()
    other.thread.set_priority(BASE + 5)
    assert receiver.receive(port) == BLOCKED
    rig.run(sender)
    assert sender.send(header(to)) == 0
    assert running(rig) is receiver
    assert receiver.receive(port) == BLOCKED
    assert running(rig) is sender, "it had not had all of its turn"


def test_a_weaker_thread_that_is_woken_gets_no_hand_off(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    bystander = rig.another()
    receiver.thread.set_priority(BASE + 5)
    bystander.thread.set_priority(BASE + 1)
    sender.thread.suspend()
    bystander.thread.suspend()
    receiver.receive(port)
    sender.thread.resume()
    bystander.thread.resume()
    rig.run(sender)
    assert sender.send_and_receive(header(to), sender.port()) == BLOCKED
    assert running(rig) is bystander


def test_a_time_out_lets_a_stronger_thread_run_at_once(rig: KernelRig) -> None:
    strong = rig.another()
    rig.actor.thread.set_priority(BASE + 1)
    rig.run(strong)
    assert strong.receive(strong.port(), 0x100, 5) == BLOCKED
    assert running(rig) is rig.actor
    rig.pass_time(5_000_000)
    assert running(rig) is strong


# -- timesharing ----------------------------------------------------------------------------


def test_who_uses_the_processor_gets_weaker_and_recovers(rig: KernelRig) -> None:
    busy, rested = rig.actor, rig.another()
    rested.thread.suspend()
    for _ in range(500):
        quantum_passes(rig)
    tired = busy.thread.priority
    assert BASE < tired <= BASE + 4
    rested.thread.resume()
    assert running(rig) is rested or quantum_passes(rig) is rested, "it has used nothing"
    rested.receive(rested.port())
    assert running(rig) is busy
    rig.pass_time(40 * SECOND)
    quantum_passes(rig)
    assert busy.thread.priority == BASE


def test_fixed_priorities_stay_and_have_their_own_quantum(rig: KernelRig) -> None:
    fixed, other = rig.actor, rig.another()
    rig.kernel.processor_set.fixed_allowed = True
    fixed.thread.set_policy(Policy.FIXEDPRI, 7 * QUANTUM_NS)
    rig.run(other)
    assert quantum_passes(rig) is fixed
    assert rig.kernel.scheduler.quantum_end_ns == rig.machine.clock.now_ns + 7 * QUANTUM_NS
    other.thread.suspend()
    for _ in range(300):
        quantum_passes(rig)
    assert fixed.thread.priority == BASE


# -- depression ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["swtch_pri", "thread_switch"])
def test_a_depressed_thread_runs_after_all_others(rig: KernelRig, how: str) -> None:
    weak = rig.another()
    weak.thread.set_priority(WEAKEST - 1)
    rig.trap(how, *((NULL, 1, 50) if how == "thread_switch" else (0,)))
    assert running(rig) is weak
    assert rig.actor.thread.priority == WEAKEST
    weak.thread.suspend()
    assert running(rig) is rig.actor
    assert rig.actor.thread.priority == BASE, "it runs again"


def test_a_depression_ends_with_its_time(rig: KernelRig) -> None:
    weak = rig.another()
    weak.thread.set_priority(WEAKEST - 1)
    rig.trap("thread_switch", NULL, 1, 50)
    assert running(rig) is weak
    rig.pass_time(50_000_000)
    assert running(rig) is rig.actor


@pytest.mark.parametrize("how", ["call", "trap"])
def test_a_depression_can_be_ended(rig: KernelRig, how: str) -> None:
    weak = rig.another()
    weak.thread.set_priority(WEAKEST - 1)
    rig.trap("thread_switch", NULL, 1, 0)
    name = rig.name_of(weak, rig.actor.thread)
    if how == "trap":
        assert weak.trap("syscall_thread_depress_abort", name) == 0
    else:
        assert weak.rpc(name, DEPRESS_ABORT) == (0, ())
        rig.run(rig.actor)
    assert rig.actor.thread.priority == BASE
    assert running(rig) is rig.actor
    assert call_thread(rig, weak, DEPRESS_ABORT) == 0, "nothing to do is no error"


def test_a_depressed_thread_that_ends_leaves_no_timer(rig: KernelRig) -> None:
    other = rig.another()
    other.thread.set_priority(WEAKEST - 1)
    rig.trap("thread_switch", NULL, 1, 50)
    rig.kernel.terminate_thread(rig.actor.thread)
    rig.pass_time(SECOND)


# -- the calls -------------------------------------------------------------------------------


def test_a_priority_can_be_set_as_far_as_the_maximum(rig: KernelRig) -> None:
    other = rig.another()
    assert call_thread(rig, other, THREAD_PRIORITY, 40, 0) == 0
    assert (other.thread.base_priority, other.thread.max_priority) == (40, BASE)
    assert call_thread(rig, other, THREAD_PRIORITY, 30, 1) == 0
    assert (other.thread.base_priority, other.thread.max_priority) == (30, 30)
    assert call_thread(rig, other, THREAD_PRIORITY, 29, 0) == KernReturn.FAILURE
    for bad in (-1, 64, 2**31 - 1, -2**31):
        assert call_thread(rig, other, THREAD_PRIORITY, bad, 0) == KernReturn.INVALID_ARGUMENT
    assert other.thread.base_priority == 30


def test_the_set_lifts_the_maximum(rig: KernelRig) -> None:
    other = rig.another()
    control = set_of(rig, rig.actor)
    assert call_thread(rig, other, THREAD_MAX, Give(control, COPY_SEND), 6) == 0
    assert call_thread(rig, other, THREAD_PRIORITY, 6, 0) == 0
    assert call_thread(rig, other, THREAD_MAX, Give(control, COPY_SEND), 50) == 0
    assert (other.thread.base_priority, other.thread.max_priority) == (50, 50)
    name = rig.name_of(rig.actor, rig.kernel.processor_set.name)
    for wrong in (Give(name, COPY_SEND), Give(rig.actor.self_name, COPY_SEND), None):
        assert call_thread(rig, other, THREAD_MAX, wrong, 6) == KernReturn.INVALID_ARGUMENT


def test_a_task_s_priority_is_that_of_new_threads(rig: KernelRig) -> None:
    other = rig.another()
    task = rig.name_of(rig.actor, other.task)
    assert rig.actor.rpc(task, TASK_PRIORITY, 33, 0) == (0, ())
    assert other.thread.base_priority == BASE
    assert rig.second_thread(other).thread.base_priority == 33
    assert rig.actor.rpc(task, TASK_PRIORITY, 44, 1) == (0, ())
    assert {thread.base_priority for thread in other.task.threads} == {44}
    assert rig.actor.rpc(task, TASK_PRIORITY, 5, 1)[0] == KernReturn.FAILURE
    assert rig.actor.rpc(task, TASK_PRIORITY, 64, 0)[0] == KernReturn.INVALID_ARGUMENT
    child = rig.kernel.create_task(other.task)
    assert child.priority == other.task.priority


def test_fixed_priority_must_be_allowed(rig: KernelRig) -> None:
    other, control = rig.another(), set_of(rig, rig.actor)
    assert call_thread(rig, other, POLICY, Policy.FIXEDPRI, 30) == KernReturn.FAILURE
    assert rig.actor.rpc(control, ENABLE, Policy.FIXEDPRI) == (0, ())
    assert call_thread(rig, other, POLICY, Policy.FIXEDPRI, 30) == 0
    assert (other.thread.policy, other.thread.quantum_ns) == (Policy.FIXEDPRI, 30_000_000)
    assert rig.actor.rpc(control, DISABLE, Policy.FIXEDPRI, 1) == (0, ())
    assert (other.thread.policy, other.thread.quantum_ns) == (Policy.TIMESHARE, QUANTUM_NS)
    assert rig.actor.rpc(control, DISABLE, Policy.TIMESHARE, 0)[0] == KernReturn.INVALID_ARGUMENT
    for bad in (0, 3, -1):
        assert call_thread(rig, other, POLICY, bad, 0) == KernReturn.INVALID_ARGUMENT
        assert rig.actor.rpc(control, ENABLE, bad)[0] == KernReturn.INVALID_ARGUMENT


def test_the_maximum_of_the_set_is_for_new_threads_or_for_all(rig: KernelRig) -> None:
    other, control = rig.another(), set_of(rig, rig.actor)
    assert rig.actor.rpc(control, SET_MAX, 30, 0) == (0, ())
    assert other.thread.max_priority == BASE
    assert rig.second_thread(other).thread.base_priority == 30
    assert rig.actor.rpc(control, SET_MAX, 31, 1) == (0, ())
    assert {thread.base_priority for thread in other.task.threads} == {31}
    assert rig.actor.rpc(control, SET_MAX, 64, 0)[0] == KernReturn.INVALID_ARGUMENT


def test_a_hint_may_be_weaker(rig: KernelRig) -> None:
    weak = rig.another()
    rig.another()
    weak.thread.set_priority(WEAKEST)
    rig.kernel.scheduler.settle()
    assert rig.trap("thread_switch", rig.name_of(rig.actor, weak.thread), 0, 0) == 0
    assert running(rig) is weak
    assert quantum_passes(rig) is not weak
