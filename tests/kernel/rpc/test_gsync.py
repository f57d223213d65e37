"""gsync_wait and gsync_wake (mach-abi.md 6.9): threads that wait at an address."""

from __future__ import annotations

import struct

import pytest

from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    BUFFERS_END,
    COPY_SEND,
    MAKE_SEND_ONCE,
    NULL,
    PAGE,
    SCRATCH,
    UNMAPPED,
    Actor,
    KernelRig,
    header,
)

GSYNC_WAIT, GSYNC_WAKE = 4204, 4205
SHARED, QUAD, TIMED, BROADCAST, MUTATE = 1, 2, 4, 8, 16
THREAD_ABORT, VM_INHERIT, VM_PROTECT = 2064, 2025, 2024
MS = 1_000_000


def wait(actor: Actor, address: int, value: int, high: int = 0, ms: int = 0, flags: int = 0,
         task: int = 0) -> int | str:
    """Call gsync_wait: what it returned, or BLOCKED."""
    port, reply = task or actor.self_name, actor.port()
    body, _ = actor.request_body(GSYNC_WAIT, address, value, high, ms, flags)
    octets = header(port, reply, COPY_SEND, MAKE_SEND_ONCE, GSYNC_WAIT, 32 + len(body)) + body
    result = actor.send_and_receive(octets, reply)
    return actor.received(BUFFER).code if result == 0 else result


def wake(actor: Actor, address: int, value: int = 0, flags: int = 0, task: int = 0) -> int:
    return actor.rpc(task or actor.self_name, GSYNC_WAKE, address, value, flags)[0]


def code(actor: Actor) -> int:
    """What a wait has returned."""
    assert actor.result() == 0
    answer = actor.received(BUFFER)
    assert (answer.ident, answer.size) == (GSYNC_WAIT + 100, 48)
    return answer.code


def sleepers(rig: KernelRig, count: int, address: int = SCRATCH, flags: int = 0) -> list[Actor]:
    actors = [rig.second_thread(rig.actor) for _ in range(count)]
    for actor in actors:
        assert wait(actor, address, 0, flags=flags) == BLOCKED
    return actors


def test_the_first_to_wait_is_the_first_woken(rig: KernelRig) -> None:
    actors = sleepers(rig, 3)
    for number, actor in enumerate(actors):
        assert wake(rig.actor, SCRATCH) == 0
        assert code(actor) == KernReturn.SUCCESS
        assert [other.result() for other in actors[number + 1:]] == [BLOCKED] * (2 - number)
    assert wake(rig.actor, SCRATCH) == KernReturn.INVALID_ARGUMENT


def test_broadcast_wakes_all(rig: KernelRig) -> None:
    actors = sleepers(rig, 3)
    other = sleepers(rig, 1, SCRATCH + 4)[0]
    assert wake(rig.actor, SCRATCH, flags=BROADCAST) == 0
    assert [code(actor) for actor in actors] == [0, 0, 0]
    assert other.result() == BLOCKED


@pytest.mark.parametrize(("low", "high", "flags", "waits"), [
    (5, 0, 0, True), (6, 0, 0, False), (5, 7, QUAD, True), (5, 8, QUAD, False), (6, 7, QUAD, False), (5, 9, 0, True),
])
def test_a_thread_waits_only_while_the_value_is_as_it_says(
    rig: KernelRig, low: int, high: int, flags: int, waits: bool,
) -> None:
    actor = rig.second_thread(rig.actor)
    rig.actor.memory.write(SCRATCH, struct.pack("<2I", 5, 7))
    assert wait(actor, SCRATCH, low, high, flags=flags) == (BLOCKED if waits else KernReturn.INVALID_ARGUMENT)


@pytest.mark.parametrize("address", [SCRATCH + 1, SCRATCH + 2, UNMAPPED, 2**64 - 4])
def test_bad_addresses(rig: KernelRig, address: int) -> None:
    with rig.unchanged():
        assert wake(rig.actor, address) == KernReturn.INVALID_ADDRESS
        assert wake(rig.actor, address, 5, MUTATE | SHARED) == KernReturn.INVALID_ADDRESS
    assert wait(rig.actor, address, 0) == KernReturn.INVALID_ADDRESS
    assert wait(rig.actor, address, 0, flags=SHARED | QUAD) == KernReturn.INVALID_ADDRESS


def test_a_quad_across_the_end_of_memory(rig: KernelRig) -> None:
    actor = rig.second_thread(rig.actor)
    assert wait(actor, BUFFERS_END - 4, 0, flags=QUAD) == KernReturn.INVALID_ADDRESS
    assert wait(actor, BUFFERS_END - 4, 0) == BLOCKED


def test_only_tasks_have_addresses(rig: KernelRig) -> None:
    name = rig.trap("mach_thread_self")
    assert isinstance(name, int)
    assert wait(rig.actor, SCRATCH, 0, task=name) == KernReturn.INVALID_TASK
    assert wake(rig.actor, SCRATCH, task=name) == KernReturn.INVALID_TASK


def test_mutate_stores_before_it_wakes(rig: KernelRig) -> None:
    (actor,) = sleepers(rig, 1)
    assert wake(rig.actor, SCRATCH, 0xFFFF_FFFE, MUTATE) == 0
    assert code(actor) == 0
    assert rig.actor.memory.read(SCRATCH, 8) == struct.pack("<2I", 0xFFFF_FFFE, 0)
    assert wake(rig.actor, SCRATCH, 3, MUTATE) == KernReturn.INVALID_ARGUMENT
    assert rig.actor.memory.read(SCRATCH, 4) == struct.pack("<I", 3)


def test_mutate_needs_memory_that_can_be_written(rig: KernelRig) -> None:
    (actor,) = sleepers(rig, 1)
    rig.actor.call(VM_PROTECT, SCRATCH, PAGE, 0, 1)
    assert wake(rig.actor, SCRATCH, 3, MUTATE) == KernReturn.INVALID_ADDRESS
    assert actor.result() == BLOCKED
    assert wake(rig.actor, SCRATCH, 3) == 0


def test_a_timed_wait_ends(rig: KernelRig) -> None:
    first, second = rig.second_thread(rig.actor), rig.second_thread(rig.actor)
    assert wait(first, SCRATCH, 0, ms=20, flags=TIMED) == BLOCKED
    assert wait(second, SCRATCH, 0, ms=20) == BLOCKED, "the time counts only with the flag"
    rig.pass_time(19 * MS)
    assert first.result() == BLOCKED
    rig.pass_time(MS)
    assert code(first) == KernReturn.TIMEDOUT
    assert wake(rig.actor, SCRATCH) == 0
    assert code(second) == 0
    rig.pass_time(100 * MS)


def test_no_time_at_all(rig: KernelRig) -> None:
    actor = rig.second_thread(rig.actor)
    assert wait(actor, SCRATCH, 0, ms=0, flags=TIMED) == BLOCKED
    rig.pass_time(0)
    assert code(actor) == KernReturn.TIMEDOUT


def test_woken_in_time(rig: KernelRig) -> None:
    actor = rig.second_thread(rig.actor)
    assert wait(actor, SCRATCH, 0, ms=20, flags=TIMED) == BLOCKED
    assert wake(rig.actor, SCRATCH) == 0
    rig.pass_time(50 * MS)
    assert code(actor) == 0


def test_abort_interrupts_the_wait(rig: KernelRig) -> None:
    first, second = sleepers(rig, 2)
    assert rig.actor.rpc(rig.name_of(rig.actor, first.thread), THREAD_ABORT)[0] == 0
    assert code(first) == KernReturn.INTERRUPTED
    assert wake(rig.actor, SCRATCH) == 0
    assert code(second) == 0


def test_abort_of_a_thread_that_waits_for_something_else_by_now(rig: KernelRig) -> None:
    actor = rig.second_thread(rig.actor)
    reply = actor.port()
    body, _ = actor.request_body(GSYNC_WAIT, SCRATCH, 0, 0, 0, 0)
    assert actor.send(header(actor.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, GSYNC_WAIT, 32 + len(body)) + body) == 0
    assert actor.receive(actor.port()) == BLOCKED
    assert rig.actor.rpc(rig.name_of(rig.actor, actor.thread), THREAD_ABORT)[0] == 0
    assert actor.result() == MsgReturn.RCV_INTERRUPTED
    assert actor.take(reply).code == KernReturn.INTERRUPTED


@pytest.mark.parametrize("how", ["thread", "task"])
def test_the_end_of_a_waiter(rig: KernelRig, how: str) -> None:
    other = rig.another()
    victim = rig.second_thread(other)
    assert wait(victim, SCRATCH, 0, ms=20, flags=TIMED) == BLOCKED
    with rig.watched():
        if how == "thread":
            rig.kernel.terminate_thread(victim.thread)
        else:
            rig.kernel.terminate_task(other.task, None, "test")
    rig.check()
    rig.pass_time(50 * MS)


def test_the_reply_port_of_a_waiter_dies(rig: KernelRig) -> None:
    actor = rig.second_thread(rig.actor)
    reply = actor.port()
    body, _ = actor.request_body(GSYNC_WAIT, SCRATCH, 0, 0, 0, 0)
    assert actor.send(header(actor.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, GSYNC_WAIT, 32 + len(body)) + body) == 0
    actor.space.destroy_name(reply)
    assert wake(rig.actor, SCRATCH) == 0


def test_a_wait_without_a_reply_port(rig: KernelRig) -> None:
    body, _ = rig.actor.request_body(GSYNC_WAIT, SCRATCH, 0, 0, 0, 0)
    assert rig.actor.send(header(rig.actor.self_name, NULL, COPY_SEND, 0, GSYNC_WAIT, 32 + len(body)) + body) == 0
    assert wake(rig.actor, SCRATCH) == 0


def parent_and_child(rig: KernelRig, inheritance: int) -> tuple[Actor, Actor]:
    parent = rig.actor
    parent.call(VM_INHERIT, SCRATCH, PAGE, inheritance)
    child = Actor(rig, rig.kernel.create_task(parent.task, inherit_memory=True))
    rig.actors.append(child)
    return parent, child


@pytest.mark.parametrize(("inheritance", "flags", "meet"), [
    (0, SHARED, True), (0, 0, False), (1, SHARED, False), (1, 0, False),
])
@pytest.mark.parametrize("parent_waits", [True, False])
def test_tasks_meet_in_shared_memory(
    rig: KernelRig, inheritance: int, flags: int, meet: bool, parent_waits: bool,
) -> None:
    parent, child = parent_and_child(rig, inheritance)
    waiter, waker = (parent, child) if parent_waits else (child, parent)
    assert wait(waiter, SCRATCH + 8, 0, flags=flags) == BLOCKED
    assert wake(waker, SCRATCH + 8, flags=flags) == (0 if meet else KernReturn.INVALID_ARGUMENT)
    if meet:
        assert code(waiter) == 0


def test_shared_memory_at_two_addresses(rig: KernelRig) -> None:
    """The place in the memory counts, not the address."""
    parent, child = parent_and_child(rig, 0)
    assert wait(child, SCRATCH + 8, 0, flags=SHARED) == BLOCKED
    assert wake(parent, SCRATCH + 4, flags=SHARED) == KernReturn.INVALID_ARGUMENT
    assert wake(parent, SCRATCH + 8, flags=SHARED) == 0


def test_waiting_in_another_tasks_memory(rig: KernelRig) -> None:
    other = rig.another()
    name = rig.name_of(rig.actor, other.task)
    sleeper = rig.second_thread(rig.actor)
    assert wait(sleeper, SCRATCH, 0, task=name) == BLOCKED
    assert wake(rig.actor, SCRATCH) == KernReturn.INVALID_ARGUMENT
    assert wake(other, SCRATCH) == 0
    assert code(sleeper) == 0
