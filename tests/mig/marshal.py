"""Calls of user stubs with the values of `machemu.interfaces.runtime`, and back.

Values of memory are bytes here (what `regions` holds), ports are names.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from machemu.interfaces.runtime import ARRIVES_AS, POLYMORPHIC, Item, Kind
from machemu.mig.c_types import Shape, element_octets, most_elements, shape
from machemu.mig.model import Argument, Direction, Routine
from tests.mig.stubs import Stubs

Value: TypeAlias = Any
REQUEST_PORT: Final = 0x501  # a name
CODES: Final = {8: "b", 16: "h", 32: "i", 64: "q"}


def to_memory(item: Item, value: Value) -> bytes:
    """`value` as it lies in memory in C."""
    match item.kind:
        case Kind.PORT:
            names = [value] if item.single else value
            return struct.pack(f"<{len(names)}I", *names)
        case Kind.STRUCT:
            return b"".join(struct.pack(item.fields, *one) for one in ([value] if item.single else value))
        case Kind.INTEGER | Kind.INTEGERS:
            values = [value] if item.single else value
            return struct.pack(f"<{len(values)}{code_of(item)}", *values)
        case _:
            assert isinstance(value, bytes)
            return value


def from_memory(item: Item, octets: bytes) -> Value:
    match item.kind:
        case Kind.PORT:
            names = [name for (name,) in struct.iter_unpack("<I", octets)]
            return names[0] if item.single else names
        case Kind.STRUCT:
            found = list(struct.iter_unpack(item.fields, octets))
            return found[0] if item.single else found
        case Kind.INTEGER | Kind.INTEGERS:
            values = [value for (value,) in struct.iter_unpack(f"<{code_of(item)}", octets)]
            return values[0] if item.single else values
        case Kind.STRING:
            return octets.partition(b"\0")[0]
        case _:
            return octets


def code_of(item: Item) -> str:
    return CODES[item.bits] if item.signed else CODES[item.bits].upper()


class Call:
    """One call of a user's stub: arguments are added in their order, then it is made."""

    def __init__(self, stubs: Stubs, interface: str, name: str) -> None:
        meaning = next(r for r in stubs.meaning[interface].routines if r.name == name)
        table = stubs.table[interface].by_name(name)
        self._function = getattr(stubs.library, meaning.user_name)
        self._items = {item.name: item for item in (*table.request, *table.reply)}
        self.routine: Routine = meaning
        self._arguments: list[Any] = []
        self._outs: list[tuple[Argument, list[Any]]] = []
        self.keep: list[Any] = []  # what the arguments point at

    def __call__(self, ins: Mapping[str, Value]) -> tuple[int, dict[str, Value]]:
        """`ins`: values by argument; a polymorphic port is a pair of name and disposition.

        Returns the result, and the out arguments' values by name, pairs likewise.
        """
        for argument in self.routine.arguments:
            if argument.direction is Direction.REQUEST_PORT:
                self._arguments.append(ctypes.c_uint32(REQUEST_PORT))
            elif argument.in_request:
                self._add_in(argument, ins[argument.name])
            elif argument.in_reply:
                self._add_out(argument)
        result = self._function(*self._arguments)
        return result, dict(self._results())

    def _add_in(self, argument: Argument, value: Value) -> None:
        kind, item = argument.type, self._items[argument.name]
        poly = None
        if kind.sent == POLYMORPHIC:
            value, poly = value
        octets = to_memory(item, value)
        if shape(kind) in (Shape.VALUE, Shape.PORT):
            self._arguments.append(by_value(octets))
        else:
            buffer = ctypes.create_string_buffer(octets, max(len(octets) + 1, 8))
            self.keep.append(buffer)
            self._arguments.append(ctypes.c_void_p(ctypes.addressof(buffer)))
        if poly is not None:
            self._arguments.append(ctypes.c_uint32(poly))
        if kind.counted:
            self._arguments.append(ctypes.c_uint32(len(octets) // element_octets(kind)))

    def _add_out(self, argument: Argument) -> None:
        kind, item = argument.type, self._items[argument.name]
        room = most_elements(kind) * element_octets(kind) if kind.inline else 0
        buffer = ctypes.create_string_buffer(max(room, kind.octets, 8))
        self.keep.append(buffer)
        parts: list[Any] = [buffer]
        if shape(kind) is Shape.REGION or kind.indefinite:
            parts = [ctypes.c_void_p(ctypes.addressof(buffer) if kind.indefinite else 0)]
        if item.received == POLYMORPHIC:
            parts.append(ctypes.c_uint32())
        if kind.counted:
            parts.append(ctypes.c_uint32(most_elements(kind) if kind.inline else 0))
        self._arguments += [ctypes.byref(part) for part in parts]
        self._outs.append((argument, parts))

    def _results(self) -> Iterator[tuple[str, Value]]:
        for argument, parts in self._outs:
            kind, item = argument.type, self._items[argument.name]
            octets = self._octets(argument, parts)
            value = octets if shape(kind) is Shape.REGION else from_memory(item, octets)
            yield argument.name, (value, parts[1].value) if item.received == POLYMORPHIC else value

    def _octets(self, argument: Argument, parts: list[Any]) -> bytes:
        kind = argument.type
        count = parts[-1].value if kind.counted else kind.number // kind.group
        size = count * element_octets(kind)
        if shape(kind) is Shape.STRING or not (kind.counted or shape(kind) in (Shape.PORT, Shape.PORTS)):
            size = kind.octets
        if shape(kind) is Shape.REGION or kind.indefinite:
            return ctypes.string_at(parts[0].value, size) if size else b""
        return bytes(parts[0].raw[:size])


def by_value(octets: bytes) -> Any:
    """A C value of these octets."""
    simple = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
    if len(octets) in simple:
        return simple[len(octets)].from_buffer_copy(octets)

    class Struct(ctypes.Structure):
        _fields_ = [("octets", ctypes.c_uint8 * len(octets))]

    return Struct.from_buffer_copy(octets)


# --- messages as the codecs see them ----------------------------------------------------


class Rights(Mapping[int, int]):
    """The port at each slot of a message: its name.  Remembers whether it was asked."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.asked = False

    def __getitem__(self, slot: int) -> int:
        self.asked = True
        name, = struct.unpack_from("<I", self._data, slot)
        assert isinstance(name, int)
        return name

    def __iter__(self) -> Iterator[int]:
        return iter(range(0, len(self._data), 8))

    def __len__(self) -> int:
        return len(self._data) // 8


class Regions(Rights):
    """The memory that each slot points at, as octets; `look` False: only its address."""

    def __init__(self, data: bytes, *, look: bool = True) -> None:
        super().__init__(data)
        self._look = look

    def __getitem__(self, slot: int) -> Any:
        self.asked = True
        word, address = struct.unpack_from("<QQ", self._data, slot - 8)
        size = (word >> 8 & 0xFFFF) * (word >> 32) // 8
        if not self._look:
            return address
        return ctypes.string_at(address, size) if size else b""


def wire_values(items: tuple[Item, ...], values: Mapping[str, Value], *, as_received: bool) -> list[Value]:
    """`values` in the order in which the codecs take and give them."""
    found: list[Value] = []
    for item in items:
        value, poly = values[item.name], item.type
        if item.kind is Kind.PORT and isinstance(value, tuple):
            value, poly = value
        found.append(value)
        if (item.received if as_received else item.type) == POLYMORPHIC:
            found.append(ARRIVES_AS[poly] if as_received else poly)
    return found
