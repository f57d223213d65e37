"""mach_host_self: a name for the unprivileged host port; each call adds a user reference."""

from __future__ import annotations

from machemu.kernel.traps.call import Trap, TrapCall


def mach_host_self(call: TrapCall) -> int:
    """Returns the name, MACH_PORT_NULL if the space is full."""
    return call.kernel.give_send(call.task, call.kernel.host.port)


TRAP = Trap(number=-29, name="mach_host_self", handler=mach_host_self)
