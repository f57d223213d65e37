"""Frames: the octets of security.md 4.1 to 4.5, and refusal of all others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.wire.frames import (
    Body,
    Data,
    Ethernet,
    Frame,
    Handshake,
    Header,
    Key,
    KeyAnnounce,
    NameAns,
    NameReq,
    NodeUp,
    Origin,
    Sealed,
    decode_frame,
)
from machemu.wire.layout import Malformed
from machemu.wire.records import Ping
from machemu.wire.schema import FrameType, Number, Suite
from tests.support.wire import coded, frames

ALL = Number.ALL_NODES
# Of security.md, appendix A.
HS1_MODERN = bytes.fromhex(
    "474e01021000680001000000020000000700000005000000080706050403020100000000000000000000000000000000cfff997a6c05ac43"
    "33443862a7670367caf9ac29ee76c22b548634a1146144597a1de59b75fd8ce46d3f2de711657a1f1100000000000000")
DATA_MODERN = bytes.fromhex(
    "474e0102200044000200000001000000030000001100000000000000000000006db7b748010bfe29ac6abda672a82eeaaba23f1fb76a4669"
    "70ff219000d8d33bee8e70d5")


@given(frames())
def test_any_frame_comes_back(frame: Frame) -> None:
    assert decode_frame(frame.encode()) == frame


@given(frames(), st.integers(0, 60))
def test_padding_behind_the_length_is_ignored(frame: Frame, padding: int) -> None:
    assert decode_frame(frame.encode() + bytes(padding)) == frame


@given(st.binary(max_size=120))
def test_arbitrary_octets_are_a_frame_or_malformed(octets: bytes) -> None:
    try:
        frame = decode_frame(octets)
    except Malformed:
        return
    assert frame.encode() == octets[: len(frame.encode())]


@given(frames(), st.data())
def test_damaged_frame_is_another_frame_or_malformed(frame: Frame, data: st.DataObject) -> None:
    octets = bytearray(frame.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = decode_frame(bytes(octets))
    except Malformed:
        return
    assert decode_frame(again.encode()) == again


def test_name_request_has_the_octets_of_the_table() -> None:
    header = Header(Suite.NONE, FrameType.NAME_REQ, 1, ALL, 7, 0, 5)
    frame = Frame(header, NameReq(0x1122334455667788, b"counter", True, Origin(258, b"client")))
    assert frame.encode().hex() == (
        "474e 01 00 01 00 5200 01000000 ffffffff 07000000 00000000 0500000000000000"  # header
        "2e00 0000"  # inner length, no certificates
        "8877665544332211 0300 0700 00000000 636f756e746572 00"  # name, padded to 8
        "0201000000000000 0600 000000000000 636c69656e74".replace(" ", ""))


def test_answer_has_the_octets_of_the_table() -> None:
    frame = Frame(Header(Suite.NONE, FrameType.NAME_ANS, 2, 1, 3, 0, 9), NameAns(0x11, 0, 1, 256, b"counter"))
    assert frame.encode()[32:].hex() == (
        "1f00 0000 1100000000000000 00000000 0100 0700 0001000000000000 636f756e746572".replace(" ", ""))


def test_handshake_has_the_length_of_the_table() -> None:
    octets = Frame(Header(Suite.NONE, FrameType.HS1, 1, 2, 7, 0, 0x0102030405060708), Handshake(0x11, 1)).encode()
    assert len(octets) == 40
    assert octets[32:].hex() == "1100000001000000"


def test_frames_of_suite_modern_match_the_test_vectors() -> None:
    hs1 = decode_frame(HS1_MODERN)
    assert hs1.header == Header(Suite.MODERN, FrameType.HS1, 1, 2, 7, 5, 0x0102030405060708)
    assert isinstance(hs1.body, Sealed)
    assert len(hs1.body.octets) == 72
    assert hs1.encode() == HS1_MODERN
    packet = decode_frame(DATA_MODERN)
    assert packet.header == Header(Suite.MODERN, FrameType.DATA, 2, 1, 3, 0x11, 0)
    assert packet.encode() == DATA_MODERN


GOOD = Frame(Header(Suite.NONE, FrameType.NODE_UP, 1, ALL, 7, 0, 1), NodeUp(0, 99)).encode()


@pytest.mark.parametrize(("at", "octet", "said", "counter"), [
    (0, 0x48, "magic", "rx_malformed"),
    (2, 2, "version", "rx_malformed"),
    (3, 3, "suite 3", "rx_bad_suite"),
    (4, 0x12, "type 0x12 in suite 0", "rx_malformed"),
    (4, 0x06, "type 0x6 in suite 0", "rx_malformed"),
    (4, 0x21, "goes to one node", "rx_malformed"),
    (5, 1, "reserved", "rx_malformed"),
    (6, 31, "length 31", "rx_malformed"),
    (6, 200, "length 200", "rx_malformed"),
    (8, 0, "src_node 0", "rx_malformed"),
    (20, 1, "chan 1", "rx_malformed"),
    (32, 15, "BCAST: 15 and 0", "rx_malformed"),
    (34, 1, "BCAST: 16 and 1", "rx_malformed"),
    (40, 1, "NODE_UP: octets 4 on are reserved", "rx_malformed"),
])
def test_each_rule_of_the_header_is_checked(at: int, octet: int, said: str, counter: str) -> None:
    octets = bytearray(GOOD)
    octets[at] = octet
    with pytest.raises(Malformed) as caught:
        decode_frame(bytes(octets))
    assert said in str(caught.value)
    assert caught.value.counter == counter


@pytest.mark.parametrize(("kind", "body", "to", "chan"), [
    pytest.param(FrameType.DATA, Data(()), 2, 0, id="packet without channel"),
    pytest.param(FrameType.HS1, Handshake(1, 1), 2, 1, id="first handshake frame with a channel"),
    pytest.param(FrameType.DATA, Data((Ping(1),)), ALL, 1, id="packet to all"),
    pytest.param(FrameType.NAME_REQ, NodeUp(0, 0), ALL, 0, id="body of another type"),
    pytest.param(FrameType.NAME_REQ, NameReq(0, b""), ALL, 0, id="empty name"),
    pytest.param(FrameType.NAME_REQ, NameReq(0, bytes(65)), ALL, 0, id="long name"),
])
def test_frame_that_breaks_a_rule_is_not_made(kind: FrameType, body: Body, to: int, chan: int) -> None:
    with pytest.raises(ValueError):
        Frame(Header(Suite.NONE, kind, 1, to, 7, chan, 1), body).encode()


def test_frame_longer_than_the_mtu_is_not_made() -> None:
    header = Header(Suite.PAPER, FrameType.KEY_ANNOUNCE, 1, 0xFFFF_FFFF, 7, 0, 1)
    with pytest.raises(ValueError, match="1504 octets"):
        Frame(header, KeyAnnounce(bytes(16), bytes(1456))).encode()
    assert len(Frame(header, KeyAnnounce(bytes(16), bytes(1440))).encode()) == 1488


@given(coded(Key, magic=st.just(b"MKA1"), flags=st.integers(0, 1)))
def test_announced_key_comes_back(key: Key) -> None:
    assert Key.decode(key.encode()) == key
    assert len(key.encode()) == 272


def test_ethertype_is_big_endian() -> None:
    octets = Ethernet(b"\xff" * 6, b"\x02\x4d\x4b\0\0\1", Number.ETHERTYPE, b"payload").encode()
    assert octets[12:14].hex() == "88b5"
    assert Ethernet.decode(octets).ethertype == 0x88B5
    with pytest.raises(Malformed):
        Ethernet.decode(octets[:13])
