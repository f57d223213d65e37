"""Where an indefinite array leaves the message, and other edges of size."""

from __future__ import annotations

import ctypes
import struct
from ctypes import byref, c_uint32, c_void_p, create_string_buffer

import pytest

from tests.mig.stubs import Stubs

PORT = 0x501
INLINE, LONG_FORM = 1 << 29, 1 << 30


@pytest.mark.parametrize(("name", "octets", "most"), [
    pytest.param("echo_any_chars", 1, 2048, id="octets"),
    pytest.param("echo_any_stamps", 8, 256, id="64 bits"),
    pytest.param("echo_any_pairs", 12, 170, id="structs, which do not divide 2048"),
    pytest.param("echo_any_ports", 4, 256, id="ports, 8 octets each in the message"),
])
def test_indefinite_array_leaves_the_message_past_2048_octets(
    stubs: Stubs, name: str, octets: int, most: int
) -> None:
    for count in (0, 1, most, most + 1):
        stubs.reset("every")
        data = bytes(n % 255 + 1 for n in range(count * octets))
        buffer, out = create_string_buffer(data, max(len(data), 1)), create_string_buffer(max(len(data), 1))
        pointer, number = c_void_p(ctypes.addressof(out)), c_uint32(count)
        assert getattr(stubs.library, name)(PORT, buffer, count, byref(pointer), byref(number)) == 0
        assert ctypes.string_at(pointer.value or 0, len(data)) == data
        word, = struct.unpack_from("<Q", stubs.message("sent").data, 32)
        assert (bool(word & INLINE), bool(word & LONG_FORM)) == (count <= most, True)
        inline_bits = {1: 8, 8: 64, 12: 32, 4: 64}[octets]
        assert word >> 8 & 0xFFFF == (32 if name == "echo_any_ports" and count > most else inline_bits)


@pytest.mark.parametrize(("name", "descriptor"), [
    pytest.param("echo_int", 0x0000_0001_2000_2002, id="int"),
    pytest.param("echo_boolean", 0x0000_0001_2000_2000, id="boolean"),
    pytest.param("echo_long", 0x0000_0001_2000_400B, id="64 bits"),
    pytest.param("echo_name", 0x0000_0001_2000_200F, id="name"),
    pytest.param("echo_port", 0x0000_0001_2000_4013, id="copied right"),
    pytest.param("echo_made", 0x0000_0001_2000_4014, id="made right"),
    pytest.param("echo_once", 0x0000_0001_2000_4015, id="right made to send once"),
    pytest.param("echo_moved", 0x0000_0001_2000_4011, id="moved right"),
    pytest.param("echo_receive", 0x0000_0001_2000_4010, id="receive right"),
])
def test_descriptor_is_the_one_of_the_abi(stubs: Stubs, name: str, descriptor: int) -> None:
    """The table of mach-abi.md 1.4."""
    stubs.reset("every")
    assert getattr(stubs.library, name)(PORT, 1, create_string_buffer(16)) == 0
    assert struct.unpack_from("<Q", stubs.message("sent").data, 32)[0] == descriptor


@pytest.mark.parametrize(("name", "form"), [
    pytest.param("echo_three_chars", INLINE, id="short fixed array"),
    pytest.param("echo_many_chars", INLINE | LONG_FORM, id="4096 elements and more"),
    pytest.param("echo_blob", INLINE | LONG_FORM, id="element of 256 bits and more"),
    pytest.param("echo_old_line", INLINE | LONG_FORM, id="string that is one element"),
    pytest.param("echo_four_ints", 0, id="fixed region"),
])
def test_long_form_is_chosen_by_size(stubs: Stubs, name: str, form: int) -> None:
    stubs.reset("every")
    buffer = create_string_buffer(8192)
    assert getattr(stubs.library, name)(PORT, buffer, create_string_buffer(8192)) == 0
    word, = struct.unpack_from("<Q", stubs.message("sent").data, 32)
    assert word & (INLINE | LONG_FORM) == form


@pytest.mark.parametrize(("name", "form"), [
    pytest.param("echo_some_ints", INLINE, id="varying inline"),
    pytest.param("echo_some_shorts", INLINE | LONG_FORM, id="IsLong"),
    pytest.param("echo_region", LONG_FORM, id="varying region"),
    pytest.param("echo_int_region", 0, id="IsNotLong"),
])
def test_long_form_is_chosen_by_form_and_by_flags(stubs: Stubs, name: str, form: int) -> None:
    stubs.reset("every")
    buffer, out, count = create_string_buffer(64), create_string_buffer(64), c_uint32(9)
    assert getattr(stubs.library, name)(PORT, buffer, 2, out, byref(count)) == 0
    word, = struct.unpack_from("<Q", stubs.message("sent").data, 32)
    assert word & (INLINE | LONG_FORM) == form
    assert word >> 32 == 2


def test_deallocate_bit_follows_the_flags_of_each_direction(stubs: Stubs) -> None:
    bits = {}
    for name in ("echo_region", "echo_pair_region"):
        stubs.reset("every")
        data, pointer, count = create_string_buffer(24), c_void_p(), c_uint32()
        assert getattr(stubs.library, name)(PORT, data, 2, byref(pointer), byref(count)) == 0
        request, = struct.unpack_from("<Q", stubs.message("sent").data, 32)
        reply, = struct.unpack_from("<Q", stubs.message("answer").data, 48)
        bits[name] = (request >> 31 & 1, reply >> 31 & 1)
    assert bits == {"echo_region": (0, 1), "echo_pair_region": (1, 0)}


def test_array_of_no_rights_makes_no_complex_message_and_is_taken(stubs: Stubs) -> None:
    stubs.reset("every")
    rights, count = (c_uint32 * 6)(), c_uint32(6)
    assert stubs.library.echo_some_ports(PORT, rights, 0, rights, byref(count)) == 0
    assert count.value == 0
    assert stubs.message("sent").data[3] & 0x80 == 0
