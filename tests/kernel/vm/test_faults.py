"""Page faults: demand zero, protection, and what a bad access does to a task."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.hw.api import Access
from machemu.kernel.events import ExceptionRaised
from machemu.kernel.results import KernReturn
from machemu.kernel.vm.entry import PROT_ALL, PROT_DEFAULT, PROT_EXECUTE, PROT_READ
from tests.support.rig import BUFFERS_END, PAGE, UNMAPPED, VM_END, Actor, KernelRig

READ, WRITE, EXECUTE = Access.READ, Access.WRITE, Access.EXECUTE
PROT_NONE: Final = 0


def fault(rig: KernelRig, actor: Actor, address: int, access: Access) -> list[ExceptionRaised]:
    """Let the guest fault; the exceptions raised."""
    raised: list[ExceptionRaised] = []
    rig.kernel.events.exception_raised.attach(raised.append)
    rig.run(actor)
    with rig.watched():
        rig.kernel.page_fault(address, access)
    rig.kernel.events.exception_raised.detach(raised.append)
    rig.check()
    return raised


def test_a_page_has_a_frame_of_zeros_only_when_it_is_touched(rig: KernelRig) -> None:
    actor = rig.actor
    dirty = rig.kernel.pool.allocate_raw()
    rig.machine.memory.data[dirty * PAGE:(dirty + 1) * PAGE] = b"\xFF" * PAGE
    rig.kernel.pool.free(dirty)
    actor.memory.allocate(UNMAPPED, 100 * PAGE, False)
    frames = rig.kernel.pool.used
    assert actor.load(UNMAPPED + 5 * PAGE, PAGE) == bytes(PAGE)
    assert rig.kernel.pool.used == frames + 1
    assert actor.store(UNMAPPED + 5 * PAGE, b"x")
    assert rig.kernel.pool.used == frames + 1, "the frame that was read is written"
    assert actor.store(UNMAPPED + 99 * PAGE, b"x")
    assert rig.kernel.pool.used == frames + 2


@pytest.mark.parametrize(("protection", "access", "allowed"), [
    (PROT_NONE, READ, False), (PROT_NONE, WRITE, False), (PROT_NONE, EXECUTE, False), (PROT_READ, READ, True),
    (PROT_READ, WRITE, False), (PROT_READ, EXECUTE, False), (PROT_DEFAULT, WRITE, True),
    (PROT_DEFAULT, EXECUTE, False), (PROT_READ | PROT_EXECUTE, EXECUTE, True),
    (PROT_READ | PROT_EXECUTE, WRITE, False), (PROT_ALL, WRITE, True), (PROT_ALL, EXECUTE, True)])
def test_an_access_needs_its_protection(rig: KernelRig, protection: int, access: Access, allowed: bool) -> None:
    victim = rig.another()
    victim.memory.allocate(UNMAPPED, PAGE, False)
    victim.memory.protect(UNMAPPED, PAGE, False, protection)
    raised = fault(rig, victim, UNMAPPED + 8, access)
    assert victim.task.alive == allowed
    assert [(one.kind, one.code, one.subcode) for one in raised] == (
        [] if allowed else [("bad_access", KernReturn.PROTECTION_FAILURE, UNMAPPED + 8)])


@pytest.mark.req("A-M01")
@pytest.mark.parametrize("address", [0, 8, UNMAPPED, BUFFERS_END, VM_END - 1, VM_END, 2**63, 2**64 - 1])
@pytest.mark.parametrize("access", [READ, WRITE, EXECUTE])
def test_an_access_to_nothing_ends_the_task_alone(rig: KernelRig, address: int, access: Access) -> None:
    victim = rig.another()
    number = victim.task.number
    raised = fault(rig, victim, address, access)
    assert [(one.task, one.kind, one.code, one.subcode) for one in raised] == [
        (number, "bad_access", KernReturn.INVALID_ADDRESS, address)]
    assert not victim.task.alive
    assert f"task {number} ".encode() in rig.machine.console.written
    assert rig.trap("mach_task_self") == rig.actor.self_name, "the node goes on"
    assert rig.machine.halted is None


def test_no_frame_is_left(rig: KernelRig) -> None:
    victim = rig.another()
    victim.memory.allocate(UNMAPPED, PAGE, False)
    with rig.frames_left(0):
        raised = fault(rig, victim, UNMAPPED, READ)
        assert [one.code for one in raised] == [KernReturn.RESOURCE_SHORTAGE]
        assert not victim.task.alive
        assert rig.actor.store(BUFFERS_END - PAGE, b"x"), "what others have they keep"


def test_changing_protection_takes_effect_on_mapped_pages(rig: KernelRig) -> None:
    victim = rig.another()
    victim.memory.allocate(UNMAPPED, 2 * PAGE, False)
    victim.store(UNMAPPED, bytes(2 * PAGE))
    victim.memory.protect(UNMAPPED, PAGE, False, PROT_READ)
    assert UNMAPPED // PAGE not in victim.memory.space.writable
    assert victim.store(UNMAPPED + PAGE, b"x")
    victim.memory.protect(UNMAPPED, PAGE, False, PROT_DEFAULT)
    assert victim.store(UNMAPPED, b"back")
    victim.memory.protect(UNMAPPED, PAGE, False, PROT_NONE)
    assert victim.load(UNMAPPED, 1) is None


def test_deallocated_pages_are_out_of_reach_and_come_back_as_zeros(rig: KernelRig) -> None:
    actor = rig.actor
    actor.memory.allocate(UNMAPPED, PAGE, False)
    actor.store(UNMAPPED, b"secret")
    actor.memory.deallocate(UNMAPPED, PAGE)
    assert UNMAPPED // PAGE not in actor.memory.space.readable
    actor.memory.allocate(UNMAPPED, PAGE, False)
    assert actor.load(UNMAPPED, 6) == bytes(6)


# -- code ------------------------------------------------------------------------------------------


def executable(rig: KernelRig, actor: Actor) -> int:
    """A page that was executed; its frame."""
    actor.memory.allocate(UNMAPPED, PAGE, False)
    actor.store(UNMAPPED, b"code")
    actor.memory.protect(UNMAPPED, PAGE, False, PROT_ALL)
    fault(rig, actor, UNMAPPED, EXECUTE)
    return actor.memory.space.readable[UNMAPPED // PAGE] // PAGE


def test_the_kernels_writes_void_translated_code(rig: KernelRig) -> None:
    actor = rig.actor
    frame = executable(rig, actor)
    actor.memory.allocate(UNMAPPED - PAGE, PAGE, False)
    for address, octets in ((UNMAPPED, b"new!"), (UNMAPPED - PAGE, b"new!" * 1025)):
        rig.machine.memory.invalidated.clear()
        actor.memory.write(address, octets)
        assert rig.machine.memory.invalidated == [frame]


def test_a_frame_that_held_code_is_voided_for_its_next_owner(rig: KernelRig) -> None:
    actor = rig.actor
    frame = executable(rig, actor)
    actor.memory.deallocate(UNMAPPED, PAGE)
    rig.machine.memory.invalidated.clear()
    actor.memory.allocate(UNMAPPED, PAGE, False)
    actor.store(UNMAPPED, b"data")
    assert actor.memory.space.readable[UNMAPPED // PAGE] // PAGE == frame, "the frame freed last"
    assert rig.machine.memory.invalidated == [frame]


def test_memory_that_becomes_executable_again_is_voided(rig: KernelRig) -> None:
    """It may have been written by the guest meanwhile, which nobody saw."""
    actor = rig.actor
    frame = executable(rig, actor)
    actor.memory.protect(UNMAPPED, PAGE, False, PROT_DEFAULT)
    actor.store(UNMAPPED, b"anew")
    rig.machine.memory.invalidated.clear()
    actor.memory.protect(UNMAPPED, PAGE, False, PROT_READ | PROT_EXECUTE)
    fault(rig, actor, UNMAPPED, EXECUTE)
    assert frame in rig.machine.memory.invalidated
