"""The end of a task that holds, waits for and owes everything a task can."""

from __future__ import annotations

import struct

import pytest

from machemu.kernel.events import TaskEnded, ThreadEnded
from machemu.kernel.ipc.right import DEAD_NAME, Right
from machemu.kernel.results import KernelError
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    PAGE,
    SCRATCH,
    UNMAPPED,
    Actor,
    Give,
    KernelRig,
    header,
    message,
    port_item,
    port_region_item,
    ports_item,
    region_item,
)

REQUEST_NOTIFICATION, MOVE_MEMBER, REGISTER, SET_SPECIAL_PORT, DEVICE_READ = 3214, 3213, 2033, 2059, 2804
EXCEPTION, BOOTSTRAP = 3, 4


def entangled(rig: KernelRig, friend: Actor) -> Actor:
    """A task that has a hand in everything, with `friend` on the other side."""
    actor = rig.another()
    names = rig.names_of_every_kind(actor)
    for name in (names["send"], names["send-once"]):
        actor.call(REQUEST_NOTIFICATION, name, 72, 0, Give(names["receive"], MAKE_SEND_ONCE))
    for ident in (69, 70):
        actor.call(REQUEST_NOTIFICATION, names["send and receive"], ident, 0, Give(names["receive"], MAKE_SEND_ONCE))
    actor.call(MOVE_MEMBER, names["send and receive"], names["port set"])
    actor.call(REGISTER, [Give(names["send"], COPY_SEND)] * 3)
    for which in (EXCEPTION, BOOTSTRAP):
        actor.call(SET_SPECIAL_PORT, which, Give(names["send and receive"], COPY_SEND))
    # Messages of every sort in its queues and on their way from it.
    there, back = rig.channel(actor, friend), rig.channel(friend, actor)
    for channel in (there, back):
        sender = channel.sender
        mine = sender.port()
        sender.memory.write(SCRATCH, struct.pack("<2I", mine, mine))
        for _ in range(4):
            sender.send(message(channel.to, ports_item([mine, mine], MAKE_SEND), region_item(SCRATCH, 3 * PAGE),
                                port_region_item(SCRATCH, 2, MAKE_SEND_ONCE), port_item(sender.port(), MOVE_RECEIVE),
                                local=mine, local_use=MAKE_SEND_ONCE))
        sender.send(header(channel.to))
    # Threads that wait for all there is to wait for.
    assert rig.second_thread(actor).receive(names["receive"]) == BLOCKED
    assert rig.second_thread(actor).receive(names["port set"], 0x100, 1000) == BLOCKED
    assert rig.second_thread(actor).send(message(there.to, port_item(actor.port(), MOVE_RECEIVE))) == BLOCKED
    assert rig.second_thread(actor).trap("thread_switch", 0, 2, 1000) == BLOCKED
    rig.second_thread(actor).thread.suspend()
    rig.kernel.create_thread(actor.task)
    # Devices that owe it an answer, reach its memory or belong to it.
    console = rig.name_of(actor, rig.kernel.devices.open("console", actor.task))
    disk = rig.name_of(actor, rig.kernel.devices.open("hd0", actor.task))
    for device, octets in ((console, 10), (disk, 512)):
        body, _ = actor.request_body(DEVICE_READ, 0, 0, octets)
        actor.send(header(device, actor.port(), COPY_SEND, MAKE_SEND_ONCE, DEVICE_READ, 32 + len(body)) + body)
    queue_pair = rig.name_of(actor, rig.kernel.devices.open("eth0q0", actor.task))
    actor.memory.allocate(UNMAPPED, 4 * PAGE, False)
    assert actor.rpc(queue_pair, 4604, Give(actor.self_name, COPY_SEND), UNMAPPED, 4 * PAGE, 3)[0] == 0
    actor.memory.inherit(UNMAPPED, PAGE, 0)
    rig.kernel.create_task(actor.task, inherit_memory=True)
    return actor


@pytest.mark.req("A-M12")
@pytest.mark.parametrize("first", ["entangled", "friend"])
def test_everything_is_given_up(rig: KernelRig, first: str) -> None:
    before = rig.counts()
    friend = rig.another()
    friend_name, base = rig.name_of(rig.actor, friend.task), len(rig.kernel.zone.live)
    actor = entangled(rig, friend)
    assert base < len(rig.kernel.zone.live)
    rig.check()
    order = [actor, friend] if first == "entangled" else [friend, actor]
    for one in order:
        rig.kernel.terminate_task(one.task, None, "test")
        rig.check()
    rig.pass_time(10_000_000_000)
    assert rig.actor.names()[friend_name] == (DEAD_NAME, 1)
    for task in list(rig.kernel.tasks.values()):
        if task is not rig.actor.task:
            rig.kernel.terminate_task(task, None, "test")
    rig.space.destroy_name(friend_name)
    for name in ("console", "hd0"):
        rig.kernel.devices.close(rig.kernel.devices.open(name, rig.actor.task))
        rig.kernel.devices.close(rig.kernel.devices.open(name, rig.actor.task))
    rig.check()
    after = rig.counts()
    assert (after.tasks, after.frames, after.names[0]) == (1, before.frames, before.names[0])
    assert not rig.kernel.pool.pins


def test_the_end_is_told(rig: KernelRig) -> None:
    tasks: list[TaskEnded] = []
    threads: list[ThreadEnded] = []
    rig.kernel.events.task_ended.attach(tasks.append)
    rig.kernel.events.thread_ended.attach(threads.append)
    actor = rig.another()
    second = rig.second_thread(actor)
    actor.task.name = "victim"
    rig.kernel.terminate_task(actor.task, 3, "a reason")
    assert tasks == [TaskEnded(actor.task.number, "victim", 3, "a reason")]
    assert {event.thread for event in threads} == {actor.thread.number, second.thread.number}


def test_a_task_ends_once(rig: KernelRig) -> None:
    actor = rig.another()
    rig.kernel.terminate_task(actor.task, 3, "first")
    with pytest.raises(KernelError):
        rig.kernel.terminate_task(actor.task, 4, "second")
    assert actor.task.status == 3
    with pytest.raises(KernelError):
        rig.kernel.create_thread(actor.task)


def test_numbers_are_never_used_twice(rig: KernelRig) -> None:
    seen = set()
    for _ in range(5):
        task = rig.kernel.create_task(None)
        assert task.number not in seen
        seen.add(task.number)
        rig.kernel.terminate_task(task, None, "test")


def test_watchers_learn_of_the_end_by_the_task_port(rig: KernelRig) -> None:
    actor, victim = rig.actor, rig.another()
    notify = actor.port()
    name = rig.name_of(actor, victim.task)
    thread = rig.name_of(actor, victim.thread)
    for watched in (name, thread):
        actor.call(REQUEST_NOTIFICATION, watched, 72, 0, Give(notify, MAKE_SEND_ONCE))
    rig.kernel.terminate_task(victim.task, None, "test")
    told = {actor.take(notify).word(8) & 0xFFFF_FFFF for _ in range(2)}
    assert told == {name, thread}
    assert actor.space.references(name, Right.DEAD_NAME) == 2


def test_tasks_that_come_and_go_leave_nothing(rig: KernelRig) -> None:
    friend = rig.actor
    counts = []
    for _ in range(4):
        actor = rig.another()
        there, back = rig.channel(actor, friend), rig.channel(friend, actor)
        there.sender.send(header(there.to, actor.port(), COPY_SEND, MAKE_SEND_ONCE))
        friend.take(there.port)
        back.sender.send(header(back.to, back.sender.port(), COPY_SEND, MAKE_SEND))
        rig.kernel.terminate_task(actor.task, None, "test")
        for name in list(friend.names()):
            if name != friend.self_name:
                friend.space.destroy_name(name)
        counts.append((len(rig.kernel.zone.live), rig.kernel.pool.used, len(friend.names())))
    assert len(set(counts)) == 1
