"""Page-out (mach-abi.md 8.2, 8.4): memory beyond RAM, second chance, and what happens when
no manager frees a frame."""

from __future__ import annotations

import pytest

from machemu.kernel.results import KernReturn
from machemu.kernel.vm.object import VmObject
from tests.support.pagers import (
    CREATE,
    DATA_INITIALIZE,
    DATA_REQUEST,
    DATA_RETURN,
    DELAY,
    SET_DEFAULT,
    TERMINATE,
    DefaultPager,
    Managed,
)
from tests.support.rig import MAKE_SEND, PAGE, Actor, Give, KernelRig, header

FRAMES = 128
VM_STATISTICS = 2030


@pytest.fixture
def small() -> KernelRig:
    return KernelRig(frames=FRAMES)


def test_memory_of_four_times_ram_is_what_was_written(small: KernelRig) -> None:
    manager = DefaultPager(small)
    actor = small.actor
    pages = 4 * FRAMES
    base = actor.memory.allocate(0, pages * PAGE, True)
    with small.checked_at_the_end():
        for turn in range(2):
            for page in range(pages):
                data = (page + turn).to_bytes(4, "little")
                assert manager.let(actor, base + page * PAGE, data) == data
                if turn:
                    before = (page * 7 % pages)
                    value = before + (before <= page)
                    assert manager.let(actor, base + before * PAGE, size=4) == value.to_bytes(4, "little")
    small.kernel.terminate_task(actor.task, None, "test")
    small.check()
    manager.serve()
    assert {CREATE, DATA_INITIALIZE, DATA_RETURN, DATA_REQUEST, TERMINATE} <= set(manager.news)
    assert not manager.pages


def fill(manager: DefaultPager, actor: Actor, pages: int) -> int:
    base = actor.memory.allocate(0, pages * PAGE, True)
    with manager.rig.checked_at_the_end():
        for page in range(pages):
            assert manager.let(actor, base + page * PAGE, bytes([page % 251]))
    return base


def test_pages_in_use_stay_and_others_go(small: KernelRig) -> None:
    """A page touched all the time is on the inactive queue now and then, and is not paged out."""
    manager = DefaultPager(small)
    actor = small.actor
    hot = actor.memory.allocate(0, PAGE, True)
    assert manager.let(actor, hot, b"h")
    base = actor.memory.allocate(0, 2 * FRAMES * PAGE, True)
    requests = 0
    for page in range(2 * FRAMES):
        assert manager.let(actor, base + page * PAGE, b"x")
        before = manager.news.count(DATA_REQUEST)
        assert manager.let(actor, hot) == b"h"
        requests += manager.news.count(DATA_REQUEST) - before
    assert requests <= 1  # at the first shortage no page has been inactive before
    assert small.kernel.pageout.reactivations > 0


def test_shared_and_copied_memory_survives_page_out(small: KernelRig) -> None:
    manager = DefaultPager(small)
    actor = small.actor
    base = fill(manager, actor, 40)
    actor.memory.inherit(base, 20 * PAGE, 0)
    child = Actor(small, small.kernel.create_task(actor.task, inherit_memory=True))
    assert manager.let(actor, base, b"\x81")
    assert manager.let(child, base + 30 * PAGE, b"\x82")
    fill(manager, actor, FRAMES)
    assert manager.let(child, base) == b"\x81"
    assert manager.let(actor, base + 30 * PAGE) == bytes([30])
    assert manager.let(child, base + 30 * PAGE) == b"\x82"
    assert manager.let(child, base + 35 * PAGE) == bytes([35])


def test_paged_out_memory_is_sent_out_of_line(small: KernelRig) -> None:
    manager = DefaultPager(small)
    actor, receiver = small.actor, small.another()
    base = fill(manager, actor, 10)
    fill(manager, actor, FRAMES)
    copy = actor.memory.copyin(base, 10 * PAGE, True)
    address = receiver.memory.copyout(copy)
    assert manager.let(receiver, address + 9 * PAGE) == bytes([9])


def test_receive_into_paged_out_memory_waits_for_it(small: KernelRig) -> None:
    manager = DefaultPager(small)
    actor = small.actor
    channel = small.channel(manager.pager.actor, actor)
    base = fill(manager, actor, 2)
    fill(manager, actor, FRAMES)
    assert actor.trap("mach_msg_trap", base, 2, 0, PAGE, channel.port, 0, 0) == "blocked"

    assert channel.sender.send(header(channel.to, ident=99)) == 0
    assert actor.thread.wait is not None
    manager.serve()
    assert actor.result() == 0
    found = manager.let(actor, base, size=32)
    assert found is not None
    assert found[28] == 99


def test_without_a_manager_memory_ends_at_once(small: KernelRig) -> None:
    actor = small.actor
    base = actor.memory.allocate(0, 2 * FRAMES * PAGE, True)
    for page in range(2 * FRAMES):
        if not actor.store(base + page * PAGE, b"x"):
            break
    assert not actor.task.alive
    assert b"bad_access (code 6," in small.machine.console.written


@pytest.mark.parametrize("manager_dies", [False, True])
def test_silent_manager_ends_in_an_error(small: KernelRig, manager_dies: bool) -> None:
    manager = DefaultPager(small)
    actor = small.actor
    base = actor.memory.allocate(0, 2 * FRAMES * PAGE, True)
    page = 0
    while actor.thread.wait is None:
        small.run(actor)
        small.kernel.page_fault(base + page * PAGE, 2)
        page += 1
    if manager_dies:
        small.kernel.terminate_task(manager.pager.actor.task, None, "test")
        small.pass_time(0)
        assert actor.thread.runnable  # its memory is free now
        return
    small.pass_time(9_000_000_000)
    assert actor.thread.wait is not None
    small.pass_time(2_000_000_000)
    assert actor.thread.runnable
    assert not actor.store(base + page * PAGE, b"x")
    assert not actor.task.alive


def test_page_that_the_dead_manager_had_is_lost(small: KernelRig) -> None:
    manager = DefaultPager(small)
    actor = small.actor
    base = fill(manager, actor, 2)
    fill(manager, actor, FRAMES)
    small.kernel.terminate_task(manager.pager.actor.task, None, "test")
    assert actor.load(base, 1) is None
    assert b"bad_access (code 10," in small.machine.console.written


def test_sending_paged_out_memory_again_and_again_adds_no_objects(small: KernelRig) -> None:
    manager = DefaultPager(small)
    actor, receiver = small.actor, small.another()
    base = fill(manager, actor, 4)
    fill(manager, actor, FRAMES)
    with small.checked_at_the_end():
        for turn in range(20):
            copy = manager.until_done(lambda: actor.memory.copyin(base, 4 * PAGE, False))
            address = receiver.memory.copyout(copy)
            receiver.memory.deallocate(address, 4 * PAGE)
            assert manager.let(actor, base + turn % 4 * PAGE, bytes([turn]))
    entry = actor.memory.entry_at(base)
    assert entry is not None
    memory, length = entry.memory, 0
    while isinstance(memory, VmObject):
        memory, length = memory.shadow, length + 1
    assert length <= 3


def test_reserve_of_a_dead_manager_is_for_everybody(small: KernelRig) -> None:
    manager = DefaultPager(small)
    reserve = small.kernel.pool.reserve_size
    small.kernel.terminate_task(manager.pager.actor.task, None, "test")
    with small.frames_left(0):
        assert reserve > 0
        base = small.actor.memory.allocate(0, reserve * PAGE, True)
        for page in range(reserve):
            assert small.actor.store(base + page * PAGE, b"x")


def test_external_pages_go_to_their_own_manager(small: KernelRig) -> None:
    managed = Managed(small, pages=FRAMES, strategy=DELAY)
    actor = small.actor
    for page in range(2):
        managed.bring(page, page + 1)
    managed.store(0, 9)
    other = actor.memory.allocate(0, FRAMES * PAGE, True)
    for page in range(FRAMES):
        small.run(actor)
        small.kernel.page_fault(other + page * PAGE, 2)
        if actor.thread.wait is not None:
            break
    news = managed.all_news()
    assert [(one.ident, one.arguments[0], one.arguments[2:]) for one in news] == [(DATA_RETURN, 0, (1, 0))]


def test_default_manager_is_set_by_the_privileged_and_told_of_to_all_of_them(small: KernelRig) -> None:
    actor = small.actor
    host = small.host_privileged(actor)
    assert actor.rpc(host, SET_DEFAULT, None) == (0, (0,))
    first, second = actor.port(), actor.port()
    assert actor.rpc(host, SET_DEFAULT, Give(first, MAKE_SEND)) == (0, (0,))
    assert actor.rpc(host, SET_DEFAULT, Give(second, MAKE_SEND)) == (0, (first,))
    assert actor.rpc(host, SET_DEFAULT, None) == (0, (second,))
    unprivileged = small.name_of(actor, small.kernel.host)
    assert actor.rpc(unprivileged, SET_DEFAULT, None)[0] == KernReturn.INVALID_HOST


def test_statistics_count_pages_in_and_out(small: KernelRig) -> None:
    manager = DefaultPager(small)
    base = fill(manager, small.actor, FRAMES)
    assert manager.let(small.actor, base) == b"\0"
    words = manager.pager.actor.call(VM_STATISTICS)[0]
    kernel = small.kernel
    assert isinstance(words, tuple | list)
    assert words[3] == kernel.pageout.inactive_count > 0
    assert words[7] == manager.news.count(DATA_REQUEST) > 0
    assert words[8] == kernel.pool.pageouts > 0
