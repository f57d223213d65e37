"""Mach messages as they travel (security.md 4.8).

The inline data are the message's body, what follows the 32-octet header of the kernel's
form; port and pointer words in it are zero, and descriptors say what belongs there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from machemu.wire import schema
from machemu.wire.codec import Coded, check_flags
from machemu.wire.layout import Layout, Malformed
from machemu.wire.schema import Number, Right, What

NAME_INLINE: Final = 8  # octets of a port's word in inline data
NAME_OUT_OF_LINE: Final = 4  # and in an out-of-line array of names
POINTER: Final = 8  # octets of the word that stands for a region
UNIT: Final = 8  # octets: inline data and regions are padded to it


@dataclass(frozen=True, slots=True)
class PortDescriptor(Coded):
    """A right on its way: what it is, whose port, and which word of the message it fills."""

    LAYOUT: ClassVar[Layout] = schema.PD
    what: int = What.NOTHING
    region: int = 0  # that holds the word: 0 inline data, k the k-th out-of-line region
    count: int = 0
    offset: int = 0  # of the word
    node: int = 0  # home of the port
    epoch: int = 0
    uid: int = 0
    gid: int = 0  # of GRANT_FOR, where a third node is home

    def check(self) -> None:
        if self.what > What.DEAD:
            raise ValueError(f"what {self.what}")
        if self.what == What.NOTHING and (self.node or self.epoch or self.uid or self.gid):
            raise ValueError("no right, but a port is named")
        if self.what != What.NOTHING and self.count != 1:
            raise ValueError(f"count {self.count} instead of 1")
        if self.gid and self.what not in (What.SEND_THIRD, What.ONCE_THIRD):
            raise ValueError(f"a gid with what {self.what}")


NO_PORT: Final = PortDescriptor()


@dataclass(frozen=True, slots=True)
class Region:
    """Out-of-line data."""

    offset: int  # of the pointer word in the inline data
    data: bytes
    deallocate: bool = False


@dataclass(frozen=True, slots=True)
class _Fixed(Coded):
    """What precedes descriptors and data."""

    LAYOUT: ClassVar[Layout] = schema.MSG
    PARTS: ClassVar[dict[str, type[Coded]]] = {"reply": PortDescriptor}
    dest_uid: int
    dest_right: int
    hops: int
    representation: int
    flags: int
    msgh_id: int
    inline_length: int
    ndesc: int
    nool: int
    reply: PortDescriptor
    rest: bytes

    def check(self) -> None:
        if self.dest_right not in (Right.SEND, Right.SEND_ONCE):
            raise ValueError(f"destination right {self.dest_right}")
        if self.hops > Number.HOPS_MAX:
            raise ValueError(f"{self.hops} hops")
        if self.representation != Number.REPRESENTATION:
            raise ValueError(f"data representation {self.representation}")
        check_flags(self.flags, Number.MSG_COMPLEX)
        if self.ndesc > Number.DESCRIPTORS_MAX or self.nool > Number.REGIONS_MAX:
            raise ValueError(f"{self.ndesc} descriptors and {self.nool} regions")


@dataclass(frozen=True, slots=True)
class _RegionEntry(Coded):
    LAYOUT: ClassVar[Layout] = schema.OOL
    offset: int
    length: int
    flags: int

    def check(self) -> None:
        check_flags(self.flags, Number.OOL_DEALLOCATE)


@dataclass(frozen=True, slots=True)
class Message:
    """A message, kind MSG of the items."""

    dest_uid: int
    dest_right: int = Right.SEND
    hops: int = 0
    complex: bool = False
    msgh_id: int = 0
    reply: PortDescriptor = NO_PORT
    descriptors: tuple[PortDescriptor, ...] = ()
    regions: tuple[Region, ...] = ()
    inline: bytes = b""

    def check(self) -> None:
        """Raises ValueError: a word that does not lie in its data, or is not zero there."""
        for each in self.descriptors:
            if each.what == What.NOTHING:
                raise ValueError("a descriptor of no right")
            if each.region > len(self.regions):
                raise ValueError(f"a descriptor in region {each.region} of {len(self.regions)}")
            if each.region == 0:
                _check_word(self.inline, each.offset, NAME_INLINE, "inline data")
            else:
                data = self.regions[each.region - 1].data
                _check_word(data, each.offset, NAME_OUT_OF_LINE, f"region {each.region}")
        for region in self.regions:
            _check_word(self.inline, region.offset, POINTER, "inline data")

    def encode(self) -> bytes:
        """The item's body.  Raises ValueError: a value that does not fit."""
        self.check()
        parts = [each.encode() for each in self.descriptors]
        parts += [_RegionEntry(region.offset, len(region.data), int(region.deallocate)).encode()
                  for region in self.regions]
        parts += [_padded(data) for data in (self.inline, *(region.data for region in self.regions))]
        return _Fixed(self.dest_uid, self.dest_right, self.hops, Number.REPRESENTATION, int(self.complex),
                      self.msgh_id, len(self.inline), len(self.descriptors), len(self.regions), self.reply,
                      b"".join(parts)).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Raises Malformed."""
        fixed = _Fixed.decode(body)
        reader = _Reader(fixed.rest)
        descriptors = tuple(PortDescriptor.decode(reader.take(schema.PD.size)) for _ in range(fixed.ndesc))
        entries = [_RegionEntry.decode(reader.take(schema.OOL.size)) for _ in range(fixed.nool)]
        inline = reader.take_padded(fixed.inline_length)
        regions = tuple(Region(entry.offset, reader.take_padded(entry.length), bool(entry.flags)) for entry in entries)
        reader.end()
        value = cls(fixed.dest_uid, fixed.dest_right, fixed.hops, bool(fixed.flags), fixed.msgh_id, fixed.reply,
                    descriptors, regions, inline)
        try:
            value.check()
        except ValueError as error:
            raise Malformed(f"MSG: {error}") from None
        return value


def _check_word(data: bytes, offset: int, size: int, where: str) -> None:
    if offset + size > len(data):
        raise ValueError(f"a word at {offset} in {where} of {len(data)} octets")
    if any(data[offset : offset + size]):
        raise ValueError(f"the word at {offset} in {where} is not zero")


def _padded(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // UNIT) * UNIT, b"\0")


class _Reader:
    """Takes octets from the front.  Raises Malformed where there are too few or too many."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        octets = self._data[self._at : self._at + size]
        if len(octets) < size:
            raise Malformed(f"MSG: {len(self._data)} octets, but more are announced")
        self._at += size
        return octets

    def take_padded(self, size: int) -> bytes:
        octets = self.take(size)
        if any(self.take(-size % UNIT)):
            raise Malformed("MSG: padding is not zero")
        return octets

    def end(self) -> None:
        if self._at != len(self._data):
            raise Malformed(f"MSG: {len(self._data) - self._at} octets too many")
