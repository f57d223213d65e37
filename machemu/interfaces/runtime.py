"""What the codecs made from `servers/defs/` run on: messages to Python values and back.

Values, by `Kind` of item:
    INTEGER   int (encoding takes any int and keeps its low bits)
    INTEGERS  list[int]
    OCTETS    bytes (arrays of BYTE or CHAR; zero padding is kept)
    STRING    bytes without the NUL
    STRUCT    tuple[int, ...], one per C field; arrays of structs: list of such tuples
    PORT      the caller's own object, or None for a null port; arrays: list of them
An item out of line decodes to whatever `regions` holds at its slot; encoding takes
bytes, a list as above, or an object with a `size` in octets, which it passes on.
Arguments come in the order of the C call: a polymorphic port takes two, the right and its
disposition; a CountInOut array takes one in the request, the room its caller has.

Layout: mach-abi.md 1.4, 1.5, 7.2 and 7.3 (GNU MIG, 64-bit).
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HEADER_OCTETS: Final = 32
RETCODE_OCTETS: Final = 16  # descriptor, code, padding
REPLY_DISTANCE: Final = 100  # reply id = request id + this
INDEFINITE_OCTETS: Final = 2048  # most an indefinite array carries inline
OUT_OF_LINE_PORT_BITS: Final = 32
POLYMORPHIC: Final = -1
ARRIVES_AS: Final = {16: 16, 17: 17, 18: 18, 19: 17, 20: 17, 21: 18}  # port dispositions
INLINE: Final = 1 << 29
LONG_FORM: Final = 1 << 30
DEALLOCATE: Final = 1 << 31
RETCODE_DESCRIPTOR: Final = 0x0000_0001_2000_2002

_WORD: Final = struct.Struct("<Q")
_RETCODE: Final = struct.Struct("<Qi4x")
_SIZE: Final = struct.Struct("<I")
_NO_OBJECTS: Final[Mapping[int, object]] = {}

# Anything: values of items are the caller's business.
Value: TypeAlias = Any
Octets: TypeAlias = bytes | bytearray | memoryview


class BadMessage(Exception):
    """A message is not what its interface says: MIG_BAD_ARGUMENTS or MIG_TYPE_ERROR."""


class BadValue(Exception):
    """A value cannot be put in a message: our own bug, or a test's."""


class Kind(enum.Enum):
    INTEGER = "integer"
    INTEGERS = "integers"
    OCTETS = "octets"
    STRING = "string"
    STRUCT = "struct"
    PORT = "port"


@final
@dataclass(frozen=True, slots=True)
class Item:
    """One item of a message.  `number` counts wire elements of `bits` each: exactly, or at
    most when `variable` (then 0: no limit)."""

    name: str
    kind: Kind
    type: int  # MACH_MSG_TYPE_ as sent; POLYMORPHIC: the sender says
    bits: int
    number: int = 1
    arrives: int | None = None  # as received, where that differs
    signed: bool = False
    variable: bool = False
    indefinite: bool = False  # inline or out of line, as the sender chose
    out_of_line: bool = False
    long_form: bool = False
    deallocate: bool = False
    fields: str = ""  # of a struct: its layout for the module `struct`
    group: int = 1  # wire elements per struct
    single: bool = True  # the value is one thing, not a list

    @property
    def received(self) -> int:
        return self.type if self.arrives is None else self.arrives

    @property
    def flags(self) -> int:
        return (0 if self.out_of_line else INLINE) | (LONG_FORM if self.long_form else 0)


@final
@dataclass(frozen=True, slots=True)
class Encoded:
    """A message without its header's contents: 32 octets of zeros but for the size."""

    data: bytes
    rights: dict[int, object]  # offset of the 8-octet slot of each port: its right or None
    descriptors: dict[int, int]  # offset of each such slot: that of its descriptor
    regions: dict[int, object]  # offset of the 8-octet address: bytes, a region, or a list of rights
    complex: bool


class _Message:
    """The items of one message after `start` octets, ready to encode and decode."""

    __slots__ = ("_descriptors", "_struct", "carries", "items", "readers", "size", "start", "writers")

    def __init__(self, items: tuple[Item, ...], start: int) -> None:
        self.items = items
        self.start = start
        self.carries = any(i.kind is Kind.PORT or i.out_of_line or i.type == POLYMORPHIC for i in items)
        self.size = start + sum(8 + _room(item) for item in items)
        self._struct: struct.Struct | None = None
        self._descriptors: tuple[int, ...] = ()
        if all(item.kind is Kind.INTEGER for item in items):
            self._struct = struct.Struct("<" + "".join("Q" + _scalar(item) for item in items))
            self._descriptors = tuple(_descriptor(item, item.received, item.number) for item in items)
        self.readers = tuple(_reader(item) for item in items)
        self.writers = tuple(_writer(item) for item in items)

    def decode(self, data: Octets, rights: Mapping[int, object],
               regions: Mapping[int, object]) -> tuple[Value, ...]:
        if self._struct is not None:  # the common case: plain integers only
            if len(data) != self.size:
                raise BadMessage(f"{len(data)} octets, not {self.size}")
            words = self._struct.unpack_from(data, self.start)
            if words[::2] != self._descriptors:
                raise BadMessage("a type descriptor is not the one expected")
            return words[1::2]
        cursor = _Cursor(data, self.start, rights, regions)
        for read in self.readers:
            read(cursor)
        if cursor.at != len(data):
            raise BadMessage(f"{len(data)} octets, not {cursor.at}")
        return tuple(cursor.values)

    def encode(self, values: Sequence[Value], head: bytes) -> Encoded:
        out = _Builder(head, values)
        for write in self.writers:
            write(out)
        if out.next_value != len(values):
            raise BadValue(f"{len(values)} values given, {out.next_value} wanted")
        _SIZE.pack_into(out.data, 4, len(out.data))
        return Encoded(bytes(out.data), out.rights, out.descriptors, out.regions,
                       bool(out.rights or out.regions))


@final
@dataclass(frozen=True, slots=True, eq=False)
class Routine:
    """One call of an interface.  `target` and `reply_to` are the dispositions its user stub
    gives the request port and the reply port (POLYMORPHIC: its caller says).  `is_reply`: it
    is another routine's late reply, whose first item is the return code (flag RetCode)."""

    id: int
    name: str
    simple: bool
    request: tuple[Item, ...]
    reply: tuple[Item, ...]
    target: int = 19  # MACH_MSG_TYPE_COPY_SEND
    reply_to: int = 21  # MACH_MSG_TYPE_MAKE_SEND_ONCE; 0: none
    is_reply: bool = False
    _request: _Message = field(init=False, repr=False)
    _reply: _Message = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_request", _Message(self.request, HEADER_OCTETS))
        object.__setattr__(self, "_reply", _Message(self.reply, HEADER_OCTETS + RETCODE_OCTETS))

    @property
    def reply_id(self) -> int:
        return self.id + REPLY_DISTANCE


@final
@dataclass(frozen=True, slots=True, eq=False)
class Subsystem:
    """An interface; `routines` by request id."""

    name: str
    base: int
    routines: dict[int, Routine]

    def by_name(self, name: str) -> Routine:
        return next(routine for routine in self.routines.values() if routine.name == name)


def subsystem(name: str, base: int, *routines: Routine) -> Subsystem:
    return Subsystem(name, base, {routine.id: routine for routine in routines})


def decode_request(routine: Routine, data: Octets, rights: Mapping[int, object] = _NO_OBJECTS,
                   regions: Mapping[int, object] = _NO_OBJECTS) -> tuple[Value, ...]:
    """The in arguments of a request, as sent or as received.

    Args:
        rights: what the port at each 8-octet slot (its offset in the message) denotes.
        regions: what the address at each slot denotes; an empty region may be missing.
    Raises BadMessage: size, a descriptor or a count is wrong, or a port or region is not
    in `rights` or `regions`, as it is when the message was not marked complex.
    """
    if routine.is_reply and len(data) == HEADER_OCTETS + RETCODE_OCTETS:
        code = decode_error(data)
        if code != 0:
            return (code, *(None for _ in routine.request[1:]))
    return routine._request.decode(data, rights, regions)


def decode_error(data: Octets) -> int:
    """The return code of a reply, the first thing in it.  Raises BadMessage."""
    if len(data) < HEADER_OCTETS + RETCODE_OCTETS:
        raise BadMessage("a reply has at least 48 octets")
    descriptor, code = _RETCODE.unpack_from(data, HEADER_OCTETS)
    if descriptor != RETCODE_DESCRIPTOR:
        raise BadMessage("the return code's descriptor is not the one expected")
    return int(code)


def decode_reply(routine: Routine, data: Octets, rights: Mapping[int, object] = _NO_OBJECTS,
                 regions: Mapping[int, object] = _NO_OBJECTS) -> tuple[int, tuple[Value, ...]]:
    """Return code and out arguments of a reply; no arguments if the code is not 0."""
    code = decode_error(data)
    if code != 0 and len(data) == HEADER_OCTETS + RETCODE_OCTETS:
        return code, ()
    return code, routine._reply.decode(data, rights, regions)


def encode_request(routine: Routine, args: Sequence[Value] = ()) -> Encoded:
    """Raises BadValue: `args` do not fit the routine."""
    return routine._request.encode(args, bytes(HEADER_OCTETS))


def encode_reply(routine: Routine, code: int, outs: Sequence[Value] = ()) -> Encoded:
    """The reply; `outs` are left out if `code` is not 0.  Raises BadValue."""
    if code != 0:
        return error_reply(code)
    head = bytes(HEADER_OCTETS) + _RETCODE.pack(RETCODE_DESCRIPTOR, 0)
    return routine._reply.encode(outs, head)


def error_reply(code: int) -> Encoded:
    """The reply of any routine that failed."""
    head = _SIZE.pack(0) + _SIZE.pack(HEADER_OCTETS + RETCODE_OCTETS) + bytes(HEADER_OCTETS - 8)
    return Encoded(head + _RETCODE.pack(RETCODE_DESCRIPTOR, _signed(code, 32)), {}, {}, {}, complex=False)


# Inside: one reader and one writer per item, chosen once when the tables are loaded.


class _Cursor:
    """Where decoding stands."""

    __slots__ = ("at", "data", "regions", "rights", "values")

    def __init__(self, data: Octets, at: int, rights: Mapping[int, object],
                 regions: Mapping[int, object]) -> None:
        self.data = data
        self.at = at
        self.rights = rights
        self.regions = regions
        self.values: list[Value] = []

    def take(self, octets: int) -> int:
        """Offset of the next `octets`, padding to 8 skipped behind them."""
        start = self.at
        self.at = start + (octets + 7 & ~7)
        if self.at > len(self.data):
            raise BadMessage("the message ends within an item")
        return start

    def right(self, slot: int) -> object:
        try:
            return self.rights[slot]
        except KeyError:
            raise BadMessage("a port in a message that is not complex") from None


class _Builder:
    """Where encoding stands."""

    __slots__ = ("data", "descriptors", "next_value", "regions", "rights", "values")

    def __init__(self, head: bytes, values: Sequence[Value]) -> None:
        self.data = bytearray(head)
        self.values = values
        self.next_value = 0
        self.rights: dict[int, object] = {}
        self.descriptors: dict[int, int] = {}
        self.regions: dict[int, object] = {}

    def value(self) -> Value:
        try:
            value = self.values[self.next_value]
        except IndexError:
            raise BadValue(f"only {len(self.values)} values given") from None
        self.next_value += 1
        return value

    def put(self, descriptor: int, octets: bytes) -> None:
        self.data += _WORD.pack(descriptor)
        self.data += octets
        self.data += bytes(-len(octets) & 7)


def _descriptor(item: Item, name: int, number: int) -> int:
    return name & 0xFF | item.bits << 8 | item.flags | number << 32


def _room(item: Item) -> int:
    """Octets of the data, padded; of a variable item at most."""
    return 8 if item.out_of_line else (item.bits * item.number // 8 + 7) & ~7


def _scalar(item: Item) -> str:
    """Layout of one integer and its padding, for the module `struct`."""
    code = {8: "b7x", 16: "h6x", 32: "i4x", 64: "q"}[item.bits]
    return code if item.signed else code.upper().replace("X", "x")


def _signed(value: int, bits: int) -> int:
    """`value`'s low bits as a signed number."""
    half = 1 << bits - 1
    return (value + half & (half << 1) - 1) - half


def _names(item: Item) -> frozenset[int]:
    """The dispositions or types an item may have, sent and received."""
    if item.received == POLYMORPHIC:
        return frozenset(ARRIVES_AS)
    if item.kind is Kind.PORT:
        return frozenset(name for name, arrives in ARRIVES_AS.items() if arrives == item.received)
    return frozenset((item.type, item.received))


def _reader(item: Item) -> Callable[[_Cursor], None]:
    names = _names(item)
    flags = item.flags
    port = item.kind is Kind.PORT
    told = item.received == POLYMORPHIC
    take_inline = _PORTS_IN if port and not item.single else _INLINE_READERS[item.kind]

    def read(cursor: _Cursor) -> None:
        word = _WORD.unpack_from(cursor.data, cursor.take(8))[0]
        name = word & 0xFF
        if name not in names or word >> 24 & 0x1F:
            raise BadMessage(f"{item.name}: unexpected type {name}")
        inline = bool(word & INLINE)
        form = word & (INLINE | LONG_FORM)
        if form != flags and not (item.indefinite and form == flags & ~INLINE):
            raise BadMessage(f"{item.name}: unexpected form")
        bits = 32 if port and not inline else item.bits
        number = word >> 32
        if word >> 8 & 0xFFFF != bits or not _number_fits(item, number, inline):
            raise BadMessage(f"{item.name}: {number} elements of {word >> 8 & 0xFFFF} bits")
        if inline:
            if word & DEALLOCATE:
                raise BadMessage(f"{item.name}: deallocate bit on inline data")
            cursor.values.append(take_inline(item, cursor, number))
        else:
            slot = cursor.take(8)
            if number and slot not in cursor.regions:
                raise BadMessage(f"{item.name}: a region in a message that is not complex")
            cursor.values.append(cursor.regions.get(slot))
        if told:
            cursor.values.append(ARRIVES_AS[name])

    return read


def _number_fits(item: Item, number: int, inline: bool) -> bool:
    if not item.variable:
        return number == item.number
    limited = inline or (item.out_of_line and item.number)
    return number % item.group == 0 and (not limited or number <= item.number)


def _read_integer(item: Item, cursor: _Cursor, number: int) -> int:
    return _read_integers(item, cursor, number)[0]


def _read_integers(item: Item, cursor: _Cursor, number: int) -> list[int]:
    octets = item.bits * number // 8
    start = cursor.take(octets)
    return _integers(item, bytes(cursor.data[start:start + octets]))


def _integers(item: Item, data: bytes) -> list[int]:
    code = {8: "b", 16: "h", 32: "i", 64: "q"}[item.bits]
    code = code if item.signed else code.upper()
    return list(struct.unpack(f"<{len(data) * 8 // item.bits}{code}", data))


def _read_octets(item: Item, cursor: _Cursor, number: int) -> bytes:
    octets = item.bits * number // 8
    start = cursor.take(octets)
    return bytes(cursor.data[start:start + octets])


def _read_string(item: Item, cursor: _Cursor, number: int) -> bytes:
    return _read_octets(item, cursor, number).partition(b"\0")[0]


def _read_struct(item: Item, cursor: _Cursor, number: int) -> Value:
    found = list(struct.iter_unpack(item.fields, _read_octets(item, cursor, number)))
    return found[0] if item.single else found


def _read_port(item: Item, cursor: _Cursor, number: int) -> object:
    return cursor.right(cursor.take(8 * number))


def _read_ports(item: Item, cursor: _Cursor, number: int) -> list[object]:
    start = cursor.take(8 * number)
    return [cursor.right(slot) for slot in range(start, start + 8 * number, 8)]


_PORTS_IN: Final[Callable[[Item, _Cursor, int], Value]] = _read_ports
_INLINE_READERS: Final[dict[Kind, Callable[[Item, _Cursor, int], Value]]] = {
    Kind.INTEGER: _read_integer, Kind.INTEGERS: _read_integers, Kind.OCTETS: _read_octets,
    Kind.STRING: _read_string, Kind.STRUCT: _read_struct, Kind.PORT: _read_port,
}


def _writer(item: Item) -> Callable[[_Builder], None]:
    if item.kind is Kind.INTEGER and not item.out_of_line:
        return _integer_writer(item)
    return _port_writer(item) if item.kind is Kind.PORT else _data_writer(item)


def _integer_writer(item: Item) -> Callable[[_Builder], None]:
    layout = struct.Struct("<Q" + _scalar(item).upper().replace("X", "x"))
    descriptor = _descriptor(item, item.type, 1)
    mask = (1 << item.bits) - 1

    def write(out: _Builder) -> None:
        out.data += layout.pack(descriptor, out.value() & mask)

    return write


def _data_writer(item: Item) -> Callable[[_Builder], None]:
    def write(out: _Builder) -> None:
        value = out.value()
        plain = not hasattr(value, "size")
        octets = _to_octets(item, value) if plain else b""
        size = len(octets) if plain else value.size
        number = size * 8 // item.bits
        outside = item.out_of_line or (item.indefinite and (not plain or number > item.number))
        if not plain and not outside:
            raise BadValue(f"{item.name} is inline and cannot be a region")
        if (not item.variable and number != item.number) or (
                not item.indefinite and item.number and number > item.number):
            raise BadValue(f"{item.name}: {number} elements, where {item.number} fit")
        descriptor = _descriptor(item, item.type, number)
        if not outside:
            out.put(descriptor, octets)
            return
        descriptor = descriptor & ~INLINE | (DEALLOCATE if item.deallocate else 0)
        out.put(descriptor, bytes(8))
        out.regions[len(out.data) - 8] = octets if plain else value

    return write


def _port_writer(item: Item) -> Callable[[_Builder], None]:
    def write(out: _Builder) -> None:
        value = out.value()
        name = out.value() if item.type == POLYMORPHIC else item.type
        rights = [value] if item.single else list(value or ())
        if name not in ARRIVES_AS:
            raise BadValue(f"{item.name}: {name} is no disposition")
        outside = item.out_of_line or (item.indefinite and len(rights) > item.number)
        if (not item.variable and len(rights) != item.number) or (
                not item.indefinite and item.number and len(rights) > item.number):
            raise BadValue(f"{item.name}: {len(rights)} ports, where {item.number} fit")
        descriptor = _descriptor(item, name, len(rights))
        if outside:
            descriptor = descriptor & ~(0xFFFF << 8 | INLINE) | OUT_OF_LINE_PORT_BITS << 8
            out.put(descriptor | (DEALLOCATE if item.deallocate else 0), bytes(8))
            out.regions[len(out.data) - 8] = rights
        else:
            out.put(descriptor, bytes(8 * len(rights)))
            first = len(out.data) - 8 * len(rights)
            for slot, right in enumerate(rights):
                out.rights[first + 8 * slot] = right
                out.descriptors[first + 8 * slot] = first - 8

    return write


def _to_octets(item: Item, value: Value) -> bytes:
    """`value` of the item as it lies in memory."""
    if value is None:
        return b""
    if item.kind is Kind.STRUCT and not isinstance(value, (bytes, bytearray)):
        try:
            return b"".join(struct.pack(item.fields, *one) for one in ([value] if item.single else value))
        except (struct.error, TypeError) as error:
            raise BadValue(f"{item.name}: {error}") from None
    if item.kind is Kind.STRING and not item.out_of_line:
        return _string(item, value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    values = [value] if isinstance(value, int) else value
    mask = (1 << item.bits) - 1
    code = {8: "B", 16: "H", 32: "I", 64: "Q"}[item.bits]
    return struct.pack(f"<{len(values)}{code}", *(number & mask for number in values))


def _string(item: Item, value: bytes) -> bytes:
    """With its NUL; a fixed one filled up, one too long cut, as mig_strncpy does."""
    room = item.bits * item.number // 8
    text = bytes(value)[:room - 1] + b"\0"
    return text if item.variable else text.ljust(room, b"\0")
