"""Address maps: what is where in a task's memory.

Follows Mach 3 `vm/vm_map.c` and `vm/vm_user.c`; semantics and errors of mach-abi.md 8.1.
Every address and size may come from a guest: nothing is believed, and nothing is changed
before all has been checked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.vm import fault
from machemu.kernel.vm.copy import OFFSET_IN_PAGE, Piece, VmCopy, fill
from machemu.kernel.vm.entry import (
    INHERIT_COPY,
    INHERIT_NONE,
    INHERIT_SHARE,
    PROT_ALL,
    PROT_DEFAULT,
    PROT_EXECUTE,
    PROT_READ,
    PROT_WRITE,
    Entry,
    Region,
)
from machemu.kernel.vm.object import DeviceObject, VmObject

if TYPE_CHECKING:
    from machemu.hw.api import AddressSpace
    from machemu.kernel.vm.page import PagePool
    from machemu.kernel.vm.wiring import Wiring

VM_MAX_ADDRESS: Final = 0x40_0000_0000  # Sv39's lower half
VM_ANYWHERE: Final = 0x1_0000  # where the search for a free place begins
WORD_LIMIT: Final = 1 << 64
COPY_ON_WRITE_PAGES: Final = 3  # fewer pages than this are simply copied


def trunc_page(address: int) -> int:
    return address & ~OFFSET_IN_PAGE


def round_page(address: int) -> int:
    return (address + OFFSET_IN_PAGE) & ~OFFSET_IN_PAGE


@final
class VmMap:
    """One task's address map.

    Invariants, asserted by `check`:
      - entries are in order and do not overlap;
      - a page the guest can reach belongs to an entry that allows it;
      - a page the guest can write belongs to the entry's own object.
    """

    def __init__(self, pool: PagePool, space: AddressSpace) -> None:
        self.pool = pool
        self.space = space
        self.mapped: set[int] = set()  # virtual page numbers with a translation
        self.wired: dict[int, Wiring] = {}  # by virtual page number; by `vm_wire`
        self.faults = self.copy_faults = self.zero_fills = 0
        self._entries: list[Entry] = []
        self._starts: list[int] = []
        self.ram = pool.memory.data
        self._held_code = pool.memory.held_code
        self._readable = space.readable
        self._writable = space.writable
        pool.maps[self] = None

    # -- the kernel's own access: the way of every message -------------------------

    def read(self, address: int, size: int) -> bytes:
        """Octets of the task.  Raises INVALID_ADDRESS, PROTECTION_FAILURE, RESOURCE_SHORTAGE."""
        return bytes(self.view(address, size))

    def view(self, address: int, size: int) -> bytes | memoryview:
        """As `read`; within a page nothing is copied, and the view changes with the page."""
        within = address & OFFSET_IN_PAGE
        if within + size <= PAGE_SIZE:
            place = self._readable.get(address >> PAGE_SHIFT)
            if place is None:
                place = self._reach(address, PROT_READ)
            place += within
            return self.ram[place:place + size]
        self.check_range(address, size, PROT_READ)
        parts = []
        for start, part in _pages(address, size):
            place = self._readable.get(start >> PAGE_SHIFT)
            if place is None:
                place = self._reach(start, PROT_READ)
            place += start & OFFSET_IN_PAGE
            parts.append(self.ram[place:place + part])
        return b"".join(parts)

    def place_to_write(self, address: int, size: int) -> int | None:
        """Where in `ram` a range lies that is about to be written; None: it crosses a page.

        Raises as `read` does.
        """
        within = address & OFFSET_IN_PAGE
        if within + size > PAGE_SIZE:
            return None
        place = self._writable.get(address >> PAGE_SHIFT)
        if place is None:
            place = self._reach(address, PROT_WRITE)
        if self._held_code[place >> PAGE_SHIFT]:
            self.pool.code_changed(place >> PAGE_SHIFT)
        return place + within

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Change octets of the task: all of them, or none.  Raises as `read` does."""
        size = len(data)
        place = self.place_to_write(address, size)
        if place is not None:
            self.ram[place:place + size] = data
            return
        self.check_range(address, size, PROT_WRITE)
        for start, _ in _pages(address, size):
            if start >> PAGE_SHIFT not in self._writable:
                self._reach(start, PROT_WRITE)
        at = 0
        for start, part in _pages(address, size):
            place = self._writable[start >> PAGE_SHIFT] + (start & OFFSET_IN_PAGE)
            if self._held_code[place >> PAGE_SHIFT]:
                self.pool.code_changed(place >> PAGE_SHIFT)
            self.ram[place:place + part] = data[at:at + part]
            at += part

    def _reach(self, address: int, access: int) -> int:
        """Fault a page in for the kernel; where it is in RAM."""
        fault.fault(self, address, access)
        table = self._writable if access & PROT_WRITE else self._readable
        place = table.get(address >> PAGE_SHIFT)
        if place is None:  # registers of a device
            raise KernelError(KernReturn.INVALID_ADDRESS)
        return place

    # -- looking entries up ----------------------------------------------------------

    def entry_at(self, address: int) -> Entry | None:
        position = bisect_right(self._starts, address) - 1
        if position >= 0 and address < self._entries[position].end:
            return self._entries[position]
        return None

    def _overlapping(self, start: int, end: int) -> list[Entry]:
        position = bisect_right(self._starts, start) - 1
        if position < 0 or self._entries[position].end <= start:
            position += 1
        found = []
        while position < len(self._entries) and self._entries[position].start < end:
            found.append(self._entries[position])
            position += 1
        return found

    def check_range(self, address: int, size: int, wanted: int) -> list[Entry]:
        """The entries of a range that must be mapped throughout, with access `wanted`."""
        end = address + size
        if end > VM_MAX_ADDRESS:
            raise KernelError(KernReturn.INVALID_ADDRESS)
        entries = self._overlapping(address, end)
        reached = address
        for entry in entries:
            if entry.start > reached:
                raise KernelError(KernReturn.INVALID_ADDRESS)
            if wanted & ~entry.protection:
                raise KernelError(KernReturn.PROTECTION_FAILURE)
            reached = entry.end
        if reached < end:
            raise KernelError(KernReturn.INVALID_ADDRESS)
        return entries

    @property
    def virtual_size(self) -> int:
        """Octets of all entries."""
        return sum(entry.end - entry.start for entry in self._entries)

    @property
    def resident_size(self) -> int:
        """Octets that the guest can reach without a fault."""
        return len(self.mapped) << PAGE_SHIFT

    def regions(self) -> list[Region]:
        """All of the map, for observers."""
        return [_region(entry) for entry in self._entries]

    def objects(self) -> Iterator[VmObject]:
        """The objects that are mapped or shadowed here."""
        for entry in self._entries:
            memory = entry.memory if isinstance(entry.memory, VmObject) else None
            while memory is not None:
                yield memory
                memory = memory.shadow

    def region(self, address: int) -> Region:
        """The entry at or after `address`.  Raises NO_SPACE: there is none."""
        position = bisect_right(self._starts, address) - 1
        if position < 0 or self._entries[position].end <= address:
            position += 1
        if position >= len(self._entries):
            raise KernelError(KernReturn.NO_SPACE)
        return _region(self._entries[position])

    # -- changing entries --------------------------------------------------------------

    def _insert(self, entry: Entry) -> None:
        position = bisect_right(self._starts, entry.start)
        self._entries.insert(position, entry)
        self._starts.insert(position, entry.start)

    def clip(self, start: int, end: int) -> list[Entry]:
        """Cut entries so that none reaches across `start` or `end`; those between."""
        for at in (start, end):
            entry = self.entry_at(at)
            if entry is not None and entry.start < at:
                self._insert(entry.split(at))
        return self._overlapping(start, end)

    def _free_range(self, size: int, mask: int = 0, first: int = VM_ANYWHERE) -> int:
        """The lowest free place for `size` octets.  Raises NO_SPACE."""
        address = (first + mask) & ~mask
        for entry in self._overlapping(address, VM_MAX_ADDRESS):
            if entry.start >= address + size:
                break
            address = max(address, (entry.end + mask) & ~mask)
        if address + size > VM_MAX_ADDRESS:
            raise KernelError(KernReturn.NO_SPACE)
        return address

    def _place(self, address: int, size: int, anywhere: bool, mask: int = 0) -> int:
        """Where a new range of `size` octets goes.  Raises NO_SPACE, INVALID_ADDRESS."""
        if size > VM_MAX_ADDRESS:
            raise KernelError(KernReturn.NO_SPACE if anywhere else KernReturn.INVALID_ADDRESS)
        if anywhere:
            return self._free_range(size, mask | OFFSET_IN_PAGE)
        start = trunc_page(address)
        if start + size > VM_MAX_ADDRESS:
            raise KernelError(KernReturn.INVALID_ADDRESS)
        if start & mask or self._overlapping(start, start + size):
            raise KernelError(KernReturn.NO_SPACE)
        return start

    def _pages_in(self, start: int, end: int) -> list[int]:
        """Virtual page numbers of the range that have a translation."""
        first, last = start >> PAGE_SHIFT, end >> PAGE_SHIFT
        if last - first > len(self.mapped):
            return [page for page in self.mapped if first <= page < last]
        return [page for page in range(first, last) if page in self.mapped]

    def unmap_pages(self, start: int, end: int) -> None:
        for page in self._pages_in(start, end):
            self.space.unmap(page)
            self.mapped.discard(page)

    def forget_pages(self, memory: VmObject, first: int, count: int) -> None:
        """Remove the translations of pages of `memory`, mapped or shadowed here."""
        for entry in self._entries:
            shift = memory.distance_below(entry.memory) if isinstance(entry.memory, VmObject) else None
            if shift is not None:
                low = max(entry.first, first - shift)
                high = min(entry.first + entry.pages, first + count - shift)
                base = (entry.start >> PAGE_SHIFT) - entry.first
                if low < high:
                    self.unmap_pages(base + low << PAGE_SHIFT, base + high << PAGE_SHIFT)

    def _write_protect(self, start: int, end: int, protection: int) -> None:
        """Let the next write to each page of the range fault."""
        access = protection & ~PROT_WRITE
        for page in self._pages_in(start, end):
            place = self._writable.get(page)
            if place is not None:
                self.space.map(page, place >> PAGE_SHIFT, access)

    # -- Mach's calls ---------------------------------------------------------------------

    def allocate(self, address: int, size: int, anywhere: bool) -> int:
        """`vm_allocate`.  Raises NO_SPACE, INVALID_ADDRESS."""
        if size == 0:
            return 0
        size = round_page(size)
        start = self._place(address, size, anywhere)
        self._insert(Entry(start, start + size))
        return start

    def deallocate(self, address: int, size: int) -> None:
        """`vm_deallocate`; holes are fine.  Raises INVALID_ADDRESS: the range wraps."""
        if size == 0:
            return
        start, end = _rounded(address, size)
        self.unmap_pages(start, end)
        if self.wired:
            self.unwire(start >> PAGE_SHIFT, end >> PAGE_SHIFT)
        for entry in self.clip(start, end):
            position = bisect_right(self._starts, entry.start) - 1
            del self._entries[position], self._starts[position]
            entry.release()

    def unwire(self, first: int, end: int) -> None:
        """Undo `vm_wire` for virtual page numbers from `first` up to `end`."""
        for page in [page for page in self.wired if first <= page < end]:
            self.wired.pop(page).release()

    def protect(self, address: int, size: int, set_max: bool, protection: int) -> None:
        """`vm_protect`.  Raises INVALID_ARGUMENT, PROTECTION_FAILURE, INVALID_ADDRESS."""
        if protection & ~PROT_ALL:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        if size == 0:
            return
        start, end = _rounded(address, size)
        if any(protection & ~entry.maximum for entry in self._overlapping(start, end)):
            raise KernelError(KernReturn.PROTECTION_FAILURE)
        for entry in self.clip(start, end):
            before = entry.protection
            if set_max:
                entry.maximum = protection
                entry.protection &= protection
            else:
                entry.protection = protection
            self.unmap_pages(entry.start, entry.end)
            if entry.protection & ~before & PROT_EXECUTE and isinstance(entry.memory, VmObject):
                entry.memory.forget_code(entry.first, entry.pages)

    def inherit(self, address: int, size: int, inheritance: int) -> None:
        """`vm_inherit`.  Raises INVALID_ARGUMENT, INVALID_ADDRESS."""
        if not INHERIT_SHARE <= inheritance <= INHERIT_NONE:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        if size:
            for entry in self.clip(*_rounded(address, size)):
                entry.inheritance = inheritance

    def map(self, address: int, size: int, mask: int, anywhere: bool, memory: VmObject | DeviceObject | None,
            offset: int, copy: bool, protection: int, maximum: int, inheritance: int) -> int:
        """`vm_map`; `memory` None: zero-filled.

        Raises INVALID_ARGUMENT, NO_SPACE, INVALID_ADDRESS; with `copy` PageAbsent, MEMORY_ERROR.
        """
        if size == 0 or (protection | maximum) & ~PROT_ALL or not INHERIT_SHARE <= inheritance <= INHERIT_NONE:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        if memory is not None and offset + size > WORD_LIMIT:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        if isinstance(memory, DeviceObject) and (copy or offset or size > PAGE_SIZE):
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        size = round_page(size)
        start = self._place(address, size, anywhere, mask)
        entry = Entry(start, start + size, memory, offset >> PAGE_SHIFT if memory else 0, protection, maximum,
                      inheritance)
        if isinstance(memory, VmObject):
            if copy and memory.pager is not None:
                entry.memory, entry.first = memory.pager.snapshot(entry.first, entry.pages), 0
            else:
                memory.references += 1
                entry.needs_copy, entry.shared = copy, not copy
        self._insert(entry)
        return start

    def copy(self, source: int, size: int, target: int) -> None:
        """`vm_copy`: overwrite one page-aligned range with another.

        Raises INVALID_ARGUMENT, INVALID_ADDRESS, PROTECTION_FAILURE, RESOURCE_SHORTAGE.
        """
        if (source | size | target) & OFFSET_IN_PAGE:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        self.check_range(target, size, PROT_WRITE)
        self.check_range(source, size, PROT_READ)
        if not self.pool.could_hold(size):
            raise KernelError(KernReturn.RESOURCE_SHORTAGE)
        if size:
            self.write(target, self.read(source, size))

    # -- copies in messages -------------------------------------------------------------

    def reach_to_copy(self, address: int, size: int, *, whole: bool) -> None:
        """See that what `copyin` would have to read is in memory.

        Args:
            whole: all of it is read.
        Raises as `read` does, PageAbsent.
        """
        entries = self.check_range(address, size, PROT_READ)
        start, end = trunc_page(address), round_page(address + size)
        if whole or (end - start) >> PAGE_SHIFT < COPY_ON_WRITE_PAGES:
            copied = list(range(start, end, PAGE_SIZE))
        else:
            copied = [page for page, partial in ((start, start != address), (end - PAGE_SIZE, end != address + size))
                      if partial]
            for entry in entries:
                if isinstance(entry.memory, VmObject):
                    self._reach_shared(entry, entry.memory)
        for page in copied:
            if page >> PAGE_SHIFT not in self._readable:
                self._reach(page, PROT_READ)

    def _reach_shared(self, entry: Entry, memory: VmObject) -> None:
        pager = memory.pager
        if pager is not None and not pager.internal:
            pager.reach_snapshot(entry.first, entry.pages)
        elif entry.shared or memory.wired:
            memory.visible(entry.first, entry.pages)

    def copyin(self, address: int, size: int, deallocate: bool) -> VmCopy:
        """Out-of-line data: the memory as it is now, copied when someone writes.

        Args:
            deallocate: remove the whole pages from this map.
        Raises INVALID_ADDRESS, PROTECTION_FAILURE, RESOURCE_SHORTAGE.
        """
        self.check_range(address, size, PROT_READ)
        start, end = trunc_page(address), round_page(address + size)
        if (end - start) >> PAGE_SHIFT < COPY_ON_WRITE_PAGES:
            copy = VmCopy.from_bytes(self.pool, self.read(address, size), address - start)
        else:
            copy = VmCopy(address - start, size, self._pieces(address, address + size))
        if deallocate:
            self.deallocate(start, end - start)
        return copy

    def _pieces(self, start: int, end: int) -> list[Piece]:
        """Whole pages copy-on-write; partial ones at the ends copied, zeros around."""
        pieces: list[Piece] = []
        inner_start, inner_end = round_page(start), trunc_page(end)
        try:
            if start < inner_start:
                data = self.read(start, inner_start - start)
                pieces.append(Piece(fill(self.pool, start & OFFSET_IN_PAGE, data), 0, 1, sole=True))
            for entry in self.clip(inner_start, inner_end):
                pieces.append(self._share(entry))
            if inner_end < end:
                pieces.append(Piece(fill(self.pool, 0, self.read(inner_end, end - inner_end)), 0, 1, sole=True))
        except KernelError:
            VmCopy(0, 0, pieces).discard()
            raise
        return pieces

    def _share(self, entry: Entry) -> Piece:
        """A copy of a whole entry."""
        memory = entry.memory
        if memory is None:
            return Piece(None, 0, entry.pages, sole=True)
        if isinstance(memory, DeviceObject):
            raise KernelError(KernReturn.PROTECTION_FAILURE)
        if memory.pager is not None and not memory.pager.internal:
            return Piece(memory.pager.snapshot(entry.first, entry.pages), 0, entry.pages, sole=True)
        if entry.shared or memory.wired:
            # Others write to this object, or a device does: the copy must not see it.
            return Piece(memory.copied(entry.first, entry.pages), 0, entry.pages, sole=True)
        memory.references += 1
        entry.needs_copy = True
        self._write_protect(entry.start, entry.end, entry.protection)
        return Piece(memory, entry.first, entry.pages, sole=False)

    def copyout(self, copy: VmCopy) -> int:
        """Map a copy at a fresh place; its address.  The copy is used up.

        Raises NO_SPACE; the caller still holds the copy then.
        """
        at = start = self._free_range(copy.pages << PAGE_SHIFT)
        for piece in copy.pieces:
            end = at + (piece.pages << PAGE_SHIFT)
            self._insert(Entry(at, end, piece.memory, piece.first, PROT_DEFAULT, PROT_ALL, INHERIT_COPY,
                               needs_copy=not piece.sole))
            at = end
        copy.pieces = []
        return start + copy.offset

    # -- inheritance, the end -------------------------------------------------------

    def fork(self, space: AddressSpace) -> VmMap:
        """A child's map, by each entry's inheritance.  Raises RESOURCE_SHORTAGE."""
        child = VmMap(self.pool, space)
        try:
            for entry in list(self._entries):
                if entry.inheritance == INHERIT_SHARE:
                    child._insert(self._shared_entry(entry))
                elif entry.inheritance == INHERIT_COPY and not isinstance(entry.memory, DeviceObject):
                    piece = self._share(entry)
                    child._insert(Entry(entry.start, entry.end, piece.memory, piece.first, entry.protection,
                                        entry.maximum, entry.inheritance, needs_copy=not piece.sole))
        except KernelError:
            child.destroy()
            raise
        return child

    def _shared_entry(self, entry: Entry) -> Entry:
        if isinstance(entry.memory, DeviceObject):
            return Entry(entry.start, entry.end, entry.memory, entry.first, entry.protection, entry.maximum,
                         entry.inheritance)
        fault.own_object(self, entry)
        assert isinstance(entry.memory, VmObject)
        entry.memory.flatten(entry.first, entry.pages)
        self.unmap_pages(entry.start, entry.end)
        entry.memory.references += 1
        entry.shared = True
        return Entry(entry.start, entry.end, entry.memory, entry.first, entry.protection, entry.maximum,
                     entry.inheritance, shared=True)

    def forget_device(self, registers: DeviceObject) -> None:
        """The guest loses access to a device's registers."""
        for entry in self._entries:
            if entry.memory is registers:
                self.unmap_pages(entry.start, entry.end)

    def destroy(self) -> None:
        """Free all memory and the page tables; the task must not run any more."""
        entries, self._entries, self._starts = self._entries, [], []
        self.pool.maps.pop(self, None)
        self.unwire(0, VM_MAX_ADDRESS)
        self.mapped.clear()
        self.space.destroy()
        for entry in entries:
            if isinstance(entry.memory, DeviceObject):
                entry.memory.maps.pop(self, None)
            entry.release()

    def check(self) -> None:
        before = 0
        for start, entry in zip(self._starts, self._entries, strict=True):
            assert entry.start == start >= before
            entry.check()
            before = entry.end
        for page in self.mapped:
            fault.check_page(self, page)


def _pages(address: int, size: int) -> Iterator[tuple[int, int]]:
    """A range cut at page borders: (address, octets) of each part."""
    while size > 0:
        part = min(size, PAGE_SIZE - (address & OFFSET_IN_PAGE))
        yield address, part
        address += part
        size -= part


def _rounded(address: int, size: int) -> tuple[int, int]:
    """A range rounded outward to pages.  Raises INVALID_ADDRESS: it wraps."""
    if address + size > WORD_LIMIT:
        raise KernelError(KernReturn.INVALID_ADDRESS)
    return trunc_page(address), round_page(address + size)


def _region(entry: Entry) -> Region:
    return Region(entry.start, entry.end - entry.start, entry.protection, entry.maximum, entry.inheritance,
                  entry.shared, entry.first << PAGE_SHIFT, entry.memory)
