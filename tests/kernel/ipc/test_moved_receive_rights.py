"""Receive rights on the move: what stays with the port (mach-abi.md 5.4), and messages that
nobody could ever receive (5.7)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    RCV_TIMEOUT,
    Actor,
    Channel,
    Give,
    KernelRig,
    header,
    message,
    port_item,
    ports_item,
)

REQUEST_NOTIFICATION, RECEIVE_STATUS, MOD_REFS = 3214, 3217, 3208
SET_QLIMIT, SET_MSCOUNT, SET_SEQNO = 3210, 3211, 3218
NO_SENDERS, PORT_DESTROYED, PORT_DELETED, DEAD, SEND_ONCE_UNUSED = 70, 69, 65, 72, 71


def status(actor: Actor, port: int) -> list[int]:
    """set, seqno, mscount, qlimit, msgcount, sorights, srights, pdrequest, nsrequest"""
    (found,) = actor.call(RECEIVE_STATUS, port)
    return found


def move(channel: Channel, port: int) -> int:
    """Send the receive right; its name in the receiver."""
    assert channel.sender.send(message(channel.to, port_item(port, MOVE_RECEIVE))) == 0
    return channel.receiver.take(channel.port).word(8)


@pytest.mark.req("A-M04")
def test_the_new_holder_gets_the_messages_and_the_old_an_error(rig: KernelRig) -> None:
    channel = rig.channel()
    old, new = channel.sender, channel.receiver
    port = old.port()
    to_port = rig.give(old, port, new)
    new.send(header(to_port, ident=77))
    assert move(channel, port) == to_port, "the right joins the send right's name"
    assert old.receive(port, RCV_TIMEOUT) == MsgReturn.RCV_INVALID_NAME
    assert new.take(to_port).ident == 77


@pytest.mark.req("A-M04")
def test_only_one_task_can_receive_at_any_time(rig: KernelRig) -> None:
    """In the old space, on its way, in the new one: never two, and messages may come all the time."""
    channel = rig.channel()
    old, new, third = channel.sender, channel.receiver, rig.another()
    port = old.port()
    the_port = old.space.entries[port].port
    name = rig.give(old, port, third)
    third.send(header(name, ident=1))
    old.send(message(channel.to, port_item(port, MOVE_RECEIVE)))
    assert the_port.receiver is None
    assert old.receive(port, RCV_TIMEOUT) == MsgReturn.RCV_INVALID_NAME
    third.send(header(name, ident=2))
    arrived = new.take(channel.port).word(8)
    assert the_port.receiver is new.space
    third.send(header(name, ident=3))
    assert [new.take(arrived).ident for _ in range(3)] == [1, 2, 3]


def test_counts_start_over_and_limit_and_requests_stay(rig: KernelRig) -> None:
    channel = rig.channel()
    old, new = channel.sender, channel.receiver
    port, notify = old.port(), old.port()
    holder = rig.another()
    name = rig.give(old, port, holder)
    rig.give(old, port, holder, MAKE_SEND_ONCE)
    old.call(SET_QLIMIT, port, 9)
    old.call(SET_MSCOUNT, port, 4)
    old.call(SET_SEQNO, port, 8)
    old.call(REQUEST_NOTIFICATION, port, NO_SENDERS, 9, Give(notify, MAKE_SEND_ONCE))
    old.call(REQUEST_NOTIFICATION, port, PORT_DESTROYED, 0, Give(notify, MAKE_SEND_ONCE))
    holder.send(header(name))
    assert status(old, port) == [0, 8, 4, 9, 1, 1, 1, 1, 1]
    arrived = move(channel, port)
    assert status(new, arrived) == [0, 0, 0, 9, 1, 1, 1, 1, 1]
    new.take(arrived)
    holder.space.deallocate(name)
    assert old.take(notify).ident == NO_SENDERS


def test_a_receiver_is_told_that_the_right_left(rig: KernelRig) -> None:
    channel = rig.channel()
    port = channel.sender.port()
    waiting = rig.second_thread(channel.sender)
    assert waiting.receive(port) == BLOCKED
    move(channel, port)
    assert waiting.result() == MsgReturn.RCV_PORT_DIED


def test_a_blocked_sender_waits_on_through_the_move(rig: KernelRig) -> None:
    channel = rig.channel()
    port = channel.sender.port()
    client = rig.another()
    name = rig.give(channel.sender, port, client)
    for ident in range(5):
        client.send(header(name, ident=ident))
    assert client.send(header(name, ident=5)) == BLOCKED
    arrived = move(channel, port)
    assert client.result() == BLOCKED
    assert [channel.receiver.take(arrived).ident for _ in range(6)] == list(range(6))
    assert client.result() == 0


@pytest.mark.parametrize("with_send_right", [False, True])
def test_a_dead_name_request_stays_only_with_a_send_right(rig: KernelRig, with_send_right: bool) -> None:
    channel = rig.channel()
    old = channel.sender
    port, notify = old.port(), old.port()
    if with_send_right:
        rig.give(old, port, old)
    old.call(REQUEST_NOTIFICATION, port, DEAD, 0, Give(notify, MAKE_SEND_ONCE))
    arrived = move(channel, port)
    if not with_send_right:
        told = old.take(notify)
        assert (told.ident, told.word(8) & 0xFFFF_FFFF) == (PORT_DELETED, port)
        return
    assert old.poll(notify) is None
    channel.receiver.space.destroy_name(arrived)
    told = old.take(notify)
    assert (told.ident, told.word(8) & 0xFFFF_FFFF) == (DEAD, port)


@pytest.mark.parametrize("how", ["mailbox destroyed", "receiver ended"])
def test_a_right_whose_message_is_destroyed_dies(rig: KernelRig, how: str) -> None:
    channel = rig.channel()
    port = channel.sender.port()
    name = rig.give(channel.sender, port, channel.sender)
    channel.sender.send(message(channel.to, port_item(port, MOVE_RECEIVE)))
    if how == "mailbox destroyed":
        channel.receiver.space.destroy_name(channel.port)
    else:
        rig.kernel.terminate_task(channel.receiver.task, None, "test")
    assert channel.sender.names()[name] == (DEAD_NAME, 1)


# -- circles -----------------------------------------------------------------------------------


def loop(actor: Actor, length: int) -> list[int]:
    """Ports whose receive rights are queued each at the next, the last one still held."""
    ports = [actor.port() for _ in range(length)]
    for port in ports:
        actor.space.insert(actor.space.take(port, MAKE_SEND))
    for port, following in pairwise(ports):
        assert actor.send(message(following, port_item(port, MOVE_RECEIVE))) == 0
    return ports


@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_circle_of_receive_rights_vanishes_and_the_send_succeeds(rig: KernelRig, length: int) -> None:
    actor = rig.another()
    ports = loop(actor, length)
    before = len(rig.kernel.zone.live)
    assert actor.send(message(ports[0], port_item(ports[-1], MOVE_RECEIVE))) == 0
    assert {actor.names()[port] for port in ports} == {(DEAD_NAME, 1)}
    assert len(rig.kernel.zone.live) == before - length


def test_what_a_circular_message_carries_besides_is_destroyed(rig: KernelRig) -> None:
    actor = rig.actor
    port, other, witness = actor.port(), actor.port(), actor.port()
    octets = message(port, ports_item([port, other], MOVE_RECEIVE), port_item(witness, MAKE_SEND_ONCE),
                     remote_use=MAKE_SEND, local=witness, local_use=MAKE_SEND_ONCE)
    assert actor.send(octets) == 0
    assert not {port, other} & actor.names().keys()
    assert [actor.take(witness).ident for _ in range(2)] == [SEND_ONCE_UNUSED] * 2


def test_a_circle_through_a_blocked_sender_ends_with_it(rig: KernelRig) -> None:
    """It closes only while the second message waits for room, which will never come."""
    actor = rig.another()
    first, second = actor.port(), actor.port()
    for port in (first, second):
        actor.space.insert(actor.space.take(port, MAKE_SEND))
    for _ in range(5):
        actor.send(header(second))
    blocked = rig.second_thread(actor)
    before = len(rig.kernel.zone.live)
    assert blocked.send(message(second, port_item(first, MOVE_RECEIVE))) == BLOCKED
    assert actor.send(message(first, port_item(second, MOVE_RECEIVE))) == 0
    rig.kernel.terminate_thread(blocked.thread)
    assert len(rig.kernel.zone.live) == before - 3, "both ports and the thread's"


def test_a_right_to_the_own_mailbox_is_no_circle(rig: KernelRig) -> None:
    """Only receive rights count, and only those on their way."""
    channel = rig.channel()
    port = channel.receiver.port()
    name = rig.give(channel.receiver, port, channel.sender)
    assert channel.sender.send(message(channel.to, port_item(channel.to, COPY_SEND), port_item(name, COPY_SEND))) == 0
    assert channel.receiver.take(channel.port).word(8) == channel.port


def test_a_port_destroyed_request_on_itself_is_circular(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    actor.call(REQUEST_NOTIFICATION, port, PORT_DESTROYED, 0, Give(port, MAKE_SEND_ONCE))
    before = len(rig.kernel.zone.live)
    actor.space.destroy_name(port)
    assert len(rig.kernel.zone.live) == before - 1


def test_a_deep_nest_of_receive_rights_is_destroyed(rig: KernelRig) -> None:
    actor = rig.another()
    ports = loop(actor, 300)
    before = len(rig.kernel.zone.live)
    actor.call(MOD_REFS, ports[-1], Right.RECEIVE, -1)
    assert len(rig.kernel.zone.live) == before - 300
