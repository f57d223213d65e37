"""mach_port calls that give or take rights, or tell of them; for names and references see
`ipc/test_names.py` and `ipc/test_references.py`."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.ipc.right import (
    DEAD_NAME,
    DEAD_NAME_REQUESTED,
    RECEIVE,
    SEND,
    SEND_ONCE,
    UREFS_MAX,
    Right,
)
from machemu.kernel.results import KernReturn
from tests.support.rig import (
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
    header,
)

NAMES, TYPE, INSERT, EXTRACT, RECEIVE_STATUS = 3200, 3201, 3215, 3216, 3217
SET_QLIMIT, SET_MSCOUNT, SET_SEQNO, SET_PAYLOAD, CLEAR_PAYLOAD = 3210, 3211, 3218, 3221, 3222
REQUEST_NOTIFICATION: Final = 3214
CHOSEN: Final = 0x4200
USES: Final = range(MOVE_RECEIVE, MAKE_SEND_ONCE + 1)


@pytest.fixture
def child(rig: KernelRig) -> Actor:
    """Another task, of which the first actor holds the port as `rig.name_of(...)`."""
    return rig.another()


def insert(rig: KernelRig, child: Actor, name: int, right: int, use: int) -> int:
    return rig.actor.rpc(rig.name_of(rig.actor, child.task), INSERT, name, Give(right, use) if right else None)[0]


# -- insert_right --------------------------------------------------------------------------------


@pytest.mark.parametrize(("use", "kind", "there"), [
    (COPY_SEND, "send", SEND), (MOVE_SEND, "send", SEND), (MAKE_SEND, "receive", SEND),
    (MAKE_SEND_ONCE, "receive", SEND_ONCE), (MOVE_SEND_ONCE, "send-once", SEND_ONCE),
    (MOVE_RECEIVE, "receive", RECEIVE)])
def test_a_right_gets_the_name_chosen(rig: KernelRig, child: Actor, use: int, kind: str, there: int) -> None:
    mine = rig.names_of_every_kind(rig.actor)[kind]
    assert insert(rig, child, CHOSEN, mine, use) == 0
    assert child.names()[CHOSEN][0] == there


def test_send_rights_merge_under_their_name(rig: KernelRig, child: Actor) -> None:
    port = rig.actor.port()
    for count in range(1, 4):
        assert insert(rig, child, CHOSEN, port, MAKE_SEND) == 0
        assert child.names()[CHOSEN] == (SEND, count)
    assert insert(rig, child, CHOSEN, port, MOVE_RECEIVE) == 0
    assert child.names()[CHOSEN] == (SEND | RECEIVE, 3)
    assert rig.actor.names().get(port) is None


def refused(rig: KernelRig, child: Actor, name: int, right: int, use: int, code: int) -> None:
    """The insertion is refused, its right destroyed and the child's names are as before."""
    before = child.names()
    assert insert(rig, child, name, right, use) == code
    assert child.names() == before


def test_a_name_that_denotes_something_else(rig: KernelRig, child: Actor) -> None:
    port = rig.actor.port()
    for taken in rig.names_of_every_kind(child).values():
        for use in (MAKE_SEND, MAKE_SEND_ONCE):
            refused(rig, child, taken, port, use, KernReturn.NAME_EXISTS)
    assert rig.space.entries[port].port.send_rights == 0


def test_a_right_that_is_there_under_another_name(rig: KernelRig, child: Actor) -> None:
    port = rig.actor.port()
    known = rig.give(rig.actor, port, child)
    refused(rig, child, CHOSEN, port, MAKE_SEND, KernReturn.RIGHT_EXISTS)
    assert insert(rig, child, CHOSEN, port, MOVE_RECEIVE) == KernReturn.RIGHT_EXISTS
    assert port not in rig.actor.names()
    assert child.names()[known] == (DEAD_NAME, 1), "the moved right was destroyed"


def test_a_send_once_right_to_a_known_port_is_no_second(rig: KernelRig, child: Actor) -> None:
    port = rig.actor.port()
    rig.give(rig.actor, port, child)
    assert insert(rig, child, CHOSEN, port, MAKE_SEND_ONCE) == 0
    assert child.names()[CHOSEN] == (SEND_ONCE, 1)


@pytest.mark.parametrize("name", [NULL, DEAD])
def test_invalid_names(rig: KernelRig, child: Actor, name: int) -> None:
    refused(rig, child, name, rig.actor.port(), MAKE_SEND, KernReturn.INVALID_VALUE)


@pytest.mark.parametrize("right", [NULL, DEAD, "dead name"])
def test_null_and_dead_rights(rig: KernelRig, child: Actor, right: object) -> None:
    name = right if isinstance(right, int) else rig.actor.port(Right.DEAD_NAME)
    refused(rig, child, CHOSEN, name, COPY_SEND, KernReturn.INVALID_CAPABILITY)


@pytest.mark.parametrize("right", [NULL, DEAD, "dead name"])
def test_null_and_dead_rights_by_trap(rig: KernelRig, child: Actor, right: object) -> None:
    name = right if isinstance(right, int) else rig.actor.port(Right.DEAD_NAME)
    task = rig.name_of(rig.actor, child.task)
    with rig.unchanged():
        assert rig.trap("syscall_mach_port_insert_right", task, CHOSEN, name, COPY_SEND) == (
            KernReturn.INVALID_CAPABILITY)


def test_a_full_count_overflows(rig: KernelRig, child: Actor) -> None:
    port = rig.actor.port()
    insert(rig, child, CHOSEN, port, MAKE_SEND)
    child.space.change_references(CHOSEN, Right.SEND, UREFS_MAX - 1)
    refused(rig, child, CHOSEN, port, MAKE_SEND, KernReturn.UREFS_OVERFLOW)


# -- extract_right ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("use", "kind", "left", "arrives"), [
    (COPY_SEND, "send", (SEND, 1), MOVE_SEND), (MOVE_SEND, "send", None, MOVE_SEND),
    (MAKE_SEND, "receive", (RECEIVE, 0), MOVE_SEND), (MAKE_SEND_ONCE, "receive", (RECEIVE, 0), MOVE_SEND_ONCE),
    (MOVE_SEND_ONCE, "send-once", None, MOVE_SEND_ONCE), (MOVE_RECEIVE, "receive", None, MOVE_RECEIVE),
    (MOVE_RECEIVE, "send and receive", (SEND, 1), MOVE_RECEIVE)])
def test_a_right_can_be_taken_out_of_a_task(
    rig: KernelRig, child: Actor, use: int, kind: str, left: object, arrives: int
) -> None:
    name = rig.names_of_every_kind(child)[kind]
    port = child.space.entries[name].port
    code, (mine, disposition) = rig.actor.rpc(rig.name_of(rig.actor, child.task), EXTRACT, name, use)
    assert (code, disposition) == (0, arrives)
    assert rig.space.entries[mine].port is port
    assert child.names().get(name) == left


@pytest.mark.parametrize("use", [COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE])
def test_a_dead_name_is_taken_out_dead(rig: KernelRig, child: Actor, use: int) -> None:
    name = child.port(Right.DEAD_NAME)
    code, (mine, _) = rig.actor.rpc(rig.name_of(rig.actor, child.task), EXTRACT, name, use)
    assert (code, mine) == (0, DEAD)
    assert child.names().get(name) == ((DEAD_NAME, 1) if use == COPY_SEND else None)


@pytest.mark.parametrize(("kind", "uses"), [
    ("receive", {COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE}), ("send", {MOVE_RECEIVE, MOVE_SEND_ONCE, MAKE_SEND}),
    ("send-once", {COPY_SEND, MOVE_SEND, MAKE_SEND_ONCE}), ("port set", set(USES)),
    ("dead name", {MOVE_RECEIVE, MAKE_SEND, MAKE_SEND_ONCE})])
def test_rights_that_a_name_does_not_have(rig: KernelRig, child: Actor, kind: str, uses: set[int]) -> None:
    name = rig.names_of_every_kind(child)[kind]
    task = rig.name_of(rig.actor, child.task)
    with rig.unchanged():
        for use in uses:
            assert rig.actor.rpc(task, EXTRACT, name, use)[0] == KernReturn.INVALID_RIGHT


@pytest.mark.parametrize("use", [0, 15, 22, 23, 2**32 - 1])
def test_unknown_dispositions(rig: KernelRig, child: Actor, use: int) -> None:
    name = child.port()
    task = rig.name_of(rig.actor, child.task)
    with rig.unchanged():
        assert rig.actor.rpc(task, EXTRACT, name, use)[0] == KernReturn.INVALID_VALUE
        assert rig.actor.rpc(task, EXTRACT, NO_NAME, COPY_SEND)[0] == KernReturn.INVALID_NAME


# -- what is told ------------------------------------------------------------------------------------


def test_all_names_are_told_with_their_types(rig: KernelRig, child: Actor) -> None:
    rig.names_of_every_kind(child)
    requested = rig.give(rig.actor, rig.actor.port(), child)
    child.call(REQUEST_NOTIFICATION, requested, 72, 0, Give(child.port(), MAKE_SEND_ONCE))
    dead = rig.give(rig.actor, rig.actor.port(), child)
    rig.space.destroy_name(max(name for name, (kind, _) in rig.actor.names().items() if kind == RECEIVE))
    code, (names, types) = rig.actor.rpc(rig.name_of(rig.actor, child.task), NAMES)
    assert code == 0
    expected = {name: kind for name, (kind, _) in child.names().items()}
    expected[requested] |= DEAD_NAME_REQUESTED
    assert expected[dead] == DEAD_NAME
    assert dict(zip(names.words, types.words, strict=True)) == expected


def test_a_space_without_names(rig: KernelRig) -> None:
    task = rig.kernel.create_task(None)
    code, (names, types) = rig.actor.rpc(rig.name_of(rig.actor, task), NAMES)
    assert (code, names.address, types.address) == (0, 0, 0)


def test_a_receive_right_tells_its_state(rig: KernelRig) -> None:
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    assert actor.call(RECEIVE_STATUS, port) == ([0, 0, 0, 5, 0, 0, 0, 0, 0],)
    the_set = actor.port(Right.PORT_SET)
    actor.call(3213, port, the_set)
    actor.call(SET_QLIMIT, port, 11)
    actor.call(SET_MSCOUNT, port, 2**31 + 5)
    actor.call(SET_SEQNO, port, 2**32 - 2)
    actor.space.insert(actor.space.take(port, MAKE_SEND_ONCE))
    actor.send(header(port, remote_use=MAKE_SEND))
    actor.call(REQUEST_NOTIFICATION, port, 69, 0, Give(notify, MAKE_SEND_ONCE))
    ((*status,),) = actor.call(RECEIVE_STATUS, port)
    words = [word % 2**32 for word in status]
    assert words == [the_set, 2**32 - 2, 2**31 + 6, 11, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(("ident", "arguments"), [
    (RECEIVE_STATUS, ()), (SET_QLIMIT, (3,)), (SET_MSCOUNT, (3,)), (SET_SEQNO, (3,)), (SET_PAYLOAD, (3,)),
    (CLEAR_PAYLOAD, ())])
def test_calls_on_receive_rights_refuse_others(rig: KernelRig, ident: int, arguments: tuple[int, ...]) -> None:
    actor = rig.actor
    names = rig.names_of_every_kind(actor)
    for kind in ("receive", "send and receive"):
        assert actor.rpc(actor.self_name, ident, names[kind], *arguments)[0] == 0
    for kind in ("send", "send-once", "port set", "dead name"):
        assert actor.rpc(actor.self_name, ident, names[kind], *arguments)[0] == KernReturn.INVALID_RIGHT
    for name in (NULL, DEAD, NO_NAME):
        assert actor.rpc(actor.self_name, ident, name, *arguments)[0] == KernReturn.INVALID_NAME


def test_the_make_send_count_counts_on_from_what_was_set(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    actor.call(SET_MSCOUNT, port, 41)
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    ((_, _, count, *_),) = actor.call(RECEIVE_STATUS, port)
    assert count == 42


def test_the_make_send_count_has_32_bits(rig: KernelRig) -> None:
    """As the no-senders test compares it: after 2**32 - 1 comes 0."""
    actor = rig.actor
    port, notify = actor.port(), actor.port()
    actor.call(SET_MSCOUNT, port, 2**32 - 1)
    actor.send(header(port, remote_use=MAKE_SEND))
    actor.take(port)
    actor.call(REQUEST_NOTIFICATION, port, 70, 1, Give(notify, MAKE_SEND_ONCE))
    assert actor.poll(notify) is None, "the count is 0, and 1 was asked for"


def test_the_type_of_every_name_of_another_task(rig: KernelRig, child: Actor) -> None:
    task = rig.name_of(rig.actor, child.task)
    for name in rig.names_of_every_kind(child).values():
        assert rig.actor.rpc(task, TYPE, name) == (0, (child.names()[name][0],))
