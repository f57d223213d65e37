"""GNU Mach's calls on tasks and threads (mach-abi.md 6.9, 6.10)."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, Right
from machemu.kernel.results import KernReturn
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NO_NAME,
    NULL,
    PAGE,
    SCRATCH,
    UNMAPPED,
    Actor,
    Give,
    KernelRig,
    header,
)

TERMINATE_RELEASE, REGISTER_NEW_TASK, NEW_TASK = 4201, 4203, 4400
TASK_CREATE = 2007


def release(rig: KernelRig, caller: Actor, thread: int, task: int, name: int, reply: int,
            address: int, size: int) -> int:
    return caller.rpc(thread, TERMINATE_RELEASE, Give(task, COPY_SEND), name, reply, address, size)[0]


def test_a_thread_ends_with_its_names_and_its_stack(rig: KernelRig) -> None:
    task = rig.another()
    victim = rig.second_thread(task)
    name, reply = task.trap("mach_thread_self"), task.port()
    assert isinstance(name, int)
    thread = rig.name_of(task, victim.thread)
    task.memory.allocate(UNMAPPED, 2 * PAGE, False)
    body, _ = victim.request_body(TERMINATE_RELEASE, Give(victim.self_name, COPY_SEND), name, reply, UNMAPPED, 2 * PAGE)
    victim.send(header(thread, 0, COPY_SEND, 0, TERMINATE_RELEASE, 32 + len(body), complex_=True) + body)
    assert not victim.thread.alive
    assert name not in task.names()
    assert reply not in task.names()
    assert task.memory.entry_at(UNMAPPED) is None
    assert task.thread.alive
    assert task.names()[thread] == (DEAD_NAME, 1)


def test_what_cannot_be_released_does_not_keep_the_thread(rig: KernelRig) -> None:
    task = rig.another()
    victim = rig.second_thread(task)
    thread = rig.name_of(task, victim.thread)
    assert release(rig, task, thread, task.self_name, NO_NAME, NO_NAME, 2**64 - 1, 5) == 0
    assert not victim.thread.alive


def test_nothing_to_release(rig: KernelRig) -> None:
    task = rig.another()
    victim = rig.second_thread(task)
    thread = rig.name_of(task, victim.thread)
    before = task.names()
    assert release(rig, task, thread, task.self_name, NULL, NULL, 0, 0) == 0
    assert not victim.thread.alive
    assert set(task.names()) == set(before)


@pytest.mark.parametrize("task", ["thread", "null", "dead"])
def test_release_from_what_is_no_task(rig: KernelRig, task: str) -> None:
    other = rig.another()
    victim = rig.second_thread(other)
    thread = rig.name_of(other, victim.thread)
    name = {"thread": thread, "null": NULL, "dead": DEAD}[task]
    assert release(rig, other, thread, name, NULL, NULL, SCRATCH, PAGE) == KernReturn.INVALID_ARGUMENT
    assert victim.thread.alive
    assert release(rig, other, other.self_name, other.self_name, NULL, NULL, 0, 0) == KernReturn.INVALID_ARGUMENT
    assert other.task.alive


def watch(rig: KernelRig) -> tuple[Actor, int]:
    watcher = rig.another()
    port = watcher.port()
    assert watcher.rpc(rig.host_privileged(watcher), REGISTER_NEW_TASK, Give(port, MAKE_SEND))[0] == 0
    return watcher, port


@pytest.mark.parametrize("way", ["rpc", "trap"])
def test_new_tasks_are_told(rig: KernelRig, way: str) -> None:
    watcher, port = watch(rig)
    if way == "rpc":
        (child,) = rig.actor.call(TASK_CREATE, 0)
    else:
        assert rig.trap("syscall_task_create", rig.actor.self_name, 0, SCRATCH) == 0
        child = int.from_bytes(rig.actor.memory.read(SCRATCH, 4), "little")
    told = watcher.take(port)
    assert (told.ident, told.size, told.remote) == (NEW_TASK, 64, NULL)
    spaces = (watcher.space.entries[told.word(8)].port, watcher.space.entries[told.word(24)].port)
    assert spaces == (rig.space.entries[child].port, rig.actor.task.self_port)
    assert watcher.poll(port) is None


def test_a_task_that_its_creator_cannot_name_is_not_told(rig: KernelRig) -> None:
    watcher, port = watch(rig)
    assert rig.trap("syscall_task_create", rig.actor.self_name, 0, UNMAPPED) == KernReturn.INVALID_ADDRESS
    assert watcher.poll(port) is None


def test_only_the_first_can_register(rig: KernelRig) -> None:
    watcher, port = watch(rig)
    host, other = rig.host_privileged(rig.actor), rig.give(watcher, watcher.port(), rig.actor)
    with rig.unchanged():
        assert rig.actor.rpc(host, REGISTER_NEW_TASK, Give(other, COPY_SEND))[0] == KernReturn.NO_ACCESS
    watcher.space.destroy_name(port)
    assert rig.actor.rpc(host, REGISTER_NEW_TASK, Give(other, COPY_SEND))[0] == KernReturn.NO_ACCESS
    assert rig.actor.call(TASK_CREATE, 0), "the dead port is passed over"


@pytest.mark.parametrize("what", ["host", "task"])
def test_it_takes_the_privileged_host_port(rig: KernelRig, what: str) -> None:
    name = rig.trap("mach_host_self") if what == "host" else rig.actor.self_name
    assert isinstance(name, int)
    port = rig.actor.port()
    assert rig.actor.rpc(name, REGISTER_NEW_TASK, Give(port, MAKE_SEND))[0] == KernReturn.INVALID_HOST
    assert rig.actor.space.references(port, Right.SEND) == 0
    watch(rig)


def test_no_port_registers_nothing(rig: KernelRig) -> None:
    assert rig.actor.rpc(rig.host_privileged(rig.actor), REGISTER_NEW_TASK, Give(NULL, COPY_SEND))[0] == 0
    watch(rig)


def test_more_tasks_than_the_queue_holds(rig: KernelRig) -> None:
    watcher, port = watch(rig)
    for _ in range(8):
        rig.actor.call(TASK_CREATE, 0)
    assert sum(watcher.poll(port) is not None for _ in range(9)) == 8


def test_the_watcher_that_waits_is_woken(rig: KernelRig) -> None:
    watcher, port = watch(rig)
    assert watcher.receive(port) == BLOCKED
    rig.actor.call(TASK_CREATE, 0)
    assert watcher.result() == 0
    assert watcher.received().ident == NEW_TASK


def test_a_send_once_right_is_no_port_for_it(rig: KernelRig) -> None:
    port = rig.actor.port()
    code = rig.actor.rpc(rig.host_privileged(rig.actor), REGISTER_NEW_TASK, Give(port, MAKE_SEND_ONCE))[0]
    assert code == -304, "MIG_BAD_ARGUMENTS: the interface says a send right"
    watch(rig)
