"""Receiving: who may, into what buffer, and what the receiver sees (mach-abi.md 2.8, 2.11)."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, SEND, SEND_ONCE, Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BLOCKED,
    BUFFER,
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
    RCV,
    RCV_LARGE,
    RCV_SENDER,
    RCV_TIMEOUT,
    RECEIVE_BUFFER,
    SCRATCH,
    UNMAPPED,
    KernelRig,
    header,
    message,
    port_item,
    port_region_item,
    region_item,
)

SEND_ONCE_UNUSED: Final = 71
SET_PAYLOAD, CLEAR_PAYLOAD = 3221, 3222
IPC_SPACE: Final = 0x2000  # a code's bit: no room for another name
FILLER: Final = b"\xA5" * 0x200


@pytest.mark.req("A-M04")
@pytest.mark.parametrize("kind", ["send", "send-once", "dead name", "unknown", "null", "dead"])
def test_receiving_needs_a_receive_right_or_a_set(rig: KernelRig, kind: str) -> None:
    names = rig.names_of_every_kind(rig.actor) | {"unknown": NO_NAME, "null": NULL, "dead": DEAD}
    for option in (0, RCV_TIMEOUT, RCV_LARGE):
        assert rig.actor.receive(names[kind], option) == MsgReturn.RCV_INVALID_NAME
    assert rig.actor.receive(names["receive"], RCV_TIMEOUT) == MsgReturn.RCV_TIMED_OUT
    assert rig.actor.receive(names["port set"], RCV_TIMEOUT) == MsgReturn.RCV_TIMED_OUT


@pytest.mark.parametrize(("use", "seen"), [(COPY_SEND, MOVE_SEND), (MOVE_SEND, MOVE_SEND)])
def test_reply_and_destination_are_swapped(rig: KernelRig, use: int, seen: int) -> None:
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    sender.send(header(to, reply, use, MAKE_SEND_ONCE))
    found = receiver.take(port)
    assert (found.local, found.local_use, found.remote_use) == (port, seen, MOVE_SEND_ONCE)
    assert receiver.names()[found.remote] == (SEND_ONCE, 1)
    assert receiver.send(header(found.remote, remote_use=found.remote_use, ident=6)) == 0
    assert sender.take(reply).ident == 6


def test_a_reply_right_joins_the_name_of_its_port(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    known = rig.give(sender, reply, receiver)
    sender.send(header(to, reply, local_use=MAKE_SEND))
    found = receiver.take(port)
    assert (found.remote, found.remote_use) == (known, MOVE_SEND)
    assert receiver.space.references(known, Right.SEND) == 2


@pytest.mark.parametrize("use", [MAKE_SEND, MAKE_SEND_ONCE])
def test_a_reply_port_that_died_arrives_dead(rig: KernelRig, use: int) -> None:
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    sender.send(header(to, reply, local_use=use))
    sender.space.destroy_name(reply)
    before = receiver.names()
    assert receiver.take(port).remote == DEAD
    assert receiver.names() == before


def test_a_protected_payload_stands_for_the_port(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    payload = 0xFEDC_BA98_7654_3210
    assert receiver.call(SET_PAYLOAD, port, payload) == ()
    sender.send(header(to))
    sender.send(header(rig.give(receiver, port, sender, MAKE_SEND_ONCE), remote_use=MOVE_SEND_ONCE))
    for _ in range(2):
        found = receiver.take(port)
        assert (found.local_use, found.local) == (23, payload)
    receiver.call(CLEAR_PAYLOAD, port)
    sender.send(header(to))
    assert receiver.take(port).local == port


def test_moving_the_right_clears_the_payload(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    mine = sender.port()
    sender.call(SET_PAYLOAD, mine, 5)
    name = rig.give(sender, mine, receiver)
    sender.send(message(to, port_item(mine, MOVE_RECEIVE)))
    assert receiver.take(port).word(8) == name
    receiver.send(header(name))
    assert receiver.take(name).local == name


# -- buffers too small ------------------------------------------------------------------------


@pytest.mark.req("A-M10")
@pytest.mark.parametrize("size", [0, 7, 31, 32, 33, 63])
def test_a_message_too_large_is_destroyed_and_its_header_told(rig: KernelRig, size: int) -> None:
    sender, to, receiver, port = rig.channel()
    reply, witness = sender.port(), sender.port()
    octets = message(to, port_item(witness, MAKE_SEND_ONCE), region_item(SCRATCH, 100), local=reply,
                     local_use=MAKE_SEND_ONCE, ident=5)
    frames = rig.kernel.pool.used
    sender.send(octets)
    receiver.memory.write(RECEIVE_BUFFER, FILLER)
    before = receiver.names()
    assert receiver.receive(port, 0, size=size) == MsgReturn.RCV_TOO_LARGE
    found = receiver.received()
    assert (found.local, found.local_use, found.remote, found.remote_use) == (port, MOVE_SEND, NULL, 0)
    assert (found.size, found.ident, found.sequence) == (64, 5, 0)
    assert receiver.memory.read(RECEIVE_BUFFER + 32, 32) == FILLER[:32], "only the header is written"
    assert receiver.names() == before
    assert rig.kernel.pool.used == frames
    assert sender.take(reply).ident == SEND_ONCE_UNUSED
    assert sender.take(witness).ident == SEND_ONCE_UNUSED
    sender.send(header(to))
    assert receiver.take(port).sequence == 1, "its sequence number was used"


@pytest.mark.parametrize("size", [0, 7, 31, 32, 63])
def test_with_large_the_message_stays_first(rig: KernelRig, size: int) -> None:
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    sender.send(header(to, reply, local_use=MAKE_SEND_ONCE, ident=5) + bytes(32))
    sender.send(header(to, ident=6))
    receiver.memory.write(RECEIVE_BUFFER, FILLER)
    for _ in range(2):
        with rig.unchanged():
            assert receiver.receive(port, RCV_LARGE, size=size) == MsgReturn.RCV_TOO_LARGE
        written = receiver.memory.read(RECEIVE_BUFFER, 32)
        assert written == FILLER[:4] + (64).to_bytes(4, "little") + FILLER[8:32], "only the size is told"
    assert receiver.receive(port, RCV_LARGE, size=64) == 0
    found = receiver.received()
    assert (found.ident, found.sequence) == (5, 0)
    assert receiver.take(port).ident == 6


def test_a_waiting_receiver_with_too_small_a_buffer(rig: KernelRig) -> None:
    """Each too small one fails, the next is offered the message, and at last it queues."""
    sender, to, receiver, port = rig.channel()
    threads = [receiver, rig.second_thread(receiver), rig.second_thread(receiver)]
    for number, thread in enumerate(threads):
        address = SCRATCH + 0x100 * number
        assert thread.trap("mach_msg_trap", address, RCV | RCV_LARGE, 0, 32 + 8 * number, port) == BLOCKED
    sender.send(header(to, ident=5) + bytes(8))
    assert [thread.result() for thread in threads] == [MsgReturn.RCV_TOO_LARGE, 0, BLOCKED]
    sender.send(header(to) + bytes(64))
    assert threads[2].result() == MsgReturn.RCV_TOO_LARGE
    assert receiver.received(SCRATCH + 0x200).size == 96
    assert receiver.space.entries[port].port.queued == 1


def test_a_waiting_receiver_without_large_loses_the_message(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    assert receiver.receive(port, size=32) == BLOCKED
    sender.send(header(to, reply, local_use=MAKE_SEND_ONCE) + bytes(8))
    assert receiver.result() == MsgReturn.RCV_TOO_LARGE
    assert sender.take(reply).ident == SEND_ONCE_UNUSED
    assert receiver.poll(port) is None


def test_a_buffer_that_cannot_be_written_with_large(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    sender.send(header(to) + bytes(8))
    with rig.unchanged():
        assert receiver.trap("mach_msg_trap", UNMAPPED, RCV | RCV_LARGE, 0, 32, port) == MsgReturn.RCV_INVALID_DATA


def test_rights_arrive_though_the_octets_do_not(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    before = set(receiver.names())
    sender.send(message(to, port_item(sender.port(), MAKE_SEND), local=sender.port(), local_use=MAKE_SEND_ONCE))
    assert receiver.trap("mach_msg_trap", UNMAPPED, RCV, 0, 64, port) == MsgReturn.RCV_INVALID_DATA
    assert sorted(receiver.names()[name][0] for name in set(receiver.names()) - before) == [SEND, SEND_ONCE]


def test_a_waiting_receivers_bad_buffer_is_not_the_senders_fault(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    assert receiver.trap("mach_msg_trap", UNMAPPED, RCV, 0, 64, port) == BLOCKED
    assert sender.send(header(to)) == 0
    assert receiver.result() == MsgReturn.RCV_INVALID_DATA


def test_a_message_too_large_for_a_buffer_out_of_reach(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    sender.send(header(to, reply, local_use=MAKE_SEND_ONCE) + bytes(8))
    assert receiver.trap("mach_msg_trap", UNMAPPED, RCV, 0, 32, port) == MsgReturn.RCV_INVALID_DATA
    assert sender.take(reply).ident == SEND_ONCE_UNUSED
    assert receiver.poll(port) is None


# -- a receiver without room for names ----------------------------------------------------------


@pytest.mark.parametrize("use", [MAKE_SEND, MAKE_SEND_ONCE])
def test_a_reply_right_without_a_name_is_a_header_error(rig: KernelRig, use: int) -> None:
    sender, to, receiver, port = rig.channel()
    reply, witness = sender.port(), sender.port()
    sender.send(message(to, port_item(witness, MAKE_SEND_ONCE), local=reply, local_use=use, ident=5))
    with rig.no_names_left(receiver):
        before = receiver.names()
        assert receiver.receive(port) == MsgReturn.RCV_HEADER_ERROR | IPC_SPACE
        assert receiver.names() == before
    found = receiver.received()
    assert (found.ident, found.local, found.remote, found.sequence) == (5, port, NULL, 0)
    assert sender.take(witness).ident == SEND_ONCE_UNUSED
    if use == MAKE_SEND_ONCE:
        assert sender.take(reply).ident == SEND_ONCE_UNUSED


def test_rights_without_names_leave_holes(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    mine, other, once = sender.port(), sender.port(), sender.port()
    known = rig.give(sender, mine, receiver)
    sender.memory.write(SCRATCH, struct.pack("<3I", other, mine, other))
    sender.send(message(to, port_item(other, MAKE_SEND), port_item(once, MAKE_SEND_ONCE),
                        port_item(mine, MAKE_SEND), port_region_item(SCRATCH, 3, MAKE_SEND)))
    with rig.no_names_left(receiver):
        assert receiver.receive(port) == MsgReturn.RCV_BODY_ERROR | IPC_SPACE
    found = receiver.received()
    assert found.bits & COMPLEX
    assert [found.word(8), found.word(24), found.word(40)] == [NULL, NULL, known]
    assert struct.unpack("<3I", receiver.memory.read(found.word(56), 12)) == (NULL, known, NULL)
    assert sender.take(once).ident == SEND_ONCE_UNUSED


def test_a_receive_right_without_a_name_dies(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    mine = sender.port()
    name = rig.give(sender, mine, sender)
    sender.send(message(to, port_item(mine, MOVE_RECEIVE)))
    with rig.no_names_left(receiver):
        assert receiver.receive(port) == MsgReturn.RCV_BODY_ERROR | IPC_SPACE
    assert receiver.received().word(8) == NULL
    assert sender.names()[name] == (DEAD_NAME, 1)


# -- who sent it --------------------------------------------------------------------------------


def record(trailer: bytes) -> tuple[int, ...]:
    """type, size, task, node, epoch, flags, zero"""
    return struct.unpack_from("<IIQIIII", trailer)


@pytest.mark.parametrize("body", [b"", bytes(8)])
def test_the_sender_is_told_behind_the_message(rig: KernelRig, body: bytes) -> None:
    sender, to, receiver, port = rig.channel()
    sender.send(header(to) + body)
    found = receiver.take(port, RCV_SENDER)
    assert found.size == 32 + len(body), "not counted in the size"
    kind, size, task, node, epoch, flags, zero = record(found.trailer)
    assert (kind, size, task, node, epoch, flags, zero) == (1, 32, sender.task.number, 0, 0, 0, 0)


@pytest.mark.parametrize("option", [0, RCV_LARGE])
def test_the_record_counts_in_the_room_there_must_be(rig: KernelRig, option: int) -> None:
    sender, to, receiver, port = rig.channel()
    sender.send(header(to))
    assert receiver.receive(port, RCV_SENDER | option, size=63) == MsgReturn.RCV_TOO_LARGE
    if option:
        assert receiver.received().size == 64
        assert receiver.receive(port, RCV_SENDER, size=64) == 0


def test_notifications_come_from_the_kernel(rig: KernelRig) -> None:
    port = rig.actor.port()
    rig.space.destroy_name(rig.space.insert(rig.space.take(port, MAKE_SEND_ONCE)))
    found = rig.actor.take(port, RCV_SENDER)
    assert (found.ident, record(found.trailer)[2]) == (SEND_ONCE_UNUSED, 0)


def test_replies_to_calls_come_from_the_kernel(rig: KernelRig) -> None:
    reply = rig.actor.port()
    rig.actor.send(header(rig.actor.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, 2034))
    assert record(rig.actor.take(reply, RCV_SENDER).trailer)[2] == 0


def test_without_the_option_no_octet_is_added(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    receiver.memory.write(RECEIVE_BUFFER, FILLER)
    sender.send(header(to))
    receiver.take(port)
    assert receiver.memory.read(RECEIVE_BUFFER + 32, 32) == FILLER[:32]


def test_a_waiting_receiver_is_told_the_sender(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    assert receiver.receive(port, RCV_SENDER) == BLOCKED
    sender.memory.write(BUFFER, header(to))
    sender.send(header(to))
    assert record(receiver.received().trailer)[2] == sender.task.number
