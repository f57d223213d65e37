"""Records of a DATA packet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.wire.layout import Malformed
from machemu.wire.records import Ack, Close, Pad, Ping, Record, Stream, decode_records, encode_records
from tests.support.wire import PACKETS


@given(PACKETS)
def test_any_packet_comes_back(packet: tuple[Record, ...]) -> None:
    assert decode_records(encode_records(packet)) == packet


@given(st.binary(max_size=80))
def test_arbitrary_octets_are_records_or_malformed(octets: bytes) -> None:
    try:
        packet = decode_records(octets)
    except Malformed:
        return
    assert encode_records(packet) == octets


def test_records_have_the_octets_of_the_table() -> None:
    packet = (Ack(9, 5, 100, 65536, 250), Stream(7, b"abc"), Close(2), Pad(2))
    assert encode_records(packet).hex() == (
        "01 00 2000 0900000000000000 0500000000000000 6400000000000000 00000100 fa000000"
        "02 00 0b00 0700000000000000 616263 00"
        "06 00 0400 02000000 0000".replace(" ", ""))


@pytest.mark.parametrize("octets", [
    pytest.param("0300", id="cut header"),
    pytest.param("03000800 00", id="cut body"),
    pytest.param("03000900 000000000000000000", id="wrong length, unpadded"),
    pytest.param("03000900 000000000000000000 000000", id="wrong length"),
    pytest.param("03010800 0000000000000000", id="flags"),
    pytest.param("07000000", id="unknown type"),
    pytest.param("00000001", id="padding not zero"),
    pytest.param("02000900 0000000000000000 61 000001", id="record's padding not zero"),
    pytest.param("02008105" + "00" * 1412, id="too much data"),
])
def test_bad_record_is_malformed(octets: str) -> None:
    with pytest.raises(Malformed):
        decode_records(bytes.fromhex(octets.replace(" ", "")))


def test_nothing_may_follow_padding() -> None:
    with pytest.raises(ValueError, match="after padding"):
        encode_records((Pad(4), Ping(1)))
