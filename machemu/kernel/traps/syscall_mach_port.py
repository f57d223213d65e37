"""The shortcut traps on names: allocate, deallocate, insert_right, allocate_name.

Each is the short way of the RPC of its name, for tasks of this node: when argument 0
names none, they give MACH_SEND_INTERRUPTED and libmach's stub sends the RPC.
Source: Mach 3 `ipc/mach_port.c`; numbers as in GNU Mach `kern/syscall_sw.c`.
"""

from __future__ import annotations

from typing import Final

from machemu.kernel.ipc.right import BODY_DISPOSITIONS, MACH_PORT_DEAD, MACH_PORT_NULL, Carried, Right
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.traps.call import Trap, TrapCall

ALLOCATABLE: Final = (Right.RECEIVE, Right.PORT_SET, Right.DEAD_NAME)


def syscall_mach_port_allocate(call: TrapCall) -> int:
    """Arguments: a task's name, a kind of right, where to write the new name.

    Raises KernelError, with nothing allocated:
        MACH_SEND_INTERRUPTED: argument 0 names no task of this node.
        INVALID_VALUE: a right of this kind cannot be made on its own.
        INVALID_ADDRESS: the caller cannot write 4 octets at argument 2.
        NO_SPACE: the task has no free name.
    """
    space = call.live_task(0).space
    kind = Right(call.one_of(1, ALLOCATABLE))
    name_out = call.out_word(2)
    # The address is checked before allocating, or a bad one would leak a right.
    name_out.write(space.allocate(kind))
    return KernReturn.SUCCESS


def syscall_mach_port_allocate_name(call: TrapCall) -> int:
    """Arguments: task, kind of right, name.

    Raises MACH_SEND_INTERRUPTED, INVALID_VALUE, NAME_EXISTS.
    """
    space = call.live_task(0).space
    space.allocate(Right(call.one_of(1, ALLOCATABLE)), call.word(2))
    return KernReturn.SUCCESS


def syscall_mach_port_deallocate(call: TrapCall) -> int:
    """Arguments: task, name.  Raises MACH_SEND_INTERRUPTED, INVALID_NAME, INVALID_RIGHT."""
    call.live_task(0).space.deallocate(call.word(1))
    return KernReturn.SUCCESS


def syscall_mach_port_insert_right(call: TrapCall) -> int:
    """Arguments: task, name there, name of the right here, disposition.

    Raises MACH_SEND_INTERRUPTED, INVALID_VALUE, INVALID_CAPABILITY, and what taking and inserting raise.
    """
    space = call.live_task(0).space
    disposition = call.one_of(3, BODY_DISPOSITIONS)
    if call.word(2) in (MACH_PORT_NULL, MACH_PORT_DEAD):
        raise KernelError(KernReturn.INVALID_CAPABILITY)
    right = call.task.space.take(call.word(2), disposition)
    try:
        space.insert_as(right, call.word(1))
    except KernelError:
        if isinstance(right, Carried):
            right.destroy()
        raise
    return KernReturn.SUCCESS


TRAP_ALLOCATE = Trap(number=-72, name="syscall_mach_port_allocate", handler=syscall_mach_port_allocate)
TRAP_DEALLOCATE = Trap(number=-73, name="syscall_mach_port_deallocate", handler=syscall_mach_port_deallocate)
TRAP_INSERT_RIGHT = Trap(number=-74, name="syscall_mach_port_insert_right",
                         handler=syscall_mach_port_insert_right)
TRAP_ALLOCATE_NAME = Trap(number=-75, name="syscall_mach_port_allocate_name",
                          handler=syscall_mach_port_allocate_name)
