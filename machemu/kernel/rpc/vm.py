"""Address spaces as kernel objects: the vm_ calls of `mach.defs`.

Rules and errors: mach-abi.md 6.2 and 8.1.  Follows Mach 3 `vm/vm_user.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.hw.api import PAGE_SIZE
from machemu.kernel.ipc.right import Carried, CarriedRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.host import Host, HostPrivileged
from machemu.kernel.task.task import Task
from machemu.kernel.vm.copy import VmCopy
from machemu.kernel.vm.entry import PROT_ALL, PROT_WRITE
from machemu.kernel.vm.object import DeviceObject, VmObject
from machemu.kernel.vm.pager import MustWait
from machemu.kernel.vm.wiring import wire_pages

if TYPE_CHECKING:
    from machemu.kernel.rpc.call import Handler, RpcCall
    from machemu.kernel.vm.map import VmMap

WIRED_MAX: Final = 8 << 20  # octets of a task, by the unprivileged host
MATTR_CACHE: Final = 1
MATTR_VALUES: Final = range(6, 9)  # cache, data cache and instruction cache flush


def _map(call: RpcCall) -> VmMap:
    return call.target_as(Task, KernReturn.INVALID_TASK).memory


def vm_allocate(call: RpcCall, address: int, size: int, anywhere: int) -> tuple[int]:
    return (_map(call).allocate(address, size, bool(anywhere)),)


def vm_deallocate(call: RpcCall, address: int, size: int) -> None:
    _map(call).deallocate(address, size)


def vm_protect(call: RpcCall, address: int, size: int, set_maximum: int, protection: int) -> None:
    _map(call).protect(address, size, bool(set_maximum), protection)


def vm_inherit(call: RpcCall, address: int, size: int, inheritance: int) -> None:
    _map(call).inherit(address, size, inheritance)


def vm_read(call: RpcCall, address: int, size: int) -> tuple[VmCopy | bytes]:
    memory = _map(call)
    if size >> 32:  # the count in the reply has 32 bits
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    return (memory.copyin(address, size, False) if size else b"",)


def vm_write(call: RpcCall, address: int, region: VmCopy | None) -> None:
    memory = _map(call)
    size = region.size if region is not None else 0
    if (address | size) % PAGE_SIZE:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    if region is not None:
        memory.check_range(address, size, PROT_WRITE)
        if not memory.pool.could_hold(size):
            raise KernelError(KernReturn.RESOURCE_SHORTAGE)
        memory.write(address, region.read())
        region.discard()


def vm_copy(call: RpcCall, source: int, size: int, target: int) -> None:
    _map(call).copy(source, size, target)


def vm_region(call: RpcCall, address: int) -> tuple[object, ...]:
    """The object's name port is null unless a memory manager has the object."""
    region = _map(call).region(address)
    name = call.kernel.pagers.name_of(region.memory)
    return (region.start, region.size, region.protection, region.max_protection, region.inheritance,
            int(region.shared), name, region.offset)


def vm_map(call: RpcCall, address: int, size: int, mask: int, anywhere: int, right: CarriedRight, offset: int,
           copy: int, protection: int, maximum: int, inheritance: int) -> tuple[int]:
    """Raises what `VmMap.map` raises; INVALID_ARGUMENT: a kernel object that is no memory."""
    target = _map(call)
    memory: VmObject | DeviceObject | None = None
    if isinstance(right, Carried) and not right.port.dead:
        memory = call.kernel.memory_object(right.port.kernel_object)
        if right.port.kernel_object is None:
            memory = call.kernel.pagers.object_of(right.port)
        elif memory is None:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
    try:
        start = target.map(address, size, mask, bool(anywhere), memory, offset, bool(copy), protection,
                           maximum, inheritance)
    except MustWait:
        raise  # and tried again when the manager is ready
    except KernelError:
        if isinstance(memory, VmObject):
            call.kernel.pagers.end_idle(memory)
        raise
    if isinstance(right, Carried):
        right.destroy()
    return (start,)


def vm_statistics(call: RpcCall) -> tuple[object, ...]:
    """`lookups` and `hits` are of the table of memory objects."""
    memory, pool, pageout, pagers = _map(call), call.kernel.pool, call.kernel.pageout, call.kernel.pagers
    inactive, wired = pageout.inactive_count, len(pool.pins)
    words = (PAGE_SIZE, pool.free_count + len(pool.reserve), max(pool.used - inactive - wired, 0), inactive, wired,
             pool.zero_fills, pageout.reactivations, pool.pageins, pool.pageouts, call.kernel.counters.faults,
             memory.copy_faults, pagers.lookups, pagers.hits)
    return (words,)


def vm_wire(call: RpcCall, right: CarriedRight, address: int, size: int, access: int) -> None:
    """No access unwires.  Raises INVALID_HOST, INVALID_TASK, INVALID_ARGUMENT (no such
    access), NO_ACCESS: the unprivileged host wires only WIRED_MAX octets of a task; and
    what `wire_pages` raises."""
    if not isinstance(call.target, Host | HostPrivileged):
        raise KernelError(KernReturn.INVALID_HOST)
    task = right.port.kernel_object if isinstance(right, Carried) else None
    if not isinstance(task, Task):
        raise KernelError(KernReturn.INVALID_TASK)
    if access & ~PROT_ALL:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    memory = task.memory
    if not access:
        memory.unwire(address // PAGE_SIZE, -(-(address + size) // PAGE_SIZE))
    else:
        if isinstance(call.target, Host) and len(memory.wired) * PAGE_SIZE + size > WIRED_MAX:
            raise KernelError(KernReturn.NO_ACCESS)
        wire_pages(memory, address, size, access)
    assert isinstance(right, Carried)
    right.destroy()


def vm_machine_attribute(call: RpcCall, address: int, size: int, attribute: int, value: int) -> tuple[int]:
    """Caches are coherent here: flushing them succeeds and does nothing."""
    _map(call)
    if attribute != MATTR_CACHE or value not in MATTR_VALUES:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    return (value,)


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (
        vm_allocate, vm_deallocate, vm_protect, vm_inherit, vm_read, vm_write, vm_copy, vm_region,
        vm_map, vm_statistics, vm_machine_attribute, vm_wire,
    )
}
