"""RAM that runs out in the middle of things: an error, and nothing half done or lost."""

from __future__ import annotations

import struct
import tracemalloc

import pytest

from machemu.kernel.ipc.right import Right
from machemu.kernel.results import DeviceReturn, KernReturn, MsgReturn
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NULL,
    PAGE,
    SCRATCH,
    UNMAPPED,
    Actor,
    At,
    Give,
    KernelRig,
    header,
    message,
    port_region_item,
    region_item,
)

PORT_NAMES, GET_SET_STATUS, PORTS_LOOKUP, TASK_THREADS, VM_READ, VM_WRITE, VM_COPY = (
    3200, 3212, 2034, 2011, 2026, 2027, 2028)
DEVICE_WRITE, DEVICE_READ = 2802, 2804


def untouched(actor: Actor, pages: int) -> None:
    """Pages that have no frame yet, at UNMAPPED."""
    actor.memory.allocate(UNMAPPED, pages * PAGE, False)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_out_of_line_data_that_must_be_copied(rig: KernelRig, left: int) -> None:
    """Fewer than three pages, and the partial ones at the ends of more, are copied at once."""
    sender, to, receiver, port = rig.channel()
    for address, octets, needs in ((SCRATCH, 100, 1), (SCRATCH + 100, 2 * PAGE - 200, 2),
                                   (SCRATCH + 100, 3 * PAGE, 2)):
        with rig.frames_left(left):
            names = sender.names()
            code = sender.send(message(to, region_item(address, octets)))
            assert code == (0 if left >= needs else MsgReturn.SEND_INVALID_MEMORY)
            assert sender.names() == names
        if code == 0:
            assert receiver.load(receiver.take(port).word(8), octets) == sender.load(address, octets)


def test_a_message_whose_memory_has_no_frames_yet(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    untouched(sender, 2)
    names = sender.names()
    with rig.frames_left(1):
        assert sender.trap("mach_msg_trap", UNMAPPED + PAGE - 32, 1, 64) in (
            MsgReturn.SEND_INVALID_DATA, MsgReturn.SEND_NO_BUFFER)
    assert receiver.poll(port) is None
    assert sender.names() == names
    assert to in names


def test_a_buffer_that_gets_no_frame_loses_the_octets(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    untouched(receiver, 1)
    sender.send(header(to))
    with rig.frames_left(0):
        assert receiver.trap("mach_msg_trap", UNMAPPED, 2, 0, 64, port) == MsgReturn.RCV_INVALID_DATA
    assert receiver.poll(port) is None


@pytest.mark.parametrize("waiting", [False, True])
def test_an_array_of_rights_without_a_frame_leaves_a_hole(rig: KernelRig, waiting: bool) -> None:
    sender, to, receiver, port = rig.channel()
    sender.memory.write(SCRATCH, struct.pack("<I", sender.port()))
    octets = message(to, port_region_item(SCRATCH, 1, MAKE_SEND))
    names = receiver.names()
    if waiting:
        assert receiver.receive(port) == BLOCKED
        with rig.frames_left(0):
            assert sender.send(octets) == 0
        result = receiver.result()
    else:
        sender.send(octets)
        with rig.frames_left(0):
            result = receiver.receive(port)
    assert result & ~0x3C00 == MsgReturn.RCV_BODY_ERROR
    assert result & 0x1400, "memory is short, the receiver's or the kernel's"
    assert receiver.received().word(8) == 0
    assert receiver.names() == names


@pytest.mark.parametrize("ident", [PORT_NAMES, GET_SET_STATUS])
def test_a_call_whose_results_have_no_room_is_answered_with_an_error(rig: KernelRig, ident: int) -> None:
    actor = rig.actor
    the_set = actor.port(Right.PORT_SET)
    actor.call(3213, actor.port(), the_set)
    arguments = (the_set,) if ident == GET_SET_STATUS else ()
    with rig.frames_left(0), rig.unchanged():
        assert actor.rpc(actor.self_name, ident, *arguments)[0] == KernReturn.RESOURCE_SHORTAGE


@pytest.mark.parametrize("ident", [PORTS_LOOKUP, TASK_THREADS])
def test_a_reply_whose_rights_have_no_room_is_delivered_with_a_hole(rig: KernelRig, ident: int) -> None:
    actor = rig.actor
    reply = actor.port()
    with rig.frames_left(0):
        actor.send(header(actor.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, ident))
        assert actor.receive(reply) & ~0x3C00 == MsgReturn.RCV_BODY_ERROR
    assert actor.received().word(24) == NULL


@pytest.mark.parametrize(("ident", "arguments"), [
    (VM_READ, (UNMAPPED, PAGE)), (VM_READ, (SCRATCH, 10)), (VM_COPY, (UNMAPPED, 4 * PAGE, UNMAPPED + 4 * PAGE)),
    (VM_WRITE, (UNMAPPED, At(SCRATCH, 4 * PAGE)))])
def test_calls_that_need_frames(rig: KernelRig, ident: int, arguments: tuple[object, ...]) -> None:
    actor = rig.actor
    untouched(actor, 8)
    with rig.frames_left(0), rig.unchanged():
        assert actor.rpc(actor.self_name, ident, *arguments)[0] == KernReturn.RESOURCE_SHORTAGE
    assert actor.load(UNMAPPED, 8 * PAGE) == bytes(8 * PAGE)


def test_a_write_of_several_pages_changes_all_or_none(rig: KernelRig) -> None:
    actor = rig.actor
    untouched(actor, 4)
    with rig.frames_left(2):
        assert actor.rpc(actor.self_name, VM_WRITE, UNMAPPED, At(SCRATCH, 4 * PAGE))[0] == KernReturn.RESOURCE_SHORTAGE
    assert actor.load(UNMAPPED, 4 * PAGE) == bytes(4 * PAGE)


def test_more_memory_than_there_is_can_be_allocated_but_not_used(rig: KernelRig) -> None:
    actor = rig.another()
    assert rig.actor.rpc(rig.name_of(rig.actor, actor.task), 2021, UNMAPPED, 2**36, 0)[0] == 0
    frames = rig.kernel.pool.free_count
    stored = 0
    while actor.store(UNMAPPED + stored * PAGE, b"x"):
        stored += 1
    assert stored == frames
    assert not actor.task.alive
    assert rig.kernel.pool.free_count >= frames, "all of it came back"


def test_a_child_whose_copies_get_no_frames(rig: KernelRig) -> None:
    """Memory that a device reaches is copied at the fork itself."""
    actor = rig.actor
    untouched(actor, 4)
    device = rig.name_of(actor, rig.kernel.devices.open("eth0q0", actor.task))
    assert actor.rpc(device, 4604, Give(actor.self_name, COPY_SEND), UNMAPPED, 4 * PAGE, 3)[0] == 0
    for left in range(5):
        with rig.frames_left(left), rig.unchanged():
            assert actor.rpc(actor.self_name, 2007, 1)[0] == KernReturn.RESOURCE_SHORTAGE
    with rig.frames_left(5 + 2):  # and for the parent's own buffers, copied when it writes to them
        assert actor.rpc(actor.self_name, 2007, 1)[0] == 0


def test_a_disk_without_frames_to_read_into_says_so(rig: KernelRig) -> None:
    actor = rig.actor
    disk = rig.name_of(actor, rig.kernel.devices.open("hd0", actor.task))
    with rig.frames_left(1):
        assert actor.rpc(disk, DEVICE_READ, 0, 0, 2 * PAGE)[0] == DeviceReturn.NO_MEMORY


def test_console_input_without_a_frame_to_put_it_in(rig: KernelRig) -> None:
    actor = rig.actor
    console = rig.name_of(actor, rig.kernel.devices.open("console", actor.task))
    reply = actor.port()
    body, _ = actor.request_body(DEVICE_READ, 0, 0, 10)
    octets = header(console, reply, COPY_SEND, MAKE_SEND_ONCE, DEVICE_READ, 32 + len(body)) + body
    assert actor.send(octets) == 0
    with rig.frames_left(0), rig.watched():
        rig.machine.console.type(b"typed")
    rig.check()
    assert actor.take(reply).code == DeviceReturn.NO_MEMORY



@pytest.mark.parametrize("ident", [VM_WRITE, DEVICE_WRITE])
def test_data_larger_than_ram_is_not_copied_out_of_it(rig: KernelRig, ident: int) -> None:
    """Untouched memory costs the guest nothing; it must not cost the host anything either."""
    actor = rig.actor
    octets = 64 << 20  # RAM has 4 MiB
    actor.memory.allocate(UNMAPPED, 2 * octets, False)
    console = rig.name_of(actor, rig.kernel.devices.open("console", actor.task))
    target = actor.self_name if ident == VM_WRITE else console
    arguments = (UNMAPPED + octets,) if ident == VM_WRITE else (0, 0)
    tracemalloc.start()
    try:
        code, _ = actor.rpc(target, ident, *arguments, At(UNMAPPED, octets))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < octets // 2
    assert code != 0 or ident == DEVICE_WRITE, "a device may write less than it was given"
