"""Notifications: dead names, deleted names, no senders, unused send-once rights, receive
rights that come back (mach-abi.md 5.5, 5.6, 5.8)."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, DEAD_NAME_REQUESTED, DEAD_UREFS_MAX, RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import KernReturn, MigReturn
from tests.support.rig import (
    COMPLEX,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    NO_NAME,
    NULL,
    Actor,
    Give,
    KernelRig,
    Received,
    descriptor,
    header,
    message,
    port_item,
    word_item,
)

PORT_DELETED, PORT_DESTROYED, NO_SENDERS, SEND_ONCE_UNUSED, DEAD_NAME_TOLD = 65, 69, 70, 71, 72
REQUEST_NOTIFICATION, TYPE, RENAME, DESTROY, DEALLOCATE, MOD_REFS = 3214, 3201, 3202, 3205, 3206, 3208
SET_MSCOUNT: Final = 3211


def request(actor: Actor, name: int, kind: int, sync: int, notify: int, use: int = MAKE_SEND_ONCE) -> tuple[int, int]:
    """mach_port_request_notification on the own space: the code and the previous right's name."""
    right = Give(notify, use) if notify != NULL else None
    code, results = actor.rpc(actor.self_name, REQUEST_NOTIFICATION, name, kind, sync, right)
    return code, results[0] if results else NULL


def told_name(found: Received) -> int:
    """The name in a dead-name or port-deleted notification."""
    assert struct.unpack_from("<Q", found.body)[0] == descriptor(15, 32, 1)
    return found.word(8) & 0xFFFF_FFFF


def assert_notification(found: Received, ident: int, size: int = 48) -> None:
    assert (found.ident, found.size) == (ident, size)
    assert (found.local_use, found.remote, found.remote_use) == (MOVE_SEND_ONCE, NULL, 0)
    assert bool(found.bits & COMPLEX) == (ident == PORT_DESTROYED)


# -- dead names --------------------------------------------------------------------------------


@pytest.mark.req("A-M12")
@pytest.mark.parametrize(("kind", "references"), [(MAKE_SEND, 1), (MAKE_SEND, 3), (MAKE_SEND_ONCE, 1)])
def test_a_dead_name_notification_carries_a_reference(rig: KernelRig, kind: int, references: int) -> None:
    owner, actor = rig.another(), rig.actor
    port, notify = owner.port(), actor.port()
    name = rig.give(owner, port, actor, kind)
    if references > 1:
        actor.call(MOD_REFS, name, Right.SEND, references - 1)
    assert request(actor, name, DEAD_NAME_TOLD, 0, notify) == (0, NULL)
    assert actor.call(TYPE, name) == ((SEND if kind == MAKE_SEND else SEND_ONCE) | DEAD_NAME_REQUESTED,)
    rig.kernel.terminate_task(owner.task, None, "test")
    found = actor.take(notify)
    assert_notification(found, DEAD_NAME_TOLD)
    assert told_name(found) == name
    assert actor.names()[name] == (DEAD_NAME, references + 1), "its own and the notification's"
    assert actor.poll(notify) is None, "once"


def test_without_a_request_nothing_is_told(rig: KernelRig) -> None:
    owner, actor = rig.another(), rig.actor
    port = owner.port()
    name = rig.give(owner, port, actor)
    owner.space.destroy_name(port)
    assert actor.names()[name] == (DEAD_NAME, 1)


@pytest.mark.parametrize("how", ["deallocate", "destroy", "moved away", "used"])
def test_a_name_that_goes_first_is_told_as_deleted(rig: KernelRig, how: str) -> None:
    owner, actor = rig.another(), rig.actor
    notify = actor.port()
    name = rig.give(owner, owner.port(), actor, MAKE_SEND_ONCE if how == "used" else MAKE_SEND)
    request(actor, name, DEAD_NAME_TOLD, 0, notify)
    if how == "moved away":
        _, to, _, _ = rig.channel()
        actor.send(message(to, port_item(name, MOVE_SEND)))
    elif how == "used":
        actor.send(header(name, remote_use=MOVE_SEND_ONCE))
    else:
        actor.call(DEALLOCATE if how == "deallocate" else DESTROY, name)
    found = actor.take(notify)
    assert_notification(found, PORT_DELETED)
    assert told_name(found) == name
    assert name not in actor.names()


def test_losing_one_of_two_references_tells_nothing(rig: KernelRig) -> None:
    owner, actor = rig.another(), rig.actor
    notify = actor.port()
    name = rig.give(owner, owner.port(), actor)
    actor.call(MOD_REFS, name, Right.SEND, 1)
    request(actor, name, DEAD_NAME_TOLD, 0, notify)
    actor.call(DEALLOCATE, name)
    assert actor.poll(notify) is None


def test_the_last_send_reference_beside_a_receive_right_keeps_the_request(rig: KernelRig) -> None:
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    request(actor, port, DEAD_NAME_TOLD, 0, notify)
    actor.call(DEALLOCATE, port)
    assert actor.poll(notify) is None
    assert actor.call(TYPE, port) == (RECEIVE | DEAD_NAME_REQUESTED,)


def test_renaming_carries_the_request_along(rig: KernelRig) -> None:
    owner, actor = rig.another(), rig.actor
    port, notify = owner.port(), actor.port()
    name = rig.give(owner, port, actor)
    request(actor, name, DEAD_NAME_TOLD, 0, notify)
    actor.call(RENAME, name, 0x123400)
    assert actor.poll(notify) is None
    owner.space.destroy_name(port)
    assert told_name(actor.take(notify)) == 0x123400


@pytest.mark.parametrize(("with_send_right", "ident"), [(False, PORT_DELETED), (True, DEAD_NAME_TOLD)])
def test_a_request_on_ones_own_receive_right(rig: KernelRig, with_send_right: bool, ident: int) -> None:
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    if with_send_right:
        actor.space.insert(actor.space.take(port, MAKE_SEND))
    request(actor, port, DEAD_NAME_TOLD, 0, notify)
    actor.call(MOD_REFS, port, Right.RECEIVE, -1)
    found = actor.take(notify)
    assert (found.ident, told_name(found)) == (ident, port)
    assert actor.names().get(port) == ((DEAD_NAME, 2) if with_send_right else None)


def test_a_request_on_a_dead_name_is_answered_at_once_if_asked(rig: KernelRig) -> None:
    actor = rig.actor
    name, notify = actor.port(Right.DEAD_NAME), actor.port()
    assert request(actor, name, DEAD_NAME_TOLD, 0, notify)[0] == KernReturn.INVALID_ARGUMENT
    assert actor.take(notify).ident == SEND_ONCE_UNUSED, "the refused right was destroyed"
    assert request(actor, name, DEAD_NAME_TOLD, 1, notify) == (0, NULL)
    assert told_name(actor.take(notify)) == name
    assert actor.names()[name] == (DEAD_NAME, 2)
    actor.call(MOD_REFS, name, Right.DEAD_NAME, DEAD_UREFS_MAX - 2)
    assert request(actor, name, DEAD_NAME_TOLD, 1, notify)[0] == KernReturn.UREFS_OVERFLOW
    assert actor.take(notify).ident == SEND_ONCE_UNUSED


# -- no senders ----------------------------------------------------------------------------------


def test_no_senders_fires_when_the_last_right_goes(rig: KernelRig) -> None:
    actor, first, second = rig.actor, rig.another(), rig.another()
    port, notify = actor.port(), actor.port()
    names = [(holder, rig.give(actor, port, holder)) for holder in (first, second)]
    assert request(actor, port, NO_SENDERS, 2, notify) == (0, NULL)
    for holder, name in names:
        assert actor.poll(notify) is None
        holder.space.deallocate(name)
    found = actor.take(notify)
    assert_notification(found, NO_SENDERS)
    assert found.body == word_item(2), "the make-send count"
    first.space.deallocate(rig.give(actor, port, first))
    assert actor.poll(notify) is None, "once"


@pytest.mark.parametrize("how", ["the task ends", "the message that carries it is destroyed", "it is used up"])
def test_a_last_right_may_go_in_many_ways(rig: KernelRig, how: str) -> None:
    actor, holder = rig.actor, rig.another()
    port, notify = actor.port(), actor.port()
    name = rig.give(actor, port, holder)
    request(actor, port, NO_SENDERS, 1, notify)
    if how == "the task ends":
        rig.kernel.terminate_task(holder.task, None, "test")
    elif how == "it is used up":
        holder.send(header(name, remote_use=MOVE_SEND))
        assert actor.poll(notify) is None, "the message holds it"
        actor.take(port)
    else:
        channel = rig.channel(holder)
        holder.send(message(channel.to, port_item(name, MOVE_SEND)))
        assert actor.poll(notify) is None, "a right on its way counts"
        channel.receiver.space.destroy_name(channel.port)
    assert actor.take(notify).ident == NO_SENDERS


def test_send_once_rights_do_not_count(rig: KernelRig) -> None:
    actor, holder = rig.actor, rig.another()
    port, notify = actor.port(), actor.port()
    name = rig.give(actor, port, holder)
    rig.give(actor, port, holder, MAKE_SEND_ONCE)
    request(actor, port, NO_SENDERS, 1, notify)
    holder.space.deallocate(name)
    assert actor.take(notify).ident == NO_SENDERS


@pytest.mark.parametrize(("made", "sync", "at_once"), [(0, 0, True), (0, 1, False), (3, 3, True), (3, 2, True),
                                                       (3, 4, False), (2**32 - 1, 2**32 - 1, True)])
def test_with_nobody_left_sync_decides(rig: KernelRig, made: int, sync: int, at_once: bool) -> None:
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    actor.call(SET_MSCOUNT, port, made)
    assert request(actor, port, NO_SENDERS, sync, notify) == (0, NULL)
    found = actor.poll(notify)
    assert (found is not None) == at_once
    if found is not None:
        assert found.body == word_item(made)
        assert request(actor, port, NO_SENDERS, 2**32 - 1, NULL) == (0, NULL), "nothing was registered"


# -- receive rights that come back ------------------------------------------------------------------


@pytest.mark.parametrize("how", ["destroyed", "message destroyed", "task ends"])
def test_a_receive_right_comes_back_with_its_messages(rig: KernelRig, how: str) -> None:
    owner, actor = rig.another(), rig.actor
    port = owner.port()
    notify_port = actor.port()
    once = rig.give(actor, notify_port, owner, MAKE_SEND_ONCE)
    assert request(owner, port, PORT_DESTROYED, 0, once, MOVE_SEND_ONCE) == (0, NULL)
    name = rig.give(owner, port, actor)
    assert actor.send(header(name, ident=9)) == 0
    if how == "destroyed":
        owner.space.destroy_name(port)
    elif how == "task ends":
        rig.kernel.terminate_task(owner.task, None, "test")
    else:
        channel = rig.channel(owner)
        owner.send(message(channel.to, port_item(port, MOVE_RECEIVE)))
        channel.receiver.space.destroy_name(channel.port)
    found = actor.take(notify_port)
    assert_notification(found, PORT_DESTROYED)
    assert found.word(0) == descriptor(MOVE_RECEIVE, 64, 1)
    assert found.word(8) == name, "it joins the send right"
    assert actor.take(name).ident == 9
    actor.space.destroy_name(name)
    assert actor.poll(notify_port) is None, "the request was used up"


def test_a_receive_right_cannot_come_back_to_a_dead_port(rig: KernelRig) -> None:
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    request(actor, port, PORT_DESTROYED, 0, notify)
    actor.space.destroy_name(notify)
    before = len(rig.kernel.zone.live)
    actor.space.destroy_name(port)
    assert len(rig.kernel.zone.live) == before - 1


def test_sync_must_be_zero_for_port_destroyed(rig: KernelRig) -> None:
    port, notify = rig.actor.port(), rig.actor.port()
    assert request(rig.actor, port, PORT_DESTROYED, 1, notify)[0] == KernReturn.INVALID_VALUE


# -- registering -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PORT_DESTROYED, NO_SENDERS, DEAD_NAME_TOLD])
def test_a_new_request_returns_the_previous_one_and_null_cancels(rig: KernelRig, kind: int) -> None:
    actor = rig.actor
    port, first, second = actor.port(), actor.port(), actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    assert request(actor, port, kind, 0, first) == (0, NULL)
    code, previous = request(actor, port, kind, 0, second)
    assert code == 0
    assert actor.names()[previous] == (SEND_ONCE, 1)
    assert actor.space.entries[previous].port is actor.space.entries[first].port
    code, previous = request(actor, port, kind, 0, NULL)
    assert actor.space.entries[previous].port is actor.space.entries[second].port
    assert request(actor, port, kind, 0, NULL) == (0, NULL)
    actor.call(DESTROY, port)
    assert actor.poll(first) is None
    assert actor.poll(second) is None


@pytest.mark.parametrize("kind", [PORT_DESTROYED, NO_SENDERS])
def test_a_request_dies_with_its_port(rig: KernelRig, kind: int) -> None:
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    request(actor, port, kind, 0, notify)
    actor.call(MOD_REFS, port, Right.RECEIVE, -1)
    if kind == NO_SENDERS:
        assert actor.take(notify).ident == SEND_ONCE_UNUSED
        assert actor.poll(notify) is None
    else:
        assert actor.take(notify).ident == PORT_DESTROYED


@pytest.mark.parametrize(("kind", "on", "code"), [
    *((kind, "send", KernReturn.INVALID_RIGHT) for kind in (PORT_DESTROYED, NO_SENDERS)),
    *((kind, "send-once", KernReturn.INVALID_RIGHT) for kind in (PORT_DESTROYED, NO_SENDERS)),
    *((kind, "dead name", KernReturn.INVALID_RIGHT) for kind in (PORT_DESTROYED, NO_SENDERS)),
    *((kind, "port set", KernReturn.INVALID_RIGHT) for kind in (PORT_DESTROYED, NO_SENDERS, DEAD_NAME_TOLD)),
    *((kind, "unknown", KernReturn.INVALID_NAME) for kind in (PORT_DESTROYED, NO_SENDERS, DEAD_NAME_TOLD)),
    *((kind, "receive", KernReturn.INVALID_VALUE)
      for kind in (0, 64, PORT_DELETED, 66, 67, 68, SEND_ONCE_UNUSED, 73, -1, 2**31 - 1)),
])
def test_requests_that_are_refused_destroy_their_right(rig: KernelRig, kind: int, on: str, code: int) -> None:
    actor = rig.actor
    name = (rig.names_of_every_kind(actor) | {"unknown": NO_NAME})[on]
    notify = actor.port()
    before = actor.names()
    assert request(actor, name, kind, 0, notify)[0] == code
    assert actor.names() == before
    assert actor.take(notify).ident == SEND_ONCE_UNUSED


@pytest.mark.parametrize("kind", [PORT_DESTROYED, NO_SENDERS, DEAD_NAME_TOLD])
@pytest.mark.parametrize("use", [MAKE_SEND, COPY_SEND, MOVE_SEND, MOVE_RECEIVE])
def test_only_a_send_once_right_can_be_notified(rig: KernelRig, kind: int, use: int) -> None:
    actor = rig.actor
    port = actor.port()
    notify = rig.names_of_every_kind(actor)["send and receive"]
    assert request(actor, port, kind, 0, notify, use)[0] == MigReturn.BAD_ARGUMENTS
    entry = actor.space.entries[port].port
    assert (entry.no_senders, entry.port_destroyed, entry.dead_name_requests) == (None, None, {})


@pytest.mark.parametrize("kind", [PORT_DESTROYED, NO_SENDERS, DEAD_NAME_TOLD])
def test_a_dead_notify_port_is_an_invalid_capability(rig: KernelRig, kind: int) -> None:
    actor = rig.actor
    code, _ = request(actor, actor.port(), kind, 0, DEAD)
    assert code == KernReturn.INVALID_CAPABILITY


def test_a_send_once_right_on_its_way_notifies_when_it_is_lost(rig: KernelRig) -> None:
    giver, to, taker, _ = rig.channel()
    port = giver.port()
    giver.send(message(to, port_item(port, MAKE_SEND_ONCE)))
    rig.kernel.terminate_task(taker.task, None, "test")
    assert_notification(giver.take(port), SEND_ONCE_UNUSED, 32)


def test_notifications_pass_the_limit_of_a_full_queue(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    for _ in range(5):
        actor.send(header(port, remote_use=MAKE_SEND))
    for _ in range(20):
        actor.space.destroy_name(actor.space.insert(actor.space.take(port, MAKE_SEND_ONCE)))
    assert actor.space.entries[port].port.queued == 25
    assert [actor.take(port).ident for _ in range(25)] == [1000] * 5 + [SEND_ONCE_UNUSED] * 20
