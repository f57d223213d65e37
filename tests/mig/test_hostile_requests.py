"""Requests that no user's stub sent: refused, or taken with values that are in range."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from machemu.interfaces.runtime import ARRIVES_AS, BadMessage, Encoded, Routine, decode_request, encode_request
from machemu.mig.model import PORTS
from tests.mig import guard_worker
from tests.mig.marshal import Regions, Rights, wire_values
from tests.mig.stubs import Stubs
from tests.mig.test_round_trip import EVERY, python_can_send, values_of

COMPLEX: Final = 1 << 31
MIG_BAD_ID: Final = -303
MIG_BAD_ARGUMENTS: Final = -304
LARGEST: Final = {routine.name: routine.reply.largest for routine in EVERY.routines}
IDS: Final = {routine.ident: routine.name for routine in EVERY.routines}
HEADER: Final = struct.Struct("<IIQQII")
BITS: Final = 0x1112  # dispositions: a reply right to send once, come through a send right
WORDS: Final = (0, 1, 2**64 - 1, 2**63, 0xFFFF_FFFF_2000_2002, 1 << 29, 1 << 30, 0x1000)

examples = settings(max_examples=100, derandomize=True, database=None, deadline=None,
                    suppress_health_check=list(HealthCheck))


class Answer(NamedTuple):
    known: int
    code: int
    calls: int
    octets: int
    bits: int


class Guarded:
    """The demux in a process of its own, with nothing readable behind a message."""

    def __init__(self, library: Path, demux: str = "every_server") -> None:
        script = Path(guard_worker.__file__)
        self._process = subprocess.Popen(
            [sys.executable, script, library, demux], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request: bytes, room: int) -> Answer:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(guard_worker.QUESTION.pack(len(request), room) + request)
        self._process.stdin.flush()
        answer = self._process.stdout.read(guard_worker.ANSWER.size)
        assert answer, f"the demux went past the end of a message: {request.hex(' ', 8)}"
        return Answer(*guard_worker.ANSWER.unpack(answer))

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def guarded(stubs: Stubs) -> Iterator[Guarded]:
    guarded = Guarded(stubs.path)
    yield guarded
    guarded.close()


def judge(stubs: Stubs, guarded: Guarded, request: bytes) -> Answer:
    """What the demux makes of it, which is what Python's codec makes of it."""
    ident, = struct.unpack_from("<I", request, 28)
    name = IDS.get(ident)
    answer = guarded.ask(request, max(48, LARGEST.get(name or "", 0)))
    if name is None:
        assert answer == Answer(0, MIG_BAD_ID, 0, 48, BITS & 0xFF)
        return answer
    assert answer.known == 1
    if is_right(stubs.table["every"].by_name(name), request):
        # A function that found something out of range would have said KERN_FAILURE.
        assert (answer.code, answer.calls >= 1) == (0, True)
        assert 48 <= answer.octets <= LARGEST[name]
    else:
        assert answer == Answer(1, MIG_BAD_ARGUMENTS, 0, 48, BITS & 0xFF)
    return answer


def is_right(routine: Routine, request: bytes) -> bool:
    rights, regions = Rights(request), Regions(request, look=False)
    try:
        decode_request(routine, request, rights, regions)
    except BadMessage:
        return False
    carries = rights.asked or regions.asked
    return carries == bool(request[3] & 0x80) and as_kernels_deliver(request)


def as_kernels_deliver(request: bytes) -> bool:
    """Rights in a received message stand under the dispositions they arrive with."""
    at = 32
    while at < len(request):
        word, = struct.unpack_from("<Q", request, at)
        name, number, inline = word & 0xFF, word >> 32, word >> 29 & 1
        if name in PORTS and ARRIVES_AS[name] != name and (number or not inline):
            return False
        octets = (word >> 8 & 0xFFFF) * number // 8 if inline else 8
        at += 8 + (octets + 7 & ~7)
    return True


def header(ident: int, size: int, *, carries: bool) -> bytes:
    return HEADER.pack(BITS | (COMPLEX if carries else 0), size, 0x900, 0x501, 0, ident)


def received(ident: int, encoded: Encoded) -> bytes:
    """An encoded request as it arrives; its regions lie nowhere."""
    data = bytearray(encoded.data)
    for slot in encoded.regions:
        data[slot - 8] = ARRIVES_AS.get(data[slot - 8], data[slot - 8])
        data[slot - 5] |= 0x80  # deallocate
        struct.pack_into("<Q", data, slot, 0x1000)
    for slot, right in encoded.rights.items():
        struct.pack_into("<Q", data, slot, right)
        descriptor = encoded.descriptors[slot]
        data[descriptor] = ARRIVES_AS.get(data[descriptor], data[descriptor])
    return header(ident, len(data), carries=encoded.complex) + bytes(data[32:])


@st.composite
def sound_requests(draw: st.DrawFn, stubs: Stubs) -> bytes:
    routine = stubs.table["every"].by_name(draw(st.sampled_from(sorted(IDS.values()))))
    values = {item.name: draw(values_of(item)) for item in routine.request}
    for item in routine.request:
        if not python_can_send(item, values[item.name]):
            values[item.name] = values[item.name][:item.number]
    return received(routine.id, encode_request(routine, wire_values(routine.request, values, as_received=False)))


@st.composite
def spoiled_requests(draw: st.DrawFn, stubs: Stubs) -> bytes:
    request = bytearray(draw(sound_requests(stubs)))
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        change(draw, request)
    struct.pack_into("<I", request, 4, len(request))
    struct.pack_into("<H", request, 0, BITS)
    return bytes(request)


def change_octet(draw: st.DrawFn, request: bytearray) -> None:
    if len(request) > 32:
        request[draw(st.integers(32, len(request) - 1))] = draw(st.integers(0, 255))


def change_bit_of_descriptor(draw: st.DrawFn, request: bytearray) -> None:
    if len(request) >= 40:
        request[32 + draw(st.integers(0, 7))] ^= 1 << draw(st.integers(0, 7))


def change_word(draw: st.DrawFn, request: bytearray) -> None:
    if len(request) >= 40:
        at = 8 * draw(st.integers(4, len(request) // 8 - 1))
        struct.pack_into("<Q", request, at, draw(st.sampled_from(WORDS) | st.integers(0, 2**64 - 1)))


def change_count(draw: st.DrawFn, request: bytearray) -> None:
    if len(request) >= 40:
        at = 8 * draw(st.integers(4, len(request) // 8 - 1)) + 4
        struct.pack_into("<I", request, at, draw(st.integers(0, 4200) | st.sampled_from([2**31, 2**32 - 1])))


def cut(draw: st.DrawFn, request: bytearray) -> None:
    del request[max(32, len(request) - draw(st.integers(1, 40))):]


def lengthen(draw: st.DrawFn, request: bytearray) -> None:
    request += draw(st.binary(min_size=1, max_size=24))


def turn_complex(_draw: st.DrawFn, request: bytearray) -> None:
    request[3] ^= 0x80


def change_id(draw: st.DrawFn, request: bytearray) -> None:
    struct.pack_into("<I", request, 28, draw(st.integers(EVERY.base - 2, EVERY.base + EVERY.count + 1)))


CHANGES: Final = (change_octet, change_bit_of_descriptor, change_word, change_count, cut, lengthen, turn_complex,
                  change_id)


def test_sound_requests_are_taken(stubs: Stubs, guarded: Guarded) -> None:
    @examples
    @given(sound_requests(stubs))
    def check(request: bytes) -> None:
        assert judge(stubs, guarded, request).code == 0

    check()


def test_spoiled_requests_are_refused_or_still_sound(stubs: Stubs, guarded: Guarded) -> None:
    refused = []

    @examples
    @given(spoiled_requests(stubs))
    def check(request: bytes) -> None:
        refused.append(judge(stubs, guarded, request).code)

    check()
    assert {0, MIG_BAD_ID, MIG_BAD_ARGUMENTS} == set(refused)


def test_arbitrary_octets_are_refused(stubs: Stubs, guarded: Guarded) -> None:
    @examples
    @given(st.sampled_from(sorted(IDS)), st.booleans(), st.binary(max_size=200))
    @example(ident=30020, carries=False, body=b"")
    def check(ident: int, carries: bool, body: bytes) -> None:
        judge(stubs, guarded, header(ident, 32 + len(body), carries=carries) + body)

    check()


@pytest.mark.parametrize(("name", "values", "offset", "octets", "carries"), [
    pytest.param("echo_some_triples", {"x": b"abcdef"}, 36, b"\x04", False, id="part of an element"),
    pytest.param("echo_some_pairs", {"x": [(1, 2, b"abc")]}, 36, b"\x02", False, id="part of a struct"),
    pytest.param("echo_poly", {"x": (0x600, 17)}, 32, b"\x0b", True, id="integer as a right"),
    pytest.param("echo_poly", {"x": (0x600, 17)}, 32, b"\x13", True, id="right that never arrives so"),
    pytest.param("echo_port", {"x": 0x600}, 3, b"\0", False, id="name in a simple message"),
    pytest.param("echo_region", {"x": b"abc"}, 3, b"\0", False, id="address in a simple message"),
    pytest.param("echo_region", {"x": b""}, 3, b"\0", False, id="address of nothing in a simple message"),
    pytest.param("echo_int", {"x": 1}, 3, b"\x80", True, id="complex message that carries nothing"),
    pytest.param("echo_int", {"x": 1}, 35, b"\xa0", False, id="inline data to be deallocated"),
    pytest.param("echo_short_region", {"x": bytes(64)}, 36, b"\x11", True, id="region longer than its type"),
    pytest.param("echo_four_ints", {"x": bytes(16)}, 36, b"\x03", True, id="region shorter than its type"),
])
def test_request_that_nearly_fits_is_refused(
    stubs: Stubs, guarded: Guarded, name: str, values: dict[str, Any], offset: int, octets: bytes, carries: bool
) -> None:
    routine = stubs.table["every"].by_name(name)
    encoded = encode_request(routine, wire_values(routine.request, values, as_received=False))
    request = bytearray(received(routine.id, encoded))
    assert judge(stubs, guarded, bytes(request)).code == 0
    request[offset:offset + 1] = octets
    assert bool(request[3] & 0x80) == carries
    assert guarded.ask(bytes(request), LARGEST[name]) == Answer(1, MIG_BAD_ARGUMENTS, 0, 48, BITS & 0xFF)


@pytest.mark.parametrize("size", [0, 8, 31])
def test_size_smaller_than_a_header_is_refused(guarded: Guarded, size: int) -> None:
    for ident, name in IDS.items():
        request = header(ident, size, carries=False)
        assert guarded.ask(request, LARGEST[name]) == Answer(1, MIG_BAD_ARGUMENTS, 0, 48, BITS & 0xFF)


@pytest.mark.parametrize("name", ["echo_int", "echo_some_ints", "echo_text", "echo_any_chars", "echo_mixture"])
def test_every_shortened_request_is_refused(stubs: Stubs, guarded: Guarded, name: str) -> None:
    routine = stubs.table["every"].by_name(name)
    values: dict[str, Any] = {
        "echo_int": {"x": 1}, "echo_some_ints": {"x": [1, 2, 3]}, "echo_text": {"x": b"hello"},
        "echo_any_chars": {"x": b"hello, world"},
        "echo_mixture": {"a": [1], "b": 2, "c": b"c", "d": 4, "e": b"eeee", "f": b"fff", "g": 7},
    }
    encoded = encode_request(routine, wire_values(routine.request, values[name], as_received=False))
    request = bytearray(received(routine.id, encoded))
    assert judge(stubs, guarded, bytes(request)).code == 0
    while len(request) > 32:
        del request[-1:]
        struct.pack_into("<I", request, 4, len(request))
        assert judge(stubs, guarded, bytes(request)).code == MIG_BAD_ARGUMENTS


def test_guard_notices_a_demux_that_reads_past_the_end(stubs: Stubs) -> None:
    own = Guarded(stubs.path)
    try:
        with pytest.raises(AssertionError, match="past the end"):
            own.ask(header(30000, 32, carries=False)[:24], 48)
    finally:
        own.close()
