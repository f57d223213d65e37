"""Records of a DATA packet (security.md 4.6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from machemu.wire import schema
from machemu.wire.codec import Coded
from machemu.wire.layout import Layout, Malformed
from machemu.wire.schema import Number, RecordType

UNIT: Final = 4  # octets: records are padded to it


@dataclass(frozen=True, slots=True)
class Pad:
    """The rest of the packet is zero."""

    size: int  # octets, at least 1


@dataclass(frozen=True, slots=True)
class Ack(Coded):
    """What has arrived: packets by number, octets of the stream without a gap."""

    LAYOUT: ClassVar[Layout] = schema.ACK
    largest: int  # packet number
    bitmap: int  # bit i: packet largest - 1 - i has arrived
    stream_ack: int  # octets
    credit: int  # octets that may be in flight beyond stream_ack
    delay_us: int


@dataclass(frozen=True, slots=True)
class Stream(Coded):
    """Octets of the stream."""

    LAYOUT: ClassVar[Layout] = schema.STREAM
    offset: int
    data: bytes

    def check(self) -> None:
        if len(self.data) > Number.STREAM_DATA_MAX:
            raise ValueError(f"{len(self.data)} octets of data")


@dataclass(frozen=True, slots=True)
class Ping(Coded):
    LAYOUT: ClassVar[Layout] = schema.PING
    token: int


@dataclass(frozen=True, slots=True)
class Pong(Coded):
    LAYOUT: ClassVar[Layout] = schema.PING
    token: int


@dataclass(frozen=True, slots=True)
class Confirm(Coded):
    LAYOUT: ClassVar[Layout] = schema.CONFIRM
    rel: int
    transcript: bytes  # its first 8 octets


@dataclass(frozen=True, slots=True)
class Close(Coded):
    LAYOUT: ClassVar[Layout] = schema.CLOSE
    reason: int


Record = Pad | Ack | Stream | Ping | Pong | Confirm | Close
TYPES: Final[dict[RecordType, type[Ack | Stream | Ping | Pong | Confirm | Close]]] = {
    RecordType.ACK: Ack, RecordType.STREAM: Stream, RecordType.PING: Ping, RecordType.PONG: Pong,
    RecordType.CONFIRM: Confirm, RecordType.CLOSE: Close,
}
NUMBERS: Final = {record: number for number, record in TYPES.items()}


def encode_records(records: Iterable[Record]) -> bytes:
    """Raises ValueError: a value that does not fit, or padding that is not last."""
    parts: list[bytes] = []
    ended = False
    for record in records:
        if ended:
            raise ValueError("a record after padding")
        if isinstance(record, Pad):
            ended = True
            if record.size < 1:
                raise ValueError("padding of no octets")
            parts.append(bytes(record.size))
        else:
            octets = schema.RECORD.encode({"type": NUMBERS[type(record)], "body": record.encode()})
            parts.append(octets.ljust(-(-len(octets) // UNIT) * UNIT, b"\0"))
    return b"".join(parts)


def decode_records(data: bytes) -> tuple[Record, ...]:
    """Raises Malformed."""
    records: list[Record] = []
    at = 0
    while at < len(data):
        if data[at] == RecordType.PAD:
            if any(data[at:]):
                raise Malformed("RECORD: padding is not zero")
            records.append(Pad(len(data) - at))
            break
        size = schema.RECORD.size + int.from_bytes(data[at + 2 : at + 4], "little")
        end = at + -(-size // UNIT) * UNIT
        if end > len(data):
            raise Malformed(f"RECORD: {size} octets, but {len(data) - at} are left")
        if any(data[at + size : end]):
            raise Malformed("RECORD: padding is not zero")
        records.append(_decode_record(data[at : at + size]))
        at = end
    return tuple(records)


def _decode_record(octets: bytes) -> Record:
    values = schema.RECORD.decode(octets)
    if values["type"] not in TYPES:
        raise Malformed(f"RECORD: type {values['type']}")
    return TYPES[values["type"]].decode(values["body"])
