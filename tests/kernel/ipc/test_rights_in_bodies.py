"""Rights in message bodies: what each disposition needs, takes and delivers (mach-abi.md
5.2), and what the receiver's space makes of an arriving right (5.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, RECEIVE, SEND, SEND_ONCE, UREFS_MAX, Right
from machemu.kernel.results import MsgReturn
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
    SCRATCH,
    Actor,
    KernelRig,
    Received,
    descriptor,
    header,
    message,
    port_item,
    port_region_item,
    ports_item,
    word_item,
)

USES: Final = range(MOVE_RECEIVE, MAKE_SEND_ONCE + 1)
SUITS: Final = {
    MOVE_RECEIVE: {"receive", "send and receive"},
    MOVE_SEND: {"send", "send and receive"},
    MOVE_SEND_ONCE: {"send-once"},
    COPY_SEND: {"send", "send and receive"},
    MAKE_SEND: {"receive", "send and receive"},
    MAKE_SEND_ONCE: {"receive", "send and receive"},
}
ARRIVES: Final = {MOVE_RECEIVE: MOVE_RECEIVE, MOVE_SEND: MOVE_SEND, MOVE_SEND_ONCE: MOVE_SEND_ONCE,
                  COPY_SEND: MOVE_SEND, MAKE_SEND: MOVE_SEND, MAKE_SEND_ONCE: MOVE_SEND_ONCE}
KIND_OF: Final = {MOVE_RECEIVE: RECEIVE, MOVE_SEND: SEND, MOVE_SEND_ONCE: SEND_ONCE}
SUITS_A_DEAD_NAME: Final = {MOVE_SEND, COPY_SEND, MOVE_SEND_ONCE}
KINDS: Final = ("receive", "send", "send and receive", "send-once", "port set", "dead name", "unknown", "null", "dead")


def inline(sender: Actor, name: int, use: int) -> bytes:
    return port_item(name, use)


def out_of_line(sender: Actor, name: int, use: int) -> bytes:
    sender.memory.write(SCRATCH + 2, struct.pack("<I", name))
    return port_region_item(SCRATCH + 2, 1, use)


def arrived_name(receiver: Actor, found: Received) -> int:
    """The one right of a message, in the body or in an array."""
    if found.word(0) & 1 << 29:
        return found.word(8)
    return int.from_bytes(receiver.memory.read(found.word(8), 4), "little")


@pytest.mark.req("A-M12")
@pytest.mark.parametrize("form", [inline, out_of_line], ids=lambda form: form.__name__)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", USES)
def test_a_right_must_suit_its_disposition(
    rig: KernelRig, use: int, kind: str, form: Callable[[Actor, int, int], bytes]
) -> None:
    sender, to, receiver, port = rig.channel()
    name = (rig.names_of_every_kind(sender) | {"unknown": NO_NAME, "null": NULL, "dead": DEAD})[kind]
    before = rig.counts()
    result = sender.send(message(to, form(sender, name, use)))
    dead = kind == "dead" or (kind == "dead name" and use in SUITS_A_DEAD_NAME)
    if kind not in SUITS[use] and kind != "null" and not dead:
        assert result == MsgReturn.SEND_INVALID_RIGHT
        assert rig.counts() == before
        return
    assert result == 0
    found = receiver.take(port)
    assert found.bits & COMPLEX
    assert found.body[0] == ARRIVES[use]
    arrived = arrived_name(receiver, found)
    if dead or kind == "null":
        assert arrived == (DEAD if dead else NULL)
    else:
        assert receiver.space.entries[arrived].kind == KIND_OF[ARRIVES[use]]


@pytest.mark.req("A-M12")
@pytest.mark.parametrize(("use", "kind", "left"), [
    (COPY_SEND, "send", (SEND, 1)), (MOVE_SEND, "send", None), (COPY_SEND, "send and receive", (SEND | RECEIVE, 1)),
    (MOVE_SEND, "send and receive", (RECEIVE, 0)), (MOVE_RECEIVE, "send and receive", (SEND, 1)),
    (MOVE_RECEIVE, "receive", None), (MOVE_SEND_ONCE, "send-once", None), (MAKE_SEND, "receive", (RECEIVE, 0)),
    (MAKE_SEND_ONCE, "receive", (RECEIVE, 0)), (COPY_SEND, "dead name", (DEAD_NAME, 1)),
    (MOVE_SEND, "dead name", None), (MOVE_SEND_ONCE, "dead name", None)])
def test_what_a_disposition_leaves_to_the_sender(
    rig: KernelRig, use: int, kind: str, left: tuple[int, int] | None
) -> None:
    sender, to, _, _ = rig.channel()
    name = rig.names_of_every_kind(sender)[kind]
    assert sender.send(message(to, port_item(name, use))) == 0
    assert sender.names().get(name) == left


@pytest.mark.parametrize(("use", "kind"), [(MOVE_SEND, "send"), (MOVE_SEND, "dead name"),
                                           (MOVE_SEND_ONCE, "dead name")])
def test_a_move_takes_one_of_several_references(rig: KernelRig, use: int, kind: str) -> None:
    sender, to, _, _ = rig.channel()
    name = rig.names_of_every_kind(sender)[kind]
    right = Right.SEND if kind == "send" else Right.DEAD_NAME
    sender.space.change_references(name, right, 2)
    assert sender.send(message(to, port_item(name, use))) == 0
    assert sender.space.references(name, right) == 2


def test_making_send_rights_counts_them(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel()
    mine = sender.port()
    the_port = sender.space.entries[mine].port
    sender.send(message(to, ports_item([mine, mine], MAKE_SEND), port_item(mine, MAKE_SEND_ONCE)))
    assert (the_port.make_send_count, the_port.send_rights, the_port.send_once_rights) == (2, 2, 1)


@pytest.mark.req("A-M12")
def test_items_are_taken_strictly_in_order(rig: KernelRig) -> None:
    """Copy, then move the last reference: works.  The other way round: the copy fails."""
    sender, to, receiver, port = rig.channel()
    name = rig.names_of_every_kind(sender)["send"]
    copy, move = port_item(name, COPY_SEND), port_item(name, MOVE_SEND)
    assert sender.send(message(to, copy, move)) == 0
    found = receiver.take(port)
    assert found.word(8) == found.word(24)
    assert receiver.space.references(found.word(8), Right.SEND) == 2
    name = rig.names_of_every_kind(sender)["send"]
    copy, move = port_item(name, COPY_SEND), port_item(name, MOVE_SEND)
    assert sender.send(message(to, move, copy)) == MsgReturn.SEND_INVALID_RIGHT
    assert name not in sender.space.entries, "the moved right is lost"


@pytest.mark.req("A-M12")
def test_an_array_of_rights_arrives_as_an_array_of_names(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    ports = [sender.port() for _ in range(3)]
    sender.memory.write(SCRATCH, struct.pack("<5I", ports[0], NULL, ports[1], DEAD, ports[2]))
    assert sender.send(message(to, port_region_item(SCRATCH, 5, MAKE_SEND),
                               ports_item([ports[2], NULL, ports[0]], MAKE_SEND))) == 0
    found = receiver.take(port)
    names = struct.unpack("<5I", receiver.memory.read(found.word(8), 20))
    assert (names[1], names[3]) == (NULL, DEAD)
    assert found.word(0) >> 8 & 0xFFFF == 32, "a packed array of 4-octet names"
    assert found.word(16) >> 8 & 0xFFFF == 64, "8-octet slots"
    assert [found.word(24), found.word(32), found.word(40)] == [names[4], NULL, names[0]]
    kinds = [receiver.space.entries[name].port for name in (names[0], names[2], names[4])]
    assert kinds == [sender.space.entries[name].port for name in ports]


@pytest.mark.parametrize("item", [descriptor(COPY_SEND, 64, 0), descriptor(MAKE_SEND_ONCE, 64, 0)])
def test_an_array_without_rights_makes_a_message_simple(rig: KernelRig, item: int) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send(message(to, struct.pack("<Q", item), word_item(7))) == 0
    assert not receiver.take(port).bits & COMPLEX


@pytest.mark.parametrize(("use", "arrives"), [(COPY_SEND, MOVE_SEND), (MAKE_SEND_ONCE, MOVE_SEND_ONCE)])
def test_an_array_without_rights_shows_what_would_have_arrived(rig: KernelRig, use: int, arrives: int) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send(message(to, ports_item([], use))) == 0
    assert receiver.take(port).body[0] == arrives


def test_complex_is_cleared_when_the_body_holds_only_data(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send(message(to, word_item(1), word_item(2))) == 0
    found = receiver.take(port)
    assert not found.bits & COMPLEX
    assert found.body == word_item(1) + word_item(2)


@pytest.mark.req("A-M09")
def test_a_plain_name_moves_no_right(rig: KernelRig) -> None:
    """PORT_NAME is an integer, in a complex message too: it means nothing to the receiver."""
    sender, to, receiver, port = rig.channel()
    for _ in range(4):
        mine = sender.port()
    before = receiver.names()
    sender.send(message(to, word_item(mine, 15)))
    name = receiver.take(port).word(8) & 0xFFFF_FFFF
    assert name == mine
    assert receiver.names() == before
    assert receiver.send(header(name)) == MsgReturn.SEND_INVALID_DEST
    assert receiver.trap("syscall_mach_port_deallocate", receiver.self_name, name) == 15, "invalid name"


# -- what the receiver's space makes of it ---------------------------------------------------


@pytest.mark.parametrize("there", ["nothing", "send", "receive", "send and receive"])
def test_an_arriving_send_right_joins_the_name_of_its_port(rig: KernelRig, there: str) -> None:
    sender, to, receiver, mailbox = rig.channel()
    owner = receiver if "receive" in there else rig.another()
    port = owner.port()
    name = rig.give(owner, port, sender)
    known = 0
    if "send" in there:
        known = rig.give(owner, port, receiver)
    elif there == "receive":
        known = port
    sender.send(message(to, port_item(name, COPY_SEND)))
    arrived = receiver.take(mailbox).word(8)
    assert arrived == known or not known
    assert receiver.space.references(arrived, Right.SEND) == (2 if "send" in there else 1)
    assert receiver.space.references(arrived, Right.RECEIVE) == ("receive" in there)


def test_a_full_count_of_references_drops_the_arriving_right(rig: KernelRig) -> None:
    sender, to, receiver, mailbox = rig.channel()
    port = sender.port()
    name = rig.give(sender, port, receiver)
    receiver.space.change_references(name, Right.SEND, UREFS_MAX - 1)
    sender.send(message(to, port_item(port, MAKE_SEND)))
    assert receiver.take(mailbox).word(8) == name
    assert receiver.space.references(name, Right.SEND) == UREFS_MAX
    assert sender.space.entries[port].port.send_rights == 1


def test_every_send_once_right_gets_its_own_name(rig: KernelRig) -> None:
    sender, to, receiver, mailbox = rig.channel()
    port = sender.port()
    known = rig.give(sender, port, receiver)
    sender.send(message(to, ports_item([port, port], MAKE_SEND_ONCE)))
    found = receiver.take(mailbox)
    assert len({known, found.word(8), found.word(16)}) == 3
    assert receiver.names()[found.word(8)] == (SEND_ONCE, 1)


@pytest.mark.parametrize("knows_it", [False, True])
def test_an_arriving_receive_right_joins_send_rights(rig: KernelRig, knows_it: bool) -> None:
    sender, to, receiver, mailbox = rig.channel()
    port = sender.port()
    known = rig.give(sender, port, receiver) if knows_it else None
    sender.send(message(to, port_item(port, MOVE_RECEIVE)))
    arrived = receiver.take(mailbox).word(8)
    assert known in (None, arrived)
    assert receiver.names()[arrived] == ((SEND | RECEIVE, 1) if knows_it else (RECEIVE, 0))


@pytest.mark.parametrize("use", [MAKE_SEND, MAKE_SEND_ONCE])
@pytest.mark.parametrize("form", [inline, out_of_line], ids=lambda form: form.__name__)
def test_a_right_whose_port_died_on_the_way_arrives_dead(
    rig: KernelRig, use: int, form: Callable[[Actor, int, int], bytes]
) -> None:
    sender, to, receiver, mailbox = rig.channel()
    port = sender.port()
    sender.send(message(to, form(sender, port, use)))
    sender.space.destroy_name(port)
    before = receiver.names()
    assert arrived_name(receiver, receiver.take(mailbox)) == DEAD
    assert receiver.names() == before, "no name was made"


@pytest.mark.req("A-M12")
def test_counts_balance_after_the_sender_has_died(rig: KernelRig) -> None:
    """Rights of every disposition on their way, then in the receiver's hands, then given up."""
    sender, to, receiver, mailbox = rig.channel(rig.another(), rig.actor)
    third = rig.another()
    theirs = third.port()
    names = [rig.give(third, theirs, sender) for _ in range(2)]
    once = rig.give(third, theirs, sender, MAKE_SEND_ONCE)
    mine, moved = sender.port(), sender.port()
    sender.send(message(to, port_item(names[0], COPY_SEND), port_item(names[1], MOVE_SEND),
                        port_item(once, MOVE_SEND_ONCE), port_item(mine, MAKE_SEND),
                        port_item(mine, MAKE_SEND_ONCE), port_item(moved, MOVE_RECEIVE)))
    rig.kernel.terminate_task(sender.task, None, "test")
    rig.check()
    the_port = third.space.entries[theirs].port
    assert (the_port.send_rights, the_port.send_once_rights) == (2, 1)
    found = receiver.take(mailbox)
    arrived = [found.word(8 + 16 * index) for index in range(6)]
    assert arrived[3:5] == [DEAD, DEAD], "the sender's own port died with it"
    assert receiver.space.entries[arrived[5]].kind == RECEIVE, "what it moved away did not"
    receiver.space.deallocate(arrived[0])
    receiver.space.deallocate(arrived[1])
    receiver.space.deallocate(arrived[2])
    assert third.take(theirs).ident == 71
    assert (the_port.send_rights, the_port.send_once_rights) == (0, 0)
