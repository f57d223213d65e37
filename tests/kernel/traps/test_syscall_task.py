"""The shortcut traps on tasks: create, terminate, suspend, set_special_port."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, SEND, Right
from machemu.kernel.results import KernReturn
from tests.support.rig import (
    BLOCKED,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NO_NAME,
    NULL,
    PAGE,
    RECEIVE_BUFFER,
    SCRATCH,
    UNMAPPED,
    Actor,
    KernelRig,
)

CREATE, TERMINATE = "syscall_task_create", "syscall_task_terminate"
SUSPEND, SET_SPECIAL_PORT = "syscall_task_suspend", "syscall_task_set_special_port"
KERNEL, EXCEPTION, BOOTSTRAP = 1, 3, 4


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("inherit", [0, 1])
def test_a_child_has_a_name_and_memory_as_asked(rig: KernelRig, inherit: int) -> None:
    rig.actor.memory.write(RECEIVE_BUFFER, b"inherited")
    assert rig.trap(CREATE, rig.actor.self_name, inherit, SCRATCH) == 0
    name = rig.read_word(SCRATCH)
    child = rig.space.entries[name].port.kernel_object
    assert rig.space.entries[name].kind == SEND
    assert child.parent == rig.actor.task.number
    assert not child.threads
    assert not child.space.entries
    if inherit:
        assert child.memory.read(RECEIVE_BUFFER, 9) == b"inherited"
    else:
        assert not child.memory.regions()


def test_a_child_of_another_task_inherits_from_that_one(rig: KernelRig) -> None:
    parent = rig.another()
    parent.memory.allocate(UNMAPPED, PAGE, False)
    assert rig.trap(CREATE, rig.name_of(rig.actor, parent.task), 1, SCRATCH) == 0
    child = rig.space.entries[rig.read_word(SCRATCH)].port.kernel_object
    assert child.parent == parent.task.number
    assert child.memory.read(UNMAPPED, 4) == bytes(4)


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("inherit", [0, 1])
def test_a_task_needs_a_frame_for_its_tables(rig: KernelRig, inherit: int) -> None:
    with rig.frames_left(0), rig.unchanged():
        assert rig.trap(CREATE, rig.actor.self_name, inherit, SCRATCH) == KernReturn.RESOURCE_SHORTAGE


def test_a_name_that_cannot_be_written_after_all_leaves_no_task(rig: KernelRig) -> None:
    """The page that gets the name is copied on write after the fork, and no frame is left."""
    with rig.frames_left(1), rig.unchanged():
        assert rig.trap(CREATE, rig.actor.self_name, 1, SCRATCH) == KernReturn.RESOURCE_SHORTAGE


def test_a_full_space_leaves_no_task(rig: KernelRig) -> None:
    with rig.no_names_left(rig.actor), rig.unchanged():
        assert rig.trap(CREATE, rig.actor.self_name, 0, SCRATCH) == KernReturn.NO_SPACE


@pytest.mark.req("A-M02")
def test_terminating_another_task(rig: KernelRig) -> None:
    other = rig.another()
    name = rig.name_of(rig.actor, other.task)
    assert rig.trap(TERMINATE, name) == 0
    assert not other.task.alive
    assert rig.space.lookup(name).kind == DEAD_NAME


@pytest.mark.req("A-M02")
def test_terminating_oneself_never_returns(rig: KernelRig) -> None:
    other = rig.another()
    other.trap(TERMINATE, other.self_name)
    assert not other.task.alive
    assert rig.kernel.scheduler.current is rig.actor.thread
    assert other.task.number not in rig.kernel.tasks


@pytest.mark.req("A-M02")
def test_a_suspended_task_stops_and_keeps_its_place(rig: KernelRig) -> None:
    other = rig.another()
    name = rig.name_of(rig.actor, other.task)
    assert rig.trap(SUSPEND, name) == 0
    assert rig.trap(SUSPEND, name) == 0
    assert other.task.suspend_count == 2
    assert rig.trap("swtch") == 0, "it does not run"


def test_suspending_oneself_stops_in_the_trap(rig: KernelRig) -> None:
    other = rig.another()
    other.trap(SUSPEND, other.self_name)
    assert rig.kernel.scheduler.current is rig.actor.thread
    other.task.resume()
    assert other.result() == 0, "the trap's result was kept"


def attribute(actor: Actor, which: int) -> object:
    task = actor.task
    return {KERNEL: task.kernel_port, EXCEPTION: task.exception_port, BOOTSTRAP: task.bootstrap_port}[which]


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("which", [KERNEL, EXCEPTION, BOOTSTRAP])
def test_special_ports_are_set_replaced_and_cleared(rig: KernelRig, which: int) -> None:
    actor = rig.actor
    ports = [actor.port(), actor.port()]
    for port in ports:
        actor.space.insert(actor.space.take(port, MAKE_SEND))
        assert rig.trap(SET_SPECIAL_PORT, actor.self_name, which, port) == 0
        assert attribute(actor, which) is actor.space.entries[port].port
        assert actor.space.references(port, Right.SEND) == 1, "the caller keeps its own"
    assert rig.trap(SET_SPECIAL_PORT, actor.self_name, which, NULL) == 0
    assert attribute(actor, which) is None


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("which", [0, 2, 5, 2**31, 2**32 - 1])
def test_an_unknown_special_port_is_an_invalid_argument(rig: KernelRig, which: int) -> None:
    port = rig.actor.port()
    rig.space.insert(rig.space.take(port, MAKE_SEND))
    with rig.unchanged():
        assert rig.trap(SET_SPECIAL_PORT, rig.actor.self_name, which, port) == KernReturn.INVALID_ARGUMENT


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("what", ["unknown", "receive right", "send-once right"])
def test_a_special_port_must_be_a_send_right(rig: KernelRig, what: str) -> None:
    port = rig.actor.port()
    once = rig.space.insert(rig.space.take(port, MAKE_SEND_ONCE))
    name = {"unknown": NO_NAME, "receive right": port, "send-once right": once}[what]
    with rig.unchanged():
        assert rig.trap(SET_SPECIAL_PORT, rig.actor.self_name, BOOTSTRAP, name) == KernReturn.INVALID_CAPABILITY


def test_a_child_inherits_special_ports_but_its_own(rig: KernelRig) -> None:
    actor = rig.actor
    port = actor.port()
    actor.space.insert(actor.space.take(port, MAKE_SEND))
    for which in (KERNEL, EXCEPTION, BOOTSTRAP):
        assert rig.trap(SET_SPECIAL_PORT, actor.self_name, which, port) == 0
    assert rig.trap(CREATE, actor.self_name, 0, SCRATCH) == 0
    child = rig.space.entries[rig.read_word(SCRATCH)].port.kernel_object
    the_port = actor.space.entries[port].port
    assert (child.exception_port, child.bootstrap_port) == (the_port, the_port)
    assert child.kernel_port is child.self_port


def test_the_task_that_traps_may_die_of_a_message_it_sends(rig: KernelRig) -> None:
    """task_terminate by message, with a reply port: nobody is left to reply to."""
    other = rig.another()
    reply = other.port()
    octets = b"".join((b"\x13\x15\0\0", (32).to_bytes(4, "little"), other.self_name.to_bytes(8, "little"),
                       reply.to_bytes(8, "little"), bytes(4), (2008).to_bytes(4, "little")))
    assert other.send_and_receive(octets, reply) != BLOCKED
    assert not other.task.alive
