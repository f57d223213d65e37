"""Page faults: from an address to a page the guest can use.  Follows Mach 3 `vm/vm_fault.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machemu.hw.api import PAGE_SHIFT, Access
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.vm.entry import PROT_WRITE, Entry
from machemu.kernel.vm.object import DeviceObject, VmObject

if TYPE_CHECKING:
    from machemu.kernel.vm.map import VmMap


def fault(memory_map: VmMap, address: int, access: Access) -> None:
    """Give the guest the access it was refused, if its map allows it.

    Raises INVALID_ADDRESS, PROTECTION_FAILURE, RESOURCE_SHORTAGE, MEMORY_ERROR (the device
    has been closed).
    """
    entry = memory_map.entry_at(address)
    if entry is None:
        raise KernelError(KernReturn.INVALID_ADDRESS)
    if access & ~entry.protection:
        raise KernelError(KernReturn.PROTECTION_FAILURE)
    memory_map.faults += 1
    page = address >> PAGE_SHIFT
    allowed = entry.protection
    if isinstance(entry.memory, DeviceObject):
        if entry.memory.revoked:
            raise KernelError(KernReturn.MEMORY_ERROR)
        entry.memory.maps[memory_map] = None
        memory_map.space.map_device(page, entry.memory.bus_page + entry.index_of(page), Access(allowed))
    else:
        if access & Access.WRITE:
            frame = own(memory_map, entry, page)
        else:
            frame, own_page = _page_to_read(memory_map, entry, page)
            if not own_page:
                allowed &= ~PROT_WRITE
        memory_map.space.map(page, frame, Access(allowed))
    memory_map.mapped.add(page)


def own(memory_map: VmMap, entry: Entry, page: int) -> int:
    """The frame of a page that this entry may write."""
    own_object(memory_map, entry)
    assert isinstance(entry.memory, VmObject)
    index = entry.index_of(page)
    if index not in entry.memory.pages:
        memory_map.copy_faults += entry.memory.shadow is not None
    return entry.memory.writable_page(index)


def own_object(memory_map: VmMap, entry: Entry) -> None:
    """Give the entry an object that writes may go to: new, or in front of a shared copy."""
    memory = entry.memory
    if memory is None:
        entry.memory, entry.first = VmObject(memory_map.pool), 0
    elif entry.needs_copy and isinstance(memory, VmObject):
        if memory.references > 1:  # else every copy has gone, and the object is ours alone
            entry.memory, entry.first = VmObject(memory_map.pool, memory, entry.first), 0
        entry.needs_copy = False


def _page_to_read(memory_map: VmMap, entry: Entry, page: int) -> tuple[int, bool]:
    """Frame of a page, and whether it is the entry's own to write."""
    if entry.memory is None:
        return own(memory_map, entry, page), True
    assert isinstance(entry.memory, VmObject)
    index = entry.index_of(page)
    found = entry.memory.find(index)
    if found is None:
        # A page of zeros is the same for every copy of the object.
        return entry.memory.writable_page(index), not entry.needs_copy
    frame, owner = found
    return frame, owner is entry.memory and not entry.needs_copy


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
