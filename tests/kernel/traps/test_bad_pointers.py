"""Pointers a guest may pass by mistake or malice: every trap refuses them and does nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

import pytest

from machemu.kernel.ipc.right import Right
from machemu.kernel.results import KernReturn, MsgReturn
from machemu.kernel.vm.entry import PROT_READ
from tests.support.rig import (
    BUFFER,
    BUFFERS_END,
    MAKE_SEND,
    PAGE,
    RCV,
    SCRATCH,
    SEND,
    UNMAPPED,
    VM_END,
    KernelRig,
    header,
)

READ_ONLY: Final = 0x50000  # a page that can be read, between a writable one and a hole
PLACES: Final = {
    "null": lambda octets: 0,
    "unmapped": lambda octets: UNMAPPED,
    "crosses into unmapped": lambda octets: BUFFERS_END - octets // 2,
    "read-only": lambda octets: READ_ONLY,
    "crosses into read-only": lambda octets: READ_ONLY - octets // 2,
    "last octets of the address space": lambda octets: VM_END - octets,
    "crosses the end of the address space": lambda octets: VM_END - octets // 2,
    "wraps": lambda octets: 2**64 - octets // 2,
    "last octet": lambda octets: 2**64 - 1,
    "sign bit": lambda octets: 2**63,
    "sign-extended": lambda octets: 2**64 - 2**38,
}
READABLE: Final = {"read-only", "crosses into read-only"}


class OutPointer(NamedTuple):
    """A trap that writes `octets` at argument `index`."""

    trap: str
    index: int
    octets: int


OUT_POINTERS: Final = [
    OutPointer("syscall_mach_port_allocate", 2, 4),
    OutPointer("syscall_task_create", 2, 4),
    OutPointer("syscall_vm_allocate", 1, 8),
    OutPointer("syscall_vm_map", 1, 8),
]


@pytest.fixture
def guarded(rig: KernelRig) -> KernelRig:
    """A rig whose actor has a writable page, a read-only one and nothing behind."""
    memory = rig.actor.memory
    memory.allocate(READ_ONLY - PAGE, 2 * PAGE, False)
    memory.write(READ_ONLY - PAGE, bytes(2 * PAGE))
    memory.protect(READ_ONLY, PAGE, False, PROT_READ)
    return rig


def arguments_of(rig: KernelRig, trap: str, address: int) -> list[int]:
    task = rig.actor.self_name
    return {
        "syscall_mach_port_allocate": [task, Right.RECEIVE, address],
        "syscall_task_create": [task, 1, address],
        "syscall_vm_allocate": [task, address, PAGE, 1],
        "syscall_vm_map": [task, address, PAGE, 0, 1, 0, 0, 0, 3, 7, 1],
    }[trap]


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("out", OUT_POINTERS, ids=lambda out: out.trap)
def test_a_bad_out_pointer_is_an_invalid_address(guarded: KernelRig, out: OutPointer, place: str) -> None:
    arguments = arguments_of(guarded, out.trap, PLACES[place](out.octets))
    regions = guarded.actor.memory.regions()
    call = guarded.actor.trap_vm_map if out.trap == "syscall_vm_map" else guarded.actor.trap
    with guarded.unchanged():
        if out.trap == "syscall_vm_map":
            assert call(*arguments) == KernReturn.INVALID_ADDRESS
        else:
            assert call(out.trap, *arguments) == KernReturn.INVALID_ADDRESS
    assert guarded.actor.memory.regions() == regions


@pytest.mark.parametrize("offset", [1, 2, 3, 5, 7])
def test_a_misaligned_out_pointer_is_as_good_as_another(rig: KernelRig, offset: int) -> None:
    address = SCRATCH + PAGE - offset  # and it crosses into the next page
    assert rig.trap("syscall_mach_port_allocate", rig.actor.self_name, Right.RECEIVE, address) == 0
    assert rig.read_word(address) in rig.space.entries
    assert rig.trap("syscall_vm_allocate", rig.actor.self_name, address, PAGE, 1) == 0


@pytest.mark.parametrize("place", [place for place in PLACES if place not in READABLE])
def test_an_unreadable_string_is_not_printed(guarded: KernelRig, place: str) -> None:
    address = PLACES[place](8)
    if place == "crosses into unmapped":
        guarded.actor.memory.write(address, b"text")
    assert guarded.trap("mach_print", address) == KernReturn.INVALID_ADDRESS
    assert not guarded.machine.console.written


@pytest.mark.req("A-M10")
@pytest.mark.parametrize("place", [place for place in PLACES if place not in READABLE])
def test_an_unreadable_message_is_not_sent(guarded: KernelRig, place: str) -> None:
    with guarded.unchanged():
        assert guarded.trap("mach_msg_trap", PLACES[place](64), SEND, 64) == MsgReturn.SEND_INVALID_DATA


@pytest.mark.req("A-M10")
@pytest.mark.parametrize("place", PLACES)
def test_an_unwritable_buffer_loses_the_octets_of_a_message(guarded: KernelRig, place: str) -> None:
    port = guarded.actor.port()
    before = guarded.counts()
    guarded.actor.send(header(port, remote_use=MAKE_SEND, size=64) + bytes(32))
    result = guarded.trap("mach_msg_trap", PLACES[place](64), RCV, 0, 64, port)
    assert result == MsgReturn.RCV_INVALID_DATA
    after = guarded.counts()
    assert (after.frames, after.names) == (before.frames, before.names)
    assert guarded.actor.poll(port) is None, "the message is gone from the queue"


@pytest.mark.parametrize("offset", [1, 4, 7])
def test_a_misaligned_message_is_sent_and_received(rig: KernelRig, offset: int) -> None:
    port = rig.actor.port()
    rig.actor.memory.write(BUFFER + offset, header(port, remote_use=MAKE_SEND, ident=5))
    assert rig.trap("mach_msg_trap", BUFFER + offset, SEND, 32) == 0
    assert rig.trap("mach_msg_trap", SCRATCH + PAGE - offset, RCV, 0, 32, port) == 0
    assert rig.actor.received(SCRATCH + PAGE - offset).ident == 5


@pytest.mark.parametrize("stack", [0, UNMAPPED, BUFFERS_END - 8, 2**64 - 8, 2**63])
def test_vm_map_with_its_last_arguments_out_of_reach(rig: KernelRig, stack: int) -> None:
    rig.run(rig.actor)
    rig.machine.cpu.sp = stack
    with rig.unchanged():
        assert rig.trap("syscall_vm_map", rig.actor.self_name, SCRATCH, PAGE, 0, 1) == KernReturn.INVALID_ADDRESS
