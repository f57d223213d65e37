"""Notifications: what the kernel tells a task about its rights (mach-abi.md 5.8).

Every function consumes one send-once right of the port `request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.interfaces import notify as interface
from machemu.interfaces.runtime import encode_request
from machemu.kernel.ipc.message import COMPLEX, InlineRights, Message
from machemu.kernel.ipc.right import MOVE_SEND_ONCE, Carried

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port

MACH_NOTIFY_PORT_DELETED: Final = 65
MACH_NOTIFY_MSG_ACCEPTED: Final = 66
MACH_NOTIFY_PORT_DESTROYED: Final = 69
MACH_NOTIFY_NO_SENDERS: Final = 70
MACH_NOTIFY_SEND_ONCE: Final = 71
MACH_NOTIFY_DEAD_NAME: Final = 72

_ROUTINES: Final = interface.SUBSYSTEM.routines


def port_deleted(request: Port, name: int) -> None:
    _send(request, MACH_NOTIFY_PORT_DELETED, name)


def msg_accepted(request: Port, name: int) -> None:
    _send(request, MACH_NOTIFY_MSG_ACCEPTED, name)


def dead_name(request: Port, name: int) -> None:
    _send(request, MACH_NOTIFY_DEAD_NAME, name)


def no_senders(request: Port, make_send_count: int) -> None:
    _send(request, MACH_NOTIFY_NO_SENDERS, make_send_count)


def port_destroyed(request: Port, receive_right: Carried) -> None:
    _send(request, MACH_NOTIFY_PORT_DESTROYED, receive_right)


def send_once(port: Port) -> None:
    """The right itself carries the news that it was destroyed unused."""
    _send(port, MACH_NOTIFY_SEND_ONCE)


def _send(request: Port, ident: int, *arguments: object) -> None:
    encoded = encode_request(_ROUTINES[ident], arguments)
    message = Message(request.zone.next_message_number(), encoded.data,
                      COMPLEX if encoded.rights else 0, ident, 0, request, MOVE_SEND_ONCE)
    for slot, right in encoded.rights.items():
        assert isinstance(right, Carried)
        message.inline.append(InlineRights(slot - 8, [right]))
    if request.dead:
        message.destroy()
    else:
        request.enqueue(message)
