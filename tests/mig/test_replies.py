"""What a user's stub makes of replies: right ones, malformed ones, those that never come."""

from __future__ import annotations

import struct
from collections.abc import Callable
from ctypes import byref, c_int, c_uint32, create_string_buffer
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from machemu.interfaces import runtime
from machemu.interfaces.runtime import BadMessage, Encoded, decode_reply, encode_reply
from machemu.mig.model import PORTS
from tests.mig.marshal import Call, Regions, Rights, wire_values
from tests.mig.stubs import RECEIVE_RIGHT_DROPPED, RIGHT_DROPPED, Stubs
from tests.mig.test_hostile_requests import as_kernels_deliver
from tests.mig.test_round_trip import EVERY, as_memory, values_of

MIG_TYPE_ERROR: Final = -300
MIG_REPLY_MISMATCH: Final = -301
MIG_SERVER_DIED: Final = -308
MIG_ARRAY_TOO_LARGE: Final = -307
SEND_ONCE_NOTIFICATION: Final = 71
PORT: Final = 0x501
COMPLEX: Final = 1 << 31
SEND_TIMED_OUT: Final = 0x10000004
RCV_TIMED_OUT: Final = 0x10004003
RCV_TOO_LARGE: Final = 0x10004004


def forge(stubs: Stubs, data: bytes) -> None:
    """`data` comes as the next reply."""
    stubs.message("reply").data = data
    stubs.variable("host_forged").value = len(data)


def delivered(ident: int, encoded: Encoded) -> bytes:
    """An encoded reply as it arrives; its regions lie nowhere."""
    data = bytearray(encoded.data)
    for slot in encoded.regions:
        data[slot - 8] = runtime.ARRIVES_AS.get(data[slot - 8], data[slot - 8])
        struct.pack_into("<Q", data, slot, 0x1000)
    for slot, right in encoded.rights.items():
        struct.pack_into("<Q", data, slot, right)
        descriptor = encoded.descriptors[slot]
        data[descriptor] = runtime.ARRIVES_AS.get(data[descriptor], data[descriptor])
    struct.pack_into("<IIQQII", data, 0, 0x1200 | (COMPLEX if encoded.complex else 0), len(data), 0, 0x901, 0, ident)
    return bytes(data)


def reply_of(stubs: Stubs, name: str, *values: Any, code: int = 0) -> bytearray:
    routine = stubs.table["every"].by_name(name)
    encoded = encode_reply(routine, 0, values)
    data = bytearray(delivered(routine.reply_id, encoded))
    struct.pack_into("<i", data, 40, code)
    return data


def error_reply(ident: int, code: int) -> bytearray:
    return bytearray(delivered(ident, runtime.error_reply(code)))


@pytest.fixture
def every(stubs: Stubs) -> Stubs:
    stubs.reset("every")
    return stubs


def echo_int(stubs: Stubs, reply: bytes | bytearray | None = None) -> tuple[int, int]:
    if reply is not None:
        forge(stubs, bytes(reply))
    y = c_int(-1)
    return stubs.library.echo_int(PORT, 7, byref(y)), y.value


def echo_port(stubs: Stubs, reply: bytes | bytearray) -> tuple[int, int]:
    forge(stubs, bytes(reply))
    y = c_uint32(0)
    return stubs.library.echo_port(PORT, 0x600, byref(y)), y.value


def dropped(stubs: Stubs) -> list[int]:
    return [event.port for event in stubs.events(RIGHT_DROPPED)]


def test_right_reply_is_taken(every: Stubs) -> None:
    assert echo_int(every, reply_of(every, "echo_int", 99)) == (0, 99)
    assert echo_port(every, reply_of(every, "echo_port", 0x700)) == (0, 0x700)
    assert dropped(every) == []


def shorter(reply: bytearray) -> None:
    del reply[-8:]


def other_type(reply: bytearray) -> None:
    reply[48] ^= 1


def other_size(reply: bytearray) -> None:
    reply[49] ^= 1


def other_number(reply: bytearray) -> None:
    reply[52] += 1


def long_form(reply: bytearray) -> None:
    reply[51] ^= 0x40


def unused_bits(reply: bytearray) -> None:
    reply[51] ^= 0x10


def code_of_another_type(reply: bytearray) -> None:
    reply[32] = 11


def complexity(reply: bytearray) -> None:
    reply[3] ^= 0x80


def header_alone(reply: bytearray) -> None:
    del reply[32:]


def success_alone(reply: bytearray) -> None:
    del reply[48:]


SPOILERS: Final = (shorter, other_type, other_size, other_number, long_form, unused_bits,
                   code_of_another_type, complexity, header_alone, success_alone)


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_malformed_reply_is_a_type_error(every: Stubs, spoil: Callable[[bytearray], None]) -> None:
    reply = reply_of(every, "echo_int", 99)
    spoil(reply)
    struct.pack_into("<I", reply, 4, len(reply))
    assert echo_int(every, reply) == (MIG_TYPE_ERROR, -1)


@pytest.mark.parametrize("spoil", [other_type, long_form, code_of_another_type], ids=lambda s: s.__name__)
def test_rights_of_a_malformed_reply_are_dropped(every: Stubs, spoil: Callable[[bytearray], None]) -> None:
    reply = reply_of(every, "echo_port", 0x700)
    spoil(reply)
    if spoil is other_type:
        reply[48] = 18  # a right, though another one
    struct.pack_into("<I", reply, 4, len(reply))
    assert echo_port(every, reply) == (MIG_TYPE_ERROR, 0)
    assert dropped(every) == [0x700]


def test_reply_longer_than_its_items_is_a_type_error(every: Stubs) -> None:
    ints, count = (c_int * 10)(), c_uint32(10)
    reply = reply_of(every, "echo_some_ints", [1, 2]) + bytes(8)
    struct.pack_into("<I", reply, 4, len(reply))
    forge(every, bytes(reply))
    assert every.library.echo_some_ints(PORT, ints, 0, ints, byref(count)) == MIG_TYPE_ERROR


def test_reply_longer_than_any_is_not_received(every: Stubs) -> None:
    assert echo_int(every, reply_of(every, "echo_int", 99) + bytes(8)) == (RCV_TOO_LARGE, -1)
    assert len(every.events(RECEIVE_RIGHT_DROPPED)) == 1


def test_name_in_a_simple_reply_is_no_right(every: Stubs) -> None:
    reply = reply_of(every, "echo_port", 0x700)
    reply[3] &= 0x7F
    assert echo_port(every, reply) == (MIG_TYPE_ERROR, 0)
    assert dropped(every) == []


def test_error_comes_in_the_short_form_and_in_the_long_one(every: Stubs) -> None:
    assert echo_int(every, error_reply(30101, 5)) == (5, -1)
    assert echo_int(every, reply_of(every, "echo_int", 99, code=5)) == (5, -1)
    assert echo_port(every, error_reply(30139, -303)) == (-303, 0)


def test_rights_that_come_with_an_error_are_dropped(every: Stubs) -> None:
    assert echo_port(every, reply_of(every, "echo_port", 0x700, code=5)) == (5, 0)
    assert dropped(every) == [0x700]


def test_short_form_marked_complex_is_no_error_reply(every: Stubs) -> None:
    reply = error_reply(30101, 5)
    reply[3] |= 0x80
    assert echo_int(every, reply) == (MIG_TYPE_ERROR, -1)


def test_notification_instead_of_a_reply_means_that_the_server_died(every: Stubs) -> None:
    reply = struct.pack("<IIQQII", 0x1200, 32, 0, 0x901, 0, SEND_ONCE_NOTIFICATION)
    assert echo_int(every, reply) == (MIG_SERVER_DIED, -1)
    assert every.events(RECEIVE_RIGHT_DROPPED) == []


def test_reply_to_another_call_ends_the_reply_port(every: Stubs) -> None:
    reply = reply_of(every, "echo_port", 0x700)
    struct.pack_into("<I", reply, 28, 30138)
    assert echo_port(every, reply) == (MIG_REPLY_MISMATCH, 0)
    sent, = struct.unpack_from("<I", every.message("sent").data, 16)
    assert [event.port for event in every.events(RECEIVE_RIGHT_DROPPED)] == [sent]
    assert dropped(every) == [0x700]


@pytest.mark.parametrize("result", [SEND_TIMED_OUT, RCV_TIMED_OUT])
def test_failure_of_mach_msg_is_the_result_and_ends_the_reply_port(every: Stubs, result: int) -> None:
    every.variable("host_result", c_int).value = result
    assert echo_int(every) == (result, -1)
    sent, = struct.unpack_from("<I", every.message("sent").data, 16)
    assert [event.port for event in every.events(RECEIVE_RIGHT_DROPPED)] == [sent]
    assert echo_int(every) == (0, 7)
    again, = struct.unpack_from("<I", every.message("sent").data, 16)
    assert again != sent


def test_reply_port_serves_call_after_call(every: Stubs) -> None:
    assert echo_int(every) == (0, 7)
    made = every.variable("host_reply_ports").value
    assert [echo_int(every) for _ in range(3)] == [(0, 7)] * 3
    assert echo_int(every, error_reply(30101, 5)) == (5, -1)
    assert echo_int(every, error_reply(30101, 0)) == (MIG_TYPE_ERROR, -1)
    assert echo_int(every) == (0, 7)
    assert every.variable("host_reply_ports").value == made


def test_room_for_the_reply_is_that_of_the_longest(every: Stubs) -> None:
    assert echo_int(every) == (0, 7)
    assert every.message("sent").room == 64
    assert every.library.echo_nothing(PORT) == 0
    assert every.message("sent").room == 48


def test_unterminated_string_ends_within_its_buffer(every: Stubs) -> None:
    buffer = create_string_buffer(b"\xff" * 40, 40)
    reply = reply_of(every, "echo_line", b"x" * 31)
    reply[56:88] = b"x" * 32
    forge(every, bytes(reply))
    assert every.library.echo_line(PORT, b"", buffer) == 0
    assert buffer.raw == b"x" * 31 + b"\0" + b"\xff" * 8


def test_array_of_rights_that_does_not_fit_is_dropped_whole(every: Stubs) -> None:
    rights, count = (c_uint32 * 6)(), c_uint32(2)
    forge(every, bytes(reply_of(every, "echo_some_ports", [0x701, 0x702, 0x703])))
    assert every.library.echo_some_ports(PORT, rights, 0, rights, byref(count)) == MIG_ARRAY_TOO_LARGE
    assert (count.value, dropped(every)) == (3, [0x701, 0x702, 0x703])


# --- against Python's codec -----------------------------------------------------------------


@st.composite
def spoiled_replies(draw: st.DrawFn, stubs: Stubs) -> tuple[str, bytes]:
    """A routine that gives nothing by address, and a reply to it."""
    routine = stubs.table["every"].by_name(draw(st.sampled_from(sorted(PLAIN))))
    values = {item.name: draw(values_of(item)) for item in routine.reply}
    encoded = encode_reply(routine, 0, wire_values(routine.reply, values, as_received=False))
    data = bytearray(delivered(routine.reply_id, encoded))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(32, len(data) - 1)) if draw(st.booleans()) else 48 + draw(st.integers(0, 7))
        if at < len(data):
            data[at] = draw(st.integers(0, 255) | st.sampled_from([0, 1, 2, 17, 32, 64]))
    data[3] ^= draw(st.sampled_from([0, 0, 0, 0x80]))
    struct.pack_into("<i", data, 40, draw(st.sampled_from([0, 0, 5])))
    keep = draw(st.sampled_from([0, 0, 0, 8, 16]))
    if keep:
        del data[max(48, len(data) - keep):]
    struct.pack_into("<I", data, 4, len(data))
    if not can_be_complex(data):
        data[3] &= 0x7F
    return routine.name, bytes(data)


def can_be_complex(message: bytearray) -> bool:
    """Would a kernel deliver it as complex: do its items fill it, all of them inline?"""
    at = 32
    while at < len(message):
        if len(message) - at < 8:
            return False
        word, = struct.unpack_from("<Q", message, at)
        at += 8 + ((word >> 8 & 0xFFFF) * (word >> 32) // 8 + 7 & ~7)
        if not word >> 29 & 1 or (word & 0xFF in PORTS and word >> 8 & 0xFFFF != 64):
            return False
    return at == len(message)


PLAIN: Final = [r.name for r in EVERY.routines if not any(
    i.type.indefinite or not i.type.inline for i in (*r.request.items, *r.reply.items))]


def test_stub_takes_what_the_codec_takes(every: Stubs) -> None:
    taken = []

    @settings(max_examples=150, derandomize=True, database=None, deadline=None,
              suppress_health_check=list(HealthCheck))
    @given(spoiled_replies(every))
    def check(case: tuple[str, bytes]) -> None:
        name, reply = case
        every.reset("every")
        routine = every.table["every"].by_name(name)
        forge(every, reply)
        result, outs = Call(every, "every", name)({item.name: zero_of(item) for item in routine.request})
        expected = judge(routine, reply)
        if expected is None:
            assert result == MIG_TYPE_ERROR
        else:
            code, values = expected
            assert result == code
            assert code or cut(wire_values(routine.reply, as_memory(routine.reply, outs), as_received=True)) == values
        taken.append(result)

    check()
    assert set(taken) == {0, 5, MIG_TYPE_ERROR}


def judge(routine: runtime.Routine, reply: bytes) -> tuple[int, list[Any]] | None:
    rights, regions = Rights(reply), Regions(reply, look=False)
    try:
        code, values = decode_reply(routine, reply, rights, regions)
    except BadMessage:
        return None
    if (rights.asked or regions.asked) != bool(reply[3] & 0x80) or not as_kernels_deliver(reply):
        return None
    return code, cut(list(values))


def cut(values: list[Any]) -> list[Any]:
    """Strings without a NUL lose their last octet in C."""
    return [value[:31] if isinstance(value, bytes) and len(value) == 32 else value for value in values]


def zero_of(item: runtime.Item) -> Any:
    """Some value for an argument of a request."""
    size = 0 if item.variable else item.bits * item.number // 8
    plain: Any = {
        runtime.Kind.INTEGER: 0, runtime.Kind.INTEGERS: [0] * item.number, runtime.Kind.OCTETS: bytes(size),
        runtime.Kind.STRING: b"", runtime.Kind.PORT: 1 if item.single else [1] * (0 if item.variable else item.number),
    }.get(item.kind)
    if item.kind is runtime.Kind.STRUCT:
        one = struct.calcsize(item.fields)
        each = struct.unpack(item.fields, bytes(one))
        plain = each if item.single else [each] * (size // one)
    if item.kind in (runtime.Kind.INTEGERS, runtime.Kind.STRUCT) and item.variable:
        plain = []
    return (plain, 17) if item.type == runtime.POLYMORPHIC else plain


