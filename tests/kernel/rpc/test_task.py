"""Calls on tasks: create, end, suspend, their ports, their threads (mach-abi.md 6.2, 9.1, 10.4)."""

from __future__ import annotations

import pytest

from machemu.kernel.events import TaskEnded, TaskNamed
from machemu.kernel.ipc.right import DEAD_NAME, SEND, Right
from machemu.kernel.results import KernReturn, MigReturn
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    NULL,
    PAGE,
    UNMAPPED,
    Actor,
    Give,
    KernelRig,
    header,
)

CREATE, TERMINATE, THREADS, SUSPEND, RESUME, EXIT = 2007, 2008, 2011, 2056, 2057, 4605
GET_SPECIAL_PORT, SET_SPECIAL_PORT, REGISTER, LOOKUP, SET_NAME = 2058, 2059, 2033, 2034, 4202
KERNEL, EXCEPTION, BOOTSTRAP = 1, 3, 4
VM_INHERIT, SHARE, COPY, NONE = 2025, 0, 1, 2


def send_right(actor: Actor) -> int:
    port = actor.port()
    return actor.space.insert(actor.space.take(port, MAKE_SEND))


@pytest.mark.parametrize("inherit", [0, 1])
def test_create_gives_a_task_without_threads(rig: KernelRig, inherit: int) -> None:
    actor = rig.actor
    (name,) = actor.call(CREATE, inherit)
    child = actor.space.entries[name].port.kernel_object
    assert (child.threads, child.parent, child.suspend_count) == ([], actor.task.number, 0)
    assert [region.start for region in child.memory.regions()] == (
        [region.start for region in actor.memory.regions()] if inherit else [])
    assert not child.space.entries


def test_a_child_has_each_range_as_its_inheritance_says(rig: KernelRig) -> None:
    actor = rig.actor
    for number, inheritance in enumerate((SHARE, COPY, NONE)):
        address = UNMAPPED + number * PAGE
        actor.memory.allocate(address, PAGE, False)
        actor.store(address, b"before")
        actor.call(VM_INHERIT, address, PAGE, inheritance)
    (name,) = actor.call(CREATE, 1)
    child = Actor(rig, actor.space.entries[name].port.kernel_object)
    for number in range(3):
        actor.store(UNMAPPED + number * PAGE, b"after!")
    assert child.load(UNMAPPED, 6) == b"after!"
    assert child.load(UNMAPPED + PAGE, 6) == b"before"
    assert child.memory.entry_at(UNMAPPED + 2 * PAGE) is None


def test_a_child_inherits_registered_and_special_ports(rig: KernelRig) -> None:
    actor = rig.actor
    ports = [send_right(actor) for _ in range(3)]
    actor.call(SET_SPECIAL_PORT, EXCEPTION, Give(ports[0], COPY_SEND))
    actor.call(SET_SPECIAL_PORT, BOOTSTRAP, Give(ports[1], COPY_SEND))
    actor.call(REGISTER, [Give(ports[2], COPY_SEND)])
    (name,) = actor.call(CREATE, 0)
    actor.call(SET_SPECIAL_PORT, EXCEPTION, None)
    assert actor.rpc(name, GET_SPECIAL_PORT, EXCEPTION) == (0, (ports[0],))
    assert actor.rpc(name, GET_SPECIAL_PORT, BOOTSTRAP) == (0, (ports[1],))
    assert actor.rpc(name, LOOKUP)[1][0].words == [ports[2], NULL, NULL, NULL]


def test_there_may_be_no_memory_for_a_child(rig: KernelRig) -> None:
    with rig.frames_left(0), rig.unchanged():
        assert rig.actor.rpc(rig.actor.self_name, CREATE, 0)[0] == KernReturn.RESOURCE_SHORTAGE


# -- the end -----------------------------------------------------------------------------------------


def test_terminate_ends_all_the_task_had(rig: KernelRig) -> None:
    actor, victim = rig.actor, rig.another()
    frames, ports = rig.kernel.pool.used, len(rig.kernel.zone.live)
    threads = [victim, rig.second_thread(victim), rig.second_thread(victim)]
    assert threads[1].receive(victim.port()) == BLOCKED
    threads[2].thread.suspend()
    victim.memory.allocate(UNMAPPED, 5 * PAGE, False)
    victim.store(UNMAPPED, bytes(5 * PAGE))
    name = rig.name_of(actor, victim.task)
    assert actor.rpc(name, TERMINATE) == (0, ())
    assert [thread.thread.alive for thread in threads] == [False] * 3
    assert actor.names()[name] == (DEAD_NAME, 1)
    assert rig.kernel.pool.used == frames - 33, "its buffers and a table"
    assert len(rig.kernel.zone.live) == ports - 2


def test_terminate_from_inside_never_returns(rig: KernelRig) -> None:
    victim = rig.another()
    reply = victim.port()
    victim.send_and_receive(header(victim.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, TERMINATE), reply)
    assert not victim.task.alive
    assert rig.kernel.scheduler.current is rig.actor.thread


@pytest.mark.parametrize("status", [0, 1, -1, 2**31 - 1])
def test_exit_ends_a_task_with_a_status(rig: KernelRig, status: int) -> None:
    ended: list[TaskEnded] = []
    rig.kernel.events.task_ended.attach(ended.append)
    victim = rig.another()
    body, _ = victim.request_body(EXIT, status)
    victim.send(header(victim.self_name, ident=EXIT, size=32 + len(body)) + body)
    assert not victim.task.alive
    assert [(event.task, event.status, event.reason) for event in ended] == [(victim.task.number, status, "exit")]


def test_terminate_has_no_status(rig: KernelRig) -> None:
    ended: list[TaskEnded] = []
    rig.kernel.events.task_ended.attach(ended.append)
    rig.actor.rpc(rig.name_of(rig.actor, rig.another().task), TERMINATE)
    assert [event.status for event in ended] == [None]


def test_a_task_may_end_another_with_a_status(rig: KernelRig) -> None:
    victim = rig.another()
    assert rig.actor.rpc(rig.name_of(rig.actor, victim.task), EXIT, 3) == (0, ())
    assert victim.task.status == 3


# -- suspension ----------------------------------------------------------------------------------------


def test_suspensions_are_counted(rig: KernelRig) -> None:
    actor, other = rig.actor, rig.another()
    name = rig.name_of(actor, other.task)
    assert actor.rpc(name, RESUME)[0] == KernReturn.FAILURE
    for _ in range(3):
        actor.rpc(name, SUSPEND)
    for left in (2, 1, 0):
        assert not other.thread.runnable
        actor.rpc(name, RESUME)
        assert other.task.suspend_count == left
    assert other.thread.runnable
    assert actor.rpc(name, RESUME)[0] == KernReturn.FAILURE


def test_suspending_oneself_stops_at_once(rig: KernelRig) -> None:
    other = rig.another()
    reply = other.port()
    octets = header(other.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, SUSPEND)
    other.send_and_receive(octets, reply)
    assert rig.kernel.scheduler.current is rig.actor.thread
    assert rig.actor.rpc(rig.name_of(rig.actor, other.task), RESUME)[0] == 0
    assert other.result() == 0
    assert other.received(0x20000).code == 0


# -- ports ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [KERNEL, EXCEPTION, BOOTSTRAP])
def test_special_ports(rig: KernelRig, which: int) -> None:
    actor = rig.actor
    first, second = send_right(actor), send_right(actor)
    if which != KERNEL:
        assert actor.call(GET_SPECIAL_PORT, which) == (NULL,)
    for name in (first, second):
        actor.call(SET_SPECIAL_PORT, which, Give(name, MOVE_SEND))
        assert actor.space.references(name, Right.SEND) == 0
        assert actor.call(GET_SPECIAL_PORT, which) == (name,)
        assert actor.space.references(name, Right.SEND) == 1, "a new send right"
        actor.space.deallocate(name)
    assert actor.space.entries[first].port.send_rights == 0, "the replaced one was given up"
    actor.call(SET_SPECIAL_PORT, which, None)
    assert actor.call(GET_SPECIAL_PORT, which) == (NULL,)
    actor.call(SET_SPECIAL_PORT, which, Give(DEAD, COPY_SEND))
    assert actor.call(GET_SPECIAL_PORT, which) == (NULL,)


def test_a_special_port_that_died_is_null(rig: KernelRig) -> None:
    actor = rig.actor
    name = send_right(actor)
    actor.call(SET_SPECIAL_PORT, BOOTSTRAP, Give(name, MOVE_SEND))
    actor.space.destroy_name(name)
    assert actor.call(GET_SPECIAL_PORT, BOOTSTRAP) == (NULL,)
    (child,) = actor.call(CREATE, 0)
    assert actor.rpc(child, GET_SPECIAL_PORT, BOOTSTRAP) == (0, (NULL,))


def test_the_kernel_port_is_the_task_and_can_be_put_back(rig: KernelRig) -> None:
    actor = rig.actor
    assert actor.call(GET_SPECIAL_PORT, KERNEL) == (actor.self_name,)
    for _ in range(3):
        actor.call(SET_SPECIAL_PORT, KERNEL, Give(actor.self_name, COPY_SEND))
    assert actor.trap("mach_task_self") == actor.self_name


@pytest.mark.parametrize("which", [0, 2, 5, -1, 2**31 - 1])
def test_unknown_special_ports(rig: KernelRig, which: int) -> None:
    actor = rig.actor
    name = send_right(actor)
    with rig.unchanged():
        assert actor.rpc(actor.self_name, GET_SPECIAL_PORT, which)[0] == KernReturn.INVALID_ARGUMENT
        assert actor.rpc(actor.self_name, SET_SPECIAL_PORT, which, Give(name, COPY_SEND))[0] == (
            KernReturn.INVALID_ARGUMENT)


def test_a_special_port_is_a_send_right(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    code = actor.rpc(actor.self_name, SET_SPECIAL_PORT, BOOTSTRAP, Give(port, MAKE_SEND_ONCE))[0]
    assert code == MigReturn.BAD_ARGUMENTS
    assert actor.take(port).ident == 71


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_registered_ports_are_always_four(rig: KernelRig, count: int) -> None:
    actor = rig.actor
    names = [send_right(actor) for _ in range(count)]
    actor.call(REGISTER, [Give(name, COPY_SEND) for name in names])
    (found,) = actor.call(LOOKUP)
    assert found.words == names + [NULL] * (4 - count)
    for name in names:
        assert actor.space.references(name, Right.SEND) == 2


def test_registering_again_gives_the_old_ports_up(rig: KernelRig) -> None:
    actor = rig.actor
    first, second = send_right(actor), send_right(actor)
    actor.call(REGISTER, [Give(first, MOVE_SEND)])
    actor.call(REGISTER, [Give(NULL, MOVE_SEND), Give(second, MOVE_SEND), Give(DEAD, MOVE_SEND)])
    assert actor.space.entries[first].port.send_rights == 0
    assert actor.call(LOOKUP)[0].words == [NULL, second, NULL, NULL]
    actor.space.destroy_name(second)
    assert actor.call(LOOKUP)[0].words == [NULL] * 4


@pytest.mark.parametrize("count", [5, 100])
def test_more_than_four_ports_are_too_many(rig: KernelRig, count: int) -> None:
    actor = rig.actor
    kept, name = send_right(actor), send_right(actor)
    actor.call(REGISTER, [Give(kept, COPY_SEND)])
    code = actor.rpc(actor.self_name, REGISTER, [Give(name, COPY_SEND)] * count)[0]
    assert code == KernReturn.INVALID_ARGUMENT
    assert actor.space.entries[name].port.send_rights == 1
    assert actor.call(LOOKUP)[0].words[0] == kept, "the old ones stay"


# -- threads and names ------------------------------------------------------------------------------------


def test_a_send_right_for_every_thread(rig: KernelRig) -> None:
    actor, other = rig.actor, rig.another()
    second = rig.second_thread(other)
    _, (found,) = actor.rpc(rig.name_of(actor, other.task), THREADS)
    objects = [actor.space.entries[name].port.kernel_object for name in found.words]
    assert objects == [other.thread, second.thread]
    assert {actor.names()[name] for name in found.words} == {(SEND, 1)}
    rig.kernel.terminate_thread(second.thread)
    _, (found,) = actor.rpc(rig.name_of(actor, other.task), THREADS)
    assert len(found.words) == 1


def test_a_task_without_threads(rig: KernelRig) -> None:
    actor = rig.actor
    (child,) = actor.call(CREATE, 0)
    _, (found,) = actor.rpc(child, THREADS)
    assert (found.address, found.words) == (0, [])


@pytest.mark.parametrize(("given", "kept"), [
    (b"name\0", "name"), (b"no end", "no end"), (b"x" * 64, "x" * 64), (b"a\0b\0", "a"), (b"\xff\xfe\0", "��"),
    (b"", "")])
def test_a_task_can_be_named(rig: KernelRig, given: bytes, kept: str) -> None:
    named: list[TaskNamed] = []
    rig.kernel.events.task_named.attach(named.append)
    actor, other = rig.actor, rig.another()
    body = bytes([12, 8, 0, 0x20]) + len(given).to_bytes(4, "little") + given + bytes(-len(given) % 8)
    answer = actor.request(rig.name_of(actor, other.task), SET_NAME, body)
    assert answer.code == 0
    assert other.task.name == kept
    assert [(event.task, event.name, event.by) for event in named] == [
        (other.task.number, kept, actor.task.number)]


def test_a_name_too_long_has_bad_arguments(rig: KernelRig) -> None:
    body = bytes([12, 8, 0, 0x20]) + (72).to_bytes(4, "little") + b"x" * 72
    assert rig.actor.request(rig.actor.self_name, SET_NAME, body).code == MigReturn.BAD_ARGUMENTS
