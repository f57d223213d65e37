"""A run that stops after exactly n instructions, and which of those others can notice."""

from __future__ import annotations

import pytest

from machemu.hw.api import PAGE_SIZE, Access
from machemu.hw.isa.riscv64.instructions import can_be_noticed
from tests.hw.guests import DATA, RW, Rig, guest

UNMAPPED = DATA + 16 * PAGE_SIZE
# A call, a page fault that is retried, a compressed instruction and a branch in each turn.
PROGRAM = f"""
first: li s1, {UNMAPPED:#x}
loop:  addi a0, a0, 1
call:  ecall
store: sd a0, 0(s1)
       c.addi a1, 1
jump:  j loop
"""


def order(count: int) -> list[str]:
    """The labels of the first instructions; the one without a label has none."""
    turn = ["loop", "call", "store", "", "jump"]
    return ["first", *(turn[n % len(turn)] for n in range(count - 1))]


def rig_for(program_text: str) -> tuple[Rig, dict[str, int]]:
    rig = Rig(native=False)
    program = guest(program_text)
    context = rig.load(program)
    rig.kernel.on_ecall = lambda: None

    def page_in(address: int, _access: Access) -> None:
        context.space.map(address // PAGE_SIZE, rig.frame(), RW)

    rig.kernel.on_fault = page_in
    rig.cpu.switch_to(context)
    return rig, program.symbols


@pytest.mark.parametrize("count", range(14))
def test_run_stops_after_so_many_instructions(count: int) -> None:
    rig, symbols = rig_for(PROGRAM)
    stopped: list[int] = []

    def stop() -> None:
        stopped.append(rig.cpu.pc)
        rig.cpu.switch_to(None)

    rig.cpu.after_instructions(count, stop)
    rig.run()
    label = order(count + 1)[count]
    assert len(stopped) == 1
    if label:
        assert stopped == [symbols[label]]


def test_steps_one_by_one_reach_the_same_places() -> None:
    rig, symbols = rig_for(PROGRAM)
    places: list[int] = []

    def stop() -> None:
        places.append(rig.cpu.pc)
        if len(places) == 40:
            rig.cpu.switch_to(None)
        else:
            rig.cpu.after_instructions(1, stop)

    rig.cpu.after_instructions(0, stop)
    rig.run()
    for place, label in zip(places, order(40), strict=True):
        assert not label or place == symbols[label]
    assert [trap.kind for trap in rig.kernel.traps].count("page_fault") == 1


def test_a_plan_made_in_a_trap_counts_from_the_trap() -> None:
    rig, symbols = rig_for(PROGRAM)
    stopped: list[int] = []

    def stop() -> None:
        stopped.append(rig.cpu.pc)
        rig.cpu.switch_to(None)

    rig.kernel.on_ecall = lambda: rig.cpu.after_instructions(2, stop)
    rig.run()
    assert stopped == [symbols["jump"]], "the store, once in spite of its fault, and the addition"


def test_the_native_clock_cannot_do_it() -> None:
    rig = Rig()
    if rig.cpu._ticks.kind != "bytes":
        pytest.skip("no native clock here")
    with pytest.raises(AssertionError, match="blocks' ends"):
        rig.cpu.after_instructions(1, lambda: None)


@pytest.mark.parametrize(("text", "noticed"), [
    ("ld a0, 0(a1)", True), ("sb a0, 5(a1)", True), ("fld f0, 0(a1)", True), ("fsw f0, 0(a1)", True),
    ("lr.w a0, (a1)", True), ("amoswap.d a0, a2, (a1)", True), ("ecall", True), ("rdtime a0", True),
    ("c.lw a0, 0(a1)", True), ("c.ldsp a0, 8(sp)", True), ("c.sdsp a0, 8(sp)", True), ("c.fsd f8, 0(a1)", True),
    ("add a0, a1, a2", False), ("lui a0, 5", False), ("beqz a0, .", False), ("jal .", False),
    ("mulw a0, a0, a0", False), ("c.addi a0, 1", False), ("c.mv a0, a1", False), ("c.j .", False),
    ("c.slli a0, 3", False), ("c.jr ra", False), ("c.addi4spn a0, sp, 16", False), ("fadd.d f0, f1, f2", False),
])
def test_instructions_that_others_can_notice(text: str, noticed: bool) -> None:
    code = guest(text).code
    assert can_be_noticed(int.from_bytes(code[:4], "little")) is noticed
