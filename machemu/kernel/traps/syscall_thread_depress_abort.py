"""syscall_thread_depress_abort: end a depression of priority (Mach 3 `kern/thread.c`)."""

from __future__ import annotations

from machemu.kernel.results import KernReturn
from machemu.kernel.task.thread import Thread
from machemu.kernel.traps.call import Trap, TrapCall


def syscall_thread_depress_abort(call: TrapCall) -> int:
    """Argument: thread.  Succeeds also when it is not depressed.

    Raises MACH_SEND_INTERRUPTED: not a thread of this node.
    """
    call.kernel_object(0, Thread).end_depression()
    return KernReturn.SUCCESS


TRAP = Trap(number=-76, name="syscall_thread_depress_abort", handler=syscall_thread_depress_abort)
