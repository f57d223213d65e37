"""The death of a port (mach-abi.md 5.5, 5.6), and that each port has one manager at most."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    RCV_TIMEOUT,
    SCRATCH,
    Channel,
    Give,
    KernelRig,
    header,
    message,
    port_item,
    port_region_item,
    ports_item,
    region_item,
)

DESTROY, MOD_REFS, REQUEST_NOTIFICATION, TASK_TERMINATE = 3205, 3208, 3214, 2008
SEND_ONCE_UNUSED: Final = 71


def destroy(rig: KernelRig, channel: Channel) -> None:
    channel.receiver.call(DESTROY, channel.port)


def give_up_the_right(rig: KernelRig, channel: Channel) -> None:
    channel.receiver.call(MOD_REFS, channel.port, Right.RECEIVE, -1)


def end_the_task(rig: KernelRig, channel: Channel) -> None:
    rig.kernel.terminate_task(channel.receiver.task, None, "test")


def destroy_in_a_message(rig: KernelRig, channel: Channel) -> None:
    other = rig.channel(channel.receiver, channel.sender)
    channel.receiver.send(message(other.to, port_item(channel.port, MOVE_RECEIVE)))
    other.receiver.space.destroy_name(other.port)


WAYS: Final = [destroy, give_up_the_right, end_the_task, destroy_in_a_message]
by_any_way = pytest.mark.parametrize("die", WAYS, ids=lambda way: way.__name__)


@by_any_way
def test_every_right_becomes_a_dead_name(rig: KernelRig, die: Callable[[KernelRig, Channel], None]) -> None:
    channel = rig.channel()
    once = rig.give(channel.receiver, channel.port, channel.sender, MAKE_SEND_ONCE)
    other = rig.another()
    theirs = rig.give(channel.receiver, channel.port, other)
    other.space.change_references(theirs, Right.SEND, 3)
    die(rig, channel)
    assert channel.sender.names()[channel.to] == (DEAD_NAME, 1)
    assert channel.sender.names()[once] == (DEAD_NAME, 1)
    assert other.names()[theirs] == (DEAD_NAME, 4)
    assert channel.sender.send(header(channel.to)) == MsgReturn.SEND_INVALID_DEST
    assert channel.sender.send(header(once, remote_use=MOVE_SEND_ONCE)) == MsgReturn.SEND_INVALID_DEST


@by_any_way
def test_what_is_queued_is_destroyed(rig: KernelRig, die: Callable[[KernelRig, Channel], None]) -> None:
    channel = rig.channel()
    sender = channel.sender
    reply, witness, inside = sender.port(), sender.port(), sender.port()
    held = rig.give(sender, inside, sender)
    frames = rig.kernel.pool.used
    sender.memory.write(SCRATCH, struct.pack("<2I", witness, witness))
    sender.send(message(channel.to, port_item(witness, MAKE_SEND), port_item(inside, MOVE_RECEIVE),
                        region_item(SCRATCH, 3000), port_region_item(SCRATCH, 2, MAKE_SEND_ONCE), local=reply,
                        local_use=MAKE_SEND_ONCE))
    die(rig, channel)
    assert [sender.take(witness).ident for _ in range(2)] == [SEND_ONCE_UNUSED] * 2
    assert sender.take(reply).ident == SEND_ONCE_UNUSED
    assert sender.names()[held] == (DEAD_NAME, 1), "a receive right in the queue dies in turn"
    the_port = sender.space.entries[witness].port
    assert (the_port.send_rights, the_port.send_once_rights) == (0, 0)
    assert rig.kernel.pool.used <= frames


@pytest.mark.parametrize("die", [destroy, give_up_the_right, destroy_in_a_message], ids=lambda way: way.__name__)
def test_receivers_are_told(rig: KernelRig, die: Callable[[KernelRig, Channel], None]) -> None:
    channel = rig.channel()
    waiting = [rig.second_thread(channel.receiver) for _ in range(2)]
    for thread in waiting:
        assert thread.receive(channel.port) == BLOCKED
    die(rig, channel)
    assert [thread.result() for thread in waiting] == [MsgReturn.RCV_PORT_DIED] * 2


def test_a_server_that_dies_at_work_fails_its_clients_call(rig: KernelRig) -> None:
    client, to, server, port = rig.channel()
    reply = client.port()
    assert client.send_and_receive(header(to, reply, local_use=MAKE_SEND_ONCE), reply) == BLOCKED
    server.take(port)
    rig.kernel.terminate_task(server.task, None, "test")
    assert client.result() == 0
    assert client.received(0x20000).ident == SEND_ONCE_UNUSED


def test_a_reply_to_a_client_that_died_cannot_be_sent(rig: KernelRig) -> None:
    client, to, server, port = rig.channel(rig.another(), rig.actor)
    client.send(header(to, client.port(), local_use=MAKE_SEND_ONCE))
    request = server.take(port)
    rig.kernel.terminate_task(client.task, None, "test")
    before = server.names()
    assert before[request.remote] == (DEAD_NAME, 1)
    assert server.send(header(request.remote, remote_use=MOVE_SEND_ONCE)) == MsgReturn.SEND_INVALID_DEST
    assert server.names() == before, "nothing done: the dead name is still to be deallocated"


def test_a_last_message_to_a_dying_task_is_lost_without_harm(rig: KernelRig) -> None:
    """Two tasks hold each other's rights, in spaces and in queues, and both end."""
    first, second = rig.another(), rig.another()
    ports = len(rig.kernel.zone.live)
    there, back = rig.channel(first, second), rig.channel(second, first)
    for channel in (there, back):
        mine = channel.sender.port()
        channel.sender.send(message(channel.to, ports_item([mine, mine], MAKE_SEND), port_item(mine, MAKE_SEND_ONCE),
                                    port_item(mine, MOVE_RECEIVE), local=channel.sender.port(),
                                    local_use=MAKE_SEND))
    first.send(message(there.to, port_item(there.to, COPY_SEND)))
    for actor in (first, second):
        rig.kernel.terminate_task(actor.task, None, "test")
        rig.check()
    assert len(rig.kernel.zone.live) == ports - 4, "the ports of two tasks and their threads"


def test_a_task_told_of_its_own_death_hears_nothing(rig: KernelRig) -> None:
    """Requests of every kind whose notify ports die with the space."""
    actor = rig.another()
    ports = len(rig.kernel.zone.live)
    port, notify = actor.port(), actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    theirs = rig.give(rig.actor, rig.actor.port(), actor)
    for name, ident in ((port, 69), (port, 70), (port, 72), (theirs, 72), (notify, 69)):
        actor.call(REQUEST_NOTIFICATION, name, ident, 0, Give(notify, MAKE_SEND_ONCE))
    rig.kernel.terminate_task(actor.task, None, "test")
    rig.check()
    assert len(rig.kernel.zone.live) == ports - 2 + 1, "one port of the first actor is new"


# -- one manager --------------------------------------------------------------------------------


def places(rig: KernelRig, number: int) -> list[str]:
    """Where the receive right of port `number` is, looked for everywhere."""
    found = [f"task {task.number}" for task in rig.kernel.tasks.values() for entry in task.space.entries.values()
             if entry.kind & RECEIVE and entry.port.number == number]
    for port in rig.kernel.zone.live:
        found += ["message" for one in port.queue.messages if one.dest is port for right in one.rights()
                  if right is not None and right.port.number == number and right.kind == MOVE_RECEIVE]
        if port.number == number and port.kernel_object is not None:
            found.append("kernel")
    if number not in {port.number for port in rig.kernel.zone.live}:
        found.append("dead")
    return found


@pytest.mark.req("A-M07")
def test_a_port_has_one_manager_or_is_dead(rig: KernelRig) -> None:
    channel = rig.channel()
    sender, receiver = channel.sender, channel.receiver
    port = sender.port()
    number = sender.space.entries[port].port.number
    name = rig.give(sender, port, sender)
    assert places(rig, number) == [f"task {sender.task.number}"]
    sender.send(message(channel.to, port_item(port, MOVE_RECEIVE)))
    assert places(rig, number) == ["message"]
    arrived = receiver.take(channel.port).word(8)
    assert places(rig, number) == [f"task {receiver.task.number}"]
    receiver.call(DESTROY, arrived)
    assert places(rig, number) == ["dead"]
    assert sender.names()[name] == (DEAD_NAME, 1)
    assert places(rig, receiver.task.self_port.number) == ["kernel"]


@pytest.mark.req("A-M07")
def test_a_second_manager_would_be_noticed(rig: KernelRig) -> None:
    """The check that the rig makes after every trap."""
    channel = rig.channel()
    port = channel.receiver.space.entries[channel.port].port
    entry = channel.sender.space.entries[channel.to]
    entry.kind = SEND | RECEIVE
    with pytest.raises(AssertionError):
        rig.check()
    entry.kind, rig.broken = SEND, False
    port.kernel_object = object()
    with pytest.raises(AssertionError):
        rig.check()
    port.kernel_object, rig.broken = None, False


@pytest.mark.req("A-M05")
def test_three_tasks_hold_send_rights_to_one_port(rig: KernelRig) -> None:
    port = rig.actor.port()
    senders = [rig.another() for _ in range(3)]
    names = [rig.give(rig.actor, port, sender) for sender in senders]
    for number, (sender, name) in enumerate(zip(senders, names, strict=True)):
        assert sender.names()[name] == (SEND, 1)
        assert sender.send(header(name, ident=number)) == 0
    the_port = rig.space.entries[port].port
    assert {sender.space.entries[name].port for sender, name in zip(senders, names, strict=True)} == {the_port}
    assert the_port.send_rights == 6, "the messages on their way hold one each"
    assert [rig.actor.take(port).ident for _ in range(3)] == [0, 1, 2]
    assert the_port.send_rights == 3
    senders[0].space.deallocate(names[0])
    assert senders[1].send(header(names[1])) == 0, "the others keep theirs"
    copy = rig.give(senders[1], names[1], senders[0], COPY_SEND)
    assert senders[0].names()[copy] == senders[1].names()[names[1]] == (SEND, 1), "who gives a copy keeps its own"


@pytest.mark.req("A-M06")
def test_a_send_once_right_sends_once(rig: KernelRig) -> None:
    port = rig.actor.port()
    client = rig.another()
    name = rig.give(rig.actor, port, client, MAKE_SEND_ONCE)
    assert client.names()[name] == (SEND_ONCE, 1)
    assert client.send(header(name, remote_use=MOVE_SEND_ONCE, ident=3)) == 0
    assert name not in client.names()
    assert client.send(header(name, remote_use=MOVE_SEND_ONCE)) == MsgReturn.SEND_INVALID_DEST
    found = rig.actor.take(port)
    assert (found.local_use, found.ident) == (MOVE_SEND_ONCE, 3)
    assert rig.actor.receive(port, RCV_TIMEOUT) == MsgReturn.RCV_TIMED_OUT


@pytest.mark.parametrize("use", [MOVE_SEND, COPY_SEND, MAKE_SEND])
def test_a_dead_port_as_a_body_name_is_just_that(rig: KernelRig, use: int) -> None:
    sender, to, receiver, port = rig.channel()
    sender.send(message(to, port_item(DEAD, use)))
    assert receiver.take(port).word(8) == DEAD
