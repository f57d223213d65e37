"""The sending half of mach_msg: from the caller's octets to a message on its way.

Order of checks: mach-abi.md 2.3.  Follows Mach 3 `ipc/ipc_kmsg.c` (copyin_header) and
`ipc/mach_msg.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.kernel.ipc import body
from machemu.kernel.ipc.forced import force, notified_port
from machemu.kernel.ipc.message import BITS_PASSED, COMPLEX, HEADER, HEADER_SIZE, Message, Peer
from machemu.kernel.ipc.right import (
    ARRIVES_AS,
    COPY_SEND,
    DEAD_NAME,
    MACH_PORT_DEAD,
    MACH_PORT_NULL,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    RECEIVE,
    SEND,
    SEND_ONCE,
    Carried,
    DeadRight,
)
from machemu.kernel.ipc.writing import finish_later
from machemu.kernel.results import KernelError, MsgReturn
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.ipc.space import Entry, Space
    from machemu.kernel.vm.map import VmMap

MESSAGE_SIZE_MAX: Final = 16 << 20  # octets inline; the kernel's buffer space

# The kind of right a name must denote for each disposition that a header may have.
_NEEDS: Final = {
    MOVE_SEND: SEND,
    COPY_SEND: SEND,
    MOVE_SEND_ONCE: SEND_ONCE,
    MAKE_SEND: RECEIVE,
    MAKE_SEND_ONCE: RECEIVE,
}
_DEAD_ALLOWED: Final = (COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE)


def copy_in(space: Space, memory: VmMap, address: int, size: int, with_peer: bool = False,
            cancel: int | None = None) -> Message:
    """Read a message from the caller and take its rights.

    Args:
        size: `send_size`, octets.
        with_peer: the 8 octets of MACH_SEND_PEER follow the message.
        cancel: `notify` of MACH_SEND_CANCEL.
    Raises KernelError with a SEND_ code.  Nothing is done then, but for errors in the
    body: what was taken before them, header rights included, is destroyed.
    """
    if size < HEADER_SIZE or size & 7:
        raise KernelError(MsgReturn.SEND_MSG_TOO_SMALL)
    if size > MESSAGE_SIZE_MAX:
        raise KernelError(MsgReturn.SEND_NO_BUFFER)
    try:
        data = memory.view(address, size)
        peer = memory.read(address + size, 8) if with_peer else None
    except MustWait as absent:
        absent.otherwise = MsgReturn.SEND_INVALID_DATA
        raise
    except KernelError:
        raise KernelError(MsgReturn.SEND_INVALID_DATA) from None
    bits, _, remote, local, _, ident = HEADER.unpack_from(data)
    if bits & COMPLEX:
        data = bytes(data)
        items = body.walk(data)
        if memory.pool.managed:
            body.reach(items, data, memory)
        message = _take_header(space, data, bits, remote & 0xFFFF_FFFF, local & 0xFFFF_FFFF, ident, cancel)
        _take_body(message, items, space, memory)
    else:
        message = _take_header(space, data, bits, remote & 0xFFFF_FFFF, local & 0xFFFF_FFFF, ident, cancel)
    space.messages_sent += 1
    if peer is not None:
        message.peer = Peer(int.from_bytes(peer[:4], "little"), int.from_bytes(peer[4:], "little"))
    return message


def _take_header(space: Space, data: bytes | memoryview, bits: int, remote: int, local: int, ident: int,
                 cancel: int | None) -> Message:
    """Check both header ports, then take both: all or nothing."""
    if cancel == MACH_PORT_NULL:
        raise KernelError(MsgReturn.SEND_INVALID_NOTIFY)
    dest_use, reply_use = bits & 0xFF, bits >> 8 & 0xFF
    dest_needs, reply_needs = _NEEDS.get(dest_use), _NEEDS.get(reply_use)
    if dest_needs is None or (reply_needs is None and (reply_use or local != MACH_PORT_NULL)):
        raise KernelError(MsgReturn.SEND_INVALID_HEADER)
    notified = None
    if cancel is not None:
        notified = notified_port(space, cancel)
        if notified is None:
            raise KernelError(MsgReturn.SEND_INVALID_NOTIFY)
    dest_entry = space.find(remote)
    if dest_entry is None:
        raise KernelError(MsgReturn.SEND_INVALID_DEST)
    reply_entry = None
    if reply_needs is not None and local != MACH_PORT_NULL and local != MACH_PORT_DEAD:
        reply_entry = space.find(local)
        if reply_entry is None or not (reply_entry.kind & reply_needs or _dead_will_do(reply_entry, reply_use)):
            raise KernelError(MsgReturn.SEND_INVALID_REPLY)
    if dest_entry.kind & dest_needs == 0 or (
        reply_entry is dest_entry and not _both_from(dest_entry, dest_use, reply_use)
    ):
        raise KernelError(MsgReturn.SEND_INVALID_DEST)

    if notified is not None:
        _cancel_request(space, dest_entry, notified, dest_use, reply_use if reply_entry is dest_entry else 0)
    dest = dest_entry.port
    assert dest is not None
    message = Message(space.zone.next_message_number(), data, bits & (COMPLEX | BITS_PASSED), ident,
                      space.task_number, dest, ARRIVES_AS[dest_use])
    if reply_entry is dest_entry and dest_use == MOVE_SEND:
        _take_reply(message, space, reply_entry, reply_use)
        space.take(remote, dest_use)
        return message
    if dest_use == COPY_SEND:
        dest.send_rights += 1
    elif dest_use == MOVE_SEND_ONCE:
        space.remove(dest_entry)
    else:
        space.take(remote, dest_use)
    if reply_entry is not None:
        _take_reply(message, space, reply_entry, reply_use)
    elif reply_use:
        message.reply_kind = ARRIVES_AS[reply_use]
        message.reply_dead = local == MACH_PORT_DEAD
    return message


def _take_reply(message: Message, space: Space, entry: Entry, use: int) -> None:
    port = entry.port
    if use == MAKE_SEND_ONCE and port is not None:
        port.send_once_rights += 1
        message.reply, message.reply_kind = port, MOVE_SEND_ONCE
        return
    right = space.take(entry.name, use)
    message.reply_kind = ARRIVES_AS[use]
    if isinstance(right, Carried):
        message.reply = right.port
    else:
        assert isinstance(right, DeadRight)
        message.reply_dead = True


def _cancel_request(space: Space, entry: Entry, notified: Port, dest_use: int, reply_use: int) -> None:
    """MACH_SEND_CANCEL: if the destination's name goes now, a dead-name request on it that
    would tell `notified` goes with it, silently (mach-abi.md 2.7).

    Args:
        reply_use: disposition of the reply port, if that is the same name.
    """
    moved = (dest_use == MOVE_SEND) + (reply_use == MOVE_SEND)
    goes = dest_use == MOVE_SEND_ONCE or (entry.kind == SEND and 0 < moved == entry.urefs)
    if goes and entry.dead_name_request is notified:
        space.cancel_dead_name_request(entry)
        notified.send_once_rights -= 1


def _dead_will_do(entry: Entry, use: int) -> bool:
    return entry.kind == DEAD_NAME and use in _DEAD_ALLOWED


def _both_from(entry: Entry, dest_use: int, reply_use: int) -> bool:
    """May one name serve as destination and reply port with these dispositions?"""
    if MOVE_SEND_ONCE in (dest_use, reply_use):
        return False
    return not (dest_use == reply_use == MOVE_SEND) or entry.urefs >= 2


def _take_body(message: Message, items: list[body.Descriptor], space: Space, memory: VmMap) -> None:
    try:
        body.copy_in(message, items, space, memory)
    except KernelError:
        message.destroy()
        raise
    if not message.regions and not any(item.rights for item in message.inline):
        message.bits &= ~COMPLEX


def put_back(message: Message, space: Space) -> tuple[int, int]:
    """Give the header rights back to the caller; their names (destination, reply)."""
    reply_name = MACH_PORT_DEAD if message.reply_dead else MACH_PORT_NULL
    if message.reply is not None:
        reply_name = _insert_or_destroy(space, Carried(message.reply, message.reply_kind))
    return _insert_or_destroy(space, Carried(message.dest, message.dest_kind)), reply_name


def _insert_or_destroy(space: Space, right: Carried) -> int:
    try:
        return space.insert(right)
    except KernelError:
        right.destroy()
        return MACH_PORT_NULL


def no_room(message: Message, space: Space, memory: VmMap, address: int, notify: int | None) -> int:
    """A queue had no room in time: force the message, if `notify` was given for that, or put
    it back; the trap's result."""
    code = MsgReturn.SEND_TIMED_OUT if notify is None else force(message, space, notify)
    return code if code == MsgReturn.SEND_WILL_NOTIFY else pseudo_receive(message, space, memory, address, code)


def pseudo_receive(message: Message, space: Space, memory: VmMap, address: int, code: int) -> int:
    """Put an unsent message back in the caller's buffer (mach-abi.md 2.5).

    Returns `code`, with shortage bits or-ed in.
    """
    reply_kind = message.reply_kind
    dest_kind = message.dest_kind
    data, shortage = body.copy_out(message, space, memory)
    dest_name, reply_name = put_back(message, space)
    bits = message.bits | dest_kind | reply_kind << 8
    HEADER.pack_into(data, 0, bits, len(data), dest_name, reply_name, 0, message.ident)
    try:
        memory.write(address, data)
    except MustWait as absent:
        raise finish_later(absent, memory, [(address, bytes(data))], code | shortage,
                           MsgReturn.SEND_INVALID_DATA) from None
    except KernelError:
        return MsgReturn.SEND_INVALID_DATA
    return code | shortage
