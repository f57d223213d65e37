"""Instruction lengths, breakpoints, and `rdtime`, the only instruction emulated."""

from __future__ import annotations

from typing import Final

LONG: Final = 3  # low bits of an instruction of 4 octets
C_EBREAK: Final = b"\x02\x90"  # 2 octets: fits over any instruction

# csrrs, csrrc, csrrsi or csrrci of CSR 0xC01 with a zero operand: reads, writes nothing.
TIME_MASK: Final = 0xFFFF_A07F
TIME_MATCH: Final = 0xC010_2073


def length(low: int) -> int:
    """Octets of the instruction whose first octet is `low`."""
    return 4 if low & LONG == LONG else 2


def time_destination(word: int) -> int | None:
    """The register a read of the time goes to (0: nowhere), or None: another instruction."""
    return word >> 7 & 31 if word & TIME_MASK == TIME_MATCH else None
