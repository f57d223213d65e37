"""The disk: what is read is what was written, and a crash loses nothing that was flushed."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any, Final, final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.errors import ConfigError
from machemu.hw.api import PAGE_SIZE
from machemu.hw.devices.disk import COMMAND_NS, FLUSH_NS, NS_PER_OCTET, OCTETS_MAX
from machemu.hw.memory import RAM_BASE
from machemu.hw.sectors import SECTOR, Sectors
from tests.hw.devices.drivers import SMALL, Registers, disk_of, whole
from tests.hw.examples import examples
from tests.hw.guests import Rig

IMAGE: Final = b"".join(bytes([n]) * SECTOR for n in range(40))
DONE, FAILED = 1, 2  # status of a command
COMPLETED, RING_BAD = 1, 2  # interrupt status


@final
class Client:
    """The kernel, as it uses a disk."""

    def __init__(self, **options: Any) -> None:
        self.rig = Rig(SMALL, **({"disk": IMAGE} | options))
        self.disk = disk_of(self.rig)
        self.frames = tuple(self.rig.frame() for _ in range(4))

    def submit(self, operation: str, sector: int = 0, octets: int = 0, frames: tuple[int, ...] | None = None
               ) -> list[bool]:
        """The list gets the outcome when there is one."""
        outcome: list[bool] = []
        self.disk.submit(operation, sector, self.frames if frames is None else frames, octets, outcome.append)
        return outcome

    def do(self, operation: str, sector: int = 0, octets: int = 0) -> bool:
        outcome = self.submit(operation, sector, octets)
        self.rig.settle()
        (ok,) = outcome
        return ok

    def read(self, sector: int, octets: int) -> bytes | None:
        """None: the disk failed."""
        if not self.do("read", sector, octets):
            return None
        ram = self.rig.memory.data
        return b"".join(bytes(ram[frame * PAGE_SIZE:(frame + 1) * PAGE_SIZE]) for frame in self.frames)[:octets]

    def write(self, sector: int, octets: bytes) -> bool:
        for index in range(0, len(octets), PAGE_SIZE):
            part = octets[index:index + PAGE_SIZE]
            start = self.frames[index // PAGE_SIZE] * PAGE_SIZE
            self.rig.memory.data[start:start + len(part)] = part
        return self.do("write", sector, len(octets))


def sector(octet: int, count: int = 1) -> bytes:
    return bytes([octet]) * SECTOR * count


# -- the way of the kernel ----------------------------------------------------------------


def test_disk_holds_its_image() -> None:
    client = Client()
    assert client.disk.sectors == 40
    assert client.read(3, 2 * SECTOR) == sector(3) + sector(4)
    assert client.read(10, 20 * SECTOR) == IMAGE[10 * SECTOR:30 * SECTOR]  # in three pages and a part


def test_what_was_written_is_read_with_or_without_a_flush() -> None:
    client = Client()
    assert client.write(5, sector(0xAA) + sector(0xBB))
    assert client.read(4, 4 * SECTOR) == sector(4) + sector(0xAA) + sector(0xBB) + sector(7)
    assert client.do("flush")
    assert client.write(6, sector(0))
    assert client.read(5, 2 * SECTOR) == sector(0xAA) + sector(0)


def test_frames_need_not_be_neighbours_or_in_order() -> None:
    client = Client()
    low, high = sorted(client.frames)[0], sorted(client.frames)[-1]
    client.frames = (high, low)
    assert client.read(0, 16 * SECTOR) == IMAGE[:16 * SECTOR]


def test_crash_loses_nothing_that_was_flushed_and_nothing_else_survives() -> None:
    before = Client()
    before.write(1, sector(0x11))
    before.do("flush")
    before.write(2, sector(0x22))  # not flushed
    before.write(1, sector(0x33))  # nor this
    after = Client(overlay=before.rig.machine.overlays["hd0"])
    assert after.read(1, 2 * SECTOR) == sector(0x11) + sector(2)


def test_flush_covers_what_was_written_before_it_and_no_later_write() -> None:
    client = Client()
    start = client.frames[0] * PAGE_SIZE
    client.rig.memory.data[start:start + SECTOR] = sector(0x44)
    outcomes = [client.submit(*command) for command in
                (("write", 7, SECTOR), ("flush",), ("write", 8, SECTOR))]
    client.rig.settle()
    assert outcomes == [[True]] * 3
    assert client.rig.machine.overlays == {"hd0": {7: sector(0x44)}}


def test_image_and_earlier_overlay_are_not_changed() -> None:
    image, kept = bytes(IMAGE), {3: sector(0x55)}
    client = Client(disk=image, overlay=kept)
    client.write(3, sector(0x66))
    client.do("flush")
    assert (image, kept) == (IMAGE, {3: sector(0x55)})
    assert client.read(3, SECTOR) == sector(0x66)


def test_two_machines_with_one_image_do_not_see_each_others_writes() -> None:
    first, second = Client(), Client()
    first.write(0, sector(0x77))
    first.do("flush")
    assert second.read(0, SECTOR) == sector(0)


@pytest.mark.parametrize(("number", "octets"), [(40, SECTOR), (39, 2 * SECTOR), (2**40, SECTOR), (0, 100), (0, 513)])
def test_commands_beyond_the_disk_or_of_half_sectors_fail(number: int, octets: int) -> None:
    client = Client()
    assert not client.do("read", number, octets)
    assert not client.do("write", number, octets)
    assert client.do("flush")
    assert client.rig.machine.overlays == {"hd0": {}}


def test_injected_errors_fail_what_touches_the_sector() -> None:
    client = Client()
    client.disk.disk.unwritable.add(6)
    client.disk.disk.unreadable.add(9)
    assert not client.write(4, sector(1, 3))
    assert client.read(4, 3 * SECTOR) == sector(4) + sector(5) + sector(6)  # nothing of it was done
    assert client.write(4, sector(1, 2))
    assert client.read(8, 2 * SECTOR) is None
    assert client.write(9, sector(0xEE))
    client.disk.disk.unreadable.clear()
    assert client.read(8, 2 * SECTOR) == sector(8) + sector(0xEE)


@pytest.mark.parametrize("bad", [3, 12])
def test_part_of_a_request_failing_fails_the_request(bad: int) -> None:
    client = Client()
    client.frames = client.frames[::2]  # two commands, since they are no neighbours
    client.disk.disk.unreadable.add(bad)
    assert client.read(0, 16 * SECTOR) is None
    assert client.read(bad + 1, SECTOR) == sector(bad + 1)


def test_more_commands_than_the_ring_holds_are_done_in_order() -> None:
    client = Client()
    done: list[int] = []
    for number in range(300):
        client.disk.submit("read", number % 40, client.frames[:1], SECTOR, lambda ok, n=number: done.append(n))  # type: ignore[misc]
        client.disk.check()
    assert done == []  # never inside `submit`
    client.rig.settle(10**10)
    assert done == list(range(300))


def test_request_made_when_another_is_done_is_done_too() -> None:
    client = Client()
    done: list[str] = []

    def again(ok: bool) -> None:
        done.append("first")
        client.disk.submit("read", 1, client.frames, SECTOR, lambda ok: done.append("second"))

    client.disk.submit("read", 0, client.frames, SECTOR, again)
    client.rig.settle()
    assert done == ["first", "second"]


@pytest.mark.parametrize(("operation", "octets", "cost_ns"), [
    ("read", SECTOR, COMMAND_NS + SECTOR * NS_PER_OCTET),
    ("write", 8 * SECTOR, COMMAND_NS + 8 * SECTOR * NS_PER_OCTET),
    ("flush", 0, FLUSH_NS),
])
def test_command_takes_its_time(operation: str, octets: int, cost_ns: int) -> None:
    client = Client()
    outcome = client.submit(operation, 0, octets)
    client.rig.settle(cost_ns - 1)
    assert outcome == []
    client.rig.settle(1)
    assert outcome == [True]


def test_read_into_code_is_executed_as_it_now_is() -> None:
    client = Client()
    memory = client.rig.memory
    memory.held_code[client.frames[0]] = 1
    forgotten: list[int] = []
    memory.on_invalidate(lambda address, octets: forgotten.append(address))
    client.read(0, SECTOR)
    assert forgotten == [RAM_BASE + client.frames[0] * PAGE_SIZE]


# -- the device itself --------------------------------------------------------------------


def raw(command: bytes) -> tuple[Rig, Registers, int]:
    """A disk whose ring, in a frame of ours, holds one command, and whose driver is out of the way."""
    rig = whole(disk=IMAGE)
    rig.machine.interrupts[2].attach(None)
    page = Registers(disk_of(rig).registers)
    frame = rig.frame()
    rig.memory.data[frame * PAGE_SIZE:frame * PAGE_SIZE + len(command)] = command
    page.set_wide(0x010, RAM_BASE + frame * PAGE_SIZE)
    page[0x018] = 8
    page[0x020] = 1
    return rig, page, frame


def command(operation: int, first: int, address: int, octets: int) -> bytes:
    return struct.pack("<IIQQII", operation, 0x7A6, first, address, octets, 0)


def test_registers_tell_what_it_is() -> None:
    page = Registers(disk_of(whole(disk=IMAGE)).registers)
    assert (struct.pack("<I", page[0]), page[4], page.wide(8)) == (b"HDD1", 1, 40)


@pytest.mark.parametrize(("operation", "first", "address", "octets", "status"), [
    pytest.param(1, 0, RAM_BASE + 0x5000, SECTOR, DONE, id="read"),
    pytest.param(3, 2**63, 0, 2**32 - 1, DONE, id="flush looks at nothing else"),
    pytest.param(0, 0, RAM_BASE + 0x5000, SECTOR, FAILED, id="no operation"),
    pytest.param(4, 0, RAM_BASE + 0x5000, SECTOR, FAILED, id="unknown operation"),
    pytest.param(1, 0, 0x1000, SECTOR, FAILED, id="below RAM"),
    pytest.param(1, 0, RAM_BASE + (4 << 20) - 511, SECTOR, FAILED, id="across the end of RAM"),
    pytest.param(2, 0, 2**64 - 512, SECTOR, FAILED, id="at the end of the bus"),
    pytest.param(1, 2**64 - 1, RAM_BASE + 0x5000, SECTOR, FAILED, id="absurd sector"),
    pytest.param(2, 0, RAM_BASE + 0x5000, OCTETS_MAX + SECTOR, FAILED, id="too long"),
    pytest.param(2, 0, RAM_BASE + 0x5000, 2**32 - 512, FAILED, id="absurdly long"),
])
def test_status_of_commands(operation: int, first: int, address: int, octets: int, status: int) -> None:
    rig, page, frame = raw(command(operation, first, address, octets))
    rig.settle()
    assert struct.unpack_from("<I", rig.memory.data, frame * PAGE_SIZE + 28) == (status,)
    assert (page[0x01C], page[0x02C]) == (1, COMPLETED)


@pytest.mark.parametrize(("offset", "value"), [(0x018, 3), (0x018, 1024), (0x020, 10), (0x020, 0)])
def test_impossible_ring_is_switched_off(offset: int, value: int) -> None:
    rig, page, _ = raw(command(3, 0, 0, 0))
    rig.settle()
    page[0x02C] = COMPLETED
    page[offset] = value
    rig.settle()
    assert (page[0x018], page[0x02C]) == (0, RING_BAD)


def test_ring_outside_ram_is_switched_off() -> None:
    rig, page, _ = raw(command(3, 0, 0, 0))
    rig.settle()
    page.set_wide(0x010, 0x1000)
    page[0x018] = 8
    page[0x020] = 1
    rig.settle()
    assert page[0x02C] & RING_BAD


# -- sizes --------------------------------------------------------------------------------


def sized(sectors: int) -> Any:
    devices = tuple(replace(device, options={"sectors": sectors}) if device.kind == "disk" else device
                    for device in SMALL.devices)
    return replace(SMALL, devices=devices)


def test_disk_may_be_larger_than_its_image_and_its_image_no_whole_number_of_sectors() -> None:
    rig = Rig(sized(100), disk=b"\x01" * 700)
    store = disk_of(rig).disk.store
    assert disk_of(rig).sectors == 100
    assert store.read(0, 3) == b"\x01" * 700 + bytes(3 * SECTOR - 700)
    assert Rig(SMALL, disk=b"\x01" * 700).machine.block_devices["hd0"].sectors == 2
    assert Rig(SMALL).machine.block_devices["hd0"].sectors == 0


def test_overlay_of_another_disk_is_refused() -> None:
    with pytest.raises(ConfigError, match="more than 40 sectors"):
        whole(disk=IMAGE, overlay={40: sector(0)})


OPERATIONS = st.lists(st.one_of(
    st.tuples(st.just("write"), st.integers(0, 9), st.binary(min_size=1, max_size=3)),
    st.tuples(st.just("read"), st.integers(0, 9), st.integers(1, 5)),
    st.tuples(st.just("flush")),
    st.tuples(st.just("crash"))), max_size=25)


@examples(100)
@given(OPERATIONS)
def test_sectors_are_an_array_with_a_safe_copy(operations: list[tuple[Any, ...]]) -> None:
    image = bytes(range(100, 110)) * SECTOR
    store = Sectors(image, {}, 14)
    present = bytearray(image.ljust(14 * SECTOR, b"\0"))
    safe = bytes(present)
    for what, *arguments in operations:
        if what == "write":
            first, parts = arguments
            octets = b"".join(bytes([part]) * SECTOR for part in parts)
            store.write(first, octets)
            present[first * SECTOR:first * SECTOR + len(octets)] = octets
        elif what == "read":
            first, count = arguments
            assert store.read(first, count) == present[first * SECTOR:(first + count) * SECTOR]
        elif what == "flush":
            store.flush()
            safe = bytes(present)
        else:
            store = Sectors(image, store.overlay, 14)
            present = bytearray(safe)
        store.check()
    assert store.read(0, 14) == present
