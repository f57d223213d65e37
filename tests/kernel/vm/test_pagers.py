"""External pagers (mach-abi.md 8.2, 8.3): the life of an object, from its first mapping to
its end, and what becomes of threads that wait for one."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import Carried
from machemu.kernel.results import KernReturn
from machemu.kernel.rpc.pager_port import CACHED_MAX
from tests.support.pagers import (
    CALL,
    CHANGE_ATTRIBUTES,
    CHANGE_COMPLETED,
    DATA_ERROR,
    DATA_RETURN,
    DATA_UNLOCK,
    DELAY,
    DESTROY,
    EXECUTE,
    GET_ATTRIBUTES,
    INIT,
    LOCK_COMPLETED,
    LOCK_REQUEST,
    NO_CHANGE,
    NONE,
    READ,
    READY,
    RETURN_ALL,
    RETURN_DIRTY,
    RETURN_NONE,
    SUPPLY,
    SUPPLY_COMPLETED,
    TEMPORARY,
    TERMINATE,
    UNAVAILABLE,
    VM_MAP,
    WRITE,
    Managed,
    News,
    page_of,
)
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    PAGE,
    SCRATCH,
    Actor,
    At,
    Give,
    KernelRig,
    Received,
    header,
    region_item,
)
from tests.support.rig import message as make_message

VM_REGION, VM_WRITE, VM_READ, TASK_CREATE = 2029, 2027, 2026, 2007


def unmap(managed: Managed) -> None:
    managed.client.memory.deallocate(managed.address, managed.pages * PAGE)


# -- supply --------------------------------------------------------------------------


def test_absent_page_is_asked_for_once_and_its_threads_go_on_with_it(rig: KernelRig) -> None:
    managed = Managed(rig)
    second = rig.second_thread(managed.client)
    assert not managed.touch(2)
    assert not managed.touch(2, READ, second)
    managed.request(2)
    assert managed.hear() is None
    managed.supply(2, page_of(7))
    assert managed.client.thread.runnable
    assert second.thread.runnable
    assert managed.load(2) == 7


def test_faults_wait_until_the_object_is_ready(rig: KernelRig) -> None:
    managed = Managed(rig, ready=False)
    assert not managed.touch(0, WRITE)
    assert managed.hear() is None
    managed.tell(READY, 0, DELAY)
    managed.request(0, WRITE)


def test_unavailable_page_is_zeros(rig: KernelRig) -> None:
    managed = Managed(rig)
    assert not managed.touch(1)
    managed.request(1)
    managed.tell(UNAVAILABLE, PAGE, PAGE)
    assert managed.load(1) == 0


def test_failed_page_kills_only_who_waits_for_it(rig: KernelRig) -> None:
    managed = Managed(rig)
    other = rig.another()
    address = managed.map(other)
    assert not managed.touch(1)
    managed.request(1)
    managed.tell(DATA_ERROR, PAGE, PAGE, 77)
    assert managed.client.load(managed.place(1), 1) is None
    assert not managed.client.task.alive
    assert b"bad_access (code 10," in rig.machine.console.written
    managed.address = address
    assert not managed.touch(1, READ, other)  # and is asked for again
    managed.request(1)
    managed.supply(1, page_of(9))
    assert managed.load(1, other) == 9


def test_what_nobody_asked_for_is_not_unavailable_nor_failed(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.tell(UNAVAILABLE, 0, 8 * PAGE)
    managed.tell(DATA_ERROR, 0, 8 * PAGE, 1)
    assert not managed.touch(1)
    managed.request(1)


@pytest.mark.parametrize("end", ["supply", "supply less", "supply a page that is here"])
def test_completion_tells_how_far_the_supply_went(rig: KernelRig, end: str) -> None:
    managed = Managed(rig)
    if end == "supply a page that is here":
        managed.supply(1, page_of(1))
    port, give = managed.pager.reply_port()
    managed.supply(0, page_of(5) * 3, reply=give)
    result = (0, 0) if end != "supply a page that is here" else (KernReturn.MEMORY_PRESENT, PAGE)
    assert managed.pager.hear(port) == News(SUPPLY_COMPLETED, (0, 3 * PAGE, *result))
    assert managed.load(0) == 5


@pytest.mark.parametrize(("offset", "size", "lock"), [(1, PAGE, 0), (0, PAGE - 1, 0), (0, PAGE, 8), (0, PAGE, -1)])
def test_bad_supply_is_ignored(rig: KernelRig, offset: int, size: int, lock: int) -> None:
    managed = Managed(rig)
    port, give = managed.pager.reply_port()
    managed.tell(SUPPLY, offset, bytes(size), lock, 0, give)
    assert managed.pager.hear(port) == News(71, ())  # the send-once right was destroyed
    assert not managed.touch(0)


def test_no_pager_can_lie_to_another_object(rig: KernelRig) -> None:
    """Not asked, not its page, or far outside: none of it reaches anybody else's memory."""
    managed = Managed(rig)
    managed.supply(1 << 40, page_of(3))
    managed.tell(UNAVAILABLE, 2**64 - PAGE, 2**64 - 1)
    managed.tell(LOCK_REQUEST, 2**64 - PAGE, 2**64 - 1, RETURN_ALL, 1, 7, None)
    managed.tell(LOCK_REQUEST, 0, 2**64 - 1, RETURN_NONE, 0, 99, None)
    managed.tell(READY, 1, 17)
    assert not managed.touch(0)
    managed.request(0)


# -- locks ---------------------------------------------------------------------------


def test_locked_page_is_unlocked_on_demand(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.bring(0, 5, WRITE)
    assert managed.load(0) == 5
    assert not managed.touch(0, WRITE)
    managed.expect(DATA_UNLOCK, 0, PAGE, WRITE)
    managed.tell(LOCK_REQUEST, 0, PAGE, RETURN_NONE, 0, 0, None)
    managed.store(0, 6)
    assert managed.load(0) == 6
    assert managed.all_news() == []


def test_lock_takes_access_away_from_those_who_have_it(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.bring(0, 5)
    managed.store(0, 6)
    managed.tell(LOCK_REQUEST, 0, PAGE, RETURN_NONE, 0, READ | WRITE | EXECUTE, None)
    assert not managed.touch(0)
    managed.expect(DATA_UNLOCK, 0, PAGE, READ)
    managed.tell(LOCK_REQUEST, 0, PAGE, RETURN_NONE, 0, WRITE, None)
    assert managed.load(0) == 6


@pytest.mark.parametrize("returned", [RETURN_NONE, RETURN_DIRTY, RETURN_ALL])
@pytest.mark.parametrize("flush", [0, 1])
def test_lock_request_returns_what_it_is_asked_to(rig: KernelRig, returned: int, flush: int) -> None:
    managed = Managed(rig)
    managed.bring(0, 1)
    managed.bring(1, 2)
    managed.bring(2, 3, precious=True)
    managed.store(1, 9)
    port, give = managed.pager.reply_port()
    managed.tell(LOCK_REQUEST, 0, 8 * PAGE - 5, returned, flush, NO_CHANGE, give)
    clean = News(DATA_RETURN, (0, page_of(1), 0, 1 - flush))
    dirty = News(DATA_RETURN, (PAGE, b"\x09" + page_of(2)[1:], 1, 1 - flush))
    precious = News(DATA_RETURN, (2 * PAGE, page_of(3), 0, 1 - flush))
    assert managed.all_news() == {RETURN_NONE: [], RETURN_DIRTY: [dirty, precious],
                                  RETURN_ALL: [clean, dirty, precious]}[returned]
    assert managed.pager.hear(port) == News(LOCK_COMPLETED, (0, 8 * PAGE - 5))
    assert managed.touch(0) == (not flush)


def test_returned_page_is_clean_until_it_is_written_again(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.bring(0, 1)
    managed.store(0, 2)
    for expected in (1, 0, 1):
        managed.tell(LOCK_REQUEST, 0, PAGE, RETURN_DIRTY, 0, NO_CHANGE, None)
        assert len(managed.all_news()) == expected
        if not expected:
            managed.store(0, 3)


def test_one_return_has_at_most_32_pages(rig: KernelRig) -> None:
    managed = Managed(rig, pages=80)
    managed.supply(0, page_of(1) * 40)
    managed.tell(LOCK_REQUEST, 0, 80 * PAGE, RETURN_ALL, 1, NO_CHANGE, None)
    sizes = [len(bytes(news.arguments[1])) for news in managed.all_news()]  # type: ignore[call-overload]
    assert sizes == [32 * PAGE, 8 * PAGE]


# -- the end of an object -----------------------------------------------------------------


def test_last_unmapping_returns_changed_pages_and_ends_the_object(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.bring(0, 1)
    managed.bring(1, 2)
    managed.store(1, 9)
    unmap(managed)
    rig.check()
    managed.expect(DATA_RETURN, PAGE, b"\x09" + page_of(2)[1:], 1, 0)
    managed.expect(TERMINATE)
    managed.map(managed.client)
    managed.expect(INIT, PAGE)


def test_temporary_objects_changes_are_not_returned(rig: KernelRig) -> None:
    managed = Managed(rig, strategy=TEMPORARY)
    managed.bring(1, 2)
    managed.store(1, 9)
    unmap(managed)
    managed.expect(TERMINATE)


def test_cached_object_keeps_its_pages_for_the_next_mapping(rig: KernelRig) -> None:
    managed = Managed(rig, may_cache=True)
    managed.bring(0, 1)
    unmap(managed)
    assert managed.all_news() == []
    managed.address = managed.map(managed.client)
    assert managed.load(0) == 1
    unmap(managed)
    managed.tell(CHANGE_ATTRIBUTES, 0, DELAY, None)
    managed.expect(TERMINATE)


def test_attributes_are_changed_and_told(rig: KernelRig) -> None:
    managed = Managed(rig, ready=False)
    actor, control = managed.pager.actor, managed.pager.control
    assert actor.rpc(control, GET_ATTRIBUTES) == (0, (0, 0, NONE))
    managed.tell(READY, 0, DELAY)
    assert actor.rpc(control, GET_ATTRIBUTES) == (0, (1, 0, DELAY))
    port, give = managed.pager.reply_port()
    managed.tell(CHANGE_ATTRIBUTES, 1, CALL, give)
    assert managed.pager.hear(port) == News(CHANGE_COMPLETED, (1, CALL))
    assert actor.rpc(control, GET_ATTRIBUTES) == (0, (1, 1, CALL))


def test_destroyed_object_keeps_what_is_here_and_fails_for_the_rest(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.bring(0, 1)
    managed.store(0, 8)
    managed.tell(DESTROY, 5)
    managed.expect(TERMINATE)
    assert managed.load(0) == 8
    other = rig.another()
    managed.map(other)
    managed.expect(INIT, PAGE)  # a new object
    assert managed.client.load(managed.place(1), 1) is None


@pytest.mark.req("B-05")
@pytest.mark.parametrize("end", ["its port", "its task"])
def test_dead_pager_fails_those_who_wait_and_those_who_come(rig: KernelRig, end: str) -> None:
    managed = Managed(rig)
    managed.bring(0, 1)
    second = rig.another()
    managed.touch(1)
    address = managed.map(second)
    if end == "its port":
        managed.pager.actor.space.destroy_name(managed.port)
    else:
        rig.kernel.terminate_task(managed.pager.actor.task, None, "test")
    rig.check()
    assert managed.client.load(managed.place(1), 1) is None
    assert second.load(address, 1) == b"\x01"
    assert second.load(address + PAGE, 1) is None


def test_thread_that_waits_can_be_ended_or_aborted(rig: KernelRig) -> None:
    managed = Managed(rig)
    second = rig.second_thread(managed.client)
    managed.touch(0)
    managed.touch(0, READ, second)
    second.thread.abort()
    assert second.thread.runnable  # and executes its instruction again
    rig.kernel.terminate_thread(managed.client.thread)
    rig.check()
    managed.request(0)
    managed.supply(0, page_of(1))
    assert managed.load(0, second) == 1


def test_unmapped_while_it_is_waited_for(rig: KernelRig) -> None:
    managed = Managed(rig)
    managed.touch(0)
    unmap(managed)
    managed.request(0)
    managed.expect(TERMINATE)


# -- copies -----------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [NONE, CALL, DELAY, TEMPORARY])
def test_copy_does_not_see_what_is_written_later(rig: KernelRig, strategy: int) -> None:
    managed = Managed(rig, pages=2, strategy=strategy)
    managed.bring(0, 1)
    managed.bring(1, 2)
    copy = managed.map(managed.client, copy=True)
    managed.store(0, 9)
    assert managed.client.load(copy, 1) == b"\x01"
    assert managed.client.store(copy + PAGE, b"\x08")
    assert managed.load(1) == 2
    assert managed.client.load(copy + PAGE, 1) == b"\x08"


def test_delayed_copy_asks_for_its_pages_when_they_are_touched(rig: KernelRig) -> None:
    managed = Managed(rig)
    copy = managed.map(managed.client, copy=True)
    assert managed.hear() is None
    managed.address = copy
    assert not managed.touch(3)
    managed.request(3)
    managed.supply(3, page_of(4))
    assert managed.load(3) == 4
    managed.tell(LOCK_REQUEST, 0, 8 * PAGE, RETURN_ALL, 1, NO_CHANGE, None)
    assert not managed.touch(3)


def test_copy_waits_for_the_object_to_be_ready(rig: KernelRig) -> None:
    rig.another()
    managed = Managed(rig, ready=False)
    client = managed.client
    name = rig.give(managed.pager.actor, managed.port, client)
    reply = client.port()
    body, complex_ = client.request_body(VM_MAP, 0, PAGE, 0, 1, Give(name, 19), 0, 1, 3, 7, 1)
    assert complex_
    octets = _request(client.self_name, reply, VM_MAP, body)
    assert client.send(octets) == 0
    assert client.poll(reply) is None
    managed.tell(READY, 0, DELAY)
    assert client.take(reply).code == 0


def _request(port: int, reply: int, ident: int, body: bytes) -> bytes:
    return header(port, reply, COPY_SEND, MAKE_SEND_ONCE, ident, 32 + len(body), True) + body


def test_child_inherits_a_copy_or_the_object_itself(rig: KernelRig) -> None:
    managed = Managed(rig, pages=2)
    managed.bring(0, 1)
    second = managed.map(managed.client)
    managed.client.memory.inherit(second, 2 * PAGE, 0)
    child = Actor(rig, rig.kernel.create_task(managed.client.task, inherit_memory=True))
    managed.store(0, 9)
    assert child.load(managed.address, 1) == b"\x01"
    assert child.load(second, 1) == b"\x09"


def test_copy_that_children_share_is_the_objects_no_more(rig: KernelRig) -> None:
    managed = Managed(rig, pages=2)
    managed.bring(0, 1)
    managed.bring(1, 2)
    copy = managed.map(managed.client, copy=True)
    managed.client.memory.inherit(copy, 2 * PAGE, 0)
    child = Actor(rig, rig.kernel.create_task(managed.client.task, inherit_memory=True))
    managed.store(1, 9)
    rig.check()
    assert child.load(copy + PAGE, 1) == b"\x02"
    assert child.store(copy, b"\x05")
    assert managed.client.load(copy, 1) == b"\x05"
    assert managed.load(0) == 1


# -- the kernel's own copies ------------------------------------------------------------------


@pytest.mark.parametrize("comes", [True, False])
def test_send_from_an_absent_page_waits_for_it(rig: KernelRig, comes: bool) -> None:
    managed = Managed(rig)
    channel = rig.channel(managed.client)
    octets = _simple(channel.to)
    assert managed.client.trap("mach_msg_trap", managed.place(0), 1, 32, 0, 0, 0, 0) == BLOCKED
    managed.request(0)
    if comes:
        managed.supply(0, octets.ljust(PAGE, b"\0"))
        rig.kernel.scheduler.settle()
        assert managed.client.result() == 0
        assert channel.receiver.take(channel.port).ident == 4711
    else:
        managed.tell(DATA_ERROR, 0, PAGE, 1)
        assert managed.client.result() == 0x10000002
        assert channel.receiver.poll(channel.port) is None


def _simple(to: int) -> bytes:
    return header(to, ident=4711)


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("comes", [True, False])
def test_receive_into_an_absent_page_waits_for_it(rig: KernelRig, waits: bool, comes: bool) -> None:
    """A message that is there, or comes later; the receiver gets it with its page."""
    managed = Managed(rig)
    sender = rig.another()
    channel = rig.channel(sender, managed.client)
    if not waits:
        assert sender.send(_simple(channel.to)) == 0
    assert managed.client.trap("mach_msg_trap", managed.place(0), 2, 0, 0x4000, channel.port, 0, 0) == BLOCKED
    if waits:
        assert sender.send(_simple(channel.to)) == 0
    managed.request(0, WRITE)
    if comes:
        managed.supply(0, page_of(0))
        assert managed.client.result() == 0
        found = managed.client.load(managed.place(0), 32)
        assert found is not None
        assert Received(found).ident == 4711
    else:
        managed.tell(DATA_ERROR, 0, PAGE, 1)
        assert managed.client.result() == 0x10004008


@pytest.mark.parametrize("pages", [1, 5])
def test_out_of_line_data_of_a_pager_is_sent_as_it_is(rig: KernelRig, pages: int) -> None:
    managed = Managed(rig)
    channel = rig.channel(managed.client)
    octets = make_message(channel.to, region_item(managed.address, pages * PAGE))
    assert managed.client.send(octets) == (BLOCKED if pages == 1 else 0)
    while managed.client.thread.wait is not None:
        news = managed.hear()
        assert news is not None
        index = int(str(news.arguments[0])) // PAGE
        managed.supply(index, page_of(index + 1))
    assert managed.client.result() == 0
    managed.address = channel.receiver.take(channel.port).word(8)
    if pages > 1:  # its receiver asks for the pages
        assert not managed.touch(4, READ, channel.receiver)
        managed.request(4)
        managed.supply(4, page_of(5))
    assert managed.load(0 if pages == 1 else 4, channel.receiver) == pages


def test_vm_calls_on_absent_pages_are_answered_when_they_come(rig: KernelRig) -> None:
    managed = Managed(rig)
    client = managed.client
    reply = client.port()
    body, _ = client.request_body(VM_WRITE, managed.place(1), page_of(3))
    assert client.send(_request(client.self_name, reply, VM_WRITE, body)) == 0
    assert client.poll(reply) is None
    managed.request(1, WRITE)
    managed.supply(1, page_of(9))
    assert client.take(reply).code == 0
    assert managed.load(1) == 3
    body, _ = client.request_body(VM_WRITE, managed.place(2), page_of(3))
    assert client.send(_request(client.self_name, reply, VM_WRITE, body)) == 0
    managed.request(2, WRITE)
    managed.tell(DATA_ERROR, 2 * PAGE, PAGE, 1)
    assert client.take(reply).code == KernReturn.MEMORY_ERROR


def test_waiting_call_of_a_task_that_ends_leaves_nothing(rig: KernelRig) -> None:
    managed = Managed(rig)
    other = rig.another()
    name = rig.name_of(other, managed.client.task)
    reply = other.port()
    body, _ = other.request_body(VM_WRITE, managed.place(1), page_of(3))
    assert other.send(_request(name, reply, VM_WRITE, body)) == 0
    rig.kernel.terminate_task(other.task, None, "test")
    rig.check()
    managed.request(1, WRITE)
    managed.supply(1, page_of(9))
    assert not rig.kernel.waiting_calls
    assert managed.load(1) == 9


def test_shortcut_trap_with_an_absent_argument_leaves_it_to_the_stub(rig: KernelRig) -> None:
    managed = Managed(rig)
    result = managed.client.trap("syscall_vm_allocate", managed.client.self_name, managed.place(0), PAGE, 1)
    assert result == 0x10000007


def test_region_tells_the_objects_name(rig: KernelRig) -> None:
    managed = Managed(rig)
    first = managed.client.call(VM_REGION, managed.address)
    managed.map(managed.client)
    assert first[6] != 0
    assert managed.client.call(VM_REGION, SCRATCH)[6] == 0


def test_object_and_control_port_cannot_be_mapped(rig: KernelRig) -> None:
    managed = Managed(rig)
    actor = managed.pager.actor
    code, _ = actor.rpc(actor.self_name, VM_MAP, 0, PAGE, 0, 1, Give(managed.pager.control, 19), 0, 0, 3, 7, 1)
    assert code == KernReturn.INVALID_ARGUMENT


def test_mapping_that_fails_leaves_no_object(rig: KernelRig) -> None:
    managed = Managed(rig)
    port = managed.pager.actor.port()
    name = rig.give(managed.pager.actor, port, managed.client)
    code, _ = managed.client.rpc(managed.client.self_name, VM_MAP, managed.address, PAGE, 0, 0, Give(name, 19), 0, 0,
                                 3, 7, 1)
    assert code == KernReturn.NO_SPACE
    assert managed.pager.hear(port) == News(INIT, (PAGE,))
    assert managed.pager.hear(port) == News(TERMINATE, ())


def test_object_kept_for_long_ends_when_many_are_kept(rig: KernelRig) -> None:
    managed = Managed(rig, may_cache=True)
    managed.bring(0, 1)
    managed.store(0, 2)
    unmap(managed)
    assert managed.all_news() == []
    pager = managed.pager.actor
    for _ in range(CACHED_MAX):
        port = pager.port()
        right = pager.space.take(port, MAKE_SEND)
        assert isinstance(right, Carried)
        memory = rig.kernel.pagers.object_of(right.port)
        right.destroy()
        address = managed.client.memory.map(0, PAGE, 0, True, memory, 0, False, 3, 7, 1)
        assert memory.pager is not None
        memory.pager.become_ready(True, DELAY)
        managed.client.memory.deallocate(address, PAGE)
    rig.check()
    assert [news.ident for news in managed.all_news()] == [DATA_RETURN, TERMINATE]


def test_supply_of_more_than_ram_is_refused(rig: KernelRig) -> None:
    managed = Managed(rig)
    actor = managed.pager.actor
    address = actor.memory.allocate(0, 1 << 33, True)
    port, give = managed.pager.reply_port()
    managed.tell(SUPPLY, 0, At(address, (1 << 32) - PAGE), 0, 0, give)
    assert managed.pager.hear(port) == News(71, ())


def test_copy_of_a_huge_object_is_made_at_once_or_waits_at_once(rig: KernelRig) -> None:
    managed = Managed(rig, pages=1 << 24, strategy=NONE)
    managed.client.memory.inherit(managed.address, managed.pages * PAGE, 1)
    client = managed.client
    reply = client.port()
    body, _ = client.request_body(TASK_CREATE, 1)
    octets = header(client.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, TASK_CREATE, 32 + len(body))
    assert client.send(octets + body) == 0
    assert client.poll(reply) is None
    managed.request(0)
