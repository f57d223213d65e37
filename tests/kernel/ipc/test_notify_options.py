"""The options of mach_msg that take `notify`: MACH_SEND_NOTIFY, MACH_SEND_CANCEL and
MACH_RCV_NOTIFY (mach-abi.md 2.6, 2.7)."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.ipc.right import ACCEPTED_REQUESTED, DEAD_NAME_REQUESTED, SEND, Right
from machemu.kernel.results import MsgReturn
from tests.kernel.ipc.test_notifications import (
    DEAD_NAME_TOLD,
    DEALLOCATE,
    PORT_DELETED,
    RENAME,
    TYPE,
    assert_notification,
    request,
    told_name,
)
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    NO_NAME,
    NULL,
    RCV,
    RECEIVE_BUFFER,
    SEND_TIMEOUT,
    Actor,
    Channel,
    KernelRig,
    header,
)
from tests.support.rig import SEND as SEND_OPTION

MS: Final = 1_000_000  # ns
SEND_NOTIFY, SEND_CANCEL, RCV_NOTIFY = 0x20, 0x80, 0x200
SET_QLIMIT, ACCEPTED, LIMIT = 3210, 66, 5
CHANGED: Final = 9  # an ident


def send(actor: Actor, octets: bytes, option: int, notify: int, timeout: int = 0) -> int | str:
    actor.memory.write(BUFFER, octets)
    return actor.trap("mach_msg_trap", BUFFER, SEND_OPTION | option, len(octets), 0, 0, timeout, notify)


def receive(actor: Actor, name: int, notify: int, option: int = RCV_NOTIFY) -> int | str:
    return actor.trap("mach_msg_trap", RECEIVE_BUFFER, RCV | option, 0, 0x4000, name, 0, notify)


def type_of(actor: Actor, name: int) -> int:
    return int(actor.call(TYPE, name)[0])  # type: ignore[call-overload]


@pytest.fixture
def full(rig: KernelRig) -> Channel:
    """A channel whose queue has no room."""
    channel = rig.channel()
    for ident in range(LIMIT):
        assert channel.sender.send(header(channel.to, ident=ident)) == 0
    return channel


# -- MACH_SEND_NOTIFY ------------------------------------------------------------------------


def test_a_message_that_finds_room_is_sent_as_ever(rig: KernelRig) -> None:
    channel = rig.channel()
    assert send(channel.sender, header(channel.to), SEND_NOTIFY, NULL) == 0
    assert channel.receiver.take(channel.port).ident == 1000


def test_a_message_is_forced_and_told_of_when_it_is_received(full: Channel) -> None:
    sender, receiver = full.sender, full.receiver
    notify = sender.port()
    assert send(sender, header(full.to, ident=CHANGED), SEND_NOTIFY, notify) == MsgReturn.SEND_WILL_NOTIFY
    assert type_of(sender, full.to) == SEND | ACCEPTED_REQUESTED
    for ident in range(LIMIT):
        assert receiver.take(full.port).ident == ident
        assert sender.poll(notify) is None
    assert receiver.take(full.port).ident == CHANGED
    told = sender.take(notify)
    assert_notification(told, ACCEPTED)
    assert told_name(told) == full.to
    assert type_of(sender, full.to) == SEND


def test_it_waits_first_as_long_as_is_asked(rig: KernelRig, full: Channel) -> None:
    notify = full.sender.port()
    assert send(full.sender, header(full.to), SEND_NOTIFY | SEND_TIMEOUT, notify, 20) == BLOCKED
    rig.pass_time(20 * MS)
    assert full.sender.result() == MsgReturn.SEND_WILL_NOTIFY
    second = rig.second_thread(full.sender)
    assert send(second, header(full.to), SEND_NOTIFY | SEND_TIMEOUT, notify, 20) == BLOCKED
    for _ in range(2):
        full.receiver.take(full.port)
    assert second.result() == 0, "there was room in time"


def test_a_second_one_is_given_back_while_the_first_is_outstanding(full: Channel) -> None:
    sender = full.sender
    notify = sender.port()
    assert send(sender, header(full.to), SEND_NOTIFY, notify) == MsgReturn.SEND_WILL_NOTIFY
    before = sender.names()
    assert send(sender, header(full.to), SEND_NOTIFY, NULL) == MsgReturn.SEND_NOTIFY_IN_PROGRESS
    assert sender.names()[full.to] == (SEND, before[full.to][1] + 1), "a pseudo-receive"


@pytest.mark.parametrize("kind", ["none", "null", "send right", "port set", "dead name"])
def test_notify_must_be_a_receive_right(rig: KernelRig, full: Channel, kind: str) -> None:
    sender = full.sender
    notify = {"none": NO_NAME, "null": NULL, "send right": rig.channel(sender).to,
              "port set": sender.port(Right.PORT_SET), "dead name": sender.port(Right.DEAD_NAME)}[kind]
    assert send(sender, header(full.to), SEND_NOTIFY, notify) == MsgReturn.SEND_INVALID_NOTIFY
    assert sender.received(BUFFER).remote == full.to
    assert sender.names()[full.to] == (SEND, 2), "a pseudo-receive"


@pytest.mark.parametrize("loss", ["deallocated", "moved", "port dies"])
def test_a_name_that_has_gone_is_told_as_null(full: Channel, loss: str) -> None:
    sender = full.sender
    notify = sender.port()
    use = MOVE_SEND if loss == "moved" else COPY_SEND
    assert send(sender, header(full.to, remote_use=use), SEND_NOTIFY, notify) == MsgReturn.SEND_WILL_NOTIFY
    if loss == "deallocated":
        sender.call(DEALLOCATE, full.to)
    if loss == "port dies":
        full.receiver.space.destroy_name(full.port)
        expected = full.to  # destroyed before the name is found dead
    else:
        for _ in range(LIMIT + 1):
            full.receiver.take(full.port)
        expected = NULL
    assert told_name(sender.take(notify)) == expected


def test_a_name_that_was_changed_is_told_as_it_is(full: Channel) -> None:
    sender = full.sender
    notify = sender.port()
    assert send(sender, header(full.to), SEND_NOTIFY, notify) == MsgReturn.SEND_WILL_NOTIFY
    sender.call(RENAME, full.to, 0x7700)
    for _ in range(LIMIT + 1):
        full.receiver.take(full.port)
    assert told_name(sender.take(notify)) == 0x7700


def test_who_forced_a_message_may_end(rig: KernelRig, full: Channel) -> None:
    other = rig.another()
    to = rig.give(full.receiver, full.port, other)
    assert send(other, header(to), SEND_NOTIFY, other.port()) == MsgReturn.SEND_WILL_NOTIFY
    rig.kernel.terminate_task(other.task, None, "test")
    for _ in range(LIMIT + 1):
        full.receiver.take(full.port)


def test_a_receiver_that_waits_at_a_queue_without_room_gets_the_forced_message(rig: KernelRig) -> None:
    channel = rig.channel()
    channel.receiver.call(SET_QLIMIT, channel.port, 0)
    assert channel.receiver.receive(channel.port) == BLOCKED
    notify = channel.sender.port()
    assert send(channel.sender, header(channel.to), SEND_NOTIFY, notify) == MsgReturn.SEND_WILL_NOTIFY
    assert channel.receiver.result() == 0
    assert channel.sender.take(notify).ident == ACCEPTED


# -- MACH_SEND_CANCEL ------------------------------------------------------------------------


@pytest.mark.parametrize("use", [MOVE_SEND, MOVE_SEND_ONCE])
@pytest.mark.parametrize("cancels", [True, False])
def test_a_request_on_a_destination_that_is_moved_away_is_dropped_silently(
        rig: KernelRig, use: int, cancels: bool) -> None:
    sender, receiver = rig.actor, rig.another()
    to = rig.give(receiver, receiver.port(), sender, MAKE_SEND if use == MOVE_SEND else MAKE_SEND_ONCE)
    notify = sender.port()
    request(sender, to, DEAD_NAME_TOLD, 0, notify)
    assert send(sender, header(to, remote_use=use), SEND_CANCEL if cancels else 0, notify) == 0
    told = sender.poll(notify)
    assert (told is None) if cancels else (told is not None and told.ident == PORT_DELETED)


def test_a_request_of_another_port_is_not_dropped(rig: KernelRig) -> None:
    channel = rig.channel()
    sender = channel.sender
    notify, other = sender.port(), sender.port()
    request(sender, channel.to, DEAD_NAME_TOLD, 0, notify)
    assert send(sender, header(channel.to, remote_use=MOVE_SEND), SEND_CANCEL, other) == 0
    assert sender.take(notify).ident == PORT_DELETED


@pytest.mark.parametrize("use", [COPY_SEND, MOVE_SEND])
def test_a_name_that_stays_keeps_its_request(rig: KernelRig, use: int) -> None:
    channel = rig.channel()
    sender = channel.sender
    rig.give(channel.receiver, channel.port, sender)  # a second reference
    notify = sender.port()
    request(sender, channel.to, DEAD_NAME_TOLD, 0, notify)
    assert send(sender, header(channel.to, remote_use=use), SEND_CANCEL, notify) == 0
    assert type_of(sender, channel.to) == SEND | DEAD_NAME_REQUESTED


def test_one_name_moved_as_destination_and_reply_goes_with_its_request(rig: KernelRig) -> None:
    channel = rig.channel()
    sender = channel.sender
    rig.give(channel.receiver, channel.port, sender)
    notify = sender.port()
    request(sender, channel.to, DEAD_NAME_TOLD, 0, notify)
    octets = header(channel.to, channel.to, MOVE_SEND, MOVE_SEND)
    assert send(sender, octets, SEND_CANCEL, notify) == 0
    assert sender.poll(notify) is None


def test_notify_of_cancel_must_be_a_receive_right_and_nothing_is_done(rig: KernelRig) -> None:
    channel = rig.channel()
    sender = channel.sender
    for notify in (NULL, NO_NAME, channel.to, sender.port(Right.PORT_SET)):
        before = sender.names()
        octets = header(channel.to, remote_use=MOVE_SEND)
        assert send(sender, octets, SEND_CANCEL, notify) == MsgReturn.SEND_INVALID_NOTIFY
        assert sender.names() == before


def test_errors_of_cancel_come_in_their_order(rig: KernelRig) -> None:
    sender = rig.actor
    bad_use = header(NO_NAME, remote_use=5)
    assert send(sender, bad_use[:24], SEND_CANCEL, NULL) == MsgReturn.SEND_MSG_TOO_SMALL
    assert send(sender, bad_use, SEND_CANCEL, NULL) == MsgReturn.SEND_INVALID_NOTIFY
    assert send(sender, bad_use, SEND_CANCEL, NO_NAME) == MsgReturn.SEND_INVALID_HEADER
    assert send(sender, header(NO_NAME), SEND_CANCEL, NO_NAME) == MsgReturn.SEND_INVALID_NOTIFY
    assert send(sender, header(NO_NAME), SEND_CANCEL, sender.port()) == MsgReturn.SEND_INVALID_DEST


# -- MACH_RCV_NOTIFY -------------------------------------------------------------------------


def ask(channel: Channel, use: int = MAKE_SEND_ONCE) -> int:
    """Send with a reply port; its name."""
    reply = channel.sender.port()
    assert channel.sender.send(header(channel.to, reply, local_use=use)) == 0
    return reply


@pytest.mark.parametrize("use", [MAKE_SEND, MAKE_SEND_ONCE])
@pytest.mark.parametrize("waits", [False, True])
def test_a_new_name_of_the_reply_right_gets_a_request(rig: KernelRig, use: int, waits: bool) -> None:
    channel = rig.channel()
    receiver = channel.receiver
    notify = receiver.port()
    if waits:
        assert receive(receiver, channel.port, notify) == BLOCKED
        reply = ask(channel, use)
        assert receiver.result() == 0
    else:
        reply = ask(channel, use)
        assert receive(receiver, channel.port, notify) == 0
    name = receiver.received().remote
    assert type_of(receiver, name) & DEAD_NAME_REQUESTED
    channel.sender.space.destroy_name(reply)
    told = receiver.take(notify)
    assert_notification(told, DEAD_NAME_TOLD)
    assert told_name(told) == name


def test_a_name_that_was_there_gets_none(rig: KernelRig) -> None:
    channel = rig.channel()
    receiver = channel.receiver
    reply = channel.sender.port()
    known = rig.give(channel.sender, reply, receiver)
    assert channel.sender.send(header(channel.to, reply, local_use=MAKE_SEND)) == 0
    assert receive(receiver, channel.port, receiver.port()) == 0
    assert receiver.received().remote == known
    assert type_of(receiver, known) == SEND


@pytest.mark.parametrize("with_reply", [False, True])
@pytest.mark.parametrize("notify", [NULL, NO_NAME])
def test_a_bad_notify_of_a_receive_destroys_the_message(rig: KernelRig, notify: int, with_reply: bool) -> None:
    channel = rig.channel()
    reply = ask(channel) if with_reply else NULL
    if not with_reply:
        assert channel.sender.send(header(channel.to)) == 0
    assert receive(channel.receiver, channel.port, notify) == MsgReturn.RCV_INVALID_NOTIFY
    found = channel.receiver.received()
    assert (found.remote, found.local) == (NULL, channel.port)
    if with_reply:
        assert channel.sender.take(reply).ident == 71, "its send-once right was destroyed"
