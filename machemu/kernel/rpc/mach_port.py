"""mach_port (3200): the names of a task.  Follows Mach 3 `ipc/mach_port.c`.

Rules and errors: mach-abi.md 5.8, 5.9 and 6.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.kernel.ipc import notify
from machemu.kernel.ipc.port import QUEUE_LIMIT_MAX, Port
from machemu.kernel.ipc.port_set import PortSet
from machemu.kernel.ipc.right import (
    ACCEPTED_REQUESTED,
    ARRIVES_AS,
    BODY_DISPOSITIONS,
    DEAD_NAME,
    DEAD_NAME_REQUESTED,
    DEAD_UREFS_MAX,
    MACH_PORT_NULL,
    MOVE_SEND_ONCE,
    RECEIVE,
    SEND,
    SEND_ONCE,
    Carried,
    CarriedRight,
    DeadRight,
    Right,
)
from machemu.kernel.results import KernelError, KernReturn, MigReturn
from machemu.kernel.task.task import Task

if TYPE_CHECKING:
    from machemu.kernel.ipc.space import Entry, Space
    from machemu.kernel.rpc.call import Handler, RpcCall


def _space(call: RpcCall) -> Space:
    """Raises INVALID_TASK: the request port is not a task's."""
    return call.target_as(Task, KernReturn.INVALID_TASK).space


def _kind(number: int) -> Right:
    if number not in Right._value2member_map_:
        raise KernelError(KernReturn.INVALID_VALUE)
    return Right(number)


def _receive_right(call: RpcCall, name: int) -> Port:
    """Raises INVALID_NAME, INVALID_RIGHT: not a receive right."""
    entry = _space(call).lookup(name)
    if not entry.kind & RECEIVE or entry.port is None:
        raise KernelError(KernReturn.INVALID_RIGHT)
    return entry.port


def _set(space: Space, name: int) -> PortSet:
    entry = space.lookup(name)
    if entry.port_set is None:
        raise KernelError(KernReturn.INVALID_RIGHT)
    return entry.port_set


def _type(entry: Entry) -> int:
    return (entry.kind | (DEAD_NAME_REQUESTED if entry.dead_name_request is not None else 0)
            | (ACCEPTED_REQUESTED if entry.name in entry.space.accepted_requests else 0))


def mach_port_names(call: RpcCall) -> tuple[object, ...]:
    space = _space(call)
    entries = [space.lookup(name) for name in list(space.entries)]
    return ([entry.name for entry in entries], [_type(entry) for entry in entries])


def mach_port_type(call: RpcCall, name: int) -> tuple[int]:
    return (_type(_space(call).lookup(name)),)


def mach_port_rename(call: RpcCall, old: int, new: int) -> None:
    _space(call).rename(old, new)


def mach_port_allocate_name(call: RpcCall, kind: int, name: int) -> None:
    _space(call).allocate(_kind(kind), name)


def mach_port_allocate(call: RpcCall, kind: int) -> tuple[int]:
    return (_space(call).allocate(_kind(kind)),)


def mach_port_destroy(call: RpcCall, name: int) -> None:
    _space(call).destroy_name(name)


def mach_port_deallocate(call: RpcCall, name: int) -> None:
    _space(call).deallocate(name)


def mach_port_get_refs(call: RpcCall, name: int, kind: int) -> tuple[int]:
    return (_space(call).references(name, _kind(kind)),)


def mach_port_mod_refs(call: RpcCall, name: int, kind: int, delta: int) -> None:
    _space(call).change_references(name, _kind(kind), delta)


def mach_port_set_qlimit(call: RpcCall, name: int, limit: int) -> None:
    port = _receive_right(call, name)
    if limit > QUEUE_LIMIT_MAX:
        raise KernelError(KernReturn.INVALID_VALUE)
    port.limit = limit
    port.admit_senders()


def mach_port_set_mscount(call: RpcCall, name: int, count: int) -> None:
    _receive_right(call, name).make_send_count = count


def mach_port_set_seqno(call: RpcCall, name: int, number: int) -> None:
    _receive_right(call, name).sequence = number


def mach_port_get_set_status(call: RpcCall, name: int) -> tuple[object, ...]:
    members = _set(_space(call), name).members
    return ([port.receiver_name for port in members],)


def mach_port_move_member(call: RpcCall, member: int, after: int) -> None:
    port = _receive_right(call, member)
    if after == MACH_PORT_NULL:
        if port.port_set is None:
            raise KernelError(KernReturn.NOT_IN_SET)
        port.port_set.remove(port)
    else:
        _set(_space(call), after).add(port)


def mach_port_request_notification(call: RpcCall, name: int, ident: int, sync: int,
                                   right: CarriedRight, _disposition: int) -> tuple[CarriedRight]:
    """One row of mach-abi.md 5.8; `right` must be a send-once right, or null to cancel."""
    space = _space(call)
    if isinstance(right, DeadRight):
        raise KernelError(KernReturn.INVALID_CAPABILITY)
    if right is not None and right.kind != MOVE_SEND_ONCE:
        raise KernelError(MigReturn.BAD_ARGUMENTS)
    request = right.port if right is not None else None
    if ident == notify.MACH_NOTIFY_PORT_DESTROYED:
        port = _receive_right(call, name)
        if sync != 0:
            raise KernelError(KernReturn.INVALID_VALUE)
        previous, port.port_destroyed = port.port_destroyed, request
    elif ident == notify.MACH_NOTIFY_NO_SENDERS:
        port = _receive_right(call, name)
        previous, port.no_senders = port.no_senders, None
        if port.send_rights == 0 and request is not None and sync <= port.make_send_count:
            notify.no_senders(request, port.make_send_count)
        else:
            port.no_senders = request
    elif ident == notify.MACH_NOTIFY_DEAD_NAME:
        previous = _request_dead_name(space, name, sync, request)
    else:
        raise KernelError(KernReturn.INVALID_VALUE)
    return (Carried(previous, MOVE_SEND_ONCE) if previous is not None else None,)


def _request_dead_name(space: Space, name: int, sync: int, request: Port | None) -> Port | None:
    entry = space.lookup(name)
    if entry.kind == DEAD_NAME:
        if sync == 0 or request is None:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        if entry.urefs >= DEAD_UREFS_MAX:
            raise KernelError(KernReturn.UREFS_OVERFLOW)
        entry.urefs += 1
        notify.dead_name(request, name)
        return None
    port = entry.port
    if port is None or not entry.kind & (SEND | SEND_ONCE | RECEIVE):
        raise KernelError(KernReturn.INVALID_RIGHT)
    if request is None:
        return space.cancel_dead_name_request(entry)
    return space.request_dead_name(entry, request)


def mach_port_insert_right(call: RpcCall, name: int, right: CarriedRight, _disposition: int) -> None:
    _space(call).insert_as(right, name)


def mach_port_extract_right(call: RpcCall, name: int, disposition: int) -> tuple[CarriedRight, int]:
    space = _space(call)
    if disposition not in BODY_DISPOSITIONS:
        raise KernelError(KernReturn.INVALID_VALUE)
    return space.take(name, disposition), ARRIVES_AS[disposition]


def mach_port_get_receive_status(call: RpcCall, name: int) -> tuple[object, ...]:
    port = _receive_right(call, name)
    return ([port.port_set.name if port.port_set is not None else 0, port.sequence, port.make_send_count,
             port.limit, port.queued, port.send_once_rights, int(port.send_rights != 0),
             int(port.port_destroyed is not None), int(port.no_senders is not None)],)


def mach_port_set_protected_payload(call: RpcCall, name: int, payload: int) -> None:
    _receive_right(call, name).payload = payload


def mach_port_clear_protected_payload(call: RpcCall, name: int) -> None:
    _receive_right(call, name).payload = None


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (
        mach_port_names, mach_port_type, mach_port_rename, mach_port_allocate_name, mach_port_allocate,
        mach_port_destroy, mach_port_deallocate, mach_port_get_refs, mach_port_mod_refs,
        mach_port_set_qlimit, mach_port_set_mscount, mach_port_set_seqno, mach_port_get_set_status,
        mach_port_move_member, mach_port_request_notification, mach_port_insert_right,
        mach_port_extract_right, mach_port_get_receive_status, mach_port_set_protected_payload,
        mach_port_clear_protected_payload,
    )
}
