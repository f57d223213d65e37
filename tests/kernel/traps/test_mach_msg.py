"""mach_msg_trap: its sizes and its options.  What a message does is tested in `ipc`."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NO_NAME,
    NULL,
    RCV,
    RCV_LARGE,
    RCV_SENDER,
    RCV_TIMEOUT,
    SEND,
    SEND_TIMEOUT,
    KernelRig,
    header,
)

TOO_SMALL, NO_BUFFER = MsgReturn.SEND_MSG_TOO_SMALL, MsgReturn.SEND_NO_BUFFER
UNKNOWN_OPTIONS: Final = 0x7FCF_F000 | 0x40 | 0x400 | 4 | 8
MACH_TASK_SELF_REPLY: Final = 2134


@pytest.mark.req("A-M02")
@pytest.mark.req("A-M10")
@pytest.mark.parametrize(("size", "refusal"), [
    *((size, TOO_SMALL) for size in (0, 1, 7, 8, 24, 31, 33, 36, 39, 41, 2**31 - 1, 2**32 - 1)),
    *((size, NO_BUFFER) for size in (2**31, 2**32 - 8))])
def test_sizes_that_no_message_has(rig: KernelRig, size: int, refusal: int) -> None:
    port = rig.actor.port()
    rig.actor.memory.write(BUFFER, header(port, remote_use=MAKE_SEND))
    with rig.unchanged():
        assert rig.trap("mach_msg_trap", BUFFER, SEND, size) == refusal
        assert rig.trap("mach_msg_trap", BUFFER, SEND | RCV, size, 64, port) == refusal


@pytest.mark.req("A-M10")
@pytest.mark.parametrize("size", [32, 40, 4096, 0x8000])
def test_sizes_that_a_message_may_have(rig: KernelRig, size: int) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send(header(to) + bytes(size - 32)) == 0
    receiver.memory.allocate(0x100000, 0x8000, False)
    assert receiver.trap("mach_msg_trap", 0x100000, RCV, 0, size, port) == 0
    assert receiver.received(0x100000).size == size


@pytest.mark.req("A-M10")
@pytest.mark.parametrize("size", [0, 7, 31, 33, 2**31, 2**32 - 1])
def test_any_receive_size_is_only_room(rig: KernelRig, size: int) -> None:
    sender, to, receiver, port = rig.channel()
    sender.send(header(to))
    assert receiver.receive(port, RCV_TIMEOUT, size=size) == (0 if size >= 32 else MsgReturn.RCV_TOO_LARGE)
    assert receiver.receive(port, RCV_TIMEOUT, size=size) == MsgReturn.RCV_TIMED_OUT


@pytest.mark.req("A-M02")
def test_sizes_and_options_have_32_bits(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    sender.memory.write(BUFFER, header(to))
    assert sender.trap("mach_msg_trap", BUFFER, SEND | 5 << 40, 32 | 1 << 35, 1 << 60, 1 << 50, 1 << 45) == 0
    assert receiver.trap("mach_msg_trap", BUFFER, RCV, 1 << 40, 32 | 1 << 33, port | 1 << 47) == 0


@pytest.mark.parametrize("option", [UNKNOWN_OPTIONS, 0x1_0000])
def test_unknown_options_are_ignored(rig: KernelRig, option: int) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send(header(to), option) == 0
    assert receiver.receive(port, option) == 0
    for _ in range(5):
        sender.send(header(to))
    assert sender.send(header(to), option) == BLOCKED, "MACH_SEND_ALWAYS is the kernel's own"


def test_receive_options_do_not_concern_the_send(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel()
    for _ in range(5):
        sender.send(header(to), RCV_TIMEOUT | RCV_LARGE | RCV_SENDER)
    assert sender.send(header(to), RCV_TIMEOUT) == BLOCKED


def test_send_options_do_not_concern_the_receive(rig: KernelRig) -> None:
    assert rig.actor.receive(rig.actor.port(), SEND_TIMEOUT) == BLOCKED


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("name", [NULL, NO_NAME])
def test_the_message_is_sent_though_there_is_nothing_to_receive_from(rig: KernelRig, name: int) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send_and_receive(header(to, ident=4), name) == MsgReturn.RCV_INVALID_NAME
    assert receiver.take(port).ident == 4


@pytest.mark.req("A-M08")
def test_a_call_on_a_kernel_port_is_answered_in_the_trap(rig: KernelRig) -> None:
    """Also when the sender waits for nothing, and whatever its timeouts are."""
    actor = rig.actor
    reply = actor.port()
    octets = header(actor.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, 2034)
    assert actor.send_and_receive(octets, reply, SEND_TIMEOUT | RCV_TIMEOUT, 0) == 0
    assert actor.received(BUFFER).ident == MACH_TASK_SELF_REPLY
    for _ in range(7):
        assert actor.send(octets) == 0
    assert actor.space.entries[reply].port.queued == 7, "replies pass the limit"
