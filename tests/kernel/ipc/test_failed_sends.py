"""Sends that fail half-way: what is destroyed (mach-abi.md 2.4) and what comes back to the
sender as if it had received it (2.5)."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BLOCKED,
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
    PAGE,
    SCRATCH,
    SEND_TIMEOUT,
    UNMAPPED,
    Channel,
    KernelRig,
    descriptor,
    header,
    message,
    port_item,
    port_region_item,
    ports_item,
    region_item,
)

MS: Final = 1_000_000  # ns
SEND_ONCE_UNUSED: Final = 71
# A last item that makes the send fail, and the code it fails with.
FAILURES: Final = [
    pytest.param(port_item(NO_NAME, COPY_SEND), MsgReturn.SEND_INVALID_RIGHT, id="unknown name"),
    pytest.param(ports_item([NULL, NO_NAME], MOVE_RECEIVE), MsgReturn.SEND_INVALID_RIGHT, id="second of an array"),
    pytest.param(region_item(UNMAPPED, 8), MsgReturn.SEND_INVALID_MEMORY, id="unmapped region"),
    pytest.param(port_region_item(UNMAPPED, 2, MAKE_SEND), MsgReturn.SEND_INVALID_MEMORY, id="unmapped array"),
    pytest.param(struct.pack("<QQ", descriptor(COPY_SEND, 64, 1, 0), SCRATCH), MsgReturn.SEND_INVALID_TYPE,
                 id="array of wide names"),
    pytest.param(struct.pack("<QQ", descriptor(2, 32, 1, 1 << 29 | 1 << 31), 0), MsgReturn.SEND_INVALID_TYPE,
                 id="inline and deallocate"),
    pytest.param(struct.pack("<QQ", descriptor(2, 32, 1, 1 << 29 | 1 << 28), 0), MsgReturn.SEND_INVALID_TYPE,
                 id="unused bit"),
]


@pytest.mark.parametrize(("last", "code"), FAILURES)
def test_rights_before_the_bad_item_are_destroyed(rig: KernelRig, last: bytes, code: int) -> None:
    sender, to, receiver, port = rig.channel()
    names = rig.names_of_every_kind(sender)
    witness = sender.port()
    octets = message(to, port_item(names["send"], MOVE_SEND), port_item(names["receive"], MOVE_RECEIVE),
                     port_item(witness, MAKE_SEND_ONCE), port_item(witness, MAKE_SEND), last)
    assert sender.send(octets) == code
    assert names["send"] not in sender.space.entries
    assert names["receive"] not in sender.space.entries
    assert sender.take(witness).ident == SEND_ONCE_UNUSED
    the_port = sender.space.entries[witness].port
    assert (the_port.send_rights, the_port.send_once_rights) == (0, 0)
    assert receiver.poll(port) is None


@pytest.mark.parametrize(("last", "code"), FAILURES)
def test_a_moved_destination_and_a_reply_right_are_lost(rig: KernelRig, last: bytes, code: int) -> None:
    sender, to, _, _ = rig.channel()
    reply = sender.port()
    assert sender.send(message(to, last, remote_use=MOVE_SEND, local=reply, local_use=MAKE_SEND_ONCE)) == code
    assert to not in sender.space.entries
    assert sender.take(reply).ident == SEND_ONCE_UNUSED


@pytest.mark.parametrize(("last", "code"), FAILURES)
def test_items_behind_the_bad_one_are_untouched(rig: KernelRig, last: bytes, code: int) -> None:
    sender, to, _, _ = rig.channel()
    names = rig.names_of_every_kind(sender)
    with rig.unchanged():
        assert sender.send(message(to, last, port_item(names["send"], MOVE_SEND),
                                   port_item(names["receive"], MOVE_RECEIVE))) == code


def test_earlier_rights_of_a_failing_array_are_destroyed(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel()
    first, second = sender.port(), sender.port()
    sender.memory.write(SCRATCH, struct.pack("<3I", first, NO_NAME, second))
    assert sender.send(message(to, port_region_item(SCRATCH, 3, MOVE_RECEIVE))) == MsgReturn.SEND_INVALID_RIGHT
    assert first not in sender.space.entries
    assert second in sender.space.entries


def test_memory_that_was_deallocated_is_lost(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel()
    frames = rig.kernel.pool.used
    sender.memory.allocate(UNMAPPED, 4 * PAGE, False)
    sender.store(UNMAPPED, b"x" * 4 * PAGE)
    octets = message(to, region_item(UNMAPPED, 4 * PAGE, deallocate=True), port_item(NO_NAME, COPY_SEND))
    assert sender.send(octets) == MsgReturn.SEND_INVALID_RIGHT
    assert sender.memory.entry_at(UNMAPPED) is None
    assert rig.kernel.pool.used == frames


def test_the_death_of_a_destroyed_receive_right_is_seen_by_its_senders(rig: KernelRig) -> None:
    sender, to, receiver, _ = rig.channel()
    mine = sender.port()
    name = rig.give(sender, mine, receiver)
    sender.send(message(to, port_item(mine, MOVE_RECEIVE), port_item(NO_NAME, COPY_SEND)))
    assert receiver.names()[name] == (DEAD_NAME, 1)


# -- pseudo-receive --------------------------------------------------------------------------


def full_channel(rig: KernelRig) -> Channel:
    channel = rig.channel()
    for _ in range(5):
        assert channel.sender.send(header(channel.to)) == 0
    return channel


def test_a_copied_destination_comes_back_as_one_more_reference(rig: KernelRig) -> None:
    sender, to, _, _ = full_channel(rig)
    octets = header(to, ident=9, size=40) + b"contents"
    assert sender.send(octets, SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    back = sender.received(BUFFER)
    assert (back.remote, back.remote_use, back.local, back.local_use) == (to, MOVE_SEND, NULL, 0)
    assert (back.ident, back.size, back.body) == (9, 40, b"contents")
    assert sender.space.references(to, Right.SEND) == 2


def test_a_made_destination_comes_back_as_a_send_right(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    for _ in range(5):
        actor.send(header(port, remote_use=MAKE_SEND))
    assert actor.send(header(port, remote_use=MAKE_SEND), SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    assert actor.received(BUFFER).remote == port
    assert actor.names()[port] == (SEND | RECEIVE, 1)


@pytest.mark.parametrize("use", [MAKE_SEND_ONCE, MOVE_SEND_ONCE, MAKE_SEND, COPY_SEND, MOVE_SEND])
def test_the_reply_right_comes_back_unswapped(rig: KernelRig, use: int) -> None:
    sender, to, _, _ = full_channel(rig)
    other = rig.another()
    name = {
        MAKE_SEND_ONCE: sender.port(), MAKE_SEND: sender.port(),
        MOVE_SEND_ONCE: rig.give(other, other.port(), sender, MAKE_SEND_ONCE),
        COPY_SEND: rig.give(other, other.port(), sender), MOVE_SEND: rig.give(other, other.port(), sender),
    }[use]
    assert sender.send(header(to, name, local_use=use), SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    back = sender.received(BUFFER)
    assert back.remote == to
    if use in (MAKE_SEND_ONCE, MOVE_SEND_ONCE):
        assert back.local_use == MOVE_SEND_ONCE
        assert back.local != name, "a new name"
        assert sender.names()[back.local] == (SEND_ONCE, 1)
    else:
        assert back.local_use == MOVE_SEND
        kind, references = sender.names()[back.local]
        assert kind & SEND
        assert references == (2 if use == COPY_SEND else 1)


def test_rights_and_memory_of_the_body_come_back(rig: KernelRig) -> None:
    sender, to, _, _ = full_channel(rig)
    names = rig.names_of_every_kind(sender)
    data = b"0123456789" * 2000
    sender.memory.allocate(UNMAPPED, 5 * PAGE, False)
    sender.store(UNMAPPED, data)
    sender.memory.write(SCRATCH, struct.pack("<2I", names["send and receive"], NULL))
    octets = message(to, port_item(names["send"], MOVE_SEND), port_item(names["send-once"], MOVE_SEND_ONCE),
                     port_item(names["receive"], MOVE_RECEIVE), port_region_item(SCRATCH, 2, MAKE_SEND_ONCE),
                     region_item(UNMAPPED, len(data), deallocate=True), port_item(DEAD, COPY_SEND))
    assert sender.send(octets, SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    back = sender.received(BUFFER)
    assert [back.body[16 * index] for index in (0, 1, 2, 3)] == [MOVE_SEND, MOVE_SEND_ONCE, MOVE_RECEIVE,
                                                                 MOVE_SEND_ONCE]
    kinds = [sender.names()[back.word(16 * index + 8)][0] for index in range(3)]
    assert kinds == [SEND, SEND_ONCE, RECEIVE]
    first, second = struct.unpack("<2I", sender.memory.read(back.word(56), 8))
    assert (sender.names()[first], second) == ((SEND_ONCE, 1), NULL)
    assert back.word(64) & 1 << 31, "deallocate is set"
    assert sender.load(back.word(72), len(data)) == data
    assert back.word(88) == DEAD


@pytest.mark.parametrize("reply", ["none", "made send-once", "copied send"])
def test_what_came_back_can_be_sent_again_as_it_is(rig: KernelRig, reply: str) -> None:
    sender, to, receiver, port = full_channel(rig)
    name, use = {"none": (NULL, 0), "made send-once": (sender.port(), MAKE_SEND_ONCE),
                 "copied send": (rig.names_of_every_kind(sender)["send"], COPY_SEND)}[reply]
    octets = message(to, port_item(sender.port(), MAKE_SEND), local=name, local_use=use, ident=77)
    assert sender.send(octets, SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    before = rig.counts()
    for _ in range(3):
        back = sender.memory.read(BUFFER, len(octets))
        assert sender.send(back, SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    after = rig.counts()
    assert [len(names) for names in after.names] == [len(names) for names in before.names], "nothing piles up"
    assert after.ports == before.ports
    receiver.take(port)
    assert sender.send(sender.memory.read(BUFFER, len(octets)), SEND_TIMEOUT, 0) == 0
    for _ in range(4):
        receiver.take(port)
    assert receiver.take(port).ident == 77


@pytest.mark.parametrize("name", [DEAD, "dead name"])
def test_a_dead_reply_port_can_be_sent_again_too(rig: KernelRig, name: object) -> None:
    sender, to, receiver, port = full_channel(rig)
    local = name if isinstance(name, int) else sender.port(Right.DEAD_NAME)
    sender.send(header(to, local, local_use=COPY_SEND), SEND_TIMEOUT, 0)
    assert sender.received(BUFFER).local == DEAD
    receiver.take(port)
    assert sender.send(sender.memory.read(BUFFER, 32), SEND_TIMEOUT, 0) == 0


def test_a_timed_send_waits_for_its_time(rig: KernelRig) -> None:
    sender, to, _, _ = full_channel(rig)
    assert sender.send(header(to), SEND_TIMEOUT, 20) == BLOCKED
    rig.pass_time(20 * MS - 1)
    assert sender.thread.wait is not None
    rig.pass_time(1)
    assert sender.result() == MsgReturn.SEND_TIMED_OUT
    assert sender.received(BUFFER).remote == to


def test_a_failed_send_is_not_followed_by_a_receive(rig: KernelRig) -> None:
    sender, to, _, _ = full_channel(rig)
    own = sender.port()
    sender.send(header(own, remote_use=MAKE_SEND))
    assert sender.send_and_receive(header(to), own, SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT
    assert sender.send_and_receive(header(NO_NAME), own) == MsgReturn.SEND_INVALID_DEST
    assert sender.space.entries[own].port.queued == 1


def test_a_message_comes_back_with_holes_where_names_are_short(rig: KernelRig) -> None:
    sender, to, _, _ = full_channel(rig)
    known, mine = rig.names_of_every_kind(sender)["send"], sender.port()
    octets = message(to, port_item(mine, MAKE_SEND_ONCE), port_item(known, COPY_SEND))
    with rig.no_names_left(sender):
        assert sender.send(octets, SEND_TIMEOUT, 0) == MsgReturn.SEND_TIMED_OUT | 0x2000
    back = sender.received(BUFFER)
    assert (back.remote, back.word(8), back.word(24)) == (to, NULL, known)
    assert sender.take(mine).ident == SEND_ONCE_UNUSED


def test_an_unwritable_buffer_loses_what_came_back(rig: KernelRig) -> None:
    sender, to, _, _ = full_channel(rig)
    sender.memory.allocate(UNMAPPED, PAGE, False)
    sender.memory.write(UNMAPPED, header(to))
    sender.memory.protect(UNMAPPED, PAGE, False, 1)
    result = sender.trap("mach_msg_trap", UNMAPPED, 1 | SEND_TIMEOUT, 32, 0, 0, 0)
    assert result != 0
    assert sender.space.references(to, Right.SEND) == 2


# -- a destination that dies, or cannot take the message ---------------------------------------


def test_a_blocked_sender_succeeds_when_the_port_dies(rig: KernelRig) -> None:
    sender, to, receiver, port = full_channel(rig)
    reply, witness = sender.port(), sender.port()
    octets = message(to, port_item(witness, MAKE_SEND_ONCE), local=reply, local_use=MAKE_SEND_ONCE)
    assert sender.send(octets) == BLOCKED
    receiver.space.destroy_name(port)
    assert sender.result() == 0
    assert sender.take(reply).ident == SEND_ONCE_UNUSED
    assert sender.take(witness).ident == SEND_ONCE_UNUSED
    assert sender.names()[to] == (DEAD_NAME, 1)


def test_a_blocked_call_hears_of_the_death_of_its_server(rig: KernelRig) -> None:
    sender, to, receiver, _ = full_channel(rig)
    reply = sender.port()
    assert sender.send_and_receive(header(to, reply, local_use=MAKE_SEND_ONCE), reply) == BLOCKED
    rig.kernel.terminate_task(receiver.task, None, "test")
    rig.pass_time(0)
    assert sender.result() == 0
    assert sender.received(BUFFER).ident == SEND_ONCE_UNUSED


def test_a_blocked_sender_that_ends_takes_its_message_along(rig: KernelRig) -> None:
    sender, to, receiver, port = full_channel(rig)
    other = rig.another()
    name = rig.give(other, other.port(), sender)
    witness = rig.give(other, other.port(), sender, MAKE_SEND_ONCE)
    ports = len(rig.kernel.zone.live)
    assert sender.send(message(to, port_item(name, MOVE_SEND), port_item(witness, MOVE_SEND_ONCE),
                               port_item(sender.port(), MOVE_RECEIVE))) == BLOCKED
    rig.kernel.terminate_thread(sender.thread)
    rig.check()
    assert len(rig.kernel.zone.live) == ports - 1, "the thread's port"
    for _ in range(5):
        receiver.take(port)
    assert receiver.poll(port) is None
