"""The shortcut traps on tasks: create, terminate, suspend, set_special_port.

Each is the short way of the RPC of its name.  Numbers as in GNU Mach `kern/syscall_sw.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from machemu.kernel.ipc.right import COPY_SEND, MACH_PORT_NULL, Carried
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.gnumach import announce_task
from machemu.kernel.rpc.task import set_special_port
from machemu.kernel.traps.call import BLOCKED, OutValue, Trap, TrapCall

if TYPE_CHECKING:
    from machemu.kernel.ipc.space import Space


def syscall_task_create(call: TrapCall) -> int:
    """Arguments: parent, inherit memory, where to write the child's name.

    Raises MACH_SEND_INTERRUPTED, INVALID_ADDRESS, RESOURCE_SHORTAGE, NO_SPACE.
    """
    parent = call.live_task(0)
    name_out = call.out_word(2)
    child = call.kernel.create_task(parent, inherit_memory=bool(call.word(1)))
    try:
        _tell_name(call.task.space, child.self_port.make_send(), name_out)
    except KernelError:
        call.kernel.terminate_task(child, None, "its creator could not be told its name")
        raise
    announce_task(call.kernel, child, parent)
    return KernReturn.SUCCESS


def _tell_name(space: Space, right: Carried, name_out: OutValue) -> None:
    """Raises NO_SPACE, RESOURCE_SHORTAGE (the page was copied on write since it was
    checked): the right is destroyed then."""
    try:
        name = space.insert(right)
    except KernelError:
        right.destroy()
        raise
    try:
        name_out.write(name)
    except KernelError:
        space.deallocate(name)
        raise


def syscall_task_terminate(call: TrapCall) -> int | None:
    """Argument: task.  Raises MACH_SEND_INTERRUPTED.  Does not return to the task itself."""
    call.kernel.terminate_task(call.live_task(0), None, "terminated")
    return KernReturn.SUCCESS if call.thread.alive else BLOCKED


def syscall_task_suspend(call: TrapCall) -> int:
    """Argument: task.  Raises MACH_SEND_INTERRUPTED."""
    call.live_task(0).suspend()
    return KernReturn.SUCCESS


def syscall_task_set_special_port(call: TrapCall) -> int:
    """Arguments: task, which, a send right's name or NULL.

    Raises MACH_SEND_INTERRUPTED, INVALID_ARGUMENT (no such port to set), INVALID_CAPABILITY.
    """
    task = call.live_task(0)
    name = call.word(2)
    right = None
    if name != MACH_PORT_NULL:
        try:
            taken = call.task.space.take(name, COPY_SEND)
        except KernelError:
            raise KernelError(KernReturn.INVALID_CAPABILITY) from None
        right = taken if isinstance(taken, Carried) else None
    try:
        set_special_port(task, call.signed(1), right)
    except KernelError:
        if right is not None:
            right.destroy()
        raise
    return KernReturn.SUCCESS


TRAP_CREATE = Trap(number=-68, name="syscall_task_create", handler=syscall_task_create)
TRAP_TERMINATE = Trap(number=-69, name="syscall_task_terminate", handler=syscall_task_terminate)
TRAP_SUSPEND = Trap(number=-70, name="syscall_task_suspend", handler=syscall_task_suspend)
TRAP_SET_SPECIAL_PORT = Trap(number=-71, name="syscall_task_set_special_port",
                             handler=syscall_task_set_special_port)
