"""Page faults: from an address to a page the guest can use.  Follows Mach 3 `vm/vm_fault.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machemu.hw.api import PAGE_SHIFT
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.vm.entry import PROT_EXECUTE, PROT_WRITE, Entry
from machemu.kernel.vm.object import DeviceObject, VmObject

if TYPE_CHECKING:
    from machemu.kernel.vm.map import VmMap


def fault(memory_map: VmMap, address: int, access: int) -> None:
    """Give the guest the access it was refused, if its map allows it.

    Raises INVALID_ADDRESS, PROTECTION_FAILURE, RESOURCE_SHORTAGE, MEMORY_ERROR (the device
    has been closed, or the pager failed), PageAbsent.
    """
    entry = memory_map.entry_at(address)
    if entry is None:
        raise KernelError(KernReturn.INVALID_ADDRESS)
    allowed = entry.protection
    if access & ~allowed:
        raise KernelError(KernReturn.PROTECTION_FAILURE)
    memory_map.faults += 1
    page = address >> PAGE_SHIFT
    memory = entry.memory
    if isinstance(memory, DeviceObject):
        if access & PROT_EXECUTE:
            raise KernelError(KernReturn.PROTECTION_FAILURE)
        _map_registers(memory_map, memory, page, memory.bus_page + entry.index_of(page), allowed)
        return
    if access & PROT_WRITE:
        frame = own(memory_map, entry, page)
        memory = entry.memory
        if memory.pager is not None:  # type: ignore[union-attr]  # `own` leaves an object
            allowed &= ~memory.pager.locks.get(entry.index_of(page), 0)  # type: ignore[union-attr]
    else:
        frame, withheld = _page_to_read(memory_map, entry, page, access)
        allowed &= ~withheld
    memory_map.space.map(page, frame, allowed)
    memory_map.mapped.add(page)


def _map_registers(memory_map: VmMap, device: DeviceObject, page: int, bus_page: int, allowed: int) -> None:
    if device.revoked:
        raise KernelError(KernReturn.MEMORY_ERROR)
    device.maps[memory_map] = None
    memory_map.space.map_device(page, bus_page, allowed)
    memory_map.mapped.add(page)


def own(memory_map: VmMap, entry: Entry, page: int) -> int:
    """The frame of a page that this entry may write."""
    if entry.needs_copy or entry.memory is None:
        own_object(memory_map, entry)
    memory = entry.memory
    assert isinstance(memory, VmObject)
    index = entry.index_of(page)
    if memory.shadow is not None and index not in memory.pages:
        memory_map.copy_faults += 1
    pool = memory_map.pool
    filled = pool.zero_fills
    frame = memory.writable_page(index)
    memory_map.zero_fills += pool.zero_fills - filled
    return frame


def own_object(memory_map: VmMap, entry: Entry) -> None:
    """Give the entry an object that writes may go to: new, or in front of a shared copy."""
    memory = entry.memory
    if memory is None:
        entry.memory, entry.first = VmObject(memory_map.pool), 0
    elif entry.needs_copy and isinstance(memory, VmObject):
        if memory.references > 1:  # else every copy has gone, and the object is ours alone
            entry.memory, entry.first = VmObject(memory_map.pool, memory, entry.first), 0
        entry.needs_copy = False


def _page_to_read(memory_map: VmMap, entry: Entry, page: int, access: int) -> tuple[int, int]:
    """Frame of a page, and the access that must fault again."""
    if entry.memory is None:
        return own(memory_map, entry, page), 0
    assert isinstance(entry.memory, VmObject)
    index = entry.index_of(page)
    found = entry.memory.find(index, access)
    if found is None:
        # A page of zeros is the same for every copy of the object.
        return entry.memory.writable_page(index), PROT_WRITE if entry.needs_copy else 0
    frame, owner, index = found
    if owner.pager is not None:  # the first write tells that the page is changed
        return frame, PROT_WRITE | owner.pager.locks.get(index, 0)
    return frame, 0 if owner is entry.memory and not entry.needs_copy else PROT_WRITE


def check_page(memory_map: VmMap, page: int) -> None:
    """Assert that what the guest can reach at `page` is what the map says."""
    entry = memory_map.entry_at(page << PAGE_SHIFT)
    assert entry is not None, f"page {page:#x} is mapped without an entry"
    if isinstance(entry.memory, DeviceObject):
        return
    assert entry.memory is not None
    found = entry.memory.find(entry.index_of(page))
    assert found is not None
    place = memory_map.space.readable.get(page)
    assert place in (None, found[0] << PAGE_SHIFT), f"page {page:#x} shows another frame"
    if page in memory_map.space.writable:
        assert entry.protection & PROT_WRITE
        assert not entry.needs_copy
        assert found[1] is entry.memory
