"""The receiving half of mach_msg: from a queue to the receiver's buffer.

Rules: mach-abi.md 2.8, 2.10 and 2.11.  Follows Mach 3 `ipc/ipc_mqueue.c` and
`ipc/ipc_kmsg.c` (copyout).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.kernel.events import MessageReceived
from machemu.kernel.ipc import body
from machemu.kernel.ipc.forced import notified_port
from machemu.kernel.ipc.message import (
    HEADER,
    HEADER_SIZE,
    SENDER_IS_NETWORK,
    SENDER_TRAILER,
    SENDER_TRAILER_SIZE,
    Message,
)
from machemu.kernel.ipc.right import (
    MACH_PORT_DEAD,
    MACH_PORT_NULL,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    PORT_SET,
    PROTECTED_PAYLOAD,
    RECEIVE,
    SEND,
    SEND_ONCE,
    Carried,
)
from machemu.kernel.ipc.writing import finish_later
from machemu.kernel.results import KernelError, MsgReturn
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.kernel.ipc.message_queue import MessageQueue
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.ipc.space import Space
    from machemu.kernel.vm.map import VmMap

MACH_RCV_NOTIFY: Final = 0x0200
MACH_RCV_LARGE: Final = 0x0800
MACH_RCV_SENDER: Final = 0x0010_0000


def queue_of(space: Space, name: int) -> MessageQueue:
    """The queue that `name` receives from.

    Raises RCV_INVALID_NAME: neither a receive right nor a port set; RCV_IN_SET: the port
    is a member of a set.
    """
    entry = space.entries.get(name)
    if entry is not None:
        if entry.kind & RECEIVE:
            port = entry.port
            assert port is not None
            if port.port_set is not None:
                raise KernelError(MsgReturn.RCV_IN_SET)
            return port.queue
        if entry.kind & PORT_SET:
            assert entry.port_set is not None
            return entry.port_set.queue
    raise KernelError(MsgReturn.RCV_INVALID_NAME)


def room_for(size: int, option: int) -> int:
    """Octets of a message, at most, in a buffer of `size` octets that also takes the trailer."""
    return size - SENDER_TRAILER_SIZE if option & MACH_RCV_SENDER else size


def take_first(queue: MessageQueue, space: Space, memory: VmMap,
               address: int, size: int, option: int, notify: int) -> int:
    """Receive the first message of a queue that has one; the trap's result."""
    message = queue.messages[0]
    too_large = len(message.data) > room_for(size, option)
    if too_large and option & MACH_RCV_LARGE:
        return report_size(message, memory, address, option)
    queue.messages.popleft()
    message.dest.dequeued()
    if message.accepted is not None:
        message.leave_queue()
    if too_large:
        return deliver_too_large(message, space, memory, address)
    return deliver(message, space, memory, address, option, notify)


def report_size(message: Message, memory: VmMap, address: int, option: int) -> int:
    """RCV_LARGE: the message stays; only `msgh_size` tells what it needs."""
    try:
        needed = (len(message.data) - room_for(0, option)).to_bytes(4, "little")
        memory.write(address + 4, needed)
    except MustWait as absent:
        raise finish_later(absent, memory, [(address + 4, needed)], MsgReturn.RCV_TOO_LARGE) from None
    except KernelError:
        return MsgReturn.RCV_INVALID_DATA
    return MsgReturn.RCV_TOO_LARGE


def deliver(message: Message, space: Space, memory: VmMap, address: int, option: int, notify: int) -> int:
    """Put `message`, already off its queue, into the receiver's buffer; the result."""
    notified = None
    if option & MACH_RCV_NOTIFY:
        notified = notified_port(space, notify)
        if notified is None:
            return _deliver_header(message, space, memory, address, MsgReturn.RCV_INVALID_NOTIFY)
    space.messages_received += 1
    port = message.dest
    sequence = port.sequence
    port.sequence = sequence + 1 & 0xFFFF_FFFF
    reply_name = MACH_PORT_DEAD if message.reply_dead else MACH_PORT_NULL
    reply = message.reply
    if reply is not None:
        try:
            if message.reply_kind == MOVE_SEND_ONCE and not reply.dead:
                reply_name = space.insert_send_once(reply)
            else:
                reply_name = space.insert(Carried(reply, message.reply_kind))
            message.reply = None
            if notified is not None:
                _watch_reply(space, reply_name, notified)
        except KernelError:
            return _header_error(message, space, memory, address, sequence)
    dest_kind = local_kind = message.dest_kind
    if port.receiver is space and port.payload is None:
        local = port.receiver_name
    else:
        local_kind, local = _local(message, space)
    data: bytes | bytearray | memoryview
    if message.inline or message.regions:
        data, shortage = body.copy_out(message, space, memory)
    else:
        data, shortage = message.data, 0
    size = len(data)
    header = (message.bits | message.reply_kind | local_kind << 8, size, reply_name, local, sequence, message.ident)
    if dest_kind == MOVE_SEND:  # as `consume_destination`
        port.drop_send()
    else:
        port.send_once_rights -= 1
    events = port.zone.events
    if events.message_received:
        events.message_received.emit(MessageReceived(message.number, space.task_number, port.number,
                                                     message.ident, size, sequence))
    try:
        place = memory.place_to_write(address, size)
        if place is None:
            memory.write(address, HEADER.pack(*header) + data[HEADER_SIZE:])
        else:
            memory.ram[place:place + size] = data
            HEADER.pack_into(memory.ram, place, *header)
        if option & MACH_RCV_SENDER:
            memory.write(address + size, _sender_record(message))
    except MustWait as absent:
        writes = [(address, HEADER.pack(*header) + bytes(data[HEADER_SIZE:]))]
        if option & MACH_RCV_SENDER:
            writes.append((address + size, _sender_record(message)))
        raise finish_later(absent, memory, writes,
                           MsgReturn.RCV_BODY_ERROR | shortage if shortage else MsgReturn.SUCCESS) from None
    except KernelError:
        return MsgReturn.RCV_INVALID_DATA
    return MsgReturn.RCV_BODY_ERROR | shortage if shortage else MsgReturn.SUCCESS


def _watch_reply(space: Space, name: int, notified: Port) -> None:
    """RCV_NOTIFY: a reply right under a name that was not there before gets a dead-name request."""
    entry = space.entries.get(name)
    if entry is not None and (entry.kind == SEND_ONCE or (entry.kind == SEND and entry.urefs == 1)):
        notified.send_once_rights += 1
        space.request_dead_name(entry, notified)


def deliver_too_large(message: Message, space: Space, memory: VmMap, address: int) -> int:
    """Destroy a message that does not fit; the receiver gets its header."""
    return _deliver_header(message, space, memory, address, MsgReturn.RCV_TOO_LARGE)


def _header_error(message: Message, space: Space, memory: VmMap, address: int, sequence: int) -> int:
    message.dest.sequence = sequence  # `_deliver_header` counts it
    return _deliver_header(message, space, memory, address, MsgReturn.RCV_HEADER_ERROR | body.MSG_IPC_SPACE)


def _deliver_header(message: Message, space: Space, memory: VmMap, address: int, code: int) -> int:
    """Destroy what `message` carries and write its header; `code` or RCV_INVALID_DATA."""
    port = message.dest
    sequence = port.sequence
    port.sequence = sequence + 1 & 0xFFFF_FFFF
    local_kind, local = _local(message, space)
    header = HEADER.pack(message.bits & ~0x8000_0000 | local_kind << 8, len(message.data), MACH_PORT_NULL,
                         local, sequence, message.ident)
    message.destroy_reply()
    message.destroy_body()
    message.consume_destination()
    try:
        memory.write(address, header)
    except MustWait as absent:
        raise finish_later(absent, memory, [(address, header)], code) from None
    except KernelError:
        return MsgReturn.RCV_INVALID_DATA
    return code


def _local(message: Message, space: Space) -> tuple[int, int]:
    """Disposition and value of the local port field."""
    port = message.dest
    if port.receiver is space:
        if port.payload is not None:
            return PROTECTED_PAYLOAD, port.payload
        return message.dest_kind, port.receiver_name
    return message.dest_kind, MACH_PORT_DEAD if port.dead else MACH_PORT_NULL


def _sender_record(message: Message) -> bytes:
    peer = message.peer
    if peer is None:
        return SENDER_TRAILER.pack(1, SENDER_TRAILER_SIZE, message.sender, 0, 0, 0, 0)
    return SENDER_TRAILER.pack(1, SENDER_TRAILER_SIZE, message.sender, peer.node, peer.epoch,
                               SENDER_IS_NETWORK, 0)
