"""What a wiretapper makes of the frames of a segment: fields by name, items put together.

For tracer and tests.  Frames of suites `none` and `paper` are read; of `modern` the header.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, Final, final

from machemu.wire.frames import Data, Ethernet, Frame, Handshake, decode_frame
from machemu.wire.items import Item
from machemu.wire.layout import Malformed
from machemu.wire.records import Stream
from machemu.wire.schema import FrameType, Number, Suite
from machemu.wire.stream import StreamReassembler

Plain = dict[str, Any]
OCTETS_SHOWN: Final = 64  # of a field that is no text


def plain(value: object) -> Any:
    """A decoded value as dictionaries, lists, numbers and texts, ready for JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__,
                **{field.name: plain(getattr(value, field.name)) for field in fields(value)}}
    if isinstance(value, bytes):
        if value.isascii() and value.decode().isprintable():
            return value.decode()
        return {"octets": len(value), "hex": value[:OCTETS_SHOWN].hex()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@final
class WireWatcher:
    """Follows the streams between all pairs of nodes, from their first frame on."""

    def __init__(self) -> None:
        self._streams: dict[tuple[int, int], StreamReassembler] = {}  # by (from, to)
        self._boots: dict[tuple[int, int], tuple[int, int]] = {}  # (of, towards) -> epoch, rel
        self._handshakes: dict[tuple[int, int], int] = {}  # (from, to) -> hs_id of the last HS1

    def read(self, octets: bytes) -> tuple[Frame | None, list[Item]]:
        """A frame, None if its EtherType is not ours, and the items it completes.

        Raises Malformed.
        """
        ethernet = Ethernet.decode(octets)
        if ethernet.ethertype != Number.ETHERTYPE:
            return None, []
        frame = decode_frame(ethernet.payload)
        header, body = frame.header, frame.body
        if isinstance(body, Handshake):
            self._note_handshake(frame, body)
        items: list[Item] = []
        if isinstance(body, Data):
            stream = self._streams.setdefault((header.src_node, header.dst_node), StreamReassembler())
            for record in body.records:
                if isinstance(record, Stream):
                    items += stream.feed(record.offset, record.data)
        return frame, items

    def _note_handshake(self, frame: Frame, body: Handshake) -> None:
        """Streams restart where a side has a higher epoch or rel than known (security.md 3.5).

        With paper_ids both are always 0, and every new handshake restarts them (3).
        """
        header = frame.header
        pair, back = (header.src_node, header.dst_node), (header.dst_node, header.src_node)
        boot = (header.src_epoch, body.rel)
        repeated = self._handshakes.get(pair) == header.seq
        if header.type == FrameType.HS1:
            self._handshakes[pair] = header.seq
        anew = boot == (0, 0) and header.type == FrameType.HS1 and not repeated
        if anew or boot > self._boots.get(pair, (0, 0)):
            self._boots[pair] = boot
            # A side that answers a first frame restarts nothing the first frame did not.
            for direction in (pair, back):
                stream = self._streams.get(direction)
                if stream is not None and stream.received:
                    del self._streams[direction]

    def describe(self, octets: bytes) -> Plain:
        """A frame for people and traces; octets that are none are told as such."""
        try:
            frame, items = self.read(octets)
        except Malformed as error:
            return {"malformed": str(error)}
        if frame is None:
            return {"ethertype": int.from_bytes(octets[12:14], "big")}
        header = frame.header
        to: int | str = "all" if header.dst_node == Number.ALL_NODES else header.dst_node
        described: Plain = {
            "type": FrameType(header.type).name, "suite": Suite(header.suite).name.lower(), "from": header.src_node,
            "to": to, "epoch": header.src_epoch, "chan": header.chan, "number": header.seq, "body": plain(frame.body)}
        if items:
            described["items"] = [{"id": item.id, "item": item.kind.name, **plain(item.body)} for item in items]
        return described
