"""What observers are told of messages and ports, and that watching changes nothing."""

from __future__ import annotations

import struct

import pytest

from machemu.kernel.events import KernelEvents, MessageReceived, MessageSent, PortCreated, PortDied
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    PAGE,
    SCRATCH,
    UNMAPPED,
    Actor,
    KernelRig,
    header,
    message,
    port_item,
    port_region_item,
    region_item,
)


def number_of(actor: Actor, name: int) -> int:
    return actor.space.entries[name].port.number


@pytest.mark.req("A-M10")
def test_size_ports_and_id_of_each_message_are_told(rig: KernelRig) -> None:
    sent: list[MessageSent] = []
    received: list[MessageReceived] = []
    rig.kernel.events.message_sent.attach(sent.append)
    rig.kernel.events.message_received.attach(received.append)
    sender, to, receiver, port = rig.channel()
    reply = sender.port()
    octets = header(to, reply, COPY_SEND, MAKE_SEND_ONCE, 0x4321) + bytes(16)
    sender.send(octets)
    (one,) = sent
    assert (one.task, one.port, one.receiver, one.reply, one.ident, one.data) == (
        sender.task.number, number_of(receiver, port), receiver.task.number, number_of(sender, reply), 0x4321, octets)
    receiver.take(port)
    (other,) = received
    assert (other.message, other.task, other.port, other.ident, other.size, other.sequence) == (
        one.message, receiver.task.number, one.port, 0x4321, 48, 0)


def test_rights_and_regions_are_told(rig: KernelRig) -> None:
    sent: list[MessageSent] = []
    rig.kernel.events.message_sent.attach(sent.append)
    sender, to, _, _ = rig.channel()
    mine = sender.port()
    sender.memory.write(SCRATCH, struct.pack("<2I", mine, DEAD))
    sender.memory.write(SCRATCH + 100, bytes(range(200)) * 2)
    sender.memory.allocate(UNMAPPED, 3 * PAGE, False)
    sender.send(message(to, port_item(mine, MAKE_SEND), port_region_item(SCRATCH, 2, MAKE_SEND_ONCE),
                        region_item(SCRATCH + 100, 400), region_item(UNMAPPED, 3 * PAGE)))
    (one,) = sent
    number = number_of(sender, mine)
    assert [(right.slot, right.index, right.port, right.kind) for right in one.rights] == [
        (40, 0, number, MOVE_SEND), (56, 0, number, MOVE_SEND_ONCE), (56, 1, None, 0)]
    assert [(region.slot, region.octets, region.data) for region in one.regions] == [
        (72, 400, (bytes(range(200)) * 2)[:256]), (88, 3 * PAGE, bytes(256))]


def test_ports_have_numbers_for_good(rig: KernelRig) -> None:
    made: list[PortCreated] = []
    died: list[PortDied] = []
    rig.kernel.events.port_created.attach(made.append)
    rig.kernel.events.port_died.attach(died.append)
    for _ in range(3):
        rig.space.destroy_name(rig.actor.port())
    assert [event.port for event in made] == [event.port for event in died]
    assert len({event.port for event in made}) == 3


def everything_once(rig: KernelRig) -> list[int | str]:
    """Something of every kind; the results."""
    sender, to, receiver, port = rig.channel()
    mine = sender.port()
    sender.memory.write(SCRATCH, struct.pack("<2I", mine, 0))
    results = [receiver.receive(port),
               sender.send(message(to, port_item(mine, MOVE_RECEIVE), region_item(SCRATCH, 3 * PAGE),
                                   port_region_item(SCRATCH, 2, COPY_SEND), local=mine, local_use=MAKE_SEND))]
    results += [sender.send(header(to, ident=number)) for number in range(6)]
    results += [receiver.receive(port) for _ in range(3)]
    results.append(receiver.trap("syscall_task_create", receiver.self_name, 1, SCRATCH))
    results.append(receiver.trap_number(-5))
    results.append(sender.thread.wait is None)
    receiver.trap_number(1000)
    results += [len(rig.kernel.zone.live), rig.kernel.pool.used, rig.kernel.scheduler.switches]
    return results


def test_watching_everything_changes_nothing() -> None:
    plain, watched = KernelRig(), KernelRig()
    for hook in KernelEvents.__slots__:
        getattr(watched.kernel.events, hook).attach(lambda event: repr(event))
    assert everything_once(watched) == everything_once(plain)
    assert not any(getattr(watched.kernel.events, hook).failures for hook in KernelEvents.__slots__)


def test_a_watcher_that_fails_is_taken_off(rig: KernelRig) -> None:
    def fails(event: object) -> None:
        raise ValueError(event)

    rig.kernel.events.message_sent.attach(fails)
    sender, to, receiver, port = rig.channel()
    assert [sender.send(header(to)) for _ in range(6)] == [0, 0, 0, 0, 0, BLOCKED]
    assert len(rig.kernel.events.message_sent.failures) == 1
    assert receiver.poll(port) is not None
