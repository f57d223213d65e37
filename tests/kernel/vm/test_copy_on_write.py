"""Copy-on-write and shared memory: forks, chains of copies, and what they cost in frames."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.vm.entry import INHERIT_NONE, INHERIT_SHARE, PROT_READ
from machemu.kernel.vm.object import VmObject
from tests.support.rig import PAGE, UNMAPPED, Actor, KernelRig, message, region_item

PLACE: Final = UNMAPPED
PAGES: Final = 4


def with_pages(rig: KernelRig, letter: bytes = b"o") -> Actor:
    """The first actor with PAGES pages at PLACE."""
    actor = rig.actor
    actor.memory.allocate(PLACE, PAGES * PAGE, False)
    actor.store(PLACE, letter * PAGES * PAGE)
    return actor


def fork(rig: KernelRig, parent: Actor) -> Actor:
    return Actor(rig, rig.kernel.create_task(parent.task, inherit_memory=True))


def page(actor: Actor, number: int) -> bytes | None:
    return actor.load(PLACE + number * PAGE, 2)


@pytest.mark.parametrize("writer", ["parent", "child"])
def test_a_write_on_either_side_is_not_seen_on_the_other(rig: KernelRig, writer: str) -> None:
    parent = with_pages(rig)
    child = fork(rig, parent)
    one, other = (parent, child) if writer == "parent" else (child, parent)
    assert page(other, 0) == b"oo", "read before, so that a translation exists"
    one.store(PLACE, b"ww")
    assert (page(one, 0), page(other, 0)) == (b"ww", b"oo")
    other.store(PLACE, b"vv")
    assert (page(one, 0), page(other, 0)) == (b"ww", b"vv")


def test_only_written_pages_are_copied(rig: KernelRig) -> None:
    parent = with_pages(rig)
    child = fork(rig, parent)
    frames = rig.kernel.pool.used
    for actor in (parent, child):
        assert actor.load(PLACE, PAGES * PAGE) is not None
    assert rig.kernel.pool.used == frames
    child.store(PLACE + PAGE, b"x")
    assert rig.kernel.pool.used == frames + 1
    child.store(PLACE + PAGE + 9, b"x")
    assert rig.kernel.pool.used == frames + 1


def test_whoever_is_left_alone_copies_nothing(rig: KernelRig) -> None:
    parent = with_pages(rig)
    child = fork(rig, parent)
    rig.kernel.terminate_task(child.task, None, "test")
    frames = rig.kernel.pool.used
    assert parent.store(PLACE, b"w" * PAGES * PAGE)
    assert rig.kernel.pool.used == frames


def test_the_child_outlives_its_parent(rig: KernelRig) -> None:
    root = with_pages(rig)
    parent = fork(rig, root)
    child = fork(rig, parent)
    parent.store(PLACE, b"pp")
    rig.kernel.terminate_task(parent.task, None, "test")
    assert (page(root, 0), page(child, 0)) == (b"oo", b"oo")
    child.store(PLACE, b"cc")
    assert (page(root, 0), page(child, 0)) == (b"oo", b"cc")


@pytest.mark.parametrize("order", [range(7), range(6, -1, -1)], ids=["old first", "young first"])
def test_a_line_of_generations(rig: KernelRig, order: range) -> None:
    """Each changes one page and forks; all see what was there when they were born."""
    line = [with_pages(rig)]
    for number in range(6):
        line[-1].store(PLACE + number % PAGES * PAGE, bytes([65 + number]) * 2)
        line.append(fork(rig, line[-1]))
    for number in order:
        expected = [b"oo"] * PAGES
        for ancestor in range(min(number + 1, 6)):
            expected[ancestor % PAGES] = bytes([65 + ancestor]) * 2
        assert [page(line[number], index) for index in range(PAGES)] == expected
        line[number].store(PLACE, b"zz" * (PAGES * PAGE // 2))
    assert all(page(actor, 1) == b"zz" for actor in line)


@pytest.mark.parametrize("keep", [False, True])
def test_forking_for_ever_takes_no_more_frames(rig: KernelRig, keep: bool) -> None:
    """The parent writes between forks; `keep`: one old child always lives."""
    parent = with_pages(rig)
    used = []
    last: Actor | None = None
    for number in range(30):
        child = fork(rig, parent)
        parent.store(PLACE + number % PAGES * PAGE, bytes([number]))
        old, last = (last, child) if keep else (child, None)
        if old is not None:
            rig.kernel.terminate_task(old.task, None, "test")
        used.append(rig.kernel.pool.used)
    assert max(used[10:]) == max(used[5:10])


def length_of_chain(actor: Actor) -> int:
    memory = actor.memory.entry_at(PLACE).memory
    length = 0
    while isinstance(memory, VmObject):
        memory, length = memory.shadow, length + 1
    return length


def test_sending_the_same_memory_again_and_again_makes_no_long_chain(rig: KernelRig) -> None:
    sender = with_pages(rig)
    _, to, receiver, port = rig.channel(sender)
    frames, lengths = [], []
    for number in range(40):
        sender.send(message(to, region_item(PLACE, PAGES * PAGE)))
        sender.store(PLACE, bytes([number]) * PAGE)
        address = receiver.take(port).word(8)
        receiver.memory.deallocate(address, PAGES * PAGE)
        frames.append(rig.kernel.pool.used)
        lengths.append(length_of_chain(sender))
    assert max(frames[5:]) <= frames[4] + PAGES
    assert max(lengths) < 6


def test_parts_of_a_copy_can_be_freed_and_written_one_by_one(rig: KernelRig) -> None:
    parent = with_pages(rig)
    frames = rig.kernel.pool.used
    child = fork(rig, parent)
    child.memory.deallocate(PLACE + PAGE, PAGE)
    child.store(PLACE + 2 * PAGE, b"cc")
    parent.memory.deallocate(PLACE, PAGE)
    parent.store(PLACE + 3 * PAGE, b"pp")
    assert [page(parent, number) for number in (1, 2, 3)] == [b"oo", b"oo", b"pp"]
    assert [page(child, number) for number in (0, 2, 3)] == [b"oo", b"cc", b"oo"]
    for actor in (parent, child):
        actor.memory.deallocate(PLACE, PAGES * PAGE)
    rig.kernel.terminate_task(child.task, None, "test")
    assert rig.kernel.pool.used == frames - PAGES


def test_parts_of_a_copy_already_written_can_be_freed_one_by_one(rig: KernelRig) -> None:
    """The child's own object stands before the parent's when it is cut in two."""
    parent = with_pages(rig)
    child = fork(rig, parent)
    child.store(PLACE, b"cc")
    child.store(PLACE + 3 * PAGE, b"CC")
    child.memory.deallocate(PLACE + PAGE, PAGE)
    assert [page(child, number) for number in (0, 2, 3)] == [b"cc", b"oo", b"CC"]
    child.store(PLACE + 2 * PAGE, b"ww")
    assert [page(parent, number) for number in range(PAGES)] == [b"oo"] * PAGES
    rig.kernel.terminate_task(parent.task, None, "test")
    assert [page(child, number) for number in (0, 2, 3)] == [b"cc", b"ww", b"CC"]


# -- shared memory ----------------------------------------------------------------------------------


def shared(rig: KernelRig) -> tuple[Actor, Actor]:
    parent = with_pages(rig)
    parent.memory.inherit(PLACE, PAGES * PAGE, INHERIT_SHARE)
    return parent, fork(rig, parent)


def test_shared_pages_are_the_same_frames(rig: KernelRig) -> None:
    parent, child = shared(rig)
    frames = rig.kernel.pool.used
    for writer, other, letters in ((parent, child, b"pp"), (child, parent, b"cc")):
        writer.store(PLACE, letters)
        assert page(other, 0) == letters
    assert rig.kernel.pool.used == frames
    assert parent.memory.region(PLACE).shared


def test_sharing_goes_on_to_the_next_generation(rig: KernelRig) -> None:
    parent, child = shared(rig)
    grandchild = fork(rig, child)
    grandchild.store(PLACE + PAGE, b"gg")
    assert page(parent, 1) == page(child, 1) == b"gg"
    rig.kernel.terminate_task(child.task, None, "test")
    parent.store(PLACE + PAGE, b"pp")
    assert page(grandchild, 1) == b"pp"


def test_pages_first_touched_after_the_fork_are_shared_too(rig: KernelRig) -> None:
    parent = rig.actor
    parent.memory.allocate(PLACE, PAGES * PAGE, False)
    parent.memory.inherit(PLACE, PAGES * PAGE, INHERIT_SHARE)
    child = fork(rig, parent)
    assert page(child, 0) == bytes(2)
    parent.store(PLACE, b"pp")
    assert page(child, 0) == b"pp"
    child.store(PLACE + PAGE, b"cc")
    assert page(parent, 1) == b"cc"


def test_a_copy_of_shared_memory_is_of_its_instant(rig: KernelRig) -> None:
    parent, child = shared(rig)
    _, to, receiver, port = rig.channel(parent)
    parent.send(message(to, region_item(PLACE, PAGES * PAGE)))
    child.store(PLACE, b"late")
    assert receiver.load(receiver.take(port).word(8), 4) == b"oooo"
    child.memory.inherit(PLACE, PAGES * PAGE, 1)
    grandchild = fork(rig, child)
    parent.store(PLACE, b"more")
    assert (child.load(PLACE, 4), grandchild.load(PLACE, 4)) == (b"more", b"late")


def test_memory_copied_before_can_be_shared_afterwards(rig: KernelRig) -> None:
    parent = with_pages(rig)
    copy = fork(rig, parent)
    parent.store(PLACE, b"pp")
    parent.memory.inherit(PLACE, PAGES * PAGE, INHERIT_SHARE)
    child = fork(rig, parent)
    child.store(PLACE + PAGE, b"cc")
    parent.store(PLACE + 2 * PAGE, b"PP")
    assert [page(parent, number) for number in range(4)] == [b"pp", b"cc", b"PP", b"oo"]
    assert [page(child, number) for number in range(4)] == [b"pp", b"cc", b"PP", b"oo"]
    assert [page(copy, number) for number in range(4)] == [b"oo"] * 4


def test_protection_and_holes_are_each_tasks_own(rig: KernelRig) -> None:
    parent, child = shared(rig)
    child.memory.protect(PLACE, PAGE, False, PROT_READ)
    assert parent.store(PLACE, b"pp")
    assert page(child, 0) == b"pp"
    child.memory.deallocate(PLACE + PAGE, PAGE)
    assert parent.store(PLACE + PAGE, b"pp")
    assert child.memory.entry_at(PLACE + PAGE) is None
    assert not child.store(PLACE, b"no")


def test_none_leaves_a_hole(rig: KernelRig) -> None:
    parent = with_pages(rig)
    parent.memory.inherit(PLACE + PAGE, PAGE, INHERIT_NONE)
    child = fork(rig, parent)
    assert [child.memory.entry_at(PLACE + number * PAGE) is None for number in range(4)] == [
        False, True, False, False]
    grandchild = fork(rig, child)
    assert grandchild.memory.entry_at(PLACE + PAGE) is None


def test_everything_is_freed_with_the_last_task(rig: KernelRig) -> None:
    before = rig.kernel.pool.used
    parent, child = shared(rig)
    frames = rig.kernel.pool.used
    others = [fork(rig, child) for _ in range(3)]
    others[0].store(PLACE, b"x" * PAGES * PAGE)
    for actor in (child, *others):
        rig.kernel.terminate_task(actor.task, None, "test")
    assert rig.kernel.pool.used == frames - 1, "the child's table"
    parent.memory.deallocate(PLACE, PAGES * PAGE)
    assert rig.kernel.pool.used == before
