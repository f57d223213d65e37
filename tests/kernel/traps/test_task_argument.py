"""The shortcut traps on names that are no task of this node: libmach must send the RPC."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.ipc.right import Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import DEAD, MAKE_SEND, MAKE_SEND_ONCE, NO_NAME, NULL, PAGE, SCRATCH, KernelRig

# Arguments after the task; each would succeed on one.
ON_TASKS: Final = {
    "syscall_vm_allocate": (SCRATCH, PAGE, 1),
    "syscall_vm_deallocate": (0x100000, PAGE),
    "syscall_task_create": (0, SCRATCH),
    "syscall_task_terminate": (),
    "syscall_task_suspend": (),
    "syscall_task_set_special_port": (4, 0),
    "syscall_mach_port_allocate": (Right.RECEIVE, SCRATCH),
    "syscall_mach_port_deallocate": (0x4100,),
    "syscall_mach_port_insert_right": (0x4200, 0x4300, MAKE_SEND),
    "syscall_mach_port_allocate_name": (Right.RECEIVE, 0x4400),
}


def names_of_no_task(rig: KernelRig) -> dict[str, int]:
    actor = rig.actor
    port = actor.port()
    other = rig.another()
    dead_task = rig.name_of(actor, other.task)
    rig.kernel.terminate_task(other.task, None, "test")
    return {
        "null": NULL, "dead": DEAD, "unknown": NO_NAME, "receive right": port,
        "send right on a task's port": actor.space.insert(actor.space.take(port, MAKE_SEND)),
        "send-once right": actor.space.insert(actor.space.take(port, MAKE_SEND_ONCE)),
        "port set": actor.port(Right.PORT_SET), "dead name": actor.port(Right.DEAD_NAME),
        "ended task": dead_task, "host": rig.name_of(actor, rig.kernel.host),
    }


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("trap", ON_TASKS)
def test_a_name_that_is_no_task_leaves_it_to_the_rpc(rig: KernelRig, trap: str) -> None:
    names = names_of_no_task(rig) | {"thread": rig.name_of(rig.actor, rig.actor.thread)}
    rig.another()
    rig.actor.space.allocate(Right.RECEIVE, 0x4300)
    rig.actor.space.allocate(Right.DEAD_NAME, 0x4100)
    with rig.unchanged():
        for what, name in names.items():
            assert rig.trap(trap, name, *ON_TASKS[trap]) == MsgReturn.SEND_INTERRUPTED, what


@pytest.mark.req("A-M02")
def test_vm_map_needs_a_task_and_a_memory_object_of_this_node(rig: KernelRig) -> None:
    actor = rig.actor
    names = names_of_no_task(rig)
    with rig.unchanged():
        for what, name in names.items():
            assert actor.trap_vm_map(name, SCRATCH, PAGE, 0, 1, 0, 0, 0, 3, 7, 1) == MsgReturn.SEND_INTERRUPTED, what
        # What the port of another task means only its pager can tell.
        assert actor.trap_vm_map(actor.self_name, SCRATCH, PAGE, 0, 1, names["receive right"], 0, 0, 3, 7,
                                 1) == MsgReturn.SEND_INTERRUPTED


@pytest.mark.req("A-M02")
def test_depress_abort_needs_a_thread(rig: KernelRig) -> None:
    names = names_of_no_task(rig) | {"task": rig.actor.self_name}
    thread = rig.trap("mach_thread_self")
    with rig.unchanged():
        for what, name in names.items():
            assert rig.trap("syscall_thread_depress_abort", name) == MsgReturn.SEND_INTERRUPTED, what
        assert rig.trap("syscall_thread_depress_abort", thread) == 0
