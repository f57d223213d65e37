"""Small guest programs in assembly, and the least of a kernel to run them under."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from elftools.elf.elffile import ELFFile

import machemu
from machemu.hw.api import PAGE_SIZE, Access, CpuException
from machemu.hw.cpu import Context
from machemu.hw.description import MachineDescription
from machemu.hw.machine import RealMachine, build_machine
from machemu.hw.mmu import AddressSpace

CACHE: Final = Path(machemu.__file__).parent / "_built" / "cache" / "tests-hw"
BASE: Final = 0x10000
DATA: Final = 0x20000  # a page that every guest may read and write
STACK_TOP: Final = 0x84000
LINK: Final = f"""ENTRY(_start) SECTIONS {{ . = {BASE:#x};
.text : {{ *(.text.start) *(.text*) *(.rodata*) *(.srodata*) }}
/DISCARD/ : {{ *(.comment) *(.eh_frame*) *(.riscv.attributes) *(.note*) }} }}"""
FLAGS: Final = ("-target", "riscv64-freestanding-none", "-mcpu=generic_rv64+m+a+f+d+c", "-O2", "-nostdlib", "-static",
                "-ffreestanding", "-fno-stack-protector", "-fno-sanitize=all")
BARE: Final = MachineDescription.parse("""
[machine]
ram = 4194304
[[device]]
name = "console"
kind = "console"
address = 0x10000000
interrupt = 1
[[device]]
name = "timer"
kind = "timer"
address = 0x10100000
interrupt = 2
[[device]]
name = "power"
kind = "power"
address = 0x10001000
interrupt = 3
""", "bare.toml")
RX: Final = Access.READ | Access.EXECUTE
RW: Final = Access.READ | Access.WRITE
LONG_NS: Final = 10**9


@dataclass(frozen=True)
class Program:
    entry: int
    code: bytes  # from BASE on
    symbols: dict[str, int]


@functools.cache
def assemble(source: str, language: str = "S") -> Program:
    """`_start` and all labels in a program linked at BASE; built once."""
    key = hashlib.sha256(repr((source, language, LINK, FLAGS)).encode()).hexdigest()[:24]
    path = CACHE / f"{key}.elf"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            text, script, made = (Path(work) / name for name in (f"g.{language}", "g.ld", "g.elf"))
            text.write_text(source)
            script.write_text(LINK)
            subprocess.run([sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-Wl,-T,{script}", "-o", str(made),
                            str(text)], check=True)
            os.replace(made, path)
    elf = ELFFile(io.BytesIO(path.read_bytes()))
    segments = [part for part in elf.iter_segments() if part["p_type"] == "PT_LOAD" and part["p_filesz"]]
    end = max(part["p_vaddr"] + part["p_filesz"] for part in segments)
    code = bytearray(end - BASE)
    for part in segments:
        code[part["p_vaddr"] - BASE:part["p_vaddr"] - BASE + part["p_filesz"]] = part.data()
    symbols = {symbol.name: symbol["st_value"] for symbol in elf.get_section_by_name(".symtab").iter_symbols()}
    return Program(elf.header["e_entry"], bytes(code), symbols)


def guest(body: str) -> Program:
    """A program whose first instruction is the first of `body`."""
    return assemble(".section .text.start\n.globl _start\n_start:\n" + body + "\n")


@dataclass(frozen=True)
class Trap:
    """One trap as the kernel was told of it."""

    kind: str  # "ecall", "page_fault", or what CpuException says
    pc: int
    time_ns: int
    detail: tuple[int, ...] = ()


@final
@dataclass
class Kernel:
    """A trap handler that notes what it is told.

    By default the first ecall, and any fault or exception, ends the run.
    """

    machine: RealMachine
    on_ecall: Callable[[], None] | None = None
    on_fault: Callable[[int, Access], None] | None = None
    on_exception: Callable[[CpuException], None] | None = None
    traps: list[Trap] = field(default_factory=list)

    def _note(self, kind: str, *detail: int) -> None:
        self.traps.append(Trap(kind, self.machine.cpu.pc, self.machine.clock.now_ns, detail))

    def ecall(self) -> None:
        self._note("ecall", *self.machine.cpu.arguments.tolist())
        self._do(self.on_ecall)

    def page_fault(self, address: int, access: Access) -> None:
        self._note("page_fault", address, int(access))
        self._do(self.on_fault, address, access)

    def exception(self, cause: CpuException) -> None:
        self._note(cause.kind, cause.code, cause.subcode)
        self._do(self.on_exception, cause)

    def _do(self, what: Callable[..., None] | None, *arguments: object) -> None:
        if what is None:
            self.machine.cpu.switch_to(None)
        else:
            what(*arguments)


RIGS: Final[list[Rig]] = []  # of the test that runs: conftest.py checks and closes them


@final
class Rig:
    """A machine, frames to give out, and a kernel that notes traps.

    Args:
        options: of `build_machine`.
    """

    def __init__(self, description: MachineDescription | None = None, **options: Any) -> None:
        self.machine = build_machine(description or BARE, **options)
        RIGS.append(self)
        self.cpu = self.machine.cpu
        self.clock = self.machine.clock
        self.memory = self.machine.memory
        self.free = list(range(self.memory.frames - 1, 0, -1))
        self.spaces: list[AddressSpace] = []
        self.kernel = Kernel(self.machine)
        self.cpu.attach(self.kernel)

    def close(self) -> None:
        """Assert all invariants and free the emulator."""
        RIGS.remove(self)
        self.machine.check()
        for space in self.spaces:
            space.check()
        self.machine.close()

    def frame(self) -> int:
        frame = self.free.pop()
        self.memory.data[frame * PAGE_SIZE:(frame + 1) * PAGE_SIZE] = bytes(PAGE_SIZE)
        return frame

    def space(self) -> AddressSpace:
        space = self.machine.new_space(self.frame, self.free.append)
        self.spaces.append(space)
        return space

    def frame_at(self, space: AddressSpace, address: int) -> int:
        """The frame a space shows at a virtual address."""
        return space.readable[address // PAGE_SIZE] // PAGE_SIZE

    def octets_at(self, space: AddressSpace, address: int, count: int) -> bytes:
        """What a space shows from a virtual address on, within one page."""
        start = space.readable[address // PAGE_SIZE] + address % PAGE_SIZE
        return bytes(self.memory.data[start:start + count])

    def changed(self, before: bytes) -> set[int]:
        """Offsets of RAM that differ from an earlier copy of it."""
        return {start + n for start in range(0, len(before), PAGE_SIZE)
                if before[start:start + PAGE_SIZE] != self.memory.data[start:start + PAGE_SIZE]
                for n in range(PAGE_SIZE) if before[start + n] != self.memory.data[start + n]}

    def load(self, program: Program, space: AddressSpace | None = None) -> Context:
        """A context at the program's entry, with code, a data page and a stack."""
        space = space or self.space()
        for start in range(0, len(program.code), PAGE_SIZE):
            part = program.code[start:start + PAGE_SIZE]
            frame = self.frame()
            self.memory.data[frame * PAGE_SIZE:frame * PAGE_SIZE + len(part)] = part
            space.map((BASE + start) // PAGE_SIZE, frame, RX)
        space.map(DATA // PAGE_SIZE, self.frame(), RW)
        for page in range(4):
            space.map(STACK_TOP // PAGE_SIZE - 1 - page, self.frame(), RW)
        context = self.cpu.new_context(space)
        context.pc = program.entry
        context.sp = STACK_TOP - 16
        return context

    def run(self, context: Context | None = None, ns: int = LONG_NS) -> list[Trap]:
        """Run for `ns`, or until nothing can run; the traps so far."""
        if context is not None:
            self.cpu.switch_to(context)
        until = self.clock.now_ns + ns
        while self.cpu.current is not None and self.clock.now_ns < until:
            self.clock.run_due()
            if self.cpu.current is not None:
                self.cpu.run(until)
        return self.kernel.traps

    def settle(self, ns: int | None = None) -> None:
        """Let `ns` pass with no guest running, or as long as there are events within a second."""
        until = self.clock.now_ns + (LONG_NS if ns is None else ns)
        while (due := self.clock.next_event_ns) is not None and due <= until:
            self.clock.skip_to(due)
            self.clock.run_due()
        if ns is not None:
            self.clock.skip_to(until)
