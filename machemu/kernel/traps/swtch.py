"""swtch, swtch_pri: let another thread run (mach-abi.md 9.6)."""

from __future__ import annotations

from machemu.kernel.traps.call import Trap, TrapCall


def swtch(call: TrapCall) -> int | None:
    """Returns whether another thread was runnable."""
    scheduler = call.kernel.scheduler
    if not scheduler.others_ready:
        return 0
    call.thread.set_result(1)
    scheduler.yield_to()
    return None


def swtch_pri(call: TrapCall) -> int | None:
    """As `swtch`, at the weakest priority until it runs again, a quantum at most.

    The argument, a priority, is ignored.
    """
    kernel = call.kernel
    if kernel.scheduler.others_ready:
        call.thread.depress(kernel.clock, kernel.scheduler.quantum_ns)
    return swtch(call)


TRAP = Trap(number=-60, name="swtch", handler=swtch)
TRAP_PRI = Trap(number=-59, name="swtch_pri", handler=swtch_pri)
