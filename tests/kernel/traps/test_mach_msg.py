"""mach_msg between tasks: sending, receiving, rights, memory, limits and failures."""

from __future__ import annotations

import struct

import pytest

from machemu.kernel.ipc.right import RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    RCV,
    RCV_LARGE,
    RCV_SENDER,
    RCV_TIMEOUT,
    RECEIVE_BUFFER,
    SCRATCH,
    SEND_TIMEOUT,
    UNMAPPED,
    Actor,
    KernelRig,
    header,
    port_item,
    region_item,
)

SEND_BIT = 1


def send_right(rig: KernelRig, holder: Actor, port: int, to: Actor) -> int:
    return rig.give(holder, port, to)


@pytest.mark.req("A-M03")
def test_messages_come_out_in_the_order_they_went_in(rig: KernelRig) -> None:
    port = rig.actor.port()
    client = rig.another()
    name = send_right(rig, rig.actor, port, client)
    for number in range(5):
        assert client.send(header(name, ident=number)) == 0
    assert rig.space.entries[port].port.queued == 5
    assert [rig.actor.poll(port).ident for _ in range(5)] == list(range(5))
    assert rig.space.entries[port].port.queued == 0
    assert rig.actor.poll(port) is None


@pytest.mark.req("A-M03")
def test_full_queue_times_out_and_gives_the_message_back(rig: KernelRig) -> None:
    port = rig.actor.port()
    client = rig.another()
    name = send_right(rig, rig.actor, port, client)
    for _ in range(5):
        client.send(header(name))
    assert client.send(header(name), SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    # Pseudo-receive: the copied right came back as one more reference.
    assert client.space.references(name, Right.SEND) == 2
    assert client.send(header(name), SEND_TIMEOUT, 20) == BLOCKED
    rig.pass_time(20_000_000)
    assert client.result() == MsgReturn.SEND_TIMED_OUT


@pytest.mark.req("A-M03")
def test_blocked_sender_gets_the_first_free_slot(rig: KernelRig) -> None:
    port = rig.actor.port()
    client = rig.another()
    name = send_right(rig, rig.actor, port, client)
    for number in range(5):
        client.send(header(name, ident=number))
    assert client.send(header(name, ident=5)) == BLOCKED
    assert rig.actor.poll(port).ident == 0
    assert client.result() == 0
    assert [rig.actor.poll(port).ident for _ in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.req("A-M04")
def test_receive_needs_the_receive_right(rig: KernelRig) -> None:
    port = rig.actor.port()
    client = rig.another()
    name = send_right(rig, rig.actor, port, client)
    assert client.receive(name, RCV_TIMEOUT) == MsgReturn.RCV_INVALID_NAME


@pytest.mark.req("A-M04")
def test_queued_messages_move_with_the_receive_right(rig: KernelRig) -> None:
    old, new = rig.actor, rig.another()
    port, mailbox = old.port(), new.port()
    to_port = send_right(rig, old, port, new)
    to_mailbox = send_right(rig, new, mailbox, old)
    new.send(header(to_port, ident=77))
    body = port_item(port, MOVE_RECEIVE)
    assert old.send(header(to_mailbox, size=48, complex_=True) + body) == 0
    assert old.receive(port, RCV_TIMEOUT) == MsgReturn.RCV_INVALID_NAME
    moved = new.poll(mailbox)
    assert moved.body[0] == MOVE_RECEIVE
    assert moved.word(8) == to_port, "the right joins the send right's name"
    assert new.poll(to_port).ident == 77


@pytest.mark.req("A-M05")
def test_three_tasks_hold_send_rights_to_one_port(rig: KernelRig) -> None:
    port = rig.actor.port()
    senders = [rig.another() for _ in range(3)]
    names = [send_right(rig, rig.actor, port, sender) for sender in senders]
    for number, (sender, name) in enumerate(zip(senders, names, strict=True)):
        assert sender.send(header(name, ident=number)) == 0
    the_port = rig.space.entries[port].port
    assert [sender.space.entries[name].port for sender, name in zip(senders, names, strict=True)] == [the_port] * 3
    assert the_port.send_rights == 6, "the messages on their way hold one each"
    for number in range(3):
        assert rig.actor.poll(port).ident == number
    assert the_port.send_rights == 3


@pytest.mark.req("A-M06")
def test_send_once_right_sends_once(rig: KernelRig) -> None:
    port = rig.actor.port()
    client = rig.another()
    name = rig.give(rig.actor, port, client, MAKE_SEND_ONCE)
    assert client.send(header(name, remote_use=MOVE_SEND_ONCE)) == 0
    assert name not in client.space.entries
    assert client.send(header(name, remote_use=MOVE_SEND_ONCE)) == MsgReturn.SEND_INVALID_DEST
    assert rig.actor.poll(port).local_use == MOVE_SEND_ONCE


@pytest.mark.req("A-M09")
def test_one_port_has_different_names_and_an_integer_moves_no_right(rig: KernelRig) -> None:
    client = rig.another()
    for _ in range(3):
        client.port()
    port = rig.actor.port()
    name = send_right(rig, rig.actor, port, client)
    assert name != port
    assert rig.another().send(header(port)) == MsgReturn.SEND_INVALID_DEST


@pytest.mark.req("A-M10")
@pytest.mark.parametrize(("size", "refusal"), [
    (0, MsgReturn.SEND_MSG_TOO_SMALL), (24, MsgReturn.SEND_MSG_TOO_SMALL), (33, MsgReturn.SEND_MSG_TOO_SMALL),
    (36, MsgReturn.SEND_MSG_TOO_SMALL), (0x8000_0000, MsgReturn.SEND_NO_BUFFER),
    (0xFFFF_FFF8, MsgReturn.SEND_NO_BUFFER),
])
def test_bad_sizes_are_refused(rig: KernelRig, size: int, refusal: int) -> None:
    port = rig.actor.port()
    rig.actor.memory.write(BUFFER, header(port, remote_use=MAKE_SEND))
    assert rig.trap("mach_msg_trap", BUFFER, SEND_BIT, size, 0, 0, 0, 0) == refusal


@pytest.mark.parametrize("address", [UNMAPPED, 0, 2**64 - 8, 2**63, 0x40_0000_0000 - 16])
def test_unreadable_message_is_invalid_data(rig: KernelRig, address: int) -> None:
    assert rig.trap("mach_msg_trap", address, SEND_BIT, 64, 0, 0, 0, 0) == MsgReturn.SEND_INVALID_DATA


@pytest.mark.parametrize("address", [UNMAPPED, 2**64 - 8, 2**63])
def test_unwritable_buffer_loses_the_message_not_the_kernel(rig: KernelRig, address: int) -> None:
    port = rig.actor.port()
    rig.actor.send(header(port, remote_use=MAKE_SEND))
    assert rig.trap("mach_msg_trap", address, RCV, 0, 64, port, 0, 0) == MsgReturn.RCV_INVALID_DATA


def test_rpc_hands_the_processor_to_the_server_and_back(rig: KernelRig) -> None:
    server, client = rig.actor, rig.another()
    port, reply = server.port(), client.port()
    name = send_right(rig, server, port, client)
    bystander = rig.another()
    assert server.receive(port) == BLOCKED
    client.memory.write(BUFFER, header(name, reply, COPY_SEND, MAKE_SEND_ONCE, 5))
    assert client.trap("mach_msg_trap", BUFFER, SEND_BIT | RCV, 32, 0x100, reply, 0, 0) == BLOCKED
    assert rig.kernel.scheduler.current is server.thread, "not the bystander, who was ready before"
    request = server.received()
    assert (request.remote_use, request.local_use) == (MOVE_SEND_ONCE, MOVE_SEND)
    assert request.local == port
    assert server.send(header(request.remote, remote_use=MOVE_SEND_ONCE, ident=105)) == 0
    assert client.result() == 0
    assert client.received(BUFFER).ident == 105
    assert bystander.thread.runnable


@pytest.mark.req("A-M12")
@pytest.mark.parametrize(("use", "arrives", "left"), [
    pytest.param(COPY_SEND, MOVE_SEND, RECEIVE | SEND, id="copy-send"),
    pytest.param(MOVE_SEND, MOVE_SEND, RECEIVE, id="move-send"),
    pytest.param(MAKE_SEND, MOVE_SEND, RECEIVE | SEND, id="make-send"),
    pytest.param(MAKE_SEND_ONCE, MOVE_SEND_ONCE, RECEIVE | SEND, id="make-send-once"),
    pytest.param(MOVE_RECEIVE, MOVE_RECEIVE, SEND, id="move-receive"),
])
def test_each_disposition_carries_its_right(rig: KernelRig, use: int, arrives: int, left: int) -> None:
    giver, taker = rig.actor, rig.another()
    mailbox = taker.port()
    to_mailbox = send_right(rig, taker, mailbox, giver)
    port = giver.port()
    giver.space.insert(giver.space.take(port, MAKE_SEND))
    giver.send(header(to_mailbox, size=48, complex_=True) + port_item(port, use))
    arrived = taker.poll(mailbox)
    assert arrived.body[0] == arrives
    kinds = {MOVE_SEND: SEND, MOVE_SEND_ONCE: SEND_ONCE, MOVE_RECEIVE: RECEIVE}
    assert taker.space.entries[arrived.word(8)].kind == kinds[arrives]
    assert giver.space.entries[port].kind == left


@pytest.mark.req("A-M12")
def test_rights_in_a_message_die_with_its_receiver(rig: KernelRig) -> None:
    giver, taker = rig.actor, rig.another()
    mailbox, port = taker.port(), giver.port()
    to_mailbox = send_right(rig, taker, mailbox, giver)
    giver.send(header(to_mailbox, size=48, complex_=True) + port_item(port, MAKE_SEND_ONCE))
    rig.kernel.terminate_task(taker.task, None, "test")
    assert giver.poll(port).ident == 71, "the unused send-once right tells its port"


def test_bad_right_in_the_body_destroys_what_was_taken(rig: KernelRig) -> None:
    client = rig.another()
    port, reply = rig.actor.port(), client.port()
    name = send_right(rig, rig.actor, port, client)
    octets = header(name, reply, COPY_SEND, MAKE_SEND_ONCE, size=48, complex_=True) + port_item(0x777700, COPY_SEND)
    assert client.send(octets) == MsgReturn.SEND_INVALID_RIGHT
    assert client.poll(reply).ident == 71
    assert rig.actor.poll(port) is None


@pytest.mark.req("A-M11")
@pytest.mark.parametrize(("descriptor", "refusal"), [
    pytest.param(1 << 32 | 1 << 29 | 32 << 8 | 19, MsgReturn.SEND_INVALID_DATA, id="port of 32 bits"),
    pytest.param(9 << 32 | 1 << 29 | 64 << 8 | 11, MsgReturn.SEND_INVALID_DATA, id="runs past the end"),
    pytest.param(1 << 32 | 1 << 31 | 1 << 29 | 32 << 8 | 2, MsgReturn.SEND_INVALID_TYPE, id="inline and deallocate"),
    pytest.param(1 << 32 | 1 << 29 | 1 << 24 | 32 << 8 | 2, MsgReturn.SEND_INVALID_TYPE, id="unused bits"),
    pytest.param(4 << 32 | 64 << 8 | 19, MsgReturn.SEND_INVALID_TYPE, id="out-of-line ports of 64 bits"),
    pytest.param(4096 << 32 | 8 << 8 | 9, MsgReturn.SEND_INVALID_MEMORY, id="unmapped region"),
])
def test_malformed_descriptors_are_refused(rig: KernelRig, descriptor: int, refusal: int) -> None:
    port = rig.actor.port()
    body = struct.pack("<QQ", descriptor, UNMAPPED)
    assert rig.actor.send(header(port, remote_use=MAKE_SEND, size=48, complex_=True) + body) == refusal


def test_out_of_line_memory_is_a_copy_of_the_instant_of_sending(rig: KernelRig) -> None:
    sender, receiver = rig.actor, rig.another()
    mailbox = receiver.port()
    name = send_right(rig, receiver, mailbox, sender)
    data = bytes(range(256)) * 40
    sender.memory.write(SCRATCH + 100, data)
    sender.send(header(name, size=48, complex_=True) + region_item(SCRATCH + 100, len(data)))
    sender.memory.write(SCRATCH + 100, b"changed")
    arrived = receiver.poll(mailbox)
    address = arrived.word(8)
    assert address % 4096 == (SCRATCH + 100) % 4096
    assert receiver.memory.read(address, len(data)) == data
    receiver.memory.write(address, b"mine")
    assert sender.memory.read(SCRATCH + 100, 7) == b"changed"


def test_too_large_message_is_destroyed_or_kept_as_asked(rig: KernelRig) -> None:
    client = rig.another()
    port, reply = rig.actor.port(), client.port()
    name = send_right(rig, rig.actor, port, client)
    client.send(header(name, reply, COPY_SEND, MAKE_SEND_ONCE, size=64) + bytes(32))
    assert rig.actor.receive(port, RCV_TIMEOUT | RCV_LARGE, size=40) == MsgReturn.RCV_TOO_LARGE
    assert rig.actor.received().size == 64
    assert rig.actor.receive(port, RCV_TIMEOUT, size=40) == MsgReturn.RCV_TOO_LARGE
    assert client.poll(reply).ident == 71
    assert rig.actor.poll(port) is None


def test_receive_times_out_in_virtual_time(rig: KernelRig) -> None:
    port = rig.actor.port()
    assert rig.actor.receive(port, RCV_TIMEOUT, 30) == BLOCKED
    rig.pass_time(29_999_999)
    assert rig.actor.thread.wait is not None
    rig.pass_time(1)
    assert rig.actor.result() == MsgReturn.RCV_TIMED_OUT


def test_port_set_merges_in_order_of_arrival(rig: KernelRig) -> None:
    actor = rig.actor
    ports = [actor.port() for _ in range(3)]
    the_set = actor.port(Right.PORT_SET)
    for port in ports:
        actor.space.entries[the_set].port_set.add(actor.space.entries[port].port)
    order = [2, 0, 1, 2, 0]
    for number in order:
        actor.send(header(ports[number], remote_use=MAKE_SEND))
    assert [ports.index(actor.poll(the_set).local) for _ in order] == order
    assert actor.receive(ports[0], RCV_TIMEOUT) == MsgReturn.RCV_IN_SET


def test_sender_record_names_the_sending_task(rig: KernelRig) -> None:
    client = rig.another()
    port = rig.actor.port()
    name = send_right(rig, rig.actor, port, client)
    client.send(header(name))
    assert rig.actor.receive(port, RCV_TIMEOUT | RCV_SENDER, size=40) == MsgReturn.RCV_TOO_LARGE
    client.send(header(name))
    message = rig.actor.poll(port, RCV_SENDER)
    kind, size, task, node, epoch, flags, zero = struct.unpack_from("<IIQIIII", message.trailer)
    assert (kind, size, task, node, epoch, flags, zero) == (1, 32, client.task.number, 0, 0, 0, 0)


def test_message_to_itself_with_its_own_receive_right_vanishes(rig: KernelRig) -> None:
    port = rig.actor.port()
    octets = header(port, remote_use=MAKE_SEND, size=48, complex_=True) + port_item(port, MOVE_RECEIVE)
    assert rig.actor.send(octets) == 0
    assert port not in rig.space.entries


def test_death_of_the_receive_right_wakes_its_receiver(rig: KernelRig) -> None:
    owner = rig.actor
    port = owner.port()
    helper = rig.kernel.create_thread(owner.task)
    helper.resume()
    assert owner.receive(port) == BLOCKED
    owner.space.destroy_name(port)
    assert owner.result() == MsgReturn.RCV_PORT_DIED
    assert owner.received(RECEIVE_BUFFER) is not None
