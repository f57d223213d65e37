"""Queues: order, limits, blocked senders, waiting receivers (mach-abi.md 2.6, 2.8 to 2.10)."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    NULL,
    RCV,
    RCV_TIMEOUT,
    RECEIVE_BUFFER,
    SCRATCH,
    SEND,
    SEND_TIMEOUT,
    Actor,
    Channel,
    KernelRig,
    header,
)

MS: Final = 1_000_000  # ns
SET_QLIMIT, SET_SEQNO, RECEIVE_STATUS = 3210, 3218, 3217
QLIMIT_DEFAULT, QLIMIT_MAX = 5, 16


def send_many(channel: Channel, count: int, first: int = 0) -> None:
    for ident in range(first, first + count):
        assert channel.sender.send(header(channel.to, ident=ident)) == 0


def idents(actor: Actor, port: int, count: int) -> list[int]:
    return [actor.take(port).ident for _ in range(count)]


def queued(actor: Actor, port: int) -> int:
    return actor.space.entries[port].port.queued


@pytest.mark.req("A-M03")
def test_messages_come_out_in_the_order_they_went_in(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, 5)
    assert queued(channel.receiver, channel.port) == 5
    assert idents(channel.receiver, channel.port, 5) == list(range(5))
    assert queued(channel.receiver, channel.port) == 0
    assert channel.receiver.poll(channel.port) is None


@pytest.mark.req("A-M03")
def test_a_full_queue_times_out_or_blocks_as_asked(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    sender, to = channel.sender, channel.to
    assert sender.send(header(to), SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    assert sender.send(header(to), SEND_TIMEOUT, 20) == BLOCKED
    rig.pass_time(20 * MS)
    assert sender.result() == MsgReturn.SEND_TIMED_OUT
    assert sender.send(header(to)) == BLOCKED
    rig.pass_time(10_000 * MS)
    assert sender.result() == BLOCKED


@pytest.mark.req("A-M03")
def test_the_longest_blocked_sender_gets_the_slot(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    senders = [channel.sender, *(rig.second_thread(channel.sender) for _ in range(2))]
    for number, sender in enumerate(senders):
        assert sender.send(header(channel.to, ident=10 + number)) == BLOCKED
    newcomer = rig.second_thread(channel.sender)
    assert channel.receiver.take(channel.port).ident == 0
    assert [sender.result() for sender in senders] == [0, BLOCKED, BLOCKED]
    assert newcomer.send(header(channel.to, ident=20), SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    assert idents(channel.receiver, channel.port, 7) == [1, 2, 3, 4, 10, 11, 12]


@pytest.mark.parametrize("limit", [0, 1, 4, QLIMIT_MAX])
def test_the_limit_of_a_queue_can_be_set(rig: KernelRig, limit: int) -> None:
    channel = rig.channel()
    channel.receiver.call(SET_QLIMIT, channel.port, limit)
    send_many(channel, limit)
    assert channel.sender.send(header(channel.to), SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT


@pytest.mark.parametrize("limit", [QLIMIT_MAX + 1, 2**31, 2**32 - 1])
def test_a_limit_too_high_is_an_invalid_value(rig: KernelRig, limit: int) -> None:
    port = rig.actor.port()
    assert rig.actor.rpc(rig.actor.self_name, SET_QLIMIT, port, limit)[0] == KernReturn.INVALID_VALUE
    assert rig.space.entries[port].port.limit == QLIMIT_DEFAULT


@pytest.mark.parametrize("raise_by", [1, 2, 5])
def test_raising_the_limit_wakes_as_many_senders(rig: KernelRig, raise_by: int) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    senders = [rig.second_thread(channel.sender) for _ in range(3)]
    for number, sender in enumerate(senders):
        assert sender.send(header(channel.to, ident=10 + number)) == BLOCKED
    channel.receiver.call(SET_QLIMIT, channel.port, QLIMIT_DEFAULT + raise_by)
    woken = min(raise_by, 3)
    assert [sender.result() for sender in senders] == [0] * woken + [BLOCKED] * (3 - woken)
    assert idents(channel.receiver, channel.port, 8) == [0, 1, 2, 3, 4, 10, 11, 12]


def test_a_queue_above_its_new_limit_wakes_nobody_before_there_is_room(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    assert channel.sender.send(header(channel.to, ident=9)) == BLOCKED
    channel.receiver.call(SET_QLIMIT, channel.port, 2)
    for _ in range(3):
        channel.receiver.take(channel.port)
        assert channel.sender.result() == BLOCKED
    channel.receiver.take(channel.port)
    assert channel.sender.result() == 0
    assert idents(channel.receiver, channel.port, 2) == [4, 9]


@pytest.mark.parametrize("timeout_ms", [1, 30, 2**32 - 1])
def test_a_receive_times_out_in_virtual_time(rig: KernelRig, timeout_ms: int) -> None:
    port = rig.actor.port()
    assert rig.actor.receive(port, RCV_TIMEOUT, timeout_ms) == BLOCKED
    rig.pass_time(timeout_ms * MS - 1)
    assert rig.actor.result() == BLOCKED
    rig.pass_time(1)
    assert rig.actor.result() == MsgReturn.RCV_TIMED_OUT
    rig.actor.send(header(port, remote_use=MAKE_SEND))
    assert queued(rig.actor, port) == 1, "nobody waits there any more"


def test_a_message_in_time_cancels_the_timeout(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    assert receiver.receive(port, RCV_TIMEOUT, 30) == BLOCKED
    rig.pass_time(29 * MS)
    sender.send(header(to))
    assert receiver.result() == 0
    assert receiver.receive(port) == BLOCKED
    rig.pass_time(100 * MS)
    assert receiver.result() == BLOCKED, "the old timer does not end the new wait"


def test_both_halves_have_the_whole_timeout(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    sender, reply = channel.sender, channel.sender.port()
    octets = header(channel.to, reply, local_use=MAKE_SEND_ONCE)
    assert sender.send_and_receive(octets, reply, SEND_TIMEOUT | RCV_TIMEOUT, 20) == BLOCKED
    rig.pass_time(19 * MS)
    channel.receiver.take(channel.port)
    rig.pass_time(19 * MS)
    assert sender.result() == BLOCKED
    rig.pass_time(1 * MS)
    assert sender.result() == MsgReturn.RCV_TIMED_OUT


def test_receivers_are_served_first_come_first_served(rig: KernelRig) -> None:
    channel = rig.channel()
    threads = [channel.receiver, *(rig.second_thread(channel.receiver) for _ in range(2))]
    for number, thread in enumerate(threads):
        assert thread.trap("mach_msg_trap", SCRATCH + 64 * number, RCV, 0, 64, channel.port) == BLOCKED
    send_many(channel, 3)
    found = [channel.receiver.received(SCRATCH + 64 * number) for number in range(3)]
    assert [(one.ident, one.sequence) for one in found] == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("first", [0, 2**32 - 1])
def test_sequence_numbers_count_what_is_received(rig: KernelRig, first: int) -> None:
    channel = rig.channel()
    channel.receiver.call(SET_SEQNO, channel.port, first)
    send_many(channel, 3)
    found = [channel.receiver.take(channel.port).sequence for _ in range(3)]
    assert found == [(first + number) % 2**32 for number in range(3)]


def test_a_suspended_receiver_may_be_handed_a_message(rig: KernelRig) -> None:
    channel = rig.channel()
    channel.receiver.receive(channel.port)
    channel.receiver.thread.suspend()
    send_many(channel, 1, first=7)
    assert queued(channel.receiver, channel.port) == 0
    assert rig.trap("swtch") == 0, "it does not run"
    channel.receiver.thread.resume()
    assert channel.receiver.result() == 0
    assert channel.receiver.received().ident == 7


def test_an_aborted_receive_is_interrupted(rig: KernelRig) -> None:
    channel = rig.channel()
    channel.receiver.receive(channel.port)
    channel.receiver.thread.abort()
    assert channel.receiver.result() == MsgReturn.RCV_INTERRUPTED
    send_many(channel, 1)
    assert queued(channel.receiver, channel.port) == 1


def test_an_aborted_send_gives_the_message_back(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    sender, reply = channel.sender, channel.sender.port()
    octets = header(channel.to, reply, local_use=MAKE_SEND_ONCE)
    assert sender.send_and_receive(octets, reply, SEND_TIMEOUT, 50) == BLOCKED
    sender.thread.abort()
    assert sender.result() == MsgReturn.SEND_INTERRUPTED
    back = sender.received(BUFFER)
    assert (back.remote, back.remote_use, back.local_use) == (channel.to, MOVE_SEND, MOVE_SEND_ONCE)
    rig.pass_time(100 * MS)
    assert sender.result() == MsgReturn.SEND_INTERRUPTED, "the timer is off"


def test_a_receiver_that_ends_leaves_the_queue_to_the_next(rig: KernelRig) -> None:
    channel = rig.channel()
    second = rig.second_thread(channel.receiver)
    channel.receiver.receive(channel.port, RCV_TIMEOUT, 10)
    second.trap("mach_msg_trap", SCRATCH, RCV, 0, 64, channel.port)
    rig.kernel.terminate_thread(channel.receiver.thread)
    rig.pass_time(20 * MS)
    send_many(channel, 1, first=3)
    assert second.result() == 0
    assert second.received(SCRATCH).ident == 3


# -- send and receive in one trap ------------------------------------------------------------------


@pytest.mark.parametrize("option", [0, 0x0FFF_0000 & ~0x30_0000, 0x8000_0000, 0x40 | 0x400])
def test_neither_half_asked_for_does_nothing(rig: KernelRig, option: int) -> None:
    with rig.unchanged():
        assert rig.trap("mach_msg_trap", 0, option, 7, 7, NULL, 0, 0) == 0


def test_a_call_hands_the_processor_to_the_server_and_back(rig: KernelRig) -> None:
    client, to, server, port = rig.channel()
    reply = client.port()
    bystander = rig.another()
    assert server.receive(port) == BLOCKED
    assert client.send_and_receive(header(to, reply, COPY_SEND, MAKE_SEND_ONCE, 5), reply) == BLOCKED
    assert rig.kernel.scheduler.current is server.thread, "not the bystander, who was ready before"
    request = server.received()
    assert (request.remote_use, request.local_use, request.local) == (MOVE_SEND_ONCE, MOVE_SEND, port)
    octets = header(request.remote, remote_use=MOVE_SEND_ONCE, ident=105)
    assert server.send_and_receive(octets, port) == BLOCKED
    assert rig.kernel.scheduler.current is client.thread
    assert client.result() == 0
    assert client.received(BUFFER).ident == 105
    assert bystander.thread.runnable


def test_a_send_that_waited_is_followed_by_its_receive(rig: KernelRig) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    sender, own = channel.sender, channel.sender.port()
    sender.send(header(own, remote_use=MAKE_SEND, ident=50))
    assert sender.send_and_receive(header(channel.to, ident=9), own) == BLOCKED
    channel.receiver.take(channel.port)
    assert sender.result() == 0
    assert sender.received(BUFFER).ident == 50, "received at once"
    assert idents(channel.receiver, channel.port, 5) == [1, 2, 3, 4, 9]


@pytest.mark.parametrize("name", [NULL, "moved away"])
def test_a_send_that_waited_may_find_nothing_to_receive_from(rig: KernelRig, name: object) -> None:
    channel = rig.channel()
    send_many(channel, QLIMIT_DEFAULT)
    own = channel.sender.port()
    assert channel.sender.send_and_receive(header(channel.to), own if name else NULL) == BLOCKED
    if name:
        channel.sender.space.destroy_name(own)
    channel.receiver.take(channel.port)
    assert channel.sender.result() == MsgReturn.RCV_INVALID_NAME
    assert queued(channel.receiver, channel.port) == 5, "the message was sent all the same"


def test_blocked_senders_keep_their_order_though_the_first_receives_there_too(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    first, second = rig.second_thread(actor), rig.second_thread(actor)
    for ident in range(QLIMIT_DEFAULT):
        actor.send(header(port, remote_use=MAKE_SEND, ident=ident))
    first.memory.write(SCRATCH, header(port, remote_use=MAKE_SEND, ident=10))
    assert first.trap("mach_msg_trap", SCRATCH, SEND | RCV, 32, 64, port) == BLOCKED
    assert second.send(header(port, remote_use=MAKE_SEND, ident=11)) == BLOCKED
    assert actor.take(port).ident == 0
    assert first.received(SCRATCH).ident == 1
    assert idents(actor, port, 5) == [2, 3, 4, 10, 11]


def test_a_long_chain_of_senders_that_go_on_to_receive(rig: KernelRig) -> None:
    """Each frees, by its receive, the slot that the next one waits for."""
    actor = rig.actor
    length = 250
    ports = [actor.port() for _ in range(length + 1)]
    for port in ports:
        actor.space.entries[port].port.limit = 1
        actor.send(header(port, remote_use=MAKE_SEND))
    for number in range(length):
        thread = rig.kernel.create_thread(actor.task)
        thread.resume()
        rig.kernel.scheduler.yield_to(thread)
        actor.memory.write(BUFFER, header(ports[number], remote_use=MAKE_SEND, ident=number))
        rig.kernel.cpu.arguments[:] = memoryview(bytearray(64)).cast("Q")
        rig.kernel.cpu.arguments[0], rig.kernel.cpu.arguments[1] = BUFFER, SEND | RCV
        rig.kernel.cpu.arguments[2], rig.kernel.cpu.arguments[3] = 32, 64
        rig.kernel.cpu.arguments[4] = ports[number + 1]
        rig.kernel.cpu.arguments[7] = -25 % 2**64
        rig.kernel.ecall()
        assert thread.wait is not None
    with rig.watched():
        assert actor.take(ports[0]).ident == 1000
    assert actor.received(RECEIVE_BUFFER) is not None


@pytest.mark.parametrize("how", ["ends", "is aborted", "is suspended"])
def test_what_becomes_of_a_sender_between_its_send_and_its_receive(rig: KernelRig, how: str) -> None:
    channel = rig.channel(rig.another())
    send_many(channel, QLIMIT_DEFAULT)
    sender, own = channel.sender, channel.sender.port()
    assert sender.send_and_receive(header(channel.to, ident=9), own) == BLOCKED
    channel.receiver.space.lookup(channel.port).port.limit += 1
    channel.receiver.space.lookup(channel.port).port.admit_senders()
    if how == "ends":
        rig.kernel.terminate_thread(sender.thread)
    elif how == "is aborted":
        sender.thread.abort()
        assert sender.result() == MsgReturn.RCV_INTERRUPTED
    else:
        sender.thread.suspend()
    rig.pass_time(0)
    assert idents(channel.receiver, channel.port, 6) == [0, 1, 2, 3, 4, 9]
    if how == "is suspended":
        assert sender.result() == BLOCKED
        rig.actor.send(header(rig.give(sender, own, rig.actor), ident=50))
        sender.thread.resume()
        assert sender.received(BUFFER).ident == 50


def test_two_threads_that_use_one_buffer(rig: KernelRig) -> None:
    """The message is copied once, from the sender's page to the receiver's: the same octets."""
    actor = rig.actor
    port, reply = actor.port(), actor.port()
    other = rig.second_thread(actor)
    octets = header(port, reply, MAKE_SEND, MAKE_SEND_ONCE, ident=7, size=64) + bytes(range(32))
    for shift in (0, 8, 32, 56):
        assert other.trap("mach_msg_trap", BUFFER + shift, RCV, 0, 64, port) == BLOCKED
        assert actor.send(octets) == 0
        got = other.received(BUFFER + shift)
        assert (got.ident, got.size, actor.memory.read(BUFFER + shift + 32, 32)) == (7, 64, bytes(range(32)))
