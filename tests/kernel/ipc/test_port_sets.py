"""Port sets: one merged queue over all members (mach-abi.md 2.10)."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import Right
from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import (
    BLOCKED,
    MAKE_SEND,
    MOVE_RECEIVE,
    NO_NAME,
    NULL,
    RCV,
    RCV_TIMEOUT,
    SCRATCH,
    Actor,
    KernelRig,
    Region,
    header,
    message,
    port_item,
)

MOVE_MEMBER, SET_STATUS, RECEIVE_STATUS, DESTROY, MOD_REFS = 3213, 3212, 3217, 3205, 3208


def move_member(actor: Actor, port: int, the_set: int) -> int:
    return actor.rpc(actor.self_name, MOVE_MEMBER, port, the_set)[0]


def members(actor: Actor, the_set: int) -> list[int]:
    (region,) = actor.call(SET_STATUS, the_set)
    assert isinstance(region, Region)
    return region.words


def set_of(rig: KernelRig, count: int) -> tuple[Actor, int, list[int]]:
    actor = rig.actor
    the_set, ports = actor.port(Right.PORT_SET), [actor.port() for _ in range(count)]
    for port in ports:
        assert move_member(actor, port, the_set) == 0
    return actor, the_set, ports


def send(actor: Actor, port: int, ident: int) -> None:
    assert actor.send(header(port, remote_use=MAKE_SEND, ident=ident)) == 0


@pytest.mark.req("A-M03")
def test_messages_of_all_members_come_out_in_order_of_arrival(rig: KernelRig) -> None:
    actor, the_set, ports = set_of(rig, 3)
    order = [2, 0, 1, 2, 0]
    for ident, number in enumerate(order):
        send(actor, ports[number], ident)
    found = [actor.take(the_set) for _ in order]
    assert [one.ident for one in found] == [0, 1, 2, 3, 4]
    assert [ports.index(one.local) for one in found] == order
    assert [one.sequence for one in found] == [0, 0, 0, 1, 1], "each port counts its own"


def test_a_member_is_received_from_through_its_set_only(rig: KernelRig) -> None:
    actor, _, (port,) = set_of(rig, 1)
    send(actor, port, 1)
    assert actor.receive(port, RCV_TIMEOUT) == MsgReturn.RCV_IN_SET


def test_the_members_of_a_set_can_be_listed(rig: KernelRig) -> None:
    actor, the_set, ports = set_of(rig, 3)
    assert members(actor, the_set) == ports
    assert members(actor, actor.port(Right.PORT_SET)) == []
    assert move_member(actor, ports[1], NULL) == 0
    assert members(actor, the_set) == [ports[0], ports[2]]


@pytest.mark.parametrize("kind", ["send", "send-once", "dead name", "port set", "unknown"])
def test_only_receive_rights_join_a_set(rig: KernelRig, kind: str) -> None:
    actor, the_set, _ = set_of(rig, 0)
    name = (rig.names_of_every_kind(actor) | {"unknown": NO_NAME})[kind]
    refusal = KernReturn.INVALID_NAME if kind == "unknown" else KernReturn.INVALID_RIGHT
    assert move_member(actor, name, the_set) == refusal
    assert move_member(actor, name, NULL) == refusal


@pytest.mark.parametrize("kind", ["send", "send-once", "dead name", "receive", "send and receive", "unknown"])
def test_a_port_joins_nothing_but_a_set(rig: KernelRig, kind: str) -> None:
    actor, _, (port,) = set_of(rig, 1)
    name = (rig.names_of_every_kind(actor) | {"unknown": NO_NAME})[kind]
    refusal = KernReturn.INVALID_NAME if kind == "unknown" else KernReturn.INVALID_RIGHT
    assert move_member(actor, port, name) == refusal
    assert actor.space.entries[port].port.port_set is not None, "it stays where it is"
    assert actor.rpc(actor.self_name, SET_STATUS, name)[0] == refusal


def test_leaving_without_being_a_member(rig: KernelRig) -> None:
    assert move_member(rig.actor, rig.actor.port(), NULL) == KernReturn.NOT_IN_SET


def test_a_port_is_in_one_set_at_most(rig: KernelRig) -> None:
    actor, first, (port,) = set_of(rig, 1)
    second = actor.port(Right.PORT_SET)
    send(actor, port, 5)
    assert move_member(actor, port, second) == 0
    assert (members(actor, first), members(actor, second)) == ([], [port])
    assert actor.poll(first) is None
    assert actor.take(second).ident == 5


def test_joining_appends_the_messages_and_leaving_takes_them_along(rig: KernelRig) -> None:
    actor, the_set, (member, *_) = set_of(rig, 2)
    late = actor.port()
    for ident, port in enumerate([late, member, late, member]):
        send(actor, port, ident)
    assert move_member(actor, late, the_set) == 0
    assert actor.take(the_set).ident == 1
    assert move_member(actor, member, NULL) == 0
    assert actor.take(member).ident == 3
    assert [actor.take(the_set).ident for _ in range(2)] == [0, 2]


def test_a_receiver_on_a_port_that_joins_is_told(rig: KernelRig) -> None:
    actor, the_set, _ = set_of(rig, 0)
    port = actor.port()
    waiting = rig.second_thread(actor)
    assert waiting.receive(port) == BLOCKED
    assert move_member(actor, port, the_set) == 0
    assert waiting.result() == MsgReturn.RCV_PORT_CHANGED


def test_a_receiver_on_the_set_gets_the_messages_of_a_port_that_joins(rig: KernelRig) -> None:
    actor, the_set, _ = set_of(rig, 0)
    port = actor.port()
    for ident in range(2):
        send(actor, port, ident)
    waiting = rig.second_thread(actor)
    assert waiting.trap("mach_msg_trap", SCRATCH, RCV, 0, 64, the_set) == BLOCKED
    assert move_member(actor, port, the_set) == 0
    assert waiting.result() == 0
    assert actor.received(SCRATCH).ident == 0
    assert actor.take(the_set).ident == 1


def test_a_blocked_sender_keeps_its_place_when_its_port_joins(rig: KernelRig) -> None:
    actor, the_set, _ = set_of(rig, 0)
    port = actor.port()
    for ident in range(5):
        send(actor, port, ident)
    blocked, waiting = rig.second_thread(actor), rig.second_thread(actor)
    assert blocked.send(header(port, remote_use=MAKE_SEND, ident=5)) == BLOCKED
    assert waiting.trap("mach_msg_trap", SCRATCH, RCV, 0, 64, the_set) == BLOCKED
    assert move_member(actor, port, the_set) == 0
    assert actor.received(SCRATCH).ident == 0
    assert [actor.take(the_set).ident for _ in range(5)] == [1, 2, 3, 4, 5]


def test_limits_are_those_of_the_members(rig: KernelRig) -> None:
    actor, the_set, ports = set_of(rig, 2)
    for ident in range(5):
        send(actor, ports[0], ident)
    send(actor, ports[1], 10)
    blocked = rig.second_thread(actor)
    assert blocked.send(header(ports[0], remote_use=MAKE_SEND, ident=5)) == BLOCKED
    actor.take(the_set)
    assert blocked.result() == 0
    assert [actor.take(the_set).ident for _ in range(6)] == [1, 2, 3, 4, 10, 5]


@pytest.mark.parametrize("call", ["destroy", "mod_refs"])
def test_a_destroyed_set_frees_its_members_with_their_messages(rig: KernelRig, call: str) -> None:
    actor, the_set, ports = set_of(rig, 2)
    for ident, port in enumerate(ports):
        send(actor, port, ident)
    if call == "destroy":
        actor.call(DESTROY, the_set)
    else:
        actor.call(MOD_REFS, the_set, Right.PORT_SET, -1)
    assert the_set not in actor.space.entries
    assert [actor.take(port).ident for port in ports] == [0, 1]


def test_a_receiver_on_a_destroyed_set_is_told(rig: KernelRig) -> None:
    actor, the_set, _ = set_of(rig, 1)
    waiting = rig.second_thread(actor)
    assert waiting.receive(the_set) == BLOCKED
    actor.call(DESTROY, the_set)
    assert waiting.result() == MsgReturn.RCV_PORT_DIED


@pytest.mark.parametrize("how", ["destroyed", "moved"])
def test_receivers_on_the_set_outlive_a_member(rig: KernelRig, how: str) -> None:
    actor, the_set, (leaving, staying) = set_of(rig, 2)
    waiting = rig.second_thread(actor)
    assert waiting.trap("mach_msg_trap", SCRATCH, RCV, 0, 64, the_set) == BLOCKED
    if how == "destroyed":
        actor.call(DESTROY, leaving)
    else:
        _, to, _, _ = rig.channel()
        actor.send(message(to, port_item(leaving, MOVE_RECEIVE)))
    assert waiting.result() == BLOCKED
    assert members(actor, the_set) == [staying]
    send(actor, staying, 7)
    assert actor.received(SCRATCH).ident == 7


def test_the_set_is_told_in_the_status_of_its_members(rig: KernelRig) -> None:
    actor, the_set, (port,) = set_of(rig, 1)
    ((status_set, *_),) = actor.call(RECEIVE_STATUS, port)
    assert status_set == the_set
    move_member(actor, port, NULL)
    ((status_set, *_),) = actor.call(RECEIVE_STATUS, port)
    assert status_set == 0
