"""Complex bodies of any octets: the error the rules name, nothing leaked, no Python
exception (mach-abi.md 1.4, 1.5, 2.3)."""

from __future__ import annotations

import struct
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from machemu.kernel.ipc.right import Right
from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BUFFERS_END,
    COMPLEX,
    COPY_SEND,
    DEAD,
    DEALLOCATE,
    INLINE,
    LONG_FORM,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    NO_NAME,
    NULL,
    PAGE,
    SCRATCH,
    SEND_TIMEOUT,
    UNMAPPED,
    Actor,
    KernelRig,
    descriptor,
    header,
    message,
    port_item,
    port_region_item,
    region_item,
    word_item,
)

MALFORMED: Final = [
    (descriptor(COPY_SEND, 32, 1), MsgReturn.SEND_INVALID_DATA, "inline port of 32 bits"),
    (descriptor(MOVE_RECEIVE, 0, 1), MsgReturn.SEND_INVALID_DATA, "inline port of no bits"),
    (descriptor(11, 64, 2), MsgReturn.SEND_INVALID_DATA, "runs past the end"),
    (descriptor(9, 8, 2**32 - 1), MsgReturn.SEND_INVALID_DATA, "runs far past the end"),
    (descriptor(9, 0xFFFF, 2**32 - 1), MsgReturn.SEND_INVALID_DATA, "as large as can be said"),
    (descriptor(COPY_SEND, 64, 2**32 - 1), MsgReturn.SEND_INVALID_DATA, "more ports than there are octets"),
    (descriptor(2, 32, 1, INLINE | DEALLOCATE), MsgReturn.SEND_INVALID_TYPE, "inline and deallocate"),
    *((descriptor(2, 32, 1, INLINE | 1 << bit), MsgReturn.SEND_INVALID_TYPE, f"unused bit {bit}")
      for bit in range(24, 29)),
    (descriptor(COPY_SEND, 64, 1, 0), MsgReturn.SEND_INVALID_TYPE, "out-of-line ports of 64 bits"),
    (descriptor(COPY_SEND, 0, 1, 0), MsgReturn.SEND_INVALID_TYPE, "out-of-line ports of no bits"),
    (descriptor(9, 8, 4096, 0), MsgReturn.SEND_INVALID_MEMORY, "unmapped region"),
    (descriptor(9, 0xFFFF, 2**32 - 1, DEALLOCATE), MsgReturn.SEND_INVALID_MEMORY, "huge region"),
    (descriptor(COPY_SEND, 32, 1, 0), MsgReturn.SEND_INVALID_MEMORY, "unmapped array"),
    (descriptor(COPY_SEND, 32, 2**32 - 1, 0), MsgReturn.SEND_INVALID_MEMORY, "huge array"),
]


@pytest.mark.req("A-M11")
@pytest.mark.parametrize(("word", "code"), [pytest.param(*case[:2], id=case[2]) for case in MALFORMED])
def test_a_malformed_item_is_refused(rig: KernelRig, word: int, code: int) -> None:
    sender, to, receiver, port = rig.channel()
    with rig.unchanged():
        assert sender.send(message(to, word_item(1), struct.pack("<QQ", word, UNMAPPED))) == code
    assert receiver.poll(port) is None


@pytest.mark.req("A-M11")
@pytest.mark.parametrize(("kind", "bits", "data"), [
    (0, 32, struct.pack("<3I", 1, 0, 1)), (1, 16, struct.pack("<3H", 1, 2, 3)), (2, 32, struct.pack("<I", 7)),
    (8, 8, b"characters"), (9, 8, bytes(range(200))), (10, 64, struct.pack("<2d", 1.5, -2.5)),
    (11, 64, struct.pack("<2Q", 2**64 - 1, 5)), (12, 8, b"string\0"), (15, 32, struct.pack("<2I", 256, 512)),
    (12, 1024, bytes(128)), (2, 32, b""), (200, 24, bytes(6))])
def test_data_of_each_type_goes_round(rig: KernelRig, kind: int, bits: int, data: bytes) -> None:
    sender, to, receiver, port = rig.channel()
    word = descriptor(kind, bits, len(data) * 8 // bits)
    item = struct.pack("<Q", word) + data + bytes(-len(data) % 8)
    assert sender.send(message(to, item, port_item(NULL, COPY_SEND))) == 0
    found = receiver.take(port)
    assert (found.word(0), found.body[8:8 + len(data)]) == (word, data)


# -- soup --------------------------------------------------------------------------------------

# What stays the same however often it is sent, so that the result can be foretold.
STABLE: Final = ("copied send right", "receive right", "no name", "null", "dead")
WORDS: Final = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 8, PAGE, UNMAPPED, SCRATCH, 2**63]))
ADDRESSES: Final = st.sampled_from([0, 1, SCRATCH, SCRATCH + 5, BUFFERS_END - 4, BUFFERS_END, UNMAPPED, 2**38 - 4,
                                    2**63, 2**64 - 1])
COUNTS: Final = st.one_of(st.integers(0, 4), st.sampled_from([1023, 1024, 5000, 2**31, 2**32 - 1]))
FLAGS: Final = st.sampled_from([INLINE, INLINE, INLINE | LONG_FORM, 0, 0, LONG_FORM, LONG_FORM | DEALLOCATE,
                                INLINE | DEALLOCATE, INLINE | 1 << 24, 1 << 28])
ANY_DESCRIPTOR: Final = st.builds(descriptor, st.integers(0, 30), st.sampled_from([0, 1, 8, 32, 64, 0xFFFF]), COUNTS,
                                  FLAGS)
ITEMS: Final = st.one_of(
    st.tuples(ANY_DESCRIPTOR, ADDRESSES).map(lambda pair: struct.pack("<QQ", *pair)),
    st.builds(struct.pack, st.just("<Q"), WORDS),
    st.builds(region_item, ADDRESSES, COUNTS, st.booleans()),
    st.builds(port_region_item, ADDRESSES, COUNTS, st.integers(16, 21), st.booleans()),
)


def naive_result(names: dict[str, int], body: bytes, mapped: range) -> int:
    """What mach-abi.md says of a body whose names are all stable and whose memory is not deallocated."""
    makes = {MAKE_SEND, MAKE_SEND_ONCE}
    at, items = 0, []
    while at < len(body):
        word, = struct.unpack_from("<Q", body, at)
        kind, bits, inline, number = word & 0xFF, word >> 8 & 0xFFFF, word & INLINE, word >> 32
        if inline and 16 <= kind <= 21 and bits != 64:
            return MsgReturn.SEND_INVALID_DATA
        octets = -(-bits * number // 8)
        room = -(-octets // 8) * 8 if inline else 8
        if at + 8 + room > len(body):
            return MsgReturn.SEND_INVALID_DATA
        items.append((at, word, kind, bits, inline, number, octets))
        at += 8 + room
    for at, word, kind, bits, inline, number, octets in items:
        is_port = 16 <= kind <= 21
        if word & 0x1F << 24 or (inline and word & DEALLOCATE):
            return MsgReturn.SEND_INVALID_TYPE
        if not inline and is_port and bits != 32:
            return MsgReturn.SEND_INVALID_TYPE
        if not inline and octets:
            address, = struct.unpack_from("<Q", body, at + 8)
            if address not in mapped or address + octets > mapped.stop:
                return MsgReturn.SEND_INVALID_MEMORY
        if not is_port:
            continue
        found = ([struct.unpack_from("<I", body, at + 8 + 8 * index)[0] for index in range(number)] if inline
                 else [NULL] * number)
        for name in found:
            good = name in (NULL, DEAD) or (name == names["copied send right"] and kind == COPY_SEND) or (
                name == names["receive right"] and kind in makes)
            if not good:
                return MsgReturn.SEND_INVALID_RIGHT
    return MsgReturn.SUCCESS


@settings(derandomize=True, deadline=None, max_examples=50, database=None)
@given(st.lists(st.one_of(
    st.tuples(st.sampled_from([COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE]), st.lists(st.sampled_from(STABLE), max_size=3)),
    ANY_DESCRIPTOR.filter(lambda word: not (word & DEALLOCATE and not word & INLINE))), max_size=5), ADDRESSES)
def test_the_error_is_the_first_the_rules_name(parts: list[object], address: int) -> None:
    rig = KernelRig()
    sender, to, receiver, port = rig.channel()
    names = {"copied send right": to, "receive right": sender.port(), "no name": NO_NAME, "null": NULL, "dead": DEAD}
    body = b""
    for part in parts:
        if isinstance(part, tuple):
            use, kinds = part
            body += struct.pack(f"<Q{len(kinds)}Q", descriptor(use, 64, len(kinds)), *(names[kind] for kind in kinds))
        else:
            body += struct.pack("<QQ", part, address)
    code = naive_result(names, body, range(0x20000, BUFFERS_END))
    octets = header(to, size=32 + len(body), complex_=True) + body
    assert sender.send(octets) == code
    if code == 0:
        found = receiver.take(port)
        assert found.size == len(octets)
    assert receiver.poll(port) is None
    end_of_everything(rig)


def end_of_everything(rig: KernelRig) -> None:
    """Both tasks end: nothing may be left of what they sent each other."""
    first = KernelRig()
    for actor in rig.actors:
        rig.kernel.terminate_task(actor.task, None, "test")
    for actor in first.actors:
        first.kernel.terminate_task(actor.task, None, "test")
    rig.check()
    assert len(rig.kernel.zone.live) == len(first.kernel.zone.live)
    assert rig.kernel.pool.used == first.kernel.pool.used


def any_name(sender: Actor, rig: KernelRig) -> list[int]:
    return [*rig.names_of_every_kind(sender).values(), sender.self_name, NULL, DEAD, NO_NAME]


@settings(derandomize=True, deadline=None, max_examples=50, database=None)
@given(st.data())
def test_soup_of_every_disposition_leaks_nothing(data: st.DataObject) -> None:
    rig = KernelRig()
    sender, to, receiver, port = rig.channel()
    names = any_name(sender, rig)
    sender.memory.write(SCRATCH, struct.pack("<16I", *data.draw(st.lists(st.sampled_from(names), min_size=16,
                                                                         max_size=16))))
    for _ in range(4):
        items = data.draw(st.lists(st.one_of(
            ITEMS, st.builds(port_item, st.sampled_from(names), st.integers(16, 21))), max_size=6))
        octets = message(to, *items, local=data.draw(st.sampled_from(names)), local_use=data.draw(st.integers(0, 24)),
                         remote_use=data.draw(st.sampled_from([COPY_SEND, COPY_SEND, 17, 18, 20])))
        code = sender.send(octets, SEND_TIMEOUT, 0)
        assert code == 0 or 0x1000_0000 < code < 0x1000_0011 or code & 0x3C00
        if code == 0 and data.draw(st.booleans()):
            receiver.poll(port)
    end_of_everything(rig)


@settings(derandomize=True, deadline=None, max_examples=60, database=None)
@given(st.binary(min_size=0, max_size=96), st.sampled_from([0, COMPLEX]))
def test_octets_drawn_at_random_are_a_message_or_an_error(octets: bytes, bit: int) -> None:
    rig = KernelRig()
    sender, to, _, _ = rig.channel()
    whole = struct.pack("<II", bit | COPY_SEND, 0) + struct.pack("<Q", to) + octets
    whole += bytes(max(0, 32 - len(whole)))
    code = sender.send(whole)
    if len(whole) % 8:
        assert code == MsgReturn.SEND_MSG_TOO_SMALL
    else:
        assert code == 0 or 0x1000_0000 < code < 0x1000_0011
    end_of_everything(rig)


def test_more_names_than_one_message_can_hold_is_too_much_memory(rig: KernelRig) -> None:
    """An array far larger than RAM in memory that was never touched."""
    sender, to, _, _ = rig.channel()
    sender.memory.allocate(UNMAPPED, 2**34, False)
    code = sender.send(message(to, port_region_item(UNMAPPED, 2**32 - 1, MAKE_SEND)))
    assert code in (MsgReturn.SEND_INVALID_MEMORY, MsgReturn.SEND_NO_BUFFER)
    assert sender.space.references(to, Right.SEND) == 1
