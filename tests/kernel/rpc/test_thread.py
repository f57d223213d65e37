"""Calls on threads: create, state, suspension, abort, end (mach-abi.md 9.1, 9.2, 9.5)."""

from __future__ import annotations

import struct

import pytest

from machemu.kernel.ipc.right import DEAD_NAME
from machemu.kernel.results import KernReturn, MsgReturn
from machemu.kernel.task.thread import Thread
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NULL,
    Actor,
    Give,
    KernelRig,
    header,
)

CREATE, TERMINATE, GET_STATE, SET_STATE, SUSPEND, RESUME, ABORT = 2061, 2016, 2017, 2018, 2062, 2063, 2064
GET_SPECIAL_PORT, SET_SPECIAL_PORT, SET_NAME = 2067, 2068, 4213
GENERAL, GENERAL_WORDS = 1, 64
MS = 1_000_000


def create(rig: KernelRig, actor: Actor) -> tuple[int, Thread]:
    (name,) = actor.call(CREATE)
    return name, actor.space.entries[name].port.kernel_object


def test_a_new_thread_is_suspended_once(rig: KernelRig) -> None:
    name, thread = create(rig, rig.actor)
    assert (thread.task, thread.suspend_count, thread.runnable) == (rig.actor.task, 1, False)
    assert rig.trap("swtch") == 0, "it does not run"
    assert rig.actor.rpc(name, RESUME)[0] == 0
    assert rig.trap("swtch") == 1
    assert rig.kernel.scheduler.current is thread


def test_the_creator_sets_its_registers(rig: KernelRig) -> None:
    name, thread = create(rig, rig.actor)
    words = list(range(100, 100 + GENERAL_WORDS))
    assert rig.actor.rpc(name, SET_STATE, GENERAL, words) == (0, ())
    assert thread.context.state == struct.pack(f"<{GENERAL_WORDS}I", *words)
    assert rig.actor.rpc(name, GET_STATE, GENERAL, 1024) == (0, (words,))
    assert rig.actor.rpc(name, GET_STATE, GENERAL, GENERAL_WORDS) == (0, (words,))


@pytest.mark.parametrize(("flavor", "room"), [(GENERAL, GENERAL_WORDS - 1), (GENERAL, 0), (99, 1024), (-1, 1024)])
def test_state_that_cannot_be_told(rig: KernelRig, flavor: int, room: int) -> None:
    name, _ = create(rig, rig.actor)
    assert rig.actor.rpc(name, GET_STATE, flavor, room)[0] == KernReturn.INVALID_ARGUMENT


@pytest.mark.parametrize(("flavor", "count"), [(GENERAL, GENERAL_WORDS - 1), (GENERAL, GENERAL_WORDS + 1),
                                               (GENERAL, 0), (99, GENERAL_WORDS), (GENERAL, 1024)])
def test_state_that_cannot_be_set(rig: KernelRig, flavor: int, count: int) -> None:
    name, thread = create(rig, rig.actor)
    before = thread.context.state
    assert rig.actor.rpc(name, SET_STATE, flavor, [7] * count)[0] == KernReturn.INVALID_ARGUMENT
    assert thread.context.state == before


def test_a_thread_cannot_do_it_to_itself(rig: KernelRig) -> None:
    name = rig.trap("mach_thread_self")
    for ident, *arguments in ((GET_STATE, GENERAL, 1024), (SET_STATE, GENERAL, [0] * GENERAL_WORDS), (ABORT,)):
        assert rig.actor.rpc(name, ident, *arguments)[0] == KernReturn.INVALID_ARGUMENT


def test_suspensions_are_counted(rig: KernelRig) -> None:
    other = rig.another()
    name = rig.name_of(rig.actor, other.thread)
    assert rig.actor.rpc(name, RESUME)[0] == KernReturn.FAILURE
    for _ in range(2):
        assert rig.actor.rpc(name, SUSPEND)[0] == 0
    assert rig.actor.rpc(name, RESUME)[0] == 0
    assert not other.thread.runnable
    assert rig.actor.rpc(name, RESUME)[0] == 0
    assert other.thread.runnable


def test_a_thread_runs_when_neither_it_nor_its_task_is_suspended(rig: KernelRig) -> None:
    other = rig.another()
    task, thread = rig.name_of(rig.actor, other.task), rig.name_of(rig.actor, other.thread)
    for target, suspend in ((task, 2056), (thread, SUSPEND)):
        rig.actor.rpc(target, suspend)
    assert not other.thread.runnable
    rig.actor.rpc(task, 2057)
    assert not other.thread.runnable
    rig.actor.rpc(task, 2056)
    rig.actor.rpc(thread, RESUME)
    assert not other.thread.runnable
    rig.actor.rpc(task, 2057)
    assert other.thread.runnable


def test_suspending_oneself_takes_effect_at_once(rig: KernelRig) -> None:
    other = rig.another()
    name, reply = other.trap("mach_thread_self"), other.port()
    other.send_and_receive(header(name, reply, COPY_SEND, MAKE_SEND_ONCE, SUSPEND), reply)
    assert rig.kernel.scheduler.current is rig.actor.thread
    assert rig.actor.rpc(rig.name_of(rig.actor, other.thread), RESUME)[0] == 0
    assert other.result() == 0


def test_a_suspended_thread_keeps_its_place_in_a_wait(rig: KernelRig) -> None:
    other = rig.another()
    port = other.port()
    name = rig.name_of(rig.actor, other.thread)
    assert other.receive(port, 0x100, 20) == BLOCKED
    rig.actor.rpc(name, SUSPEND)
    rig.pass_time(20 * MS)
    assert not other.thread.runnable
    rig.actor.rpc(name, RESUME)
    assert other.result() == MsgReturn.RCV_TIMED_OUT


@pytest.mark.parametrize(("option", "result"), [(0, MsgReturn.RCV_INTERRUPTED), (0x100, MsgReturn.RCV_INTERRUPTED)])
def test_abort_breaks_a_receive(rig: KernelRig, option: int, result: int) -> None:
    other = rig.another()
    assert other.receive(other.port(), option, 50) == BLOCKED
    assert rig.actor.rpc(rig.name_of(rig.actor, other.thread), ABORT) == (0, ())
    assert other.result() == result


def test_abort_breaks_a_sleep(rig: KernelRig) -> None:
    other = rig.another()
    assert other.trap("thread_switch", NULL, 2, 1000) == BLOCKED
    assert rig.actor.rpc(rig.name_of(rig.actor, other.thread), ABORT) == (0, ())
    assert other.thread.runnable
    rig.pass_time(2000 * MS)
    assert other.thread.runnable


def test_abort_of_a_blocked_send_gives_the_message_back(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel(rig.another(), rig.actor)
    for _ in range(5):
        sender.send(header(to))
    assert sender.send(header(to, ident=8)) == BLOCKED
    assert rig.actor.rpc(rig.name_of(rig.actor, sender.thread), ABORT) == (0, ())
    assert sender.result() == MsgReturn.SEND_INTERRUPTED
    assert sender.received(BUFFER).ident == 8


def test_abort_of_a_suspended_thread_leaves_it_suspended(rig: KernelRig) -> None:
    other = rig.another()
    other.receive(other.port())
    name = rig.name_of(rig.actor, other.thread)
    for ident in (SUSPEND, ABORT):
        rig.actor.rpc(name, ident)
    assert other.thread.wait is None
    assert not other.thread.runnable
    assert rig.actor.rpc(name, GET_STATE, GENERAL, 1024)[0] == 0
    rig.actor.rpc(name, RESUME)
    assert other.result() == MsgReturn.RCV_INTERRUPTED


def test_abort_of_a_running_thread_has_no_effect(rig: KernelRig) -> None:
    other = rig.another()
    assert rig.actor.rpc(rig.name_of(rig.actor, other.thread), ABORT) == (0, ())
    assert other.thread.runnable


@pytest.mark.parametrize("state", ["running", "receiving", "sending", "sleeping", "suspended", "new"])
def test_terminate_ends_a_thread_in_any_state(rig: KernelRig, state: str) -> None:
    sender, to, _, _ = rig.channel(rig.another(), rig.actor)
    victim = rig.second_thread(sender)
    name = rig.name_of(rig.actor, victim.thread)
    if state == "new":
        name, victim.thread = create(rig, rig.actor)
    elif state == "receiving":
        victim.receive(victim.port(), 0x100, 20)
    elif state == "sending":
        for _ in range(5):
            victim.send(header(to))
        victim.send(header(to), 0x10, 20)
    elif state == "sleeping":
        victim.trap("thread_switch", NULL, 2, 20)
    elif state == "suspended":
        victim.thread.suspend()
    assert rig.actor.rpc(name, TERMINATE) == (0, ())
    assert not victim.thread.alive
    assert rig.actor.names()[name] == (DEAD_NAME, 1)
    rig.pass_time(100 * MS)
    assert sender.thread.runnable, "the task's other thread goes on"


def test_terminating_oneself_never_returns(rig: KernelRig) -> None:
    other = rig.another()
    second = rig.second_thread(other)
    name, reply = other.trap("mach_thread_self"), other.port()
    other.send_and_receive(header(name, reply, COPY_SEND, MAKE_SEND_ONCE, TERMINATE), reply)
    assert not other.thread.alive
    assert other.task.alive
    assert second.take(reply).code == 0


@pytest.mark.parametrize("which", [1, 3])
def test_special_ports(rig: KernelRig, which: int) -> None:
    actor = rig.actor
    name, thread = create(rig, actor)
    port = actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    assert actor.rpc(name, GET_SPECIAL_PORT, which) == (0, (name if which == 1 else NULL,))
    assert actor.rpc(name, SET_SPECIAL_PORT, which, Give(port, COPY_SEND)) == (0, ())
    assert actor.rpc(name, GET_SPECIAL_PORT, which) == (0, (port,))
    assert actor.rpc(name, SET_SPECIAL_PORT, which, Give(DEAD, COPY_SEND)) == (0, ())
    assert actor.rpc(name, GET_SPECIAL_PORT, which) == (0, (NULL,))
    actor.rpc(name, SET_SPECIAL_PORT, which, Give(port, COPY_SEND))
    rig.kernel.terminate_thread(thread)
    assert actor.space.entries[port].port.send_rights == 1


@pytest.mark.parametrize("which", [0, 2, 4, 5, -1])
def test_unknown_special_ports(rig: KernelRig, which: int) -> None:
    name = rig.trap("mach_thread_self")
    port = rig.actor.port()
    with rig.unchanged():
        assert rig.actor.rpc(name, GET_SPECIAL_PORT, which)[0] == KernReturn.INVALID_ARGUMENT
    assert rig.actor.rpc(name, SET_SPECIAL_PORT, which, Give(port, MAKE_SEND))[0] == KernReturn.INVALID_ARGUMENT
    assert rig.space.entries[port].port.send_rights == 0


def test_a_thread_can_be_named(rig: KernelRig) -> None:
    name = rig.trap("mach_thread_self")
    assert rig.actor.rpc(name, SET_NAME, b"worker\0")[0] == 0
    assert rig.actor.thread.name == "worker"


def test_a_thread_of_another_task_can_be_made(rig: KernelRig) -> None:
    other = rig.another()
    code, (name,) = rig.actor.rpc(rig.name_of(rig.actor, other.task), CREATE)
    assert code == 0
    assert rig.space.entries[name].port.kernel_object in other.task.threads
