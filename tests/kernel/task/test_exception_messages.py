"""Exceptions that somebody answers: the message, the reply, and everything that can go
wrong in between (mach-abi.md 6.4, 9.4)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from typing import Final

import pytest

from machemu.hw.api import CpuException
from machemu.kernel.events import MessageSent, TaskEnded
from machemu.kernel.ipc.right import MOVE_SEND, Carried, Right
from machemu.kernel.results import KernReturn, MigReturn, MsgReturn
from tests.support.rig import (
    BLOCKED,
    COMPLEX,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND_ONCE,
    NULL,
    RCV_LARGE,
    RCV_SENDER,
    Actor,
    Give,
    KernelRig,
    Received,
    header,
    port_item,
)

EXCEPTION_PORT, KERNEL_PORT = 3, 1
TASK_SET_SPECIAL_PORT, THREAD_SET_SPECIAL_PORT = 2059, 2068
TASK_TERMINATE, THREAD_TERMINATE = 2008, 2016
THREAD_SUSPEND, THREAD_RESUME, THREAD_ABORT = 2062, 2063, 2064
EXCEPTION_RAISE, EXCEPTION_REPLY = 2400, 2500
CAUSE: Final = CpuException("bad_access", KernReturn.INVALID_ADDRESS, 2**63 + 8)
RET_CODE: Final = 0x0000_0001_2000_2002  # descriptor of one 32-bit integer


def raises(rig: KernelRig, victim: Actor, cause: CpuException = CAUSE) -> None:
    """The processor finds fault with the actor's thread."""
    rig.run(victim)
    with rig.watched():
        rig.kernel.exception(cause)
    rig.check()


def handle(rig: KernelRig, victim: Actor, handler: Actor, *, of_thread: bool = False) -> int:
    """Make a new port of `handler` the victim's exception port; its name there."""
    port = handler.port()
    name = rig.give(handler, port, victim)
    if of_thread:
        thread = rig.name_of(victim, victim.thread)
        assert victim.rpc(thread, THREAD_SET_SPECIAL_PORT, EXCEPTION_PORT, Give(name, COPY_SEND))[0] == 0
        victim.space.deallocate(thread)
    else:
        victim.call(TASK_SET_SPECIAL_PORT, EXCEPTION_PORT, Give(name, COPY_SEND))
    victim.space.deallocate(name)
    return port


def reply(to: int, code: int = 0, *, ident: int = EXCEPTION_REPLY) -> bytes:
    return header(to, 0, MOVE_SEND_ONCE, 0, ident, 48) + struct.pack("<Qi4x", RET_CODE, code)


def answer(handler: Actor, port: int, code: int = 0) -> Received:
    """Take the exception from `port` and answer it with `code`."""
    request = handler.take(port)
    assert handler.send(reply(request.remote, code)) == 0
    for name in (request.word(8), request.word(24)):
        if name:
            handler.space.deallocate(name)
    return request


def waits(victim: Actor) -> bool:
    return victim.task.alive and victim.thread.wait is not None


# -- the message --------------------------------------------------------------------


@pytest.mark.parametrize(("cause", "number"), [
    (CAUSE, 1),
    (CpuException("bad_access", KernReturn.PROTECTION_FAILURE, 0), 1),
    (CpuException("misaligned", 1, 0x10001), 1),
    (CpuException("bad_instruction", 2, 0x30200073), 2),
    (CpuException("breakpoint", 3, 0x10000), 6),
    (CpuException("breakpoint", 1, 0x10002), 6),
], ids=lambda value: value.kind if isinstance(value, CpuException) else None)
def test_the_message_says_who_and_why(rig: KernelRig, cause: CpuException, number: int) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim, cause)
    request = handler.take(port)
    assert (request.ident, request.size, request.bits & COMPLEX) == (EXCEPTION_RAISE, 112, COMPLEX)
    assert (request.remote_use, request.local_use, request.local) == (MOVE_SEND_ONCE, MOVE_SEND, port)
    assert [request.word(at) & 0xFFFF_FFFF_0000_00FF for at in (0, 16)] == [1 << 32 | MOVE_SEND] * 2
    thread, task = request.word(8), request.word(24)
    assert handler.space.entries[thread].port is victim.thread.self_port
    assert handler.space.entries[task].port is victim.task.self_port
    assert struct.unpack_from("<Qi4xQi4xQQ", request.body, 32) == (
        RET_CODE, number, RET_CODE, cause.code, 1 << 32 | 1 << 29 | 64 << 8 | 11, cause.subcode)
    assert handler.send(reply(request.remote)) == 0
    assert victim.thread.runnable


def test_the_kernel_is_its_sender(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    sent: list[MessageSent] = []
    rig.kernel.events.message_sent.attach(sent.append)
    raises(rig, victim)
    assert [(one.task, one.ident, one.receiver, len(one.rights)) for one in sent] == [
        (0, EXCEPTION_RAISE, handler.task.number, 2)]
    request = handler.take(port, RCV_SENDER)
    assert struct.unpack_from("<IIQ", request.trailer) == (1, 32, 0)


def test_the_message_carries_what_the_thread_takes_for_itself(rig: KernelRig) -> None:
    """An interposed kernel port stands in for the real one; a cleared one is null."""
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    stand_in = rig.give(handler, handler.port(), victim)
    real = victim.space.entries[stand_in].port
    victim.call(TASK_SET_SPECIAL_PORT, KERNEL_PORT, Give(stand_in, COPY_SEND))
    name = rig.name_of(victim, victim.thread)
    assert victim.rpc(name, THREAD_SET_SPECIAL_PORT, KERNEL_PORT, Give(NULL, COPY_SEND))[0] == 0
    raises(rig, victim)
    request = handler.take(port)
    assert request.word(8) == NULL
    assert handler.space.entries[request.word(24)].port is real


def test_the_handler_gets_the_processor_at_once(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    bystander = rig.another()
    port = handle(rig, victim, handler)
    assert handler.receive(port) == BLOCKED
    raises(rig, victim)
    assert rig.kernel.scheduler.current is handler.thread
    request = handler.received()
    assert handler.send_and_receive(reply(request.remote), port) == BLOCKED
    assert rig.kernel.scheduler.current is victim.thread
    assert bystander.thread.runnable


def test_a_full_queue_takes_an_exception_all_the_same(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    to = rig.give(handler, port, victim)
    for _ in range(5):
        assert victim.send(header(to)) == 0
    raises(rig, victim)
    assert handler.space.entries[port].port.queued == 6


# -- the reply ----------------------------------------------------------------------


def test_success_lets_the_thread_go_on_as_it_then_is(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    victim.trap("swtch")
    rig.run(victim)
    rig.machine.cpu.arguments[0] = 77
    raises(rig, victim)
    assert waits(victim)
    victim.thread.context.arguments[1] = 88  # as thread_set_state does
    answer(handler, port)
    assert victim.thread.runnable
    rig.run(victim)
    assert rig.machine.cpu.arguments[:2].tolist() == [77, 88], "no result is stored"
    assert not rig.machine.console.written


def test_any_thread_may_answer(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    request = handler.take(port)
    assert rig.second_thread(handler).send(reply(request.remote)) == 0
    assert victim.thread.runnable


def test_the_threads_port_is_asked_before_the_tasks(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    of_task, of_thread = handle(rig, victim, handler), handle(rig, victim, handler, of_thread=True)
    raises(rig, victim)
    assert handler.poll(of_task) is None
    first = answer(handler, of_thread, KernReturn.FAILURE)
    assert waits(victim)
    second = handler.take(of_task)
    assert first.body[32:] == second.body[32:]
    assert handler.send(reply(second.remote)) == 0
    assert victim.thread.runnable


def test_the_task_ends_when_both_have_refused(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    ended: list[TaskEnded] = []
    rig.kernel.events.task_ended.attach(ended.append)
    of_task, of_thread = handle(rig, victim, handler), handle(rig, victim, handler, of_thread=True)
    rig.run(victim)
    rig.machine.cpu.pc = 0x1234
    raises(rig, victim)
    rig.machine.cpu.pc = 0x9999
    answer(handler, of_thread, KernReturn.FAILURE)
    answer(handler, of_task, MigReturn.BAD_ID)
    assert [one.task for one in ended] == [victim.task.number]
    line = bytes(rig.machine.console.written).decode()
    assert "bad_access (code 1, subcode 0x8000000000000008) at pc 0x1234" in line


def test_a_port_set_meanwhile_is_asked(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    of_thread = handle(rig, victim, handler, of_thread=True)
    raises(rig, victim)
    request = handler.take(of_thread)
    task_name = request.word(24)
    of_task = handler.port()
    assert handler.rpc(task_name, TASK_SET_SPECIAL_PORT, EXCEPTION_PORT, Give(of_task, MAKE_SEND))[0] == 0
    assert handler.send(reply(request.remote, KernReturn.FAILURE)) == 0
    answer(handler, of_task)
    assert victim.thread.runnable


BODY: Final = struct.pack("<Qi4x", RET_CODE, 0)
NO_REPLIES: Final = {
    "a code": lambda to, handler: reply(to, KernReturn.FAILURE),
    "a MIG error": lambda to, handler: reply(to, MigReturn.BAD_ID),
    "MIG_NO_REPLY": lambda to, handler: reply(to, MigReturn.NO_REPLY),
    "another id": lambda to, handler: reply(to, ident=EXCEPTION_REPLY + 1),
    "the request's id": lambda to, handler: reply(to, ident=EXCEPTION_RAISE),
    "nothing but a header": lambda to, handler: header(to, 0, MOVE_SEND_ONCE, 0, EXCEPTION_REPLY),
    "8 octets more": lambda to, handler: header(to, 0, MOVE_SEND_ONCE, 0, EXCEPTION_REPLY, 56) + BODY + bytes(8),
    "a float for a code": lambda to, handler: (header(to, 0, MOVE_SEND_ONCE, 0, EXCEPTION_REPLY, 48)
                                               + struct.pack("<Qi4x", RET_CODE + 1, 0)),
    "a reply port of its own": lambda to, handler: (
        header(to, handler.port(), MOVE_SEND_ONCE, MAKE_SEND_ONCE, EXCEPTION_REPLY, 48) + BODY),
    "a null reply port of its own": lambda to, handler: (
        header(to, NULL, MOVE_SEND_ONCE, MAKE_SEND_ONCE, EXCEPTION_REPLY, 48) + BODY),
    "a right": lambda to, handler: (
        header(to, 0, MOVE_SEND_ONCE, 0, EXCEPTION_REPLY, 48, complex_=True) + port_item(handler.port(), MAKE_SEND)),
    "a right besides": lambda to, handler: (
        header(to, 0, MOVE_SEND_ONCE, 0, EXCEPTION_REPLY, 64, complex_=True) + BODY
        + port_item(handler.port(), MAKE_SEND_ONCE)),
}


@pytest.mark.parametrize("form", NO_REPLIES)
def test_any_other_reply_is_a_refusal(rig: KernelRig, form: str) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    request = handler.take(port)
    assert handler.send(NO_REPLIES[form](request.remote, handler)) == 0
    rig.check()
    assert not victim.task.alive
    assert handler.thread.alive


# -- nobody answers -----------------------------------------------------------------


def dead_port(rig: KernelRig, victim: Actor, handler: Actor) -> None:
    handler.space.destroy_name(handle(rig, victim, handler, of_thread=True))


def kernel_port(rig: KernelRig, victim: Actor, handler: Actor) -> None:
    thread = rig.name_of(victim, victim.thread)
    victim.rpc(thread, THREAD_SET_SPECIAL_PORT, EXCEPTION_PORT, Give(victim.self_name, COPY_SEND))


def no_port(rig: KernelRig, victim: Actor, handler: Actor) -> None:
    thread = rig.name_of(victim, victim.thread)
    victim.rpc(thread, THREAD_SET_SPECIAL_PORT, EXCEPTION_PORT, Give(NULL, COPY_SEND))


def small_buffer(rig: KernelRig, victim: Actor, handler: Actor) -> None:
    port = handle(rig, victim, handler, of_thread=True)
    assert rig.second_thread(handler).receive(port, size=104) == BLOCKED


@pytest.mark.parametrize("thread_port", [dead_port, kernel_port, no_port, small_buffer])
@pytest.mark.parametrize("saved", [True, False])
def test_a_port_that_cannot_answer_is_passed_over(
    rig: KernelRig, thread_port: Callable[[KernelRig, Actor, Actor], None], saved: bool,
) -> None:
    handler, victim = rig.actor, rig.another()
    other = rig.another()
    thread_port(rig, victim, other)
    if saved:
        of_task = handle(rig, victim, handler)
        raises(rig, victim)
        answer(handler, of_task)
        assert victim.thread.runnable
    else:
        raises(rig, victim)
        assert not victim.task.alive
        assert rig.machine.console.written


def test_a_larger_buffer_is_asked_for_not_refused(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    assert rig.second_thread(handler).receive(port, RCV_LARGE, size=104) == BLOCKED
    raises(rig, victim)
    answer(handler, port)
    assert victim.thread.runnable


def give_up_reply(rig: KernelRig, handler: Actor, port: int) -> None:
    handler.space.deallocate(handler.take(port).remote)


def destroy_port_with_message(rig: KernelRig, handler: Actor, port: int) -> None:
    handler.space.destroy_name(port)


def end_with_reply_right(rig: KernelRig, handler: Actor, port: int) -> None:
    handler.take(port)
    rig.kernel.terminate_task(handler.task, None, "test")


def end_with_message(rig: KernelRig, handler: Actor, port: int) -> None:
    rig.kernel.terminate_task(handler.task, None, "test")


def lose_reply_in_a_message(rig: KernelRig, handler: Actor, port: int) -> None:
    """The reply right lies in a message to a port that dies."""
    request, other = handler.take(port), handler.port()
    assert handler.send(header(other, 0, MAKE_SEND, 0, size=48, complex_=True)
                        + port_item(request.remote, MOVE_SEND_ONCE)) == 0
    handler.space.destroy_name(other)


@pytest.mark.parametrize("loss", [give_up_reply, destroy_port_with_message, end_with_reply_right, end_with_message,
                                  lose_reply_in_a_message])
@pytest.mark.parametrize("saved", [True, False])
def test_the_loss_of_the_reply_right_is_a_refusal(
    rig: KernelRig, loss: Callable[[KernelRig, Actor, int], None], saved: bool,
) -> None:
    second, handler, victim = rig.actor, rig.another(), rig.another()
    port = handle(rig, victim, handler, of_thread=True)
    if saved:
        of_task = handle(rig, victim, second)
    raises(rig, victim)
    with rig.watched():
        loss(rig, handler, port)
        rig.kernel.scheduler.settle()
    rig.check()
    if saved:
        answer(second, of_task)
        assert victim.thread.runnable
    else:
        assert not victim.task.alive


def test_a_reply_right_passed_on_still_answers(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    friend = rig.another()
    there = rig.channel(handler, friend)
    request = handler.take(port)
    assert handler.send(header(there.to, size=48, complex_=True) + port_item(request.remote, MOVE_SEND_ONCE)) == 0
    assert friend.send(reply(friend.take(there.port).word(8))) == 0
    assert victim.thread.runnable


def test_nobody_ever_answers(rig: KernelRig) -> None:
    """The faulting thread is the only one that could: it waits until somebody ends it."""
    victim = rig.another()
    handle(rig, victim, victim)
    raises(rig, victim)
    rig.pass_time(10**12)
    assert waits(victim)
    name = rig.name_of(rig.actor, victim.task)
    assert rig.actor.rpc(name, TASK_TERMINATE)[0] == 0
    assert not victim.task.alive
    assert not rig.machine.console.written


def test_a_second_thread_can_save_its_own_task(rig: KernelRig) -> None:
    victim = rig.another()
    helper = rig.second_thread(victim)
    port = handle(rig, victim, victim)
    raises(rig, victim)
    request = answer(helper, port)
    assert request.word(24) == victim.self_name, "the task's own name for itself"
    assert victim.thread.runnable


def test_a_handler_that_refuses_its_own_tasks_exception_ends_with_it(rig: KernelRig) -> None:
    victim = rig.another()
    helper = rig.second_thread(victim)
    port = handle(rig, victim, victim)
    raises(rig, victim)
    request = helper.take(port)
    helper.send_and_receive(reply(request.remote, KernReturn.FAILURE), port)
    assert not victim.task.alive
    assert rig.kernel.scheduler.current is rig.actor.thread


# -- meanwhile ------------------------------------------------------------------------


def test_abort_lets_the_thread_go_on_as_if_answered(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    rig.run(victim)
    rig.machine.cpu.arguments[0] = 77
    raises(rig, victim)
    request = handler.take(port)
    assert handler.rpc(request.word(8), THREAD_ABORT)[0] == 0
    assert victim.thread.runnable
    assert victim.register == 77
    assert handler.send(reply(request.remote, KernReturn.FAILURE)) == MsgReturn.SEND_INVALID_DEST
    assert victim.task.alive
    assert handler.space.references(request.remote, Right.DEAD_NAME) == 1


def test_an_exception_received_after_an_abort_has_a_dead_reply_port(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    assert handler.rpc(rig.name_of(handler, victim.thread), THREAD_ABORT)[0] == 0
    assert handler.take(port).remote == DEAD
    raises(rig, victim)
    answer(handler, port)
    assert victim.thread.runnable


def test_an_answer_does_not_resume_a_suspended_thread(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    name = rig.name_of(handler, victim.thread)
    assert handler.rpc(name, THREAD_SUSPEND)[0] == 0
    assert waits(victim)
    answer(handler, port)
    assert victim.thread.wait is None
    assert not victim.thread.runnable
    assert handler.rpc(name, THREAD_RESUME)[0] == 0
    assert victim.thread.runnable


@pytest.mark.parametrize("ident", [TASK_TERMINATE, THREAD_TERMINATE])
@pytest.mark.parametrize("received", [True, False])
def test_the_end_of_the_thread_ends_the_wait(rig: KernelRig, ident: int, received: bool) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    name = rig.name_of(handler, victim.task if ident == TASK_TERMINATE else victim.thread)
    request = handler.take(port) if received else None
    assert handler.rpc(name, ident)[0] == 0
    assert not victim.thread.alive
    if request is None:
        request = handler.take(port)
        assert (request.remote, request.word(8)) == (DEAD, DEAD)
    else:
        assert handler.send(reply(request.remote)) == MsgReturn.SEND_INVALID_DEST
    assert not rig.machine.console.written


def test_a_handler_may_end_the_thread_before_it_answers(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    second = rig.second_thread(victim)
    port = handle(rig, victim, handler)
    raises(rig, victim)
    request = handler.take(port)
    assert handler.rpc(request.word(8), THREAD_TERMINATE)[0] == 0
    assert handler.send(reply(request.remote)) == MsgReturn.SEND_INVALID_DEST
    assert second.thread.runnable


def test_a_refusal_and_an_abort_in_one_trap(rig: KernelRig) -> None:
    """What is left of a refusal is dropped when the thread is no longer there to wait."""
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    request = handler.take(port)
    with rig.watched():
        handler.space.deallocate(request.remote)
        victim.thread.abort()
        rig.kernel.scheduler.settle()
    rig.check()
    assert victim.thread.runnable


def test_a_refusal_and_the_end_in_one_trap(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    raises_to = handle(rig, victim, handler)
    raises(rig, victim)
    request = handler.take(raises_to)
    with rig.watched():
        handler.space.deallocate(request.remote)
        rig.kernel.terminate_task(victim.task, None, "test")
        rig.kernel.scheduler.settle()
    rig.check()
    assert not rig.machine.console.written


def test_one_thread_excepts_many_times_and_leaves_nothing(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    raises(rig, victim)
    answer(handler, port)
    before = rig.counts()
    for _ in range(3):
        raises(rig, victim)
        answer(handler, port)
    after = rig.counts()
    assert (len(after.ports), after.frames, after.names) == (len(before.ports), before.frames, before.names)


def test_a_long_chain_of_handlers_falls_one_after_the_other() -> None:
    """Each task waits for the next one's answer; the last one's end ends them all, however
    many there are."""
    rig = KernelRig(frames=4096)
    tasks = [rig.kernel.create_task(None) for _ in range(1500)]
    threads = [rig.kernel.create_thread(task) for task in tasks]
    for task, after in itertools.pairwise(tasks):
        name = after.space.allocate(Right.RECEIVE)
        right = after.space.take(name, MAKE_SEND)
        assert isinstance(right, Carried)
        task.exception_port = right.port
    for thread in threads[:-1]:
        thread.resume()
        rig.kernel.scheduler.yield_to(thread)
        rig.kernel.exception(CAUSE)
    rig.check()
    assert all(thread.wait is not None for thread in threads[:-1])
    rig.kernel.terminate_task(tasks[-1], None, "test")
    rig.kernel.scheduler.settle()
    rig.check()
    assert list(rig.kernel.tasks.values()) == [rig.actor.task]


def test_an_unknown_trap_can_be_mended(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    number = -4000
    victim.trap_number(number)
    request = answer(handler, port)
    assert struct.unpack_from("<i", request.body, 40) == (2,)
    assert struct.unpack_from("<i", request.body, 56) == (8,)
    assert request.word(72) == number % 2**64
    assert victim.thread.runnable


def test_a_fault_that_the_handler_mends_is_retried(rig: KernelRig) -> None:
    handler, victim = rig.actor, rig.another()
    port = handle(rig, victim, handler)
    rig.run(victim)
    with rig.watched():
        rig.kernel.page_fault(0x7000_0000, 1)
    rig.check()
    request = handler.take(port)
    assert request.word(72) == 0x7000_0000
    victim.memory.allocate(0x7000_0000, 4096, False)  # as the handler may do with vm_allocate
    assert handler.send(reply(request.remote)) == 0
    rig.run(victim)
    assert victim.load(0x7000_0000, 4) == bytes(4)
