"""Frames: Ethernet, the common header, and what each type carries (security.md 4.1 to 4.5).

Bodies of suites `none` and `paper` are decoded; those of `modern` are sealed and stay octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from machemu.wire import schema
from machemu.wire.codec import Coded, check_flags, check_name
from machemu.wire.layout import Layout, Malformed
from machemu.wire.records import Record, decode_records, encode_records
from machemu.wire.schema import FrameType, Number, Suite

AES_BLOCK: Final = 16  # octets
KEY_MAGIC: Final = b"MKA1"
BROADCASTS: Final = (FrameType.NAME_REQ, FrameType.NAME_ANS, FrameType.NAME_ANN, FrameType.NODE_UP,
                     FrameType.NODE_DOWN)  # sealed as in 4.2
CHANNELLED: Final = (FrameType.HS2, FrameType.HS3, FrameType.DATA)  # carry the receiver's channel


@dataclass(frozen=True, slots=True)
class Ethernet:
    """An Ethernet frame without its FCS; the payload keeps padding."""

    destination: bytes
    source: bytes
    ethertype: int
    payload: bytes

    def encode(self) -> bytes:
        return schema.ETHERNET.encode({"destination": self.destination, "source": self.source,
                                       "ethertype": self.ethertype.to_bytes(2, "big"), "payload": self.payload})

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Raises Malformed: shorter than its header."""
        schema.ETHERNET.decode(octets)
        return cls(octets[:6], octets[6:12], int.from_bytes(octets[12:14], "big"), octets[14:])


@dataclass(frozen=True, slots=True)
class Header:
    """The common header; magic, version and length are not kept."""

    suite: int
    type: int
    src_node: int
    dst_node: int
    src_epoch: int
    chan: int = 0
    seq: int = 0

    def check(self) -> None:
        """Raises ValueError: a rule of 4.1 that needs no state is broken."""
        if self.src_node in (0, Number.ALL_NODES):
            raise ValueError(f"src_node {self.src_node}")
        broadcast = self.dst_node == Number.ALL_NODES
        if broadcast and not (self.type == FrameType.KEY_ANNOUNCE or self._may_go_to_all()):
            raise ValueError("a frame of this type goes to one node, not to all")
        if self.suite == Suite.MODERN:
            return
        if bool(self.chan) != (self.type in CHANNELLED):
            raise ValueError(f"chan {self.chan}")

    def _may_go_to_all(self) -> bool:
        return self.type in BROADCASTS and not (self.type == FrameType.NAME_ANS and self.suite == Suite.MODERN)


@dataclass(frozen=True, slots=True)
class Origin(Coded):
    """Optimisation 2: the asking server, as registered with its ACS."""

    LAYOUT: ClassVar[Layout] = schema.ORIGIN
    uid: int
    name: bytes

    def check(self) -> None:
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class NameReq:
    """Step 3: who has this name?"""

    req_id: int
    name: bytes
    announce: bool = False  # the answer may be announced
    origin: Origin | None = None

    def encode(self) -> bytes:
        check_name(self.name)
        octets = schema.NAME_REQ.encode({
            "req_id": self.req_id, "name_len": len(self.name), "octets": self.name,
            "flags": Number.NAME_REQ_ANNOUNCE * self.announce | Number.NAME_REQ_ORIGIN * (self.origin is not None)})
        return octets if self.origin is None else octets + bytes(-len(octets) % 8) + self.origin.encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises Malformed."""
        values = schema.NAME_REQ.decode(data)
        flags, size, rest = values["flags"], values["name_len"], values["octets"]
        try:
            check_flags(flags, Number.NAME_REQ_ANNOUNCE | Number.NAME_REQ_ORIGIN)
            check_name(rest[:size] if size <= len(rest) else b"")
        except ValueError as error:
            raise Malformed(f"NAME_REQ: {error}") from None
        rest_after, origin = rest[size:], None
        if flags & Number.NAME_REQ_ORIGIN:
            padding = -size % 8  # the fixed part is a multiple of 8
            if any(rest_after[:padding]):
                raise Malformed("NAME_REQ: padding is not zero")
            origin = Origin.decode(rest_after[padding:])
        elif rest_after:
            raise Malformed(f"NAME_REQ: {len(rest_after)} octets too many")
        return cls(values["req_id"], rest[:size], bool(flags & Number.NAME_REQ_ANNOUNCE), origin)


@dataclass(frozen=True, slots=True)
class NameAns(Coded):
    """Step 6: I have it."""

    LAYOUT: ClassVar[Layout] = schema.NAME_ANS
    req_id: int
    status: int
    flags: int
    uid: int  # `modern`: 0
    name: bytes

    def check(self) -> None:
        check_flags(self.flags, Number.NAME_ANS_POLICY)
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class NameAnn(Coded):
    """A hint where a name lives; ttl 0 withdraws it."""

    LAYOUT: ClassVar[Layout] = schema.NAME_ANN
    ttl_s: int
    flags: int
    name: bytes

    def check(self) -> None:
        check_flags(self.flags, 0)
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class NodeUp(Coded):
    LAYOUT: ClassVar[Layout] = schema.NODE_UP
    generation: int  # of the policy
    uptime_ns: int


@dataclass(frozen=True, slots=True)
class NodeDown(Coded):
    LAYOUT: ClassVar[Layout] = schema.NODE_DOWN
    reason: int


@dataclass(frozen=True, slots=True)
class KeyAnnounce(Coded):
    """A public key under the site's symmetric key (`paper`)."""

    LAYOUT: ClassVar[Layout] = schema.KEY_ANNOUNCE
    iv: bytes
    sealed: bytes

    def check(self) -> None:
        if not self.sealed or len(self.sealed) % AES_BLOCK:
            raise ValueError(f"{len(self.sealed)} octets under AES-CBC")


@dataclass(frozen=True, slots=True)
class Key(Coded):
    """What KEY_ANNOUNCE seals, before its digest."""

    LAYOUT: ClassVar[Layout] = schema.KEY
    magic: bytes
    node: int
    flags: int  # bit 0: please answer
    e: int
    modulus: bytes  # big-endian

    def check(self) -> None:
        if self.magic != KEY_MAGIC:
            raise ValueError(f"magic {self.magic!r}")
        check_flags(self.flags, 1)


@dataclass(frozen=True, slots=True)
class Handshake(Coded):
    """HS1 and HS2 of `none` and `paper`."""

    LAYOUT: ClassVar[Layout] = schema.HS
    channel: int  # the sender's, at which it wants to be called
    rel: int

    def check(self) -> None:
        if self.channel == 0:
            raise ValueError("channel 0")


@dataclass(frozen=True, slots=True)
class ChanUnknown(Coded):
    """A hint that the sender does not know a channel."""

    LAYOUT: ClassVar[Layout] = schema.CHAN_UNKNOWN
    seq: int  # of the offending frame


@dataclass(frozen=True, slots=True)
class Data:
    """A packet."""

    records: tuple[Record, ...]

    def encode(self) -> bytes:
        return encode_records(self.records)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(decode_records(data))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body of suite `modern`."""

    octets: bytes

    def encode(self) -> bytes:
        return self.octets


Opened = NameReq | NameAns | NameAnn | NodeUp | NodeDown | KeyAnnounce | Handshake | ChanUnknown | Data
Body = Opened | Sealed
BODIES: Final[dict[FrameType, type[Opened]]] = {
    FrameType.NAME_REQ: NameReq, FrameType.NAME_ANS: NameAns, FrameType.NAME_ANN: NameAnn, FrameType.NODE_UP: NodeUp,
    FrameType.NODE_DOWN: NodeDown, FrameType.KEY_ANNOUNCE: KeyAnnounce, FrameType.HS1: Handshake,
    FrameType.HS2: Handshake, FrameType.DATA: Data, FrameType.CHAN_UNKNOWN: ChanUnknown,
}  # of `none` and `paper`
MODERN_SIZES: Final = {
    FrameType.HS1: schema.HS1_MODERN.size, FrameType.HS2: schema.HS2_MODERN.size,
    FrameType.HS3: schema.HS3_MODERN.size, FrameType.HS_RETRY: schema.HS_RETRY.size,
    FrameType.CHAN_UNKNOWN: schema.CHAN_UNKNOWN.size,
}  # octets of bodies whose size is fixed


@dataclass(frozen=True, slots=True)
class Frame:
    """Header and body: what an Ethernet frame of our type carries."""

    header: Header
    body: Body

    def encode(self) -> bytes:
        """Raises ValueError: a value that does not fit, or a body that is not the type's."""
        self.header.check()
        header, octets = self.header, self.body.encode()
        if header.suite != Suite.MODERN:
            if not isinstance(self.body, BODIES[FrameType(header.type)]):
                raise ValueError(f"{type(self.body).__name__} in a frame of type {header.type:#x}")
            if header.type in BROADCASTS:
                octets = schema.BCAST.encode({"inner_len": len(octets), "certs_len": 0, "octets": octets})
        length = schema.HEADER.size + len(octets)
        if length > Number.MTU:
            raise ValueError(f"a frame of {length} octets")
        return schema.HEADER.encode({
            "magic": Number.MAGIC, "version": Number.VERSION, "suite": header.suite, "type": header.type,
            "length": length, "src_node": header.src_node, "dst_node": header.dst_node,
            "src_epoch": header.src_epoch, "chan": header.chan, "seq": header.seq}) + octets


def decode_frame(payload: bytes) -> Frame:
    """What an Ethernet payload carries; padding behind the stated length is ignored.

    Checks in the order of 4.1, as far as they need no state.  Raises Malformed.
    """
    header_octets = payload[: schema.HEADER.size]
    if len(header_octets) < schema.HEADER.size:
        raise Malformed(f"HEADER: {len(payload)} octets")
    octets = {field.name: int.from_bytes(header_octets[field.offset : field.offset + (field.size or 0)], "little")
              for field in schema.HEADER.fields}
    if not schema.HEADER.size <= octets["length"] <= min(len(payload), Number.MTU):
        raise Malformed(f"HEADER: length {octets['length']} of {len(payload)} octets")
    for name, wanted in (("magic", Number.MAGIC), ("version", Number.VERSION)):
        if octets[name] != wanted:
            raise Malformed(f"HEADER: {name} {octets[name]:#x}")
    suite = octets["suite"]
    if suite > Suite.MODERN:
        raise Malformed(f"HEADER: suite {suite}", "rx_bad_suite")
    known = set(FrameType) - {FrameType.KEY_ANNOUNCE} if suite == Suite.MODERN else set(BODIES)
    if suite == Suite.NONE:
        known.discard(FrameType.KEY_ANNOUNCE)
    if octets["type"] not in known:
        raise Malformed(f"HEADER: type {octets['type']:#x} in suite {suite}")
    schema.HEADER.decode(header_octets)  # the reserved octet
    header = Header(suite, octets["type"], octets["src_node"], octets["dst_node"], octets["src_epoch"],
                    octets["chan"], octets["seq"])
    try:
        header.check()
    except ValueError as error:
        raise Malformed(f"HEADER: {error}") from None
    return Frame(header, _decode_body(header, payload[schema.HEADER.size : octets["length"]]))


def _decode_body(header: Header, body: bytes) -> Body:
    kind = FrameType(header.type)
    if header.suite == Suite.MODERN:
        if kind in MODERN_SIZES and len(body) != MODERN_SIZES[kind]:
            raise Malformed(f"{kind.name}: {len(body)} octets instead of {MODERN_SIZES[kind]}")
        return Sealed(body)
    return BODIES[kind].decode(_open_broadcast(body) if kind in BROADCASTS else body)


def _open_broadcast(body: bytes) -> bytes:
    values = schema.BCAST.decode(body)
    inner, certificates = values["inner_len"], values["certs_len"]
    octets: bytes = values["octets"]
    if certificates or inner != len(octets):
        raise Malformed(f"BCAST: {inner} and {certificates} octets announced, {len(octets)} there")
    return octets
