"""Loads an ELF program into a task: what the boot loader does for a node's first tasks.

Every later program is loaded by the process server, in user mode.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from machemu.errors import ConfigError
from machemu.hw.api import PAGE_SIZE, Access
from machemu.kernel.results import KernelError

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.task import Task
    from machemu.kernel.task.thread import Thread

STACK_SIZE: Final = 128 << 10  # octets; mach-abi.md 10.3
STACK_TOP: Final = 0x40_0000_0000 - PAGE_SIZE  # a page below the top stays free
MACHINE: Final = "EM_RISCV"


@dataclass(frozen=True, slots=True)
class Segment:
    address: int
    data: bytes
    memory_size: int
    access: Access


@dataclass(frozen=True, slots=True)
class Program:
    """An executable, checked."""

    entry: int
    segments: tuple[Segment, ...]


def parse_elf(data: bytes, name: str) -> Program:
    """Raises ConfigError: not an executable for this machine; the text says why."""
    try:
        elf = ELFFile(io.BytesIO(data))
        header = elf.header
        if elf.elfclass != 64 or header["e_machine"] != MACHINE or not elf.little_endian:
            raise ConfigError(f"{name}: an ELF file for {header['e_machine']}, not for RV64")
        if header["e_type"] != "ET_EXEC":
            raise ConfigError(f"{name}: an ELF file, but not a static executable ({header['e_type']})")
        segments = tuple(_segment(part, name) for part in elf.iter_segments()
                         if part["p_type"] == "PT_LOAD" and part["p_memsz"])
    except ConfigError:
        raise
    except (ELFError, ValueError, KeyError, struct.error, UnicodeError, AttributeError, TypeError) as error:
        raise ConfigError(f"{name}: not an ELF file, or a damaged one ({error or type(error).__name__})") from None
    if not segments:
        raise ConfigError(f"{name}: an ELF file with nothing to load")
    return Program(header["e_entry"], segments)


def _segment(part: object, name: str) -> Segment:
    header = part.header  # type: ignore[attr-defined]
    flags = header["p_flags"]
    access = Access.NONE
    for bit, meaning in ((4, Access.READ), (2, Access.WRITE), (1, Access.EXECUTE)):
        if flags & bit:
            access |= meaning
    data: bytes = part.data()  # type: ignore[attr-defined]
    if len(data) != header["p_filesz"] or header["p_filesz"] > header["p_memsz"]:
        raise ConfigError(f"{name}: the file ends before its segment at {header['p_vaddr']:#x} does")
    return Segment(header["p_vaddr"], data, header["p_memsz"], access)


def start(kernel: Kernel, task: Task, program: Program, arguments: list[str], name: str) -> Thread:
    """Load `program` into `task`, make its first thread and let it run.

    Raises ConfigError: it does not fit in the address space or in RAM.
    """
    try:
        for segment in program.segments:
            _load(task, segment)
        task.memory.allocate(STACK_TOP - STACK_SIZE, STACK_SIZE, False)
        block = argument_block(arguments, STACK_TOP)
        task.memory.write(STACK_TOP - len(block), block)
    except KernelError as error:
        raise ConfigError(f"{name}: cannot be loaded (kernel result {error.code})") from None
    thread = kernel.create_thread(task)
    thread.context.pc = program.entry
    thread.context.sp = STACK_TOP - len(block)
    thread.resume()
    return thread


def _load(task: Task, segment: Segment) -> None:
    first = segment.address & ~(PAGE_SIZE - 1)
    size = segment.address + segment.memory_size - first
    task.memory.allocate(first, size, False)
    task.memory.write(segment.address, segment.data)
    task.memory.protect(first, size, False, int(segment.access))


def argument_block(arguments: list[str], top: int) -> bytes:
    """What the initial stack holds, ending at `top` (mach-abi.md 10.3): argc, argv, 0,
    environment, 0, strings.  A multiple of 16 octets."""
    strings = [argument.encode() + b"\0" for argument in arguments]
    pointers = 8 * (1 + len(strings) + 1 + 1)
    length = (pointers + sum(map(len, strings)) + 15) & ~15
    at = top - length + pointers
    words = [len(strings)]
    for string in strings:
        words.append(at)
        at += len(string)
    words += [0, 0]
    return (struct.pack(f"<{len(words)}Q", *words) + b"".join(strings)).ljust(length, b"\0")
