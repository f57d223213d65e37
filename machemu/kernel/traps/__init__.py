"""The trap table (mach-abi.md 3.2; GNU Mach `kern/syscall_sw.c`).

A number inside the table without a row returns KERN_INVALID_ARGUMENT, but for the
placeholders, which return 0; one outside raises an exception.
"""

from __future__ import annotations

from typing import Final

from machemu.kernel.traps import (
    mach_host_self,
    mach_msg_trap,
    mach_print,
    mach_reply_port,
    mach_task_self,
    mach_thread_self,
    swtch,
    syscall_mach_port,
    syscall_task,
    syscall_thread_depress_abort,
    syscall_vm,
    thread_switch,
    trace_point,
)
from machemu.kernel.traps.call import Trap

TABLE_SIZE: Final = 130  # rows, numbered 0 to -129
PLACEHOLDERS: Final = frozenset({-10, -11, -12, -13, -55, -56})

TRAPS: Final[tuple[Trap, ...]] = (
    mach_msg_trap.TRAP,
    mach_reply_port.TRAP,
    mach_thread_self.TRAP,
    mach_task_self.TRAP,
    mach_host_self.TRAP,
    mach_print.TRAP,
    swtch.TRAP_PRI,
    swtch.TRAP,
    thread_switch.TRAP,
    syscall_vm.TRAP_MAP,
    syscall_vm.TRAP_ALLOCATE,
    syscall_vm.TRAP_DEALLOCATE,
    syscall_task.TRAP_CREATE,
    syscall_task.TRAP_TERMINATE,
    syscall_task.TRAP_SUSPEND,
    syscall_task.TRAP_SET_SPECIAL_PORT,
    syscall_mach_port.TRAP_ALLOCATE,
    syscall_mach_port.TRAP_DEALLOCATE,
    syscall_mach_port.TRAP_INSERT_RIGHT,
    syscall_mach_port.TRAP_ALLOCATE_NAME,
    syscall_thread_depress_abort.TRAP,
    trace_point.TRAP,
)
