"""Calls on kernel objects in general (mach-abi.md 5.11): which port serves which call, what a
malformed request gets, and that nothing it carried is left over."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.interfaces.runtime import Item, Kind
from machemu.kernel.ipc.right import DEAD_NAME, SEND, SEND_ONCE, Right
from machemu.kernel.results import DeviceReturn, KernReturn, MigReturn, MsgReturn
from machemu.kernel.rpc import routine_table
from tests.support.pagers import Managed
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    INLINE,
    LONG_FORM,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    NULL,
    PAGE,
    SCRATCH,
    UNMAPPED,
    Actor,
    KernelRig,
    header,
    message,
    port_item,
    port_region_item,
    region_item,
    word_item,
)

SERVED: Final = routine_table()
TASK, THREAD, HOST, PRIVILEGED, MASTER, DEVICE, BOOTSTRAP, SET, SET_NAME, PROCESSOR, CONTROL = (
    "task", "thread", "host", "privileged host", "device master", "device", "bootstrap", "processor set",
    "processor set name", "processor", "memory control")
REFUSES: Final = {TASK: KernReturn.INVALID_TASK, THREAD: KernReturn.INVALID_ARGUMENT, HOST: KernReturn.INVALID_HOST,
                  PRIVILEGED: KernReturn.INVALID_HOST, MASTER: DeviceReturn.INVALID_OPERATION,
                  DEVICE: KernReturn.INVALID_ARGUMENT, BOOTSTRAP: KernReturn.INVALID_ARGUMENT,
                  SET: KernReturn.INVALID_ARGUMENT, SET_NAME: KernReturn.INVALID_ARGUMENT,
                  PROCESSOR: KernReturn.INVALID_ARGUMENT, CONTROL: KernReturn.INVALID_ARGUMENT}
ON_HOST: Final = {"host_get_time", "host_get_time64", "host_get_kernel_version", "boot_info", "host_info",
                  "host_processor_sets", "processor_set_default", "processor_set_create", "vm_wire"}
ON_PRIVILEGED: Final = {"host_reboot", "port_owner", "register_new_task_notification", "set_network_server",
                        "host_set_time", "host_set_time64", "host_processors", "host_processor_set_priv",
                        "vm_set_default_memory_manager"}
TASK_SET_NAME, PORTS_LOOKUP, TASK_THREADS, PORT_NAMES, VM_READ, EXTRACT_RIGHT = 4202, 2034, 2011, 3200, 2026, 3216


def target_of(name: str) -> str:
    if name in ON_HOST:
        return HOST
    if name in ON_PRIVILEGED:
        return PRIVILEGED
    if name in ("device_open", "device_open_new"):
        return MASTER
    if name.startswith("device_") or name == "dma_window":
        return DEVICE
    if name == "bootstrap_privileged_ports":
        return BOOTSTRAP
    if name == "processor_set_info":
        return SET_NAME
    if name.startswith("processor_set_"):
        return SET
    if name.startswith("processor_"):
        return PROCESSOR
    if name.startswith("memory_object_"):
        return CONTROL
    return THREAD if name.startswith("thread_") and name != "thread_create" else TASK


def ports_of(rig: KernelRig) -> dict[str, int]:
    """A send right on a kernel port of each kind."""
    kernel, actor = rig.kernel, rig.actor
    objects = {TASK: rig.another().task, THREAD: rig.another().thread, HOST: kernel.host,
               PRIVILEGED: kernel.host_privileged, MASTER: kernel.device_master, BOOTSTRAP: kernel.bootstrap,
               DEVICE: kernel.devices.open("console", actor.task), SET: kernel.processor_set,
               SET_NAME: kernel.processor_set.name, PROCESSOR: kernel.processor_set.processor,
               CONTROL: Managed(rig).control_object}
    return {kind: rig.name_of(actor, found) for kind, found in objects.items()}


def plain_value(item: Item) -> object:
    """Zeros, nulls and nothing: well-formed, whatever they mean."""
    if item.kind is Kind.PORT:
        return None if item.single else []
    if item.kind is Kind.INTEGER:
        return 0
    if item.kind is Kind.INTEGERS:
        return [] if item.variable else [0] * item.number
    return b"" if item.variable or item.kind is Kind.STRING else bytes(item.bits * item.number // 8)


def plain_body(actor: Actor, ident: int) -> tuple[bytes, bool]:
    return actor.request_body(ident, *(plain_value(item) for item in SERVED[ident].routine.request))


every_call = pytest.mark.parametrize("ident", [pytest.param(ident, id=served.routine.name)
                                               for ident, served in SERVED.items()])


@pytest.mark.req("A-M08")
@every_call
def test_a_call_on_the_wrong_kind_of_port_is_refused(rig: KernelRig, ident: int) -> None:
    right_kind = target_of(SERVED[ident].routine.name)
    body, complex_ = plain_body(rig.actor, ident)
    ports = ports_of(rig)
    accepted = {right_kind, *({HOST: {PRIVILEGED}, SET_NAME: {SET}}.get(right_kind, ()))}
    with rig.unchanged():
        for kind, port in ports.items():
            if kind not in accepted:
                assert rig.actor.request(port, ident, body, complex_).code == REFUSES[right_kind], kind


@pytest.mark.req("A-M08")
@pytest.mark.parametrize("ident", [
    0, 1, 71, 2000, 2013, 2106, 2107, 3209, 3219, 4601, 2**31, 2**32 - 101,
    2**32 - 100, 2**32 - 1])
def test_an_unknown_id_is_answered(rig: KernelRig, ident: int) -> None:
    ports = ports_of(rig)
    with rig.unchanged():
        for port in ports.values():
            answer = rig.actor.request(port, ident)
            assert (answer.code, answer.size, answer.ident) == (MigReturn.BAD_ID, 48, (ident + 100) % 2**32)


def wrong_bodies(ident: int, body: bytes) -> list[bytes]:
    """An item too many, one too few, another type, size, number or form in each place; all can be walked."""
    wrong, at = [body + word_item(0)], 0
    for item in SERVED[ident].routine.request:
        word = struct.unpack_from("<Q", body, at)[0]
        others = [word ^ LONG_FORM, word ^ 0x40]  # form, type
        if item.kind is not Kind.PORT:
            others.append(word & ~0xFFFF00 | 24 << 8)  # size
        wrong += [body[:at] + struct.pack("<Q", other) + body[at + 8:] for other in others]
        wrong.append(body[:at])
        octets = (word >> 32) * (word >> 8 & 0xFFFF) // 8
        at += 8 + ((octets + 7 & ~7) if word & INLINE else 8)
    return wrong


@every_call
def test_a_malformed_request_has_bad_arguments(rig: KernelRig, ident: int) -> None:
    port = ports_of(rig)[target_of(SERVED[ident].routine.name)]
    body, complex_ = plain_body(rig.actor, ident)
    with rig.unchanged():
        for octets in wrong_bodies(ident, body):
            assert rig.actor.request(port, ident, octets, complex_).code == MigReturn.BAD_ARGUMENTS, octets.hex(" ", 8)


@every_call
def test_a_port_or_region_in_a_simple_message_has_bad_arguments(rig: KernelRig, ident: int) -> None:
    routine = SERVED[ident].routine
    if not any(item.kind is Kind.PORT and item.single for item in routine.request):
        return
    port = ports_of(rig)[target_of(routine.name)]
    body, complex_ = plain_body(rig.actor, ident)
    assert complex_
    with rig.unchanged():
        assert rig.actor.request(port, ident, body, False).code == MigReturn.BAD_ARGUMENTS


# -- what a failing request carried ---------------------------------------------------------------

SEND_RIGHTS_OF_AN_ERROR: Final = {
    "unknown id": (TASK, 2106), "malformed": (TASK, 2008), "wrong port": (HOST, 2007), "no such call": (HOST, 3209)}


@pytest.mark.req("A-M12")
@pytest.mark.parametrize("why", SEND_RIGHTS_OF_AN_ERROR)
def test_all_rights_and_memory_of_a_failing_request_are_destroyed(rig: KernelRig, why: str) -> None:
    actor = rig.actor
    kind, ident = SEND_RIGHTS_OF_AN_ERROR[why]
    port, reply, witness = ports_of(rig)[kind], actor.port(), actor.port()
    names = rig.names_of_every_kind(actor)
    actor.memory.allocate(UNMAPPED, 4 * PAGE, False)
    frames = rig.kernel.pool.used
    actor.store(UNMAPPED, b"x" * 4 * PAGE)
    actor.memory.write(SCRATCH, struct.pack("<2I", witness, NULL))
    octets = message(port, port_item(names["send"], MOVE_SEND), port_item(names["receive"], MOVE_RECEIVE),
                     port_item(names["send-once"], MOVE_SEND_ONCE), port_item(DEAD, COPY_SEND),
                     port_region_item(SCRATCH, 2, MAKE_SEND_ONCE), port_item(witness, MAKE_SEND),
                     region_item(UNMAPPED, 4 * PAGE, deallocate=True), local=reply, local_use=MAKE_SEND_ONCE,
                     ident=ident)
    assert actor.send(octets) == 0
    assert actor.take(reply).code != 0
    for kind in ("send", "receive", "send-once"):
        assert names[kind] not in actor.names()
    assert actor.take(witness).ident == 71
    the_port = actor.space.entries[witness].port
    assert (the_port.send_rights, the_port.send_once_rights) == (0, 0)
    assert rig.kernel.pool.used == frames


# -- replies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("use", "arrives"), [(MAKE_SEND_ONCE, MOVE_SEND_ONCE), (MAKE_SEND, MOVE_SEND)])
def test_the_reply_goes_through_the_right_given(rig: KernelRig, use: int, arrives: int) -> None:
    actor = rig.actor
    reply = actor.port()
    assert actor.send(header(actor.self_name, reply, local_use=use, ident=PORTS_LOOKUP)) == 0
    found = actor.take(reply)
    assert (found.local, found.local_use, found.remote, found.ident) == (reply, arrives, NULL, PORTS_LOOKUP + 100)
    assert actor.space.entries[reply].port.send_rights == 0


def test_a_simple_routine_with_a_reply_port_is_answered_too(rig: KernelRig) -> None:
    actor = rig.actor
    body, _ = actor.request_body(TASK_SET_NAME, b"name\0")
    answer = actor.request(actor.self_name, TASK_SET_NAME, body)
    assert (answer.code, answer.size, answer.ident) == (0, 48, TASK_SET_NAME + 100)
    assert actor.task.name == "name"


@pytest.mark.parametrize("name", [NULL, DEAD, "dead name"])
@pytest.mark.parametrize(("ident", "arguments"), [
    (PORTS_LOOKUP, ()), (TASK_THREADS, ()), (PORT_NAMES, ()), (VM_READ, (SCRATCH, 3 * PAGE)), (2030, ())])
def test_results_without_a_reply_port_are_given_up(
    rig: KernelRig, ident: int, arguments: tuple[int, ...], name: object
) -> None:
    actor = rig.actor
    local = name if isinstance(name, int) else actor.port(Right.DEAD_NAME)
    body, complex_ = actor.request_body(ident, *arguments)
    before = rig.counts()
    octets = header(actor.self_name, local, COPY_SEND, COPY_SEND, ident, 32 + len(body), complex_) + body
    assert actor.send(octets) == 0
    after = rig.counts()
    assert (after.frames, after.names) == (before.frames, before.names)
    assert [port[:3] for port in after.ports] == [port[:3] for port in before.ports]


@pytest.mark.parametrize("use", [MAKE_SEND, MAKE_SEND_ONCE, MOVE_RECEIVE])
def test_a_right_taken_out_for_nobody_is_destroyed(rig: KernelRig, use: int) -> None:
    actor = rig.actor
    port = actor.port()
    body, _ = actor.request_body(EXTRACT_RIGHT, port, use)
    assert actor.send(header(actor.self_name, NULL, ident=EXTRACT_RIGHT, size=32 + len(body)) + body) == 0
    if use == MOVE_RECEIVE:
        assert port not in actor.names()
    elif use == MAKE_SEND_ONCE:
        assert actor.take(port).ident == 71
    else:
        assert actor.space.entries[port].port.send_rights == 0


def test_a_reply_that_carries_its_own_port_vanishes(rig: KernelRig) -> None:
    """mach_port_extract_right of the very receive right that the reply goes to."""
    actor = rig.actor
    reply = actor.port()
    before = len(rig.kernel.zone.live)
    body, _ = actor.request_body(EXTRACT_RIGHT, reply, MOVE_RECEIVE)
    octets = header(actor.self_name, reply, COPY_SEND, MAKE_SEND_ONCE, EXTRACT_RIGHT, 32 + len(body)) + body
    assert actor.send(octets) == 0
    assert reply not in actor.names()
    assert len(rig.kernel.zone.live) == before - 1


@pytest.mark.parametrize("use", [COPY_SEND, MOVE_SEND])
def test_the_request_port_is_consumed_as_it_says(rig: KernelRig, use: int) -> None:
    actor, other = rig.actor, rig.another()
    name = rig.name_of(actor, other.task)
    assert actor.send(header(name, remote_use=use, ident=PORTS_LOOKUP)) == 0
    assert (name in actor.names()) == (use == COPY_SEND)
    assert other.task.self_port.send_rights == 1 + (use == COPY_SEND)


def test_the_port_of_an_ended_task_is_dead(rig: KernelRig) -> None:
    actor, other = rig.actor, rig.another()
    name = rig.name_of(actor, other.task)
    rig.kernel.terminate_task(other.task, None, "test")
    assert actor.send(header(name, ident=PORTS_LOOKUP)) == MsgReturn.SEND_INVALID_DEST
    assert actor.names()[name] == (DEAD_NAME, 1)


def test_a_call_does_not_wait_though_the_reply_port_is_full(rig: KernelRig) -> None:
    actor = rig.actor
    reply = actor.port()
    for _ in range(5):
        actor.send(header(reply, remote_use=MAKE_SEND))
    assert actor.send(header(actor.self_name, reply, COPY_SEND, MAKE_SEND, PORTS_LOOKUP)) == 0
    assert [actor.take(reply).ident for _ in range(6)][-1] == PORTS_LOOKUP + 100


@pytest.mark.req("A-M08")
def test_an_ordinary_task_cannot_obtain_the_privileged_host_port(rig: KernelRig) -> None:
    """All that traps and calls give to a task leads to no privileged port."""
    actor = rig.another()
    forbidden = {rig.kernel.host_privileged.port, rig.kernel.device_master.port}
    for trap in ("mach_task_self", "mach_thread_self", "mach_host_self", "mach_reply_port"):
        actor.trap(trap)
    thread = actor.trap("mach_thread_self")
    for which in range(8):
        actor.rpc(actor.self_name, 2058, which)
        actor.rpc(thread, 2067, which)
    actor.call(PORTS_LOOKUP)
    actor.call(TASK_THREADS)
    host = actor.trap("mach_host_self")
    for ident in (1_000_000, 2041, 2630, 2627, 2600, 999_999):
        assert actor.request(host, ident).code != 0
    for name, (kind, _) in actor.names().items():
        if kind & (SEND | SEND_ONCE):
            assert actor.space.entries[name].port not in forbidden
    assert actor.rpc(host, 2635, 0x08)[0] == KernReturn.INVALID_HOST
    assert rig.machine.halted is None
