"""Wirings: pages that a device reaches, which stay where they are until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.vm import fault
from machemu.kernel.vm.copy import OFFSET_IN_PAGE
from machemu.kernel.vm.entry import PROT_DEFAULT, PROT_READ, PROT_WRITE
from machemu.kernel.vm.object import DeviceObject, VmObject

if TYPE_CHECKING:
    from machemu.kernel.vm.map import VmMap
    from machemu.kernel.vm.page import PagePool


@final
class Wiring:
    """Frames of one range, in order, with a reference to each object they belong to.

    What is wired is copied at once when its map is copied: no copy-on-write may move a
    page from under a device.
    """

    def __init__(self, pool: PagePool) -> None:
        self._pool = pool
        self._held: list[VmObject] = []
        self.frames: tuple[int, ...] = ()

    def add(self, memory: VmObject, frames: list[int]) -> None:
        memory.references += 1
        memory.wired += 1
        self._held.append(memory)
        self.frames += tuple(frames)
        for frame in frames:
            self._pool.pin(frame)

    def release(self) -> None:
        """The device has forgotten the frames."""
        frames, self.frames = self.frames, ()
        held, self._held = self._held, []
        for frame in frames:
            self._pool.unpin(frame)
        for memory in held:
            memory.wired -= 1
            memory.release()


def wire(memory_map: VmMap, address: int, size: int, *, writable: bool) -> Wiring:
    """Pin the pages of a range.

    Raises INVALID_ARGUMENT (not whole pages, or registers of a device), INVALID_ADDRESS,
    PROTECTION_FAILURE, RESOURCE_SHORTAGE; nothing is pinned then.
    """
    if (address | size) & OFFSET_IN_PAGE or size == 0:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    for entry in memory_map.check_range(address, size, PROT_DEFAULT if writable else PROT_READ):
        if isinstance(entry.memory, DeviceObject):
            raise KernelError(KernReturn.INVALID_ARGUMENT)
    wiring = Wiring(memory_map.pool)
    wanted = PROT_WRITE if writable else PROT_READ
    try:
        for entry in memory_map.clip(address, address + size):
            frames = []
            for page in range(entry.start >> PAGE_SHIFT, entry.end >> PAGE_SHIFT):
                frames.append(fault.own(memory_map, entry, page))
                fault.fault(memory_map, page << PAGE_SHIFT, wanted)
            assert isinstance(entry.memory, VmObject)
            wiring.add(entry.memory, frames)
    except KernelError:
        wiring.release()
        raise
    return wiring


def wire_pages(memory_map: VmMap, address: int, size: int, access: int) -> None:
    """Keep the pages of a range, rounded outward, in memory; those that are wired already stay so.

    Raises INVALID_ADDRESS, PROTECTION_FAILURE, INVALID_ARGUMENT (registers of a device),
    RESOURCE_SHORTAGE, PageAbsent; nothing more is wired then.
    """
    first, last = address >> PAGE_SHIFT, (address + size + OFFSET_IN_PAGE) >> PAGE_SHIFT
    memory_map.check_range(first << PAGE_SHIFT, last - first << PAGE_SHIFT, access)
    if not memory_map.pool.could_hold(size):
        raise KernelError(KernReturn.RESOURCE_SHORTAGE)
    new: dict[int, Wiring] = {}
    try:
        for page in range(first, last):
            if page not in memory_map.wired:
                new[page] = wire(memory_map, page << PAGE_SHIFT, PAGE_SIZE, writable=bool(access & PROT_WRITE))
    except KernelError:
        for wiring in new.values():
            wiring.release()
        raise
    memory_map.wired.update(new)

