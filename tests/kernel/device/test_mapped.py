"""Mapped devices: register pages in one task's memory, interrupts as messages (mach-abi.md
11.5).  Their windows are tested in `vm/test_wiring.py`."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.hw.api import Access
from machemu.kernel.ipc.right import Right
from machemu.kernel.results import DeviceReturn, KernReturn, MsgReturn
from machemu.kernel.vm.entry import INHERIT_SHARE
from tests.support.rig import (
    BLOCKED,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    NO_NAME,
    NULL,
    PAGE,
    RCV,
    SCRATCH,
    SEND,
    UNMAPPED,
    Actor,
    Give,
    KernelRig,
    header,
    message,
    region_item,
    word_item,
)

CLOSE, READ, WRITE_INBAND, MAP, SET_STATUS, GET_STATUS, VM_MAP = 2801, 2804, 2803, 2809, 2810, 2811, 2089
INTERRUPT_PORT: Final = 0x6D_0001  # flavor of set_status
INTERRUPT_ID: Final = 100
PLACE: Final = UNMAPPED
BUS_PAGE: Final = 0x10001  # of the fake's q0
READ_WRITE: Final = 3
INVALID_SIZE: Final = DeviceReturn.INVALID_SIZE


@pytest.fixture
def device(rig: KernelRig) -> int:
    return rig.name_of(rig.actor, rig.kernel.devices.open("eth0q0", rig.actor.task))


def registers(rig: KernelRig, device: int) -> int:
    """The memory object of the registers; its name."""
    code, (pager,) = rig.actor.rpc(device, MAP, READ_WRITE, 0, PAGE, 0)
    assert code == 0
    return int(pager)


def map_registers(rig: KernelRig, pager: int, **changed: int) -> int:
    """vm_map at PLACE; its code."""
    arguments = {"address": PLACE, "size": PAGE, "mask": 0, "anywhere": 0, "pager": Give(pager, COPY_SEND),
                 "offset": 0, "copy": 0, "protection": READ_WRITE, "maximum": READ_WRITE, "inherit": 1}
    return rig.actor.rpc(rig.actor.self_name, VM_MAP, *(arguments | changed).values())[0]


def touch(rig: KernelRig, actor: Actor, access: Access = Access.WRITE) -> int | None:
    """The guest reaches PLACE; the bus page it gets, None if it gets none."""
    rig.run(actor)
    rig.kernel.page_fault(PLACE, access)
    rig.check()
    return actor.memory.space.devices.get(PLACE // PAGE)  # type: ignore[attr-defined]


def test_registers_are_mapped_where_they_were_asked_for(rig: KernelRig, device: int) -> None:
    frames = rig.kernel.pool.used
    assert map_registers(rig, registers(rig, device)) == 0
    assert touch(rig, rig.actor) == BUS_PAGE
    assert rig.kernel.pool.used == frames
    rig.actor.memory.deallocate(PLACE, PAGE)
    assert PLACE // PAGE not in rig.actor.memory.space.devices


def test_the_memory_object_is_the_same_each_time(rig: KernelRig, device: int) -> None:
    first = registers(rig, device)
    assert registers(rig, device) == first
    assert rig.space.references(first, Right.SEND) == 2


def test_the_trap_maps_registers_too(rig: KernelRig, device: int) -> None:
    pager = registers(rig, device)
    rig.actor.memory.write(SCRATCH, PLACE.to_bytes(8, "little"))
    assert rig.actor.trap_vm_map(rig.actor.self_name, SCRATCH, PAGE, 0, 0, pager, 0, 0, 3, 3, 1) == 0
    assert touch(rig, rig.actor) == BUS_PAGE


@pytest.mark.parametrize(("changed", "code"), [
    ({"size": 2 * PAGE}, KernReturn.INVALID_ARGUMENT), ({"offset": PAGE}, KernReturn.INVALID_ARGUMENT),
    ({"copy": 1}, KernReturn.INVALID_ARGUMENT), ({"size": 0}, KernReturn.INVALID_ARGUMENT),
    ({"address": 0x20000}, KernReturn.NO_SPACE)])
def test_maps_of_registers_that_are_refused(rig: KernelRig, device: int, changed: dict[str, int], code: int) -> None:
    pager = registers(rig, device)
    with rig.unchanged():
        assert map_registers(rig, pager, **changed) == code


@pytest.mark.parametrize(("offset", "size", "code"), [
    (PAGE, PAGE, INVALID_SIZE), (0, PAGE + 1, INVALID_SIZE), (1, 1, INVALID_SIZE), (2**63, PAGE, INVALID_SIZE),
    (0, 2**62, INVALID_SIZE), (0, 1, 0), (0, 2**64 - 1, INVALID_SIZE)])
def test_a_device_has_one_page_of_registers(rig: KernelRig, device: int, offset: int, size: int, code: int) -> None:
    assert rig.actor.rpc(device, MAP, READ_WRITE, offset, size, 0)[0] == code


def test_registers_are_no_memory_for_messages(rig: KernelRig, device: int) -> None:
    actor = rig.actor
    assert map_registers(rig, registers(rig, device)) == 0
    touch(rig, actor)
    _, to, _, port = rig.channel()
    mine = actor.port()
    actor.send(header(mine, remote_use=MAKE_SEND))
    assert actor.trap("mach_msg_trap", PLACE, SEND, 32) == MsgReturn.SEND_INVALID_DATA
    assert actor.trap("mach_msg_trap", PLACE, RCV, 0, 64, mine) == MsgReturn.RCV_INVALID_DATA
    for octets in (8, PAGE):
        assert actor.send(message(to, region_item(PLACE, octets))) == MsgReturn.SEND_INVALID_MEMORY
    actor.memory.allocate(PLACE + PAGE, 4 * PAGE, False)
    assert actor.send(message(to, region_item(PLACE, 5 * PAGE))) == MsgReturn.SEND_INVALID_MEMORY
    assert port


def test_a_child_has_registers_only_if_they_are_shared(rig: KernelRig, device: int) -> None:
    actor = rig.actor
    assert map_registers(rig, registers(rig, device)) == 0
    child = Actor(rig, rig.kernel.create_task(actor.task, inherit_memory=True))
    assert child.memory.entry_at(PLACE) is None
    actor.memory.inherit(PLACE, PAGE, INHERIT_SHARE)
    child = Actor(rig, rig.kernel.create_task(actor.task, inherit_memory=True))
    assert touch(rig, child) == BUS_PAGE


def test_registers_mapped_for_reading(rig: KernelRig, device: int) -> None:
    assert map_registers(rig, registers(rig, device), protection=1, maximum=1) == 0
    assert touch(rig, rig.actor, Access.READ) == BUS_PAGE
    assert rig.actor.memory.region(PLACE).protection == 1


@pytest.mark.parametrize("touched", [False, True])
def test_closing_takes_the_registers_back(rig: KernelRig, device: int, touched: bool) -> None:
    """Whoever opens the unit next is alone with it."""
    other = rig.another()
    pager = registers(rig, device)
    assert map_registers(rig, pager) == 0
    if touched:
        touch(rig, rig.actor)
    rig.actor.rpc(device, CLOSE)
    assert PLACE // PAGE not in rig.actor.memory.space.devices
    assert rig.kernel.devices.open("eth0q0", other.task) is not None
    assert touch(rig, rig.actor) is None
    assert not rig.actor.task.alive


def test_the_memory_object_of_a_closed_device_is_dead(rig: KernelRig, device: int) -> None:
    pager = registers(rig, device)
    rig.actor.rpc(device, CLOSE)
    assert map_registers(rig, pager) == 0, "as any dead name: zeros"
    assert rig.actor.load(PLACE, 4) == bytes(4)
    rig.kernel.devices.open("eth0q0", rig.actor.task)


def test_a_task_that_ends_gives_its_registers_up(rig: KernelRig) -> None:
    """And the device, closed with its owner, no longer knows the map that is gone."""
    owner = rig.another()
    device = rig.name_of(owner, rig.kernel.devices.open("eth0q0", owner.task))
    code, (pager,) = owner.rpc(device, MAP, READ_WRITE, 0, PAGE, 0)
    assert code == 0
    owner.call(VM_MAP, PLACE, PAGE, 0, 0, Give(int(pager), COPY_SEND), 0, 0, READ_WRITE, READ_WRITE, 1)
    assert touch(rig, owner) == BUS_PAGE
    rig.kernel.terminate_task(owner.task, None, "test")
    rig.check()
    assert rig.machine.nic.owners == {}


# -- interrupts -----------------------------------------------------------------------------------


def interrupts_to(rig: KernelRig, device: int) -> int:
    """A port that the device's interrupts come to."""
    port = rig.actor.port()
    rig.space.insert(rig.space.take(port, MAKE_SEND))
    assert rig.actor.rpc(device, SET_STATUS, INTERRUPT_PORT, [port]) == (0, ())
    return port


def test_an_interrupt_is_a_message(rig: KernelRig, device: int) -> None:
    port = interrupts_to(rig, device)
    assert rig.space.references(port, Right.SEND) == 1, "the caller keeps its right"
    line = rig.machine.nic.lines["q0"]
    line.fire()
    found = rig.actor.take(port)
    assert (found.ident, found.size, found.local_use, found.remote) == (INTERRUPT_ID, 48, MOVE_SEND, NULL)
    assert found.body == word_item(line.number)
    rig.machine.nic.lines["q1"].fire()
    assert rig.actor.poll(port) is None, "of its own unit only"


def test_an_interrupt_wakes_who_waits_for_it(rig: KernelRig, device: int) -> None:
    port = interrupts_to(rig, device)
    the_set = rig.actor.port(Right.PORT_SET)
    rig.actor.call(3213, port, the_set)
    assert rig.actor.receive(the_set) == BLOCKED
    rig.machine.nic.lines["q0"].fire()
    assert rig.actor.result() == 0
    assert rig.actor.received().ident == INTERRUPT_ID


def test_without_a_port_an_interrupt_goes_nowhere(rig: KernelRig, device: int) -> None:
    with rig.unchanged():
        rig.machine.nic.lines["q0"].fire()


def test_a_new_port_takes_the_old_ones_place(rig: KernelRig, device: int) -> None:
    first, second = interrupts_to(rig, device), interrupts_to(rig, device)
    rig.machine.nic.lines["q0"].fire()
    assert rig.actor.poll(first) is None
    assert rig.actor.take(second).ident == INTERRUPT_ID
    assert rig.space.entries[first].port.send_rights == 1


def test_an_interrupt_port_may_die(rig: KernelRig, device: int) -> None:
    port = interrupts_to(rig, device)
    rig.space.destroy_name(port)
    rig.machine.nic.lines["q0"].fire()
    rig.check()
    port = interrupts_to(rig, device)
    rig.machine.nic.lines["q0"].fire()
    assert rig.actor.take(port).ident == INTERRUPT_ID


@pytest.mark.parametrize("end", ["closed", "owner ends"])
def test_a_closed_device_interrupts_no_more(rig: KernelRig, end: str) -> None:
    owner = rig.another()
    device = rig.name_of(owner, rig.kernel.devices.open("eth0q0", owner.task))
    port = rig.actor.port()
    name = rig.give(rig.actor, port, owner)
    assert owner.rpc(device, SET_STATUS, INTERRUPT_PORT, [name])[0] == 0
    if end == "closed":
        owner.rpc(device, CLOSE)
    else:
        rig.kernel.terminate_task(owner.task, None, "test")
    rig.machine.nic.lines["q0"].fire()
    assert rig.actor.poll(port) is None
    assert rig.space.entries[port].port.send_rights == (end == "closed")


@pytest.mark.parametrize(("words", "code"), [
    ([], DeviceReturn.INVALID_SIZE), ([1, 2], DeviceReturn.INVALID_SIZE), ([NO_NAME], KernReturn.INVALID_NAME),
    ([NULL], KernReturn.INVALID_NAME), ([DEAD], KernReturn.INVALID_NAME)])
def test_interrupt_ports_that_are_refused(rig: KernelRig, device: int, words: list[int], code: int) -> None:
    with rig.unchanged():
        assert rig.actor.rpc(device, SET_STATUS, INTERRUPT_PORT, words)[0] == code


@pytest.mark.parametrize("kind", ["receive", "send-once", "dead name", "port set"])
def test_an_interrupt_port_is_a_send_right(rig: KernelRig, device: int, kind: str) -> None:
    name = rig.names_of_every_kind(rig.actor)[kind]
    before = rig.actor.names()
    code, _ = rig.actor.rpc(device, SET_STATUS, INTERRUPT_PORT, [name])
    assert code == (KernReturn.INVALID_CAPABILITY if kind == "dead name" else KernReturn.INVALID_RIGHT)
    assert rig.actor.names() == before


def test_what_a_mapped_device_does_not_do(rig: KernelRig, device: int) -> None:
    actor = rig.actor
    assert actor.rpc(device, GET_STATUS, 0, 2) == (0, ([PAGE, PAGE],))
    assert actor.rpc(device, GET_STATUS, 1, 2)[0] == DeviceReturn.INVALID_OPERATION
    assert actor.rpc(device, SET_STATUS, 5, [1])[0] == DeviceReturn.INVALID_OPERATION
    assert actor.rpc(device, READ, 0, 0, 10)[0] == DeviceReturn.INVALID_OPERATION
    assert actor.rpc(device, WRITE_INBAND, 0, 0, b"x")[0] == DeviceReturn.INVALID_OPERATION


def test_a_send_once_right_to_the_interrupt_port_does_no_harm(rig: KernelRig, device: int) -> None:
    port = interrupts_to(rig, device)
    rig.space.destroy_name(rig.space.insert(rig.space.take(port, MAKE_SEND_ONCE)))
    rig.machine.nic.lines["q0"].fire()
    assert [rig.actor.take(port).ident for _ in range(2)] == [71, INTERRUPT_ID]
