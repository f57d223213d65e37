"""The shortcut traps on an address space: vm_map, vm_allocate, vm_deallocate.

Each is the short way of the RPC of its name.  Numbers as in GNU Mach
`kern/syscall_sw.c`; in RISC-V the eighth argument of vm_map comes in t0 and the rest on
the stack (mach-abi.md 3.1).
"""

from __future__ import annotations

import struct

from machemu.kernel.ipc.right import MACH_PORT_DEAD, MACH_PORT_NULL
from machemu.kernel.results import KernelError, KernReturn, MsgReturn
from machemu.kernel.traps.call import Trap, TrapCall
from machemu.kernel.vm.pager import MustWait


def syscall_vm_allocate(call: TrapCall) -> int:
    """Arguments: task, where the address is, size, anywhere.

    Raises MACH_SEND_INTERRUPTED, INVALID_ADDRESS, NO_SPACE.
    """
    task = call.live_task(0)
    address = call.inout_address(1)
    address.write(task.memory.allocate(address.value, call.arguments[2], bool(call.word(3))))
    return KernReturn.SUCCESS


def syscall_vm_deallocate(call: TrapCall) -> int:
    """Arguments: task, address, size.  Raises MACH_SEND_INTERRUPTED, INVALID_ADDRESS."""
    call.live_task(0).memory.deallocate(call.arguments[1], call.arguments[2])
    return KernReturn.SUCCESS


def syscall_vm_map(call: TrapCall) -> int:
    """Arguments: task, where the address is, size, mask, anywhere, object, offset, copy,
    current and maximum protection, inheritance.

    Raises MACH_SEND_INTERRUPTED and what `VmMap.map` raises.
    """
    task = call.live_task(0)
    address = call.inout_address(1)
    copy = call.kernel.cpu.extra_argument()
    try:
        rest = call.task.memory.read(call.kernel.cpu.sp, 24)
    except MustWait:
        raise KernelError(MsgReturn.SEND_INTERRUPTED) from None
    except KernelError:
        raise KernelError(KernReturn.INVALID_ADDRESS) from None
    current, maximum, inherit = (word & 0xFFFF_FFFF for word in struct.unpack("<QQQ", rest))
    name = call.word(5)
    memory_object = None
    if name not in (MACH_PORT_NULL, MACH_PORT_DEAD):
        memory_object = call.kernel.memory_object(call.object_or_none(name))
        if memory_object is None:
            raise KernelError(MsgReturn.SEND_INTERRUPTED)
    address.write(task.memory.map(address.value, call.arguments[2], call.arguments[3], bool(call.word(4)),
                                  memory_object, call.arguments[6], bool(copy & 0xFFFF_FFFF),
                                  current, maximum, inherit))
    return KernReturn.SUCCESS


TRAP_MAP = Trap(number=-64, name="syscall_vm_map", handler=syscall_vm_map)
TRAP_ALLOCATE = Trap(number=-65, name="syscall_vm_allocate", handler=syscall_vm_allocate)
TRAP_DEALLOCATE = Trap(number=-66, name="syscall_vm_deallocate", handler=syscall_vm_deallocate)
