"""Calls with any arguments on any kernel port, some of them damaged: the kernel answers or
refuses, every invariant holds after each, and nothing is left at the end."""

from __future__ import annotations

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from machemu.interfaces.runtime import Item, Kind
from machemu.kernel.ipc.right import Carried
from machemu.kernel.rpc import routine_table
from machemu.kernel.rpc.pager_port import PagerPort
from tests.support.rig import (
    BUFFER,
    BUFFERS_END,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    NO_NAME,
    NULL,
    PAGE,
    SCRATCH,
    SEND_TIMEOUT,
    UNMAPPED,
    VM_END,
    Actor,
    At,
    Give,
    KernelRig,
    header,
)

SERVED: Final = routine_table()
INTEGERS: Final = st.sampled_from([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 21, 65, 69, 70, 72, 100, -1, -2, 2**31 - 1, -(2**31), 2**32 - 1, 511, 512, PAGE,
    2 * PAGE, PAGE - 1, 3 * PAGE + 5, BUFFERS_END - PAGE, BUFFERS_END, SCRATCH, UNMAPPED, UNMAPPED + PAGE,
    VM_END - PAGE, VM_END, 2**62, 2**63 - PAGE, -PAGE, -(2**63), 0x6D_0001, 0x74_0001])
NAMES: Final = 13
TEXTS: Final = st.sampled_from([b"", b"name", b"console", b"hd0", b"eth0q0", b"crypto0c1", b"\xff" * 60])


def values_of(item: Item) -> st.SearchStrategy[object]:
    """What may stand for an item; ("name", n) is a name to be chosen."""
    names = st.tuples(st.just("name"), st.integers(0, NAMES - 1))
    if item.kind is Kind.PORT:
        right = st.tuples(st.just("right"), st.integers(0, NAMES - 1), st.integers(16, 21))
        return st.one_of(st.none(), right) if item.single else st.lists(
            st.tuples(st.just("right"), st.integers(0, NAMES - 1), st.just(COPY_SEND)), max_size=6)
    if item.kind is Kind.INTEGER:
        return st.one_of(INTEGERS, names) if item.type in (2, 15) else INTEGERS
    if item.kind is Kind.STRUCT:
        return st.lists(st.sampled_from([0, 1, -1, 10**9, 2**62, -(2**63)]), min_size=item.group, max_size=item.group)
    if item.kind is Kind.INTEGERS:
        return st.lists(st.one_of(st.integers(-5, 5), names), max_size=66)
    if item.out_of_line:
        return st.one_of(st.binary(max_size=20), st.builds(At, st.sampled_from([SCRATCH, SCRATCH + 5, UNMAPPED]),
                                                           st.sampled_from([0, 1, 512, PAGE, 3 * PAGE])))
    return TEXTS


CALLS: Final = st.sampled_from(sorted(SERVED)).flatmap(lambda ident: st.tuples(
    st.just(ident), st.one_of(st.just(-1), st.just(-1), st.just(-2), st.integers(0, 8)),
    st.tuples(*(values_of(item) for item in SERVED[ident].routine.request)),
    st.one_of(st.none(), st.none(), st.none(), st.tuples(st.integers(0, 200), st.integers(1, 255)))))


def new_actor(rig: KernelRig, friend: Actor) -> tuple[Actor, list[int], list[int]]:
    """An actor, its names, and its send rights on kernel ports of every kind."""
    actor = rig.another()
    kernel = rig.kernel
    ports = [rig.name_of(actor, found) for found in (
        actor.task, friend.task, friend.thread, actor.thread, kernel.host, kernel.host_privileged,
        kernel.device_master, kernel.bootstrap, kernel.devices.open("console", actor.task), kernel.processor_set,
        kernel.processor_set.name, kernel.processor_set.processor)]
    ports.append(control_port(rig, actor, friend))
    names = [*rig.names_of_every_kind(actor).values(), *ports[:4], NULL, DEAD, NO_NAME]
    assert len(names) == NAMES
    return actor, names, ports


def control_port(rig: KernelRig, actor: Actor, friend: Actor) -> int:
    """The actor is the pager of an object that its friend has mapped."""
    name = actor.port()
    right = actor.space.take(name, MAKE_SEND)
    assert isinstance(right, Carried)
    memory = rig.kernel.pagers.object_of(right.port)
    friend.memory.map(0, 4 * PAGE, 0, True, memory, 0, False, 3, 7, 1)
    right.destroy()
    assert memory.pager is not None
    source = memory.pager.source
    assert isinstance(source, PagerPort)
    return actor.space.insert(source.control.make_send())


def usable(actor: Actor) -> bool:
    """Can the actor put another request together?"""
    entries = [actor.memory.entry_at(place) for place in range(BUFFER, BUFFERS_END, PAGE)]
    return actor.thread.runnable and all(entry is not None and entry.protection & 3 == 3 for entry in entries)


def with_names(value: object, names: list[int]) -> object:
    if isinstance(value, list):
        return [with_names(one, names) for one in value]
    if isinstance(value, tuple) and value and value[0] == "name":
        return names[value[1]]
    if isinstance(value, tuple) and value and value[0] == "right":
        return Give(names[value[1]], value[2])
    return value


def right_port(ident: int, choice: int, ports: list[int]) -> int:
    """Mostly the kind of port that serves the call."""
    if choice >= 0:
        return ports[choice]
    name = SERVED[ident].routine.name
    if name.startswith("device_open"):
        return ports[6]
    if name.startswith("memory_object_"):
        return ports[12]
    if name.startswith("device_"):
        return ports[8]
    if name.startswith("processor_set") and name not in ("processor_set_default", "processor_set_create"):
        return ports[10 if name == "processor_set_info" else 9]
    if name.startswith("processor_") and name not in ("processor_set_default", "processor_set_create"):
        return ports[11]
    if name.startswith("thread_") and name != "thread_create":
        return ports[2 if choice == -1 else 3]
    if name.startswith(("host_", "boot", "processor_set_")) or name in (
            "port_owner", "set_network_server", "vm_wire", "vm_set_default_memory_manager"):
        return ports[5]
    return ports[0 if choice == -1 else 1]


@settings(derandomize=True, deadline=None, max_examples=40, database=None)
@given(st.lists(CALLS, min_size=1, max_size=8))
def test_no_sequence_of_calls_harms_the_kernel(calls: list[tuple[int, int, tuple[object, ...], object]]) -> None:
    rig = KernelRig(frames=4096)
    friend = rig.another()
    actor, names, ports = new_actor(rig, friend)
    for ident, choice, values, damage in calls:
        if not usable(actor):
            actor, names, ports = new_actor(rig, friend if friend.task.alive else rig.another())
        octets, complex_ = actor.request_body(ident, *(with_names(value, names) for value in values))
        body = bytearray(octets)
        if isinstance(damage, tuple) and body:
            body[damage[0] % len(body)] ^= damage[1]
        reply = actor.port()
        actor.send(header(right_port(ident, choice, ports), reply, COPY_SEND, MAKE_SEND_ONCE, ident, 32 + len(body),
                          complex_) + bytes(body), SEND_TIMEOUT)
        rig.pass_time(2000)
        if actor.thread.runnable:
            actor.poll(reply)
    for task in list(rig.kernel.tasks.values()):
        rig.kernel.terminate_task(task, None, "test")
        rig.check()
    rig.pass_time(10_000_000)
    assert rig.kernel.pool.used == 0
    assert not rig.kernel.pool.pins
    assert all(port.kernel_object is not None for port in rig.kernel.zone.live), "what the kernel keeps for itself"
