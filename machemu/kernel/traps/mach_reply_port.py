"""mach_reply_port: a fresh receive right.  Number as in GNU Mach `kern/syscall_sw.c`."""

from __future__ import annotations

from machemu.kernel.ipc.right import MACH_PORT_NULL, Right
from machemu.kernel.results import KernelError
from machemu.kernel.traps.call import Trap, TrapCall


def mach_reply_port(call: TrapCall) -> int:
    """Returns its name, or MACH_PORT_NULL when the space is full."""
    try:
        return call.task.space.allocate(Right.RECEIVE)
    except KernelError:
        return MACH_PORT_NULL


TRAP = Trap(number=-26, name="mach_reply_port", handler=mach_reply_port)
