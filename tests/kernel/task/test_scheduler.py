"""Who runs: round robin by quanta, and a message's processor handed to its receiver."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.events import ContextSwitch
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND_ONCE,
    NULL,
    Actor,
    KernelRig,
    header,
)

QUANTUM_NS: Final = 1_000_000


def running(rig: KernelRig) -> Actor | None:
    current = rig.kernel.scheduler.current
    return next((actor for actor in rig.actors if actor.thread is current), None)


def quantum_passes(rig: KernelRig) -> Actor | None:
    rig.pass_time(QUANTUM_NS)
    rig.kernel.scheduler.quantum_expired()
    rig.check()
    return running(rig)


def test_threads_take_turns(rig: KernelRig) -> None:
    actors = [rig.actor, rig.another(), rig.another()]
    assert running(rig) is rig.actor
    order = [quantum_passes(rig) for _ in range(6)]
    assert order == [actors[1], actors[2], actors[0]] * 2


def test_a_thread_alone_gets_another_quantum(rig: KernelRig) -> None:
    assert quantum_passes(rig) is rig.actor
    assert rig.kernel.scheduler.quantum_end_ns == rig.machine.clock.now_ns + QUANTUM_NS


def test_a_thread_that_gives_way_goes_to_the_end(rig: KernelRig) -> None:
    actors = [rig.actor, rig.another(), rig.another()]
    rig.trap("swtch")
    assert running(rig) is actors[1]
    actors[1].trap("thread_switch", NULL, 0, 0)
    assert running(rig) is actors[2]
    actors[2].trap("swtch_pri", 0)
    assert running(rig) is actors[0]


def test_a_new_turn_has_a_whole_quantum(rig: KernelRig) -> None:
    rig.another()
    rig.pass_time(QUANTUM_NS // 2)
    rig.trap("swtch")
    assert rig.kernel.scheduler.quantum_end_ns == rig.machine.clock.now_ns + QUANTUM_NS


def test_a_call_goes_on_within_its_callers_quantum(rig: KernelRig) -> None:
    """Client to server and back: nobody else runs, and no new quantum begins."""
    client, to, server, port = rig.channel()
    reply = client.port()
    bystanders = [rig.another(), rig.another()]
    server.receive(port)
    rig.run(client)
    end = rig.kernel.scheduler.quantum_end_ns
    for ident in range(3):
        octets = header(to, reply, COPY_SEND, MAKE_SEND_ONCE, ident)
        assert client.send_and_receive(octets, reply) == BLOCKED
        assert running(rig) is server
        answer = header(server.received(0x28000 if ident == 0 else 0x20000).remote, remote_use=MOVE_SEND_ONCE)
        assert server.send_and_receive(answer, port) == BLOCKED
        assert running(rig) is client
        assert client.result() == 0
    assert rig.kernel.scheduler.quantum_end_ns == end
    assert all(bystander.thread.runnable for bystander in bystanders)


def test_a_woken_thread_waits_while_its_waker_goes_on(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    receiver.receive(port)
    assert sender.send(header(to)) == 0
    assert running(rig) is sender
    assert quantum_passes(rig) is receiver


def test_nobody_can_run(rig: KernelRig) -> None:
    """The processor idles until time or a device makes a thread ready."""
    actor = rig.actor
    assert actor.receive(actor.port(), 0x100, 5) == BLOCKED
    assert rig.kernel.scheduler.current is None
    assert rig.machine.cpu.current is None
    rig.pass_time(5_000_000)
    assert running(rig) is actor
    assert rig.machine.cpu.current is actor.thread.context


def test_each_thread_has_its_own_registers(rig: KernelRig) -> None:
    first, second = rig.actor, rig.another()
    first.trap("mach_task_self", 11, 12)
    rig.trap("swtch")
    assert running(rig) is second
    assert rig.machine.cpu.arguments[1] != 12
    second.trap("swtch")
    assert running(rig) is first
    assert first.register == 1, "swtch's result: somebody else was runnable"


def test_switches_are_told(rig: KernelRig) -> None:
    told: list[ContextSwitch] = []
    rig.kernel.events.context_switch.attach(told.append)
    other = rig.another()
    rig.trap("swtch")
    other.receive(other.port())
    assert [event.thread for event in told] == [other.thread.number, rig.actor.thread.number]
    rig.actor.receive(rig.actor.port())
    assert told[-1] == ContextSwitch(0, 0)


@pytest.mark.parametrize("how", ["suspend", "terminate", "task suspend", "task terminate"])
def test_a_thread_that_stops_hands_over_to_the_next(rig: KernelRig, how: str) -> None:
    first, second = rig.actor, rig.another()
    if how == "suspend":
        first.thread.suspend()
    elif how == "terminate":
        rig.kernel.terminate_thread(first.thread)
    elif how == "task suspend":
        first.task.suspend()
    else:
        rig.kernel.terminate_task(first.task, None, "test")
    rig.check()
    assert running(rig) is second


def test_a_suspended_task_takes_all_its_threads_out(rig: KernelRig) -> None:
    other = rig.another()
    threads = [other, *(rig.second_thread(other) for _ in range(3))]
    threads[2].receive(other.port())
    threads[3].thread.suspend()
    rig.run(threads[1])
    other.task.suspend()
    rig.check()
    assert running(rig) is rig.actor
    assert not rig.kernel.scheduler.others_ready
    other.task.resume()
    rig.check()
    assert [thread.thread.runnable for thread in threads] == [True, True, False, False]
