"""The timer and the power switch."""

from __future__ import annotations

import pytest

from machemu.hw.devices.power import Power
from machemu.hw.devices.timer import NEVER, Timer
from tests.hw.devices.drivers import Registers
from tests.hw.guests import RW, Rig, guest

MTIMECMP, MTIME = 0x4000, 0xBFF8
CONTROL, STATE = 0, 4
SWITCH_OFF, RESET = 0x5555, 0x7777


def timer(rig: Rig) -> tuple[Registers, list[int]]:
    """Its registers, and the times of its interrupts."""
    device = rig.machine.devices["timer"]
    assert isinstance(device, Timer)
    seen: list[int] = []
    device.interrupt.attach(lambda: seen.append(rig.clock.now_ns))
    return Registers(device.registers), seen


def test_interrupt_comes_when_the_time_has() -> None:
    rig = Rig()
    page, seen = timer(rig)
    assert page.wide(MTIMECMP) == NEVER
    page.set_wide(MTIMECMP, 5000)
    rig.settle(4999)
    assert seen == []
    rig.settle(1)
    assert seen == [5000]
    assert page.wide(MTIME) == 5000
    rig.settle()
    assert seen == [5000]  # an edge, not a level


def test_writing_again_moves_the_one_interrupt() -> None:
    rig = Rig()
    page, seen = timer(rig)
    for compare in (5000, 9000, 7000):
        page.set_wide(MTIMECMP, compare)
    rig.settle()
    page.set_wide(MTIMECMP, NEVER)
    assert seen == [7000]
    page.set_wide(MTIMECMP, 100)  # past: at once
    rig.settle()
    assert seen == [7000, 7000]


@pytest.mark.parametrize("compare", [NEVER, NEVER - 1, 2**63])
def test_time_that_never_comes_is_no_event(compare: int) -> None:
    rig = Rig()
    page, seen = timer(rig)
    page.set_wide(MTIMECMP, compare)
    assert page.wide(MTIMECMP) == compare
    assert rig.clock.next_event_ns is None
    assert seen == []


@pytest.mark.parametrize("way", [{}, {"live": False}, {"native": False}])
def test_spinning_guest_is_stopped_in_time(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    page, seen = timer(rig)
    page.set_wide(MTIMECMP, 20_000)
    rig.cpu.switch_to(rig.load(guest("1: addi s0, s0, 1\nj 1b")))
    while not seen:
        rig.clock.run_due()
        rig.cpu.run(10**6)
    assert 20_000 <= seen[0] < 20_020
    rig.cpu.switch_to(None)


def test_guest_that_has_its_pages_sets_its_own_alarm() -> None:
    rig = Rig()
    _, seen = timer(rig)
    context = rig.load(guest("""
        li t1, 0x4bff8          # mtime
        ld a0, 0(t1)
        li t2, 0x44000          # mtimecmp
        addi t3, a0, 2000
        sd t3, 0(t2)
    1:  ld a1, 0(t1)
        bltu a1, t3, 1b
        ecall
    """))
    for page in range(12):
        context.space.map_device(0x40 + page, 0x10100 + page, RW)
    (trap,) = rig.run(context)
    assert 2000 <= trap.detail[1] - trap.detail[0] < 2100
    assert seen == [trap.detail[0] + 2000]


def power(rig: Rig) -> tuple[Registers, list[bool]]:
    device = rig.machine.devices["power"]
    assert isinstance(device, Power)
    told: list[bool] = []
    rig.machine.on_halt = told.append
    return Registers(device.registers), told


@pytest.mark.parametrize(("code", "reboot", "state"), [(SWITCH_OFF, False, 1), (RESET, True, 2)])
def test_switch_halts_the_machine_outside_the_engine(code: int, reboot: bool, state: int) -> None:
    rig = Rig()
    page, told = power(rig)
    assert page[STATE] == 0
    page[CONTROL] = code
    assert (page[STATE], told) == (state, [])
    page[CONTROL] = SWITCH_OFF  # the first counts
    rig.settle()
    assert told == [reboot]


def test_guest_that_has_the_page_switches_off_and_any_other_value_is_misuse() -> None:
    rig = Rig()
    _, told = power(rig)
    context = rig.load(guest("li s0, 0x40000\nsw zero, 0(s0)\nj 1f\n1: li t0, 0x5555\nsw t0, 0(s0)\n2: j 2b"))
    context.space.map_device(0x40, 0x10001, RW)
    rig.kernel.on_exception = lambda cause: None
    rig.run(context, 10_000)
    rig.cpu.switch_to(None)
    assert [trap.kind for trap in rig.kernel.traps] == ["bad_access"]
    assert told == [False]


def test_kernels_halt_stops_the_guest_at_the_next_block() -> None:
    rig = Rig()
    _, told = power(rig)
    rig.kernel.on_ecall = lambda: rig.machine.halt(True)
    rig.cpu.switch_to(rig.load(guest("ecall\n1: j 1b")))
    rig.cpu.run(10**6)
    assert rig.clock.now_ns < 300
    assert told == [True]
