"""Page frames: who has them, and that none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.kernel.results import KernelError, KernReturn

if TYPE_CHECKING:
    from machemu.hw.api import Memory
    from machemu.kernel.vm.map import VmMap
    from machemu.kernel.vm.pageout import PageOut

ZEROS: Final = bytes(PAGE_SIZE)


@final
class PagePool:
    """The free frames of a node's RAM.  Frame 0 is never given out.

    Invariants, asserted by `check`:
      - every frame is free, a page of memory or a page table;
      - `pages` + `tables` frames are in use;
      - a pinned frame is not free.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._ram = memory.data
        self._held_code = memory.held_code
        self.total = memory.frames - 1
        self.reserve: list[int] = []  # frames for the default memory manager only
        self.reserve_size = 0
        self.pageout: PageOut | None = None  # what frees frames, if anybody
        self.starved = False  # it has been asked to
        self.pages = 0  # frames that hold memory of tasks
        self.tables = 0  # frames that hold page tables
        self.pins: dict[int, int] = {}  # frame -> how many windows of devices reach it
        self.maps: dict[VmMap, None] = {}  # all that live
        self.managed = 0  # objects with a pager
        self.pageins = 0  # pages that pagers supplied
        self.pageouts = 0  # pages that were returned to them
        self.zero_fills = 0
        self.cow_faults = 0  # pages copied because someone wrote to a shared copy
        self._free = list(range(memory.frames - 1, 0, -1))  # low frames first

    @property
    def free_count(self) -> int:
        return len(self._free)

    @property
    def used(self) -> int:
        return self.pages + self.tables

    def could_hold(self, octets: int) -> bool:
        """Untouched memory takes no frames: a guest can offer to copy more than RAM holds."""
        return octets <= self.total << PAGE_SHIFT

    def allocate(self) -> int:
        """A frame of zeros.  Raises RESOURCE_SHORTAGE."""
        frame = self.allocate_raw()
        start = frame << PAGE_SHIFT
        self._ram[start:start + PAGE_SIZE] = ZEROS
        self.zero_fills += 1
        return frame

    def allocate_raw(self) -> int:
        """A frame whose contents the caller overwrites whole.  Raises RESOURCE_SHORTAGE."""
        if not self._free:
            self._find_one()
        frame = self._free.pop()
        self.pages += 1
        if self._held_code[frame]:
            self.memory.invalidate_code(frame)
        return frame

    def _find_one(self) -> None:
        """Raises RESOURCE_SHORTAGE, or FrameShortage if it is worth waiting."""
        if self.pageout is not None:
            self.pageout.shortage()
        if not self._free:
            raise KernelError(KernReturn.RESOURCE_SHORTAGE)

    @property
    def free_frames(self) -> list[int]:
        """For page-out."""
        return self._free

    def code_changed(self, frame: int) -> None:
        """The contents of a frame that may be executed change: forget its translations."""
        if self.memory.held_code[frame]:
            self.memory.invalidate_code(frame)
            self.memory.held_code[frame] = 1  # it may still be mapped, and executed again

    def copy_of(self, frame: int) -> int:
        """A new frame with the contents of `frame`.  Raises RESOURCE_SHORTAGE."""
        new = self.allocate_raw()
        data, source, target = self.memory.data, frame * PAGE_SIZE, new * PAGE_SIZE
        data[target:target + PAGE_SIZE] = data[source:source + PAGE_SIZE]
        return new

    def free(self, frame: int) -> None:
        self.pages -= 1
        self._free.append(frame)
        if self.starved:
            self._came_free()

    def _came_free(self) -> None:
        assert self.pageout is not None
        self.pageout.came_free()

    def allocate_table(self) -> int:
        """A frame of zeros for a page table.  Raises RESOURCE_SHORTAGE."""
        frame = self.allocate()
        self.pages -= 1
        self.tables += 1
        return frame

    def free_table(self, frame: int) -> None:
        self.tables -= 1
        self._free.append(frame)
        if self.starved:
            self._came_free()

    def pin(self, frame: int) -> None:
        self.pins[frame] = self.pins.get(frame, 0) + 1

    def unpin(self, frame: int) -> None:
        left = self.pins.pop(frame) - 1
        if left:
            self.pins[frame] = left

    def check(self) -> None:
        spare = self._free + self.reserve
        assert self.used + len(spare) == self.total, "a frame is lost or free twice"
        free = set(spare)
        assert len(free) == len(spare), "a frame is free twice"
        assert free.isdisjoint(self.pins), "a frame that a device reaches is free"
        assert self.pages >= 0
        assert self.tables >= 0
