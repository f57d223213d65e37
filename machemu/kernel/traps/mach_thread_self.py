"""mach_thread_self: a name for the caller's thread port; each call adds a user reference."""

from __future__ import annotations

from machemu.kernel.traps.call import Trap, TrapCall


def mach_thread_self(call: TrapCall) -> int:
    """Returns the name, MACH_PORT_NULL if the port is unset or the space is full."""
    return call.kernel.give_send(call.task, call.thread.kernel_port)


TRAP = Trap(number=-27, name="mach_thread_self", handler=mach_thread_self)
