"""vm_ calls by message: their errors and their huge, negative and wrapping arguments.  What
memory does is tested in `vm`."""

from __future__ import annotations

import pytest

from machemu.kernel.results import KernReturn
from tests.support.rig import (
    BUFFER,
    BUFFERS_END,
    COPY_SEND,
    DEAD,
    PAGE,
    SCRATCH,
    UNMAPPED,
    VM_END,
    Actor,
    At,
    Give,
    KernelRig,
    Region,
)

ALLOCATE, DEALLOCATE, PROTECT, INHERIT, READ, WRITE, COPY, REGION = 2021, 2023, 2024, 2025, 2026, 2027, 2028, 2029
STATISTICS, MAP, MACHINE_ATTRIBUTE = 2030, 2089, 2099
INVALID_ADDRESS, INVALID_ARGUMENT = KernReturn.INVALID_ADDRESS, KernReturn.INVALID_ARGUMENT
PROTECTION_FAILURE, NO_SPACE = KernReturn.PROTECTION_FAILURE, KernReturn.NO_SPACE
READ_WRITE, ALL = 3, 7


def code_of(actor: Actor, ident: int, *arguments: object) -> int:
    return actor.rpc(actor.self_name, ident, *arguments)[0]


def mapped(actor: Actor) -> list[tuple[int, int]]:
    return [(region.start, region.size) for region in actor.memory.regions()]


@pytest.fixture
def pages(rig: KernelRig) -> Actor:
    """An actor with four pages at UNMAPPED, the last but one read-only, and nothing behind."""
    actor = rig.actor
    actor.memory.allocate(UNMAPPED, 4 * PAGE, False)
    actor.store(UNMAPPED, b"".join(bytes([65 + number]) * PAGE for number in range(4)))
    actor.call(PROTECT, UNMAPPED + 2 * PAGE, PAGE, 0, 1)
    return actor


# -- allocate, deallocate ---------------------------------------------------------------------------


def test_allocate_and_deallocate(rig: KernelRig) -> None:
    actor = rig.actor
    before = mapped(actor)
    (low,) = actor.call(ALLOCATE, 12345, 3 * PAGE, 1)
    (fixed,) = actor.call(ALLOCATE, UNMAPPED + 5, 1, 0)
    assert fixed == UNMAPPED
    actor.store(low, bytes(3 * PAGE))
    actor.store(fixed, b"x")
    actor.call(DEALLOCATE, low, 3 * PAGE)
    actor.call(DEALLOCATE, fixed, PAGE)
    assert mapped(actor) == before
    assert actor.call(ALLOCATE, 5, 0, 1) == (0,)


@pytest.mark.parametrize(("address", "size", "anywhere", "refusal"), [
    pytest.param(BUFFER, PAGE, 0, NO_SPACE, id="occupied"),
    pytest.param(VM_END, PAGE, 0, INVALID_ADDRESS, id="outside"),
    pytest.param(VM_END - PAGE, 2 * PAGE, 0, INVALID_ADDRESS, id="reaches outside"),
    pytest.param(0, VM_END, 1, NO_SPACE, id="as much as there is"),
    pytest.param(2**64 - 16 * PAGE, PAGE, 0, INVALID_ADDRESS, id="address of the upper half"),
    pytest.param(2**63, PAGE, 0, INVALID_ADDRESS, id="sign bit"),
    pytest.param(UNMAPPED, 2**64 - 1, 0, INVALID_ADDRESS, id="size of -1"),
    pytest.param(UNMAPPED, 2**64 - 2 * PAGE, 0, INVALID_ADDRESS, id="size of -2 pages"),
    pytest.param(UNMAPPED, 2**63, 0, INVALID_ADDRESS, id="size with the sign bit"),
    pytest.param(0, 2**64 - 1, 1, NO_SPACE, id="anywhere, size of -1"),
    pytest.param(0, 2**63, 1, NO_SPACE, id="anywhere, size with the sign bit"),
])
def test_memory_that_cannot_be_had(rig: KernelRig, address: int, size: int, anywhere: int, refusal: int) -> None:
    before = mapped(rig.actor)
    with rig.unchanged():
        assert code_of(rig.actor, ALLOCATE, address, size, anywhere) == refusal
    assert mapped(rig.actor) == before


@pytest.mark.parametrize(("address", "size"), [
    (2**64 - PAGE, 2 * PAGE), (UNMAPPED, 2**64 - 1)])
def test_deallocating_a_range_that_wraps_is_refused(pages: Actor, address: int, size: int) -> None:
    before = mapped(pages)
    assert code_of(pages, DEALLOCATE, address, size) == INVALID_ADDRESS
    assert mapped(pages) == before


@pytest.mark.parametrize(("address", "size"), [(2**64 - PAGE, PAGE), (2**63, PAGE), (VM_END, VM_END), (0, 0)])
def test_deallocating_where_nothing_is(pages: Actor, address: int, size: int) -> None:
    before = mapped(pages)
    assert code_of(pages, DEALLOCATE, address, size) == 0
    assert mapped(pages) == before


# -- protect, inherit ----------------------------------------------------------------------------------


def protections(actor: Actor) -> list[tuple[int, int]]:
    """Current and maximum of the four pages."""
    found = []
    for number in range(4):
        region = actor.memory.region(UNMAPPED + number * PAGE)
        found.append((region.protection, region.max_protection))
    return found


def test_protect_changes_a_range_only(pages: Actor) -> None:
    pages.call(PROTECT, UNMAPPED + PAGE, PAGE, 0, 5)
    assert protections(pages) == [(3, 7), (5, 7), (1, 7), (3, 7)]
    assert pages.load(UNMAPPED + PAGE, 1) == b"B"
    assert not pages.store(UNMAPPED + PAGE, b"x")


def test_a_lowered_maximum_lowers_the_current_protection(pages: Actor) -> None:
    pages.call(PROTECT, UNMAPPED, 4 * PAGE, 1, 5)
    assert protections(pages) == [(1, 5)] * 4
    assert code_of(pages, PROTECT, UNMAPPED, PAGE, 0, 3) == PROTECTION_FAILURE
    assert code_of(pages, PROTECT, UNMAPPED, PAGE, 1, 7) == PROTECTION_FAILURE, "it never rises again"
    assert code_of(pages, PROTECT, UNMAPPED, PAGE, 0, 4) == 0


def test_all_is_checked_before_anything_changes(pages: Actor) -> None:
    pages.call(PROTECT, UNMAPPED + 3 * PAGE, PAGE, 1, 1)
    before = protections(pages)
    assert code_of(pages, PROTECT, UNMAPPED, 4 * PAGE, 0, 3) == PROTECTION_FAILURE
    assert protections(pages) == before


@pytest.mark.parametrize("protection", [8, 16, 2**31 - 1, -1])
def test_unknown_protections(pages: Actor, protection: int) -> None:
    before = protections(pages)
    for set_maximum in (0, 1):
        assert code_of(pages, PROTECT, UNMAPPED, PAGE, set_maximum, protection) == INVALID_ARGUMENT
    assert protections(pages) == before


@pytest.mark.parametrize(("address", "size", "changed"), [
    (UNMAPPED + 3 * PAGE, 9 * PAGE, [3]), (UNMAPPED - 9 * PAGE, 10 * PAGE, [0]), (0x6000_0000, VM_END, [0, 1, 2, 3]),
    (UNMAPPED + PAGE - 1, 2, [0, 1]), (UNMAPPED, 0, []), (VM_END, PAGE, []), (0x6000_0000, PAGE, [])])
def test_holes_and_parts_beyond_the_map_are_ignored(pages: Actor, address: int, size: int, changed: list[int]) -> None:
    assert code_of(pages, PROTECT, address, size, 0, 0) == 0
    assert code_of(pages, INHERIT, address, size, 2) == 0
    assert [number for number in range(4) if protections(pages)[number][0] == 0] == changed
    regions = [pages.memory.region(UNMAPPED + number * PAGE) for number in range(4)]
    assert [number for number in range(4) if regions[number].inheritance == 2] == changed


@pytest.mark.parametrize("inheritance", [3, 4, -1, 2**31 - 1])
def test_unknown_inheritances(pages: Actor, inheritance: int) -> None:
    assert code_of(pages, INHERIT, UNMAPPED, PAGE, inheritance) == INVALID_ARGUMENT
    assert pages.memory.region(UNMAPPED).inheritance == 1


# -- read, write, copy ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "octets"), [(0, 1), (5, PAGE), (PAGE - 1, 2), (0, 4 * PAGE), (3, 3 * PAGE)])
def test_read_gives_a_copy_at_any_alignment(pages: Actor, offset: int, octets: int) -> None:
    expected = pages.load(UNMAPPED + offset, octets)
    (region,) = pages.call(READ, UNMAPPED + offset, octets)
    assert isinstance(region, Region)
    pages.store(UNMAPPED, b"z" * PAGE)
    assert pages.load(region.address, octets) == expected
    assert region.address % PAGE == offset % PAGE


def test_reading_nothing(pages: Actor) -> None:
    assert pages.call(READ, 0, 0) == (Region(0, b""),)


@pytest.mark.parametrize(("address", "size", "refusal"), [
    (UNMAPPED + 4 * PAGE, 1, INVALID_ADDRESS), (UNMAPPED, 4 * PAGE + 1, INVALID_ADDRESS), (0, 1, INVALID_ADDRESS),
    (VM_END - 1, 2, INVALID_ADDRESS), (2**63, 8, INVALID_ADDRESS), (2**64 - 4, 8, INVALID_ADDRESS)])
def test_what_cannot_be_read(pages: Actor, address: int, size: int, refusal: int) -> None:
    with pages.rig.unchanged():
        assert code_of(pages, READ, address, size) == refusal


@pytest.mark.parametrize("size", [2**32, 2**63, 2**64 - 1])
def test_more_than_a_count_can_say_is_not_read(pages: Actor, size: int) -> None:
    pages.memory.allocate(0x8000_0000, 2**33, False)
    with pages.rig.unchanged():
        assert code_of(pages, READ, 0x8000_0000, size) in (INVALID_ARGUMENT, INVALID_ADDRESS)


def test_read_needs_leave_to_read(pages: Actor) -> None:
    pages.call(PROTECT, UNMAPPED + PAGE, PAGE, 0, 0)
    for size in (PAGE + 1, 4 * PAGE):
        assert code_of(pages, READ, UNMAPPED, size) == PROTECTION_FAILURE


def test_write_changes_whole_pages(pages: Actor) -> None:
    pages.call(WRITE, UNMAPPED, b"w" * 2 * PAGE)
    assert pages.load(UNMAPPED, 2 * PAGE + 1) == b"w" * 2 * PAGE + b"C"
    assert code_of(pages, WRITE, UNMAPPED, b"") == 0


@pytest.mark.parametrize(("address", "octets", "refusal"), [
    (UNMAPPED + 8, PAGE, INVALID_ARGUMENT), (UNMAPPED, 100, INVALID_ARGUMENT), (UNMAPPED, PAGE + 8, INVALID_ARGUMENT),
    (UNMAPPED + PAGE, 2 * PAGE, PROTECTION_FAILURE), (UNMAPPED + 3 * PAGE, 2 * PAGE, INVALID_ADDRESS),
    (0, PAGE, INVALID_ADDRESS), (2**64 - PAGE, 2 * PAGE, INVALID_ADDRESS), (VM_END, PAGE, INVALID_ADDRESS)])
def test_what_cannot_be_written(pages: Actor, address: int, octets: int, refusal: int) -> None:
    before = pages.load(UNMAPPED, 4 * PAGE)
    with pages.rig.unchanged():
        assert code_of(pages, WRITE, address, At(BUFFER, octets)) == refusal
    assert pages.load(UNMAPPED, 4 * PAGE) == before


def test_copy_within_a_task(pages: Actor) -> None:
    pages.call(COPY, UNMAPPED + 2 * PAGE, PAGE, UNMAPPED)
    assert pages.load(UNMAPPED, PAGE + 1) == b"C" * PAGE + b"B"
    pages.call(COPY, UNMAPPED, 2 * PAGE, BUFFERS_END - 2 * PAGE)
    assert pages.load(BUFFERS_END - 2 * PAGE, 2 * PAGE) == b"C" * PAGE + b"B" * PAGE
    assert code_of(pages, COPY, UNMAPPED, 0, UNMAPPED + PAGE) == 0


def test_a_copy_onto_itself_shifted(pages: Actor) -> None:
    pages.call(COPY, UNMAPPED, PAGE, UNMAPPED)
    pages.call(PROTECT, UNMAPPED, 4 * PAGE, 0, 3)
    pages.call(COPY, UNMAPPED, 3 * PAGE, UNMAPPED + PAGE)
    assert pages.load(UNMAPPED, 4 * PAGE) == b"".join(bytes([letter]) * PAGE for letter in b"AABC")


@pytest.mark.parametrize(("source", "size", "target", "refusal"), [
    (UNMAPPED + 1, PAGE, BUFFER, INVALID_ARGUMENT), (UNMAPPED, PAGE + 1, BUFFER, INVALID_ARGUMENT),
    (UNMAPPED, PAGE, BUFFER + 1, INVALID_ARGUMENT), (UNMAPPED, PAGE, UNMAPPED + 2 * PAGE, PROTECTION_FAILURE),
    (UNMAPPED + 3 * PAGE, 2 * PAGE, BUFFER, INVALID_ADDRESS), (UNMAPPED, 4 * PAGE, UNMAPPED + PAGE, PROTECTION_FAILURE),
    (BUFFER, PAGE, UNMAPPED + 4 * PAGE, INVALID_ADDRESS), (2**64 - PAGE, 2 * PAGE, BUFFER, INVALID_ADDRESS),
    (UNMAPPED, PAGE, 2**63, INVALID_ADDRESS), (UNMAPPED, 2**64 - PAGE, BUFFER, INVALID_ADDRESS)])
def test_what_cannot_be_copied(pages: Actor, source: int, size: int, target: int, refusal: int) -> None:
    before = pages.load(UNMAPPED, 4 * PAGE)
    assert code_of(pages, COPY, source, size, target) == refusal
    assert pages.load(UNMAPPED, 4 * PAGE) == before


# -- region, map, the rest -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "start"), [(0, BUFFER), (BUFFER + 5, BUFFER), (BUFFERS_END, UNMAPPED),
                                              (UNMAPPED + 2 * PAGE, UNMAPPED + 2 * PAGE)])
def test_region_tells_of_the_next_one(pages: Actor, asked: int, start: int) -> None:
    address, size, protection, maximum, inheritance, shared, name, _ = pages.call(REGION, asked)
    expected = pages.memory.region(start)
    assert (address, size, protection, maximum, inheritance) == (
        start, expected.size, expected.protection, expected.max_protection, expected.inheritance)
    assert (shared, name) == (0, 0)


@pytest.mark.parametrize("address", [UNMAPPED + 4 * PAGE, VM_END, 2**63, 2**64 - 1])
def test_behind_the_last_region_there_is_none(pages: Actor, address: int) -> None:
    assert code_of(pages, REGION, address) == NO_SPACE


def map_arguments(**changed: object) -> tuple[object, ...]:
    arguments = {"address": UNMAPPED, "size": PAGE, "mask": 0, "anywhere": 0, "object": None, "offset": 0, "copy": 0,
                 "current": READ_WRITE, "maximum": ALL, "inherit": 1}
    return tuple((arguments | changed).values())


@pytest.mark.parametrize("name", [None, Give(DEAD, COPY_SEND)])
def test_map_of_no_object_is_zeros(rig: KernelRig, name: object) -> None:
    (address,) = rig.actor.call(MAP, *map_arguments(object=name, size=PAGE + 1, current=1))
    assert address == UNMAPPED
    assert rig.actor.load(UNMAPPED, 2 * PAGE) == bytes(2 * PAGE)


@pytest.mark.parametrize(("changed", "refusal"), [
    pytest.param({"size": 0}, INVALID_ARGUMENT, id="no octets"),
    pytest.param({"current": 8}, INVALID_ARGUMENT, id="unknown protection"),
    pytest.param({"maximum": -1}, INVALID_ARGUMENT, id="maximum of -1"),
    pytest.param({"inherit": 3}, INVALID_ARGUMENT, id="unknown inheritance"),
    pytest.param({"inherit": -1}, INVALID_ARGUMENT, id="inheritance of -1"),
    pytest.param({"address": BUFFER}, NO_SPACE, id="occupied"),
    pytest.param({"mask": 0x10_0000, "address": UNMAPPED + 0x10_0000}, NO_SPACE, id="bits of the mask"),
    pytest.param({"address": VM_END}, INVALID_ADDRESS, id="outside"),
    pytest.param({"address": 2**64 - PAGE}, INVALID_ADDRESS, id="last page of all"),
    pytest.param({"size": 2**64 - 1}, INVALID_ADDRESS, id="size of -1"),
    pytest.param({"size": 2**63, "anywhere": 1}, NO_SPACE, id="anywhere, sign bit"),
    pytest.param({"mask": 2**64 - PAGE, "anywhere": 1}, NO_SPACE, id="only address 0 would do"),
])
def test_a_map_that_cannot_be_had(rig: KernelRig, changed: dict[str, object], refusal: int) -> None:
    before = mapped(rig.actor)
    with rig.unchanged():
        assert code_of(rig.actor, MAP, *map_arguments(**changed)) == refusal
    assert mapped(rig.actor) == before


@pytest.mark.parametrize("kind", ["task", "thread", "host"])
def test_a_kernel_object_that_is_no_memory(rig: KernelRig, kind: str) -> None:
    name = {"task": rig.actor.self_name, "thread": rig.trap("mach_thread_self"),
            "host": rig.trap("mach_host_self")}[kind]
    before = mapped(rig.actor)
    with rig.unchanged():
        assert code_of(rig.actor, MAP, *map_arguments(object=Give(name, COPY_SEND))) == INVALID_ARGUMENT
    assert mapped(rig.actor) == before


def test_statistics_count_frames(rig: KernelRig) -> None:
    (words,) = rig.actor.call(STATISTICS)
    assert (words[0], len(words)) == (PAGE, 13)
    rig.actor.memory.allocate(UNMAPPED, 3 * PAGE, False)
    rig.actor.store(UNMAPPED, bytes(3 * PAGE))
    (after,) = rig.actor.call(STATISTICS)
    assert after[1] == words[1] - 3
    assert after[9] == words[9] + 3, "page faults"


@pytest.mark.parametrize(("attribute", "value", "code"), [
    (1, 6, 0), (1, 7, 0), (1, 8, 0), (1, 0, INVALID_ARGUMENT), (2, 6, INVALID_ARGUMENT), (0, 0, INVALID_ARGUMENT)])
def test_caches_can_be_flushed(rig: KernelRig, attribute: int, value: int, code: int) -> None:
    assert code_of(rig.actor, MACHINE_ATTRIBUTE, SCRATCH, PAGE, attribute, value) == code


def test_another_task_is_served_as_ones_own(rig: KernelRig) -> None:
    other = rig.another()
    name = rig.name_of(rig.actor, other.task)
    assert rig.actor.rpc(name, ALLOCATE, UNMAPPED, PAGE, 0) == (0, (UNMAPPED,))
    assert rig.actor.rpc(name, WRITE, UNMAPPED, b"t" * PAGE) == (0, ())
    assert other.load(UNMAPPED, 4) == b"tttt"
    _, (region,) = rig.actor.rpc(name, READ, UNMAPPED, 4)
    assert region.octets == b"tttt"
    assert rig.actor.memory.entry_at(UNMAPPED) is None
