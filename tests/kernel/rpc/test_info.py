"""task_info, thread_info, host_info and the like: every flavor, and what it says (mach-abi.md 9.3)."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.results import KernReturn
from tests.support.rig import BUFFER, BUFFERS_END, COPY_SEND, PAGE, Actor, Give, KernelRig, header

SECOND: Final = 1_000_000_000
TASK_INFO, THREAD_INFO, HOST_INFO, PROCESSOR_INFO, SET_INFO = 2012, 2019, 2638, 2639, 2640
PROCESSORS, DEFAULT_SET, SETS, SET_PRIV, SET_TASKS, SET_THREADS = 2600, 2606, 2629, 2630, 2627, 2628
CREATE_SET, DESTROY_SET, SET_TIME, GET_TIME, SET_TIME64, GET_TIME64 = 2608, 2609, 2632, 2634, 2644, 2643
RUNNING, STOPPED, WAITING = 1, 2, 3
SIZES: Final = {  # words of each flavor
    ("task", 1): 30, ("task", 2): 14, ("task", 3): 16, ("thread", 1): 32, ("thread", 2): 8,
    ("host", 1): 6, ("host", 2): 1, ("host", 3): 2, ("host", 4): 6,
    ("processor", 1): 5, ("set", 1): 5, ("set", 2): 2}
LESS: Final = {("task", 1): 18, ("thread", 2): 7}  # older structures


def target(rig: KernelRig, kind: str) -> tuple[int, int]:
    """A port of that kind and the id of its info call."""
    kernel, actor = rig.kernel, rig.actor
    found, ident = {"task": (actor.task, TASK_INFO), "thread": (actor.thread, THREAD_INFO),
                    "host": (kernel.host, HOST_INFO), "processor": (kernel.processor_set.processor, PROCESSOR_INFO),
                    "set": (kernel.processor_set.name, SET_INFO)}[kind]
    return rig.name_of(actor, found), ident


def info(rig: KernelRig, kind: str, flavor: int, room: int = 1024) -> tuple[int, list[int]]:
    port, ident = target(rig, kind)
    code, results = rig.actor.rpc(port, ident, flavor, room)
    return code, results[-1] if results else []  # type: ignore[return-value]


def unpacked(rig: KernelRig, layout: str, kind: str, flavor: int) -> tuple[int, ...]:
    code, words = info(rig, kind, flavor)
    assert code == 0
    return struct.unpack(layout, struct.pack(f"<{len(words)}i", *words))


@pytest.mark.parametrize(("kind", "flavor"), SIZES)
def test_every_flavor_has_its_size_and_wants_room_for_it(rig: KernelRig, kind: str, flavor: int) -> None:
    size = SIZES[kind, flavor]
    assert [len(info(rig, kind, flavor, room)[1]) for room in (size, size + 1, 1024)] == [size] * 3
    less = LESS.get((kind, flavor))
    if less is not None:
        assert [len(info(rig, kind, flavor, room)[1]) for room in (less, size - 1)] == [less] * 2
    for room in (0, (less or size) - 1):
        assert info(rig, kind, flavor, room) == (KernReturn.INVALID_ARGUMENT, [])


@pytest.mark.parametrize("kind", ["task", "thread", "host", "processor", "set"])
def test_an_unknown_flavor_is_an_invalid_argument(rig: KernelRig, kind: str) -> None:
    for flavor in (0, 5, -1, 2**31 - 1):
        assert info(rig, kind, flavor)[0] == KernReturn.INVALID_ARGUMENT


def test_a_task_tells_its_size_times_and_events(rig: KernelRig) -> None:
    actor = rig.another()
    rig.pass_time(3 * SECOND)
    layout = "<iiQQ qqqqqq qqqqqq"
    port = rig.name_of(rig.actor, actor.task)
    actor.task.suspend()

    def basic() -> tuple[int, ...]:
        words = rig.actor.rpc(port, TASK_INFO, 1, 1024)[1][0]
        return struct.unpack(layout, struct.pack("<30i", *words))  # type: ignore[misc]

    told = basic()
    assert told[:4] == (1, 25, BUFFERS_END - BUFFER, BUFFERS_END - BUFFER)
    assert told[4:10] == (0, 0, 0, 0, 0, 0)
    actor.memory.allocate(0, 10 * PAGE, anywhere=True)
    assert basic()[2:4] == (told[2] + 10 * PAGE, told[3]), "untouched memory takes no frames"


def test_events_are_counted_for_each_task(rig: KernelRig) -> None:
    channel = rig.channel()
    before = unpacked(rig, "<7Q", "task", 2)
    place = rig.actor.memory.allocate(0, 3 * PAGE, anywhere=True)
    for page in range(3):
        assert rig.actor.store(place + page * PAGE, b"x")
    assert channel.sender.send(header(channel.to)) == 0
    after = unpacked(rig, "<7Q", "task", 2)
    assert after[0] - before[0] == 3
    assert after[1] - before[1] == 3
    assert after[5] - before[5] == 2, "the message, and the question itself"
    assert after[6] - before[6] == 1, "the first answer"


def test_running_takes_time_and_waiting_none(rig: KernelRig) -> None:
    worker = rig.another()
    thread = rig.name_of(rig.actor, worker.thread)
    task = rig.name_of(rig.actor, worker.task)

    def basic() -> tuple[int, ...]:
        words = rig.actor.rpc(thread, THREAD_INFO, 1, 1024)[1][0]
        return struct.unpack("<qqqq7i4x qq qqqqqq", struct.pack("<32i", *words))  # type: ignore[misc]

    assert basic()[:2] == (0, 0)
    rig.run(worker)
    rig.pass_time(2 * SECOND + 5000)
    rig.run(rig.actor)
    told = basic()
    assert told[:2] == (2, 5)
    assert told[7] == RUNNING
    rig.run(worker)
    worker.receive(worker.port())
    rig.pass_time(4 * SECOND)
    told = basic()
    assert (told[7], told[10]) == (WAITING, 4)
    assert told[:2] == (2, 5)
    times = rig.actor.rpc(task, TASK_INFO, 3, 1024)[1][0]
    assert struct.unpack("<qq", struct.pack("<4i", *times[:4])) == (2, 5)  # type: ignore[index]


def test_the_time_of_ended_threads_is_the_task_s(rig: KernelRig) -> None:
    worker = rig.another()
    second = rig.second_thread(worker)
    rig.run(second)
    rig.pass_time(2 * SECOND)
    rig.kernel.terminate_thread(second.thread)
    words = rig.actor.rpc(rig.name_of(rig.actor, worker.task), TASK_INFO, 1, 18)[1][0]
    assert struct.unpack("<iiQQ qq", struct.pack("<10i", *words[:10]))[4:] == (2, 0)  # type: ignore[index]


def test_a_suspended_thread_is_stopped(rig: KernelRig) -> None:
    other = rig.another()
    other.thread.suspend()
    port = rig.name_of(rig.actor, other.thread)
    words = rig.actor.rpc(port, THREAD_INFO, 1, 1024)[1][0]
    assert words[11] == STOPPED and words[13] == 1  # type: ignore[index]


def test_scheduling_is_told(rig: KernelRig) -> None:
    rig.actor.thread.set_priority(31)
    assert info(rig, "thread", 2) == (0, [1, 0, 31, 25, 31, 0, -1, 0])


def test_the_host_and_its_processor(rig: KernelRig) -> None:
    kernel = rig.kernel
    assert unpacked(rig, "<iiQii", "host", 1)[:3] == (1, 1, kernel.boot_info.ram)
    assert info(rig, "host", 2) == (0, [0])
    assert info(rig, "host", 3) == (0, [10, 1])
    assert info(rig, "processor", 1)[1][2:] == [1, 0, 1]
    rig.another()
    assert info(rig, "set", 1)[1][:3] == [1, 2, 2]
    assert info(rig, "set", 2) == (0, [1, 25])


def test_load_follows_the_processor(rig: KernelRig) -> None:
    other = rig.another()
    for _ in range(30):
        rig.pass_time(SECOND)
        rig.kernel.scheduler.quantum_expired()
    busy = info(rig, "host", 4)[1]
    assert 1900 < busy[0] <= 2000 and busy[0] > busy[1] > busy[2], "one runs and one waits"
    assert 0 < busy[3] < 500
    rig.kernel.terminate_task(other.task, None, "test")
    assert rig.actor.receive(rig.actor.port(), 0x100, 60_000) == "blocked"
    rig.pass_time(60 * SECOND)
    idle = info(rig, "host", 4)[1]
    assert idle[0] < 10 and idle[3] > 990


# -- the set and what it gives --------------------------------------------------------------


def test_processors_and_sets_are_found_from_the_host(rig: KernelRig) -> None:
    kernel, actor = rig.kernel, rig.actor
    host, privileged = rig.name_of(actor, kernel.host), rig.name_of(actor, kernel.host_privileged)
    (name,) = actor.rpc(host, DEFAULT_SET)[1]
    assert actor.space.lookup(name).port is kernel.processor_set.name.port  # type: ignore[arg-type]
    assert actor.rpc(host, SETS)[1][0].words == [name]  # type: ignore[attr-defined]
    (control,) = actor.rpc(privileged, SET_PRIV, Give(name, COPY_SEND))[1]  # type: ignore[arg-type]
    assert actor.space.lookup(control).port is kernel.processor_set.port  # type: ignore[arg-type]
    assert actor.rpc(host, SET_PRIV, Give(name, COPY_SEND))[0] == KernReturn.INVALID_HOST  # type: ignore[arg-type]
    for wrong in (Give(host, COPY_SEND), None):
        assert actor.rpc(privileged, SET_PRIV, wrong)[0] == KernReturn.INVALID_ARGUMENT
    (cpus,) = actor.rpc(privileged, PROCESSORS)[1]
    assert [actor.space.lookup(cpu).port for cpu in cpus.words] == [  # type: ignore[attr-defined]
        kernel.processor_set.processor.port]
    assert actor.rpc(host, CREATE_SET)[0] == KernReturn.FAILURE
    assert actor.rpc(control, DESTROY_SET)[0] == KernReturn.FAILURE  # type: ignore[arg-type]


def test_the_set_gives_control_of_all_tasks_and_threads(rig: KernelRig) -> None:
    other = rig.another()
    control = rig.name_of(rig.actor, rig.kernel.processor_set)
    tasks, threads = (rig.actor.rpc(control, ident)[1][0] for ident in (SET_TASKS, SET_THREADS))

    def objects(actor: Actor, names: list[int]) -> list[object]:
        return [actor.space.lookup(name).port.kernel_object for name in names]  # type: ignore[union-attr]

    assert objects(rig.actor, tasks.words) == [rig.actor.task, other.task]  # type: ignore[attr-defined]
    assert objects(rig.actor, threads.words) == [rig.actor.thread, other.thread]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("put", "get", "part"), [(SET_TIME, GET_TIME, 250_000), (SET_TIME64, GET_TIME64, 250_000_000)])
def test_the_time_can_be_set(rig: KernelRig, put: int, get: int, part: int) -> None:
    privileged = rig.name_of(rig.actor, rig.kernel.host_privileged)
    assert rig.actor.rpc(privileged, put, [1_000_000_000, part])[0] == 0
    rig.pass_time(SECOND)
    assert list(rig.actor.rpc(privileged, get)[1][0]) == [1_000_000_001, part]  # type: ignore[call-overload]
    for bad in ([-1, 0], [0, -1], [0, SECOND if put == SET_TIME64 else 1_000_000], [2**62, 0]):
        assert rig.actor.rpc(privileged, put, bad)[0] == KernReturn.INVALID_ARGUMENT
    host = rig.name_of(rig.actor, rig.kernel.host)
    assert rig.actor.rpc(host, put, [5, 0])[0] == KernReturn.INVALID_HOST
