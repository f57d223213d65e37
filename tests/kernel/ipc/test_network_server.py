"""MACH_SEND_PEER: the network server says for which node and epoch it sends."""

from __future__ import annotations

import struct

import pytest

from machemu.kernel.results import MsgReturn
from tests.support.rig import (
    BUFFERS_END,
    COPY_SEND,
    MAKE_SEND,
    MOVE_SEND,
    RCV_SENDER,
    SEND,
    SEND_PEER,
    Actor,
    Channel,
    Give,
    KernelRig,
    header,
    message,
    port_item,
)

SET_NETWORK_SERVER = 4603


def appoint(rig: KernelRig, server: Actor) -> int:
    """set_network_server by somebody with the privileged host port; the instance."""
    code, (instance,) = rig.actor.rpc(rig.host_privileged(rig.actor), SET_NETWORK_SERVER,
                                      Give(rig.name_of(rig.actor, server.task), COPY_SEND))
    assert code == 0
    return instance


def send_for_peer(channel: Channel, node: int, epoch: int) -> tuple[int, ...]:
    """Task, node and epoch as the receiver is told them."""
    address = BUFFERS_END - 40
    channel.sender.memory.write(address, header(channel.to) + struct.pack("<II", node, epoch))
    assert channel.sender.trap("mach_msg_trap", address, SEND | SEND_PEER, 32) == 0
    return struct.unpack_from("<QII", channel.receiver.take(channel.port, RCV_SENDER).trailer, 8)


def test_the_network_server_sends_for_a_peer(rig: KernelRig) -> None:
    channel = rig.channel()
    number = channel.sender.task.number
    assert appoint(rig, channel.sender) == 0
    assert send_for_peer(channel, 7, 0xFFFF_FFFF) == (number, 7, 0xFFFF_FFFF)
    channel.sender.send(header(channel.to))
    trailer = channel.receiver.take(channel.port, RCV_SENDER).trailer
    assert struct.unpack_from("<QII", trailer, 8) == (number, 0, 0), "only where it says so"


def test_others_cannot(rig: KernelRig) -> None:
    channel, server = rig.channel(), rig.another()
    appoint(rig, server)
    assert send_for_peer(channel, 7, 8) == (channel.sender.task.number, 0, 0)
    # The option is ignored like any unknown bit: no octet behind the message is read.
    address = BUFFERS_END - 32
    channel.sender.memory.write(address, header(channel.to))
    assert channel.sender.trap("mach_msg_trap", address, SEND | SEND_PEER, 32) == 0


def test_only_the_task_named_last_is_the_network_server(rig: KernelRig) -> None:
    first, second = rig.channel(), rig.channel(rig.another(), rig.another())
    assert appoint(rig, first.sender) == 0
    assert appoint(rig, second.sender) == 1, "instances are counted"
    assert send_for_peer(first, 7, 8)[1:] == (0, 0)
    assert send_for_peer(second, 7, 8)[1:] == (7, 8)
    rig.kernel.terminate_task(second.sender.task, None, "test")
    assert appoint(rig, first.sender) == 2


@pytest.mark.parametrize("place", [BUFFERS_END - 32, BUFFERS_END - 36])
def test_a_peer_that_cannot_be_read_is_invalid_data(rig: KernelRig, place: int) -> None:
    channel = rig.channel()
    appoint(rig, channel.sender)
    channel.sender.memory.write(place, header(channel.to))
    assert channel.sender.trap("mach_msg_trap", place, SEND | SEND_PEER, 32) == MsgReturn.SEND_INVALID_DATA
    assert channel.receiver.poll(channel.port) is None


def test_a_peer_that_cannot_be_read_does_nothing(rig: KernelRig) -> None:
    channel = rig.channel()
    sender = channel.sender
    appoint(rig, sender)
    octets = message(channel.to, port_item(sender.port(), MAKE_SEND), remote_use=MOVE_SEND)
    place = BUFFERS_END - len(octets)
    sender.memory.write(place, octets)
    with rig.unchanged():
        assert sender.trap("mach_msg_trap", place, SEND | SEND_PEER, len(octets)) == MsgReturn.SEND_INVALID_DATA
