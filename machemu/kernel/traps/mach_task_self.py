"""mach_task_self: a name for the caller's task port; each call adds a user reference."""

from __future__ import annotations

from machemu.kernel.traps.call import Trap, TrapCall


def mach_task_self(call: TrapCall) -> int:
    """Returns the name, MACH_PORT_NULL if the port is unset or the space is full."""
    return call.kernel.give_send(call.task, call.task.kernel_port)


TRAP = Trap(number=-28, name="mach_task_self", handler=mach_task_self)
