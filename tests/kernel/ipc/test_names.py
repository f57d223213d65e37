"""Names: numbers of one task only, turned into rights by the kernel (mach-abi.md 5.1)."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import RECEIVE, SEND, Right
from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import (
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NO_NAME,
    NULL,
    RCV_TIMEOUT,
    KernelRig,
    header,
)

RENAME, ALLOCATE_NAME, ALLOCATE, DESTROY = 3202, 3203, 3204, 3205
CHOSEN = 0x12_3456


@pytest.mark.req("A-M09")
def test_one_port_has_different_names_in_two_tasks(rig: KernelRig) -> None:
    client = rig.another()
    for _ in range(3):
        client.port()
    port = rig.actor.port()
    name = rig.give(rig.actor, port, client)
    assert name != port
    assert client.space.entries[name].port is rig.space.entries[port].port
    assert client.send(header(name)) == 0
    assert rig.actor.poll(port) is not None


@pytest.mark.req("A-M09")
def test_the_owners_name_is_not_used_elsewhere_though_it_is_free_there(rig: KernelRig) -> None:
    ports = [rig.actor.port() for _ in range(8)]
    client = rig.another()
    assert ports[-1] not in client.names()
    assert rig.give(rig.actor, ports[-1], client) != ports[-1]


@pytest.mark.req("A-M09")
def test_a_name_means_nothing_in_another_task(rig: KernelRig) -> None:
    for _ in range(8):
        port = rig.actor.port()
    stranger = rig.another()
    assert stranger.send(header(port, remote_use=MAKE_SEND)) == MsgReturn.SEND_INVALID_DEST
    assert stranger.receive(port, RCV_TIMEOUT) == MsgReturn.RCV_INVALID_NAME
    assert stranger.rpc(stranger.self_name, DESTROY, port)[0] == KernReturn.INVALID_NAME
    assert port in rig.actor.names()


def test_a_freed_name_does_not_come_back_at_once(rig: KernelRig) -> None:
    seen = set()
    for _ in range(50):
        port = rig.actor.port()
        assert port not in seen, "a stale name is noticed"
        seen.add(port)
        rig.space.destroy_name(port)
    assert len({name >> 8 for name in seen}) == 1, "the table does not grow"


@pytest.mark.parametrize("kind", [Right.RECEIVE, Right.PORT_SET, Right.DEAD_NAME])
def test_a_name_can_be_chosen(rig: KernelRig, kind: Right) -> None:
    actor = rig.actor
    for _ in range(3):
        actor.call(ALLOCATE_NAME, kind, CHOSEN)
        assert actor.names()[CHOSEN][0] == kind.type_bit
        assert actor.rpc(actor.self_name, ALLOCATE_NAME, kind, CHOSEN)[0] == KernReturn.NAME_EXISTS
        actor.call(DESTROY, CHOSEN)


def test_a_chosen_name_is_not_given_out_again(rig: KernelRig) -> None:
    """Names chosen from where the kernel takes its own: the next, and one that was freed."""
    actor = rig.actor
    freed = actor.port()
    actor.space.destroy_name(freed)
    upcoming = actor.port()
    actor.space.destroy_name(upcoming)
    taken = [((upcoming >> 8) + step << 8) + generation for step in range(4) for generation in range(3)]
    chosen = [name for name in taken if actor.rpc(actor.self_name, ALLOCATE_NAME, Right.RECEIVE, name)[0] == 0]
    assert len(chosen) > 8
    new = [actor.port() for _ in range(20)]
    assert len(set(new)) == 20
    assert not set(new) & set(chosen)


@pytest.mark.parametrize("how", ["allocate_name", "rename", "insert_right"])
def test_a_name_about_to_be_given_out_may_be_chosen(rig: KernelRig, how: str) -> None:
    """It is taken off the list of free names, or it would be given out twice."""
    actor = rig.actor
    port, freed = actor.port(), actor.port()
    actor.space.destroy_name(freed)
    upcoming = actor.port()
    actor.space.destroy_name(upcoming)
    chosen = upcoming & ~0xFF | (upcoming + 1) & 0xFF
    if how == "allocate_name":
        assert actor.trap("syscall_mach_port_allocate_name", actor.self_name, Right.RECEIVE, chosen) == 0
    elif how == "rename":
        actor.space.rename(port, chosen)
    else:
        assert actor.trap("syscall_mach_port_insert_right", actor.self_name, chosen, port, MAKE_SEND_ONCE) == 0
    assert chosen not in {actor.port() for _ in range(5)}


@pytest.mark.parametrize("name", [NULL, DEAD])
def test_two_names_are_never_valid(rig: KernelRig, name: int) -> None:
    actor = rig.actor
    port = actor.port()
    assert actor.rpc(actor.self_name, ALLOCATE_NAME, Right.RECEIVE, name)[0] == KernReturn.INVALID_VALUE
    assert actor.rpc(actor.self_name, RENAME, port, name)[0] == KernReturn.INVALID_VALUE
    assert port in actor.names()


@pytest.mark.parametrize("kind", ["receive", "send", "send and receive", "send-once", "port set", "dead name"])
def test_a_renamed_right_works_under_its_new_name_only(rig: KernelRig, kind: str) -> None:
    actor = rig.actor
    names = rig.names_of_every_kind(actor)
    before = actor.names()[names[kind]]
    actor.call(RENAME, names[kind], CHOSEN)
    assert names[kind] not in actor.names()
    assert actor.names()[CHOSEN] == before
    if kind in ("receive", "send and receive"):
        actor.send(header(CHOSEN, remote_use=MAKE_SEND))
        assert actor.take(CHOSEN).local == CHOSEN
    actor.call(DESTROY, CHOSEN)
    assert CHOSEN not in actor.names()


def test_a_right_that_arrives_joins_the_new_name(rig: KernelRig) -> None:
    port = rig.actor.port()
    rig.actor.call(RENAME, port, CHOSEN)
    assert rig.give(rig.actor, CHOSEN, rig.actor) == CHOSEN
    assert rig.actor.names()[CHOSEN] == (SEND | RECEIVE, 1)


def test_renaming_to_or_from_where_it_cannot_be(rig: KernelRig) -> None:
    actor = rig.actor
    first, second = actor.port(), actor.port()
    with rig.unchanged():
        assert actor.rpc(actor.self_name, RENAME, NO_NAME, CHOSEN)[0] == KernReturn.INVALID_NAME
        assert actor.rpc(actor.self_name, RENAME, first, second)[0] == KernReturn.NAME_EXISTS
        assert actor.rpc(actor.self_name, RENAME, first, first)[0] == KernReturn.NAME_EXISTS


@pytest.mark.parametrize("ident", [ALLOCATE, ALLOCATE_NAME])
@pytest.mark.parametrize("kind", [Right.SEND, Right.SEND_ONCE, 5, 99, 2**32 - 1])
def test_rights_that_cannot_be_made_alone(rig: KernelRig, ident: int, kind: int) -> None:
    actor = rig.actor
    arguments = (kind, CHOSEN) if ident == ALLOCATE_NAME else (kind,)
    with rig.unchanged():
        assert actor.rpc(actor.self_name, ident, *arguments)[0] == KernReturn.INVALID_VALUE


def test_a_refused_allocation_uses_no_name_up(rig: KernelRig) -> None:
    actor = rig.actor
    actor.call(ALLOCATE, Right.DEAD_NAME)
    index = max(actor.names()) >> 8
    for _ in range(5):
        actor.rpc(actor.self_name, ALLOCATE, Right.SEND)
    actor.port()
    actor.port()
    assert max(actor.names()) >> 8 <= index + 2


def test_a_full_space_has_no_room(rig: KernelRig) -> None:
    """The call comes from another task, whose own space has room for the reply port."""
    full = rig.another()
    task = rig.name_of(rig.actor, full.task)
    with rig.no_names_left(full), rig.unchanged():
        assert rig.actor.rpc(task, ALLOCATE, Right.RECEIVE)[0] == KernReturn.NO_SPACE
        assert rig.actor.trap("syscall_mach_port_allocate", task, Right.RECEIVE, 0x30000) == KernReturn.NO_SPACE
        assert rig.actor.trap("syscall_mach_port_allocate_name", task, Right.RECEIVE, 0x100) == KernReturn.NAME_EXISTS


@pytest.mark.parametrize("use", [MAKE_SEND, MAKE_SEND_ONCE])
def test_rights_of_one_port_in_one_space(rig: KernelRig, use: int) -> None:
    """Send rights share the name of the receive right; send-once rights never."""
    actor = rig.actor
    port = actor.port()
    names = {actor.space.insert(actor.space.take(port, use)) for _ in range(3)}
    assert names == {port} if use == MAKE_SEND else len(names) == 3


def test_choosing_and_freeing_a_name_for_ever_takes_no_room(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    actor.space.destroy_name(port)
    chosen = (port >> 8 << 8) + 0x80
    for _ in range(100):
        actor.space.allocate(Right.RECEIVE, chosen)
        actor.space.destroy_name(chosen)
    assert len(actor.space._free) < 10
