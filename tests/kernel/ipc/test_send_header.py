"""The two header ports of a message that is sent: which names may stand there with which
disposition, what that does to the sender, and that a refusal does nothing at all."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.ipc.right import RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BUFFER,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    NO_NAME,
    NULL,
    SEND_TIMEOUT,
    UNMAPPED,
    KernelRig,
    header,
    message,
    port_item,
)
from tests.support.rig import SEND as MACH_SEND_MSG

HEADER_USES: Final = (MOVE_SEND, MOVE_SEND_ONCE, COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE)
NO_USES: Final = (0, 1, 15, MOVE_RECEIVE, 22, 23, 255)
KINDS: Final = ("receive", "send", "send and receive", "send-once", "port set", "dead name", "unknown", "null", "dead")
SUITS: Final = {
    MOVE_SEND: {"send", "send and receive"},
    COPY_SEND: {"send", "send and receive"},
    MOVE_SEND_ONCE: {"send-once"},
    MAKE_SEND: {"receive", "send and receive"},
    MAKE_SEND_ONCE: {"receive", "send and receive"},
}
SUITS_A_DEAD_NAME: Final = {MOVE_SEND, COPY_SEND, MOVE_SEND_ONCE}
MOVES: Final = {MOVE_SEND, MOVE_SEND_ONCE}
ARRIVES: Final = {MOVE_SEND: MOVE_SEND, COPY_SEND: MOVE_SEND, MAKE_SEND: MOVE_SEND,
                  MOVE_SEND_ONCE: MOVE_SEND_ONCE, MAKE_SEND_ONCE: MOVE_SEND_ONCE}


def name_of(rig: KernelRig, kind: str) -> int:
    names = rig.names_of_every_kind(rig.actor) | {"unknown": NO_NAME, "null": NULL, "dead": DEAD}
    return names[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", HEADER_USES)
def test_a_destination_must_suit_its_disposition(rig: KernelRig, use: int, kind: str) -> None:
    name = name_of(rig, kind)
    before = rig.counts()
    result = rig.actor.send(header(name, remote_use=use))
    if kind in SUITS[use]:
        assert result == 0
    else:
        assert result == MsgReturn.SEND_INVALID_DEST
        assert rig.counts() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", HEADER_USES)
def test_a_reply_port_must_suit_its_disposition(rig: KernelRig, use: int, kind: str) -> None:
    sender, to, receiver, port = rig.channel()
    name = name_of(rig, kind)
    before = rig.counts()
    result = sender.send(header(to, name, local_use=use))
    dead = kind == "dead" or (kind == "dead name" and use in SUITS_A_DEAD_NAME)
    if kind not in SUITS[use] and kind != "null" and not dead:
        assert result == MsgReturn.SEND_INVALID_REPLY
        assert rig.counts() == before
        return
    assert result == 0
    arrived = receiver.take(port)
    if dead or kind == "null":
        assert arrived.remote == (DEAD if dead else NULL)
    else:
        assert arrived.remote_use == ARRIVES[use]
        kind_there = SEND if arrived.remote_use == MOVE_SEND else SEND_ONCE
        assert receiver.space.entries[arrived.remote].kind == kind_there
    still_there = kind not in ("null", "dead") and name in sender.space.entries
    assert still_there == (kind not in ("null", "dead") and (use not in MOVES or kind == "send and receive"))


@pytest.mark.parametrize("use", NO_USES)
def test_other_dispositions_are_an_invalid_header(rig: KernelRig, use: int) -> None:
    sender, to, _, _ = rig.channel()
    reply = sender.port()
    with rig.unchanged():
        assert sender.send(header(to, remote_use=use)) == MsgReturn.SEND_INVALID_HEADER
        assert sender.send(header(to, reply, local_use=use)) == MsgReturn.SEND_INVALID_HEADER
        if use:
            assert sender.send(header(to, NULL, local_use=use)) == MsgReturn.SEND_INVALID_HEADER


@pytest.mark.parametrize(("use", "left"), [
    (MOVE_SEND, RECEIVE), (COPY_SEND, SEND | RECEIVE), (MAKE_SEND, SEND | RECEIVE), (MAKE_SEND_ONCE, SEND | RECEIVE)])
def test_the_destination_is_consumed_like_any_right(rig: KernelRig, use: int, left: int) -> None:
    port = name_of(rig, "send and receive")
    the_port = rig.space.entries[port].port
    made, sends = the_port.make_send_count, the_port.send_rights
    assert rig.actor.send(header(port, remote_use=use)) == 0
    assert rig.space.entries[port].kind == left
    assert the_port.make_send_count == made + (use == MAKE_SEND)
    assert the_port.send_rights == sends + (use in (COPY_SEND, MAKE_SEND)), "the message holds the right"
    arrived = rig.actor.take(port)
    assert arrived.local_use == ARRIVES[use]
    assert the_port.send_rights == sends - (use == MOVE_SEND)


# One name in both places: destination's and reply's disposition, references the name has.
BOTH_WORK: Final = [
    (COPY_SEND, COPY_SEND, 1), (COPY_SEND, MOVE_SEND, 1), (MOVE_SEND, COPY_SEND, 1), (MOVE_SEND, MOVE_SEND, 2),
    (MAKE_SEND, MAKE_SEND, 1), (MAKE_SEND, MAKE_SEND_ONCE, 1), (MAKE_SEND_ONCE, MAKE_SEND, 1),
    (MAKE_SEND_ONCE, MAKE_SEND_ONCE, 1), (COPY_SEND, MAKE_SEND_ONCE, 1), (MOVE_SEND, MAKE_SEND_ONCE, 1),
    (MAKE_SEND, MOVE_SEND, 1), (MOVE_SEND, MAKE_SEND, 1), (MAKE_SEND, COPY_SEND, 1),
]


@pytest.mark.parametrize(("use", "reply_use", "references"), BOTH_WORK)
def test_one_name_may_serve_as_destination_and_reply_port(
    rig: KernelRig, use: int, reply_use: int, references: int
) -> None:
    port = name_of(rig, "send and receive")
    for _ in range(references - 1):
        rig.space.insert(rig.space.take(port, COPY_SEND))
    assert rig.actor.send(header(port, port, use, reply_use)) == 0
    moved = (use == MOVE_SEND) + (reply_use == MOVE_SEND)
    assert rig.space.references(port, Right.SEND) == references - moved
    arrived = rig.actor.take(port)
    assert (arrived.local, arrived.local_use, arrived.remote_use) == (port, ARRIVES[use], ARRIVES[reply_use])


@pytest.mark.parametrize(("use", "reply_use", "kind"), [
    pytest.param(MOVE_SEND, MOVE_SEND, "send", id="two moves of one reference"),
    pytest.param(MOVE_SEND_ONCE, MOVE_SEND_ONCE, "send-once", id="two moves of a send-once right"),
    pytest.param(MOVE_SEND, MOVE_SEND, "send and receive", id="two moves beside a receive right"),
])
def test_one_name_cannot_give_more_than_it_has(rig: KernelRig, use: int, reply_use: int, kind: str) -> None:
    name = name_of(rig, kind)
    with rig.unchanged():
        assert rig.actor.send(header(name, name, use, reply_use)) == MsgReturn.SEND_INVALID_DEST


def test_a_dead_name_in_both_places_is_an_invalid_destination(rig: KernelRig) -> None:
    name = name_of(rig, "dead name")
    with rig.unchanged():
        assert rig.actor.send(header(name, name, COPY_SEND, COPY_SEND)) == MsgReturn.SEND_INVALID_DEST


@pytest.mark.parametrize(("size", "octets", "code"), [
    pytest.param(28, header(NO_NAME), MsgReturn.SEND_MSG_TOO_SMALL, id="size before the header"),
    pytest.param(32, header(NO_NAME, remote_use=99), MsgReturn.SEND_INVALID_HEADER, id="disposition before name"),
    pytest.param(32, header(NO_NAME, NO_NAME, local_use=COPY_SEND), MsgReturn.SEND_INVALID_DEST,
                 id="destination's name before the reply port's"),
])
def test_the_first_mistake_is_the_one_reported(rig: KernelRig, size: int, octets: bytes, code: int) -> None:
    rig.actor.memory.write(BUFFER, octets)
    with rig.unchanged():
        assert rig.trap("mach_msg_trap", BUFFER, MACH_SEND_MSG, size) == code


def test_size_is_looked_at_before_memory(rig: KernelRig) -> None:
    assert rig.trap("mach_msg_trap", UNMAPPED, MACH_SEND_MSG, 24) == MsgReturn.SEND_MSG_TOO_SMALL


@pytest.mark.parametrize("destination", ["receive", "send-once", "port set", "dead name"])
@pytest.mark.parametrize("reply", ["unknown", "send-once", "port set"])
def test_a_bad_reply_right_is_reported_before_a_bad_destination_right(
    rig: KernelRig, destination: str, reply: str
) -> None:
    names = rig.names_of_every_kind(rig.actor) | {"unknown": NO_NAME}
    with rig.unchanged():
        assert rig.actor.send(header(names[destination], names[reply], COPY_SEND, COPY_SEND)) == (
            MsgReturn.SEND_INVALID_REPLY)


def test_a_bad_header_is_reported_before_a_bad_right_in_the_body(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel()
    with rig.unchanged():
        assert sender.send(message(NO_NAME, port_item(NO_NAME, COPY_SEND))) == MsgReturn.SEND_INVALID_DEST
        assert sender.send(message(to, port_item(NO_NAME, COPY_SEND), local=NO_NAME, local_use=COPY_SEND)) == (
            MsgReturn.SEND_INVALID_REPLY)


UNWALKABLE: Final = struct.pack("<QQ", 100 << 32 | 1 << 29 | 8 << 8 | 9, 0)


def test_a_body_that_cannot_be_walked_is_reported_before_the_header(rig: KernelRig) -> None:
    with rig.unchanged():
        assert rig.actor.send(message(NO_NAME, UNWALKABLE)) == MsgReturn.SEND_INVALID_DATA


@pytest.mark.parametrize(("kind", "use", "reply_use"), [
    ("send", COPY_SEND, 0), ("send", MOVE_SEND, 0), ("receive", MAKE_SEND, 0), ("send-once", MOVE_SEND_ONCE, 0),
    ("send", COPY_SEND, MAKE_SEND_ONCE)])
def test_a_body_that_cannot_be_walked_leaves_the_header_rights_alone(
    rig: KernelRig, kind: str, use: int, reply_use: int
) -> None:
    names = rig.names_of_every_kind(rig.actor)
    reply = names["receive"] if reply_use else NULL
    octets = message(names[kind], UNWALKABLE, remote_use=use, local=reply, local_use=reply_use)
    with rig.unchanged():
        assert rig.actor.send(octets) == MsgReturn.SEND_INVALID_DATA


@pytest.mark.req("A-M10")
def test_what_the_receiver_sees_of_the_header(rig: KernelRig) -> None:
    """Own size, zero-extended names, a sequence number; the id and unused bits as sent."""
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    bits = 0x47FF_0000 | MAKE_SEND_ONCE << 8 | COPY_SEND  # with CIRCULAR, which is the kernel's
    octets = struct.pack("<IIQQII", bits, 9, to | 0xAAAA << 48, reply | 0x5555 << 32, 77, 0xFEDC_BA98)
    for number in range(2):
        assert sender.send(octets) == 0
        arrived = receiver.take(port)
        assert arrived.bits == 0x07FF_0000 | MOVE_SEND << 8 | MOVE_SEND_ONCE
        assert (arrived.size, arrived.local, arrived.sequence, arrived.ident) == (32, port, number, 0xFEDC_BA98)
        assert receiver.space.entries[arrived.remote].kind == SEND_ONCE


@pytest.mark.req("A-M11")
def test_the_body_of_a_simple_message_is_any_octets(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    body = bytes(range(256)) * 3
    assert sender.send(header(to) + body) == 0
    assert receiver.take(port).body == body


def test_a_send_once_destination_never_waits(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    for _ in range(5):
        sender.send(header(to))
    once = rig.give(receiver, port, sender, MAKE_SEND_ONCE)
    assert sender.send(header(once, remote_use=MOVE_SEND_ONCE), SEND_TIMEOUT, 0) == 0
    assert receiver.space.entries[port].port.queued == 6
