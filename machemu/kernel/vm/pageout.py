"""Page-out: frames for those who need them, from pages that nobody has used for a while.

Follows Mach 3 `vm/vm_pageout.c`.  The machine keeps no reference bits that could be read,
so use shows in another way, as on Mach's machines without them: a page on the inactive
queue has no translation, and one that has got one again by the time its turn comes has
been used and stays (second chance).  Pages of objects with a manager go to that; anonymous
ones to the default manager.

Nothing here is done while there are free frames.  Then those who need one wait
(`FrameShortage`), but the default manager itself, which has a reserve: it needs memory to
make memory free.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, final

from machemu.hw.api import PAGE_SHIFT
from machemu.kernel.results import KernReturn
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from machemu.hw.api import Clock, TimerHandle
    from machemu.kernel.vm.map import VmMap
    from machemu.kernel.vm.object import VmObject
    from machemu.kernel.vm.page import PagePool
    from machemu.kernel.vm.pager import Pager, Waiter

PATIENCE_NS: Final = 10_000_000_000  # managers have so long to free a frame, or nobody waits any more
RESERVE_MAX: Final = 64  # frames for the default manager
GOAL_PART: Final = 16  # a run of the daemon frees this part of RAM
INACTIVE_PART: Final = 3  # this part of the pages is kept on the inactive queue


class Managers(Protocol):
    """The memory managers that pages can go to."""

    def has_any(self) -> bool:
        """Somebody could take pages."""

    def needs_reserve(self) -> bool:
        """There is a default manager."""

    def of(self, memory: VmObject) -> Pager | None:
        """The object's pager, made now if it is anonymous; None: nobody takes its pages."""

    def takes(self, memory: VmObject) -> bool:
        """Somebody takes its pages."""

    def is_served_first(self) -> bool:
        """It is the default manager that needs memory at this moment."""

    def untouchable(self) -> VmMap | None:
        """The default manager's own memory stays."""

    def idle_objects(self) -> Iterable[VmObject]:
        """Objects that are kept though nobody has them."""


@final
class FrameShortage(MustWait):
    """There is no free frame; RESOURCE_SHORTAGE for those who cannot wait."""

    def __init__(self, daemon: PageOut) -> None:
        super().__init__(KernReturn.RESOURCE_SHORTAGE, daemon)
        self._daemon = daemon

    def wait(self, waiter: Waiter) -> None:
        self._daemon.waiters[waiter] = None

    def cancel(self, waiter: Waiter) -> None:
        self._daemon.waiters.pop(waiter, None)


@final
class PageOut:
    """The page-out daemon of a node.

    Args:
        do_soon: run something before any thread runs again.
    """

    def __init__(self, pool: PagePool, managers: Managers, clock: Clock, do_soon: Callable[[PageOut], None]) -> None:
        self._pool = pool
        self._managers = managers
        self._clock = clock
        self._do_soon = do_soon
        self._soon = False
        self._patience: TimerHandle | None = None
        self._leaving = 0  # pages that managers have got and whose frames are not free yet, about
        self._hand: deque[tuple[VmObject, int, int]] = deque()  # object, index, frame: not yet looked at
        self._inactive: dict[tuple[VmObject, int], int] = {}  # frame; without a translation when put here
        self.waiters: dict[Waiter, None] = {}
        self.reactivations = 0

    @property
    def inactive_count(self) -> int:
        return len(self._inactive)

    # -- what the pool calls --------------------------------------------------------

    def shortage(self) -> None:
        """There is no free frame.  Gives one of the reserve, if it may.

        Raises FrameShortage: one is to be waited for.  If it returns and there is still
        none, nobody can free any.
        """
        pool = self._pool
        if pool.reserve and not self._managers.needs_reserve():
            pool.free_frames.extend(pool.reserve)
            pool.reserve.clear()
            pool.reserve_size = 0
            return
        if not self._managers.has_any():
            return
        if self._managers.is_served_first():
            if pool.reserve:
                pool.free_frames.append(pool.reserve.pop())
            self.wake()
            return
        self.wake()
        raise FrameShortage(self)

    def came_free(self) -> None:
        """A frame has come free while they were needed."""
        self._leaving = max(self._leaving - 1, 0)
        self.wake()

    def wake(self) -> None:
        """Frames are needed."""
        self._pool.starved = True
        if not self._soon:
            self._soon = True
            self._do_soon(self)

    # -- the daemon -----------------------------------------------------------------

    def run(self) -> None:
        pool = self._pool
        self._soon = False
        self._fill_reserve()
        goal = max(pool.total // GOAL_PART, 4) - self._leaving - len(pool.free_frames)
        if goal > 0 and self._managers.has_any() and not self._evict(goal):
            self._evict(goal)  # all that was on the inactive queue had left it, or was in use again
        self._fill_reserve()
        if pool.free_frames:
            self._over(None)
        elif not self._managers.has_any():
            self._over(self)
        elif self._patience is None:
            self._patience = self._clock.call_at(self._clock.now_ns + PATIENCE_NS, self._lose_patience)

    def interrupt(self) -> None:
        """No thread waits in it."""

    abandon = interrupt

    def _fill_reserve(self) -> None:
        pool = self._pool
        while pool.free_frames and len(pool.reserve) < pool.reserve_size:
            pool.reserve.append(pool.free_frames.pop())

    def _over(self, failed: object) -> None:
        """Let those who wait try again; `failed`: as `Waiter` has it."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._pool.starved = False
        waiters, self.waiters = self.waiters, {}
        for waiter in waiters:
            waiter.memory_came(failed)

    def _lose_patience(self) -> None:
        """No manager has freed a frame: those who wait get RESOURCE_SHORTAGE."""
        self._patience = None
        self._leaving = 0
        self._over(None if self._pool.free_frames else self)

    def _evict(self, goal: int) -> int:
        """Page out up to `goal` pages that have not been used since they became inactive; how many."""
        self._deactivate(goal)
        in_use = self._mapped_frames()
        victims: dict[VmObject, list[int]] = {}
        count = 0
        for (memory, index), frame in list(self._inactive.items()):
            if count == goal:
                break
            del self._inactive[memory, index]
            if memory.pages.get(index) != frame or memory.wired or frame in self._pool.pins:
                continue  # it has left, or may not
            if frame in in_use:
                self.reactivations += 1
                continue
            victims.setdefault(memory, []).append(index)
            count += 1
        self._leaving += count
        for memory, indices in victims.items():
            pager = self._managers.of(memory)
            if pager is not None:
                pager.page_out(indices)
        return count

    def _mapped_frames(self) -> set[int]:
        return {place >> PAGE_SHIFT for memory_map in self._pool.maps
                for place in memory_map.space.readable.values()}

    def _deactivate(self, goal: int) -> None:
        """Fill the inactive queue, at least with as many pages as are to go."""
        wanted = max(goal * 2, self._pool.pages // INACTIVE_PART) - len(self._inactive)
        began_anew = False
        while wanted > 0:
            if not self._hand:
                if began_anew:
                    return
                began_anew = True
                self._hand.extend(self._all_pages())
                continue
            memory, index, frame = self._hand.popleft()
            if memory.pages.get(index) == frame and (memory, index) not in self._inactive:
                memory.unmap(index, 1)
                self._inactive[memory, index] = frame
                wanted -= 1

    def _all_pages(self) -> list[tuple[VmObject, int, int]]:
        """Every page that could go, those of an object in the order they came."""
        objects: dict[VmObject, None] = dict.fromkeys(self._managers.idle_objects())
        kept = self._managers.untouchable()
        for memory_map in self._pool.maps:
            if memory_map is not kept:
                objects.update(dict.fromkeys(memory_map.objects()))
        if kept is not None:
            for memory in kept.objects():
                objects.pop(memory, None)
        return [(memory, index, frame) for memory in objects if self._managers.takes(memory)
                for index, frame in memory.pages.items()]
