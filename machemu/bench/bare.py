"""The processor with next to no kernel: what floors are measured on.

The same guest program, loaded into the same page tables, but its traps go to a handler of
a few lines that does the least the work needs (compare reference: the engine's own costs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, final

from machemu.bench.guest import END, Stopwatch
from machemu.errors import ConfigError
from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access
from machemu.hw.engine import Engine
from machemu.hw.isa.riscv64 import causes
from machemu.hw.isa.riscv64 import layout as at
from machemu.hw.memory import RAM_BASE, Memory
from machemu.hw.mmu import AddressSpace, Tlb
from machemu.node.loader import STACK_SIZE, STACK_TOP, argument_block, parse_elf

RAM: Final = 16 << 20  # octets
WORD: Final = 1 << 64
TRACE_POINT: Final = -100 % WORD
MACH_MSG: Final = -25 % WORD
MACH_REPLY_PORT: Final = -26 % WORD
REPLY_PORT: Final = 22  # the one name mach_reply_port gives
SEND: Final = 1  # option bit of mach_msg


@final
@dataclass(eq=False)
class BareTask:
    """A program in an address space.  `frames`: virtual page number -> offset in RAM."""

    space: AddressSpace
    saved: memoryview  # words of its registers while another runs
    names: dict[int, BareTask] = field(default_factory=dict)  # port name -> who receives there
    wait: int = 0  # where in RAM its message buffer is

    @property
    def frames(self) -> dict[int, int]:
        return self.space.readable


@final
class Bare:
    """One engine, its RAM, and the guest program of the measurement."""

    def __init__(self, program: bytes) -> None:
        self.memory = Memory(RAM)
        self.engine = Engine(self.memory.data, RAM_BASE)
        if not self.engine.live:
            raise ConfigError("bench: floors need the live view of the processor, which this host does not give")
        self.words = self.engine.words
        self.tlb = Tlb(self.words, self.engine.flusher)
        self.watch = Stopwatch()
        self._free = list(range(self.memory.frames - 1, 0, -1))
        self._program = parse_elf(program, "bench")

    def frame(self) -> int:
        """A frame of zeros."""
        return self._free.pop()

    def task(self, *arguments: object) -> BareTask:
        space = AddressSpace(self.memory, self.tlb, self.frame, self._free.append)
        saved = memoryview(bytearray(at.SAVED_WORDS * 8)).cast("Q")
        task = BareTask(space, saved)
        for segment in self._program.segments:
            self._place(task, segment.address, segment.data, segment.memory_size, segment.access)
        block = argument_block(["bench", *(str(argument) for argument in arguments)], STACK_TOP)
        stack = bytes(STACK_SIZE - len(block)) + block
        self._place(task, STACK_TOP - STACK_SIZE, stack, STACK_SIZE, Access.READ | Access.WRITE)
        saved[at.SP], saved[at.PC] = STACK_TOP - len(block), self._program.entry
        saved[at.RESERVATION] = at.NO_RESERVATION
        return task

    def _place(self, task: BareTask, address: int, data: bytes, size: int, access: Access) -> None:
        for page in range(address >> PAGE_SHIFT, (address + size - 1 >> PAGE_SHIFT) + 1):
            task.space.map(page, self.frame(), access)
        for done in range(0, len(data), PAGE_SIZE):  # `address` begins a page
            part = data[done:done + PAGE_SIZE]
            start = task.frames[address + done >> PAGE_SHIFT]
            self.memory.data[start:start + len(part)] = part

    def enter(self, task: BareTask) -> None:
        """Load `task`, which runs at the next `run`."""
        self.words[:at.SAVED_WORDS] = task.saved
        self.tlb.load(task.space)

    def other(self, arguments: list[int]) -> int:
        """Every trap that is not what is measured: marks, and start-up's."""
        number = arguments[7]
        if number == TRACE_POINT:
            self.watch.mark(arguments[0])
            if arguments[0] == END:
                self.engine.stop()
            return 0
        return REPLY_PORT if number == MACH_REPLY_PORT else 0

    def attach(self, ecall: Callable[[], None], fault: Callable[[int], None] | None = None) -> None:
        """Send traps to `ecall`, page faults to `fault`.  Once, before `run`."""
        call = causes.ECALL

        def hook(_engine: int | None, cause: int) -> None:
            if cause == call:
                ecall()
            elif fault is not None:
                fault(cause)
            else:
                self.engine.stop()

        self.engine.hook_traps(hook)

    def round(self) -> list[float]:
        """Run until a round has ended; its seconds.  Raises ConfigError: the guest fell over."""
        self.engine.start()
        rounds = self.watch.take()
        if not rounds:
            raise ConfigError(f"bench: a floor's guest stopped at pc {self.words[at.PC]:#x}")
        return rounds

    def close(self) -> None:
        self.engine.close()

