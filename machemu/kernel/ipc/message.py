"""Messages in the kernel: between the sender's copy-in and the receiver's copy-out.

Layout on both sides: mach-abi.md 1.2 to 1.5 (GNU Mach `mach/message.h`, 64-bit).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from machemu.kernel.ipc.right import MOVE_SEND, MOVE_SEND_ONCE, Carried, CarriedRight

if TYPE_CHECKING:
    from collections import Counter

    from machemu.kernel.ipc.forced import AcceptedRequest
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.vm.copy import VmCopy

HEADER: Final = struct.Struct("<IIQQII")  # bits, size, remote, local, seqno, id
HEADER_SIZE: Final = 32  # octets
MESSAGE_ALIGN: Final = 8  # octets; sizes, descriptors and data are multiples of it
COMPLEX: Final = 0x8000_0000  # msgh_bits: the body holds rights or out-of-line data
BITS_PASSED: Final = 0x07FF_0000  # unused bits that reach the receiver unchanged

SENDER_TRAILER: Final = struct.Struct("<IIQIIII")  # mach-abi.md 2.11
SENDER_TRAILER_SIZE: Final = 32  # octets
SENDER_IS_NETWORK: Final = 1  # flag: sent by the network server for a peer


@dataclass(slots=True)
class InlineRights:
    """The rights of one item of the body, in slots of 8 octets behind its descriptor."""

    descriptor: int  # its offset
    rights: list[CarriedRight]

    @property
    def slots(self) -> range:
        """Offsets of the slots."""
        first = self.descriptor + 8
        return range(first, first + 8 * len(self.rights), 8)


@dataclass(slots=True)
class OutOfLine:
    """A region of a message: memory, or an array of port names (then `rights` is set)."""

    descriptor: int  # offset of the descriptor
    slot: int  # offset of the 8-octet address
    memory: VmCopy | None
    rights: list[CarriedRight] | None = None
    kind: int = 0  # what all `rights` arrive as

    def destroy(self) -> None:
        if self.memory is not None:
            self.memory.discard()
        for right in self.rights or ():
            if right is not None:
                right.destroy()


@dataclass(frozen=True, slots=True)
class Peer:
    """The node and epoch on whose behalf the network server sends."""

    node: int
    epoch: int


@final
class Message:
    """One message.  `data` is the sender's octets, header included; header fields that
    the kernel translates live in the attributes and are packed at delivery.

    While a simple message is handed straight to a receiver that waits, `data` is a view of
    the sender's page and nothing has been copied; whoever keeps the message calls `keep`.

    Invariants, asserted by `check`:
      - a message that is kept has octets of its own;
      - a reply right has a disposition;
      - what the body carries is empty unless COMPLEX is set, but for arrays of no rights.
    """

    __slots__ = ("accepted", "bits", "data", "dest", "dest_kind", "ident", "inline", "number",
                 "peer", "regions", "reply", "reply_dead", "reply_kind", "sender")

    def __init__(self, number: int, data: bytes | memoryview, bits: int, ident: int, sender: int,
                 dest: Port, dest_kind: int) -> None:
        self.number = number  # of this node, for observers
        self.data = data
        self.bits = bits  # without dispositions
        self.ident = ident  # msgh_id
        self.sender = sender  # task number; 0: the kernel
        self.dest = dest
        self.dest_kind = dest_kind  # MOVE_SEND or MOVE_SEND_ONCE: consumed at reception
        self.reply: Port | None = None
        self.reply_kind = 0  # MOVE_SEND or MOVE_SEND_ONCE, also of a null or dead reply; 0: none was given
        self.reply_dead = False  # the reply name was dead or MACH_PORT_DEAD
        self.inline: list[InlineRights] = []
        self.regions: list[OutOfLine] = []
        self.peer: Peer | None = None
        self.accepted: AcceptedRequest | None = None  # it was forced past the limit of its queue

    @property
    def size(self) -> int:
        return len(self.data)

    def keep(self) -> None:
        """The message outlives its sender's trap: it needs octets of its own."""
        self.data = bytes(self.data)

    def leave_queue(self) -> None:
        """A forced message has been received or destroyed: tell who forced it."""
        request, self.accepted = self.accepted, None
        if request is not None:
            request.fulfil()

    def rights(self) -> list[CarriedRight]:
        """All rights in the body, in order of their place in it."""
        found = [right for item in self.inline for right in item.rights]
        for region in self.regions:
            found.extend(region.rights or ())
        return found

    def consume_destination(self) -> None:
        """The message is received: the right it was sent with is used up."""
        if self.dest_kind == MOVE_SEND:
            self.dest.drop_send()
        else:
            self.dest.send_once_rights -= 1

    def destroy_body(self) -> None:
        """Destroy what the body carries, in order; it then carries nothing."""
        inline, self.inline = self.inline, []
        regions, self.regions = self.regions, []
        for item in inline:
            for right in item.rights:
                if right is not None:
                    right.destroy()
        for region in regions:
            region.destroy()

    def destroy_reply(self) -> None:
        """Destroy the reply right: an unused send-once right notifies its port."""
        reply, self.reply = self.reply, None
        if reply is not None:
            Carried(reply, self.reply_kind).destroy()
        self.reply_kind = 0

    def destroy(self) -> None:
        """Destroy an undelivered message with all it carries."""
        self.leave_queue()
        Carried(self.dest, self.dest_kind).destroy()
        self.destroy_reply()
        self.destroy_body()

    def check(self) -> None:
        assert isinstance(self.data, bytes)
        assert self.reply is None or self.reply_kind
        assert self.bits & COMPLEX or not (self.regions or any(item.rights for item in self.inline))


def count_message(message: Message, sends: Counter[Port], onces: Counter[Port]) -> None:
    """Add the rights that `message` carries, for the balance."""
    carried = [Carried(message.dest, message.dest_kind)]
    if message.accepted is not None:
        onces[message.accepted.port] += 1
    if message.reply is not None:
        carried.append(Carried(message.reply, message.reply_kind))
    carried += [right for right in message.rights() if isinstance(right, Carried)]
    for right in carried:
        if right.kind == MOVE_SEND:
            sends[right.port] += 1
        elif right.kind == MOVE_SEND_ONCE:
            onces[right.port] += 1
