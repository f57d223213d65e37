"""Entries of an address map: one range, one object, one set of attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from machemu.hw.api import PAGE_SHIFT
from machemu.kernel.vm.object import DeviceObject, VmObject

# VM_PROT_ and VM_INHERIT_ (mach-abi.md 4.6)
PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXECUTE: Final = 4
PROT_DEFAULT: Final = PROT_READ | PROT_WRITE
PROT_ALL: Final = 7
INHERIT_SHARE: Final = 0
INHERIT_COPY: Final = 1
INHERIT_NONE: Final = 2


@dataclass(slots=True)
class Entry:
    """A range of an address map.  `start` and `end` are multiples of the page size.

    `memory` is None until the first fault of anonymous memory.  With `needs_copy` the
    object is shared with copies: it must be shadowed before a write.
    """

    start: int
    end: int
    memory: VmObject | DeviceObject | None = None
    first: int = 0  # page index of `start` in the object
    protection: int = PROT_DEFAULT
    maximum: int = PROT_ALL
    inheritance: int = INHERIT_COPY
    needs_copy: bool = False
    shared: bool = False  # the object is another entry's too, and writes are seen there

    @property
    def pages(self) -> int:
        return (self.end - self.start) >> PAGE_SHIFT

    def index_of(self, page: int) -> int:
        """Page index in the object of virtual page number `page`."""
        return self.first + page - (self.start >> PAGE_SHIFT)

    def split(self, at: int) -> Entry:
        """Cut this entry at address `at`; the upper part."""
        upper = Entry(at, self.end, self.memory, self.index_of(at >> PAGE_SHIFT), self.protection,
                      self.maximum, self.inheritance, self.needs_copy, self.shared)
        memory = self.memory
        if isinstance(memory, VmObject):
            if memory.references == 1 and memory.pager is None and not memory.copies_a_pager:
                # An object of its own for each part, so that each can be freed on its own.
                upper.memory, upper.first = memory.split(upper.first), 0
            else:
                memory.references += 1
        self.end = at
        return upper

    def release(self) -> None:
        """Drop the reference to the object."""
        if isinstance(self.memory, VmObject):
            self.memory.release()

    def check(self) -> None:
        assert self.start < self.end
        assert self.start % (1 << PAGE_SHIFT) == self.end % (1 << PAGE_SHIFT) == 0
        if isinstance(self.memory, VmObject):
            self.memory.check()


@dataclass(frozen=True, slots=True)
class Region:
    """What `vm_region` tells of an entry; `offset` in octets."""

    start: int
    size: int
    protection: int
    max_protection: int
    inheritance: int
    shared: bool
    offset: int
    memory: VmObject | DeviceObject | None
