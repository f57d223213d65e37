"""The processor: runs the current context and hands its traps to the kernel.

This module owns the one trap hook.  It corrects virtual time, puts pc where the kernel
expects it and calls the kernel, which runs inside the hook: leaving the engine and
coming back would cost four times as much (unicorn-riscv.md 4).  An exception raised in
there would be lost, so the hook catches all, and `Cpu.run` raises it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from machemu.hw import api
from machemu.hw import engine as engine_codes
from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access, CpuException
from machemu.hw.engine import Engine, EngineError
from machemu.hw.isa.riscv64 import causes, instructions, state
from machemu.hw.isa.riscv64 import layout as at
from machemu.hw.isa.riscv64.layout import NO_RESERVATION, RESERVATION
from machemu.hw.mmu import AddressSpace
from machemu.hw.step import STEP_CODE, Step, Stepper
from machemu.hw.ticks import BLOCK_END, NOW, BlockTicks, InstructionTicks, Ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    from machemu.hw.api import TrapHandler
    from machemu.hw.clock import Clock
    from machemu.hw.engine import TrapHook
    from machemu.hw.mmu import Tlb

PROTECTION_FAILURE: Final = 2  # `code` of an exception for a misused device register
MISALIGNED_CODE: Final = 1
LONGEST: Final = 4  # octets of an instruction
WORD_MASK: Final = 2**64 - 1


@final
class Context:
    """One thread's registers and address space.

    While it is the processor's current one, `arguments` and `registers` are old: the
    processor has the present values.  All else here sees those.
    """

    __slots__ = ("_cpu", "arguments", "misuse", "registers", "space", "step")

    def __init__(self, cpu: Cpu, space: AddressSpace) -> None:
        self._cpu = cpu
        words = memoryview(bytearray(at.SAVED_WORDS * 8)).cast("Q")
        self.registers = state.Registers(words)
        self.arguments: memoryview = words[at.ARGUMENTS]
        self.space = space
        # The first misuse of a device that it has not been told of: bus address and access.
        self.misuse: tuple[int, Access] | None = None
        self.step = Step.OFF

    def _now(self) -> state.Registers:
        """The registers as they are at this moment."""
        return self._cpu.present(self)

    @property
    def pc(self) -> int:
        return self._now().words[at.PC]

    @pc.setter
    def pc(self, value: int) -> None:
        self._now().words[at.PC] = value

    @property
    def sp(self) -> int:
        return self._now().words[at.SP]

    @sp.setter
    def sp(self, value: int) -> None:
        self._now().words[at.SP] = value

    def get_state(self, flavor: int) -> bytes | None:
        if flavor == state.DEBUG_STATE:
            return state.DEBUG_FORMAT.pack(self.step != Step.OFF, 0)
        return state.get(self._now(), flavor)

    def set_state(self, flavor: int, octets: bytes) -> bool:
        if flavor != state.DEBUG_STATE:
            return state.put(self._now(), flavor, octets)
        if octets not in state.DEBUG_STATES:
            return False
        self.step = Step(octets[0])
        return True

    def register(self, name: str) -> int:
        """A register by its assembler's name.  Raises KeyError."""
        return self._now().words[at.REGISTERS[name]]

    def set_register(self, name: str, value: int) -> None:
        """Raises KeyError.  x0 stays 0."""
        if at.REGISTERS[name]:
            self._now().words[at.REGISTERS[name]] = value & WORD_MASK


@final
class Cpu:
    """The one hart of a node.

    Invariants, asserted by `check`:
      - the engine is in the mode that isolates user programs;
      - the current context's space is the loaded one.

    Args:
        per_octet, per_ns: units of `ticks` to an octet of code and to a nanosecond.
        trap_ns: what a trap costs.
    """

    def __init__(self, engine: Engine, tlb: Tlb, ticks: Ticks, clock: Clock, *, per_octet: int, per_ns: int,
                 trap_ns: int) -> None:
        self._engine = engine
        self._tlb = tlb
        self._ticks = ticks
        self._clock = clock
        self._per_octet: Final = per_octet
        self._per_ns: Final = per_ns
        self._trap_units: Final = trap_ns * per_ns
        self._words: Final = engine.words
        self._saved: Final = engine.words[:at.SAVED_WORDS]
        self._flags: Final = engine.flags
        self._handler: TrapHandler | None = None
        self._failure: BaseException | None = None
        self._inside = False  # the engine runs
        self._preempted = False
        self._planned: Callable[[], None] | None = None  # see after_instructions
        self._misusers = 0  # contexts not yet told of their misuse of a device
        self.arguments: memoryview = engine.words[at.ARGUMENTS]
        self.current: Context | None = None
        self.traps_emulated = 0

    def attach(self, handler: TrapHandler) -> None:
        """Make `handler` the kernel.  Once, before the first `run`."""
        assert self._handler is None
        self._handler = handler
        hook = self._live_hook(handler) if self._engine.live and isinstance(self._ticks, BlockTicks) \
            else self._plain_hook(handler)
        self._engine.hook_traps(hook)

    # -- contexts -----------------------------------------------------------------

    def new_context(self, space: api.AddressSpace) -> Context:
        assert isinstance(space, AddressSpace)
        return Context(self, space)

    def switch_to(self, context: api.Context | None) -> None:
        assert context is None or isinstance(context, Context)
        current = self.current
        if current is context:
            return
        if current is not None:
            registers = current.registers
            registers.words[:] = self._saved
            registers.flags[0] = self._flags[0]
        self.current = context
        if context is None:
            if self._inside:
                self._engine.stop()
            return
        registers = context.registers
        words = registers.words
        words[RESERVATION] = NO_RESERVATION  # or an sc that must fail would succeed
        self._saved[:] = words
        self._flags[0] = registers.flags[0]
        space = context.space
        if self._tlb.loaded is not space:
            self._tlb.load(space)
        if context.step and self._inside:
            self._engine.stop()  # it is stepped by the next run

    def present(self, context: Context) -> state.Registers:
        """The registers of `context` as they are now, to read and write."""
        if self.current is not context:
            return context.registers
        return state.Registers(self._saved, self._flags, context.registers.fault)

    @property
    def pc(self) -> int:
        return self._words[at.PC]

    @property
    def sp(self) -> int:
        return self._words[at.SP]

    def extra_argument(self) -> int:
        return self._words[at.T0]

    # -- running ------------------------------------------------------------------

    def run(self, until_ns: int) -> None:
        """Run the current context until the clock reads `until_ns`, `preempt`, or there is none.

        Returns earlier too: when an event asked for meanwhile is due, and after any
        exception.  Raises what a handler raised; EngineError: the emulator failed.
        """
        assert self._handler is not None
        assert not self._inside
        if self._misusers:
            self._tell_bad_access()
        if self.current is not None and self.current.step == Step.OWED:
            self._tell_stepped()
            return
        if self.current is None:
            return
        due = self._clock.next_event_ns
        self._ticks.end_at((until_ns if due is None else min(until_ns, due)) * self._per_ns)
        # Looked at after the limit was set: what preempts later on sets the limit itself.
        if self._preempted:
            self._preempted = False
            return
        if self._tlb.stale:
            self._tlb.flush()
        engine = self._engine
        self._inside = True
        try:
            engine.push()
            status = self._step(self.current) if self.current.step else self._ticks.run(engine)
        finally:
            self._inside = self._preempted = False
            engine.pull()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if status == engine_codes.BREAKPOINT:
            self._breakpoint()
        elif status != engine_codes.OK:
            raise EngineError(f"the emulator stopped with error {status} at pc {self.pc:#x}: a page table that names "
                              "no memory, or a bug")
        if self._misusers:
            self._tell_bad_access()
        if self._planned is not None:
            self._act_as_planned(self._planned)

    def after_instructions(self, count: int, action: Callable[[], None]) -> None:
        """Do `action`, outside the engine, when exactly `count` more instructions have been executed.

        Once; a second plan takes the first one's place.  An instruction that faults and is tried
        again counts once.  Needs the clock that counts instructions.
        """
        assert isinstance(self._ticks, InstructionTicks), "the native clock stops at blocks' ends only"
        self._planned = action
        self._ticks.stop_after(count)

    def next_can_be_noticed(self) -> bool:
        """Whether another thread could tell if the next instruction had been executed, or none can be read."""
        assert self.current is not None
        code = self.current.space.fetch(self.pc, LONGEST)
        return not code or instructions.can_be_noticed(int.from_bytes(code, "little"))

    def _act_as_planned(self, action: Callable[[], None]) -> None:
        assert isinstance(self._ticks, InstructionTicks)
        if self._ticks.stopped:
            self._planned = None
            self._ticks.stop_after(None)
            action()

    def _step(self, context: Context) -> int:
        """Run one instruction of the current context; the engine's error code."""
        kernel = self._handler
        assert kernel is not None
        self._handler = stepper = Stepper(self, context, kernel, self._engine)
        try:
            return stepper.run(self._ticks)
        finally:
            self._handler = kernel
            self._ticks.add(-stepper.early_faults * self._trap_units)

    def _tell_stepped(self) -> None:
        """Give the current context, which has executed an instruction, its exception."""
        assert self._handler is not None
        assert self.current is not None
        self.current.step = Step.ON
        self._handler.exception(CpuException("breakpoint", STEP_CODE, self.pc))

    def preempt(self) -> None:
        """May be used anywhere, a signal handler included."""
        self._preempted = True
        self._ticks.end_sooner(0)

    def fail(self, failure: BaseException) -> None:
        """Stop as soon as possible and let `run` raise `failure`; the first one counts."""
        if self._failure is None:
            self._failure = failure
        self._ticks.end_sooner(0)

    def report_bad_access(self, address: int, access: Access) -> None:
        """The running context misused the device register at bus address `address`."""
        assert self.current is not None
        if self.current.misuse is None:
            self.current.misuse = address, access
            self._misusers += 1
        self._ticks.end_sooner(0)

    # -- traps --------------------------------------------------------------------

    def _live_hook(self, handler: TrapHandler) -> TrapHook:
        """The trap hook for a live view and the native clock; the hot path of the machine."""
        assert isinstance(self._ticks, BlockTicks)
        time, words, tlb = self._ticks.words, self._words, self._tlb
        per_octet, trap_units = self._per_octet, self._trap_units
        ecall, other = handler.ecall, self._other_trap
        call, now, end, pc = causes.ECALL, NOW, BLOCK_END, at.PC

        def trap(_engine: int | None, cause: int) -> None:
            try:
                if cause == call:
                    # The rest of the block was paid for and does not run.
                    time[now] += trap_units - (time[end] - words[pc]) * per_octet
                    ecall()
                else:
                    other(cause)
                if tlb.stale:
                    tlb.flush()
            except BaseException as error:  # it would be lost in the engine
                self._fail_in_hook(error)

        return trap

    def _plain_hook(self, handler: TrapHandler) -> TrapHook:
        """The same for any view and clock."""
        engine, ticks, tlb = self._engine, self._ticks, self._tlb

        def trap(_engine: int | None, cause: int) -> None:
            try:
                engine.pull()
                if cause == causes.ECALL:
                    ticks.trapped(self._words[at.PC], self._trap_units, entered=True, retired=True)
                    handler.ecall()
                else:
                    self._other_trap(cause)
                engine.push()
                if tlb.stale:
                    tlb.flush()
            except BaseException as error:  # it would be lost in the engine
                self._fail_in_hook(error)

        return trap

    def _fail_in_hook(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._engine.stop()

    def _other_trap(self, cause: int) -> None:
        words = self._words
        # Modulo 2**64: a guest can jump to the last octets of the address space.
        pc = words[at.PC] = words[at.PC] - causes.PC_ADVANCE & WORD_MASK
        # Before a fetch fault no block was entered: there is nothing to give back.
        self._ticks.trapped(pc, self._trap_units, entered=cause != causes.FETCH_FAULT, retired=False)
        handler, current = self._handler, self.current
        assert handler is not None
        assert current is not None
        access = causes.PAGE_FAULTS.get(cause)
        if access is not None:
            address = words[at.FAULT_ADDRESS]
            current.registers.fault = (causes.ARCHITECTURAL[cause], address, pc)
            handler.page_fault(address, access)
            # The limit is looked at when a block is entered, and a fetch that faults for
            # ever enters none.
            if cause == causes.FETCH_FAULT and self._ticks.ended:
                self._engine.stop()
        elif cause == causes.ILLEGAL:
            self._illegal(handler, current, pc)
        elif cause == causes.MISALIGNED:
            address = words[at.FAULT_ADDRESS]
            current.registers.fault = (cause, address, pc)
            handler.exception(CpuException("misaligned", MISALIGNED_CODE, address))
        else:
            raise EngineError(f"trap {cause} at pc {pc:#x}, which this engine should not know")

    def _illegal(self, handler: TrapHandler, current: Context, pc: int) -> None:
        code = current.space.fetch(pc, LONGEST)
        octets = instructions.length(code[0]) if code else 0
        instruction = int.from_bytes(code[:octets], "little")
        destination = instructions.time_destination(instruction)
        if destination is None:
            current.registers.fault = (causes.ILLEGAL, instruction, pc)
            handler.exception(CpuException("bad_instruction", causes.ILLEGAL, instruction))
            return
        self.traps_emulated += 1
        self._ticks.executed(octets)  # after all
        if destination:
            self._words[destination] = self._clock.now_ns
        self._words[at.PC] = pc + octets

    def _breakpoint(self) -> None:
        """After an ebreak, which ends the run (rule 3): pc is at it."""
        assert self._handler is not None
        assert self.current is not None
        pc = self._words[at.PC]
        self._ticks.trapped(pc, self._trap_units, entered=True, retired=False)
        self.current.registers.fault = (causes.BREAKPOINT_CAUSE, pc, pc)
        self._handler.exception(CpuException("breakpoint", causes.BREAKPOINT_CAUSE, pc))

    def _tell_bad_access(self) -> None:
        """Give the current context the exception for its misuse of a device, if it had one."""
        current = self.current
        if current is None or current.misuse is None:
            return
        assert self._handler is not None
        bus_address, access = current.misuse
        current.misuse = None
        self._misusers -= 1
        page = current.space.page_of_device(bus_address >> PAGE_SHIFT)
        inside = bus_address & PAGE_SIZE - 1
        address = bus_address if page is None else page << PAGE_SHIFT | inside
        current.registers.fault = (causes.REFUSED[access], address, self.pc)
        self._handler.exception(CpuException("bad_access", PROTECTION_FAILURE, address))

    def check(self) -> None:
        self._engine.check()
        if self.current is not None:
            assert self._tlb.loaded is self.current.space
            assert self._words[at.ROOT_PAGE] == self.current.space.root_page

    def close(self) -> None:
        """Keep what the current context holds; the engine's state goes.  Not from a hook.

        Whoever uses `arguments`, `pc` or `sp` afterwards gets a ValueError.
        """
        assert not self._inside
        self.switch_to(None)
        self.arguments.release()
        self._saved.release()
