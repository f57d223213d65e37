"""Virtual time is exact at every trap, and nothing but the run itself changes it."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unicorn import unicorn_const

from machemu.hw.api import PAGE_SIZE, Access, CpuException
from machemu.hw.cpu import Context
from tests.hw.examples import examples
from tests.hw.guests import BARE, BASE, DATA, RW, RX, Program, Rig, Trap, guest

ALL_WAYS: Final = [{}, {"live": False}, {"native": False}, {"live": False, "native": False}]

# Faults in mid-block, demand-paged code, a block and an instruction that straddle pages.
MIXED: Final = """
    li s0, 0x100000
    li s1, 40
    li s5, 0x12345
1:  addi s2, s2, 1
    c.addi s3, 3
    mul s5, s5, s2
    sd s5, 0(s0)
    c.addi s4, 1
    ld a1, 0(s0)
    andi t0, s5, 7
    beqz t0, 2f
    nop
    c.nop
2:  li a7, 1
    ecall
    rdtime a0
    lui t0, 1
    add s0, s0, t0
    addi s1, s1, -1
    bnez s1, 1b
    .word 0xffffffff
    jal far
    c.ebreak
    li a7, 99
    ecall
    .balign 4096
    .space 4096-10
far: addi s6, s6, 1
    addi s6, s6, 2
    addi s6, s6, 3
    c.addi s7, 1
edge: lui s8, 0x12345
    c.addi s7, 1
    li t1, 3
3:  addi t1, t1, -1
    bnez t1, 3b
    ret
"""


class MixedRun:
    """The program above under a kernel that pages on demand and steps over bad instructions."""

    def __init__(self, **options: Any) -> None:
        self.rig = Rig(replace(BARE, trap_ns=0), **options)
        self.program: Program = guest(MIXED)
        self.context: Context = self.rig.load(self.program)
        space = self.context.space
        first = BASE // PAGE_SIZE + 1
        self.paged_out = {page: offset // PAGE_SIZE for page, offset in space.readable.items()
                          if first <= page < BASE // PAGE_SIZE + len(self.program.code) // PAGE_SIZE + 1}
        for page in self.paged_out:
            space.unmap(page)
        kernel = self.rig.kernel
        kernel.on_ecall, kernel.on_fault, kernel.on_exception = self._ecall, self._fault, self._exception

    def _ecall(self) -> None:
        if self.rig.cpu.arguments[7] == 99:
            self.rig.cpu.switch_to(None)

    def _fault(self, address: int, access: Access) -> None:
        page = address // PAGE_SIZE
        if access == Access.EXECUTE:
            self.context.space.map(page, self.paged_out[page], RX)
        else:
            self.context.space.map(page, self.rig.frame(), RW)

    def _exception(self, cause: CpuException) -> None:
        self.context.pc += 4 if cause.kind == "bad_instruction" else 2


def mixed_traps(quantum_ns: int | None = None, **options: Any) -> list[object]:
    run = MixedRun(**options)
    rig = run.rig
    rig.cpu.switch_to(run.context)
    while rig.cpu.current is not None:
        rig.cpu.run(rig.clock.now_ns + (quantum_ns or 10**9))
    return list(rig.kernel.traps)


def test_time_at_every_trap_is_the_code_executed_until_then() -> None:
    run = MixedRun()
    rig, executed = run.rig, 0
    expected: list[int] = []
    uc = rig.machine._engine._uc

    def each(_uc: object, _address: int, size: int, _user: object) -> None:
        nonlocal executed
        executed += size

    uc.hook_add(unicorn_const.UC_HOOK_CODE, each)
    note = rig.kernel._note

    def note_expected(kind: str, *detail: int) -> None:
        nonlocal executed
        fetch = kind == "page_fault" and detail[1] == Access.EXECUTE
        if kind != "ecall" and not fetch:  # it was begun, not executed
            code = run.program.code[rig.cpu.pc - BASE]
            executed -= 4 if code & 3 == 3 else 2
        expected.append(executed * 1000 // 400)
        note(kind, *detail)

    rig.kernel._note = note_expected  # type: ignore[method-assign]
    traps = rig.run(run.context)
    assert [trap.time_ns for trap in traps] == expected
    assert {trap.kind for trap in traps} == {"ecall", "page_fault", "bad_instruction", "breakpoint"}
    assert len(traps) > 80


@pytest.mark.parametrize("quantum_ns", [1, 25, 83, 250, 2500])
def test_quanta_do_not_change_times_or_registers(quantum_ns: int) -> None:
    assert mixed_traps(quantum_ns) == mixed_traps()


def test_contexts_give_the_same_run_as_the_live_view() -> None:
    assert mixed_traps(live=False) == mixed_traps()


@pytest.mark.parametrize("options", [{"native": False}, {"native": False, "live": False}])
def test_counting_instructions_is_as_repeatable(options: dict[str, bool]) -> None:
    whole = mixed_traps(**options)
    for quantum_ns in (1, 25, 1000):
        assert whole == mixed_traps(quantum_ns, **options)
    assert [trap.kind for trap in whole] == [trap.kind for trap in mixed_traps()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", [{}, {"live": False}])
def test_counted_instructions_all_cost_three_octets(way: dict[str, bool]) -> None:
    rig = Rig(replace(BARE, trap_ns=0), native=False, **way)
    context = rig.load(guest("c.nop\n.option norvc\nnop\nrdtime a0\nrdtime a1\necall\nnop\necall"))
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(context if len(rig.kernel.traps) < 2 else None)
    first, second = rig.run(context)
    # 7.5 ns each, short or long, emulated or not: after 3, 4, 5 and 7 of them.
    assert first.detail[:2] == (22, 30)
    assert (first.time_ns, second.time_ns) == (37, 52)


@pytest.mark.parametrize("way", [{}, {"live": False}])
def test_instruction_that_traps_is_not_counted_until_it_is_done(way: dict[str, bool]) -> None:
    rig = Rig(replace(BARE, trap_ns=0), native=False, **way)
    program = guest(".option norvc\nnop\nebreak\nnop\n.word -1\nnop\nlui a0, 0x50\nld a0, 0(a0)\necall")
    context = rig.load(program)

    def skip(cause: CpuException) -> None:
        context.pc += 4

    rig.kernel.on_exception = skip
    rig.kernel.on_fault = lambda address, access: context.space.map(address // PAGE_SIZE, rig.frame(), RW)
    traps = rig.run(context)
    assert [trap.kind for trap in traps] == ["breakpoint", "bad_instruction", "page_fault", "ecall"]
    assert [trap.time_ns for trap in traps] == [count * 15 // 2 for count in (1, 2, 4, 6)]


@pytest.mark.parametrize("way", ALL_WAYS)
def test_time_charged_in_traps_counts_for_the_end_of_the_run(way: dict[str, bool]) -> None:
    rig = Rig(replace(BARE, trap_ns=200), **way)
    rig.kernel.on_ecall = lambda: rig.clock.charge(300)
    rig.cpu.switch_to(rig.load(guest("1: ecall\naddi s0, s0, 1\nj 1b")))
    for _ in range(3):
        until = rig.clock.now_ns + 10_000
        rig.cpu.run(until)
        assert until <= rig.clock.now_ns < until + 500 + 30


def test_forgotten_translations_do_not_change_the_run() -> None:
    run = MixedRun()
    rig = run.rig
    rig.cpu.switch_to(run.context)
    while rig.cpu.current is not None:
        rig.cpu.run(rig.clock.now_ns + 83)
        rig.machine._engine.forget_all_code()
    assert list(rig.kernel.traps) == mixed_traps()


def test_a_trap_costs_what_the_machine_says() -> None:
    program = guest(".option norvc\nnop\nnop\nnop\necall")
    for trap_ns in (0, 200, 333):
        rig = Rig(replace(BARE, trap_ns=trap_ns))
        (trap,) = rig.run(rig.load(program))
        assert trap.time_ns == 16 * 1000 // 400 + trap_ns


@pytest.mark.parametrize("rate", [1, 7, 400, 1000, 12345])
def test_octets_of_code_are_counted_at_the_rate_described(rate: int) -> None:
    rig = Rig(replace(BARE, code_bytes_per_us=rate, trap_ns=3))
    (trap,) = rig.run(rig.load(guest(".option norvc\nnop\nnop\nnop\necall")))
    assert trap.time_ns == 16 * 1000 // rate + 3


@pytest.mark.parametrize("options", [{}, {"live": False}, {"native": False}])
def test_run_ends_less_than_a_block_late(options: dict[str, bool]) -> None:
    rig = Rig(**options)
    rig.cpu.switch_to(rig.load(guest("1: addi s0, s0, 1\naddi s1, s1, 1\nj 1b")))
    for _ in range(50):
        until = rig.clock.now_ns + 1000
        rig.cpu.run(until)
        assert until <= rig.clock.now_ns < until + 30


def test_schedule_of_three_tasks_repeats() -> None:
    def schedule() -> list[tuple[int, int, int]]:
        rig = Rig()
        program = guest("1: addi s0, s0, 1\nmul s1, s0, s0\nandi t0, s1, 31\nbnez t0, 1b\n"
                        "li a0, 0x30000\nadd a0, a0, s0\nlb a1, 0(a0)\necall\nj 1b")
        contexts = [rig.load(program) for _ in range(3)]
        log: list[tuple[int, int, int]] = []
        rig.kernel.on_ecall = lambda: log.append((rig.clock.now_ns, rig.cpu.arguments[0], turn))
        rig.kernel.on_fault = lambda address, _: rig.cpu.current.space.map(  # type: ignore[union-attr]
            address // PAGE_SIZE, rig.frame(), RW)
        for turn in range(200):
            rig.cpu.switch_to(contexts[turn % 3])
            rig.cpu.run(rig.clock.now_ns + 700 + turn)
            log.append((rig.clock.now_ns, rig.cpu.pc, turn))
        return log

    assert schedule() == schedule()


WORDS = st.integers(0, 2**32 - 1)
OPCODES = st.sampled_from([0x03, 0x13, 0x1B, 0x23, 0x2F, 0x33, 0x3B, 0x43, 0x53, 0x63, 0x63, 0x07, 0x27])
INSTRUCTIONS = st.one_of(WORDS, st.builds(lambda word, opcode: word & ~0x7F | opcode, WORDS, OPCODES))


def outcome(code: list[int], **way: bool) -> tuple[list[Trap], bytes, bytes, bool]:
    """Traps, registers and data at the first fault or exception, or when time is up (True)."""
    rig = Rig(replace(BARE, ram=1 << 20), **way)
    context = rig.load(Program(BASE, struct.pack(f"<{len(code)}I", *code), {}))
    for number in range(8):
        context.set_register(f"a{number}", DATA + 256 * number)
        context.set_register(f"f{number}", 0x3FF0_0000_0000_0000 + number)
    rig.kernel.on_ecall = lambda: None  # go on
    rig.run(context, 20_000)
    late = rig.cpu.current is not None
    rig.cpu.switch_to(None)
    state = b"".join(octets for flavor in range(1, 4) if (octets := context.get_state(flavor)))
    data = rig.octets_at(context.space, DATA, PAGE_SIZE)
    rig.close()
    return rig.kernel.traps, state, data, late


@examples(40)
@given(st.lists(INSTRUCTIONS, min_size=1, max_size=30))
def test_every_way_to_run_gives_the_same_run(code: list[int]) -> None:
    fast = outcome(code)
    assert outcome(code) == fast
    assert outcome(code, live=False) == fast
    counted = outcome(code, native=False)
    assert outcome(code, native=False, live=False) == counted
    if not counted[3] and not fast[3]:  # their clocks differ, and nothing else
        assert [replace(trap, time_ns=0) for trap in counted[0]] == [replace(trap, time_ns=0) for trap in fast[0]]
        assert counted[1:] == fast[1:]
