"""What the network server makes of octets, set beside the codecs that define them.

Every frame ends where memory does, so an octet read behind it ends the test.
"""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from machemu.wire import schema
from machemu.wire.frames import Body, Data, Ethernet, Frame, Handshake, Header, Opened, decode_frame
from machemu.wire.items import Item, decode_item
from machemu.wire.layout import Malformed
from machemu.wire.message import Message
from machemu.wire.records import Close, Stream, decode_records
from machemu.wire.schema import FrameType, Number
from tests.servers.gns_host.lan import MS, SECOND, Lan, MakeLan
from tests.servers.test_gns_stream import Peer
from tests.support.wire import ITEMS, PACKETS, frames, messages

pytest_plugins = ("tests.servers.gns_host.fixtures",)

FUZZ = settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
MAC = bytes.fromhex("024d4b000009")
UNJUDGED = ("rx_not_mine", "rx_self", "rx_limited", "rx_stale_epoch", "hs_stale_epoch")
JUDGED = ("rx_malformed", "rx_bad_suite")


@pytest.fixture(scope="module")
def alone(gns_library: Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """One node that only hears."""
    lan = Lan(gns_library, tmp_path_factory.mktemp("alone"), nodes=1)
    yield lan
    lan.check()
    lan.close()


def take(lan: Lan, payload: bytes) -> dict[str, int]:
    """Let the server take a frame; which counters went up."""
    names = JUDGED + UNJUDGED
    server = lan[1]
    before = [server.counter(name) for name in names]
    lan.run(10 * SECOND)  # the rate limit's bucket is full again
    server.receive(Ethernet(server.mac, MAC, Number.ETHERTYPE, payload).encode())
    lan.settle()
    return {name: server.counter(name) - old for name, old in zip(names, before, strict=True)
            if server.counter(name) != old}


def verdict(payload: bytes) -> str | None:
    """The counter that the codec says a frame belongs to; None: well formed."""
    if payload[3:4] != b"\0":  # any other suite is as good as one that does not exist
        payload = payload[:3] + b"\x07" + payload[4:]
    try:
        decode_frame(payload)
    except Malformed as fault:
        return fault.counter
    return None


NODES: Final = itertools.count(1000)


def readdressed(payload: bytes, to_all: bool) -> bytes:
    """The same frame, from a node not heard before to node 1 or all."""
    octets = bytearray(payload)
    if len(payload) >= schema.HEADER.size:
        struct.pack_into("<II", octets, schema.HEADER.offset("src_node"), next(NODES), 0xFFFFFFFF if to_all else 1)
    return bytes(octets)


def judged_alike(lan: Lan, payload: bytes) -> None:
    expected, found = verdict(payload), take(lan, payload)
    if any(name in found for name in UNJUDGED):
        return
    # The records of a packet are read only once its channel is known.
    if expected == "rx_malformed" and not found and payload[4:5] == bytes([FrameType.DATA]):
        decode_frame(payload[:6] + struct.pack("<H", 32) + payload[8:32])
        return
    assert found == ({expected: 1} if expected else {}), payload.hex()


@FUZZ
@given(octets=st.binary(max_size=200), to_all=st.booleans())
def test_arbitrary_octets_are_judged_as_by_the_codec(alone: Lan, octets: bytes, to_all: bool) -> None:
    judged_alike(alone, readdressed(octets, to_all))


@FUZZ
@given(frame=frames(), to_all=st.booleans(), cut=st.integers(0, 40), change=st.none() | st.tuples(
    st.integers(0, 100), st.integers(1, 255)))
def test_frames_cut_short_or_changed_are_judged_as_by_the_codec(
    alone: Lan, frame: Frame, to_all: bool, cut: int, change: tuple[int, int] | None
) -> None:
    octets = bytearray(readdressed(frame.encode(), to_all))
    if change is not None and change[0] < len(octets) and not 8 <= change[0] < 20:
        octets[change[0]] ^= change[1]
    judged_alike(alone, bytes(octets[: max(32, len(octets) - cut)]))


@pytest.mark.parametrize(("field", "octets", "counter"), [
    (2, b"\x02", "rx_malformed"), (0, b"\0\0", "rx_malformed"), (3, b"\x01", "rx_bad_suite"),
    (3, b"\x07", "rx_bad_suite"), (4, b"\x06", "rx_malformed"), (4, b"\x12", "rx_malformed"),
    (5, b"\x01", "rx_malformed"), (6, b"\x1f\0", "rx_malformed"), (6, b"\xdd\x05", "rx_malformed"),
    (8, b"\0\0\0\0", "rx_malformed"), (8, b"\x01\0\0\0", "rx_self"), (12, b"\x02\0\0\0", "rx_not_mine"),
    (12, b"\xff\xff\xff\xff", "rx_malformed"), (20, b"\x01\0\0\0", "rx_malformed"),
])
def test_each_field_of_the_header_is_checked(alone: Lan, field: int, octets: bytes, counter: str) -> None:
    frame = bytearray(Frame(Header(0, FrameType.HS1, 9, 1, 7, 0, 1), Handshake(5, 1)).encode())
    frame[field:field + len(octets)] = octets
    assert take(alone, bytes(frame).ljust(1500, b"\0")) == {counter: 1}


def test_shorter_than_any_header(alone: Lan) -> None:
    before = alone[1].counter("rx_malformed")
    for length in range(1, 46):
        alone[1].receive(bytes(length))
        alone.settle()
    assert alone[1].counter("rx_malformed") - before == 45


# -- packets and items, from a peer that has shaken hands -----------------------------------------


class Stranger:
    """A node not heard before, with a channel of its own."""

    def __init__(self, lan: Lan) -> None:
        self.lan, self.node, self.number = lan, next(NODES), 0
        self._send(FrameType.HS1, 0, 1, Handshake(5, 1).encode())
        answer = self.last_answer()
        assert isinstance(answer, Handshake)
        self._channel = answer.channel

    def packet(self, octets: bytes) -> None:
        self._send(FrameType.DATA, self._channel, self.number, octets)
        self.number += 1

    def leave(self) -> None:
        """Else what the server has to say to it would be kept."""
        self.packet(Data((Close(2),)).encode())

    def broadcast(self, kind: FrameType, body: Opened) -> None:
        octets = body.encode()
        self._send(kind, 0, 1, struct.pack("<HH", len(octets), 0) + octets, Number.ALL_NODES)

    def last_answer(self) -> Body:
        """The body of the last frame that the server has sent."""
        return decode_frame(Ethernet.decode(self.lan[1].sent[-1]).payload).body

    def _send(self, kind: FrameType, chan: int, seq: int, body: bytes, to: int = 1) -> None:
        header = struct.pack("<HBBBBHIIIIQ", Number.MAGIC, Number.VERSION, 0, kind, 0, 32 + len(body), self.node, to, 1,
                             chan, seq)
        server = self.lan[1]
        server.receive(Ethernet(server.mac, MAC, Number.ETHERTYPE, header + body).encode())
        self.lan.settle()


@FUZZ
@given(octets=PACKETS | st.binary(max_size=100), cut=st.integers(0, 8))
def test_packets_are_judged_as_by_the_codec(alone: Lan, octets: object, cut: int) -> None:
    raw = octets if isinstance(octets, bytes) else Data(octets).encode()  # type: ignore[arg-type]
    raw = raw[: len(raw) - cut]
    try:
        decode_records(raw)
        expected = False
    except Malformed:
        expected = True
    stranger = Stranger(alone)
    names = ("rx_malformed", "assoc_closed")
    before = [alone[1].counter(name) for name in names]
    stranger.packet(raw)
    malformed, closed = (alone[1].counter(name) - old for name, old in zip(names, before, strict=True))
    assert malformed <= closed <= 1
    assert closed or not expected  # behind a CLOSE nothing is read
    stranger.leave()


def give_item(lan: Lan, octets: bytes) -> int:
    """One item of a fresh association, in as many packets as it takes; the malformed ones."""
    stranger = Stranger(lan)
    before = lan[1].counter("rx_malformed")
    for start in range(0, len(octets), 1400):
        stranger.packet(Data((Stream(start, octets[start:start + 1400]),)).encode())
    malformed = lan[1].counter("rx_malformed") - before
    stranger.leave()
    return malformed


@FUZZ
@given(item=ITEMS, change=st.none() | st.tuples(st.integers(0, 200), st.integers(1, 255)))
def test_items_the_codec_refuses_are_malformed(alone: Lan, item: Item, change: tuple[int, int] | None) -> None:
    octets = bytearray(item.encode())
    octets[8:16] = struct.pack("<Q", 1)
    if change is not None and 16 <= change[0] < len(octets):
        octets[change[0]] ^= change[1]
    try:
        decode_item(bytes(octets))
        expected = False
    except Malformed:
        expected = True
    malformed = give_item(alone, bytes(octets))
    # The server reads a message's own descriptors, too, which to the codec are data.
    if not isinstance(item.body, Message):
        assert malformed == int(expected or bool(octets[5]))
    elif expected:
        assert malformed == 1
    alone[1].memory()


@FUZZ
@given(body=messages(), junk=st.binary(max_size=400))
def test_messages_of_any_shape_do_no_harm(alone: Lan, body: Message, junk: bytes) -> None:
    inline = junk.ljust(-(-len(junk) // 8) * 8, b"\0")
    for message in (body, Message(body.dest_uid, complex=True, inline=inline)):
        give_item(alone, Item(1, message).encode())
    alone[1].memory()


def test_item_longer_than_any_may_be(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=1)
    peer = Peer(lan, lan[1])
    peer.send(Stream(0, struct.pack("<IBBHQ", Number.ITEM_BODY_MAX + 1, 1, 0, 0, 1)))
    assert lan[1].counter("rx_malformed") == 1
    lan.run(MS)
    assert lan[1].stat("association") == []
