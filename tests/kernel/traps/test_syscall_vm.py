"""The shortcut traps on memory: vm_allocate, vm_deallocate, vm_map."""

from __future__ import annotations

import pytest

from machemu.kernel.results import KernReturn
from tests.support.rig import (
    BUFFER,
    BUFFERS_END,
    DEAD,
    NULL,
    PAGE,
    SCRATCH,
    UNMAPPED,
    VM_END,
    Actor,
    KernelRig,
)

ALLOCATE, DEALLOCATE = "syscall_vm_allocate", "syscall_vm_deallocate"
READ_WRITE, ALL, COPY = 3, 7, 1


def put_address(actor: Actor, address: int) -> None:
    actor.memory.write(SCRATCH, (address % 2**64).to_bytes(8, "little"))


def address_of(actor: Actor) -> int:
    return int.from_bytes(actor.memory.read(SCRATCH, 8), "little")


def allocate(actor: Actor, address: int, size: int, anywhere: int = 0) -> int | str:
    put_address(actor, address)
    return actor.trap(ALLOCATE, actor.self_name, SCRATCH, size, anywhere)


def map_zeros(actor: Actor, address: int, size: int, mask: int = 0, anywhere: int = 0, *, name: int = NULL,
              offset: int = 0, copy: int = 0, current: int = READ_WRITE, maximum: int = ALL,
              inherit: int = COPY) -> int | str:
    put_address(actor, address)
    return actor.trap_vm_map(actor.self_name, SCRATCH, size, mask, anywhere, name, offset, copy, current, maximum,
                             inherit)


@pytest.mark.req("A-M02")
@pytest.mark.parametrize(("asked", "size", "start", "pages"), [
    (UNMAPPED, PAGE, UNMAPPED, 1), (UNMAPPED + 5, 1, UNMAPPED, 1), (UNMAPPED, PAGE + 1, UNMAPPED, 2),
    (VM_END - PAGE, PAGE, VM_END - PAGE, 1), (0, PAGE, 0, 1), (BUFFERS_END, 3 * PAGE, BUFFERS_END, 3)])
def test_memory_at_an_address_is_rounded_to_pages(
    rig: KernelRig, asked: int, size: int, start: int, pages: int
) -> None:
    assert allocate(rig.actor, asked, size) == 0
    assert address_of(rig.actor) == start
    region = rig.actor.memory.region(start)
    assert (region.start, region.size) == (start, pages * PAGE)
    assert (region.protection, region.max_protection, region.inheritance) == (READ_WRITE, ALL, COPY)
    assert rig.actor.load(start, 16) == bytes(16)


def test_memory_anywhere_ignores_the_address_and_comes_low(rig: KernelRig) -> None:
    places = []
    for asked in (UNMAPPED, 2**64 - 1, BUFFER):
        assert allocate(rig.actor, asked, PAGE, anywhere=1) == 0
        places.append(address_of(rig.actor))
    assert all(place < BUFFER for place in places)
    assert len(set(places)) == 3


@pytest.mark.req("A-M02")
@pytest.mark.parametrize(("address", "size", "anywhere", "refusal"), [
    pytest.param(BUFFER, PAGE, 0, KernReturn.NO_SPACE, id="occupied"),
    pytest.param(BUFFER - PAGE, 2 * PAGE, 0, KernReturn.NO_SPACE, id="its end is occupied"),
    pytest.param(0, VM_END, 0, KernReturn.NO_SPACE, id="everything, but there is something"),
    pytest.param(VM_END, PAGE, 0, KernReturn.INVALID_ADDRESS, id="outside the map"),
    pytest.param(VM_END - PAGE, 2 * PAGE, 0, KernReturn.INVALID_ADDRESS, id="reaches outside"),
    pytest.param(UNMAPPED, 2**64 - 1, 0, KernReturn.INVALID_ADDRESS, id="size wraps"),
    pytest.param(2**64 - PAGE, PAGE, 0, KernReturn.INVALID_ADDRESS, id="last page of all"),
    pytest.param(2**63, 2**63, 0, KernReturn.INVALID_ADDRESS, id="wraps"),
    pytest.param(0, VM_END, 1, KernReturn.NO_SPACE, id="anywhere, as much as there is"),
    pytest.param(0, 2**64 - 1, 1, KernReturn.NO_SPACE, id="anywhere, more than there is"),
    pytest.param(0, 2**63, 1, KernReturn.NO_SPACE, id="anywhere, sign bit"),
])
def test_memory_that_cannot_be_had(rig: KernelRig, address: int, size: int, anywhere: int, refusal: int) -> None:
    regions = rig.actor.memory.regions()
    with rig.unchanged():
        assert allocate(rig.actor, address, size, anywhere) == refusal
    assert rig.actor.memory.regions() == regions
    assert address_of(rig.actor) == address, "out values are stored only on success"


def test_no_octets_are_at_address_zero(rig: KernelRig) -> None:
    for anywhere in (0, 1):
        assert allocate(rig.actor, UNMAPPED, 0, anywhere) == 0
        assert address_of(rig.actor) == 0
    assert rig.actor.memory.entry_at(0) is None


def test_memory_of_another_task(rig: KernelRig) -> None:
    other = rig.another()
    name = rig.name_of(rig.actor, other.task)
    put_address(rig.actor, UNMAPPED)
    assert rig.trap(ALLOCATE, name, SCRATCH, PAGE, 0) == 0
    other.memory.write(UNMAPPED, b"theirs")
    assert rig.actor.memory.entry_at(UNMAPPED) is None
    assert rig.trap(DEALLOCATE, name, UNMAPPED, PAGE) == 0
    assert other.memory.entry_at(UNMAPPED) is None


@pytest.mark.req("A-M02")
@pytest.mark.parametrize(("address", "size", "freed"), [
    (UNMAPPED, 3 * PAGE, [0, 1, 2]), (UNMAPPED + PAGE, PAGE, [1]), (UNMAPPED + PAGE - 1, 2, [0, 1]),
    (UNMAPPED + 100, 1, [0]), (UNMAPPED - PAGE, 2 * PAGE, [0]), (UNMAPPED, 0, []),
    (UNMAPPED - PAGE, 9 * PAGE, [0, 1, 2]),
])
def test_deallocate_frees_whole_pages_and_passes_over_holes(
    rig: KernelRig, address: int, size: int, freed: list[int]
) -> None:
    actor = rig.actor
    frames = rig.kernel.pool.used
    actor.memory.allocate(UNMAPPED, 3 * PAGE, False)
    actor.memory.write(UNMAPPED, bytes(3 * PAGE))
    assert rig.trap(DEALLOCATE, actor.self_name, address, size) == 0
    gone = [page for page in range(3) if actor.memory.entry_at(UNMAPPED + page * PAGE) is None]
    assert gone == freed
    assert rig.kernel.pool.used == frames + 3 - len(freed)


@pytest.mark.parametrize(("address", "size"), [(2**64 - PAGE, 2 * PAGE), (UNMAPPED, 2**64 - 1)])
def test_deallocating_a_range_that_wraps_frees_nothing(rig: KernelRig, address: int, size: int) -> None:
    rig.actor.memory.allocate(UNMAPPED, PAGE, False)
    regions = rig.actor.memory.regions()
    with rig.unchanged():
        assert rig.trap(DEALLOCATE, rig.actor.self_name, address, size) == KernReturn.INVALID_ADDRESS
    assert rig.actor.memory.regions() == regions


def test_deallocating_the_buffer_of_the_trap_itself(rig: KernelRig) -> None:
    """Everything goes; the thread lives on without memory."""
    assert rig.trap(DEALLOCATE, rig.actor.self_name, 0, VM_END) == 0
    assert not rig.actor.memory.regions()
    assert rig.trap("mach_task_self") == rig.actor.self_name


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("name", [NULL, DEAD])
def test_a_map_without_an_object_is_zeros(rig: KernelRig, name: int) -> None:
    assert map_zeros(rig.actor, UNMAPPED + 7, PAGE + 1, name=name, offset=5, copy=1, current=1, maximum=3,
                     inherit=2) == 0
    region = rig.actor.memory.region(UNMAPPED)
    assert (region.start, region.size) == (UNMAPPED, 2 * PAGE)
    assert (region.protection, region.max_protection, region.inheritance) == (1, 3, 2)
    assert rig.actor.load(UNMAPPED, 2 * PAGE) == bytes(2 * PAGE)
    assert not rig.actor.store(UNMAPPED, b"x"), "it was mapped for reading"


@pytest.mark.parametrize("mask", [PAGE - 1, 0xFFFF, 0xFF_FFFF, 0x10_0000])
def test_a_mask_names_the_address_bits_that_must_be_zero(rig: KernelRig, mask: int) -> None:
    for _ in range(3):
        assert map_zeros(rig.actor, 0, PAGE, mask, anywhere=1) == 0
        assert address_of(rig.actor) & mask == 0
        assert address_of(rig.actor) != 0
    assert map_zeros(rig.actor, UNMAPPED, PAGE, mask) == 0
    assert address_of(rig.actor) == UNMAPPED


@pytest.mark.req("A-M02")
@pytest.mark.parametrize(("arguments", "refusal"), [
    pytest.param({"size": 0}, KernReturn.INVALID_ARGUMENT, id="no octets"),
    pytest.param({"current": 8}, KernReturn.INVALID_ARGUMENT, id="unknown protection"),
    pytest.param({"maximum": 0x10}, KernReturn.INVALID_ARGUMENT, id="unknown maximum"),
    pytest.param({"current": 2**31}, KernReturn.INVALID_ARGUMENT, id="sign bit of the protection"),
    pytest.param({"inherit": 3}, KernReturn.INVALID_ARGUMENT, id="unknown inheritance"),
    pytest.param({"inherit": 2**32 - 1}, KernReturn.INVALID_ARGUMENT, id="inheritance of -1"),
    pytest.param({"mask": 0x10_0000, "address": UNMAPPED + 0x10_0000}, KernReturn.NO_SPACE, id="bits of the mask"),
    pytest.param({"address": BUFFER}, KernReturn.NO_SPACE, id="occupied"),
    pytest.param({"address": VM_END}, KernReturn.INVALID_ADDRESS, id="outside"),
    pytest.param({"address": 2**64 - PAGE}, KernReturn.INVALID_ADDRESS, id="last page of all"),
    pytest.param({"size": 2**64 - 1}, KernReturn.INVALID_ADDRESS, id="too much"),
    pytest.param({"size": 2**64 - 1, "anywhere": 1}, KernReturn.NO_SPACE, id="too much anywhere"),
    pytest.param({"mask": 2**64 - PAGE, "anywhere": 1}, KernReturn.NO_SPACE, id="only address 0 would do"),
])
def test_a_map_that_cannot_be_had(rig: KernelRig, arguments: dict[str, int], refusal: int) -> None:
    regions = rig.actor.memory.regions()
    with rig.unchanged():
        assert map_zeros(rig.actor, **({"address": UNMAPPED, "size": PAGE} | arguments)) == refusal
    assert rig.actor.memory.regions() == regions


def test_the_current_protection_may_exceed_the_maximum(rig: KernelRig) -> None:
    assert map_zeros(rig.actor, UNMAPPED, PAGE, current=7, maximum=1) == 0
