"""Requests that no user's stub sent, to functions with arguments both ways, counts and translations."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.interfaces.runtime import Item, Kind, Routine, encode_request
from machemu.mig import compile_defs
from tests.mig.marshal import wire_values
from tests.mig.stubs import DEFS, HOST, Stubs
from tests.mig.test_hostile_requests import BITS, CHANGES, Answer, Guarded, change_id, examples, is_right, received
from tests.mig.test_round_trip import values_of

SPECIAL: Final = compile_defs(HOST / "special.defs", [DEFS])
MIG_BAD_ARGUMENTS: Final = -304
MIG_ARRAY_TOO_LARGE: Final = -307  # what a function made of counts it did not expect
# Without those whose function trusts a number or an address that it was told.
NAMES: Final = ("change_values", "change_arrays", "change_poly", "count_up", "ports", "late", "own_port", "patient",
                "oneway", "answer", "translate", "warm", "untouched", "unwritten")
LARGEST: Final = {routine.name: routine.reply.largest for routine in SPECIAL.routines}
IDS: Final = {routine.ident: routine.name for routine in SPECIAL.routines}
MIG_BAD_ID: Final = -303  # a function that is not written


@pytest.fixture(scope="module")
def guarded(stubs: Stubs) -> Iterator[Guarded]:
    guarded = Guarded(stubs.path, "serve_special")
    yield guarded
    guarded.close()


def value_of(item: Item) -> st.SearchStrategy[Any]:
    # The count of a CountInOut array is no argument of its own, but an item of the message.
    return st.integers(0, 2**32 - 1) if item.kind is Kind.INTEGER and item.name.endswith("Cnt") else values_of(item)


@st.composite
def sound_requests(draw: st.DrawFn, stubs: Stubs) -> bytes:
    routine = stubs.table["special"].by_name(draw(st.sampled_from(NAMES)))
    values = {item.name: draw(value_of(item)) for item in routine.request}
    return received(routine.id, encode_request(routine, wire_values(routine.request, values, as_received=False)))


@st.composite
def spoiled_requests(draw: st.DrawFn, stubs: Stubs) -> bytes:
    request = bytearray(draw(sound_requests(stubs)))
    for change in draw(st.lists(st.sampled_from([c for c in CHANGES if c is not change_id]), min_size=1, max_size=3)):
        change(draw, request)
    struct.pack_into("<I", request, 4, len(request))
    struct.pack_into("<H", request, 0, BITS)
    return bytes(request)


def judge(stubs: Stubs, guarded: Guarded, request: bytes) -> Answer:
    ident, = struct.unpack_from("<I", request, 28)
    name = IDS[ident]
    routine: Routine = stubs.table["special"].by_name(name)
    answer = guarded.ask(request, max(48, LARGEST[name]))
    assert answer.known == 1 and 48 <= answer.octets <= max(48, LARGEST[name])
    allowed = {MIG_BAD_ID} if name == "unwritten" else {0, MIG_ARRAY_TOO_LARGE}
    if not is_right(routine, request):
        allowed = {MIG_BAD_ARGUMENTS}
    assert answer.code in allowed, (name, answer)
    return answer


def test_sound_requests_are_taken(stubs: Stubs, guarded: Guarded) -> None:
    @examples
    @given(sound_requests(stubs))
    def check(request: bytes) -> None:
        assert judge(stubs, guarded, request).code != MIG_BAD_ARGUMENTS

    check()


def test_spoiled_requests_are_refused_or_still_sound(stubs: Stubs, guarded: Guarded) -> None:
    codes = set()

    @examples
    @given(spoiled_requests(stubs))
    def check(request: bytes) -> None:
        codes.add(judge(stubs, guarded, request).code)

    check()
    assert {0, MIG_BAD_ARGUMENTS} <= codes


@pytest.mark.parametrize("room", [0, 3, 10, 11, 2**31, 2**32 - 1])
def test_room_that_a_request_claims_is_never_more_than_the_replys(
    stubs: Stubs, guarded: Guarded, room: int
) -> None:
    routine = stubs.table["special"].by_name("count_up")
    encoded = encode_request(routine, [1, room])
    answer = guarded.ask(received(routine.id, encoded), LARGEST["count_up"])
    assert (answer.code, answer.octets) == (0, 48 + 8 + (4 * min(room, 10) + 7 & ~7) + 16)
