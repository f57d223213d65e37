"""What memory managers call on an object's control port: the memory_object_ calls of
`mach.defs`.

Rules: mach-abi.md 8.2 and 8.3.  Follows Mach 3 `vm/memory_object.c`.  Most have no reply:
what is wrong with them is not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.interfaces import memory_object as interface
from machemu.interfaces.runtime import encode_request
from machemu.kernel.ipc.right import MOVE_RECEIVE, Carried, CarriedRight, DeadRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.rpc.call import discard, send_message
from machemu.kernel.rpc.host import HostPrivileged
from machemu.kernel.rpc.pager_port import PagerPort
from machemu.kernel.vm.copy import VmCopy
from machemu.kernel.vm.entry import PROT_ALL
from machemu.kernel.vm.pager import COPY_NONE, COPY_TEMPORARY, PROT_NO_CHANGE, RETURN_ALL, RETURN_NONE

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.rpc.call import Handler, RpcCall

LOCK_COMPLETED, SUPPLY_COMPLETED, CHANGE_COMPLETED = 2206, 2207, 2209
OFFSET_IN_PAGE: Final = PAGE_SIZE - 1


def _manager(call: RpcCall) -> PagerPort:
    return call.target_as(PagerPort)


def _range(offset: int, size: int) -> tuple[int, int]:
    """Page index and number of pages.  Raises INVALID_ARGUMENT: not page-aligned."""
    if offset & OFFSET_IN_PAGE:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    return offset >> PAGE_SHIFT, (size + OFFSET_IN_PAGE) >> PAGE_SHIFT


def _completion(right: CarriedRight) -> Carried | None:
    """The right to tell of the end with.  Raises INVALID_ARGUMENT: it cannot be sent to."""
    if isinstance(right, Carried) and right.kind == MOVE_RECEIVE:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    return right if isinstance(right, Carried) else None


def _complete(kernel: Kernel, right: Carried | None, ident: int, *values: object) -> None:
    """Send a completion message and use `right` up."""
    if right is None or right.port.dead:
        discard((*values, right))
        return
    send_message(kernel, encode_request(interface.SUBSYSTEM.routines[ident], values), ident, right.port, right.kind)


def _check_attributes(strategy: int) -> None:
    if not COPY_NONE <= strategy <= COPY_TEMPORARY:
        raise KernelError(KernReturn.INVALID_ARGUMENT)


def memory_object_ready(call: RpcCall, may_cache: int, strategy: int) -> None:
    manager = _manager(call)
    _check_attributes(strategy)
    manager.pager.become_ready(bool(may_cache), strategy)


def memory_object_change_attributes(call: RpcCall, may_cache: int, strategy: int, reply_to: CarriedRight,
                                    _kind: int) -> None:
    manager, right = _manager(call), _completion(reply_to)
    _check_attributes(strategy)
    manager.pager.become_ready(bool(may_cache), strategy)
    _complete(call.kernel, right, CHANGE_COMPLETED, int(bool(may_cache)), strategy)
    call.kernel.pagers.end_idle(manager.memory)


def memory_object_get_attributes(call: RpcCall) -> tuple[int, int, int]:
    pager = _manager(call).pager
    return int(pager.ready), int(pager.may_cache), pager.strategy


def memory_object_data_supply(call: RpcCall, offset: int, region: VmCopy | None, lock: int, precious: int,
                              reply_to: CarriedRight, _kind: int) -> None:
    """Pages up to the first that is here already.  Raises INVALID_ARGUMENT, nothing supplied:
    not whole pages, a lock beyond ALL; PageAbsent: the manager's own memory is not there."""
    manager, right = _manager(call), _completion(reply_to)
    size = region.size if region is not None else 0
    first, count = _range(offset, size)
    if size & OFFSET_IN_PAGE or lock & ~PROT_ALL:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    error, at = KernReturn.SUCCESS, 0
    for index, frame in enumerate(_frames(call.kernel, region, manager, first), first):
        manager.pager.supply(index, frame, lock, precious=bool(precious))
        at = index + 1 - first
    if at < count:
        error = KernReturn.MEMORY_PRESENT
    call.kernel.pool.pageins += at
    _complete(call.kernel, right, SUPPLY_COMPLETED, manager.control.make_send() if right else None, offset, size,
              error, at << PAGE_SHIFT if error else 0)
    if region is not None:
        region.discard()


def _frames(kernel: Kernel, region: VmCopy | None, manager: PagerPort, first: int) -> list[int]:
    """New frames with the pages of `region`, up to the first that is in memory already.

    Raises RESOURCE_SHORTAGE, PageAbsent, with none left.
    """
    pool, frames = kernel.pool, list[int]()
    if region is not None and not pool.could_hold(region.size):
        raise KernelError(KernReturn.RESOURCE_SHORTAGE)
    data = region.read() if region is not None else b""
    try:
        for at in range(0, len(data), PAGE_SIZE):
            if first + len(frames) in manager.memory.pages:
                break
            frame = pool.allocate_raw()
            frames.append(frame)
            pool.memory.data[frame * PAGE_SIZE:(frame + 1) * PAGE_SIZE] = data[at:at + PAGE_SIZE]
    except KernelError:
        for frame in frames:
            pool.free(frame)
        raise
    return frames


def memory_object_data_unavailable(call: RpcCall, offset: int, size: int) -> None:
    _manager(call).pager.is_unavailable(*_range(offset, size))


def memory_object_data_error(call: RpcCall, offset: int, size: int, _error: int) -> None:
    """Those who wait get MEMORY_ERROR, whatever the manager's own code."""
    _manager(call).pager.has_failed(*_range(offset, size))


def memory_object_lock_request(call: RpcCall, offset: int, size: int, returned: int, flush: int, lock: int,
                               reply_to: CarriedRight, _kind: int) -> None:
    manager, right = _manager(call), _completion(reply_to)
    first, count = _range(offset, size)
    if not RETURN_NONE <= returned <= RETURN_ALL or (lock & ~PROT_ALL and lock != PROT_NO_CHANGE):
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    manager.pager.lock(first, count, returned, bool(flush), lock)
    _complete(call.kernel, right, LOCK_COMPLETED, manager.control.make_send() if right else None, offset, size)


def memory_object_destroy(call: RpcCall, _reason: int) -> None:
    _manager(call).destroy()


def vm_set_default_memory_manager(call: RpcCall, right: CarriedRight) -> tuple[CarriedRight]:
    """Null only asks.  Raises INVALID_HOST, INVALID_CAPABILITY: the right is dead."""
    call.target_as(HostPrivileged, KernReturn.INVALID_HOST)
    pagers = call.kernel.pagers
    if isinstance(right, DeadRight) or (right is not None and right.port.dead):
        raise KernelError(KernReturn.INVALID_CAPABILITY)
    old = pagers.default.copy_send() if pagers.default is not None else None
    if right is not None:
        pagers.set_default(right.port)
    return (old,)


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (
        memory_object_ready, memory_object_change_attributes, memory_object_get_attributes,
        memory_object_data_supply, memory_object_data_unavailable, memory_object_data_error,
        memory_object_lock_request, memory_object_destroy, vm_set_default_memory_manager,
    )
}
