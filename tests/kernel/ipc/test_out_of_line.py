"""Out-of-line data: a logical copy of the sender's memory, mapped in the receiver."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from machemu.kernel.ipc.right import RECEIVE, SEND
from machemu.kernel.results import MsgReturn
from machemu.kernel.vm.entry import INHERIT_COPY, PROT_ALL, PROT_DEFAULT
from tests.support.rig import (
    COPY_SEND,
    DEALLOCATE,
    LONG_FORM,
    MAKE_SEND,
    MOVE_RECEIVE,
    PAGE,
    SCRATCH,
    UNMAPPED,
    VM_END,
    Actor,
    KernelRig,
    Received,
    descriptor,
    message,
    port_item,
    port_region_item,
    region_item,
)

PLACE: Final = UNMAPPED  # of the sender's data
PATTERN: Final = bytes(range(1, 252)) * 100


def fill(actor: Actor, address: int, octets: int) -> bytes:
    """Map the pages of a range in `actor` and fill it, with other octets around."""
    start = address & -PAGE
    end = -(-(address + octets) // PAGE) * PAGE
    actor.memory.allocate(start, end - start, False)
    actor.store(start, b"\xEE" * (end - start))
    actor.store(address, PATTERN[:octets])
    return PATTERN[:octets]


@pytest.mark.req("A-M11")
@pytest.mark.parametrize(("offset", "octets"), [
    (0, 1), (100, 8), (4095, 1), (4095, 2), (0, PAGE), (0, 3 * PAGE), (1, 3 * PAGE), (100, 4 * PAGE + 7),
    (4000, 5 * PAGE)])
def test_a_region_arrives_at_a_fresh_place(rig: KernelRig, offset: int, octets: int) -> None:
    sender, to, receiver, port = rig.channel()
    data = fill(sender, PLACE + offset, octets)
    assert sender.send(message(to, region_item(PLACE + offset, octets))) == 0
    found = receiver.take(port)
    assert found.word(0) == descriptor(9, 8, octets, LONG_FORM | DEALLOCATE)
    address = found.word(8)
    assert receiver.load(address, octets) == data
    assert address % PAGE == offset, "at the same offset within the page"
    start, end = address & -PAGE, -(-(address + octets) // PAGE) * PAGE
    region = receiver.memory.region(start)
    assert (region.protection, region.max_protection, region.inheritance) == (PROT_DEFAULT, PROT_ALL, INHERIT_COPY)
    around = receiver.load(start, address - start) + receiver.load(address + octets, end - address - octets)
    assert around == bytes(len(around)), "the sender's other octets do not show"
    assert receiver.store(start, b"w" * (end - start))
    assert sender.load(PLACE + offset, octets) == data
    assert receiver.trap("syscall_vm_deallocate", receiver.self_name, address, octets) == 0
    assert receiver.memory.entry_at(start) is None


@pytest.mark.parametrize("octets", [100, 5 * PAGE])
def test_the_copy_is_of_the_instant_of_sending(rig: KernelRig, octets: int) -> None:
    sender, to, receiver, port = rig.channel()
    data = fill(sender, PLACE, octets)
    for number in range(3):
        sender.send(message(to, region_item(PLACE, octets)))
        assert sender.store(PLACE, bytes([number]) * octets)
    for expected in (data, b"\0" * octets, b"\1" * octets):
        assert receiver.load(receiver.take(port).word(8), octets) == expected
    assert sender.load(PLACE, octets) == b"\2" * octets


def test_memory_never_touched_arrives_as_zeros(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    sender.memory.allocate(PLACE, 8 * PAGE, False)
    frames = rig.kernel.pool.used
    sender.send(message(to, region_item(PLACE, 8 * PAGE)))
    found = receiver.take(port)
    assert rig.kernel.pool.used == frames, "and costs nothing"
    assert receiver.load(found.word(8), 8 * PAGE) == bytes(8 * PAGE)


def test_an_untouched_copy_costs_no_frame(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    fill(sender, PLACE, 6 * PAGE)
    frames = rig.kernel.pool.used
    sender.send(message(to, region_item(PLACE, 6 * PAGE)))
    address = receiver.take(port).word(8)
    assert receiver.load(address, 6 * PAGE) is not None
    assert rig.kernel.pool.used == frames
    receiver.store(address + PAGE, b"x")
    sender.store(PLACE + 3 * PAGE, b"y")
    assert rig.kernel.pool.used == frames + 2


@pytest.mark.parametrize(("offset", "octets"), [(0, PAGE), (100, 10), (100, 4 * PAGE), (0, 3 * PAGE)])
def test_deallocate_takes_the_whole_pages_from_the_sender(rig: KernelRig, offset: int, octets: int) -> None:
    sender, to, receiver, port = rig.channel()
    data = fill(sender, PLACE + offset, octets)
    frames = rig.kernel.pool.used
    assert sender.send(message(to, region_item(PLACE + offset, octets, deallocate=True))) == 0
    assert sender.memory.entry_at(PLACE) is None
    assert sender.memory.entry_at(PLACE + offset + octets - 1) is None
    assert rig.kernel.pool.used <= frames
    assert receiver.load(receiver.take(port).word(8), octets) == data


def test_a_region_of_no_octets_has_no_address(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    assert sender.send(message(to, region_item(2**64 - 1, 0), port_region_item(2**63, 0, MAKE_SEND))) == 0
    found = receiver.take(port)
    assert (found.word(8), found.word(24)) == (0, 0)


def test_many_regions_in_one_message(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    fill(sender, PLACE, 8 * PAGE)
    sizes = [1, PAGE, 3 * PAGE, 17, 4 * PAGE, 0, 2]
    assert sender.send(message(to, *(region_item(PLACE + size, size) for size in sizes))) == 0
    found = receiver.take(port)
    for index, size in enumerate(sizes):
        assert receiver.load(found.word(16 * index + 8), size) == sender.load(PLACE + size, size)


def test_wide_elements_are_measured_in_octets(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    data = fill(sender, PLACE, 24)
    assert sender.send(message(to, struct.pack("<QQ", descriptor(11, 64, 3, 0), PLACE))) == 0
    found = receiver.take(port)
    assert found.word(0) == descriptor(11, 64, 3, DEALLOCATE)
    assert receiver.load(found.word(8), 24) == data


@pytest.mark.req("A-M11")
@pytest.mark.parametrize(("address", "octets"), [
    pytest.param(PLACE, 2 * PAGE, id="runs into a hole"),
    pytest.param(PLACE - 8, 16, id="begins in a hole"),
    pytest.param(0, 1, id="null"),
    pytest.param(VM_END - 1, 2, id="crosses the end"),
    pytest.param(2**64 - 4, 8, id="wraps"),
    pytest.param(2**63, 2**32 - 1, id="sign bit"),
    pytest.param(PLACE, 2**32 - 1, id="huge"),
])
@pytest.mark.parametrize("deallocate", [False, True])
def test_memory_that_is_not_there_is_invalid(rig: KernelRig, address: int, octets: int, deallocate: bool) -> None:
    sender, to, _, _ = rig.channel()
    fill(sender, PLACE, PAGE)
    regions = sender.memory.regions()
    with rig.unchanged():
        assert sender.send(message(to, region_item(address, octets, deallocate))) == MsgReturn.SEND_INVALID_MEMORY
        assert sender.send(message(to, port_region_item(address, octets // 4 + 1, COPY_SEND, deallocate))) == (
            MsgReturn.SEND_INVALID_MEMORY)
    assert sender.memory.regions() == regions


def test_memory_that_may_not_be_read_is_invalid(rig: KernelRig) -> None:
    sender, to, _, _ = rig.channel()
    fill(sender, PLACE, 4 * PAGE)
    sender.memory.protect(PLACE + PAGE, PAGE, False, 0)
    for octets in (2 * PAGE, 4 * PAGE):
        with rig.unchanged():
            assert sender.send(message(to, region_item(PLACE, octets))) == MsgReturn.SEND_INVALID_MEMORY


@pytest.mark.parametrize("octets", [100, 6 * PAGE])
def test_an_undelivered_region_is_given_up(rig: KernelRig, octets: int) -> None:
    sender, to, receiver, port = rig.channel()
    fill(sender, PLACE, octets)
    frames = rig.kernel.pool.used
    sender.send(message(to, region_item(PLACE, octets)))
    receiver.space.destroy_name(port)
    rig.check()
    assert rig.kernel.pool.used == frames
    assert sender.store(PLACE, b"x" * octets)
    assert rig.kernel.pool.used == frames, "the sender is alone with its pages again"


def test_the_sender_may_die_before_its_data_is_looked_at(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel(rig.another(), rig.actor)
    data = fill(sender, PLACE, 5 * PAGE)
    sender.send(message(to, region_item(PLACE, 5 * PAGE)))
    rig.kernel.terminate_task(sender.task, None, "test")
    assert receiver.load(receiver.take(port).word(8), 5 * PAGE) == data


def test_a_chain_of_tasks_passes_one_region_on(rig: KernelRig) -> None:
    """Each changes a page of its own before it forwards: nobody sees what comes later."""
    first, to, _, port = rig.channel(None, None)
    data = fill(first, PLACE, 4 * PAGE)
    holder, where = first, PLACE
    seen = []
    for number in range(5):
        receiver = rig.another()
        _, to, _, port = rig.channel(holder, receiver)
        holder.send(message(to, region_item(where, 4 * PAGE)))
        holder.store(where, b"late")
        where = receiver.take(port).word(8)
        receiver.store(where + number % 4 * PAGE + 8, bytes([65 + number]))
        holder = receiver
        seen.append((receiver, where))
    expected = bytearray(data)
    for number, (receiver, where) in enumerate(seen):
        expected[number % 4 * PAGE + 8] = 65 + number
        found = bytearray(receiver.load(where, 4 * PAGE))
        if number < 4:
            assert found[:4] == b"late"
            found[:4] = expected[:4]
        assert found == expected
    assert first.load(PLACE, 4) == b"late"


# -- arrays of rights ------------------------------------------------------------------------


@pytest.mark.req("A-M12")
def test_deallocate_frees_only_the_pages_of_an_array(rig: KernelRig) -> None:
    """Its names have 4 octets each, so 1024 of them are one page."""
    sender, to, receiver, port = rig.channel()
    fill(sender, PLACE, 2 * PAGE)
    mine = sender.port()
    sender.memory.write(PLACE, struct.pack("<I", mine) * 1024)
    assert sender.send(message(to, port_region_item(PLACE, 1024, MAKE_SEND, deallocate=True))) == 0
    assert sender.memory.entry_at(PLACE) is None
    assert sender.memory.entry_at(PLACE + PAGE) is not None
    found = receiver.take(port)
    names = set(struct.unpack("<1024I", receiver.memory.read(found.word(8), PAGE)))
    assert len(names) == 1
    assert receiver.names()[names.pop()] == (SEND, 1024)


def test_receive_rights_in_an_array(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    ports = [sender.port() for _ in range(3)]
    sender.memory.write(SCRATCH, struct.pack("<3I", *ports))
    assert sender.send(message(to, port_region_item(SCRATCH, 3, MOVE_RECEIVE))) == 0
    assert not set(ports) & sender.names().keys()
    found = receiver.take(port)
    for name in struct.unpack("<3I", receiver.memory.read(found.word(8), 12)):
        assert receiver.names()[name] == (RECEIVE, 0)


# -- a receiver without room -----------------------------------------------------------------


def fill_address_space(actor: Actor) -> None:
    """Leave no place for one more page; untouched memory costs no frame."""
    end = 0
    for region in [*actor.memory.regions(), None]:
        start = region.start if region else VM_END
        if start > end:
            actor.memory.allocate(end, start - end, False)
        end = region.start + region.size if region else VM_END


def holes(found: Received) -> tuple[int, int]:
    """Address and element size of the first item."""
    return found.word(8), found.word(0) >> 8 & 0xFFFF


@pytest.mark.parametrize("octets", [10, 5 * PAGE])
def test_a_region_that_cannot_be_mapped_leaves_a_hole(rig: KernelRig, octets: int) -> None:
    sender, to, receiver, port = rig.channel()
    fill(sender, PLACE, octets)
    mine = sender.port()
    fill_address_space(receiver)
    frames = rig.kernel.pool.used
    sender.send(message(to, region_item(PLACE, octets), port_item(mine, MAKE_SEND)))
    assert receiver.receive(port) == MsgReturn.RCV_BODY_ERROR | 0x1000
    found = receiver.received()
    assert holes(found) == (0, 0)
    assert receiver.names()[found.word(24)] == (SEND, 1), "the rest arrived"
    assert rig.kernel.pool.used == frames


def test_an_array_that_cannot_be_mapped_leaves_no_rights_behind(rig: KernelRig) -> None:
    sender, to, receiver, port = rig.channel()
    sender.memory.write(SCRATCH, struct.pack("<I", sender.port()))
    fill_address_space(receiver)
    names = receiver.names()
    sender.send(message(to, port_region_item(SCRATCH, 1, MAKE_SEND)))
    assert receiver.receive(port) == MsgReturn.RCV_BODY_ERROR | 0x1000
    assert holes(receiver.received()) == (0, 0)
    assert receiver.names() == names, "nobody could ever name them"
