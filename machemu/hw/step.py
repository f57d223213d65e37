"""Single step: one instruction of a thread, then an exception (mach-abi.md 9.4).

A thread with the flag of RISCV64_DEBUG_STATE set executes an instruction, the traps that
it makes included, and then owes an exception, which is told before it executes the next.
A trap may make it wait in between: the exception comes when its turn comes.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, final

from machemu.hw import engine as engine_codes
from machemu.hw.api import Access

if TYPE_CHECKING:
    from machemu.hw.api import CpuException, TrapHandler
    from machemu.hw.cpu import Context, Cpu
    from machemu.hw.engine import Engine
    from machemu.hw.ticks import Ticks

STEP_CODE: Final = 1  # of the exception
FETCH: Final = int(Access.EXECUTE)


class Step(enum.IntEnum):
    """What single step is up to in a context."""

    OFF = 0
    ON = 1
    OWED = 2  # the instruction has been executed, the exception is not yet told


@final
class Stepper:
    """Runs one instruction.  It is the trap handler meanwhile, for it has to know whether
    the instruction was executed: one that faults or raises an exception is not, yet."""

    def __init__(self, cpu: Cpu, context: Context, kernel: TrapHandler, engine: Engine) -> None:
        self._cpu = cpu
        self._context = context
        self._kernel = kernel
        self._engine = engine
        self._pc = cpu.pc
        self._fault = context.registers.fault
        self._executed = True
        self.early_faults = 0  # page faults of what comes behind the instruction

    def run(self, ticks: Ticks) -> int:
        """The engine's error code.  The context owes its exception if it got that far."""
        status, begun = ticks.step(self._engine)
        if self.early_faults and self._cpu.current is self._context:
            self._context.registers.fault = self._fault
        if begun and self._executed and status == engine_codes.OK:
            self._context.step = Step.OWED
        return status

    def ecall(self) -> None:
        self._kernel.ecall()

    def page_fault(self, address: int, access: int) -> None:
        if access == FETCH and (self._cpu.current is not self._context or self._cpu.pc != self._pc):
            # The engine looks for the instruction behind this one before it counts to 1.
            self.early_faults += 1
        else:
            self._executed = False
            self._kernel.page_fault(address, access)
        self._engine.stop()

    def exception(self, cause: CpuException) -> None:
        self._executed = False
        self._kernel.exception(cause)
        self._engine.stop()
