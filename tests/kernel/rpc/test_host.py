"""Calls on the host, the bootstrap port and machemu's own: `port_owner`, `boot_info`,
`set_network_server` (mach-abi.md 6.3, 6.12, 6.13)."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.ipc.right import SEND, Right
from machemu.kernel.results import KernReturn
from machemu.kernel.rpc.host import BootInfo
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MOVE_RECEIVE,
    MOVE_SEND,
    NULL,
    Give,
    KernelRig,
    message,
    port_item,
)

GET_TIME, GET_TIME64, REBOOT, VERSION, PRIVILEGED_PORTS = 2634, 2643, 2635, 2646, 1_000_000
PORT_OWNER, BOOT_INFO, SET_NETWORK_SERVER = 4600, 4602, 4603
TASK, KERNEL, IN_TRANSIT = 1, 2, 3
SECOND: Final = 1_000_000_000


@pytest.mark.parametrize("privileged", [False, True])
def test_time_in_two_units(rig: KernelRig, privileged: bool) -> None:
    host = rig.host_privileged(rig.actor) if privileged else rig.trap("mach_host_self")
    rig.kernel.time_at_boot_ns = 1_700_000_000 * SECOND
    rig.pass_time(3 * SECOND + 1_234_567)
    assert rig.actor.rpc(host, GET_TIME) == (0, ((1_700_000_003, 1234),))
    assert rig.actor.rpc(host, GET_TIME64) == (0, ((1_700_000_003, 1_234_567),))


def test_the_version_is_a_string(rig: KernelRig) -> None:
    code, (text,) = rig.actor.rpc(rig.trap("mach_host_self"), VERSION)
    assert code == 0
    assert text.startswith(b"machemu")


@pytest.mark.req("A-M08")
@pytest.mark.parametrize(("options", "reboot"), [(0x08, False), (0, True), (0x1000, True)])
def test_only_the_privileged_host_port_switches_off(rig: KernelRig, options: int, reboot: bool) -> None:
    assert rig.actor.rpc(rig.trap("mach_host_self"), REBOOT, options)[0] == KernReturn.INVALID_HOST
    assert rig.machine.halted is None
    assert rig.actor.rpc(rig.host_privileged(rig.actor), REBOOT, options)[0] == 0
    assert rig.machine.halted is reboot


def test_the_bootstrap_port_gives_the_privileged_ports(rig: KernelRig) -> None:
    name = rig.name_of(rig.actor, rig.kernel.bootstrap)
    _, (host, master) = rig.actor.rpc(name, PRIVILEGED_PORTS)
    assert rig.space.entries[host].port is rig.kernel.host_privileged.port
    assert rig.space.entries[master].port is rig.kernel.device_master.port
    assert rig.actor.names()[host] == (SEND, 1)


# -- port_owner --------------------------------------------------------------------------------------


def owner(rig: KernelRig, right: object) -> tuple[int, tuple[object, ...]]:
    return rig.actor.rpc(rig.host_privileged(rig.actor), PORT_OWNER, right)


def test_the_owner_of_a_port_is_the_task_that_receives_from_it(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    name = rig.give(receiver, port, sender)
    references = sender.space.references(name, Right.SEND)
    assert owner(rig, Give(to, MOVE_SEND)) == (0, (receiver.task.number, TASK))
    assert sender.space.references(name, Right.SEND) == references - 1, "the right is consumed"
    mine = sender.port()
    assert owner(rig, Give(mine, MAKE_SEND)) == (0, (sender.task.number, TASK))
    assert sender.space.entries[mine].port.send_rights == 0


def test_the_owner_of_a_kernel_port_is_the_kernel(rig: KernelRig) -> None:
    for name in (rig.actor.self_name, rig.trap("mach_thread_self"), rig.trap("mach_host_self")):
        assert owner(rig, Give(name, COPY_SEND)) == (0, (0, KERNEL))


def test_nobody_owns_a_port_in_transit(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    mine = sender.port()
    name = rig.give(sender, mine, sender)
    sender.send(message(to, port_item(mine, MOVE_RECEIVE)))
    assert owner(rig, Give(name, COPY_SEND)) == (0, (0, IN_TRANSIT))
    receiver.take(port)
    assert owner(rig, Give(name, COPY_SEND)) == (0, (receiver.task.number, TASK))


@pytest.mark.parametrize("right", [None, Give(DEAD, COPY_SEND), "dead name"])
def test_null_and_dead_rights_have_no_owner(rig: KernelRig, right: object) -> None:
    given = Give(rig.actor.port(Right.DEAD_NAME), COPY_SEND) if right == "dead name" else right
    assert owner(rig, given)[0] == KernReturn.INVALID_CAPABILITY


@pytest.mark.req("A-M08")
def test_only_the_privileged_host_port_tells_owners(rig: KernelRig) -> None:
    mine = rig.actor.port()
    code, _ = rig.actor.rpc(rig.trap("mach_host_self"), PORT_OWNER, Give(mine, MAKE_SEND))
    assert code == KernReturn.INVALID_HOST
    assert rig.space.entries[mine].port.send_rights == 0


# -- boot_info, set_network_server ----------------------------------------------------------------------


def test_boot_info_is_64_octets(rig: KernelRig) -> None:
    rig.kernel.boot_info = BootInfo(node=7, epoch=9, ram=2**33, code_bytes_per_second=5, harts=1, flags=0x103,
                                    platform=bytes(range(32)))
    _, (octets,) = rig.actor.rpc(rig.trap("mach_host_self"), BOOT_INFO)
    assert octets == struct.pack("<IIQQII", 7, 9, 2**33, 5, 1, 0x103) + bytes(range(32))


@pytest.mark.parametrize("what", ["null", "dead", "host", "thread", "plain port", "ended task"])
def test_the_network_server_is_a_task(rig: KernelRig, what: str) -> None:
    privileged = rig.host_privileged(rig.actor)
    other = rig.another()
    ended = rig.name_of(rig.actor, other.task)
    rig.kernel.terminate_task(other.task, None, "test")
    mine = rig.actor.port()
    rig.space.insert(rig.space.take(mine, MAKE_SEND))
    name = {"null": NULL, "dead": DEAD, "host": rig.trap("mach_host_self"), "thread": rig.trap("mach_thread_self"),
            "plain port": mine, "ended task": ended}[what]
    right = Give(name, COPY_SEND) if name else None
    with rig.unchanged():
        assert rig.actor.rpc(privileged, SET_NETWORK_SERVER, right)[0] == KernReturn.INVALID_TASK


@pytest.mark.req("A-M08")
def test_only_the_privileged_host_port_names_the_network_server(rig: KernelRig) -> None:
    right = Give(rig.actor.self_name, COPY_SEND)
    assert rig.actor.rpc(rig.trap("mach_host_self"), SET_NETWORK_SERVER, right)[0] == KernReturn.INVALID_HOST
    privileged = rig.host_privileged(rig.actor)
    assert [rig.actor.rpc(privileged, SET_NETWORK_SERVER, right)[1] for _ in range(3)] == [(0,), (1,), (2,)]
