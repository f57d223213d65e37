"""Memory with pagers against arrays of octets: objects shared, copied, inherited, flushed,
sent out of line and paged out, in random histories on a node with little RAM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from machemu.kernel.vm.pager import PROT_NO_CHANGE, RETURN_ALL, RETURN_DIRTY
from tests.support.pagers import LOCK_REQUEST, DefaultPager
from tests.support.rig import MAKE_SEND, PAGE, UNMAPPED, Actor, KernelRig

FRAMES: Final = 100
SLOTS: Final = 4  # places of a task where something can be mapped
PAGES: Final = 6  # of each
STEP: Final = 16 * PAGE
TASKS_MAX: Final = 4


@dataclass
class Octet:
    """The first octet of a page, one for all who share it."""

    value: int = 0


@dataclass
class Place:
    """What is mapped at a slot."""

    octets: list[Octet]
    shared: bool  # by children


@dataclass
class Twin:
    actor: Actor
    places: dict[int, Place] = field(default_factory=dict)


class World:
    """A node and what its memory should hold.  Every method is one operation of a history:
    a twin, a slot, and a number that means something else to each."""

    def __init__(self) -> None:
        self.rig = KernelRig(frames=FRAMES)
        self.manager = DefaultPager(self.rig)
        self.objects = [self.manager.new_object() for _ in range(2)]
        self.contents = [[Octet() for _ in range(PAGES)] for _ in self.objects]
        self.twins = [Twin(self.rig.actor)]

    def at(self, slot: int, page: int = 0) -> int:
        return UNMAPPED + slot * STEP + page * PAGE

    def allocate(self, twin: Twin, slot: int, number: int) -> None:
        if slot not in twin.places:
            twin.actor.memory.allocate(self.at(slot), PAGES * PAGE, False)
            twin.places[slot] = Place([Octet() for _ in range(PAGES)], shared=False)

    def map(self, twin: Twin, slot: int, number: int) -> None:
        """A manager's object, or a copy of it as it is now."""
        if slot in twin.places:
            return
        which, copy = number % 2, bool(number & 2)
        right = self.manager.pager.actor.space.take(self.objects[which], MAKE_SEND)
        assert right is not None
        memory = self.rig.kernel.pagers.object_of(right.port)  # type: ignore[union-attr]
        self.manager.until_done(lambda: twin.actor.memory.map(
            self.at(slot), PAGES * PAGE, 0, False, memory, 0, copy, 3, 7, 1))
        right.destroy()
        octets = self.contents[which]
        twin.places[slot] = Place([Octet(one.value) for one in octets] if copy else octets, shared=False)

    def unmap(self, twin: Twin, slot: int, number: int) -> None:
        twin.actor.memory.deallocate(self.at(slot), PAGES * PAGE)
        twin.places.pop(slot, None)

    def store(self, twin: Twin, slot: int, number: int) -> None:
        """By the guest, or by the kernel for it."""
        if slot in twin.places:
            page, data = number % PAGES, bytes([number])
            if number % 5:
                assert self.manager.let(twin.actor, self.at(slot, page), data) == data
            else:
                self.manager.until_done(lambda: twin.actor.memory.write(self.at(slot, page), data))
            twin.places[slot].octets[page].value = number

    def load(self, twin: Twin, slot: int, number: int) -> None:
        if slot in twin.places:
            page = number % PAGES
            expected = bytes([twin.places[slot].octets[page].value])
            assert self.manager.let(twin.actor, self.at(slot, page)) == expected

    def share(self, twin: Twin, slot: int, number: int) -> None:
        """From now on children share the slot, or copy it."""
        if slot in twin.places:
            twin.actor.memory.inherit(self.at(slot), PAGES * PAGE, number % 2)
            twin.places[slot].shared = number % 2 == 0

    def fork(self, twin: Twin, slot: int, number: int) -> None:
        if len(self.twins) < TASKS_MAX:
            task = self.manager.until_done(
                lambda: self.rig.kernel.create_task(twin.actor.task, inherit_memory=True))
            child = Twin(Actor(self.rig, task))
            for place, held in twin.places.items():
                octets = held.octets if held.shared else [Octet(one.value) for one in held.octets]
                child.places[place] = Place(octets, held.shared)
            self.twins.append(child)

    def send(self, twin: Twin, slot: int, number: int) -> None:
        """Out of line, to any task, which looks at it."""
        if slot in twin.places:
            copy = self.manager.until_done(lambda: twin.actor.memory.copyin(self.at(slot), PAGES * PAGE, False))
            before = [one.value for one in twin.places[slot].octets]
            self.store(twin, slot, number)
            receiver = self.twins[number % len(self.twins)].actor
            address = receiver.memory.copyout(copy)
            for page, value in enumerate(before):
                assert self.manager.let(receiver, address + page * PAGE) == bytes([value])
            receiver.memory.deallocate(address, PAGES * PAGE)

    def flush(self, twin: Twin, slot: int, number: int) -> None:
        """The manager takes pages back."""
        self.manager.serve()
        control = self.manager.controls[self.objects[slot % 2]]
        if control and self.manager.pager.actor.space.find(control) is not None:
            self.manager.pager.tell(LOCK_REQUEST, number % PAGES * PAGE, number % 3 * PAGE,
                                    RETURN_ALL if number % 2 else RETURN_DIRTY, int(number % 7 > 2), PROT_NO_CHANGE,
                                    None, control=control)

    def press(self, twin: Twin, slot: int, number: int) -> None:
        """Somebody uses much memory for a while."""
        memory = twin.actor.memory
        base = memory.allocate(0, FRAMES * PAGE, True)
        for page in range(FRAMES):
            assert self.manager.let(twin.actor, base + page * PAGE, b"x")
        memory.deallocate(base, FRAMES * PAGE)

    def end(self, twin: Twin, slot: int, number: int) -> None:
        if twin is not self.twins[0]:
            self.twins.remove(twin)
            self.rig.kernel.terminate_task(twin.actor.task, None, "test")

    def compare(self) -> None:
        for twin in self.twins:
            for slot, held in twin.places.items():
                for page, one in enumerate(held.octets):
                    assert self.manager.let(twin.actor, self.at(slot, page)) == bytes([one.value]), (slot, page)


OPERATIONS: Final = (World.allocate, World.map, World.map, World.unmap, World.store, World.store, World.store,
                     World.load, World.share, World.fork, World.send, World.flush, World.flush, World.press, World.end)
HISTORIES: Final = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 3), st.integers(0, SLOTS - 1),
                                      st.integers(1, 255)), min_size=15, max_size=40)


ONCE_WRONG: Final = {
    "a copy's page that its manager has": [
        (World.map, 3, 3, 141), (World.fork, 0, 0, 178), (World.store, 3, 3, 245)],
    "all inactive pages have left": [
        (World.allocate, 3, 3, 88), (World.store, 1, 3, 116), (World.press, 2, 3, 141), (World.fork, 3, 1, 116),
        (World.fork, 0, 1, 255)],
    "an object that was absorbed is on the queues": [
        (World.allocate, 1, 3, 125), (World.press, 3, 2, 181), (World.send, 2, 3, 143), (World.press, 0, 1, 26),
        (World.send, 0, 3, 47), (World.store, 3, 3, 25)],
}


@pytest.mark.parametrize("history", ONCE_WRONG.values(), ids=ONCE_WRONG)
def test_history_that_once_went_wrong(history: list[tuple[object, int, int, int]]) -> None:
    run(history)


@settings(derandomize=True, deadline=None, max_examples=20, database=None)
@given(HISTORIES)
def test_memory_is_what_the_model_says(history: list[tuple[object, int, int, int]]) -> None:
    run(history)


def run(history: list[tuple[object, int, int, int]]) -> None:
    world = World()
    rig = world.rig
    for operation, task, slot, number in history:
        with rig.checked_at_the_end():
            operation(world, world.twins[task % len(world.twins)], slot, number)  # type: ignore[operator]
            rig.kernel.scheduler.settle()
    with rig.checked_at_the_end():
        world.press(world.twins[-1], 0, 0)
        world.compare()
        for twin in world.twins:
            rig.kernel.terminate_task(twin.actor.task, None, "test")
        world.manager.serve()
        rig.kernel.scheduler.settle()
    assert not [port for port in world.manager.controls if port not in world.manager.own], "an object is left"
    rig.kernel.terminate_task(world.manager.pager.actor.task, None, "test")
    rig.kernel.scheduler.settle()
    assert rig.kernel.pool.used == 0
