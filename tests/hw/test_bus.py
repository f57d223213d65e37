"""Device pages mapped into user programs: what reaches a device, and what misuse does (unicorn-riscv.md 8)."""

from __future__ import annotations

import struct
from typing import Any, Final

import pytest

from machemu.hw.api import PAGE_SIZE, Access, CpuException
from machemu.hw.bus import BusError
from machemu.hw.cpu import Context
from machemu.hw.registers import RegisterPage
from tests.hw.guests import RW, Program, Rig, guest

BUS: Final = 0x2000_0000  # bus address of the probe's page
PAGE: Final = 0x40  # virtual
EXCEPTION_STATE: Final = 3
WAYS = [{}, {"live": False}, {"native": False}]


class Probe:
    """A device of one page that notes every access; reads give their offset."""

    def __init__(self) -> None:
        self.accesses: list[tuple[Any, ...]] = []
        self.failure: BaseException | None = None  # to raise at the next access

    def _note(self, *access: Any) -> None:
        self.accesses.append(access)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def read(self, offset: int, width: int) -> int:
        self._note("read", offset, width)
        return offset

    def write(self, offset: int, width: int, value: int) -> None:
        self._note("write", offset, width, value)


def probed(program: Program, **way: Any) -> tuple[Rig, Context, Probe]:
    rig, probe = Rig(**way), Probe()
    rig.machine.bus.attach("probe", BUS, 1, probe)
    context = rig.load(program)
    context.space.map_device(PAGE, BUS // PAGE_SIZE, RW)
    return rig, context, probe


@pytest.mark.parametrize("way", WAYS)
def test_every_width_arrives_as_the_device_can_take_it(way: dict[str, bool]) -> None:
    rig, context, probe = probed(guest("""
        li s0, 0x40000
        li t0, 0x0102030405060708
        sb t0, 1(s0)
        sh t0, 2(s0)
        sw t0, 4(s0)
        sd t0, 8(s0)
        ld a0, 16(s0)
        sw t0, 0x7fe(s0)
        amoadd.w a1, t0, (s0)
        lbu a2, 0x73(s0)
        ecall
    """), **way)
    (trap,) = rig.run(context)
    assert probe.accesses == [
        ("write", 1, 1, 8), ("write", 2, 2, 0x0708), ("write", 4, 4, 0x05060708),
        ("write", 8, 4, 0x05060708), ("write", 12, 4, 0x01020304),  # low half first
        ("read", 16, 4), ("read", 20, 4),
        *[("write", 0x7FE + n, 1, 8 - n) for n in range(4)],  # misaligned: octet by octet
        ("read", 0, 4), ("write", 0, 4, 0x05060708),
        ("read", 0x73, 1)]
    assert trap.detail[:3] == (20 << 32 | 16, 0, 0x73)


@pytest.mark.parametrize("way", WAYS)
def test_access_that_asks_for_an_event_is_performed_once(way: dict[str, bool]) -> None:
    rig, context, probe = probed(guest("li s0, 0x40000\nsw s0, 8(s0)\nlw a0, 16(s0)\necall"), **way)
    fired: list[int] = []
    note = probe._note

    def note_and_ask(*access: Any) -> None:
        note(*access)
        rig.clock.call_at(rig.clock.now_ns, lambda: fired.append(rig.clock.now_ns))

    probe._note = note_and_ask  # type: ignore[method-assign]
    rig.run(context)
    rig.settle()
    assert probe.accesses == [("write", 8, 4, 0x40000), ("read", 16, 4)]
    assert len(fired) == 2


MISUSE: Final = "li s0, 0x40000\nli a0, 9\n{}\n1: addi a1, a1, 1\nj 1b"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("instruction", "scause", "value"), [("lw a0, 0x24(s0)", 5, 0), ("sw a0, 0x24(s0)", 7, 9)])
def test_misuse_is_an_exception_at_the_next_stop(
    instruction: str, scause: int, value: int, way: dict[str, bool]
) -> None:
    rig, context, probe = probed(guest(MISUSE.format(instruction)), **way)
    probe.failure = BusError("no such register")
    (trap,) = rig.run(context)
    assert (trap.kind, trap.detail) == ("bad_access", (2, PAGE * PAGE_SIZE + 0x24))
    assert context.register("a0") == value  # a bad read gives 0
    assert context.register("a1") <= 1  # no further than the next block
    cause, address, _ = struct.unpack("<3Q", context.get_state(EXCEPTION_STATE) or b"")
    assert (cause, address) == (scause, PAGE * PAGE_SIZE + 0x24)
    assert rig.machine.bus.bad_accesses == 1


def test_misuse_is_told_to_the_thread_that_did_it() -> None:
    """Its block ends in a trap that switches to another thread."""
    rig, context, probe = probed(guest("li s0, 0x40000\nlw a0, 0(s0)\necall\nj ."))
    other = rig.load(guest("li a1, 7\necall"), context.space)
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(other if len(rig.kernel.traps) == 1 else context)
    told: list[Context | None] = []

    def exception(cause: CpuException) -> None:
        told.append(rig.cpu.current)
        rig.cpu.switch_to(None)

    rig.kernel.on_exception = exception
    probe.failure = BusError("no such register")
    rig.run(context)
    assert told == [context]


def test_several_misuses_in_one_block_are_one_exception() -> None:
    rig, context, _ = probed(guest("li s0, 0x41000\nlb a0, 0(s0)\nlb a0, 5(s0)\nsb a0, 9(s0)\n1: j 1b"))
    context.space.map_device(PAGE + 1, 0x10000, RW)  # the console, which has no octet registers
    (trap,) = rig.run(context)
    assert trap.detail == (2, (PAGE + 1) * PAGE_SIZE)
    assert rig.machine.bus.bad_accesses == 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("failure", [ZeroDivisionError("our own bug"), KeyboardInterrupt(), SystemExit(3)])
def test_exception_of_our_own_in_a_callback_is_raised_by_run(failure: BaseException, way: dict[str, bool]) -> None:
    rig, context, probe = probed(guest(MISUSE.format("lw a0, 0(s0)")), **way)
    probe.failure = failure
    with pytest.raises(type(failure)):
        rig.run(context, 10_000)
    assert rig.clock.now_ns < 1000
    rig.cpu.switch_to(None)


def test_device_page_can_be_read_only() -> None:
    rig, context, probe = probed(guest("li s0, 0x40000\nlw a0, 4(s0)\nsw a0, 4(s0)\necall"))
    context.space.map_device(PAGE, BUS // PAGE_SIZE, Access.READ)
    (trap,) = rig.run(context)
    assert (trap.kind, trap.detail) == ("page_fault", (PAGE * PAGE_SIZE + 4, Access.WRITE))
    assert probe.accesses == [("read", 4, 4)]


def test_pages_of_two_devices_cannot_overlap() -> None:
    rig, _, probe = probed(guest("ecall"))
    with pytest.raises(AssertionError):
        rig.machine.bus.attach("second", BUS, 1, probe)


# -- register pages -----------------------------------------------------------------------


def wide_page() -> tuple[RegisterPage, list[int]]:
    page, written = RegisterPage("test"), [0x1122_3344_5566_7788]
    page.add_wide(8, lambda: written[-1], written.append)
    page.add(0x10, lambda: 2**40 + 5)
    page.add(0x14, None, written.append)
    page.constant(0x18, 77)
    return page, written


def test_both_halves_read_belong_to_one_instant() -> None:
    page, written = wide_page()
    low = page.read(8, 4)
    written.append(0)  # the value changes between the halves
    assert page.read(12, 4) << 32 | low == 0x1122_3344_5566_7788


def test_wide_write_counts_when_its_high_half_arrives() -> None:
    page, written = wide_page()
    page.write(8, 4, 0xDDCC_BBAA)
    assert len(written) == 1
    page.write(12, 4, 0x1122_3344)
    assert written[-1] == 0x1122_3344_DDCC_BBAA


def test_kept_halves_do_not_outlive_a_reset() -> None:
    page, written = wide_page()
    page.read(8, 4)
    page.write(8, 4, 5)
    page.reset()
    assert page.read(12, 4) == 0
    page.write(12, 4, 1)
    assert written[-1] == 1 << 32


def test_registers_are_4_octets_wide() -> None:
    page, _ = wide_page()
    assert page.read(0x10, 4) == 5
    assert page.read(0x18, 4) == 77


@pytest.mark.parametrize(("offset", "width"), [(8, 1), (8, 2), (8, 8), (9, 4), (0x14, 4), (0x1C, 4), (0xFFC, 4)])
def test_nothing_else_can_be_read(offset: int, width: int) -> None:
    with pytest.raises(BusError):
        wide_page()[0].read(offset, width)


@pytest.mark.parametrize(("offset", "width"), [(8, 1), (0x14, 2), (9, 4), (0x10, 4), (0x18, 4), (0xFFC, 4)])
def test_nothing_else_can_be_written(offset: int, width: int) -> None:
    page, written = wide_page()
    with pytest.raises(BusError):
        page.write(offset, width, 1)
    assert len(written) == 1
