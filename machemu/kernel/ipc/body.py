"""Bodies of complex messages: from the sender's names and addresses to rights and
memory, and from there to the receiver's.

Rules: mach-abi.md 1.4, 1.5, 2.4 and 2.8.  Follows Mach 3 `ipc/ipc_kmsg.c`
(ipc_kmsg_copyin_body, ipc_kmsg_copyout_body).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from machemu.kernel.ipc.message import InlineRights, Message, OutOfLine
from machemu.kernel.ipc.right import (
    ARRIVES_AS,
    BODY_DISPOSITIONS,
    DEAD,
    MACH_PORT_DEAD,
    MACH_PORT_NULL,
    CarriedRight,
)
from machemu.kernel.results import KernelError, KernReturn, MsgReturn
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.kernel.ipc.space import Space
    from machemu.kernel.vm.map import VmMap

NAME_SLOT_BITS: Final = 64  # msgt_size of a port inline
NAME_BITS: Final = 32  # msgt_size of a port in an out-of-line array
NAME_OCTETS: Final = 4
NAMES_MAX: Final = 1 << 20  # names in one out-of-line array: more than a space can hold
UNUSED: Final = 0x1F << 24  # bits of a descriptor that must be zero
INLINE: Final = 1 << 29
LONGFORM: Final = 1 << 30
DEALLOCATE: Final = 1 << 31
SIZE_FIELD: Final = 0xFFFF << 8
WORD: Final = struct.Struct("<Q")
HEADER_SIZE: Final = 32  # octets

# Resource shortages while a body is delivered, or-ed into the result (mach-abi.md 2.2).
MSG_IPC_SPACE: Final = 0x2000
MSG_VM_SPACE: Final = 0x1000
MSG_VM_KERNEL: Final = 0x0400
_SHORTAGES: Final = {KernReturn.NO_SPACE: MSG_VM_SPACE, KernReturn.RESOURCE_SHORTAGE: MSG_VM_KERNEL}


class Descriptor(NamedTuple):
    """One type descriptor, taken apart."""

    offset: int
    name: int  # MACH_MSG_TYPE_
    bits: int  # of one element
    flags: int  # INLINE, LONGFORM, DEALLOCATE
    number: int  # elements

    @property
    def octets(self) -> int:
        return (self.bits * self.number + 7) >> 3

    @property
    def is_port(self) -> bool:
        return self.name in BODY_DISPOSITIONS


def read_descriptor(data: bytes | bytearray | memoryview, offset: int) -> Descriptor:
    word = WORD.unpack_from(data, offset)[0]
    return Descriptor(offset, word & 0xFF, word >> 8 & 0xFFFF, word & 0xFFFF_FFFF & ~0xFF_FFFF, word >> 32)


def walk(data: bytes) -> list[Descriptor]:
    """The descriptors of a body.  Raises SEND_INVALID_DATA: an item runs past the end, or
    a right inline does not fill its slot."""
    items = []
    offset, end = HEADER_SIZE, len(data)
    while offset < end:
        item = read_descriptor(data, offset)
        inline = item.flags & INLINE
        if inline and item.is_port and item.bits != NAME_SLOT_BITS:
            raise KernelError(MsgReturn.SEND_INVALID_DATA)
        octets = (item.octets + 7) & ~7 if inline else 8
        offset += 8 + octets
        if offset > end:
            raise KernelError(MsgReturn.SEND_INVALID_DATA)
        items.append(item)
    return items


def reach(items: list[Descriptor], data: bytes, memory: VmMap) -> None:
    """See that what will be copied of the sender's regions is in memory, before anything is
    taken.  Raises MustWait; errors are left for `copy_in` to find."""
    for item in items:
        if not item.flags & INLINE and item.octets and not (item.is_port and item.number > NAMES_MAX):
            address = WORD.unpack_from(data, item.offset + 8)[0]
            try:
                memory.reach_to_copy(address, item.octets, whole=item.is_port)
            except MustWait as absent:
                absent.otherwise = MsgReturn.SEND_INVALID_MEMORY
                raise
            except KernelError:
                return


def copy_in(message: Message, items: list[Descriptor], space: Space, memory: VmMap) -> None:
    """Take rights and regions out of the sender, item by item.

    Raises KernelError with SEND_INVALID_RIGHT, SEND_INVALID_TYPE, SEND_INVALID_MEMORY:
    `message` then holds what was taken before, for the caller to destroy.
    """
    for item in items:
        if item.flags & UNUSED or (item.flags & INLINE and item.flags & DEALLOCATE):
            raise KernelError(MsgReturn.SEND_INVALID_TYPE)
        if not item.flags & INLINE:
            _take_region(message, item, space, memory)
        elif item.is_port:
            _take_inline(message, item, space)


def _take(space: Space, name: int, disposition: int) -> CarriedRight:
    if name == MACH_PORT_NULL:
        return None
    if name == MACH_PORT_DEAD:
        return DEAD
    try:
        return space.take(name, disposition)
    except KernelError:
        raise KernelError(MsgReturn.SEND_INVALID_RIGHT) from None


def _take_inline(message: Message, item: Descriptor, space: Space) -> None:
    taken = InlineRights(item.offset, [])
    message.inline.append(taken)  # before the first is taken: what a bad one leaves is destroyed
    for slot in range(item.offset + 8, item.offset + 8 + 8 * item.number, 8):
        name = WORD.unpack_from(message.data, slot)[0] & 0xFFFF_FFFF
        taken.rights.append(_take(space, name, item.name))


def _take_region(message: Message, item: Descriptor, space: Space, memory: VmMap) -> None:
    address = WORD.unpack_from(message.data, item.offset + 8)[0]
    deallocate = bool(item.flags & DEALLOCATE)
    region = OutOfLine(item.offset, item.offset + 8, None)
    if item.is_port:
        _take_names(message, region, item, address, deallocate, space, memory)
        return
    if item.octets:
        try:
            region.memory = memory.copyin(address, item.octets, deallocate)
        except KernelError:
            raise KernelError(MsgReturn.SEND_INVALID_MEMORY) from None
    message.regions.append(region)


def _take_names(message: Message, region: OutOfLine, item: Descriptor, address: int, deallocate: bool,
                space: Space, memory: VmMap) -> None:
    """The rights of an array of names in the sender's memory."""
    if item.bits != NAME_BITS:
        raise KernelError(MsgReturn.SEND_INVALID_TYPE)
    rights: list[CarriedRight] = []
    region.rights, region.kind = rights, ARRIVES_AS[item.name]
    names = b""
    if item.number:
        try:
            if item.number > NAMES_MAX:
                raise KernelError(KernReturn.RESOURCE_SHORTAGE)
            names = memory.read(address, item.octets)
            if deallocate:
                memory.deallocate(address, item.octets)
        except KernelError:
            raise KernelError(MsgReturn.SEND_INVALID_MEMORY) from None
    message.regions.append(region)
    for (name,) in struct.iter_unpack("<I", names):
        rights.append(_take(space, name, item.name))


def copy_out(message: Message, space: Space, memory: VmMap) -> tuple[bytearray, int]:
    """Give the receiver what the body carries.

    Returns the message's octets with names and addresses of the receiver, and shortage
    bits: 0, or MSG_IPC_SPACE, MSG_VM_SPACE and MSG_VM_KERNEL for holes that were left.
    """
    data = bytearray(message.data)
    shortage = 0
    inline, message.inline = message.inline, []
    for item in inline:
        for slot, right in zip(item.slots, item.rights, strict=True):
            name, short = _insert(space, right)
            shortage |= short
            WORD.pack_into(data, slot, name)
        data[item.descriptor] = ARRIVES_AS[data[item.descriptor]]
    regions, message.regions = message.regions, []
    for region in regions:
        shortage |= _place_region(data, region, space, memory)
    return data, shortage


def _insert(space: Space, right: CarriedRight) -> tuple[int, int]:
    try:
        return space.insert(right), 0
    except KernelError:
        assert right is not None
        right.destroy()
        return MACH_PORT_NULL, MSG_IPC_SPACE


def _place_region(data: bytearray, region: OutOfLine, space: Space, memory: VmMap) -> int:
    """Map one region, or put its array of names; returns shortage bits."""
    word = WORD.unpack_from(data, region.descriptor)[0] | DEALLOCATE
    shortage = address = 0
    if region.rights is not None:
        word = word & ~0xFF | region.kind
    try:
        if region.rights:
            address, shortage = _place_names(region.rights, space, memory)
        elif region.memory is not None:
            address = memory.copyout(region.memory)
    except KernelError as error:
        region.destroy()
        shortage = _SHORTAGES[KernReturn(error.code)]
        word &= ~SIZE_FIELD
    WORD.pack_into(data, region.descriptor, word)
    WORD.pack_into(data, region.slot, address)
    return shortage


def _place_names(rights: list[CarriedRight], space: Space, memory: VmMap) -> tuple[int, int]:
    """An array of names in the receiver's memory: its address, and shortage bits.

    The place comes first: rights whose names cannot be told must not stay in the space.
    Raises NO_SPACE, RESOURCE_SHORTAGE, with no right inserted.
    """
    zeros = bytes(NAME_OCTETS * len(rights))
    address = memory.allocate(0, len(zeros), anywhere=True)
    try:
        memory.write(address, zeros)
    except KernelError:
        memory.deallocate(address, len(zeros))
        raise
    shortage = 0
    names = []
    for right in rights:
        name, short = _insert(space, right)
        shortage |= short
        names.append(name)
    memory.write(address, struct.pack(f"<{len(names)}I", *names))
    return address, shortage
