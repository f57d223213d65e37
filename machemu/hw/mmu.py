"""Address spaces: page tables in RAM, and when the translations cached from them go.

The engine's TLB knows nothing of address spaces (unicorn-riscv.md 1, rule 1).  `Tlb`
keeps the one fact that matters: whose translations may be in it.  Changes of any other
space need no care, since loading a space empties it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access
from machemu.hw.isa.riscv64 import layout as at
from machemu.hw.isa.riscv64 import paging
from machemu.hw.memory import RAM_BASE_PAGE, Memory

ENTRIES: Final = PAGE_SIZE // 8  # words of a table
# Plain numbers: an operation on Access itself takes as long as all the rest of `map`.
READABLE: Final = int(Access.READ | Access.WRITE)  # what may be written may be read
WRITABLE: Final = int(Access.WRITE)
EXECUTABLE: Final = int(Access.EXECUTE)


@final
class Tlb:
    """The processor's cached translations.

    Args:
        words: the processor's state.
        flush: empties the TLB.
    """

    __slots__ = ("_flush", "_words", "loaded", "stale")

    def __init__(self, words: memoryview, flush: Callable[[], None]) -> None:
        self._words = words
        self._flush = flush
        self.loaded: AddressSpace | None = None  # whose translations may be cached
        self.stale = False  # some of them allow what the tables no longer do

    def load(self, space: AddressSpace) -> None:
        """Make `space` the one the guest runs in."""
        self._words[at.ROOT_PAGE] = space.root_page
        self.loaded = space
        self.stale = False
        self._flush()

    def flush(self) -> None:
        self.stale = False
        self._flush()


@final
class AddressSpace:
    """One task's translations.

    Invariants, asserted by `check`:
      - `readable` and `writable` say what the tables say;
      - what may be written may be read.
    """

    def __init__(self, memory: Memory, tlb: Tlb, allocate: Callable[[], int], free: Callable[[int], None]) -> None:
        self.readable: dict[int, int] = {}
        self.writable: dict[int, int] = {}
        self._memory = memory
        self._words = memory.words
        self._tlb = tlb
        self._allocate = allocate
        self._free = free
        root = allocate()
        self.root_page: Final = RAM_BASE_PAGE + root
        self._tables: list[int] = [root]  # frames
        # Word indices of the lowest tables, by virtual page number without its last 9 bits.
        self._leaves: dict[int, int] = {}

    def map(self, page: int, frame: int, access: int) -> None:
        self._write(page, paging.leaf(RAM_BASE_PAGE + frame, access))
        offset = frame << PAGE_SHIFT
        if access & READABLE:
            self.readable[page] = offset
        else:
            self.readable.pop(page, None)
        if access & WRITABLE:
            self.writable[page] = offset
        else:
            self.writable.pop(page, None)
        if access & EXECUTABLE:
            self._memory.held_code[frame] = 1

    def map_device(self, page: int, bus_page: int, access: int) -> None:
        self._write(page, paging.leaf(bus_page, access & ~EXECUTABLE))
        self.readable.pop(page, None)
        self.writable.pop(page, None)

    def unmap(self, page: int) -> None:
        if page >> paging.INDEX_BITS in self._leaves:
            self._write(page, 0)
            self.readable.pop(page, None)
            self.writable.pop(page, None)

    def _write(self, page: int, entry: int) -> None:
        leaf = self._leaves.get(page >> paging.INDEX_BITS)
        if leaf is None:
            leaf = self._add_tables(page)
        index = leaf + (page & paging.INDEX_MASK)
        old = self._words[index]
        self._words[index] = entry
        if old and self._tlb.loaded is self and paging.takes_away(old, entry):
            self._tlb.stale = True

    def _add_tables(self, page: int) -> int:
        """Make the tables that lead to `page`; the lowest one's word index."""
        assert 0 <= page < paging.PAGES, f"page {page:#x} is not in the user's half"
        table = self._tables[0]
        for shift in paging.UPPER_SHIFTS:
            index = table * ENTRIES + (page >> shift & paging.INDEX_MASK)
            entry = self._words[index]
            if entry:
                table = (entry >> paging.PPN_SHIFT) - RAM_BASE_PAGE
            else:
                table = self._allocate()
                self._tables.append(table)
                self._words[index] = paging.table(RAM_BASE_PAGE + table)
        leaf = self._leaves[page >> paging.INDEX_BITS] = table * ENTRIES
        return leaf

    def entry(self, page: int) -> int:
        """The page-table entry of a virtual page; 0: there is none."""
        leaf = self._leaves.get(page >> paging.INDEX_BITS)
        return 0 if leaf is None else self._words[leaf + (page & paging.INDEX_MASK)]

    def fetch(self, address: int, octets: int) -> bytes:
        """At most `octets` of what may be executed at `address`: fewer if the rest may not."""
        data = self._memory.data
        code = b""
        while len(code) < octets:
            at_address = address + len(code)
            entry = self.entry(at_address >> PAGE_SHIFT)
            frame = (entry >> paging.PPN_SHIFT) - RAM_BASE_PAGE
            if not entry & paging.EXECUTE or frame < 0:
                break
            inside = at_address & PAGE_SIZE - 1
            start = (frame << PAGE_SHIFT) + inside
            code += bytes(data[start:start + min(octets - len(code), PAGE_SIZE - inside)])
        return code

    def page_of_device(self, bus_page: int) -> int | None:
        """A virtual page mapped to a page of device registers, or None."""
        for upper, leaf in self._leaves.items():
            for index in range(ENTRIES):
                entry = self._words[leaf + index]
                if entry & paging.VALID and entry >> paging.PPN_SHIFT == bus_page:
                    return upper << paging.INDEX_BITS | index
        return None

    def destroy(self) -> None:
        for frame in self._tables:
            self._free(frame)
        self._tables.clear()
        self._leaves.clear()
        self.readable.clear()
        self.writable.clear()

    def check(self) -> None:
        found_readable, found_writable = {}, {}
        for upper, leaf in self._leaves.items():
            for index, entry in enumerate(self._words[leaf:leaf + ENTRIES]):
                offset = (entry >> paging.PPN_SHIFT) - RAM_BASE_PAGE << PAGE_SHIFT
                if entry & paging.VALID and offset >= 0:
                    page = upper << paging.INDEX_BITS | index
                    if entry & paging.READ:
                        found_readable[page] = offset
                    if entry & paging.WRITE:
                        found_writable[page] = offset
        assert found_readable == self.readable
        assert found_writable == self.writable
        assert self.writable.keys() <= self.readable.keys()
