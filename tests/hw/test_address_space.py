"""Address spaces: what the guest sees of a change, and what the tables cost (unicorn-riscv.md 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from machemu.hw.api import PAGE_SIZE, Access
from machemu.hw.isa.riscv64 import paging
from machemu.hw.mmu import AddressSpace
from tests.hw.examples import examples
from tests.hw.guests import DATA, RW, RX, Rig, guest

PAGE: Final = DATA // PAGE_SIZE
READ: Final = Access.READ
ALL: Final = READ | Access.WRITE | Access.EXECUTE
WAYS = [{}, {"live": False}, {"native": False}]

# Touches its data page, lets the kernel change the mapping, and touches it again.
TWICE: Final = """
    li s0, 0x20000
    ld a0, 8(s0)
    sd s0, 16(s0)
    ecall
    ld a1, 8(s0)
    sd s0, 24(s0)
    ecall
"""


def to_read_only(rig: Rig, space: AddressSpace, frame: int) -> None:
    space.map(PAGE, frame, READ)


def unmapped(rig: Rig, space: AddressSpace, frame: int) -> None:
    space.unmap(PAGE)


def no_access(rig: Rig, space: AddressSpace, frame: int) -> None:
    space.map(PAGE, frame, Access.NONE)


def moved(rig: Rig, space: AddressSpace, frame: int) -> None:
    other = rig.frame()
    rig.memory.data[other * PAGE_SIZE + 8] = 2
    space.map(PAGE, other, RW)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("change", "seen"), [
    pytest.param(to_read_only, ("page_fault", DATA + 24, 2), id="made read-only"),
    pytest.param(unmapped, ("page_fault", DATA + 8, 1), id="unmapped"),
    pytest.param(no_access, ("page_fault", DATA + 8, 1), id="without any access"),
    pytest.param(moved, ("ecall", 1, 2), id="moved to another frame"),
])
def test_right_taken_away_in_a_trap_is_gone_at_once(
    change: Callable[[Rig, AddressSpace, int], None], seen: tuple[object, ...], way: dict[str, bool]
) -> None:
    rig = Rig(**way)
    context = rig.load(guest(TWICE))
    frame = rig.frame_at(context.space, DATA)
    rig.memory.data[frame * PAGE_SIZE + 8] = 1

    def ecall() -> None:
        if len(rig.kernel.traps) == 1:
            change(rig, context.space, frame)
        else:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    last = rig.run(context)[-1]
    assert (last.kind, *last.detail[:2]) == seen


def test_right_taken_away_between_runs_is_gone_too() -> None:
    rig = Rig()
    context = rig.load(guest("li s0, 0x20000\n1: lb a0, 0(s0)\nj 1b"))
    rig.cpu.switch_to(context)
    rig.cpu.run(1000)
    context.space.unmap(PAGE)
    rig.cpu.run(2000)
    assert rig.kernel.traps[-1].detail == (DATA, READ)


def test_right_given_needs_nothing_more() -> None:
    rig = Rig()
    context = rig.load(guest(TWICE))
    frame = rig.frame_at(context.space, DATA)
    context.space.map(PAGE, frame, READ)
    rig.kernel.on_fault = lambda address, access: context.space.map(PAGE, frame, RW)
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(context if len(rig.kernel.traps) < 3 else None)
    assert [trap.kind for trap in rig.run(context)] == ["page_fault", "ecall", "ecall"]


def test_copy_on_write_shows_the_copy_to_loads_as_well() -> None:
    rig = Rig()
    context = rig.load(guest("li s0, 0x20000\nld a0, 0(s0)\nsd s0, 8(s0)\nld a1, 0(s0)\nld a2, 8(s0)\necall"))
    old, new = rig.frame_at(context.space, DATA), rig.frame()
    rig.memory.data[old * PAGE_SIZE], rig.memory.data[new * PAGE_SIZE] = 1, 2  # told apart
    context.space.map(PAGE, old, READ)
    rig.kernel.on_fault = lambda address, access: context.space.map(PAGE, new, RW)
    _, ecall = rig.run(context)
    assert ecall.detail[:3] == (1, 2, DATA)
    assert rig.memory.data[old * PAGE_SIZE + 8] == 0


def test_moved_code_is_executed_where_it_went() -> None:
    rig = Rig()
    context = rig.load(guest("li s0, 0x30000\n1: jalr s0\necall\nj 1b"))
    frames = [rig.frame(), rig.frame()]
    for value, frame in enumerate(frames, 5):
        code = guest(f"li a0, {value}\nret").code
        rig.memory.data[frame * PAGE_SIZE:frame * PAGE_SIZE + len(code)] = code
    context.space.map(0x30, frames[0], RX)
    waiting = [frames[1], frames[0], frames[1]]

    def ecall() -> None:
        if waiting:
            context.space.map(0x30, waiting.pop(0), RX)
        else:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    assert [trap.detail[0] for trap in rig.run(context)] == [5, 6, 5, 6]


def test_space_made_where_another_was_destroyed_shows_its_own_pages() -> None:
    """The frame of a dead space's root table is used again for the next one's."""
    rig = Rig()
    program = guest("li s0, 0x20000\nld a0, 0(s0)\necall")
    seen = []
    for value in range(3):
        space = rig.space()
        context = rig.load(program, space)
        rig.memory.data[space.readable[PAGE]] = value
        seen.append(rig.run(context)[-1].detail[0])
        frames = {offset // PAGE_SIZE for offset in space.readable.values()}
        space.destroy()
        rig.free += frames
    assert seen == [0, 1, 2]
    assert len(rig.free) == len(set(rig.free)) == rig.memory.frames - 1


def test_device_page_is_never_executable_and_never_the_kernels_to_copy() -> None:
    rig = Rig()
    space = rig.space()
    space.map_device(0x40, 0x10000, ALL)
    assert not space.entry(0x40) & paging.EXECUTE
    assert (space.readable, space.writable) == ({}, {})
    space.map(0x40, rig.frame(), RW)
    space.map_device(0x40, 0x10000, RW)
    assert (space.readable, space.writable) == ({}, {})


def test_only_executable_pages_mark_their_frame() -> None:
    rig = Rig()
    space, frame = rig.space(), rig.frame()
    for access in (READ, RW):
        space.map(0x40, frame, access)
        assert not rig.memory.held_code[frame]
    space.map(0x40, frame, RX)
    space.unmap(0x40)
    assert rig.memory.held_code[frame]  # translations outlive the mapping
    rig.memory.invalidate_code(frame)
    assert not rig.memory.held_code[frame]


def test_kernels_half_of_the_address_space_cannot_be_mapped() -> None:
    rig = Rig()
    space = rig.space()
    space.map(paging.PAGES - 1, rig.frame(), RW)
    with pytest.raises(AssertionError):
        space.map(paging.PAGES, rig.frame(), RW)


def test_no_frame_for_a_table_leaves_the_space_as_it_was() -> None:
    class NoMemory(Exception):
        pass

    rig = Rig()
    left = [rig.frame(), rig.frame()]  # the root, and one table of the two that are needed

    def allocate() -> int:
        if not left:
            raise NoMemory
        return left.pop()

    freed: list[int] = []
    space = rig.machine.new_space(allocate, freed.append)
    with pytest.raises(NoMemory):
        space.map(0x40, 1, RW)
    space.check()
    assert (space.readable, space.entry(0x40)) == ({}, 0)
    space.destroy()
    assert len(freed) == 2


PAGES = st.sampled_from([0, 1, 0x1FF, 0x200, 0x3FFFF, 0x40000, paging.PAGES - 1])
ACCESSES = st.integers(0, 7).map(Access)


class TranslationsAreWhatWasAskedFor(RuleBasedStateMachine):
    """Random mappings of two spaces against a dict, with a guest that tries them out."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.program = guest("tryread: lb a0, 0(a1)\necall\ntrywrite: sb a0, 0(a1)\necall")
        self.contexts = [self.rig.load(self.program) for _ in range(2)]
        self.frames = [self.rig.frame() for _ in range(3)]
        for number, frame in enumerate(self.frames):
            self.rig.memory.data[frame * PAGE_SIZE] = 10 + number
        self.model: list[dict[int, tuple[int, int]]] = [{}, {}]

    @rule(which=st.integers(0, 1), page=PAGES, frame=st.integers(0, 2), access=ACCESSES)
    def map(self, which: int, page: int, frame: int, access: Access) -> None:
        self.contexts[which].space.map(page, self.frames[frame], access)
        self.model[which][page] = frame, int(access)

    @rule(which=st.integers(0, 1), page=PAGES)
    def unmap(self, which: int, page: int) -> None:
        self.contexts[which].space.unmap(page)
        self.model[which].pop(page, None)

    @rule(which=st.integers(0, 1), page=PAGES, write=st.booleans())
    def access(self, which: int, page: int, write: bool) -> None:
        context = self.contexts[which]
        frame, allowed = self.model[which].get(page, (0, 0))
        context.pc = self.program.symbols["trywrite" if write else "tryread"]
        context.set_register("a0", 10 + frame)
        context.set_register("a1", page * PAGE_SIZE)
        trap = self.rig.run(context)[-1]
        may = allowed & Access.WRITE if write else allowed & (Access.READ | Access.WRITE)
        if may:
            assert (trap.kind, trap.detail[0]) == ("ecall", 10 + frame)
        else:
            assert trap.kind == "page_fault"
            assert trap.detail == (page * PAGE_SIZE, Access.WRITE if write else READ)

    @invariant()
    def tables_agree(self) -> None:
        for context in self.contexts:
            context.space.check()

    def teardown(self) -> None:
        self.rig.close()


TestTranslations = TranslationsAreWhatWasAskedFor.TestCase
TestTranslations.settings = settings(examples(25), stateful_step_count=25)
