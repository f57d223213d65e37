"""trace_point: a server announces a protocol step (mach-abi.md 3.2, machemu's own)."""

from __future__ import annotations

from machemu.kernel.events import StepAnnounced
from machemu.kernel.results import KernReturn
from machemu.kernel.traps.call import Trap, TrapCall


def trace_point(call: TrapCall) -> int:
    """Arguments: code, w1, w2, w3, 64 bits each.  No effect but the trace's."""
    hook = call.kernel.events.step_announced
    if hook:
        code, *words = call.arguments[:4]
        hook.emit(StepAnnounced(call.task.number, code, (words[0], words[1], words[2])))
    return KernReturn.SUCCESS


TRAP = Trap(number=-100, name="trace_point", handler=trace_point)
