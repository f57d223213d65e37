"""Bodies of complex messages: from the sender's names and addresses to rights and
memory, and from there to the receiver's.

Rules: mach-abi.md 1.4, 1.5, 2.4 and 2.8.  Follows Mach 3 `ipc/ipc_kmsg.c`
(ipc_kmsg_copyin_body, ipc_kmsg_copyout_body).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from machemu.kernel.ipc.message import InlineRight, Message, OutOfLine
from machemu.kernel.ipc.right import (
    ARRIVES_AS,
    BODY_DISPOSITIONS,
    DEAD,
    MACH_PORT_DEAD,
    MACH_PORT_NULL,
    CarriedRight,
)
from machemu.kernel.results import KernelError, KernReturn, MsgReturn
from machemu.kernel.vm.copy import VmCopy

if TYPE_CHECKING:
    from machemu.kernel.ipc.space import Space
    from machemu.kernel.vm.map import VmMap

NAME_SLOT_BITS: Final = 64  # msgt_size of a port inline
NAME_BITS: Final = 32  # msgt_size of a port in an out-of-line array
UNUSED: Final = 0x1F << 24  # bits of a descriptor that must be zero
INLINE: Final = 1 << 29
LONGFORM: Final = 1 << 30
DEALLOCATE: Final = 1 << 31
WORD: Final = struct.Struct("<Q")

# Resource shortages while a body is delivered, or-ed into the result (mach-abi.md 2.2).
MSG_IPC_SPACE: Final = 0x2000
MSG_VM_SPACE: Final = 0x1000


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


def read_descriptor(data: bytes | bytearray, offset: int) -> Descriptor:
    word = WORD.unpack_from(data, offset)[0]
    return Descriptor(offset, word & 0xFF, word >> 8 & 0xFFFF, word & 0xFFFF_FFFF & ~0xFF_FFFF, word >> 32)


def copy_in(message: Message, space: Space, memory: VmMap) -> None:
    """Take rights and regions out of the sender, item by item.

    Raises KernelError with SEND_INVALID_DATA (not walkable; nothing taken),
    SEND_INVALID_RIGHT, SEND_INVALID_TYPE, SEND_INVALID_MEMORY: `message` then holds what
    was taken before, for the caller to destroy.
    """
    for item in _walk(message.data):
        if item.flags & UNUSED or (item.flags & INLINE and item.flags & DEALLOCATE):
            raise KernelError(MsgReturn.SEND_INVALID_TYPE)
        if not item.flags & INLINE:
            _take_region(message, item, space, memory)
        elif item.is_port:
            _take_inline(message, item, space)


def _walk(data: bytes) -> list[Descriptor]:
    """The descriptors of a body.  Raises SEND_INVALID_DATA: an item runs past the end."""
    items = []
    offset, end = 32, len(data)
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
    for slot in range(item.offset + 8, item.offset + 8 + 8 * item.number, 8):
        name = WORD.unpack_from(message.data, slot)[0] & 0xFFFF_FFFF
        message.inline.append(InlineRight(item.offset, slot, _take(space, name, item.name)))


def _take_region(message: Message, item: Descriptor, space: Space, memory: VmMap) -> None:
    address = WORD.unpack_from(message.data, item.offset + 8)[0]
    deallocate = bool(item.flags & DEALLOCATE)
    region = OutOfLine(item.offset, item.offset + 8, None)
    if item.is_port:
        if item.bits != NAME_BITS:
            raise KernelError(MsgReturn.SEND_INVALID_TYPE)
        region.rights, region.kind = [], ARRIVES_AS[item.name]
    if item.octets:
        try:
            if region.rights is None:
                region.memory = memory.copyin(address, item.octets, deallocate)
            else:
                names = memory.read(address, item.octets)
                if deallocate:
                    memory.deallocate(address, item.octets)
        except KernelError:
            raise KernelError(MsgReturn.SEND_INVALID_MEMORY) from None
    message.regions.append(region)
    if region.rights is not None and item.octets:
        for (name,) in struct.iter_unpack("<I", names):
            region.rights.append(_take(space, name, item.name))


def copy_out(message: Message, space: Space, memory: VmMap) -> tuple[bytearray, int]:
    """Give the receiver what the body carries.

    Returns the message's octets with names and addresses of the receiver, and shortage
    bits: 0, or MSG_IPC_SPACE and MSG_VM_SPACE for holes that were left.
    """
    data = bytearray(message.data)
    shortage = 0
    inline, message.inline = message.inline, []
    for item in inline:
        name, short = _insert(space, item.right)
        shortage |= short
        WORD.pack_into(data, item.slot, name)
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
    copy = region.memory
    if region.rights is not None:
        word = word & ~0xFF | region.kind
        names = []
        for right in region.rights:
            name, short = _insert(space, right)
            shortage |= short
            names.append(name)
        if names:
            copy = VmCopy.from_bytes(memory.pool, struct.pack(f"<{len(names)}I", *names))
    if copy is not None:
        try:
            address = memory.copyout(copy)
        except KernelError as error:
            copy.discard()
            assert error.code in (KernReturn.NO_SPACE, KernReturn.RESOURCE_SHORTAGE)
            shortage |= MSG_VM_SPACE
            word &= ~0xFFFF00
    WORD.pack_into(data, region.descriptor, word)
    WORD.pack_into(data, region.slot, address)
    return shortage
