"""vm_wire (mach-abi.md 6.3): pages that stay in memory."""

from __future__ import annotations

import pytest

from machemu.kernel.results import KernReturn
from tests.support.pagers import DefaultPager
from tests.support.rig import COPY_SEND, PAGE, UNMAPPED, Actor, Give, KernelRig

VM_WIRE = 2636
MIB = 1 << 20


def wire(rig: KernelRig, actor: Actor, address: int, size: int, access: int, *, privileged: bool = True) -> int:
    kernel = rig.kernel
    host = rig.name_of(actor, kernel.host_privileged if privileged else kernel.host)
    return actor.rpc(host, VM_WIRE, Give(actor.self_name, COPY_SEND), address, size, access)[0]


def test_wired_pages_stay_when_others_are_paged_out() -> None:
    rig = KernelRig(frames=128)
    manager = DefaultPager(rig)
    actor = rig.actor
    base = actor.memory.allocate(0, 4 * PAGE, True)
    assert wire(rig, actor, base, 4 * PAGE, 3) == KernReturn.SUCCESS
    assert len(rig.kernel.pool.pins) == 4
    other = actor.memory.allocate(0, 200 * PAGE, True)
    with rig.checked_at_the_end():
        for page in range(200):
            assert manager.let(actor, other + page * PAGE, b"x")
    before = len(manager.news)
    assert manager.let(actor, base + 3 * PAGE) == b"\0"
    assert len(manager.news) == before


@pytest.mark.parametrize("end", ["unwire", "deallocate", "end"])
def test_wired_pages_are_let_go(rig: KernelRig, end: str) -> None:
    actor = rig.another()
    base = actor.memory.allocate(0, 3 * PAGE, True)
    assert wire(rig, actor, base + 5, 2 * PAGE, 1) == KernReturn.SUCCESS  # rounded outward
    assert len(rig.kernel.pool.pins) == 3
    assert wire(rig, actor, base, 2 * PAGE, 3) == KernReturn.SUCCESS  # again: no change
    if end == "unwire":
        assert wire(rig, actor, base, PAGE, 0) == KernReturn.SUCCESS
        assert len(rig.kernel.pool.pins) == 2
        assert wire(rig, actor, base, 3 * PAGE, 0) == KernReturn.SUCCESS
    elif end == "deallocate":
        actor.memory.deallocate(base, 3 * PAGE)
    else:
        rig.kernel.terminate_task(actor.task, None, "test")
    assert not rig.kernel.pool.pins
    rig.check()


@pytest.mark.parametrize(("address", "size", "access", "refusal"), [
    pytest.param(UNMAPPED, PAGE, 1, KernReturn.INVALID_ADDRESS, id="unmapped"),
    pytest.param(2**63, PAGE, 1, KernReturn.INVALID_ADDRESS, id="no address"),
    pytest.param(0, PAGE, 2, KernReturn.PROTECTION_FAILURE, id="read-only"),
    pytest.param(0, PAGE, 8, KernReturn.INVALID_ARGUMENT, id="no access"),
])
def test_refusal_wires_nothing(rig: KernelRig, address: int, size: int, access: int, refusal: int) -> None:
    base = rig.actor.memory.allocate(0, PAGE, True)
    rig.actor.memory.protect(base, PAGE, False, 1)
    assert wire(rig, rig.actor, address or base, size, access) == refusal
    assert not rig.kernel.pool.pins


def test_unprivileged_host_wires_little(rig: KernelRig) -> None:
    actor = rig.actor
    base = actor.memory.allocate(0, 16 * MIB, True)
    assert wire(rig, actor, base, 8 * MIB + 1, 1, privileged=False) == KernReturn.NO_ACCESS
    assert wire(rig, actor, base, PAGE, 1, privileged=False) == KernReturn.SUCCESS
    assert wire(rig, actor, base + PAGE, 8 * MIB, 1, privileged=False) == KernReturn.NO_ACCESS


def test_only_a_task_can_be_wired(rig: KernelRig) -> None:
    host = rig.host_privileged(rig.actor)
    assert rig.actor.rpc(host, VM_WIRE, Give(host, COPY_SEND), 0, PAGE, 1)[0] == KernReturn.INVALID_TASK
