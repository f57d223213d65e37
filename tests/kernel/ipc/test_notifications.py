"""Notifications: dead names, no senders, unused send-once rights, moved receive rights."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, MACH_PORT_DEAD, Carried, Right
from machemu.kernel.results import KernelError, KernReturn
from tests.support.rig import MAKE_SEND, MAKE_SEND_ONCE, MOVE_SEND_ONCE, KernelRig, header, port_item

PORT_DELETED, PORT_DESTROYED, NO_SENDERS, SEND_ONCE_UNUSED, DEAD = 65, 69, 70, 71, 72
REQUEST_NOTIFICATION = 3214


def request(rig: KernelRig, name: int, kind: int, sync: int, notify: int, actor=None):  # type: ignore[no-untyped-def]
    """mach_port_request_notification by message; its result code."""
    import struct

    actor = actor or rig.actor
    reply = actor.port()
    integer = struct.Struct("<Qi4x")
    body = (struct.pack("<QI4x", 1 << 32 | 1 << 29 | 32 << 8 | 15, name)
            + integer.pack(1 << 32 | 1 << 29 | 32 << 8 | 2, kind)
            + integer.pack(1 << 32 | 1 << 29 | 32 << 8 | 2, sync) + port_item(notify, MAKE_SEND_ONCE))
    octets = header(actor.self_name, reply, 19, MAKE_SEND_ONCE, REQUEST_NOTIFICATION, 96, True) + body
    assert actor.send(octets) == 0
    answer = actor.poll(reply)
    actor.space.destroy_name(reply)
    return struct.unpack_from("<i", answer.body, 8)[0]


@pytest.mark.req("A-M12")
def test_dead_name_notification_carries_a_reference(rig: KernelRig) -> None:
    owner, holder = rig.another(), rig.actor
    port = owner.port()
    name = rig.give(owner, port, holder)
    notify = holder.port()
    assert request(rig, name, DEAD, 0, notify) == 0
    rig.kernel.terminate_task(owner.task, None, "test")
    told = holder.poll(notify)
    assert (told.ident, told.word(8) & 0xFFFF_FFFF) == (DEAD, name)
    assert holder.space.lookup(name).kind == DEAD_NAME
    assert holder.space.references(name, Right.DEAD_NAME) == 2, "its own and the notification's"


def test_dead_name_request_on_a_dead_name_answers_at_once_if_asked(rig: KernelRig) -> None:
    name = rig.actor.port(Right.DEAD_NAME)
    notify = rig.actor.port()
    assert request(rig, name, DEAD, 0, notify) == KernReturn.INVALID_ARGUMENT
    assert rig.actor.poll(notify).ident == SEND_ONCE_UNUSED, "the refused right was destroyed"
    assert request(rig, name, DEAD, 1, notify) == 0
    assert rig.actor.poll(notify).ident == DEAD


def test_port_deleted_when_the_name_goes_first(rig: KernelRig) -> None:
    owner, holder = rig.another(), rig.actor
    name = rig.give(owner, owner.port(), holder)
    notify = holder.port()
    request(rig, name, DEAD, 0, notify)
    assert holder.trap("syscall_mach_port_deallocate", holder.self_name, name) == 0
    told = holder.poll(notify)
    assert (told.ident, told.word(8) & 0xFFFF_FFFF) == (PORT_DELETED, name)


def test_no_senders_fires_when_the_last_right_goes(rig: KernelRig) -> None:
    owner, first, second = rig.actor, rig.another(), rig.another()
    port, notify = owner.port(), owner.port()
    names = [(actor, rig.give(owner, port, actor)) for actor in (first, second)]
    assert request(rig, port, NO_SENDERS, 2, notify) == 0
    for actor, name in names:
        assert owner.poll(notify) is None
        actor.space.deallocate(name)
    told = owner.poll(notify)
    assert (told.ident, told.word(8)) == (NO_SENDERS, 2), "the make-send count"


def test_no_senders_waits_for_rights_in_queued_messages(rig: KernelRig) -> None:
    owner, client = rig.actor, rig.another()
    port, notify, mailbox = owner.port(), owner.port(), client.port()
    to_mailbox = rig.give(client, mailbox, owner)
    owner.send(header(to_mailbox, size=48, complex_=True) + port_item(port, MAKE_SEND))
    request(rig, port, NO_SENDERS, 1, notify)
    assert owner.poll(notify) is None
    client.space.destroy_name(mailbox)
    assert owner.poll(notify).ident == NO_SENDERS


def test_no_senders_with_nobody_left_answers_at_once(rig: KernelRig) -> None:
    port, notify = rig.actor.port(), rig.actor.port()
    assert request(rig, port, NO_SENDERS, 0, notify) == 0
    assert rig.actor.poll(notify).ident == NO_SENDERS
    assert request(rig, port, NO_SENDERS, 5, notify) == 0, "sync is ahead of the make-send count: registered"
    assert rig.actor.poll(notify) is None


def test_receive_right_comes_back_when_asked_for(rig: KernelRig) -> None:
    owner, holder = rig.another(), rig.actor
    port = owner.port()
    notify = owner.port()
    request(rig, port, PORT_DESTROYED, 0, notify, owner)
    name = rig.give(owner, port, holder)
    assert holder.send(header(name, ident=9)) == 0
    owner.space.destroy_name(port)
    told = owner.poll(notify)
    assert told.ident == PORT_DESTROYED
    assert owner.poll(told.word(8)).ident == 9, "with its messages"


def test_death_turns_names_into_dead_names_and_a_reply_cannot_be_sent(rig: KernelRig) -> None:
    server, client = rig.actor, rig.another()
    reply = client.port()
    name = rig.give(client, reply, server, MAKE_SEND_ONCE)
    rig.kernel.terminate_task(client.task, None, "test")
    assert server.send(header(name, remote_use=MOVE_SEND_ONCE)) == 0x10000003
    assert server.space.lookup(name).kind == DEAD_NAME


def test_dead_right_in_transit_arrives_as_dead(rig: KernelRig) -> None:
    owner, client = rig.actor, rig.another()
    mailbox, port = owner.port(), client.port()
    to_mailbox = rig.give(owner, mailbox, client)
    client.send(header(to_mailbox, size=48, complex_=True) + port_item(port, MAKE_SEND))
    client.space.destroy_name(port)
    assert owner.poll(mailbox).word(8) == MACH_PORT_DEAD


@pytest.mark.parametrize("number", range(4))
def test_unknown_notifications_are_refused(rig: KernelRig, number: int) -> None:
    port, notify = rig.actor.port(), rig.actor.port()
    assert request(rig, port, (64, 66, 67, 73)[number], 0, notify) == KernReturn.INVALID_VALUE
    assert rig.actor.poll(notify).ident == SEND_ONCE_UNUSED


def test_a_carried_right_that_is_destroyed_leaves_no_count(rig: KernelRig) -> None:
    port = rig.actor.port()
    right = rig.space.take(port, MAKE_SEND)
    assert isinstance(right, Carried)
    right.destroy()
    assert rig.space.entries[port].port.send_rights == 0
    with pytest.raises(KernelError):
        rig.space.take(port, 17)
