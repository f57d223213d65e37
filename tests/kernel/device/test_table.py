"""Opening and closing devices by name (mach-abi.md 11.1, 11.3)."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, Right
from machemu.kernel.results import DeviceReturn, MsgReturn
from tests.support.rig import Actor, KernelRig, header

OPEN, OPEN_NEW, CLOSE, GET_STATUS = 2800, 2806, 2801, 2811
GET_SIZE = 0


def master(rig: KernelRig, actor: Actor | None = None) -> int:
    return rig.name_of(actor or rig.actor, rig.kernel.device_master)


def open_device(rig: KernelRig, name: bytes, actor: Actor | None = None, ident: int = OPEN) -> tuple[int, int]:
    """The code and the device's name in the actor's space."""
    code, results = (actor or rig.actor).rpc(master(rig, actor), ident, 3, name)
    return code, int(results[0]) if results else 0


@pytest.mark.parametrize("ident", [OPEN, OPEN_NEW])
@pytest.mark.parametrize("name", [b"console", b"hd0", b"eth0", b"eth0q1", b"crypto0c0"])
def test_a_device_is_opened_by_its_name(rig: KernelRig, name: bytes, ident: int) -> None:
    code, device = open_device(rig, name, ident=ident)
    assert code == 0
    assert rig.space.entries[device].port.kernel_object.name == name.decode()


@pytest.mark.parametrize("name", [b"", b"hd1", b"hd0s1", b"eth0q2", b"eth1", b"q0", b"console0", b"eth0 q0",
                                  b"\xff\xfe", b"x" * 127])
def test_there_is_no_such_device(rig: KernelRig, name: bytes) -> None:
    privileged = master(rig)
    with rig.unchanged():
        assert rig.actor.rpc(privileged, OPEN, 3, name)[0] == DeviceReturn.NO_SUCH_DEVICE


@pytest.mark.req("A-M08")
def test_devices_are_opened_on_the_master_port_only(rig: KernelRig) -> None:
    for port in (rig.actor.self_name, rig.trap("mach_host_self"), rig.host_privileged(rig.actor),
                 open_device(rig, b"console")[1]):
        assert rig.actor.rpc(port, OPEN, 3, b"console")[0] == DeviceReturn.INVALID_OPERATION


@pytest.mark.parametrize("name", [b"console", b"hd0"])
def test_opening_again_counts_and_gives_the_same_port(rig: KernelRig, name: bytes) -> None:
    other = rig.another()
    _, first = open_device(rig, name)
    assert open_device(rig, name) == (0, first)
    assert rig.space.references(first, Right.SEND) == 2
    _, theirs = open_device(rig, name, other)
    assert other.space.entries[theirs].port is rig.space.entries[first].port
    for _ in range(2):
        assert rig.actor.rpc(first, CLOSE) == (0, ())
    assert other.rpc(theirs, GET_STATUS, GET_SIZE, 2)[0] == 0, "one opener is left"
    assert other.rpc(theirs, CLOSE) == (0, ())
    assert rig.actor.names()[first] == (DEAD_NAME, 2), "the last one closes it"
    assert rig.actor.send(header(first, ident=CLOSE)) == MsgReturn.SEND_INVALID_DEST
    assert open_device(rig, name)[0] == 0


def test_losing_all_send_rights_closes_nothing(rig: KernelRig) -> None:
    _, device = open_device(rig, b"console")
    rig.space.destroy_name(device)
    _, again = open_device(rig, b"console")
    rig.actor.rpc(again, CLOSE)
    assert rig.actor.rpc(again, GET_STATUS, GET_SIZE, 2)[0] == 0


@pytest.mark.parametrize("name", [b"eth0", b"eth0q0", b"crypto0c1"])
def test_a_mapped_device_has_one_opener(rig: KernelRig, name: bytes) -> None:
    other = rig.another()
    _, device = open_device(rig, name)
    for actor in (rig.actor, other):
        assert open_device(rig, name, actor) == (DeviceReturn.ALREADY_OPEN, 0)
    assert rig.actor.rpc(device, CLOSE) == (0, ())
    assert open_device(rig, name, other)[0] == 0


def test_units_of_one_device_are_opened_apart(rig: KernelRig) -> None:
    other = rig.another()
    assert open_device(rig, b"eth0q0")[0] == 0
    assert open_device(rig, b"eth0q1", other)[0] == 0
    assert rig.machine.nic.owners == {"q0": rig.actor.task.number, "q1": other.task.number}


def test_the_death_of_its_owner_closes_a_mapped_device(rig: KernelRig) -> None:
    owner, holder = rig.another(), rig.actor
    _, device = open_device(rig, b"eth0q0", owner)
    name = holder.space.insert(owner.space.take(device, 19))
    rig.kernel.terminate_task(owner.task, None, "test")
    assert rig.machine.nic.owners == {}
    assert holder.names()[name] == (DEAD_NAME, 1)
    assert open_device(rig, b"eth0q0")[0] == 0


def test_the_death_of_a_former_owner_closes_nothing(rig: KernelRig) -> None:
    former = rig.another()
    _, device = open_device(rig, b"eth0q0", former)
    former.rpc(device, CLOSE)
    _, mine = open_device(rig, b"eth0q0")
    rig.kernel.terminate_task(former.task, None, "test")
    assert rig.actor.rpc(mine, GET_STATUS, GET_SIZE, 2)[0] == 0
    assert rig.machine.nic.owners == {"q0": rig.actor.task.number}


def test_a_partition_is_a_device_too(rig: KernelRig) -> None:
    rig.kernel.devices.add_partition("hd0s1", "hd0", 100, 50)
    code, device = open_device(rig, b"hd0s1")
    assert code == 0
    assert rig.actor.rpc(device, GET_STATUS, GET_SIZE, 2) == (0, ([50 * 512, 512],))
