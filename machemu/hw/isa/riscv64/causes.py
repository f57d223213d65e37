"""Trap causes, as the engine numbers them in mode 1.9.1 (unicorn-riscv.md 3 and 4)."""

from __future__ import annotations

from typing import Final

from machemu.hw.api import Access

FETCH_FAULT: Final = 1
ILLEGAL: Final = 2
MISALIGNED: Final = 4  # an lr or an amo; all else may be misaligned
LOAD_FAULT: Final = 5
STORE_FAULT: Final = 7
ECALL: Final = 8

# The access refused, as a plain number: an operation on an `Access` costs as much as all
# else that is done for a fault.
PAGE_FAULTS: Final[dict[int, int]] = {
    FETCH_FAULT: int(Access.EXECUTE),
    LOAD_FAULT: int(Access.READ),  # of an amo too, while its page is missing: it loads first
    STORE_FAULT: int(Access.WRITE),
}
PC_ADVANCE: Final = 4  # octets the engine adds to pc before any trap, faults included

# What scause would read in the present specification (mach-abi.md 9.2, flavor 3).
BREAKPOINT_CAUSE: Final = 3
ARCHITECTURAL: Final[dict[int, int]] = {FETCH_FAULT: 12, LOAD_FAULT: 13, STORE_FAULT: 15}
REFUSED: Final[dict[Access, int]] = {Access.READ: 5, Access.WRITE: 7}  # by a device
