"""Whether a file is a program that the workstation can run: an ELF executable for it.

Looks at the headers only; the loader checks again what it loads.
"""

from __future__ import annotations

import struct
from typing import Final

MAGIC: Final = b"\x7fELF"
CLASS_64, LITTLE = 2, 1
EXECUTABLE: Final = 2  # ET_EXEC
MACHINE: Final = 243  # EM_RISCV, the only CPU there is
SEGMENT_LOAD: Final = 1  # PT_LOAD
HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT: Final = struct.Struct("<IIQQQQQQ")
KINDS: Final = {0: "no type", 1: "a relocatable file", 3: "a shared object", 4: "a core file"}
MACHINES: Final = {3: "i386", 8: "MIPS", 20: "PowerPC", 21: "PowerPC 64", 40: "ARM", 62: "x86-64", 183: "AArch64"}


def program_problem(data: bytes) -> str | None:
    """Why these octets cannot be run; None: they can."""
    if data[:4] != MAGIC:
        return "not an ELF file"
    if len(data) < HEADER.size:
        return f"an ELF file cut off after {len(data)} octets"
    ident, kind, machine, _, _, segments_at, _, _, _, entry_size, count, *_ = HEADER.unpack_from(data)
    if ident[4] != CLASS_64 or ident[5] != LITTLE:
        bits = {1: "32", 2: "64"}.get(ident[4], "?")
        order = {1: "little", 2: "big"}.get(ident[5], "?")
        return f"a {bits}-bit {order}-endian ELF file instead of a 64-bit little-endian one"
    if machine != MACHINE:
        return f"an ELF file for {MACHINES.get(machine, f'machine {machine}')} instead of RV64"
    if kind != EXECUTABLE:
        return f"an ELF file, but {KINDS.get(kind, f'of type {kind}')} instead of an executable"
    return _segments_problem(data, segments_at, entry_size, count)


def _segments_problem(data: bytes, start: int, entry_size: int, count: int) -> str | None:
    if count == 0 or entry_size != SEGMENT.size:
        return "an ELF file without segments to load"
    if start + count * entry_size > len(data):
        return f"an ELF file cut off after {len(data)} octets, within its segment table"
    for index in range(count):
        kind, _, offset, _, _, size, *_ = SEGMENT.unpack_from(data, start + index * entry_size)
        if kind == SEGMENT_LOAD and offset + size > len(data):
            return f"an ELF file cut off: segment {index} ends at octet {offset + size} of {len(data)}"
    return None
