"""Single step: one instruction, then an exception, whatever the instruction does."""

from __future__ import annotations

import struct
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.api import PAGE_SIZE, Access, CpuException
from machemu.hw.cpu import Context
from machemu.hw.isa.riscv64 import state
from tests.hw.examples import examples
from tests.hw.guests import BASE, DATA, RX, Program, Rig, Trap, guest
from tests.hw.test_traps import INSTRUCTIONS

WAYS: Final = [{}, {"live": False}, {"native": False}, {"live": False, "native": False}]
ON, OFF = struct.pack("<2I", 1, 0), struct.pack("<2I", 0, 0)
FAR: Final = 0x60000  # a page with no code in it yet
NATIVE_OCTET_NS: Final = 2.5


def step(context: Context, on: bool = True) -> None:
    assert context.set_state(state.DEBUG_STATE, ON if on else OFF)


def stepped(rig: Rig, program: Program, steps: int) -> list[Trap]:
    """Step a program `steps` times; what the kernel was told."""
    context = rig.load(program)
    step(context)
    left = steps

    def stop(cause: CpuException) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            rig.cpu.switch_to(None)

    rig.kernel.on_exception = stop
    return rig.run(context)


@pytest.mark.parametrize("way", WAYS)
def test_every_instruction_is_stopped_behind(way: dict[str, bool]) -> None:
    program = guest("""
        .option norvc
    A:  li t0, 2
    B:  addi t0, t0, -1
        .option rvc
    C:  c.nop
    D:  bnez t0, B
    E:  c.j G
    F:  nop
    G:  j G         # to itself, which is a step too
    """)
    told = stepped(Rig(**way), program, 10)
    places = ["B", "C", "D", "B", "C", "D", "E", "G", "G", "G"]
    assert [(trap.kind, trap.pc, trap.detail) for trap in told] == [
        ("breakpoint", program.symbols[place], (1, program.symbols[place])) for place in places]


def test_a_step_takes_the_time_of_its_instruction() -> None:
    program = guest("""
        .option norvc
        li t0, 2
    B:  addi t0, t0, -1
        nop
        bnez t0, B
        j F
        nop
    F:  nop
    """)
    told = stepped(Rig(), program, 9)
    assert [trap.time_ns for trap in told] == [10 * n for n in range(1, 10)]


@pytest.mark.parametrize("way", WAYS)
def test_a_stepped_program_computes_the_same(way: dict[str, bool]) -> None:
    program = guest("""
        li a0, 0
        li t0, 0x20000
        li t1, 12
    1:  mul t2, t1, t1
        sd t2, (t0)
        fcvt.d.l fa0, t2
        fadd.d fa1, fa1, fa0
        addi t0, t0, 8
        addi t1, t1, -1
        bnez t1, 1b
        fcvt.l.d a0, fa1
        ecall
    """)
    plain, slow = Rig(**way), Rig(**way)
    first = plain.run(plain.load(program))[-1]
    context = slow.load(program)
    step(context)
    slow.kernel.on_exception = lambda cause: None
    told = slow.run(context)
    assert len(told) > 80
    assert told[-1].kind == "ecall"
    assert (told[-1].detail, told[-1].pc) == (first.detail, first.pc)
    if plain.clock.kind == "bytes":
        assert told[-1].time_ns == first.time_ns
    assert told[-1].detail[0] == sum(n * n for n in range(13))


@pytest.mark.parametrize("way", WAYS)
def test_a_fault_comes_first_and_its_instruction_is_stepped_when_it_is_executed(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    program = guest("li t0, 0x60000\nF: ld a0, (t0)\nG: ecall")
    context = rig.load(program)
    rig.kernel.on_fault = lambda address, access: context.space.map(address >> 12, rig.frame(), Access.READ)
    rig.kernel.on_exception = lambda cause: None
    step(context)
    told = rig.run(context)
    at, behind = program.symbols["F"], program.symbols["G"]
    assert [(trap.kind, trap.pc) for trap in told] == [
        ("breakpoint", at), ("page_fault", at), ("breakpoint", behind), ("ecall", behind + 4)]


@pytest.mark.parametrize("way", WAYS)
def test_a_jump_to_code_that_is_not_there_is_one_step_and_the_fetch_another(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest("li t0, 0x60000\nF: jr t0"))

    def map_page(address: int, access: int) -> None:
        frame = rig.frame()
        rig.memory.data[frame * PAGE_SIZE:frame * PAGE_SIZE + 4] = bytes.fromhex("13000000")  # nop
        context.space.map(address >> 12, frame, RX)

    def note_last_fault(cause: CpuException) -> None:
        faults.append(context.get_state(state.EXCEPTION_STATE))
        if cause.subcode == FAR + 4:
            rig.cpu.switch_to(None)

    faults: list[bytes | None] = []
    rig.kernel.on_fault, rig.kernel.on_exception = map_page, note_last_fault
    step(context)
    told = rig.run(context)
    assert [(trap.kind, trap.pc) for trap in told[-3:]] == [
        ("breakpoint", FAR), ("page_fault", FAR), ("breakpoint", FAR + 4)]
    assert faults[-2] == bytes(24), "no fault yet when the jump is told"
    if rig.clock.kind == "bytes":
        assert told[-2].time_ns == told[-3].time_ns + 200
        assert told[-1].time_ns == told[-2].time_ns + 10


@pytest.mark.parametrize("way", WAYS)
def test_other_exceptions_come_in_place_of_a_step(way: dict[str, bool]) -> None:
    program = guest(".option norvc\nA: nop\nB: ebreak\nC: .word 0xffffffff\nD: nop\nE: nop")
    rig = Rig(**way)
    context = rig.load(program)
    step(context)

    def skip(cause: CpuException) -> None:
        if cause.code != 1:
            context.pc += 4
        if cause.subcode == program.symbols["E"]:
            rig.cpu.switch_to(None)

    rig.kernel.on_exception = skip
    told = rig.run(context)
    assert [(trap.kind, trap.detail[0], trap.pc - program.symbols["A"]) for trap in told] == [
        ("breakpoint", 1, 4), ("breakpoint", 3, 4), ("bad_instruction", 2, 8), ("breakpoint", 1, 16)]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_one_step_and_its_exception_waits_for_the_thread(way: dict[str, bool]) -> None:
    """The thread that makes the call waits; another one runs, unstepped, in between."""
    rig = Rig(**way)
    program = guest("A: ecall\nB: nop\nC: ecall")
    first, second = rig.load(program), rig.load(guest("li a0, 7\nnop\nnop\nnop\necall"))
    step(first)
    order: list[Context | None] = [second, first, None]
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(order.pop(0))
    rig.kernel.on_exception = lambda cause: None
    told = rig.run(first)
    at = program.symbols
    assert [(trap.kind, trap.pc) for trap in told if trap.detail[0] != 7] == [
        ("ecall", at["B"]), ("breakpoint", at["B"]), ("breakpoint", at["C"]), ("ecall", at["C"] + 4)]
    assert [trap.kind for trap in told] == ["ecall", "ecall", "breakpoint", "breakpoint", "ecall"]


@pytest.mark.parametrize("way", WAYS)
def test_a_thread_that_is_switched_to_in_a_trap_is_stepped_at_once(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    first, second = rig.load(guest("li a0, 7\necall")), rig.load(guest("nop\nnop\nnop"))
    step(second)
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(second)
    rig.kernel.on_exception = lambda cause: rig.cpu.switch_to(None)
    told = rig.run(first)
    assert [trap.kind for trap in told] == ["ecall", "breakpoint"]
    assert told[1].pc == second.pc == 0x10002


@pytest.mark.parametrize("way", WAYS)
def test_two_stepped_threads_take_turns(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    contexts = [rig.load(guest("1: addi t0, t0, 1\nj 1b")) for _ in range(2)]
    for context in contexts:
        step(context)
    turns: list[Any] = [*contexts[1:], *contexts * 3, None]
    rig.kernel.on_exception = lambda cause: rig.cpu.switch_to(turns.pop(0))
    rig.run(contexts[0])
    assert [context.register("t0") for context in contexts] == [2, 2]


@pytest.mark.parametrize("way", WAYS)
def test_time_is_read_in_one_step(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    told = stepped(rig, guest(".option norvc\nrdtime a0\nnop\nnop"), 2)
    assert [(trap.kind, trap.pc) for trap in told] == [("breakpoint", 0x10004), ("breakpoint", 0x10008)]


@pytest.mark.parametrize("way", WAYS)
def test_step_that_is_switched_off_again(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest("nop\nnop\nli a0, 5\necall"))
    step(context)
    rig.kernel.on_exception = lambda cause: step(context, False)
    told = rig.run(context)
    assert [trap.kind for trap in told] == ["breakpoint", "ecall"]
    assert context.get_state(state.DEBUG_STATE) == OFF


def test_an_exception_owed_is_dropped_with_the_flag() -> None:
    rig = Rig()
    context = rig.load(guest("ecall\nli a0, 5\necall"))
    step(context)
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(None)
    assert rig.run(context)[-1].kind == "ecall"
    assert context.get_state(state.DEBUG_STATE) == ON
    step(context, False)
    assert [trap.kind for trap in rig.run(context)] == ["ecall", "ecall"]


@pytest.mark.parametrize("way", WAYS)
def test_what_follows_a_step_runs_at_full_speed_and_ends_in_time(way: dict[str, bool]) -> None:
    """Counted and uncounted runs do not mix in the engine (unicorn-riscv.md, rule 6)."""
    rig = Rig(**way)
    context = rig.load(guest("1: addi t0, t0, 1\nj 1b"))
    rig.kernel.on_exception = lambda cause: step(context, False)
    for _ in range(3):
        step(context)
        rig.run(context, 50_000)
    assert [trap.kind for trap in rig.kernel.traps] == ["breakpoint"] * 3
    assert rig.clock.now_ns < 3 * 50_000 + 300
    octets = 4 if way.get("native", True) else 6  # of the two instructions
    assert abs(context.register("t0") * octets * NATIVE_OCTET_NS - rig.clock.now_ns) < 1000


@pytest.mark.parametrize("way", WAYS)
def test_a_step_begins_only_while_there_is_time(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest("nop\nnop"))
    step(context)
    rig.cpu.switch_to(context)
    rig.cpu.preempt()
    rig.cpu.run(1000)
    rig.cpu.run(rig.clock.now_ns)
    assert not rig.kernel.traps
    assert context.pc == 0x10000
    rig.kernel.on_exception = lambda cause: rig.cpu.switch_to(None)
    assert [trap.pc for trap in rig.run()] == [0x10002]
    assert rig.octets_at(context.space, DATA, 4) == bytes(4)


def run_random(code: list[int], registers: list[int], stepping: bool) -> tuple[Trap | None, bytes | None]:
    """The first trap that ends such a program, and its registers then."""
    rig = Rig()
    context = rig.load(Program(BASE, b"".join(struct.pack("<I", word) for word in code), {}))
    for number, value in enumerate(registers):
        context.set_register(f"a{number}", value)
    if stepping:
        step(context)
    rig.kernel.on_exception = lambda cause: rig.cpu.switch_to(
        context if (cause.kind, cause.code) == ("breakpoint", 1) else None)
    rig.run(context, 2_000)
    rig.cpu.switch_to(None)
    told = [trap for trap in rig.kernel.traps if (trap.kind, *trap.detail[:1]) != ("breakpoint", 1)]
    found = told[0] if told else None, context.get_state(state.THREAD_STATE)
    rig.close()
    return found


@examples(60)
@given(st.lists(INSTRUCTIONS, min_size=1, max_size=40),
       st.lists(st.one_of(st.just(DATA), st.just(BASE), st.integers(0, 2**64 - 1)), min_size=8, max_size=8))
def test_any_code_does_in_steps_what_it_does_at_once(code: list[int], registers: list[int]) -> None:
    plain = run_random(code, registers, stepping=False)
    if plain[0] is not None:  # else the quantum ended it: there it is let go at the end of a block
        assert run_random(code, registers, stepping=True) == plain
