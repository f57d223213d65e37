"""Every kind of argument through both stubs, and the same messages through Python's codecs."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from machemu.interfaces import runtime
from machemu.interfaces.runtime import ARRIVES_AS, POLYMORPHIC, Encoded, Item, Kind
from machemu.mig import compile_defs
from tests.mig.marshal import Call, Regions, Rights, from_memory, to_memory, wire_values
from tests.mig.stubs import DEFS, HOST, Stubs

EVERY = compile_defs(HOST / "every.defs", [DEFS])
ROUTINES = [routine.name for routine in EVERY.routines]
# y for x, and the letters of the mixture.
ECHO_OF = {"y": "x", "c": "b", "d": "a"} | dict(zip("hijklmn", "abcdefg", strict=True))
ROOM = 3000  # octets of what has no limit: past what an indefinite array carries inline
PORTS = 40  # the same for ports


def values_of(item: Item) -> st.SearchStrategy[Any]:
    octets = item.bits * item.group // 8  # of an element
    most = (item.number or (PORTS if item.kind is Kind.PORT else ROOM)) // item.group
    if item.indefinite:
        most = ROOM // octets
    least = 0 if item.variable else item.number // item.group
    sizes = st.integers(least, most) | st.just(most) | st.just(least)
    match item.kind:
        case Kind.STRING:
            return st.binary(max_size=item.bits * item.number // 8 - 1).map(lambda b: b.replace(b"\0", b"0"))
        case Kind.PORT:
            ports = st.integers(1, 2**32 - 2)
            names = sizes.map(lambda n: n * item.group)
            right = ports if item.single else names.flatmap(lambda n: st.lists(ports, min_size=n, max_size=n))
            told = [name for name, arrives in ARRIVES_AS.items() if item.received in (arrives, POLYMORPHIC)]
            return st.tuples(right, st.sampled_from(told)) if item.type == POLYMORPHIC else right
        case _:
            raw = sizes.flatmap(lambda n: st.binary(min_size=n * octets, max_size=n * octets))
            # What C ignores, padding, is zero on the way back.
            clean = raw.map(lambda b: to_memory(item, from_memory(item, b)))
            return clean.map(lambda b: b if item.out_of_line else from_memory(item, b))


@pytest.mark.parametrize("name", ROUTINES)
def test_values_come_back_and_both_codecs_write_the_same_octets(stubs: Stubs, name: str) -> None:
    routine = stubs.table["every"].by_name(name)
    plain = {item.name: values_of(item) for item in routine.request}

    @settings(max_examples=20, derandomize=True, database=None, deadline=None,
              suppress_health_check=list(HealthCheck))
    @given(st.fixed_dictionaries(plain))
    def check(ins: dict[str, Any]) -> None:
        stubs.reset("every")
        call = Call(stubs, "every", name)
        result, outs = call({name: memory_of(routine.request, name, value) for name, value in ins.items()})
        assert result == 0
        expected = {item.name: echo(item, ins[ECHO_OF[item.name]]) for item in routine.reply}
        assert outs == expected
        compare_requests(stubs, routine, ins)
        compare_replies(stubs, routine, expected)

    check()


def memory_of(items: tuple[Item, ...], name: str, value: Any) -> Any:
    """What `Call` takes: memory out of line stays octets, also of ports."""
    item = next(item for item in items if item.name == name)
    if item.kind is Kind.PORT or not item.out_of_line:
        return value
    return from_memory(item, value)


def echo(item: Item, value: Any) -> Any:
    """What the server gives back for it, as it arrives."""
    poly = None
    if isinstance(value, tuple) and item.kind is Kind.PORT:
        value, poly = value
    if item.kind is Kind.PORT and item.out_of_line:
        value = to_memory(item, value)
    if item.received == POLYMORPHIC:
        return value, ARRIVES_AS[item.type if item.type != POLYMORPHIC else poly or 0]
    return value


def compare_requests(stubs: Stubs, routine: runtime.Routine, ins: dict[str, Any]) -> None:
    sent, came = stubs.message("sent").data, stubs.message("came").data
    if all(python_can_send(item, ins[item.name]) for item in routine.request) and not padded(routine.request):
        encoded = runtime.encode_request(routine, wire_values(routine.request, ins, as_received=False))
        assert_same(sent, encoded)
    rights, regions = Rights(came), Regions(came)
    decoded = runtime.decode_request(routine, came, rights, regions)
    assert list(decoded) == wire_values(routine.request, as_memory(routine.request, ins), as_received=True)
    assert is_complex(came) == (rights.asked or regions.asked)


def compare_replies(stubs: Stubs, routine: runtime.Routine, outs: dict[str, Any]) -> None:
    answer, reply = stubs.message("answer").data, stubs.message("reply").data
    sent = {item.name: as_sent(item, outs[item.name]) for item in routine.reply}
    if all(python_can_send(item, sent[item.name]) for item in routine.reply) and not padded(routine.reply):
        assert_same(answer, runtime.encode_reply(routine, 0, wire_values(routine.reply, sent, as_received=False)))
    code, decoded = runtime.decode_reply(routine, reply, Rights(reply), Regions(reply))
    assert code == 0
    assert list(decoded) == wire_values(routine.reply, as_memory(routine.reply, outs), as_received=True)


def as_sent(item: Item, value: Any) -> Any:
    """An out argument as the server's stub sends it: rights as names, with the disposition."""
    if item.kind is not Kind.PORT:
        return value
    name, poly = value if item.received == POLYMORPHIC else (value, 17)
    names = from_memory(item, name) if item.out_of_line else name
    return (names, poly) if POLYMORPHIC in (item.type, item.received) else names


def as_memory(items: tuple[Item, ...], values: dict[str, Any]) -> dict[str, Any]:
    """What is out of line in these messages is there as octets."""
    found = {}
    for item in items:
        value = values[item.name]
        names, poly = value if isinstance(value, tuple) and item.kind is Kind.PORT else (value, None)
        if item.out_of_line or (item.indefinite and not python_can_send(item, names)):
            names = names if isinstance(names, bytes) else to_memory(item, names)
        elif item.indefinite and len(to_memory(item, names)) > runtime.INDEFINITE_OCTETS:
            names = to_memory(item, names)
        found[item.name] = names if poly is None else (names, poly)
    return found


def python_can_send(item: Item, value: Any) -> bool:
    """Python's encoder has no indefinite arrays of ports past the message."""
    return not (item.kind is Kind.PORT and item.indefinite and len(value) > item.number)


def padded(items: tuple[Item, ...]) -> bool:
    """Is there a struct with holes, in which C leaves what it likes?"""
    return any("x" in item.fields and not item.out_of_line for item in items)


def is_complex(message: bytes) -> bool:
    return bool(struct.unpack_from("<I", message)[0] >> 31)


def assert_same(message: bytes, encoded: Encoded) -> None:
    """The body that C made is the one that Python makes; what is out of line too."""
    expected = bytearray(encoded.data)
    for slot, right in encoded.rights.items():
        struct.pack_into("<Q", expected, slot, right)
    regions = Regions(message)
    for slot, memory in encoded.regions.items():
        octets = memory if isinstance(memory, bytes) else names_of(memory)
        assert regions[slot] == octets
        expected[slot:slot + 8] = message[slot:slot + 8]
    assert message[32:].hex(" ", 8) == bytes(expected[32:]).hex(" ", 8)
    assert struct.unpack_from("<I", message, 4)[0] == len(message) == len(encoded.data)
    assert is_complex(message) == encoded.complex


def names_of(ports: Any) -> bytes:
    return struct.pack(f"<{len(ports)}I", *ports)


def test_ids_count_skipped_routines(stubs: Stubs) -> None:
    assert {r.name: r.ident for r in EVERY.routines} == {r.name: n for n, r in stubs.table["every"].routines.items()}
    assert [r.ident for r in EVERY.routines if r.name in ("echo_three_values", "echo_five_ints", "echo_region")] == [
        30015, 30017, 30029]


def test_made_files_name_their_source(tmp_path: Path) -> None:
    from machemu import mig

    for emit in (mig.c_header, mig.c_server_header, mig.c_user, mig.c_server):
        first = emit(EVERY).split("\n")[0]
        assert first == "/* Made from every.defs by machemu mig: edit that file instead. */"
