"""What belongs to a thread: all of its registers, and nothing of another's."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.isa.riscv64 import layout, state
from tests.hw.examples import examples
from tests.hw.guests import DATA, Rig, guest

WAYS = [{}, {"live": False}, {"native": False}]
FLOATS = 32


@pytest.mark.parametrize("way", WAYS)
def test_switch_keeps_every_register_of_both_threads(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    # Every register but x0 counts up by a number of its own; then the other's turn.
    general = "\n".join(f"addi x{n}, x{n}, {n}" for n in range(1, 32))
    floats = "\n".join(f"fadd.d f{n}, f{n}, f{n}" for n in range(FLOATS))
    program = guest(f"1:\n{general}\n{floats}\necall\nj 1b")
    contexts = [rig.load(program) for _ in range(2)]
    for number, context in enumerate(contexts):
        for n in range(1, 32):
            context.set_register(layout.X_NAMES[n], 1000 * number)
        for n in range(FLOATS):
            context.set_register(f"f{n}", struct.unpack("<Q", struct.pack("<d", n + 100.0 * number))[0])
    turns = 0

    def switch() -> None:
        nonlocal turns
        turns += 1
        rig.cpu.switch_to(contexts[turns % 2] if turns < 10 else None)

    rig.kernel.on_ecall = switch
    rig.run(contexts[0])
    for number, context in enumerate(contexts):
        assert [context.register(layout.X_NAMES[n]) for n in range(32)] == \
            [0] + [1000 * number + 5 * n for n in range(1, 32)]
        assert [struct.unpack("<d", struct.pack("<Q", context.register(f"f{n}")))[0] for n in range(FLOATS)] == \
            [32 * (n + 100.0 * number) for n in range(FLOATS)]


@pytest.mark.parametrize("way", WAYS)
def test_reservation_does_not_survive_a_switch(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    program = guest("""
        li s0, 0x20000
        lr.d a0, (s0)
        ecall               # another thread reserves the same address, in its own space
        addi a0, a0, 1
        sc.d a1, a0, (s0)
        ecall
    """)
    first, second = rig.load(program), rig.load(program)
    order = [second, first, None]
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(order.pop(0))
    last = rig.run(first)[-1]
    assert last.detail[:2] == (1, 1)  # the sc has failed
    assert rig.octets_at(first.space, DATA, 8) == bytes(8)


def test_reservation_survives_a_trap_without_a_switch() -> None:
    rig = Rig()
    context = rig.load(guest("li s0, 0x20000\nlr.d a0, (s0)\necall\naddi a0, a0, 1\nsc.d a1, a0, (s0)\necall"))
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(context if len(rig.kernel.traps) < 2 else None)
    assert rig.run(context)[-1].detail[:2] == (1, 0)


INEXACT = """
    li t0, 1
    fcvt.d.l fa0, t0
    li t0, 3
    fcvt.d.l fa1, t0
    fdiv.d fa2, fa0, fa1
    ecall
    frflags a0
    fmv.x.d a1, fa2
    ecall
"""


@pytest.mark.parametrize("way", WAYS)
def test_floating_point_flags_belong_to_the_thread_that_raised_them(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    dividing, other = rig.load(guest(INEXACT)), rig.load(guest("frflags a0\necall"))
    order = [other, dividing, None]
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(order.pop(0))
    _, others, own = rig.run(dividing)
    assert others.detail[0] == 0
    assert own.detail[0] == 1  # inexact


@pytest.mark.parametrize("way", WAYS)
def test_each_thread_rounds_its_own_way(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    contexts = [rig.load(guest(INEXACT)) for _ in range(5)]
    for mode, context in enumerate(contexts):
        assert context.set_state(state.FLOAT_STATE, struct.pack("<32QII", *[0] * FLOATS, mode << 5, 0))
    waiting = contexts[1:] + contexts  # all divide, then all look at the result
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(waiting.pop(0) if waiting else None)
    results = [trap.detail[1] for trap in rig.run(contexts[0])[5:]]
    third = 0x3FD5_5555_5555_5555
    assert results == [third, third, third, third + 1, third]  # nearest, to 0, down, up, nearest away


@pytest.mark.parametrize("way", WAYS)
def test_undefined_rounding_mode_is_an_illegal_instruction(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest("fadd.d fa0, fa0, fa0\necall"))
    assert context.set_state(state.FLOAT_STATE, struct.pack("<32QII", *[0] * FLOATS, 7 << 5, 0))
    (trap,) = rig.run(context)
    assert trap.kind == "bad_instruction"


# -- flavors of thread_get_state (mach-abi.md 9.2) -----------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_flavors_show_a_thread_whether_it_runs_or_not(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    program = guest(INEXACT)
    context = rig.load(program)
    seen: list[tuple[Any, ...]] = []

    def look() -> None:
        seen.append((context.get_state(state.THREAD_STATE), context.get_state(state.FLOAT_STATE)))
        if len(seen) == 2:
            rig.cpu.switch_to(None)
            seen.append((context.get_state(state.THREAD_STATE), context.get_state(state.FLOAT_STATE)))

    rig.kernel.on_ecall = look
    rig.run(context)
    first, second, stopped = seen
    assert stopped == second
    *general, pc = struct.unpack("<32Q", second[0])
    assert pc == context.pc == rig.kernel.traps[1].pc
    assert general[9] == 1  # x10, the flags
    assert general[1] == context.sp
    *floats, fcsr, zero = struct.unpack("<32QII", first[1])
    assert (floats[12], fcsr, zero) == (0x3FD5_5555_5555_5555, 1, 0)


def test_a_thread_that_never_computed_has_zeros() -> None:
    rig = Rig()
    context = rig.cpu.new_context(rig.space())
    assert context.get_state(state.THREAD_STATE) == bytes(256)
    assert context.get_state(state.FLOAT_STATE) == bytes(264)
    assert context.get_state(state.EXCEPTION_STATE) == bytes(24)


def test_list_of_flavors() -> None:
    rig = Rig()
    context = rig.cpu.new_context(rig.space())
    assert context.get_state(state.FLAVOR_LIST) == struct.pack("<4I", 1, 2, 3, 4)
    assert context.get_state(5) is None
    assert context.get_state(-1) is None


@pytest.mark.parametrize(("flavor", "octets"), [
    pytest.param(state.FLAVOR_LIST, bytes(12), id="list is read only"),
    pytest.param(state.EXCEPTION_STATE, bytes(24), id="exception state is read only"),
    pytest.param(9, bytes(256), id="no such flavor"),
    pytest.param(state.THREAD_STATE, bytes(248), id="too short"),
    pytest.param(state.THREAD_STATE, bytes(264), id="too long"),
    pytest.param(state.THREAD_STATE, struct.pack("<32Q", *range(100, 131), 0x10001), id="odd pc"),
    pytest.param(state.FLOAT_STATE, bytes(260), id="floats too short"),
    pytest.param(state.DEBUG_STATE, bytes(4), id="debug state too short"),
    pytest.param(state.DEBUG_STATE, struct.pack("<2I", 2, 0), id="no such flag"),
    pytest.param(state.DEBUG_STATE, struct.pack("<2I", 1, 1), id="padding"),
])
def test_refused_state_changes_nothing(flavor: int, octets: bytes) -> None:
    rig = Rig()
    context = rig.load(guest("ecall"))
    before = [context.get_state(number) for number in range(5)]
    assert not context.set_state(flavor, octets)
    assert [context.get_state(number) for number in range(5)] == before


@pytest.mark.parametrize("way", WAYS)
def test_state_set_in_a_trap_is_what_goes_on(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    program = guest("ecall\nebreak\nthere: ecall")
    context = rig.load(program)

    def ecall() -> None:
        if len(rig.kernel.traps) == 2:
            rig.cpu.switch_to(None)
            return
        assert context.set_state(state.THREAD_STATE, struct.pack("<32Q", *range(1, 32), program.symbols["there"]))

    rig.kernel.on_ecall = ecall
    _, last = rig.run(context)
    assert last.detail == tuple(range(10, 18))


@examples(60)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=32, max_size=32), st.integers(0, 255))
def test_state_set_is_the_state_got(words: list[int], fcsr: int) -> None:
    registers = state.Registers(memoryview(bytearray(layout.SAVED_WORDS * 8)).cast("Q"))
    words[31] &= ~1
    general = struct.pack("<32Q", *words)
    floats = struct.pack("<32QII", *words, fcsr, 0)
    assert state.put(registers, state.THREAD_STATE, general)
    assert state.put(registers, state.FLOAT_STATE, floats)
    assert state.get(registers, state.THREAD_STATE) == general
    assert state.get(registers, state.FLOAT_STATE) == floats


def test_x0_stays_0_and_unknown_registers_are_refused() -> None:
    rig = Rig()
    context = rig.cpu.new_context(rig.space())
    context.set_register("zero", 5)
    assert context.register("zero") == 0
    with pytest.raises(KeyError):
        context.register("f99")
