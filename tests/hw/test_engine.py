"""The engine's life: fallbacks, what is refused before it can crash, and that all of it goes (unicorn-riscv.md 15)."""

from __future__ import annotations

import ctypes
import gc
import signal
import subprocess
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from unicorn import UC_ARCH_RISCV, UC_MODE_RISCV64, Uc

from machemu.hw import engine, native
from machemu.hw.isa.riscv64 import layout
from machemu.hw.keyboard import InterruptKey
from machemu.hw.machine import build_machine
from tests.hw.guests import BARE, RIGS, Program, Rig, guest

ALL_WAYS: Final = [{}, {"live": False}, {"native": False}, {"live": False, "native": False}]
SPIN: Final = "1: addi s0, s0, 1\nj 1b"


class Failure(Exception):
    """Raised by handlers here."""


def fails() -> None:
    raise Failure


# -- what a handler raises ----------------------------------------------------------------


@pytest.mark.parametrize("way", ALL_WAYS)
@pytest.mark.parametrize("failure", [Failure, KeyboardInterrupt, SystemExit, AssertionError])
def test_what_the_kernel_raises_in_a_trap_is_raised_by_run(failure: type[BaseException], way: dict[str, bool]) -> None:
    rig = Rig(**way)

    def ecall() -> None:
        raise failure

    rig.kernel.on_ecall = ecall
    with pytest.raises(failure):
        rig.run(rig.load(guest(f"ecall\n{SPIN}")), 10_000)
    assert rig.clock.now_ns < 1000  # the guest did not go on
    rig.cpu.switch_to(None)


def test_run_can_be_used_again_after_a_failure() -> None:
    rig = Rig()
    rig.kernel.on_ecall = fails
    context = rig.load(guest("ecall\nli a0, 2\necall"))
    with pytest.raises(Failure):
        rig.run(context)
    rig.kernel.on_ecall = None
    assert rig.run()[-1].detail[0] == 2


# -- stopping -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ALL_WAYS)
def test_preempt_ends_the_run_at_the_next_block(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    rig.kernel.on_ecall = lambda: rig.cpu.preempt()
    rig.cpu.switch_to(rig.load(guest(f"ecall\n{SPIN}")))
    rig.cpu.run(10**6)
    assert rig.clock.now_ns < 300
    rig.cpu.run(20_000)
    assert rig.clock.now_ns >= 20_000  # it counted once


@pytest.mark.parametrize("way", ALL_WAYS)
def test_preempt_before_a_run_is_not_forgotten(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    rig.cpu.switch_to(rig.load(guest(SPIN)))
    rig.cpu.preempt()
    rig.cpu.run(10**6)
    assert rig.clock.now_ns == 0
    rig.cpu.run(1000)
    assert rig.clock.now_ns >= 1000


def test_run_with_nothing_to_run_returns() -> None:
    rig = Rig()
    rig.cpu.run(1000)
    assert rig.clock.now_ns == 0


def test_run_is_refused_before_there_is_a_kernel() -> None:
    machine = build_machine(BARE)
    with pytest.raises(AssertionError):
        machine.cpu.run(1000)
    machine.close()


def test_run_and_close_are_refused_inside_a_trap() -> None:
    rig = Rig()
    refused: list[str] = []

    def ecall() -> None:
        for what in (lambda: rig.cpu.run(10**6), rig.machine.close):
            with pytest.raises(AssertionError):
                what()
            refused.append("refused")
        rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    rig.run(rig.load(guest("ecall")))
    assert len(refused) == 2


def test_interrupt_key_ends_the_quantum_and_raises_nothing() -> None:
    rig = Rig()
    rig.kernel.on_ecall = lambda: signal.raise_signal(signal.SIGINT)
    rig.cpu.switch_to(rig.load(guest(f"ecall\n{SPIN}")))
    before = signal.getsignal(signal.SIGINT)
    with InterruptKey(rig.cpu.preempt) as key:
        rig.cpu.run(10**6)
        assert key.pressed
        with pytest.raises(KeyboardInterrupt):  # the second time it is meant
            signal.raise_signal(signal.SIGINT)
    assert rig.clock.now_ns < 300
    assert signal.getsignal(signal.SIGINT) is before


# -- the mode -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", [{}, {"live": False}])
@pytest.mark.parametrize(("word", "value"), [
    pytest.param(layout.PRIV_VER, 0x11100, id="later specification"),
    pytest.param(layout.MSTATUS, layout.MSTATUS_FS, id="translation off"),
    pytest.param(layout.MSTATUS, 9 << 24, id="floating point off"),
    pytest.param(layout.PRIV, 3, id="machine mode"),
])
def test_check_notices_when_isolation_is_lost(word: int, value: int, way: dict[str, bool]) -> None:
    rig = Rig(**way)
    words = rig.machine._engine.words
    before = words[word]
    words[word] = value
    with pytest.raises(AssertionError):
        rig.machine.check()
    words[word] = before


# -- fallbacks ----------------------------------------------------------------------------


@pytest.fixture
def fresh_warnings() -> Iterator[None]:
    """Fallbacks warn once for each process: this test is a new one."""
    native.load_helper.cache_clear()
    engine._warn_of_contexts.cache_clear()
    yield
    native.load_helper.cache_clear()
    engine._warn_of_contexts.cache_clear()


@pytest.mark.usefixtures("fresh_warnings")
def test_without_native_helper_instructions_are_counted_after_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler() -> Path:
        raise subprocess.SubprocessError("no compiler here")

    monkeypatch.setattr(native, "build_helper", no_compiler)
    with pytest.warns(RuntimeWarning, match="no compiler here.*counting instructions") as told:
        rigs = [Rig() for _ in range(3)]
    assert len(told) == 1
    assert {rig.clock.kind for rig in rigs} == {"instructions"}
    assert rigs[0].run(rigs[0].load(guest("li a0, 4\necall")))[0].detail[0] == 4


@pytest.mark.usefixtures("fresh_warnings")
def test_without_live_view_contexts_are_used_after_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_state", lambda uc: None)
    with pytest.warns(RuntimeWarning, match="saved copies") as told:
        rigs = [Rig() for _ in range(3)]
    assert len(told) == 1
    assert not any(rig.machine._engine.live for rig in rigs)
    assert rigs[0].run(rigs[0].load(guest("li a0, 4\necall")))[0].detail[0] == 4


@pytest.mark.usefixtures("fresh_warnings")
def test_asking_for_a_slow_way_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Rig(live=False, native=False)


def test_state_that_is_not_where_it_should_be_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.find_state(Uc(UC_ARCH_RISCV, UC_MODE_RISCV64)) is not None
    monkeypatch.setattr(layout, "PRIV_VER", layout.PRIV_VER + 1)  # as after a change of the engine
    assert engine.find_state(Uc(UC_ARCH_RISCV, UC_MODE_RISCV64)) is None


def test_copy_of_the_state_elsewhere_in_memory_is_not_mistaken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV64)
    address = engine.find_state(uc)
    assert address is not None
    size = layout.FLAGS_OCTET + 1
    copy = ctypes.create_string_buffer(ctypes.string_at(address, size), size)
    search = engine._search
    monkeypatch.setattr(engine, "_search", lambda *args: search(*args) | {ctypes.addressof(copy)})
    assert engine.find_state(uc) == address


def test_helper_is_built_once_and_is_what_its_source_makes(tmp_path: Path) -> None:
    path = native.build_helper(tmp_path)
    stamp = path.stat().st_mtime_ns
    assert native.build_helper(tmp_path) == path
    assert path.stat().st_mtime_ns == stamp
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


# -- lifetime -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ALL_WAYS)
def test_close_frees_the_emulator_at_once(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest("li a0, 6\necall"))
    rig.run(context)
    gone = weakref.ref(rig.machine._engine._uc)
    gc.disable()
    try:
        rig.close()
        assert gone() is None
    finally:
        gc.enable()
    rig.machine.close()  # again: nothing happens


def test_machine_that_is_dropped_is_freed_by_the_collector() -> None:
    rig = Rig()
    rig.run(rig.load(guest("ecall")))
    gone = weakref.ref(rig.machine._engine._uc)
    RIGS.remove(rig)
    del rig
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("way", ALL_WAYS)
def test_closed_machine_keeps_registers_and_memory_and_refuses_the_rest(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest(f"li a0, 6\necall\n{SPIN}"))
    rig.kernel.on_ecall = lambda: rig.cpu.preempt()
    rig.cpu.switch_to(context)
    rig.cpu.run(10**6)
    held = rig.cpu.arguments
    rig.close()
    assert context.register("a0") == 6
    assert rig.clock.now_ns > 0
    context.space.unmap(0x20)
    rig.memory.invalidate_code(5)
    context.space.destroy()
    for use in (lambda: held[0], lambda: rig.cpu.pc, lambda: rig.cpu.switch_to(context)):
        with pytest.raises(ValueError, match="released memoryview"):
            use()
    rig.cpu.current = None


def test_many_machines_come_and_go() -> None:
    program = guest("li a0, 1\necall")
    for _ in range(40):
        rig = Rig()
        assert rig.run(rig.load(program))[0].detail[0] == 1
        rig.close()


# -- two nodes in one process -------------------------------------------------------------


def test_two_machines_share_nothing() -> None:
    """Run in turn, a block or two at a time, each is as it is alone."""
    def program(step: int) -> Program:
        return guest(f"""
            li s0, 0x20000
            li s1, 300
        1:  ld a0, 0(s0)
            addi a0, a0, {step}
            sd a0, 0(s0)
            fcvt.d.l fa0, a0
            fdiv.d fa1, fa0, fa0
            addi s1, s1, -1
            bnez s1, 1b
            rdtime a1
            ecall
        """)

    def alone(step: int) -> tuple[int, ...]:
        rig = Rig()
        return rig.run(rig.load(program(step)))[0].detail

    rigs = [Rig(), Rig(live=False), Rig()]
    for step, rig in enumerate(rigs, 1):
        rig.cpu.switch_to(rig.load(program(step)))
    while any(rig.cpu.current for rig in rigs):
        for rig in rigs:
            rig.cpu.run(rig.clock.now_ns + 60)
    assert [rig.kernel.traps[0].detail for rig in rigs] == [alone(step) for step in (1, 2, 3)]
    assert len({id(rig.memory.data.obj) for rig in rigs}) == 3
