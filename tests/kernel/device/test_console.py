"""The console: input when it comes, output at once (mach-abi.md 11.1, 11.2)."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.results import DeviceReturn, MigReturn
from tests.support.rig import (
    COPY_SEND,
    MAKE_SEND_ONCE,
    PAGE,
    SCRATCH,
    Actor,
    At,
    KernelRig,
    Received,
    header,
)

CLOSE, WRITE, WRITE_INBAND, READ, READ_INBAND, MAP, SET_STATUS, GET_STATUS = (
    2801, 2802, 2803, 2804, 2805, 2809, 2810, 2811)
NOWAIT: Final = 8
TTY_STATUS: Final = 0x74_0001
GET_SIZE, GET_RECORDS = 0, 1
SEND_ONCE_UNUSED: Final = 71


@pytest.fixture
def console(rig: KernelRig) -> int:
    return rig.name_of(rig.actor, rig.kernel.devices.open("console", rig.actor.task))


def ask(actor: Actor, device: int, wanted: int, ident: int = READ_INBAND, mode: int = 0) -> int:
    """Send a read; the name of its reply port."""
    reply = actor.port()
    body, _ = actor.request_body(ident, mode, 0, wanted)
    octets = header(device, reply, COPY_SEND, MAKE_SEND_ONCE, ident, 32 + len(body)) + body
    assert actor.send(octets) == 0
    return reply


def octets_of(found: Received) -> bytes:
    """Of an inband reply."""
    assert found.code == 0
    return found.body[24:24 + (found.word(16) >> 32)]


@pytest.mark.parametrize("text", [b"", b"x", b"hello", b"y" * 128])
def test_output_in_the_message(rig: KernelRig, console: int, text: bytes) -> None:
    assert rig.actor.rpc(console, WRITE_INBAND, 0, 0, text) == (0, (len(text),))
    assert bytes(rig.machine.console.written) == text


def test_more_than_128_octets_do_not_fit_in_the_message(rig: KernelRig, console: int) -> None:
    body = b"\x02\x20\0\x20\1\0\0\0" + bytes(8) + b"\x0b\x40\0\x20\1\0\0\0" + bytes(8)
    body += b"\x08\x08\0\x20" + (136).to_bytes(4, "little") + b"z" * 136
    assert rig.actor.request(console, WRITE_INBAND, body).code == MigReturn.BAD_ARGUMENTS
    assert not rig.machine.console.written


@pytest.mark.parametrize("size", [1, 5000, 3 * PAGE])
def test_output_out_of_line(rig: KernelRig, console: int, size: int) -> None:
    rig.actor.store(SCRATCH, b"t" * size)
    frames = rig.kernel.pool.used
    assert rig.actor.rpc(console, WRITE, 0, 0, At(SCRATCH, size)) == (0, (size,))
    assert bytes(rig.machine.console.written) == b"t" * size
    assert rig.kernel.pool.used == frames


def test_writing_nothing_out_of_line_is_an_invalid_size(rig: KernelRig, console: int) -> None:
    assert rig.actor.rpc(console, WRITE, 0, 0, At(0, 0))[0] == DeviceReturn.INVALID_SIZE


@pytest.mark.parametrize("ident", [READ, READ_INBAND])
def test_a_read_is_answered_when_there_is_input(rig: KernelRig, console: int, ident: int) -> None:
    reply = ask(rig.actor, console, 100, ident)
    assert rig.actor.poll(reply) is None
    rig.machine.console.type(b"typed")
    found = rig.actor.take(reply)
    assert (found.code, found.ident) == (0, ident + 100)
    if ident == READ:
        assert rig.actor.load(found.word(24), 5) == b"typed"
    else:
        assert octets_of(found) == b"typed"


def test_input_typed_before_is_there_at_once(rig: KernelRig, console: int) -> None:
    rig.machine.console.type(b"ahead")
    assert octets_of(rig.actor.take(ask(rig.actor, console, 3))) == b"ahe"
    assert octets_of(rig.actor.take(ask(rig.actor, console, 100))) == b"ad"


def test_an_inband_read_gives_128_octets_at_most(rig: KernelRig, console: int) -> None:
    rig.machine.console.type(b"i" * 300)
    assert len(octets_of(rig.actor.take(ask(rig.actor, console, 2**31 - 1)))) == 128


def test_readers_are_served_in_the_order_they_came(rig: KernelRig, console: int) -> None:
    other = rig.another()
    theirs = rig.name_of(other, rig.kernel.devices.open("console", other.task))
    first = ask(rig.actor, console, 2)
    second = ask(other, theirs, 2)
    rig.machine.console.type(b"abc")
    assert octets_of(rig.actor.take(first)) == b"ab"
    assert octets_of(other.take(second)) == b"c"
    third = ask(rig.actor, console, 9)
    assert rig.actor.poll(third) is None
    rig.machine.console.type(b"d")
    assert octets_of(rig.actor.take(third)) == b"d"


def test_a_read_that_may_not_wait(rig: KernelRig, console: int) -> None:
    assert rig.actor.rpc(console, READ_INBAND, NOWAIT, 0, 10)[0] == DeviceReturn.WOULD_BLOCK
    rig.machine.console.type(b"now")
    assert rig.actor.rpc(console, READ_INBAND, NOWAIT, 0, 10) == (0, (b"now",))


@pytest.mark.parametrize("wanted", [0, -1, -(2**31)])
def test_reading_nothing_is_an_invalid_size(rig: KernelRig, console: int, wanted: int) -> None:
    for ident in (READ, READ_INBAND):
        assert rig.actor.rpc(console, ident, 0, 0, wanted)[0] == DeviceReturn.INVALID_SIZE


def test_closing_answers_those_who_wait(rig: KernelRig, console: int) -> None:
    reply = ask(rig.actor, console, 10)
    assert rig.actor.rpc(console, CLOSE) == (0, ())
    assert rig.actor.take(reply).code == DeviceReturn.DEVICE_DOWN


@pytest.mark.parametrize("how", ["reply port dies", "task dies"])
def test_a_line_goes_to_the_reader_that_is_still_there(rig: KernelRig, console: int, how: str) -> None:
    other = rig.another()
    theirs = rig.name_of(other, rig.kernel.devices.open("console", other.task))
    reply = ask(other, theirs, 10)
    if how == "task dies":
        rig.kernel.terminate_task(other.task, None, "test")
    else:
        other.space.destroy_name(reply)
    mine = ask(rig.actor, console, 10)
    rig.machine.console.type(b"typed")
    assert octets_of(rig.actor.take(mine)) == b"typed"


def test_a_read_without_a_reply_port_takes_no_input(rig: KernelRig, console: int) -> None:
    body, _ = rig.actor.request_body(READ_INBAND, 0, 0, 10)
    assert rig.actor.send(header(console, ident=READ_INBAND, size=32 + len(body)) + body) == 0
    rig.machine.console.type(b"typed")
    assert rig.machine.console.typed == b"typed"


def test_status(rig: KernelRig, console: int) -> None:
    assert rig.actor.rpc(console, GET_STATUS, TTY_STATUS, 4) == (0, ([0, 0, 0, 0],))
    assert rig.actor.rpc(console, GET_STATUS, GET_SIZE, 1024) == (0, ([0, 1],))
    assert rig.actor.rpc(console, GET_STATUS, TTY_STATUS, 3)[0] == DeviceReturn.INVALID_SIZE
    for flavor in (GET_RECORDS, 99, 2**32 - 1):
        assert rig.actor.rpc(console, GET_STATUS, flavor, 1024)[0] == DeviceReturn.INVALID_OPERATION
    assert rig.actor.rpc(console, SET_STATUS, 99, [1, 2])[0] == DeviceReturn.INVALID_OPERATION


def test_a_console_has_no_registers_and_no_interrupt_port(rig: KernelRig, console: int) -> None:
    assert rig.actor.rpc(console, MAP, 3, 0, PAGE, 0)[0] == DeviceReturn.INVALID_OPERATION
    port = rig.actor.port()
    rig.space.insert(rig.space.take(port, 20))
    with rig.unchanged():
        assert rig.actor.rpc(console, SET_STATUS, 0x6D_0001, [port])[0] == DeviceReturn.INVALID_OPERATION
