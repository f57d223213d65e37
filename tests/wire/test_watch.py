"""What a wiretapper reads."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from machemu.wire.frames import Body, Data, Ethernet, Frame, Handshake, Header, NameReq, NodeUp
from machemu.wire.items import Claim, Drop, Item
from machemu.wire.records import Stream
from machemu.wire.schema import FrameType, Number, Suite
from machemu.wire.watch import WireWatcher
from tests.support.wire import frames


def on_wire(frame: Frame) -> bytes:
    return Ethernet(b"\xff" * 6, bytes(6), Number.ETHERTYPE, frame.encode()).encode().ljust(60, b"\0")


def sent(kind: FrameType, body: Body, *, source: int = 1, to: int = 2, epoch: int = 1, seq: int = 0) -> bytes:
    chan = 5 if kind in (FrameType.HS2, FrameType.DATA) else 0
    return on_wire(Frame(Header(Suite.NONE, kind, source, to, epoch, chan, seq), body))


def packet(offset: int, data: bytes, *, source: int = 1, to: int = 2) -> bytes:
    return sent(FrameType.DATA, Data((Stream(offset, data),)), source=source, to=to)


def test_broadcast_is_described_by_its_fields() -> None:
    described = WireWatcher().describe(sent(FrameType.NAME_REQ, NameReq(7, b"counter"), to=Number.ALL_NODES, seq=3))
    assert described == {
        "type": "NAME_REQ", "suite": "none", "from": 1, "to": "all", "epoch": 1, "chan": 0, "number": 3,
        "body": {"kind": "NameReq", "req_id": 7, "name": "counter", "announce": False, "origin": None}}


def test_item_is_told_with_the_frame_that_completes_it() -> None:
    watcher = WireWatcher()
    octets = Item(1, Claim(9, 1, b"counter")).encode()
    assert "items" not in watcher.describe(packet(0, octets[:10]))
    assert watcher.describe(packet(10, octets[10:]))["items"] == [
        {"id": 1, "item": "CLAIM", "kind": "Claim", "req_id": 9, "interface": 1, "name": "counter"}]


def items_after(*before: bytes) -> int:
    """How many items a first packet of a stream gives after these frames."""
    watcher = WireWatcher()
    first = packet(0, Item(1, Drop(256, 1)).encode())
    for octets in (*before,):
        watcher.read(octets)
    return len(watcher.read(first)[1])


OLD = packet(0, Item(1, Drop(300, 1)).encode())


def test_streams_go_on_through_a_rekeying_and_restart_with_a_reboot() -> None:
    first = sent(FrameType.HS1, Handshake(5, 1), seq=10)
    assert items_after(first, OLD) == 0  # octets that arrived already
    assert items_after(first, OLD, sent(FrameType.HS1, Handshake(6, 1), seq=11)) == 0
    assert items_after(first, OLD, sent(FrameType.HS1, Handshake(6, 2), seq=11)) == 1
    assert items_after(first, OLD, sent(FrameType.HS1, Handshake(6, 1), epoch=2, seq=11)) == 1
    assert items_after(first, OLD, sent(FrameType.HS2, Handshake(6, 2), source=2, to=1, epoch=4, seq=11)) == 1


def test_with_identifiers_of_the_paper_each_new_handshake_restarts() -> None:
    first = sent(FrameType.HS1, Handshake(5, 0), epoch=0, seq=10)
    assert items_after(first, OLD, first) == 0  # the same, repeated
    assert items_after(first, OLD, sent(FrameType.HS1, Handshake(5, 0), epoch=0, seq=11)) == 1


def test_frames_of_others_are_told_by_their_ethertype() -> None:
    arp = Ethernet(b"\xff" * 6, bytes(6), 0x0806, bytes(46)).encode()
    assert WireWatcher().describe(arp) == {"ethertype": 0x0806}


def test_malformed_frame_is_told_as_such() -> None:
    octets = bytearray(sent(FrameType.NODE_UP, NodeUp(0, 1), to=Number.ALL_NODES))
    octets[14] = 0
    assert WireWatcher().describe(bytes(octets)) == {"malformed": "HEADER: magic 0x4e00"}


@given(st.lists(st.one_of(frames().map(on_wire), st.binary(max_size=80)), max_size=5))
def test_any_frames_are_described_in_json(seen: list[bytes]) -> None:
    watcher = WireWatcher()
    for octets in seen:
        assert json.dumps(watcher.describe(octets))
