"""Pagers: what the kernel knows of an object whose pages a memory manager supplies.

Rules: mach-abi.md 8.2 to 8.4.  Follows Mach 3 `vm/memory_object.c`.  How a manager is
spoken to is the business of its `Source` (`rpc/memory_object.py`); nothing here waits:
what needs a page that is not there raises `PageAbsent`, and whoever can wait does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, final

from machemu.hw.api import PAGE_SHIFT
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.vm.copy import Piece, VmCopy
from machemu.kernel.vm.object import VmObject

if TYPE_CHECKING:
    from collections.abc import Iterable

PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_NO_CHANGE: Final = 8  # lock value: leave the lock as it is
COPY_NONE, COPY_CALL, COPY_DELAY, COPY_TEMPORARY = range(4)  # MEMORY_OBJECT_COPY_
RETURN_NONE, RETURN_DIRTY, RETURN_ALL = range(3)  # MEMORY_OBJECT_RETURN_
BATCH_PAGES: Final = 32  # most pages of one data_return
READY: Final = -1  # in place of a page's index: the object itself is waited for


class Waiter(Protocol):
    """Who waits for a page."""

    def memory_came(self, failed: object) -> None:
        """Try again; `failed`: None, or the `key` of what will not come."""


class MustWait(KernelError, ABC):
    """What was asked cannot be done now, and nothing has been done.

    Whoever can wait catches this before KernelError, and later tries again; for others
    it is the error `code`.  `rest` is what is left of a trap when part of it has been done,
    and `otherwise` the trap's result if the wait is in vain.
    """

    def __init__(self, code: int, key: object) -> None:
        super().__init__(code)
        self.key = key  # equal for two waits for one thing
        self.rest: Callable[[], int | None] | None = None
        self.otherwise = code

    @abstractmethod
    def wait(self, waiter: Waiter) -> None:
        """Tell `waiter` when it may try again."""

    @abstractmethod
    def cancel(self, waiter: Waiter) -> None:
        """`waiter` does not wait any more."""


@final
class PageAbsent(MustWait):
    """A page, or an access to it, that the pager must be asked for; MEMORY_ERROR otherwise."""

    def __init__(self, pager: Pager, index: int, access: int) -> None:
        super().__init__(KernReturn.MEMORY_ERROR, (pager, index))
        self._pager = pager
        self._index = index
        self._access = access

    def wait(self, waiter: Waiter) -> None:
        self._pager.ask(self._index, self._access, waiter)

    def cancel(self, waiter: Waiter) -> None:
        self._pager.forget(self._index, waiter)


class Source(Protocol):
    """A memory manager.  Offsets are page indices of the object."""

    def request(self, index: int, access: int) -> None:
        """Ask for a page."""

    def unlock(self, index: int, access: int) -> None:
        """Ask for more access to a page that is here."""

    def give_back(self, index: int, data: VmCopy, *, dirty: bool, kept: bool) -> None:
        """Return pages; `kept`: the kernel still has them."""

    def unreferenced(self) -> bool:
        """Nobody has the object any more.  True: it is kept for the next to come."""


@final
class Asked:
    """What has been asked of the manager for one page, and who waits for it."""

    __slots__ = ("access", "requested", "unlocks", "waiters")

    def __init__(self) -> None:
        self.waiters: dict[Waiter, None] = {}
        self.access = 0  # of the waiters
        self.requested = False
        self.unlocks = 0  # access asked for


@final
class Pager:
    """The pages of `memory` as its manager knows them.

    Args:
        internal: anonymous memory, of which the manager has only what was `stored`.

    Invariants, asserted by `check`:
      - locks, precious and clean pages are in memory;
      - a page that was asked for is not in memory, unless more access to it was.
    """

    __slots__ = ("asked", "clean", "copies", "internal", "locks", "lost", "may_cache", "memory", "precious",
                 "ready", "source", "stored", "strategy", "unavailable")

    def __init__(self, memory: VmObject, source: Source, *, internal: bool = False) -> None:
        self.memory = memory
        self.source = source
        self.internal = internal
        self.ready = internal
        self.may_cache = False
        self.strategy = COPY_DELAY if internal else COPY_NONE
        self.lost = False  # the manager has died, or has destroyed the object
        self.stored: set[int] = set()
        self.unavailable: set[int] = set()  # the manager does not have them
        self.locks: dict[int, int] = {}  # access that is forbidden
        self.precious: set[int] = set()
        self.clean: set[int] = set()  # unchanged since the manager supplied or got them
        self.asked: dict[int, Asked] = {}
        self.copies: dict[VmObject, None] = {}  # that must not see what is written from now on

    # -- faults ------------------------------------------------------------------

    def holds(self, index: int) -> bool:
        """The manager has a page that is not in memory, as far as is known."""
        return index in self.stored if self.internal else index not in self.unavailable

    def need(self, index: int, access: int) -> None:
        """A page that is not in memory is wanted; returns if it is not the manager's.

        Raises PageAbsent; MEMORY_ERROR: it will never come.
        """
        if self.holds(index):
            if self.lost:
                raise KernelError(KernReturn.MEMORY_ERROR)
            raise PageAbsent(self, index, access)

    def need_all(self, first: int, count: int, found: set[int]) -> None:
        """As `need`, for every page of a range that is not `found`.

        The range can be far larger than memory: what ends the loop is a page that is missing.
        """
        wanted = (index for index in sorted(self.stored) if first <= index < first + count) if self.internal \
            else range(first, first + count)
        for index in wanted:
            if index not in found:
                self.need(index, PROT_READ)

    def allow(self, index: int, access: int) -> None:
        """A page in memory is wanted.  Raises PageAbsent: the manager must unlock it;
        MEMORY_ERROR: it cannot any more."""
        if self.locks.get(index, 0) & access:
            if self.lost:
                raise KernelError(KernReturn.MEMORY_ERROR)
            raise PageAbsent(self, index, access)

    def writable_page(self, index: int) -> int:
        """The frame of a page of `memory` that is about to be written.

        Raises as `need` and `allow` do; RESOURCE_SHORTAGE.
        """
        memory = self.memory
        frame = memory.pages.get(index)
        if frame is None:
            self.need(index, PROT_WRITE)
            frame = memory.new_page(index)
        self.allow(index, PROT_WRITE)
        self._push(index, frame)
        self.clean.discard(index)
        return frame

    def _push(self, index: int, frame: int) -> None:
        """Give the copies their own page before this one changes.  Raises RESOURCE_SHORTAGE."""
        for copy in self.copies:
            there = index - copy.shadow_offset
            out = copy.pager is not None and copy.pager.holds(there)  # it has its own, with its manager
            if there >= 0 and there not in copy.pages and not out:
                copy.pages[there] = self.memory.pool.copy_of(frame)
                copy.unmap(there, 1)

    def snapshot(self, first: int, count: int) -> VmObject:
        """A new object with the pages of a range as they are now, the first at index 0.

        Raises PageAbsent: not ready, or a strategy by which all of it is read at once.
        """
        self.reach_snapshot(first, count)
        if self.strategy in (COPY_NONE, COPY_CALL):
            return self.memory.copied(first, count)
        self.memory.unmap(first, count)  # so that every later write faults
        self.memory.references += 1
        copy = VmObject(self.memory.pool, self.memory, first)
        self.copies[copy] = None
        return copy

    def reach_snapshot(self, first: int, count: int) -> None:
        """Raises what `snapshot` would."""
        if not self.ready:
            if self.lost:
                raise KernelError(KernReturn.MEMORY_ERROR)
            raise PageAbsent(self, READY, PROT_READ)
        if self.strategy in (COPY_NONE, COPY_CALL):
            self.memory.visible(first, count)

    # -- who waits ---------------------------------------------------------------

    def ask(self, index: int, access: int, waiter: Waiter) -> None:
        asked = self.asked.get(index)
        if asked is None:
            asked = self.asked[index] = Asked()
        asked.waiters[waiter] = None
        asked.access |= access
        if self.ready:
            self._ask(index, asked)

    def _ask(self, index: int, asked: Asked) -> None:
        if index not in self.memory.pages:
            if not asked.requested:
                asked.requested = True
                self.source.request(index, asked.access)
        elif asked.access & ~asked.unlocks:
            asked.unlocks |= asked.access
            self.source.unlock(index, asked.access)

    def forget(self, index: int, waiter: Waiter) -> None:
        asked = self.asked.get(index)
        if asked is not None:
            asked.waiters.pop(waiter, None)

    def _wake(self, index: int, *, failed: bool = False) -> None:
        asked = self.asked.pop(index, None)
        if asked is not None:
            for waiter in list(asked.waiters):
                waiter.memory_came((self, index) if failed else None)

    # -- what the manager says -----------------------------------------------------

    def become_ready(self, may_cache: bool, strategy: int) -> None:
        """`memory_object_ready`, and every later change of attributes."""
        self.may_cache, self.strategy, self.ready = may_cache, strategy, True
        self._wake(READY)
        for index, asked in list(self.asked.items()):
            self._ask(index, asked)

    def supply(self, index: int, frame: int, lock: int, *, precious: bool) -> None:
        """A page that is not in memory arrives."""
        self.memory.pages[index] = frame
        self.unavailable.discard(index)
        self.clean.add(index)
        if lock:
            self.locks[index] = lock
        if precious:
            self.precious.add(index)
        self._wake(index)

    def is_unavailable(self, first: int, count: int) -> None:
        """The manager has no such pages: of those asked for, zeros or what is shadowed."""
        for index in self._waited_for(first, count):
            self.unavailable.add(index)
            self.stored.discard(index)
            self._wake(index)

    def has_failed(self, first: int, count: int) -> None:
        """`data_error`: those who wait for such pages get MEMORY_ERROR."""
        for index in self._waited_for(first, count):
            self._wake(index, failed=True)

    def _waited_for(self, first: int, count: int) -> list[int]:
        return [index for index, asked in self.asked.items()
                if first <= index < first + count and asked.requested]

    def lock(self, first: int, count: int, returned: int, flush: bool, lock: int) -> None:
        """`lock_request` on the pages of a range that are in memory.

        Raises RESOURCE_SHORTAGE, with nothing done: pages to return and to keep are copied.
        """
        memory = self.memory
        present = sorted(index for index in memory.pages if first <= index < first + count)
        back = [index for index in present if returned == RETURN_ALL
                or (returned == RETURN_DIRTY and (index not in self.clean or index in self.precious))]
        flush = flush and not memory.wired
        if flush:
            memory.unmap(first, count)
        batches = [(batch, self._batch(batch, keep=not flush)) for batch in self._batches(back)]
        memory.unmap(first, count)
        if lock != PROT_NO_CHANGE:
            for index in present:
                self.locks.pop(index, None)
                if lock:
                    self.locks[index] = lock
        for batch, data in batches:
            self.source.give_back(batch[0], data, dirty=batch[0] not in self.clean, kept=not flush)
            self._returned(batch)
        if flush:
            for index in present:
                self.drop(index)
        for index in present:
            self._wake(index)

    def _returned(self, batch: list[int]) -> None:
        self.clean.update(batch)
        self.precious.difference_update(batch)

    def _batches(self, indices: list[int]) -> list[list[int]]:
        """Runs of pages that go in one message: adjacent, all changed or all not."""
        batches: list[list[int]] = []
        for index in indices:
            last = batches[-1] if batches else None
            if (last is not None and last[-1] + 1 == index and len(last) < BATCH_PAGES
                    and (index in self.clean) == (last[-1] in self.clean)):
                last.append(index)
            else:
                batches.append([index])
        return batches

    def _batch(self, batch: list[int], *, keep: bool) -> VmCopy:
        """The pages of a batch as a region of a message: their frames, or copies of them."""
        memory = self.memory
        region = VmObject(memory.pool)
        try:
            for index in batch:
                frame = memory.pages[index]
                region.pages[index - batch[0]] = memory.pool.copy_of(frame) if keep else frame
        except KernelError:
            region.release()
            raise
        if not keep:
            for index in batch:
                del memory.pages[index]
        return VmCopy(0, len(batch) << PAGE_SHIFT, [Piece(region, 0, len(batch), sole=True)])

    # -- pages leave ---------------------------------------------------------------

    def drop(self, index: int) -> None:
        """Forget a page of memory, if it is still here; nobody has it mapped."""
        frame = self.memory.pages.pop(index, None)
        if frame is not None:
            self.memory.pool.free(frame)
        self.clean.discard(index)
        self.precious.discard(index)
        self.locks.pop(index, None)
        if not self.internal:
            self.unavailable.discard(index)

    def page_out(self, indices: Iterable[int]) -> None:
        """Return pages, which nobody has mapped, to the manager; clean ones are only forgotten."""
        wanted = sorted(indices)
        back = [index for index in wanted if index not in self.clean or index in self.precious]
        for batch in self._batches(back):
            dirty = batch[0] not in self.clean
            data = self._batch(batch, keep=False)
            self.stored.update(batch)
            self.source.give_back(batch[0], data, dirty=dirty, kept=False)
        for index in wanted:
            self.drop(index)

    def last_return(self) -> None:
        """The object ends: its changed pages go to the manager, unless it keeps them for nobody."""
        if self.ready and not self.lost and not self.internal and self.strategy != COPY_TEMPORARY:
            self.page_out(list(self.memory.pages))

    def lose(self) -> None:
        """The manager is no more: what is in memory stays, the rest never comes."""
        self.lost = True
        for index in list(self.asked):
            self._wake(index, failed=True)

    def check(self) -> None:
        pages = self.memory.pages.keys()
        assert self.locks.keys() <= pages
        assert self.precious <= pages
        assert self.clean <= pages
        for index, asked in self.asked.items():
            assert index not in pages or not asked.requested
        for copy in self.copies:
            assert copy.shadow is self.memory
