"""Memory objects: pages, and the object they shadow.

Follows Mach 3 `vm/vm_object.c`.  A copy of an object's range is made by letting both
sides shadow it: whoever writes first gets an object of its own in front, with only the
pages it changed (symmetric copy-on-write).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE

if TYPE_CHECKING:
    from machemu.kernel.vm.page import PagePool


@final
class DeviceObject:
    """A page of device registers.  It has no contents of its own to copy."""

    __slots__ = ("bus_page",)

    def __init__(self, bus_page: int) -> None:
        self.bus_page = bus_page  # bus address >> 12


@final
class VmObject:
    """Anonymous memory: pages that exist, by page index; the rest is in `shadow` or zero.

    `references` counts map entries, copies in messages and objects that shadow this one.

    Invariants, asserted by `check`:
      - every page has a frame of its own;
      - a live object has references.
    """

    __slots__ = ("pages", "pool", "references", "shadow", "shadow_offset")

    def __init__(self, pool: PagePool, shadow: VmObject | None = None, shadow_offset: int = 0) -> None:
        self.pool = pool
        self.pages: dict[int, int] = {}  # page index -> frame
        self.references = 1
        self.shadow = shadow  # whose reference was given to this object
        self.shadow_offset = shadow_offset  # pages: index here + this = index there

    def find(self, index: int) -> tuple[int, VmObject] | None:
        """Frame and owner of a page, here or in what is shadowed; None: it is all zeros."""
        owner: VmObject | None = self
        while owner is not None:
            frame = owner.pages.get(index)
            if frame is not None:
                return frame, owner
            index += owner.shadow_offset
            owner = owner.shadow
        return None

    def writable_page(self, index: int) -> int:
        """The frame of a page of this very object, copied or zeroed if need be.

        Raises RESOURCE_SHORTAGE.
        """
        frame = self.pages.get(index)
        if frame is None:
            self.collapse()
            found = self.find(index)
            frame = self.pool.copy_of(found[0]) if found is not None else self.pool.allocate()
            self.pages[index] = frame
        return frame

    def collapse(self) -> None:
        """Absorb shadowed objects nobody else refers to: chains stay short."""
        while (below := self.shadow) is not None and below.references == 1:
            for index, frame in below.pages.items():
                here = index - self.shadow_offset
                if here in self.pages or here < 0:
                    self.pool.free(frame)
                else:
                    self.pages[here] = frame
            self.shadow, self.shadow_offset = below.shadow, self.shadow_offset + below.shadow_offset

    def flatten(self, first: int, count: int) -> None:
        """Take copies of all shadowed pages of a range, and shadow nothing any more.

        An object that several maps write to must own its pages: a map must never show
        a page that another has just copied.  Raises RESOURCE_SHORTAGE.
        """
        self.collapse()
        for index in range(first, first + count) if self.shadow is not None else ():
            if index not in self.pages and self.find(index) is not None:
                self.writable_page(index)
        below, self.shadow, self.shadow_offset = self.shadow, None, 0
        if below is not None:
            below.release()

    def forget_code(self) -> None:
        """Pages of this object become executable: their old translations are void."""
        for frame in self.pages.values():
            if self.pool.memory.held_code[frame]:
                self.pool.memory.invalidate_code(frame)

    def release(self) -> None:
        """One reference less; the last frees the pages and what was shadowed."""
        doomed: VmObject | None = self
        while doomed is not None:
            doomed.references -= 1
            if doomed.references:
                return
            for frame in doomed.pages.values():
                self.pool.free(frame)
            doomed.pages.clear()
            doomed = doomed.shadow

    def split(self, index: int) -> VmObject:
        """Move the pages from `index` on to a new object, which starts there."""
        if self.shadow is not None:
            self.shadow.references += 1
        upper = VmObject(self.pool, self.shadow, self.shadow_offset + index)
        for here in [here for here in self.pages if here >= index]:
            upper.pages[here - index] = self.pages.pop(here)
        return upper

    def read(self, start: int, size: int) -> bytes:
        """`size` octets from offset `start`; pages that do not exist are zeros."""
        parts = []
        while size:
            index, within = start >> PAGE_SHIFT, start & (PAGE_SIZE - 1)
            part = min(size, PAGE_SIZE - within)
            found = self.find(index)
            if found is None:
                parts.append(bytes(part))
            else:
                place = found[0] * PAGE_SIZE + within
                parts.append(bytes(self.pool.memory.data[place:place + part]))
            start += part
            size -= part
        return b"".join(parts)

    def check(self) -> None:
        assert self.references > 0
        assert len(set(self.pages.values())) == len(self.pages)
