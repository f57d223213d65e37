"""Memory objects: pages, and the object they shadow.

Follows Mach 3 `vm/vm_object.c`.  A copy of an object's range is made by letting both
sides shadow it: whoever writes first gets an object of its own in front, with only the
pages it changed (symmetric copy-on-write).  So an object that is shadowed never changes
where a shadow can see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.kernel.results import KernelError

if TYPE_CHECKING:
    from machemu.kernel.vm.map import VmMap
    from machemu.kernel.vm.page import PagePool
    from machemu.kernel.vm.pager import Pager

PROT_READ: Final = 1


@final
class DeviceObject:
    """One page of device registers.  It has no contents of its own to copy.

    `maps` are those in which the guest has reached the page.
    """

    __slots__ = ("bus_page", "maps", "revoked")

    def __init__(self, bus_page: int) -> None:
        self.bus_page = bus_page  # bus address >> 12
        self.maps: dict[VmMap, None] = {}
        self.revoked = False

    def revoke(self) -> None:
        """The device has been closed: nobody may touch its registers through this object."""
        self.revoked = True
        for memory_map in list(self.maps):
            memory_map.forget_device(self)


@final
class VmObject:
    """Memory: pages that exist, by page index; the rest is with the `pager`, in `shadow` or zero.

    `references` counts map entries, copies in messages, wirings and objects that shadow
    this one.

    Invariants, asserted by `check`:
      - every page has a frame of its own;
      - a live object has references, and one more than its wirings at least if it is wired.
    """

    __slots__ = ("pager", "pages", "pool", "references", "shadow", "shadow_offset", "wired")

    def __init__(self, pool: PagePool, shadow: VmObject | None = None, shadow_offset: int = 0) -> None:
        self.pool = pool
        self.pages: dict[int, int] = {}  # page index -> frame
        self.pager: Pager | None = None
        self.references = 1
        self.shadow = shadow  # whose reference was given to this object
        self.shadow_offset = shadow_offset  # pages: index here + this = index there
        self.wired = 0  # wirings: a device reaches pages of it, so they stay where they are

    def find(self, index: int, access: int = PROT_READ) -> tuple[int, VmObject, int] | None:
        """Frame, owner and the owner's index of a page, here or in what is shadowed; None: it
        is all zeros.

        Raises PageAbsent, MEMORY_ERROR: a pager has it.
        """
        owner: VmObject | None = self
        while owner is not None:
            frame = owner.pages.get(index)
            if owner.pager is not None:
                if frame is None:
                    owner.pager.need(index, access)
                else:
                    owner.pager.allow(index, access)
            if frame is not None:
                return frame, owner, index
            index += owner.shadow_offset
            owner = owner.shadow
        return None

    def resident(self, index: int) -> int | None:
        """The frame of a page as `find` has it, or None: it is zeros or not in memory."""
        owner: VmObject | None = self
        while owner is not None:
            frame = owner.pages.get(index)
            if frame is not None or (owner.pager is not None and owner.pager.holds(index)):
                return frame
            index += owner.shadow_offset
            owner = owner.shadow
        return None

    def visible(self, first: int, count: int) -> dict[int, int]:
        """Index -> frame of the pages of a range that exist, here or in what is shadowed.

        Raises PageAbsent, MEMORY_ERROR: a pager has some of them.
        """
        found: dict[int, int] = {}
        owner: VmObject | None = self
        shift = 0  # index here + shift = index in `owner`
        while owner is not None:
            if count < len(owner.pages):
                for index in range(first, first + count):
                    frame = owner.pages.get(index + shift)
                    if frame is not None:
                        found.setdefault(index, frame)
            else:
                for there, frame in owner.pages.items():
                    if first <= there - shift < first + count:
                        found.setdefault(there - shift, frame)
            if owner.pager is not None:
                owner.pager.need_all(first + shift, count, {index + shift for index in found})
            shift += owner.shadow_offset
            owner = owner.shadow
        return found

    def writable_page(self, index: int) -> int:
        """The frame of a page of this very object, copied or zeroed if need be.

        Raises RESOURCE_SHORTAGE, PageAbsent, MEMORY_ERROR.
        """
        if self.pager is not None:
            return self.pager.writable_page(index)
        frame = self.pages.get(index)
        if frame is None:
            if self.shadow is not None:
                return self.new_page(index)
            frame = self.pages[index] = self.pool.allocate()
        return frame

    def new_page(self, index: int) -> int:
        """The frame of a page that is neither here nor with the pager: copied or zeroed.

        Raises as `writable_page` does.
        """
        self.collapse()
        found = None
        if self.shadow is not None:
            found = self.shadow.find(index + self.shadow_offset)
        if index in self.pages:  # it was absorbed
            return self.pages[index]
        if found is None:
            frame = self.pool.allocate()
        else:
            frame = self.pool.copy_of(found[0])
            self.pool.cow_faults += 1
        self.pages[index] = frame
        return frame

    def collapse(self) -> None:
        """Shorten the chain: absorb objects that only one other shadows, and step over
        those that have no pages.

        All of the chain, not only its head: a task that sends the same memory again and
        again always has a second reference on what its newest object shadows.
        """
        upper = self
        while (below := upper.shadow) is not None:
            if upper.pager is not None or below.pager is not None or below.copies_a_pager:
                upper = below  # what is with a pager stays where the pager knows it
            elif below.references == 1:
                upper._absorb(below)
            elif not below.pages:
                upper.shadow, upper.shadow_offset = below.shadow, upper.shadow_offset + below.shadow_offset
                if below.shadow is not None:
                    below.shadow.references += 1
                below.references -= 1
            else:
                upper = below

    @property
    def copies_a_pager(self) -> bool:
        """The pages of what this shadows are copied here before they change."""
        return self.shadow is not None and self.shadow.pager is not None and self in self.shadow.pager.copies

    def _leave_copies(self) -> None:
        """What this shadows need not care any more what is copied here."""
        if self.shadow is not None and self.shadow.pager is not None:
            self.shadow.pager.copies.pop(self, None)

    def _absorb(self, below: VmObject) -> None:
        """Take over the pages and the shadow of `below`, which nobody else refers to."""
        for index, frame in below.pages.items():
            here = index - self.shadow_offset
            if here in self.pages or here < 0:
                self.pool.free(frame)
            else:
                self.pages[here] = frame
        below.pages.clear()  # page-out may still have it on its queues
        self.shadow, self.shadow_offset = below.shadow, self.shadow_offset + below.shadow_offset

    def flatten(self, first: int, count: int) -> None:
        """Take copies of all shadowed pages of a range, and shadow nothing any more.

        An object that several maps write to must own its pages: a map must never show
        a page that another has just copied.  Raises RESOURCE_SHORTAGE.
        """
        self.collapse()
        if self.shadow is None:
            return
        for index, frame in self.visible(first, count).items():
            if index not in self.pages:
                self.pages[index] = self.pool.copy_of(frame)
        self._leave_copies()
        below, self.shadow, self.shadow_offset = self.shadow, None, 0
        below.release()

    def copied(self, first: int, count: int) -> VmObject:
        """A new object with copies of the pages of a range, the first at index 0.

        Raises RESOURCE_SHORTAGE.
        """
        new = VmObject(self.pool)
        try:
            for index, frame in self.visible(first, count).items():
                new.pages[index - first] = self.pool.copy_of(frame)
        except KernelError:
            new.release()
            raise
        return new

    def forget_code(self, first: int, count: int) -> None:
        """Pages of a range become executable: their old translations are void."""
        owner: VmObject | None = self
        while owner is not None:
            for index, frame in owner.pages.items():
                if first <= index < first + count:
                    self.pool.code_changed(frame)
            first += owner.shadow_offset
            owner = owner.shadow

    def distance_below(self, upper: VmObject) -> int | None:
        """Pages to add to an index in `upper` for this object, which it is or shadows; None:
        it does not."""
        shift = 0
        while upper is not self:
            shift += upper.shadow_offset
            if upper.shadow is None:
                return None
            upper = upper.shadow
        return shift

    def unmap(self, first: int, count: int) -> None:
        """Nobody can reach the pages of a range any more without a fault."""
        for memory_map in self.pool.maps:
            memory_map.forget_pages(self, first, count)

    def release(self) -> None:
        """One reference less; the last frees the pages and what was shadowed."""
        doomed: VmObject | None = self
        while doomed is not None:
            doomed.references -= 1
            if doomed.references or (doomed.pager is not None and doomed.pager.source.unreferenced()):
                return
            doomed._leave_copies()
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

    def read(self, start: int, size: int, *, resident: bool = False) -> bytes:
        """`size` octets from offset `start`; pages that do not exist are zeros.

        Args:
            resident: show zeros in place of pages that a pager has.
        Raises PageAbsent, MEMORY_ERROR.
        """
        parts = []
        while size:
            index, within = start >> PAGE_SHIFT, start & (PAGE_SIZE - 1)
            part = min(size, PAGE_SIZE - within)
            if resident:
                frame = self.resident(index)
            else:
                found = self.find(index)
                frame = None if found is None else found[0]
            if frame is None:
                parts.append(bytes(part))
            else:
                place = frame * PAGE_SIZE + within
                parts.append(bytes(self.pool.memory.data[place:place + part]))
            start += part
            size -= part
        return b"".join(parts)

    def check(self) -> None:
        assert self.references > 0
        self.check_pages()

    def check_pages(self) -> None:
        assert not self.wired or self.references >= self.wired
        assert len(set(self.pages.values())) == len(self.pages)
        if self.pager is not None:
            self.pager.check()
