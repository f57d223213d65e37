"""The console: a terminal line, for the kernel's driver and for one that maps its page."""

from __future__ import annotations

import pytest

from machemu.hw.bus import BusError
from machemu.hw.devices.console import INPUT_LIMIT, Console
from tests.hw.guests import RW, Rig, guest


def console_of(rig: Rig) -> Console:
    console = rig.machine.devices["console"]
    assert isinstance(console, Console)
    return console


def test_output_goes_where_the_machine_was_told() -> None:
    rig = Rig()
    console_of(rig).write(b"lost: nobody looks")
    written: list[bytes] = []
    rig.machine.on_console = written.append
    rig.machine.character_devices["console"].write(b"hello\n")
    assert written == [b"hello\n"]
    assert rig.machine.on_console is not None


def test_input_is_read_in_order_as_far_as_wanted() -> None:
    console = console_of(Rig())
    console.type(b"first ")
    console.type(b"second")
    assert console.read(8) == b"first se"
    assert console.read(100) == b"cond"
    assert console.read(100) == b""
    assert console.read(0) == b""


def test_a_read_ends_with_the_line() -> None:
    console = console_of(Rig())
    console.type(b"one\n\ntwo")
    assert [console.read(9) for _ in range(4)] == [b"one\n", b"\n", b"two", b""]


def test_interrupt_comes_with_input_and_not_with_none() -> None:
    rig = Rig()
    console, seen = console_of(rig), []
    console.interrupt.attach(lambda: seen.append(rig.clock.now_ns))
    console.type(b"")
    rig.settle()
    assert seen == []
    console.type(b"a")
    console.type(b"b")  # before it was handled: one interrupt
    rig.settle()
    assert len(seen) == 1


def test_input_typed_before_anyone_listens_is_not_lost() -> None:
    rig = Rig()
    console, seen = console_of(rig), []
    console.type(b"early")
    rig.settle()
    console.interrupt.attach(lambda: seen.append(console.read(100)))
    rig.settle()
    assert seen == [b"early"]


def test_too_much_input_is_counted_as_lost() -> None:
    console = console_of(Rig())
    console.type(b"x" * (INPUT_LIMIT - 1))
    console.type(b"abc")
    assert console.lost == 2
    assert console.read(INPUT_LIMIT)[-1:] == b"a"


def test_program_that_has_its_page_reads_and_writes_octets() -> None:
    rig = Rig()
    written: list[bytes] = []
    rig.machine.on_console = written.append
    console_of(rig).type(b"ok")
    context = rig.load(guest("""
        li s0, 0x40000
    1:  lw t0, 4(s0)        # status
        andi t1, t0, 1
        beqz t1, 2f
        lw t1, 0(s0)        # an octet of input, sent back
        sw t1, 0(s0)
        j 1b
    2:  lw a0, 0(s0)        # none is left
        mv a1, t0
        ecall
    """))
    context.space.map_device(0x40, 0x10000, RW)
    (trap,) = rig.run(context)
    assert written == [b"o", b"k"]
    assert trap.detail[:2] == (0, 2)


@pytest.mark.parametrize(("offset", "width"), [(4, 4), (0, 1), (8, 4)])
def test_status_cannot_be_written_nor_octets_as_such(offset: int, width: int) -> None:
    with pytest.raises(BusError):
        console_of(Rig()).registers.write(offset, width, 1)
