"""What each call does to each kind of name: the table of mach-abi.md 5.9, cell by cell."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, DEAD_UREFS_MAX, RECEIVE, UREFS_MAX, Right
from machemu.kernel.results import KernReturn
from tests.support.rig import MAKE_SEND, MAKE_SEND_ONCE, NO_NAME, KernelRig

DESTROY, DEALLOCATE, GET_REFS, MOD_REFS, TYPE = 3205, 3206, 3207, 3208, 3201
KINDS: Final = ("receive", "send", "send and receive", "send-once", "port set", "dead name")
RIGHTS: Final = {  # the rights a name of each kind has
    "receive": {Right.RECEIVE}, "send": {Right.SEND}, "send and receive": {Right.SEND, Right.RECEIVE},
    "send-once": {Right.SEND_ONCE}, "port set": {Right.PORT_SET}, "dead name": {Right.DEAD_NAME},
}
COUNTED: Final = (Right.SEND, Right.DEAD_NAME)
GONE: Final = None


@pytest.mark.parametrize(("kind", "code", "left"), [
    ("receive", KernReturn.INVALID_RIGHT, (RECEIVE, 0)), ("send", 0, GONE), ("send and receive", 0, (RECEIVE, 0)),
    ("send-once", 0, GONE), ("port set", KernReturn.INVALID_RIGHT, (0x8_0000, 1)), ("dead name", 0, GONE)])
def test_deallocate(rig: KernelRig, kind: str, code: int, left: object) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    assert actor.rpc(actor.self_name, DEALLOCATE, name)[0] == code
    assert actor.names().get(name) == left


@pytest.mark.parametrize(("kind", "right"), [("send", Right.SEND), ("dead name", Right.DEAD_NAME)])
def test_deallocate_takes_one_of_several_references(rig: KernelRig, kind: str, right: Right) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    actor.call(MOD_REFS, name, right, 2)
    actor.call(DEALLOCATE, name)
    assert actor.call(GET_REFS, name, right) == (2,)


@pytest.mark.parametrize("kind", KINDS)
def test_destroy_takes_all_of_a_name(rig: KernelRig, kind: str) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    port = actor.space.entries[name].port
    if kind in ("send", "dead name"):
        actor.call(MOD_REFS, name, *RIGHTS[kind], 5)
    actor.call(DESTROY, name)
    assert name not in actor.names()
    if port is not None:
        assert port.dead == ("receive" in kind)
        assert port.send_rights == 0


@pytest.mark.req("A-M06")
@pytest.mark.parametrize("how", ["deallocate", "destroy", "mod_refs"])
def test_a_send_once_right_given_up_tells_its_port(rig: KernelRig, how: str) -> None:
    actor = rig.actor
    port = actor.port()
    name = actor.space.insert(actor.space.take(port, MAKE_SEND_ONCE))
    if how == "mod_refs":
        actor.call(MOD_REFS, name, Right.SEND_ONCE, -1)
    else:
        actor.call(DEALLOCATE if how == "deallocate" else DESTROY, name)
    assert name not in actor.names()
    assert actor.take(port).ident == 71
    assert actor.poll(port) is None


@pytest.mark.parametrize("delta", [-1, 0, 1, 3])
@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("kind", KINDS)
def test_mod_refs(rig: KernelRig, kind: str, right: Right, delta: int) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    before = actor.names()[name]
    code, _ = actor.rpc(actor.self_name, MOD_REFS, name, right, delta)
    after = actor.names().get(name)
    if right not in RIGHTS[kind]:
        assert (code, after) == (KernReturn.INVALID_RIGHT, before)
    elif delta == 0:
        assert (code, after) == (0, before)
    elif right in COUNTED and delta > 0:
        assert (code, after) == (0, (before[0], 1 + delta))
    elif delta > 0:
        assert (code, after) == (KernReturn.INVALID_VALUE, before)
    elif kind == "send and receive":
        assert (code, after) == (0, (DEAD_NAME, 1) if right is Right.RECEIVE else (RECEIVE, 0))
    else:
        assert (code, after) == (0, GONE)


@pytest.mark.parametrize(("kind", "right"), [("receive", Right.RECEIVE), ("send-once", Right.SEND_ONCE),
                                             ("port set", Right.PORT_SET)])
@pytest.mark.parametrize("delta", [-2, 2, 2**31 - 1, -(2**31)])
def test_single_rights_know_only_minus_one(rig: KernelRig, kind: str, right: Right, delta: int) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    with rig.unchanged():
        assert actor.rpc(actor.self_name, MOD_REFS, name, right, delta)[0] == KernReturn.INVALID_VALUE


@pytest.mark.parametrize(("kind", "right", "most"), [
    ("send", Right.SEND, UREFS_MAX), ("send and receive", Right.SEND, UREFS_MAX),
    ("dead name", Right.DEAD_NAME, DEAD_UREFS_MAX)])
def test_counts_have_limits(rig: KernelRig, kind: str, right: Right, most: int) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]

    def change(delta: int) -> int:
        return actor.rpc(actor.self_name, MOD_REFS, name, right, delta)[0]

    assert change(-2) == KernReturn.INVALID_VALUE
    assert change(-(2**31)) == KernReturn.INVALID_VALUE
    assert change(most - 1) == 0
    assert change(1) == KernReturn.UREFS_OVERFLOW
    assert change(2**31 - 1) == KernReturn.UREFS_OVERFLOW
    assert actor.call(GET_REFS, name, right) == (most,)
    assert change(-most) == 0
    assert actor.names().get(name) == ((RECEIVE, 0) if "receive" in kind else GONE)


@pytest.mark.parametrize("kind", KINDS)
def test_get_refs_tells_of_rights_that_are_there(rig: KernelRig, kind: str) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    for right in Right:
        assert actor.call(GET_REFS, name, right) == (int(right in RIGHTS[kind]),)
    if kind in ("send", "dead name"):
        actor.call(MOD_REFS, name, *RIGHTS[kind], 6)
        assert actor.call(GET_REFS, name, *RIGHTS[kind]) == (7,)


@pytest.mark.parametrize("kind", KINDS)
def test_type_tells_all_rights(rig: KernelRig, kind: str) -> None:
    actor = rig.actor
    name = rig.names_of_every_kind(actor)[kind]
    assert actor.call(TYPE, name) == (sum(1 << 16 + right for right in RIGHTS[kind]),)


def test_a_send_right_whose_port_died_is_a_dead_name(rig: KernelRig) -> None:
    owner, actor = rig.another(), rig.actor
    port = owner.port()
    name = rig.give(owner, port, actor)
    actor.call(MOD_REFS, name, Right.SEND, 4)
    owner.space.destroy_name(port)
    assert actor.call(GET_REFS, name, Right.SEND) == (0,)
    assert actor.call(GET_REFS, name, Right.DEAD_NAME) == (5,)
    assert actor.call(TYPE, name) == (DEAD_NAME,)


def test_the_send_part_of_a_destroyed_receive_right_keeps_its_references(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    actor.call(MOD_REFS, port, Right.SEND, 2)
    actor.call(MOD_REFS, port, Right.RECEIVE, -1)
    assert actor.names()[port] == (DEAD_NAME, 3)


@pytest.mark.parametrize("right", [5, 6, 255, 2**31, 2**32 - 1])
def test_an_unknown_right_is_an_invalid_value(rig: KernelRig, right: int) -> None:
    actor = rig.actor
    name = actor.port()
    with rig.unchanged():
        assert actor.rpc(actor.self_name, GET_REFS, name, right)[0] == KernReturn.INVALID_VALUE
        assert actor.rpc(actor.self_name, MOD_REFS, name, right, -1)[0] == KernReturn.INVALID_VALUE


@pytest.mark.parametrize("name", [0, NO_NAME, 1, 0xFFFF_FFFF])
def test_an_unknown_name_is_an_invalid_name(rig: KernelRig, name: int) -> None:
    actor = rig.actor
    with rig.unchanged():
        for ident, *arguments in ((TYPE,), (DESTROY,), (DEALLOCATE,), (GET_REFS, Right.SEND),
                                  (MOD_REFS, Right.SEND, 1)):
            assert actor.rpc(actor.self_name, ident, name, *arguments)[0] == KernReturn.INVALID_NAME


def test_a_receive_right_with_references_may_lose_them_all(rig: KernelRig) -> None:
    """Losing the last send reference leaves the receive right; then the port may go."""
    actor = rig.actor
    port = actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    the_port = actor.space.entries[port].port
    actor.call(MOD_REFS, port, Right.SEND, -1)
    assert actor.names()[port] == (RECEIVE, 0)
    assert the_port.send_rights == 0
    actor.call(MOD_REFS, port, Right.RECEIVE, -1)
    assert the_port.dead
    assert port not in actor.names()
