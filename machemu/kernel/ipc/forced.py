"""Messages forced past the limit of a queue: MACH_SEND_NOTIFY (mach-abi.md 2.6).

Follows Mach 3 `ipc/ipc_marequest.c`: the notification comes when the forced message itself
leaves the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from machemu.kernel.ipc import notify
from machemu.kernel.ipc.right import MACH_PORT_NULL, RECEIVE
from machemu.kernel.results import MsgReturn

if TYPE_CHECKING:
    from machemu.kernel.ipc.message import Message
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.ipc.space import Space


@final
class AcceptedRequest:
    """Someone wants to know when a message has been accepted.

    Args:
        name: of the destination in the space that forced the message; MACH_PORT_NULL: it has none.
        port: one of its send-once rights is held.
    """

    __slots__ = ("name", "port", "space")

    def __init__(self, space: Space, name: int, port: Port) -> None:
        self.space = space
        self.name = name
        self.port = port

    def fulfil(self) -> None:
        """The message has been received or destroyed."""
        if self.name:
            del self.space.accepted_requests[self.name]
        notify.msg_accepted(self.port, self.name)


def force(message: Message, space: Space, name: int) -> int:
    """Queue `message` past the limit, with a notification to the receive right `name`.

    Returns SEND_WILL_NOTIFY; SEND_NOTIFY_IN_PROGRESS, SEND_INVALID_NOTIFY: nothing was done.
    """
    dest = message.dest
    dest_name = space.names_by_port.get(dest, MACH_PORT_NULL)
    if dest_name in space.accepted_requests:
        return MsgReturn.SEND_NOTIFY_IN_PROGRESS
    port = notified_port(space, name)
    if port is None:
        return MsgReturn.SEND_INVALID_NOTIFY
    port.send_once_rights += 1
    request = message.accepted = AcceptedRequest(space, dest_name, port)
    if dest_name:
        space.accepted_requests[dest_name] = request
    queued = dest.queued
    dest.enqueue(message)
    if dest.queued == queued:  # somebody waited for it although the queue was full: a limit of 0
        message.leave_queue()
    return MsgReturn.SEND_WILL_NOTIFY


def notified_port(space: Space, name: int) -> Port | None:
    """The port whose receive right `name` denotes: `notify` of mach_msg must be one."""
    entry = space.find(name)
    return entry.port if entry is not None and entry.kind & RECEIVE else None
