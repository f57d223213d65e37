"""Items of the stream between two network servers (security.md 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from machemu.wire import schema
from machemu.wire.codec import Coded, check_flags, check_name
from machemu.wire.layout import Layout, Malformed
from machemu.wire.message import Message, PortDescriptor
from machemu.wire.schema import ItemKind, Number, Right


@dataclass(frozen=True, slots=True)
class Claim(Coded):
    """6b: gives a name, asks for its port."""

    LAYOUT: ClassVar[Layout] = schema.CLAIM
    req_id: int
    interface: int
    name: bytes

    def check(self) -> None:
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class Grant(Coded):
    """6c: the answer to CLAIM."""

    LAYOUT: ClassVar[Layout] = schema.GRANT
    PARTS: ClassVar[dict[str, type[Coded]]] = {"port": PortDescriptor}
    req_id: int
    status: int
    ttl_s: int
    port: PortDescriptor
    reg_id: int
    flags: int
    measurement: bytes

    def check(self) -> None:
        check_flags(self.flags, Number.GRANT_VOUCHED | Number.GRANT_MEASURED)


@dataclass(frozen=True, slots=True)
class GrantFor(Coded):
    """Asks the home of a port to let a third node have the sender's right."""

    LAYOUT: ClassVar[Layout] = schema.GRANT_FOR
    gid: int
    uid: int
    node: int
    epoch: int
    right: int

    def check(self) -> None:
        if self.right not in (Right.SEND, Right.SEND_ONCE):
            raise ValueError(f"right {self.right}")


@dataclass(frozen=True, slots=True)
class GrantRes(Coded):
    LAYOUT: ClassVar[Layout] = schema.GRANT_RES
    gid: int
    status: int


@dataclass(frozen=True, slots=True)
class ClaimPort(Coded):
    """Collects from the home of a port what a granter left there."""

    LAYOUT: ClassVar[Layout] = schema.CLAIM_PORT
    node: int  # of the granter
    epoch: int
    gid: int
    uid: int


@dataclass(frozen=True, slots=True)
class ClaimRes(Coded):
    LAYOUT: ClassVar[Layout] = schema.CLAIM_RES
    node: int
    epoch: int
    gid: int
    uid: int
    status: int
    right: int


@dataclass(frozen=True, slots=True)
class Drop(Coded):
    """Gives back references to a port of the receiver's."""

    LAYOUT: ClassVar[Layout] = schema.DROP
    uid: int
    references: int


@dataclass(frozen=True, slots=True)
class PortDead(Coded):
    LAYOUT: ClassVar[Layout] = schema.PORT_DEAD
    uid: int
    reason: int


@dataclass(frozen=True, slots=True)
class SendOnceDrop(Coded):
    """A send-once right was destroyed instead of used."""

    LAYOUT: ClassVar[Layout] = schema.SO_DROP
    uid: int


@dataclass(frozen=True, slots=True)
class PortStateItem(Coded):
    """Whether the queue of a port takes more."""

    LAYOUT: ClassVar[Layout] = schema.PORT_STATE
    uid: int
    state: int


@dataclass(frozen=True, slots=True)
class Flush(Coded):
    LAYOUT: ClassVar[Layout] = schema.FLUSH
    token: int
    uid: int


@dataclass(frozen=True, slots=True)
class FlushAck(Coded):
    LAYOUT: ClassVar[Layout] = schema.FLUSH
    token: int
    uid: int


@dataclass(frozen=True, slots=True)
class MessageFail(Coded):
    """A message could not be delivered."""

    LAYOUT: ClassVar[Layout] = schema.MSG_FAIL
    item: int  # its id
    status: int


@dataclass(frozen=True, slots=True)
class ReceiveTaken(Coded):
    """A receive right arrived; the old home now forwards to the new port."""

    LAYOUT: ClassVar[Layout] = schema.RECV_TAKEN
    PARTS: ClassVar[dict[str, type[Coded]]] = {"port": PortDescriptor}
    uid: int
    port: PortDescriptor


@dataclass(frozen=True, slots=True)
class SealedItem:
    """A body under the peer's public key (`paper`)."""

    kind: int
    octets: bytes


Control = (Claim | Grant | GrantFor | GrantRes | ClaimPort | ClaimRes | Drop | PortDead | SendOnceDrop | PortStateItem
           | Flush | FlushAck | MessageFail | ReceiveTaken)
ItemBody = Message | Control | SealedItem

BODIES: Final[dict[ItemKind, type[Message] | type[Control]]] = {
    ItemKind.MSG: Message, ItemKind.CLAIM: Claim, ItemKind.GRANT: Grant, ItemKind.GRANT_FOR: GrantFor,
    ItemKind.GRANT_RES: GrantRes, ItemKind.CLAIM_PORT: ClaimPort, ItemKind.CLAIM_RES: ClaimRes, ItemKind.DROP: Drop,
    ItemKind.PORT_DEAD: PortDead, ItemKind.SO_DROP: SendOnceDrop, ItemKind.PORT_STATE: PortStateItem,
    ItemKind.FLUSH: Flush, ItemKind.FLUSH_ACK: FlushAck, ItemKind.MSG_FAIL: MessageFail,
    ItemKind.RECV_TAKEN: ReceiveTaken,
}
KINDS: Final = {body: kind for kind, body in BODIES.items()}


@dataclass(frozen=True, slots=True)
class Item:
    """One unit of the stream; ids count from 1 without gaps."""

    id: int
    body: ItemBody

    @property
    def kind(self) -> ItemKind:
        return ItemKind(self.body.kind) if isinstance(self.body, SealedItem) else KINDS[type(self.body)]

    def encode(self) -> bytes:
        """Raises ValueError: a value that does not fit."""
        sealed = isinstance(self.body, SealedItem)
        octets = self.body.octets if isinstance(self.body, SealedItem) else self.body.encode()
        if len(octets) > Number.ITEM_BODY_MAX:
            raise ValueError(f"an item of {len(octets)} octets")
        return schema.ITEM.encode({"kind": self.kind, "flags": Number.ITEM_SEALED if sealed else 0, "id": self.id,
                                   "body": octets})


def item_size(header: bytes) -> int:
    """Octets of the item that begins with these, at least a header's worth.

    Raises Malformed: its body is longer than any may be.
    """
    length = int.from_bytes(header[:4], "little")
    if length > Number.ITEM_BODY_MAX:
        raise Malformed(f"ITEM: a body of {length} octets")
    return schema.ITEM.size + length


def decode_item(data: bytes) -> Item:
    """Exactly one item.  Raises Malformed."""
    values = schema.ITEM.decode(data)
    kind, flags, body = values["kind"], values["flags"], values["body"]
    if len(body) > Number.ITEM_BODY_MAX:
        raise Malformed(f"ITEM: a body of {len(body)} octets")
    if kind not in BODIES:
        raise Malformed(f"ITEM: kind {kind}")
    if flags & ~Number.ITEM_SEALED:
        raise Malformed(f"ITEM: flags {flags:#x}")
    if flags & Number.ITEM_SEALED:
        return Item(values["id"], SealedItem(kind, body))
    return Item(values["id"], BODIES[ItemKind(kind)].decode(body))
