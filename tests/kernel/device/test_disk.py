"""Disks and partitions: whole sectors, answered when the device is done (mach-abi.md 11.1)."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.results import DeviceReturn
from tests.support.rig import (
    COPY_SEND,
    MAKE_SEND_ONCE,
    PAGE,
    UNMAPPED,
    Actor,
    At,
    KernelRig,
    header,
)

CLOSE, WRITE, WRITE_INBAND, READ, READ_INBAND, MAP, SET_STATUS, GET_STATUS = (
    2801, 2802, 2803, 2804, 2805, 2809, 2810, 2811)
SECTOR: Final = 512
SECTORS: Final = 4096  # of the fake disk
PART_FIRST, PART_SECTORS = 100, 50
DONE_NS: Final = 1000


@pytest.fixture
def disk(rig: KernelRig) -> int:
    for sector in range(SECTORS):
        rig.machine.disk.contents[sector * SECTOR:sector * SECTOR + 2] = sector.to_bytes(2, "little")
    return rig.name_of(rig.actor, rig.kernel.devices.open("hd0", rig.actor.task))


@pytest.fixture
def partition(rig: KernelRig, disk: int) -> int:
    rig.kernel.devices.add_partition("hd0s1", "hd0", PART_FIRST, PART_SECTORS)
    return rig.name_of(rig.actor, rig.kernel.devices.open("hd0s1", rig.actor.task))


def start(actor: Actor, device: int, ident: int, *arguments: object) -> int:
    """Send a request; the name of its reply port."""
    reply = actor.port()
    body, complex_ = actor.request_body(ident, *arguments)
    octets = header(device, reply, COPY_SEND, MAKE_SEND_ONCE, ident, 32 + len(body), complex_) + body
    assert actor.send(octets) == 0
    return reply


def read(rig: KernelRig, device: int, record: int, octets: int) -> bytes:
    reply = start(rig.actor, device, READ, 0, record, octets)
    assert rig.actor.poll(reply) is None, "not before the device is done"
    rig.pass_time(DONE_NS)
    found = rig.actor.take(reply)
    assert (found.code, found.ident) == (0, READ + 100)
    data = rig.actor.load(found.word(24), octets)
    assert data is not None
    rig.actor.memory.deallocate(found.word(24), octets)
    return data


@pytest.mark.parametrize(("record", "octets"), [(0, SECTOR), (7, PAGE), (1, 3 * SECTOR), (SECTORS - 1, SECTOR),
                                                (10, 5 * PAGE + SECTOR), (0, 1 << 20)])
def test_sectors_are_read(rig: KernelRig, disk: int, record: int, octets: int) -> None:
    frames = rig.kernel.pool.used
    data = read(rig, disk, record, octets)
    assert data == rig.machine.disk.contents[record * SECTOR:record * SECTOR + octets]
    assert rig.kernel.pool.used == frames, "what it was transferred through is free again"


def test_a_read_in_the_message(rig: KernelRig, disk: int) -> None:
    """128 octets at most, which is no whole sector."""
    assert rig.actor.rpc(disk, READ_INBAND, 0, 0, SECTOR)[0] == DeviceReturn.INVALID_SIZE


@pytest.mark.parametrize(("record", "octets"), [(3, SECTOR), (8, 2 * PAGE), (0, 5 * PAGE + SECTOR)])
def test_sectors_are_written(rig: KernelRig, disk: int, record: int, octets: int) -> None:
    rig.actor.memory.allocate(UNMAPPED, 8 * PAGE, False)
    rig.actor.store(UNMAPPED, b"w" * octets)
    before = bytes(rig.machine.disk.contents)
    reply = start(rig.actor, disk, WRITE, 0, record, At(UNMAPPED, octets))
    rig.actor.store(UNMAPPED, b"late" * (octets // 4))
    rig.pass_time(DONE_NS)
    found = rig.actor.take(reply)
    assert (found.code, found.word(24) & 0xFFFF_FFFF) == (0, octets)
    start_octet = record * SECTOR
    assert bytes(rig.machine.disk.contents) == (
        before[:start_octet] + b"w" * octets + before[start_octet + octets:])


@pytest.mark.parametrize(("record", "octets", "code"), [
    (0, 0, DeviceReturn.INVALID_SIZE), (0, 100, DeviceReturn.INVALID_SIZE), (0, SECTOR + 1, DeviceReturn.INVALID_SIZE),
    (0, -SECTOR, DeviceReturn.INVALID_SIZE), (0, (1 << 20) + SECTOR, DeviceReturn.INVALID_SIZE),
    (0, 2**31 - SECTOR, DeviceReturn.INVALID_SIZE),
    (SECTORS, SECTOR, DeviceReturn.INVALID_RECNUM), (SECTORS - 1, 2 * SECTOR, DeviceReturn.INVALID_RECNUM),
    (2**63 - 1, SECTOR, DeviceReturn.INVALID_RECNUM),
    (2**63, SECTOR, DeviceReturn.INVALID_RECNUM),
    (2**64 - 1, SECTOR, DeviceReturn.INVALID_RECNUM)])
def test_what_cannot_be_read(rig: KernelRig, disk: int, record: int, octets: int, code: int) -> None:
    with rig.unchanged():
        assert rig.actor.rpc(disk, READ, 0, record, octets)[0] == code


@pytest.mark.parametrize(("record", "octets", "code"), [
    (0, 100, DeviceReturn.INVALID_SIZE), (SECTORS, SECTOR, DeviceReturn.INVALID_RECNUM),
    (SECTORS - 1, PAGE, DeviceReturn.INVALID_RECNUM)])
def test_what_cannot_be_written(rig: KernelRig, disk: int, record: int, octets: int, code: int) -> None:
    before = bytes(rig.machine.disk.contents)
    with rig.unchanged():
        assert rig.actor.rpc(disk, WRITE, 0, record, At(0x20000, octets))[0] == code
        assert rig.actor.rpc(disk, WRITE, 0, record, At(0, 0))[0] == DeviceReturn.INVALID_SIZE
        assert rig.actor.rpc(disk, WRITE_INBAND, 0, record, b"x" * 100)[0] == DeviceReturn.INVALID_SIZE
    assert bytes(rig.machine.disk.contents) == before


def test_a_partition_begins_where_it_begins(rig: KernelRig, partition: int) -> None:
    assert read(rig, partition, 3, SECTOR)[:2] == (PART_FIRST + 3).to_bytes(2, "little")


@pytest.mark.parametrize("record", [PART_SECTORS, PART_SECTORS - 1, SECTORS,
                                    2**64 - 1, 2**64 - 100])
def test_nothing_outside_a_partition_can_be_reached(rig: KernelRig, partition: int, record: int) -> None:
    before = bytes(rig.machine.disk.contents)
    with rig.unchanged():
        assert rig.actor.rpc(partition, READ, 0, record, 2 * SECTOR)[0] == DeviceReturn.INVALID_RECNUM
        assert rig.actor.rpc(partition, WRITE, 0, record, At(0x20000, 2 * SECTOR))[0] == DeviceReturn.INVALID_RECNUM
    rig.pass_time(DONE_NS)
    assert bytes(rig.machine.disk.contents) == before


@pytest.mark.parametrize("ident", [READ, WRITE])
def test_a_broken_disk_is_an_io_error(rig: KernelRig, disk: int, ident: int) -> None:
    rig.machine.disk.fail = True
    frames = rig.kernel.pool.used
    reply = start(rig.actor, disk, ident, 0, 0, SECTOR if ident == READ else At(0x20000, SECTOR))
    rig.pass_time(DONE_NS)
    assert rig.actor.take(reply).code == DeviceReturn.IO_ERROR
    assert rig.kernel.pool.used == frames


def test_many_requests_at_once(rig: KernelRig, disk: int) -> None:
    replies = [start(rig.actor, disk, READ, 0, sector, SECTOR) for sector in range(8)]
    rig.pass_time(DONE_NS)
    for sector, reply in enumerate(replies):
        found = rig.actor.take(reply)
        assert rig.actor.load(found.word(24), 2) == sector.to_bytes(2, "little")


@pytest.mark.parametrize("how", ["reply port dies", "task dies"])
def test_a_reader_that_is_gone_loses_only_its_reply(rig: KernelRig, disk: int, how: str) -> None:
    other = rig.another()
    theirs = rig.name_of(other, rig.kernel.devices.open("hd0", other.task))
    frames = rig.kernel.pool.used
    reply = start(other, theirs, READ, 0, 0, 2 * PAGE)
    if how == "task dies":
        rig.kernel.terminate_task(other.task, None, "test")
    else:
        other.space.destroy_name(reply)
    rig.pass_time(DONE_NS)
    assert rig.kernel.pool.used == frames - (33 if how == "task dies" else 0)


def test_a_closed_disk_still_answers_what_it_owes(rig: KernelRig, disk: int) -> None:
    reply = start(rig.actor, disk, READ, 0, 5, SECTOR)
    assert rig.actor.rpc(disk, CLOSE) == (0, ())
    rig.pass_time(DONE_NS)
    assert rig.actor.take(reply).code == 0


def test_status(rig: KernelRig, disk: int) -> None:
    assert rig.actor.rpc(disk, GET_STATUS, 0, 2) == (0, ([SECTORS * SECTOR, SECTOR],))
    assert rig.actor.rpc(disk, GET_STATUS, 1, 1024) == (0, ([SECTORS, SECTOR],))
    for room in (0, 1):
        assert rig.actor.rpc(disk, GET_STATUS, 0, room)[0] == DeviceReturn.INVALID_SIZE
    assert rig.actor.rpc(disk, GET_STATUS, 2, 1024)[0] == DeviceReturn.INVALID_OPERATION
    assert rig.actor.rpc(disk, SET_STATUS, 0, [1, 2])[0] == DeviceReturn.INVALID_OPERATION
    assert rig.actor.rpc(disk, MAP, 3, 0, PAGE, 0)[0] == DeviceReturn.INVALID_OPERATION
