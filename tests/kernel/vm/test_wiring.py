"""Windows for devices: the pages stay where they are, whatever their task does meanwhile."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.results import DeviceReturn, KernReturn
from machemu.kernel.vm.entry import INHERIT_SHARE, PROT_READ
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    PAGE,
    UNMAPPED,
    Actor,
    Give,
    KernelRig,
    message,
    region_item,
)

DMA_WINDOW, DEVICE_CLOSE, DEVICE_MAP, VM_MAP = 4604, 2801, 2809, 2089
PLACE: Final = UNMAPPED
PAGES: Final = 4
READ_WRITE: Final = 3


class Driver:
    """A task with an open queue pair and PAGES pages at PLACE."""

    def __init__(self, rig: KernelRig, actor: Actor) -> None:
        self.rig, self.actor = rig, actor
        self.device = rig.name_of(actor, rig.kernel.devices.open("eth0q0", actor.task))
        actor.memory.allocate(PLACE, PAGES * PAGE, False)
        actor.store(PLACE, b"driver")

    def window(self, address: int = PLACE, size: int = PAGES * PAGE, protection: int = READ_WRITE,
               task: Give | None = None) -> tuple[int, tuple[object, ...]]:
        given = task or Give(self.actor.self_name, COPY_SEND)
        return self.actor.rpc(self.device, DMA_WINDOW, given, address, size, protection)

    @property
    def frames(self) -> tuple[int, ...]:
        """Of the window opened last."""
        return self.rig.machine.nic.windows[-1][1]

    def device_reads(self, page: int, octets: int) -> bytes:
        place = self.frames[page] * PAGE
        return bytes(self.rig.machine.memory.data[place:place + octets])

    def device_writes(self, page: int, data: bytes) -> None:
        place = self.frames[page] * PAGE
        self.rig.machine.memory.data[place:place + len(data)] = data


@pytest.fixture
def driver(rig: KernelRig) -> Driver:
    return Driver(rig, rig.actor)


def test_a_window_shows_the_pages_to_the_device(driver: Driver) -> None:
    code, (bus,) = driver.window()
    assert code == 0
    assert bus == 0x8000_0000 + driver.frames[0] * PAGE
    assert driver.device_reads(0, 6) == b"driver"
    driver.device_writes(2, b"packet")
    assert driver.actor.load(PLACE + 2 * PAGE, 6) == b"packet"
    driver.actor.store(PLACE + 3 * PAGE, b"reply")
    assert driver.device_reads(3, 5) == b"reply"
    assert driver.rig.machine.nic.windows == [("q0", driver.frames, True)]


@pytest.mark.parametrize(("protection", "writable"), [(1, False), (3, True), (2, True)])
def test_protection_says_whether_the_device_may_write(driver: Driver, protection: int, writable: bool) -> None:
    driver.window(protection=protection)
    assert driver.rig.machine.nic.windows[-1][2] is writable


def test_a_window_on_another_tasks_memory(driver: Driver) -> None:
    client = driver.rig.another()
    client.memory.allocate(PLACE, PAGE, False)
    name = driver.rig.name_of(driver.actor, client.task)
    assert driver.window(PLACE, PAGE, task=Give(name, COPY_SEND))[0] == 0
    driver.device_writes(0, b"in place")
    assert client.load(PLACE, 8) == b"in place"


def assert_wired(driver: Driver, actor: Actor) -> None:
    """Device and task still see the same pages."""
    driver.device_writes(1, b"from device")
    assert actor.load(PLACE + PAGE, 11) == b"from device"
    assert actor.store(PLACE + 2 * PAGE, b"from task")
    assert driver.device_reads(2, 9) == b"from task"


def fork(driver: Driver) -> None:
    child = Actor(driver.rig, driver.rig.kernel.create_task(driver.actor.task, inherit_memory=True))
    child.store(PLACE, b"child!")
    assert driver.device_reads(0, 6) == b"driver", "the child has copies"


def fork_shared(driver: Driver) -> None:
    driver.actor.memory.inherit(PLACE, PAGES * PAGE, INHERIT_SHARE)
    child = Actor(driver.rig, driver.rig.kernel.create_task(driver.actor.task, inherit_memory=True))
    child.store(PLACE, b"shared")
    assert driver.device_reads(0, 6) == b"shared"


def send(driver: Driver) -> None:
    _, to, receiver, port = driver.rig.channel(driver.actor)
    driver.actor.send(message(to, region_item(PLACE, PAGES * PAGE)))
    driver.device_writes(0, b"later!")
    assert receiver.load(receiver.take(port).word(8), 6) == b"driver", "a copy of its instant"


def protect(driver: Driver) -> None:
    driver.actor.memory.protect(PLACE, PAGES * PAGE, False, PROT_READ)
    driver.actor.memory.protect(PLACE, PAGES * PAGE, False, READ_WRITE)


def free_a_neighbour(driver: Driver) -> None:
    driver.actor.memory.deallocate(PLACE + 3 * PAGE, PAGE)
    driver.device_writes(3, b"nobody sees this")


def wire_again(driver: Driver) -> None:
    frames = driver.frames
    driver.window()
    assert driver.frames == frames


@pytest.mark.parametrize("event", [fork, fork_shared, send, protect, free_a_neighbour, wire_again],
                         ids=lambda event: event.__name__)
def test_wired_pages_stay_where_they_are(driver: Driver, event: object) -> None:
    driver.window()
    event(driver)  # type: ignore[operator]
    assert_wired(driver, driver.actor)


def test_a_copy_made_before_is_not_wired(driver: Driver) -> None:
    """The window is on the task's own pages, which are copied away from the fork's."""
    child = Actor(driver.rig, driver.rig.kernel.create_task(driver.actor.task, inherit_memory=True))
    driver.window()
    driver.device_writes(0, b"device")
    assert child.load(PLACE, 6) == b"driver"
    assert_wired(driver, driver.actor)


def test_freed_pages_stay_pinned_until_the_device_is_closed(driver: Driver) -> None:
    pool = driver.rig.kernel.pool
    driver.window()
    used = pool.used
    frames = driver.frames
    driver.actor.memory.deallocate(PLACE, PAGES * PAGE)
    assert pool.used == used
    driver.device_writes(0, b"still its own")
    driver.actor.memory.allocate(PLACE, PAGES * PAGE, False)
    driver.actor.store(PLACE, bytes(PAGES * PAGE))
    taken = {place // PAGE for place in driver.actor.memory.space.readable.values()}
    assert not taken & set(frames)
    assert driver.actor.rpc(driver.device, DEVICE_CLOSE)[0] == 0
    assert pool.used == used
    assert not pool.pins


def test_the_owners_death_closes_its_windows(rig: KernelRig) -> None:
    before = rig.kernel.pool.used
    driver = Driver(rig, rig.another())
    driver.window()
    rig.kernel.terminate_task(driver.actor.task, None, "test")
    assert rig.machine.nic.windows == []
    assert not rig.kernel.pool.pins
    assert rig.kernel.pool.used == before


def test_the_death_of_the_memorys_task_leaves_the_window_usable(driver: Driver) -> None:
    client = driver.rig.another()
    client.memory.allocate(PLACE, PAGE, False)
    driver.window(PLACE, PAGE, task=Give(driver.rig.name_of(driver.actor, client.task), COPY_SEND))
    driver.rig.kernel.terminate_task(client.task, None, "test")
    driver.device_writes(0, b"into nothing")
    driver.rig.check()


@pytest.mark.parametrize(("arguments", "code"), [
    pytest.param({"address": PLACE + 8}, KernReturn.INVALID_ARGUMENT, id="unaligned"),
    pytest.param({"size": PAGE + 1}, KernReturn.INVALID_ARGUMENT, id="part of a page"),
    pytest.param({"size": 0}, KernReturn.INVALID_ARGUMENT, id="nothing"),
    pytest.param({"address": PLACE + PAGE}, KernReturn.INVALID_ADDRESS, id="runs into a hole"),
    pytest.param({"address": 0, "size": PAGE}, KernReturn.INVALID_ADDRESS, id="nothing there"),
    pytest.param({"address": 2**64 - PAGE, "size": PAGE}, KernReturn.INVALID_ADDRESS, id="last page of all"),
    pytest.param({"address": 2**64 - PAGE, "size": 2 * PAGE}, KernReturn.INVALID_ADDRESS, id="wraps"),
    pytest.param({"size": 2**63}, KernReturn.INVALID_ADDRESS, id="sign bit"),
    pytest.param({"size": 2**64 - PAGE}, KernReturn.INVALID_ADDRESS, id="size of -1 page"),
    pytest.param({"task": Give(DEAD, COPY_SEND)}, KernReturn.INVALID_TASK, id="no task"),
])
def test_windows_that_cannot_be_opened(driver: Driver, arguments: dict[str, object], code: int) -> None:
    with driver.rig.unchanged():
        assert driver.window(**arguments)[0] == code  # type: ignore[arg-type]
    assert not driver.rig.kernel.pool.pins
    assert not driver.rig.machine.nic.windows


def test_a_device_that_writes_needs_memory_that_may_be_written(driver: Driver) -> None:
    driver.actor.memory.protect(PLACE + PAGE, PAGE, False, PROT_READ)
    assert driver.window()[0] == KernReturn.PROTECTION_FAILURE
    assert not driver.rig.kernel.pool.pins
    assert driver.window(protection=1)[0] == 0


def test_the_registers_of_a_device_are_no_memory(driver: Driver) -> None:
    actor = driver.actor
    _, (pager,) = actor.rpc(driver.device, DEVICE_MAP, READ_WRITE, 0, PAGE, 0)
    place = PLACE + 16 * PAGE
    actor.call(VM_MAP, place, PAGE, 0, 0, Give(pager, COPY_SEND), 0, 0, READ_WRITE, READ_WRITE, 1)
    assert driver.window(place, PAGE)[0] == KernReturn.INVALID_ARGUMENT


def test_there_are_only_so_many_windows(driver: Driver) -> None:
    for _ in range(8):
        assert driver.window(PLACE, PAGE)[0] == 0
    assert driver.window(PLACE + PAGE, PAGE)[0] == DeviceReturn.NO_MEMORY
    assert len(driver.rig.kernel.pool.pins) == 1


def test_no_frames_for_a_window(driver: Driver) -> None:
    with driver.rig.frames_left(1):
        assert driver.window()[0] == KernReturn.RESOURCE_SHORTAGE
    assert not driver.rig.kernel.pool.pins


@pytest.mark.parametrize("name", ["console", "hd0"])
def test_other_devices_have_no_windows(driver: Driver, name: str) -> None:
    rig = driver.rig
    device = rig.name_of(driver.actor, rig.kernel.devices.open(name, driver.actor.task))
    code, _ = driver.actor.rpc(device, DMA_WINDOW, Give(driver.actor.self_name, COPY_SEND), PLACE, PAGE, 3)
    assert code == DeviceReturn.INVALID_OPERATION
