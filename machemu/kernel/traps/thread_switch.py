"""thread_switch: yield with a hint, or wait (mach-abi.md 9.6).  Mach 3 `kern/syscall_subr.c`."""

from __future__ import annotations

from typing import Final

from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.task.thread import Thread
from machemu.kernel.task.waits import NS_PER_MS, TICK_MS, SleepWait
from machemu.kernel.traps.call import BLOCKED, Trap, TrapCall

SWITCH_OPTION_NONE: Final = 0
SWITCH_OPTION_DEPRESS: Final = 1
SWITCH_OPTION_WAIT: Final = 2


def thread_switch(call: TrapCall) -> int | None:
    """Arguments: a thread's name or NULL, an option, a time in ms.

    Raises INVALID_ARGUMENT: another option.
    """
    option = call.word(1)
    if option > SWITCH_OPTION_WAIT:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    hint = call.object_or_none(call.word(0))
    scheduler = call.kernel.scheduler
    call.thread.set_result(KernReturn.SUCCESS)
    if option == SWITCH_OPTION_WAIT:
        if isinstance(hint, Thread):
            scheduler.prefer(hint)
        SleepWait(call.thread).start(call.kernel.clock, max(call.word(2), TICK_MS) * NS_PER_MS)
    else:
        if option == SWITCH_OPTION_DEPRESS and scheduler.others_ready:
            call.thread.depress(call.kernel.clock, call.word(2) * NS_PER_MS)
        scheduler.yield_to(hint if isinstance(hint, Thread) else None)
    return BLOCKED


TRAP = Trap(number=-61, name="thread_switch", handler=thread_switch)
