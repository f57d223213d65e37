"""Layouts: the notation of the wire tables, and the octets it stands for.

A layout is written as in security.md: `offset:size name`, in octets, separated by dots; a
field without a size runs to the end.

    layout("CLAIM", "0:8 req_id · 8:4 interface · 12:2 name_len · 14:2 zero · 16 name")

A field of 1, 2, 4 or 8 octets is an unsigned little-endian integer unless `as octets`
follows its name; other sizes are octets; `as PD` means another layout of that name.  A
field called zero must be zero.  A field `x_len` before a field `x` is the length of `x`
and follows from it.  The codecs, the C header and the listing are all made from layouts.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

INTEGER_SIZES: Final = (1, 2, 4, 8)  # octets
_FIELD: Final = re.compile(r"(\d+)(?::(\d+))? (\w+)(?: as (\w+))?")

Value = int | bytes


class Malformed(Exception):
    """Octets that are no valid frame, record or item.  The sender's fault, never ours.

    `counter` is the receiver's counter that such a frame belongs to.
    """

    def __init__(self, text: str, counter: str = "rx_malformed") -> None:
        super().__init__(text)
        self.counter = counter


class Kind(enum.Enum):
    """What the octets of a field are."""

    INTEGER = enum.auto()  # unsigned, little-endian
    OCTETS = enum.auto()
    ZERO = enum.auto()
    LENGTH = enum.auto()  # of the field `of`
    PART = enum.auto()  # another layout


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    offset: int
    size: int | None  # octets; None: to the end
    kind: Kind
    of: str = ""  # LENGTH: the field measured; PART: the layout


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one frame body, record or item, in order and without gaps."""

    name: str
    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """Octets of the fixed part: the whole, or what precedes the open end."""
        last = self.fields[-1]
        return last.offset + (last.size or 0)

    @property
    def tail(self) -> str | None:
        """The field that runs to the end, if there is one."""
        last = self.fields[-1]
        return last.name if last.size is None else None

    @property
    def free(self) -> tuple[str, ...]:
        """The fields that carry a value of their own: neither zero nor a derived length."""
        return tuple(field.name for field in self.fields if field.kind not in (Kind.ZERO, Kind.LENGTH))

    def offset(self, name: str) -> int:
        return next(field.offset for field in self.fields if field.name == name)

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """Octets of these values of the free fields.

        Raises ValueError: a value that does not fit its field; the caller's mistake.
        """
        return b"".join(self._encode_field(field, values) for field in self.fields)

    def _encode_field(self, field: Field, values: Mapping[str, Value]) -> bytes:
        if field.kind is Kind.ZERO:
            return bytes(field.size or 0)
        value = values[field.of if field.kind is Kind.LENGTH else field.name]
        if field.kind is Kind.LENGTH and isinstance(value, bytes):
            value = len(value)
        if isinstance(value, int):
            if field.size is None or not 0 <= value < 1 << 8 * field.size:
                raise ValueError(f"{self.name}.{field.name}: {value} does not fit")
            return value.to_bytes(field.size, "little")
        if field.size is not None and len(value) != field.size:
            raise ValueError(f"{self.name}.{field.name}: {len(value)} octets instead of {field.size}")
        return value

    def decode(self, data: bytes) -> dict[str, Any]:
        """The values of the free fields, integers or octets.

        Raises Malformed: a wrong length, here or in a length field, or a reserved field
        that is not zero.
        """
        if len(data) < self.size or (self.tail is None and len(data) > self.size):
            raise Malformed(f"{self.name}: {len(data)} octets instead of {self.size}")
        values: dict[str, Any] = {}
        for field in self.fields:
            octets = data[field.offset :] if field.size is None else data[field.offset : field.offset + field.size]
            if field.kind is Kind.ZERO:
                if any(octets):
                    raise Malformed(f"{self.name}: octets {field.offset} on are reserved and not zero")
            elif field.kind in (Kind.INTEGER, Kind.LENGTH):
                values[field.name] = int.from_bytes(octets, "little")
            else:
                values[field.name] = octets
        for field in self.fields:
            if field.kind is Kind.LENGTH:
                self._check_length(field, values)
        return values

    def _check_length(self, field: Field, values: dict[str, Any]) -> None:
        stated, measured = values.pop(field.name), len(values[field.of])
        if stated != measured:
            raise Malformed(f"{self.name}.{field.name} says {stated}, but there are {measured} octets")


def layout(name: str, text: str, parts: Mapping[str, Layout] | None = None) -> Layout:
    """Parse the notation.  `parts` are the layouts that `as` may name.

    Raises ValueError: not in the notation, or fields that overlap or leave a gap.
    """
    found: list[tuple[int, int | None, str, str | None]] = []
    for piece in text.split("·"):
        match = _FIELD.fullmatch(piece.strip())
        if match is None:
            raise ValueError(f"{name}: cannot read {piece.strip()!r}")
        found.append((int(match[1]), int(match[2]) if match[2] else None, match[3], match[4]))
    names = {field_name for _, _, field_name, _ in found}
    fields: list[Field] = []
    end: int | None = 0
    for offset, size, field_name, form in found:
        if offset != end:
            raise ValueError(f"{name}.{field_name} is at {offset}, but the field before it ends at {end}")
        end = None if size is None else offset + size
        kind, of = _kind(field_name, size, form, names)
        if kind is Kind.PART and (parts is None or of not in parts or parts[of].size != size):
            raise ValueError(f"{name}.{field_name}: no layout {of} of {size} octets")
        fields.append(Field(field_name, offset, size, kind, of))
    return Layout(name, tuple(fields))


def _kind(name: str, size: int | None, form: str | None, names: set[str]) -> tuple[Kind, str]:
    if name.startswith("zero"):
        return Kind.ZERO, ""
    if form == "octets":
        return Kind.OCTETS, ""
    if form is not None:
        return Kind.PART, form
    if name.endswith("_len") and name.removesuffix("_len") in names:
        return Kind.LENGTH, name.removesuffix("_len")
    return (Kind.INTEGER if size in INTEGER_SIZES else Kind.OCTETS), ""
