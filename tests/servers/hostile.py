"""What a hostile client may send to any server, and what must come of it: the same for all."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import strategies as st

from machemu.hw.api import PAGE_SIZE
from machemu.interfaces.runtime import POLYMORPHIC, Item, Kind, Routine, Subsystem, encode_request
from machemu.kernel.ipc.body import INLINE
from machemu.kernel.ipc.message import HEADER, Message, Peer
from machemu.kernel.ipc.port import QUEUE_LIMIT_DEFAULT
from machemu.kernel.ipc.right import (
    COPY_SEND,
    MACH_PORT_DEAD,
    MACH_PORT_NULL,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
)
from machemu.kernel.ipc.send import copy_in
from machemu.kernel.results import MigReturn, MsgReturn
from tests.support.stubs import Lone, Puppet

ITEM_MORE: Final = struct.pack("<QQ", 1 << 32 | INLINE | 32 << 8 | 2, 0)  # one more integer
TOO_LARGE: Final = bytes(0x4000)  # octets of body: more than any server takes
UNSENT: Final = (MsgReturn.SEND_INVALID_DATA, MsgReturn.SEND_INVALID_TYPE)
NOTIFICATIONS: Final = range(64, 73)
INTEGER, BYTE, INTEGER_64 = 2, 9, 11  # types
HUGE_ELEMENTS: Final = 0xFFFF_FE00  # of 8 octets, in whole pages: the most that one item can have
HUGE_ITEMS: Final = 9  # so many of them are more than an address space


class Spoilt(NamedTuple):
    """A request with one thing wrong."""

    what: str
    ident: int
    body: bytes
    complex: bool


def sound_body(routine: Routine) -> tuple[bytes, bool]:
    """A request that is well formed: zeros, empty arrays, null ports."""
    values: list[object] = []
    for item in routine.request:
        values.append(_value(item))
        if item.type == POLYMORPHIC:
            values.append(COPY_SEND)
    encoded = encode_request(routine, values)
    return encoded.data[32:], encoded.complex


def _value(item: Item) -> object:
    if item.kind is Kind.PORT:
        return None
    if item.kind is Kind.INTEGER:
        return 0
    return b"" if item.variable or item.kind is Kind.STRING else bytes(item.bits * item.number // 8)


def spoilt_requests(routine: Routine, new_right: Callable[[], int], memory: int) -> Iterator[Spoilt]:
    """Every routine's request with one thing wrong at a time.

    Args:
        new_right: makes the sender a receive right, to send a right of the wrong kind.
        memory: the address of a page of the sender's, for data out of line.
    """
    body, complex_ = sound_body(routine)
    if body:
        yield Spoilt("an item is missing", routine.id, b"", False)
        yield Spoilt("8 octets are missing", routine.id, body[:-8], complex_)
    yield Spoilt("an item too many", routine.id, body + ITEM_MORE, complex_)
    for item, at in _places(routine, body):
        word = struct.unpack_from("<Q", body, at)[0]
        for what, changed in _changes(item, word):
            yield Spoilt(f"{item.name}: {what}", routine.id, _put(body, at, changed), complex_)
        if item.kind is not Kind.PORT and not item.out_of_line:
            outside = body[:at] + struct.pack("<QQ", word & ~INLINE, memory)  # what follows is not looked at
            yield Spoilt(f"{item.name}: out of line", routine.id, outside, True)
        if item.kind is Kind.PORT:
            for kind in (MOVE_RECEIVE, MAKE_SEND_ONCE):
                wrong = _put(body, at, word & ~0xFF | kind, new_right())
                yield Spoilt(f"{item.name}: right of kind {kind}", routine.id, wrong, True)
            yield Spoilt(f"{item.name}: a number in a simple message", routine.id,
                         _put(body, at, word, new_right()), False)


def _places(routine: Routine, body: bytes) -> Iterator[tuple[Item, int]]:
    """Each item with the offset of its descriptor."""
    at = 0
    for item in routine.request:
        yield item, at
        word = struct.unpack_from("<Q", body, at)[0]
        octets = (word >> 8 & 0xFFFF) * (word >> 32) // 8 if word & INLINE else 8
        at += 8 + (octets + 7 & ~7)


def _changes(item: Item, word: int) -> Iterator[tuple[str, int]]:
    yield "another type", word & ~0xFF | (BYTE if item.type == INTEGER else INTEGER)
    yield "elements of half the size", word & ~0xFFFF00 | item.bits // 2 << 8
    if not item.variable:
        yield "no element", word & 0xFFFF_FFFF


def _put(body: bytes, at: int, word: int, data: int | None = None) -> bytes:
    """`body` with another descriptor at `at`, and other data behind it."""
    new = struct.pack("<Q", word) + (b"" if data is None else struct.pack("<Q", data))
    return body[:at] + new + body[at + len(new):]


def misdeeds(node: Lone, client: Puppet, port: int, *subsystems: Subsystem) -> list[str]:
    """Send all that is wrong to `port`; a line for each answer that is not the one due."""
    found = []
    page = client.memory.allocate(0, PAGE_SIZE, True)
    huge = _more_than_a_space(client)

    def expect(what: str, due: int | None, got: int | None) -> None:
        if got != due and got not in UNSENT:
            found.append(f"{what}: {got} instead of {due}")

    with node.nothing_kept():
        for subsystem in subsystems:
            for routine in subsystem.routines.values():
                for bad in spoilt_requests(routine, client.port, page):
                    got = client.probe(port, bad.ident, bad.body, complex_=bad.complex)
                    expect(f"{routine.name}, {bad.what}", MigReturn.BAD_ARGUMENTS, got)
            for ident in _foreign(subsystem):
                expect(f"id {ident:#x}", MigReturn.BAD_ID, client.probe(port, ident))
            first = next(iter(subsystem.routines))
            expect("too large", MigReturn.SERVER_DIED, client.probe(port, first, TOO_LARGE))
            expect("too large, no reply", None, client.probe(port, first, TOO_LARGE, reply_use=0))
            expect("more memory than a space", MigReturn.SERVER_DIED, client.probe(port, first, huge, complex_=True))
            expect("more memory, no reply", None, client.probe(port, first, huge, complex_=True, reply_use=0))
            expect("bad, no reply", None, client.probe(port, first, ITEM_MORE * 9, reply_use=0))
            expect("bad, reply by a send right", MigReturn.BAD_ARGUMENTS,
                   client.probe(port, first, ITEM_MORE * 9, reply_use=MAKE_SEND))
    return found


def _more_than_a_space(client: Puppet) -> bytes:
    """A body with more memory out of line than an address space has room for, which costs its
    sender no page."""
    address = client.memory.allocate(0, HUGE_ELEMENTS * 8, True)
    return struct.pack("<QQ", HUGE_ELEMENTS << 32 | 64 << 8 | INTEGER_64, address) * HUGE_ITEMS


UNDELIVERABLE: Final = ("no port", "full queue", "dead port")


def ask_for_answers_nobody_can_take(node: Lone, client: Puppet, port: int, subsystem: Subsystem, to: str) -> None:
    """Send requests whose answer cannot be delivered; the server must go on, and keep nothing."""
    reply = {"no port": lambda: MACH_PORT_NULL, "dead port": lambda: MACH_PORT_DEAD,
             "full queue": lambda: _full_port(client)}[to]()
    with node.nothing_kept():
        for routine in subsystem.routines.values():
            if routine.request:
                continue
            for use in (MAKE_SEND,) if to == "full queue" else (MAKE_SEND, MAKE_SEND_ONCE):
                assert client.send(HEADER.pack(COPY_SEND | use << 8, HEADER.size, port, reply, 0, routine.id)) == 0
                node.settle()
    assert client.probe(port, 1) == MigReturn.BAD_ID, "it still answers"


def _full_port(client: Puppet) -> int:
    """A port of the client's whose queue has no room."""
    full = client.port()
    for _ in range(QUEUE_LIMIT_DEFAULT):
        assert client.send(HEADER.pack(MAKE_SEND, HEADER.size, full, 0, 0, 0)) == 0
    return full


def _foreign(subsystem: Subsystem) -> list[int]:
    """Ids that the subsystem has no routine for."""
    known = subsystem.routines
    near = [*range(subsystem.base - 2, subsystem.base + 32), subsystem.base + 100, max(known) + 1, max(known) + 100]
    return [ident for ident in [0, 1, 1000, 0x7FFF_FFFF, 0xFFFF_FFFF - 100, *near] if ident not in known]


def forged_notifications(client: Puppet, port: int) -> None:
    """Send every notification of the kernel, as a client may, with numbers that could be names."""
    for ident in NOTIFICATIONS:
        for body in (b"", ITEM_MORE, *(struct.pack("<QQ", 1 << 32 | INLINE | 32 << 8 | kind, number)
                                       for kind in (2, 15) for number in (0, 0x100, 0x200, 0x300, 0x400))):
            client.probe(port, ident, body)
            client.probe(port, ident, body, reply_use=0)


def random_requests(*subsystems: Subsystem) -> st.SearchStrategy[tuple[int, bytes, bool]]:
    """Requests made of sound ones by changing octets, and of nothing but octets."""
    routines = [routine for subsystem in subsystems for routine in subsystem.routines.values()]

    @st.composite
    def request(draw: st.DrawFn) -> tuple[int, bytes, bool]:
        routine = draw(st.sampled_from(routines))
        body, complex_ = sound_body(routine)
        if draw(st.booleans()):
            octets = draw(st.binary(max_size=256))
            return routine.id, octets.ljust(len(octets) + 7 & ~7, b"\0"), draw(st.booleans())
        data = bytearray(body)
        for _ in range(draw(st.integers(1, 4)) if data else 0):
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
        return routine.id, bytes(data), complex_ ^ draw(st.booleans())

    return request()


def passed_on(monkeypatch: pytest.MonkeyPatch, node: int = 2, epoch: int = 1, *, by: int | None = None) -> None:
    """From now on puppets send as a network server does that passes messages on for another node.

    Args:
        by: the network server's task number, if it is not each puppet's own.
    """
    _puppets_send_as(monkeypatch, Peer(node, epoch), by)


def sent_by(monkeypatch: pytest.MonkeyPatch, task: int) -> None:
    """From now on what puppets send comes from this task."""
    _puppets_send_as(monkeypatch, None, task)


def _puppets_send_as(monkeypatch: pytest.MonkeyPatch, peer: Peer | None, task: int | None) -> None:
    def copy_in_for(*arguments: Any) -> Message:
        message = copy_in(*arguments)
        message.peer = peer
        if task is not None:
            message.sender = task
        return message

    monkeypatch.setattr("tests.support.stubs.copy_in", copy_in_for)
