"""What the kernel serves on its ports: one interface per file, found here by message id."""

from __future__ import annotations

from machemu.interfaces import BY_ID
from machemu.kernel.rpc import device, gnumach, gsync, host, info, mach_port, memory_object, scheduling, task, vm
from machemu.kernel.rpc.call import Handler, Served

_MODULES = (mach_port, task, vm, memory_object, host, scheduling, info, device, gnumach, gsync)


def routine_table() -> dict[int, Served]:
    """Served routines by request id.  A handler without a routine is our own mistake."""
    handlers: dict[str, Handler] = {}
    for module in _MODULES:
        handlers |= module.HANDLERS
    table = {}
    for ident, (_subsystem, routine, is_reply) in BY_ID.items():
        if not is_reply and routine.name in handlers:
            table[ident] = Served(routine, handlers[routine.name])
    missing = handlers.keys() - {served.routine.name for served in table.values()}
    assert not missing, f"no .defs routine for {sorted(missing)}"
    return table
