"""The notation of the wire tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.wire.layout import Kind, Malformed, layout

CLAIM = layout("CLAIM", "0:8 req_id · 8:4 interface · 12:2 name_len · 14:2 zero · 16 name")


def test_notation_gives_fields_with_their_kinds() -> None:
    assert [(field.name, field.offset, field.size, field.kind) for field in CLAIM.fields] == [
        ("req_id", 0, 8, Kind.INTEGER), ("interface", 8, 4, Kind.INTEGER), ("name_len", 12, 2, Kind.LENGTH),
        ("zero", 14, 2, Kind.ZERO), ("name", 16, None, Kind.OCTETS)]
    assert (CLAIM.size, CLAIM.tail, CLAIM.free) == (16, "name", ("req_id", "interface", "name"))
    assert CLAIM.offset("interface") == 8


def test_octets_are_little_endian_and_lengths_follow() -> None:
    octets = CLAIM.encode({"req_id": 0x0102030405060708, "interface": 2, "name": b"abc"})
    assert octets.hex(" ") == "08 07 06 05 04 03 02 01 02 00 00 00 03 00 00 00 61 62 63"
    assert CLAIM.decode(octets) == {"req_id": 0x0102030405060708, "interface": 2, "name": b"abc"}


@pytest.mark.parametrize("text", [
    pytest.param("0:8 a · 9:4 b", id="gap"),
    pytest.param("0:8 a · 7:4 b", id="overlap"),
    pytest.param("0 a · 4:4 b", id="something after the open end"),
    pytest.param("0:8 a · what", id="no place"),
    pytest.param("0:16 a as PD", id="no such part"),
])
def test_table_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="X"):
        layout("X", text)


@pytest.mark.parametrize("octets", [
    pytest.param(b"", id="nothing"),
    pytest.param(bytes(12) + b"\2\0\0\0a", id="length too long"),
    pytest.param(bytes(12) + b"\2\0\0\0abc", id="length too short"),
    pytest.param(bytes(12) + b"\1\0\0\1a", id="reserved octet not zero"),
])
def test_octets_that_do_not_fit_are_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed, match="CLAIM") as caught:
        CLAIM.decode(octets)
    assert caught.value.counter == "rx_malformed"


def test_value_that_does_not_fit_is_the_callers_mistake() -> None:
    for values in ({"req_id": 2**64, "interface": 0, "name": b""}, {"req_id": -1, "interface": 0, "name": b""},
                   {"req_id": 0, "interface": 0, "name": bytes(65536)}):
        with pytest.raises(ValueError, match="CLAIM"):
            CLAIM.encode(values)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=100))
def test_values_come_back(req_id: int, interface: int, name: bytes) -> None:
    values = {"req_id": req_id, "interface": interface, "name": name}
    assert CLAIM.decode(CLAIM.encode(values)) == values
