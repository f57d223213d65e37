"""The shortcut traps on names: each success, each refusal with nothing changed."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import RECEIVE, SEND, Right
from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import COPY_SEND, MAKE_SEND, SCRATCH, UNMAPPED, KernelRig

ALLOCATE = "syscall_mach_port_allocate"
NO_NAME = 0x10000007


def test_new_name_denotes_the_right_asked_for(rig: KernelRig) -> None:
    assert rig.trap(ALLOCATE, rig.actor.self_name, Right.RECEIVE, SCRATCH) == 0
    assert rig.space.lookup(rig.read_word(SCRATCH)).kind == RECEIVE


@pytest.mark.parametrize(("task", "kind", "address", "refusal"), [
    pytest.param(NO_NAME, Right.RECEIVE, SCRATCH, MsgReturn.SEND_INTERRUPTED, id="no such name"),
    pytest.param("host", Right.RECEIVE, SCRATCH, MsgReturn.SEND_INTERRUPTED, id="not a task"),
    pytest.param("self", Right.SEND, SCRATCH, KernReturn.INVALID_VALUE, id="send right, no port"),
    pytest.param("self", 99, SCRATCH, KernReturn.INVALID_VALUE, id="no such kind"),
    pytest.param("self", Right.RECEIVE, UNMAPPED, KernReturn.INVALID_ADDRESS, id="unmapped"),
    pytest.param("self", Right.RECEIVE, 2**64 - 2, KernReturn.INVALID_ADDRESS, id="wraps"),
])
def test_refusal_allocates_nothing(
    rig: KernelRig, task: object, kind: int, address: int, refusal: int
) -> None:
    names = {"self": rig.actor.self_name, "host": rig.trap("mach_host_self")}
    before = set(rig.space.entries)
    assert rig.trap(ALLOCATE, names.get(task, task), kind, address) == refusal
    assert set(rig.space.entries) == before


def test_a_freed_name_comes_back_with_another_generation(rig: KernelRig) -> None:
    port = rig.actor.port()
    rig.space.destroy_name(port)
    again = rig.actor.port()
    assert again != port
    assert again >> 8 == port >> 8


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("kind", ["send", "send and receive", "send-once", "dead name"])
def test_deallocate_takes_one_reference(rig: KernelRig, kind: str) -> None:
    name = rig.names_of_every_kind(rig.actor)[kind]
    assert rig.trap("syscall_mach_port_deallocate", rig.actor.self_name, name) == 0
    assert rig.actor.names().get(name) == ((RECEIVE, 0) if kind == "send and receive" else None)


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("trap", [ALLOCATE, "syscall_mach_port_allocate_name"])
@pytest.mark.parametrize("kind", [Right.RECEIVE, Right.PORT_SET, Right.DEAD_NAME])
def test_each_kind_that_can_be_made_alone(rig: KernelRig, trap: str, kind: Right) -> None:
    chosen = 0x654300
    place = SCRATCH if trap == ALLOCATE else chosen
    assert rig.trap(trap, rig.actor.self_name, kind, place) == 0
    name = rig.read_word(SCRATCH) if trap == ALLOCATE else chosen
    assert rig.actor.names()[name][0] == kind.type_bit


def test_deallocate_refuses_a_lone_receive_right_and_a_set(rig: KernelRig) -> None:
    for kind in (Right.RECEIVE, Right.PORT_SET):
        name = rig.actor.port(kind)
        assert rig.trap("syscall_mach_port_deallocate", rig.actor.self_name, name) == KernReturn.INVALID_RIGHT
        assert name in rig.space.entries
    assert rig.trap("syscall_mach_port_deallocate", rig.actor.self_name, 0x5500) == KernReturn.INVALID_NAME


def test_insert_right_gives_another_task_a_name_of_ones_choice(rig: KernelRig) -> None:
    child = rig.another()
    task = rig.kernel.give_send(rig.actor.task, child.task.self_port)
    port = rig.actor.port()
    insert = "syscall_mach_port_insert_right"
    assert rig.trap(insert, task, 0x4200, port, MAKE_SEND) == 0
    assert child.space.entries[0x4200].kind == SEND
    assert rig.trap(insert, task, 0x4300, port, MAKE_SEND) == KernReturn.RIGHT_EXISTS
    assert rig.trap(insert, task, 0, port, MAKE_SEND) == KernReturn.INVALID_VALUE
    assert rig.trap(insert, task, 0x4400, port, COPY_SEND) == KernReturn.INVALID_RIGHT
    assert rig.trap(insert, task, 0x4400, port, 99) == KernReturn.INVALID_VALUE
    assert rig.trap(insert, task, 0x4400, 0x990000, MAKE_SEND) == KernReturn.INVALID_NAME


def test_allocate_name_takes_the_name_given(rig: KernelRig) -> None:
    task = rig.actor.self_name
    assert rig.trap("syscall_mach_port_allocate_name", task, Right.RECEIVE, 0x123456) == 0
    assert rig.trap("syscall_mach_port_allocate_name", task, Right.RECEIVE, 0x123456) == KernReturn.NAME_EXISTS
    assert rig.trap("syscall_mach_port_allocate_name", task, Right.RECEIVE, 0xFFFFFFFF) == KernReturn.INVALID_VALUE
    rig.space.destroy_name(0x123456)
    assert rig.trap("syscall_mach_port_allocate_name", task, Right.RECEIVE, 0x123456) == 0
