"""Address maps against a naive model: tasks whose pages are plain values, shared by
reference or copied at once.  Random histories must look the same in both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from machemu.kernel.vm.entry import INHERIT_COPY, INHERIT_NONE, INHERIT_SHARE, PROT_ALL, PROT_DEFAULT
from tests.support.rig import PAGE, UNMAPPED, Actor, KernelRig

FIRST: Final = UNMAPPED // PAGE
PAGES: Final = 10  # that histories play in
TASKS_MAX: Final = 4


@dataclass
class Contents:
    """One page's first octet; shared by those who inherited it shared."""

    value: int = 0


@dataclass
class Cell:
    contents: Contents = field(default_factory=Contents)
    protection: int = PROT_DEFAULT
    inheritance: int = INHERIT_COPY


@dataclass
class Twin:
    """A task and the model of its pages, by virtual page number."""

    actor: Actor
    cells: dict[int, Cell] = field(default_factory=dict)

    def range(self, first: int, count: int) -> list[int]:
        return [page for page in range(FIRST + first, FIRST + first + count) if page in self.cells]

    def compare(self) -> None:
        for page in range(FIRST - 1, FIRST + PAGES + 1):
            entry = self.actor.memory.entry_at(page * PAGE)
            cell = self.cells.get(page)
            assert (entry is None) == (cell is None), f"page {page - FIRST}"
            if cell is not None and entry is not None:
                assert (entry.protection, entry.inheritance) == (cell.protection, cell.inheritance)
        for page, cell in self.cells.items():
            if cell.protection & 1:
                assert self.actor.load(page * PAGE, 1) == bytes([cell.contents.value]), f"page {page - FIRST}"


class World:
    def __init__(self) -> None:
        self.rig = KernelRig()
        self.twins = [Twin(self.rig.actor)]

    # Every method is an operation of a history: a twin and small numbers.

    def allocate(self, twin: Twin, first: int, count: int, _: int) -> None:
        free = not self.overlaps(twin, first, count)
        if free:
            twin.actor.memory.allocate((FIRST + first) * PAGE, count * PAGE, False)
            twin.cells |= {FIRST + page: Cell() for page in range(first, first + count)}

    def deallocate(self, twin: Twin, first: int, count: int, _: int) -> None:
        twin.actor.memory.deallocate((FIRST + first) * PAGE, count * PAGE)
        for page in twin.range(first, count):
            del twin.cells[page]

    def protect(self, twin: Twin, first: int, count: int, value: int) -> None:
        protection = (PROT_DEFAULT, PROT_ALL, 1, 5)[value % 4]
        twin.actor.memory.protect((FIRST + first) * PAGE, count * PAGE, False, protection)
        for page in twin.range(first, count):
            twin.cells[page].protection = protection

    def inherit(self, twin: Twin, first: int, count: int, value: int) -> None:
        inheritance = (INHERIT_SHARE, INHERIT_COPY, INHERIT_NONE)[value % 3]
        twin.actor.memory.inherit((FIRST + first) * PAGE, count * PAGE, inheritance)
        for page in twin.range(first, count):
            twin.cells[page].inheritance = inheritance

    def store(self, twin: Twin, first: int, count: int, value: int) -> None:
        """By the guest, or by the kernel for it."""
        for page in twin.range(first, count):
            if not twin.cells[page].protection & 2:
                continue
            if value % 2:
                assert twin.actor.store(page * PAGE, bytes([value]))
            else:
                twin.actor.memory.write(page * PAGE, bytes([value]))
            twin.cells[page].contents.value = value

    def load(self, twin: Twin, first: int, count: int, _: int) -> None:
        for page in twin.range(first, count):
            found = twin.actor.memory.read(page * PAGE, 1)
            assert found == bytes([twin.cells[page].contents.value])

    def fork(self, twin: Twin, *_: int) -> None:
        if len(self.twins) == TASKS_MAX:
            return
        child = Twin(Actor(self.rig, self.rig.kernel.create_task(twin.actor.task, inherit_memory=True)))
        for page, cell in twin.cells.items():
            if cell.inheritance == INHERIT_SHARE:
                child.cells[page] = replace(cell)
            elif cell.inheritance == INHERIT_COPY:
                child.cells[page] = replace(cell, contents=replace(cell.contents))
        self.twins.append(child)

    def send(self, twin: Twin, first: int, count: int, value: int) -> None:
        """Out of line, to any task, which keeps it within the pages compared if it can."""
        pages = twin.range(first, count)
        if len(pages) < count or not all(twin.cells[page].protection & 1 for page in pages):
            return
        values = [twin.cells[page].contents.value for page in pages]
        copy = twin.actor.memory.copyin((FIRST + first) * PAGE, count * PAGE, bool(value % 2))
        if value % 2:
            for page in pages:
                del twin.cells[page]
        receiver = self.twins[value % len(self.twins)]
        address = receiver.actor.memory.copyout(copy)
        receiver.cells |= {address // PAGE + index: Cell(Contents(one)) for index, one in enumerate(values)}

    def copy(self, twin: Twin, first: int, count: int, value: int) -> None:
        """vm_copy onto another place of the same task."""
        target = value % PAGES
        source, there = twin.range(first, count), twin.range(target, count)
        if not (len(source) == len(there) == count and all(twin.cells[page].protection & 1 for page in source)
                and all(twin.cells[page].protection & 2 for page in there)):
            return
        values = [twin.cells[page].contents.value for page in source]
        twin.actor.memory.copy((FIRST + first) * PAGE, count * PAGE, (FIRST + target) * PAGE)
        for page, one in zip(there, values, strict=True):
            twin.cells[page].contents.value = one

    def end(self, twin: Twin, *_: int) -> None:
        if len(self.twins) > 1 and twin is not self.twins[0]:
            self.twins.remove(twin)
            self.rig.kernel.terminate_task(twin.actor.task, None, "test")

    def overlaps(self, twin: Twin, first: int, count: int) -> bool:
        return bool(twin.range(first, count)) or first + count > PAGES

    def compare(self) -> None:
        self.rig.check()
        for twin in self.twins:
            twin.compare()


OPERATIONS: Final = (World.allocate, World.allocate, World.deallocate, World.protect, World.inherit, World.store,
                     World.store, World.load, World.fork, World.send, World.send, World.copy, World.end)
HISTORIES: Final = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 3), st.integers(0, PAGES - 1),
                                      st.integers(1, 5), st.integers(1, 255)), min_size=4, max_size=40)


@settings(derandomize=True, deadline=None, max_examples=60, database=None)
@given(HISTORIES)
def test_memory_is_what_the_model_says(history: list[tuple[object, int, int, int, int]]) -> None:
    world = World()
    world.allocate(world.twins[0], 0, PAGES, 0)
    world.store(world.twins[0], 0, PAGES, 77)
    for operation, task, first, count, value in history:
        operation(world, world.twins[task % len(world.twins)], first, count, value)
        world.compare()
    for twin in world.twins:
        world.rig.kernel.terminate_task(twin.actor.task, None, "test")
    world.rig.check()
    assert world.rig.kernel.pool.used == 0
