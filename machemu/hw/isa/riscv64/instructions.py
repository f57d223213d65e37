"""Instruction lengths, breakpoints, which instructions others can notice, and `rdtime`, the only one emulated."""

from __future__ import annotations

from typing import Final

LONG: Final = 3  # low bits of an instruction of 4 octets
C_EBREAK: Final = b"\x02\x90"  # 2 octets: fits over any instruction

# csrrs, csrrc, csrrsi or csrrci of CSR 0xC01 with a zero operand: reads, writes nothing.
TIME_MASK: Final = 0xFFFF_A07F
TIME_MATCH: Final = 0xC010_2073

# Opcodes of loads, stores, atomics (integer and real) and of what traps.
NOTICED: Final = frozenset({0x03, 0x07, 0x23, 0x27, 0x2F, 0x73})
# In quadrants 0 and 2 of the compressed ones: bits 15 to 13 of loads and stores.
COMPRESSED_NOTICED: Final = frozenset({1, 2, 3, 5, 6, 7})


def length(low: int) -> int:
    """Octets of the instruction whose first octet is `low`."""
    return 4 if low & LONG == LONG else 2


def time_destination(word: int) -> int | None:
    """The register a read of the time goes to (0: nowhere), or None: another instruction."""
    return word >> 7 & 31 if word & TIME_MASK == TIME_MATCH else None


def can_be_noticed(word: int) -> bool:
    """Whether another thread can tell if the instruction has been executed: it reads or writes memory, or traps."""
    if word & LONG == LONG:
        return word & 0x7F in NOTICED
    return word & LONG != 1 and word >> 13 & 7 in COMPRESSED_NOTICED
