"""Arguments both ways, room for arrays, memory given away, ports and options of the header."""

from __future__ import annotations

import ctypes
import struct
from ctypes import byref, c_char_p, c_int, c_uint32, c_void_p, create_string_buffer
from typing import Any, Final

import pytest

from tests.mig.stubs import MEMORY_DROPPED, MEMORY_GIVEN, RIGHT_DROPPED, Stubs

PORT: Final = 0x501
MIG_ARRAY_TOO_LARGE: Final = -307
MIG_BAD_ID: Final = -303
MIG_BAD_ARGUMENTS: Final = -304
MIG_NO_REPLY: Final = -305
RCV_TIMED_OUT: Final = 0x10004003
KERN_RESOURCE_SHORTAGE: Final = 6
MACH_SEND_MSG, MACH_RCV_MSG, SEND_TIMEOUT, SEND_INTERRUPT, RCV_TIMEOUT = 1, 2, 0x10, 0x40, 0x100
MOVE_SEND, MOVE_SEND_ONCE, COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE = 17, 18, 19, 20, 21
INLINE_MAX: Final = 2048  # octets of an indefinite array
DEALLOCATE: Final = 1 << 31


class Told(ctypes.Structure):
    """`told` of host/special_server.c."""

    _fields_ = [
        ("port", c_uint32), ("reply", c_uint32), ("port_type", c_uint32), ("reply_type", c_uint32),
        ("number", c_uint32), ("x", c_int), ("code", c_int), ("text", ctypes.c_char * 64), ("count", c_uint32),
        ("dealloc", c_int), ("inside", c_int), ("calls", c_int),
    ]


@pytest.fixture
def special(stubs: Stubs) -> Stubs:
    stubs.reset("special")
    stubs.variable("special_result", c_int).value = 0
    ctypes.memset(byref(told(stubs)), 0, ctypes.sizeof(Told))
    return stubs


def told(stubs: Stubs) -> Told:
    found = Told.in_dll(stubs.library, "told")
    assert isinstance(found, Told)
    return found


def header(message: bytes) -> tuple[int, int, int, int, int]:
    """Bits without COMPLEX, size, remote, local, id."""
    bits, size, remote, local, _, ident = struct.unpack_from("<IIQQII", message)
    return bits & 0x7FFF_FFFF, size, remote, local, ident


def word(message: bytes, offset: int) -> int:
    value, = struct.unpack_from("<Q", message, offset)
    assert isinstance(value, int)
    return value


# --- both ways --------------------------------------------------------------------------


def test_values_go_in_and_come_back_changed(special: Stubs) -> None:
    number, right = c_int(41), c_uint32(0x600)
    pair = create_string_buffer(struct.pack("<ih3s3x", -7, 32767, b"abc"), 12)
    assert special.library.call_change_values(PORT, byref(number), pair, byref(right)) == 0
    assert (number.value, right.value) == (42, 0x601)
    assert struct.unpack("<ih3s3x", pair.raw) == (-7, -32768, b"ab!")


def test_strings_go_in_and_come_back_changed(special: Stubs) -> None:
    line, text = create_string_buffer(b"line", 32), create_string_buffer(b"text", 64)
    assert special.library.call_change_strings(PORT, line, text) == 0
    assert (line.value, text.value) == (b"lin", b"text++")


def test_string_that_the_server_makes_too_long_is_cut(special: Stubs) -> None:
    line, text = create_string_buffer(b"l" * 31, 32), create_string_buffer(b"t" * 61, 64)
    assert special.library.call_change_strings(PORT, line, text) == 0
    assert (line.value, text.value) == (b"l" * 30, b"t" * 61 + b"++")


def test_string_longer_than_its_type_is_cut_on_the_way(stubs: Stubs) -> None:
    stubs.reset("every")
    text, line = create_string_buffer(64), create_string_buffer(32)
    assert stubs.library.echo_text(PORT, b"x" * 200, text) == 0
    assert stubs.library.echo_line(PORT, b"y" * 200, line) == 0
    assert (text.value, line.value) == (b"x" * 63, b"y" * 31)


def test_arrays_go_in_and_come_back_changed_and_shorter(special: Stubs) -> None:
    five = (c_int * 5)(1, 2, 3, 4, 5)
    some, some_count = (c_int * 10)(7, 8, 9), c_uint32(3)
    ports, port_count = (c_uint32 * 6)(0x601, 0x602, 0x603, 0x604), c_uint32(4)
    assert special.library.call_change_arrays(
        PORT, five, some, byref(some_count), ports, byref(port_count)) == 0
    assert list(five) == [2, 4, 6, 8, 10]
    assert (some_count.value, list(some)[:2]) == (2, [-7, -8])
    assert (port_count.value, list(ports)[:3]) == (3, [0x701, 0x702, 0x703])


@pytest.mark.parametrize("size", [1, 100, INLINE_MAX, INLINE_MAX + 1, INLINE_MAX + 2, 5000])
def test_indefinite_array_goes_both_ways_inline_and_out_of_line(special: Stubs, size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    buffer = create_string_buffer(data, size)
    pointer, count = c_void_p(ctypes.addressof(buffer)), c_uint32(size)
    assert special.library.call_change_any(PORT, byref(pointer), byref(count)) == 0
    assert ctypes.string_at(pointer.value or 0, count.value) == data[1:]
    inline = pointer.value == ctypes.addressof(buffer)
    assert inline == (size - 1 <= INLINE_MAX)


def test_region_goes_in_and_another_comes_back(special: Stubs) -> None:
    buffer = create_string_buffer(b"0123456789", 10)
    pointer, count = c_void_p(ctypes.addressof(buffer)), c_uint32(10)
    assert special.library.call_change_region(PORT, byref(pointer), byref(count)) == 0
    assert ctypes.string_at(pointer.value or 0, count.value) == b"23456789"


def test_disposition_goes_in_and_another_comes_back(special: Stubs) -> None:
    right, kind = c_uint32(0x600), c_uint32(COPY_SEND)
    assert special.library.call_change_poly(PORT, byref(right), byref(kind)) == 0
    assert (told(special).port_type, right.value, kind.value) == (MOVE_SEND, 0x601, MOVE_SEND_ONCE)


def test_polymorphic_argument_that_is_no_port_leaves_the_message_simple(special: Stubs) -> None:
    integer_64 = 11
    right, kind = c_uint32(7), c_uint32(integer_64)
    assert special.library.call_change_poly(PORT, byref(right), byref(kind)) == MIG_BAD_ARGUMENTS
    assert special.message("sent").data[3] & 0x80 == 0


# --- room ---------------------------------------------------------------------------------


def test_room_goes_with_the_request_and_what_fits_comes_back(special: Stubs) -> None:
    numbers, count, last = (c_int * 10)(), c_uint32(3), c_int()
    assert special.library.call_count_up(PORT, 5, numbers, byref(count), byref(last)) == 0
    assert (told(special).count, count.value, list(numbers)[:4], last.value) == (3, 3, [5, 6, 7, 0], 7)
    assert word(special.message("sent").data, 56) & 0xFFFF_FFFF == 3


def test_room_that_a_caller_claims_never_exceeds_the_type(special: Stubs) -> None:
    numbers, count, last = (c_int * 10)(), c_uint32(1_000_000), c_int()
    assert special.library.call_count_up(PORT, 0, numbers, byref(count), byref(last)) == 0
    assert (told(special).count, count.value) == (10, 10)


def test_array_too_long_for_the_caller_is_cut_counted_and_its_rights_dropped(special: Stubs) -> None:
    numbers, count, right = (c_int * 10)(*[-1] * 10), c_uint32(4), c_uint32(0)
    assert special.library.call_count_freely(PORT, 7, numbers, byref(count), byref(right)) == MIG_ARRAY_TOO_LARGE
    assert (list(numbers), count.value) == ([0, 1, 2, 3, -1, -1, -1, -1, -1, -1], 7)
    assert [event.port for event in special.events(RIGHT_DROPPED)] == [0x777]
    assert right.value == 0


def test_array_beyond_its_type_is_refused_before_anything_is_sent(special: Stubs) -> None:
    special.message("sent").size = 0
    special.reset("every")
    ints, out, count = (c_int * 11)(), (c_int * 10)(), c_uint32(10)
    assert special.library.echo_some_ints(PORT, ints, 11, out, byref(count)) == MIG_ARRAY_TOO_LARGE
    assert special.message("sent").size == 0


def test_server_that_counts_beyond_the_type_sends_an_error(special: Stubs) -> None:
    numbers, count, right = (c_int * 10)(), c_uint32(10), c_uint32()
    assert special.library.call_count_freely(PORT, 11, numbers, byref(count), byref(right)) == MIG_ARRAY_TOO_LARGE
    assert special.message("reply").size == 48


def test_ports_take_eight_octets_in_the_message_and_four_in_c(special: Stubs) -> None:
    rights, count = (c_uint32 * 9)(), c_uint32(9)
    assert special.library.call_give_ports(PORT, 3, rights, byref(count)) == 0
    assert (list(rights)[:4], count.value) == ([0x700, 0x701, 0x702, 0], 3)
    assert special.message("reply").size == 48 + 8 + 3 * 8


def test_indefinite_array_longer_than_the_buffer_comes_in_memory_of_its_own(special: Stubs) -> None:
    buffer = create_string_buffer(4)
    pointer, count = c_void_p(ctypes.addressof(buffer)), c_uint32(4)
    assert special.library.call_give_any(PORT, 9, byref(pointer), byref(count)) == 0
    assert (told(special).count, count.value) == (4, 9)
    assert pointer.value != ctypes.addressof(buffer)
    assert ctypes.string_at(pointer.value or 0, 9) == b"y" * 9
    assert [event.size for event in special.events(MEMORY_GIVEN)] == [9]


def test_memory_for_an_indefinite_array_is_counted_in_octets(stubs: Stubs) -> None:
    stubs.reset("every")
    stamps, buffer = (ctypes.c_int64 * 3)(1, 2, 3), (ctypes.c_int64 * 1)()
    pointer, count = c_void_p(ctypes.addressof(buffer)), c_uint32(1)
    assert stubs.library.echo_any_stamps(PORT, stamps, 3, byref(pointer), byref(count)) == 0
    assert list((ctypes.c_int64 * count.value).from_address(pointer.value or 0)) == [1, 2, 3]
    assert [event.size for event in stubs.events(MEMORY_GIVEN)] == [24]


def test_no_memory_for_an_indefinite_array_is_a_shortage(special: Stubs) -> None:
    special.variable("host_no_memory").value = 1
    pointer, count = c_void_p(), c_uint32(0)
    assert special.library.call_give_any(PORT, 9, byref(pointer), byref(count)) == KERN_RESOURCE_SHORTAGE
    assert (pointer.value, count.value) == (None, 0)


# --- memory given away ----------------------------------------------------------------------


@pytest.mark.parametrize("give", [False, True])
def test_caller_decides_at_run_time_to_give_a_region_away(special: Stubs, give: bool) -> None:
    data = create_string_buffer(b"data", 4)
    pointer, count = c_void_p(), c_uint32()
    told(special).dealloc = not give
    assert special.library.call_give_region(PORT, data, 4, give, byref(pointer), byref(count)) == 0
    assert bool(word(special.message("sent").data, 32) & DEALLOCATE) == give
    assert bool(word(special.message("answer").data, 48) & DEALLOCATE) == (not give)
    assert pointer.value == ctypes.addressof(data)


@pytest.mark.parametrize("give", [False, True])
@pytest.mark.parametrize("size", [10, INLINE_MAX + 1])
def test_indefinite_array_given_away_is_gone_inline_or_not(special: Stubs, size: int, give: bool) -> None:
    data = create_string_buffer(b"d" * size, size)
    pointer, count = c_void_p(), c_uint32()
    assert special.library.call_give_chars(PORT, data, size, give, byref(pointer), byref(count)) == 0
    freed = [event.size for event in special.events(MEMORY_DROPPED) if event.address == ctypes.addressof(data)]
    if size <= INLINE_MAX:
        assert freed == ([size] if give else [])  # by the user's stub
    else:
        assert freed == [size]  # what came, by the server's
        assert bool(word(special.message("sent").data, 32) & DEALLOCATE) == give


@pytest.mark.parametrize("size", [10, INLINE_MAX, INLINE_MAX + 1])
def test_room_within_the_reply_is_never_given_away(special: Stubs, size: int) -> None:
    data = create_string_buffer(b"k" * size, size)
    out = create_string_buffer(size)
    pointer, count = c_void_p(ctypes.addressof(out)), c_uint32(size)
    assert special.library.call_keep_chars(PORT, data, size, byref(pointer), byref(count)) == 0
    assert ctypes.string_at(pointer.value or 0, count.value) == b"k" * size
    own = ctypes.addressof(data)
    assert {event.address for event in special.events(MEMORY_DROPPED)} == {own}
    assert bool(word(special.message("answer").data, 48) & DEALLOCATE) == (size > INLINE_MAX)


@pytest.mark.parametrize("size", [10, INLINE_MAX + 1])
def test_data_out_of_line_are_freed_after_the_call_unless_the_function_is_told(special: Stubs, size: int) -> None:
    data = create_string_buffer(b"x" * size, size)
    inside = c_int()
    assert special.library.call_look_at(PORT, data, size, byref(inside)) == 0
    out_of_line = size > INLINE_MAX
    assert inside.value == (not out_of_line)
    assert [event.size for event in special.events(MEMORY_DROPPED)] == ([size] if out_of_line else [])
    special.reset("special")
    assert special.library.call_copy_of(PORT, data, size, byref(inside)) == 0
    assert (told(special).inside, inside.value) == (not out_of_line, not out_of_line)
    assert special.events(MEMORY_DROPPED) == []


def test_data_of_a_call_that_failed_are_destroyed_with_the_request_alone(special: Stubs) -> None:
    data, inside = create_string_buffer(b"x" * 3000, 3000), c_int()
    special.variable("special_result", c_int).value = 5
    assert special.library.call_look_at(PORT, data, 3000, byref(inside)) == 5
    assert [event.size for event in special.events(MEMORY_DROPPED)] == [3000]


# --- header ---------------------------------------------------------------------------------


def test_polymorphic_ports_of_the_header_carry_their_dispositions(special: Stubs) -> None:
    y = c_int()
    special.variable("host_seqno").value = 99
    assert special.library.call_ports(PORT, MOVE_SEND_ONCE, 0x600, MAKE_SEND, 5, byref(y)) == 0
    assert header(special.message("sent").data) == (MOVE_SEND_ONCE | MAKE_SEND << 8, 48, PORT, 0x600, 31015)
    known = told(special)
    assert (known.port, known.port_type, known.reply, known.reply_type) == (PORT, MOVE_SEND_ONCE, 0x600, MOVE_SEND)
    assert (known.number, y.value) == (99, -5)


def test_servers_reply_port_is_the_right_that_came_with_the_request(special: Stubs) -> None:
    y = c_int()
    assert special.library.call_late(PORT, 7, byref(y)) == 0
    _, _, _, local, _ = header(special.message("sent").data)
    assert (told(special).reply, y.value) == (local, 8)


def test_reply_right_of_another_kind_than_the_server_expects_is_refused(special: Stubs) -> None:
    y = c_int()
    assert special.library.call_late(PORT, 7, byref(y)) == 0
    request = bytearray(special.message("came").data)
    request[0] = MOVE_SEND
    assert demux(special, bytes(request)) == (1, MIG_BAD_ARGUMENTS)


def demux(stubs: Stubs, request: bytes) -> tuple[int, int]:
    """What the demux says, and the return code in the reply."""
    came, answer = stubs.message("came"), stubs.message("answer")
    came.data = request
    offset = type(came).octets.offset
    known = stubs.library.serve_special(byref(came, offset), byref(answer, offset))
    answer.size = 48
    code, = struct.unpack_from("<i", answer.data, 40)
    return known, code


def test_reply_port_of_the_callers_own_is_received_on_and_kept(special: Stubs) -> None:
    ports = special.variable("host_reply_ports").value
    assert special.library.call_own_port(PORT, 0x655, 3) == 0
    sent = special.message("sent")
    assert (sent.port, header(sent.data)[3], told(special).x) == (0x655, 0x655, 3)
    assert special.library.call_oneway(PORT, 1) == special.library.call_hasty(PORT, 1) == 0
    assert header(special.message("sent").data)[3] not in (0, 0x655)
    ports += 1
    special.variable("host_result", c_int).value = RCV_TIMED_OUT
    assert special.library.call_own_port(PORT, 0x655, 3) == RCV_TIMED_OUT
    assert special.variable("host_reply_ports").value == ports
    assert special.variable("host_events").value == 0


def test_timeout_and_options_may_be_arguments(special: Stubs) -> None:
    assert special.library.call_patient(PORT, 250, SEND_INTERRUPT, 4) == 0
    sent = special.message("sent")
    assert (sent.option, sent.timeout) == (MACH_SEND_MSG | MACH_RCV_MSG | SEND_INTERRUPT | RCV_TIMEOUT, 250)
    assert told(special).x == 4


def test_timeout_and_options_may_be_statements(special: Stubs) -> None:
    assert special.library.call_hasty(PORT, 1) == 0
    sent = special.message("sent")
    options = SEND_TIMEOUT | SEND_INTERRUPT
    assert (sent.option, sent.timeout) == (MACH_SEND_MSG | MACH_RCV_MSG | options | RCV_TIMEOUT, 1234)
    assert special.library.call_own_port(PORT, 0x655, 1) == 0
    assert special.message("sent").option == MACH_SEND_MSG | MACH_RCV_MSG


def test_simpleroutine_sends_without_reply_port_and_never_waits(special: Stubs) -> None:
    assert special.library.call_oneway(PORT, 6) == 0
    sent = special.message("sent")
    assert header(sent.data) == (MOVE_SEND_ONCE, 48, PORT, 0, 31023)
    assert (sent.option, sent.timeout) == (MACH_SEND_MSG | SEND_TIMEOUT | SEND_INTERRUPT, 0)
    assert (sent.port, sent.room, told(special).x) == (0, 0, 6)


def test_simpleroutine_with_a_reply_port_lends_it_to_the_server(special: Stubs) -> None:
    assert special.library.call_oneway_with_reply(PORT, 0x688, 77, 6) == 0
    sent = special.message("sent")
    assert header(sent.data)[:4] == (COPY_SEND | MAKE_SEND << 8, 48, PORT, 0x688)
    assert (sent.timeout, told(special).reply) == (0, 0x688)


# --- replies that are simpleroutines of their own ----------------------------------------------


def test_reply_sent_by_hand_carries_all_arguments(special: Stubs) -> None:
    some = (c_int * 3)(1, 2, 3)
    assert special.library.call_answer(PORT, 0, 12, 0x690, b"hello", some, 3) == 0
    known = told(special)
    assert (known.code, known.x, known.reply, known.text, known.count, known.inside) == (0, 12, 0x690, b"hello", 3, 0)


def test_reply_with_an_error_is_its_code_and_no_more(special: Stubs) -> None:
    assert special.library.call_answer(PORT, 5, 12, 0x690, b"hello", None, 99) == 0
    assert special.message("sent").size == 48
    known = told(special)
    assert (known.calls, known.code, known.x, known.reply, known.text, known.count, known.inside) == (
        1, 5, 0, 0, b"", 0, 1)


def test_reply_with_an_error_may_still_be_whole(special: Stubs) -> None:
    some = (c_int * 1)(1)
    assert special.library.call_answer(PORT, 0, 12, 0x690, b"why", some, 1) == 0
    request = bytearray(special.message("came").data)
    struct.pack_into("<i", request, 40, 5)
    assert demux(special, bytes(request)) == (1, 0)
    assert (told(special).calls, told(special).code, told(special).text) == (2, 5, b"why")


def test_reply_without_an_error_has_to_be_whole(special: Stubs) -> None:
    assert special.library.call_answer(PORT, 5, 0, 0, b"", None, 0) == 0
    request = bytearray(special.message("came").data)
    struct.pack_into("<i", request, 40, 0)
    assert demux(special, bytes(request)) == (1, MIG_BAD_ARGUMENTS)


# --- what the server makes of it -----------------------------------------------------------------


def uses(stubs: Stubs) -> dict[int, int]:
    return {n: count for n in range(8) if (count := stubs.library.object_uses(n))}


def test_ports_become_objects_and_back_and_every_use_is_released(special: Stubs) -> None:
    made, before = c_uint32(), uses(special)
    assert special.library.call_translate(PORT, 0x602, byref(made)) == 0
    assert (told(special).port, told(special).reply, made.value) == (PORT, 0x602, 0x1602)
    before[2] = before.get(2, 0) + 1  # what went out
    assert uses(special) == before


def test_uses_are_released_though_the_call_failed(special: Stubs) -> None:
    made, before = c_uint32(), uses(special)
    special.variable("special_result", c_int).value = 5
    assert special.library.call_translate(PORT, 0x603, byref(made)) == 5
    assert uses(special) == before


def test_payload_stands_for_the_request_port(special: Stubs) -> None:
    made = c_uint32()
    special.variable("host_payload", ctypes.c_uint64).value = 0x7_0000_0006
    assert special.library.call_translate(PORT, 0x602, byref(made)) == 0
    assert told(special).port == 6


def test_values_are_translated_both_ways(special: Stubs) -> None:
    warmer = c_int()
    assert special.library.call_warm(PORT, 300, byref(warmer)) == 0
    assert (told(special).x, warmer.value) == (27, 300)


def test_function_that_the_server_has_not_written_answers_bad_id(special: Stubs) -> None:
    y = c_int()
    assert special.library.call_unwritten(PORT, 1, 0x666, byref(y)) == MIG_BAD_ID
    assert special.variable("host_known").value == 1
    assert [event.port for event in special.events(RIGHT_DROPPED)] == [0x666]


def test_server_that_answers_later_sends_and_destroys_nothing(special: Stubs) -> None:
    values: list[Any] = [c_int(1), create_string_buffer(12), c_uint32(0x600)]
    special.variable("special_result", c_int).value = MIG_NO_REPLY
    assert special.library.call_change_values(PORT, *(byref(value) for value in values)) == RCV_TIMED_OUT
    assert special.events(RIGHT_DROPPED) == []


def test_unknown_and_skipped_ids_are_told_from_known_ones(special: Stubs) -> None:
    special.library.serve_special_routine.restype = c_void_p
    found = {}
    for ident in (30999, 31000, 31018, 31019, 31021, 31022, 31029, 31030):
        request = bytearray(48)
        struct.pack_into("<IIQQII", request, 0, 0x1213, 48, 0x900, PORT, 0, ident)
        came = special.message("came")
        came.data = bytes(request)
        found[ident] = bool(special.library.serve_special_routine(byref(came, type(came).octets.offset)))
        known, code = demux(special, bytes(request))
        assert (bool(known), code == MIG_BAD_ID) == (found[ident], not found[ident])
        bits, size, remote, local, _, reply_id = struct.unpack_from("<IIQQII", special.message("answer").data)
        assert (bits, size, remote, local, reply_id) == (0x13, 48, 0x900, 0, ident + 100)
    assert found == {30999: False, 31000: True, 31018: True, 31019: False, 31021: False, 31022: True,
                     31029: True, 31030: False}


def test_what_a_function_leaves_alone_goes_out_as_zeros(special: Stubs) -> None:
    five, number, line, right = (c_int * 5)(*[-1] * 5), c_int(-1), create_string_buffer(b"old", 32), c_uint32(1)
    assert special.library.call_untouched(PORT, five, byref(number), line, byref(right)) == 0
    assert (list(five), number.value, line.value, right.value) == ([0] * 5, 0, b"", 0)


def test_padding_and_what_is_behind_a_string_go_out_as_zeros(stubs: Stubs) -> None:
    stubs.reset("every")
    buffer = create_string_buffer(32)
    assert stubs.library.echo_line(PORT, c_char_p(b"ab"), buffer) == 0
    for which in ("sent", "answer"):
        message = stubs.message(which).data
        assert message[message.index(b"ab"):] == b"ab" + bytes(30)
    three = create_string_buffer(b"xyz", 3)
    assert stubs.library.echo_three_chars(PORT, three, buffer) == 0
    assert stubs.message("sent").data[40:] == stubs.message("answer").data[56:] == b"xyz" + bytes(5)
    assert stubs.message("answer").data[44:48] == bytes(4)  # behind the return code
