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


TRAP = Trap(number=-60, name="swtch", handler=swtch)
# Round robin has no weaker priority to depress to: the caller goes to the end of the queue.
TRAP_PRI = Trap(number=-59, name="swtch_pri", handler=swtch)
