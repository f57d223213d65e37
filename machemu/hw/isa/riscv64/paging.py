"""Sv39 page tables: three levels of 512 entries of 8 octets, pages of 4096 octets."""

from __future__ import annotations

from typing import Final

from machemu.hw.api import Access

VALID: Final = 1
READ: Final = 2
WRITE: Final = 4
EXECUTE: Final = 8
USER: Final = 16
ACCESSED_DIRTY: Final = 0xC0  # set from the start: nobody looks at them
RIGHTS: Final = READ | WRITE | EXECUTE
PPN_SHIFT: Final = 10

LEVELS: Final = 3
INDEX_BITS: Final = 9
INDEX_MASK: Final = (1 << INDEX_BITS) - 1
UPPER_SHIFTS: Final = (2 * INDEX_BITS, INDEX_BITS)  # of a virtual page number, root first
PAGES: Final = 1 << 26  # the lower half of the address space, which is the user's: 256 GiB

# A page that may be written may be read: the format has no write-only pages.
ENTRY_BITS: Final = tuple(
    VALID | USER | ACCESSED_DIRTY
    | (READ if access & (Access.READ | Access.WRITE) else 0)
    | (WRITE if access & Access.WRITE else 0)
    | (EXECUTE if access & Access.EXECUTE else 0)
    if access else 0
    for access in range(8)
)


def leaf(physical_page: int, access: int) -> int:
    """The entry that lets a user program reach `physical_page`; 0 without any access."""
    bits = ENTRY_BITS[access]
    return physical_page << PPN_SHIFT | bits if bits else 0


def table(physical_page: int) -> int:
    """The entry that points to the next table."""
    return physical_page << PPN_SHIFT | VALID


def takes_away(old: int, new: int) -> bool:
    """Whether a translation cached from `old` allows what `new` does not."""
    if not old & VALID:
        return False
    return old >> PPN_SHIFT != new >> PPN_SHIFT or bool(old & ~new & RIGHTS)
