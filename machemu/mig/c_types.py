"""What MIG's types are called in C, and what their descriptors look like (mach-abi.md 7.2).

Scalars and structs have the name of their type.  What C has by pointer, arrays, strings and
regions, is written out as a pointer to its elements unless `ctype` names a C type, so an
interface needs no typedef for it; a typedef of such an array or pointer fits all the same.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from machemu.mig.model import INDEFINITE_OCTETS, POLYMORPHIC, REAL, Deallocate, Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from machemu.mig.model import Argument, Routine, Type

CSide: TypeAlias = Literal["user", "server"]

NUMBER: Final = "mach_msg_type_number_t"
POLY: Final = "mach_msg_type_name_t"
NAME_OCTETS: Final = 4  # of a port in C
SLOT_OCTETS: Final = 8  # of a port in a message
LARGEST_NUMBER: Final = 0xFFFF_FFFF  # elements

SYMBOLS: Final = {
    0: "BOOLEAN", 1: "INTEGER_16", 2: "INTEGER_32", 8: "CHAR", 9: "BYTE", 10: "REAL", 11: "INTEGER_64",
    12: "STRING_C", 15: "PORT_NAME", 16: "MOVE_RECEIVE", 17: "MOVE_SEND", 18: "MOVE_SEND_ONCE",
    19: "COPY_SEND", 20: "MAKE_SEND", 21: "MAKE_SEND_ONCE", 23: "PROTECTED_PAYLOAD",
}
# What an element is when its type has no name.
UNNAMED: Final = {8: "char", 16: "short", 32: "int", 64: "int64_t"}
UNNAMED_REAL: Final = {32: "float", 64: "double"}


class Shape(enum.Enum):
    """How stubs treat an item."""

    VALUE = "value"  # copied as it is
    PORT = "port"  # a name in a slot of 8 octets
    STRING = "string"  # ends with NUL
    ARRAY = "array"  # data inline, by pointer in C; indefinite ones also out of line
    PORTS = "ports"  # the same, but 8 octets a port in the message and 4 in C
    REGION = "region"  # out of line


def shape(kind: Type) -> Shape:
    if not kind.inline:
        return Shape.REGION
    if kind.is_port or kind.is_polymorphic:
        return Shape.PORTS if kind.is_array else Shape.PORT
    if kind.string:
        return Shape.STRING
    return Shape.VALUE if kind.by_value else Shape.ARRAY


@dataclass(frozen=True, slots=True)
class CType:
    """A C type in two halves, as `char (*)[64]` needs it."""

    base: str
    suffix: str = ""

    def pointer(self, name: str, level: int = 1) -> str:
        """`name` declared as a pointer to this; without a name, the type for a cast."""
        stars = "*" * level
        if self.suffix:
            return f"{self.base} ({stars}{name}){self.suffix}"
        return f"{self.base} {stars}{name}"

    def const(self) -> CType:
        # C17 does not convert a pointer to an array to one to a constant array.
        return self if self.suffix else CType(f"const {self.base}")


def given_name(kind: Type, side: CSide) -> str:
    return kind.user_type if side == "user" else kind.server_type


def value_type(kind: Type, side: CSide) -> str:
    """The C type of a scalar or struct."""
    if name := given_name(kind, side):
        return name
    if kind.is_port or kind.is_polymorphic:
        return "mach_port_t"
    return UNNAMED_REAL[kind.bits] if kind.sent == REAL else UNNAMED[kind.bits]


def element_type(kind: Type, side: CSide) -> CType:
    """The C type that an array, a string or a region consists of."""
    if kind.string or kind.element is None:
        return CType("char")
    return _object_type(kind.element, side)


def _object_type(kind: Type, side: CSide) -> CType:
    """The C type of a whole `kind` within an array; arrays are not translated."""
    if (kind.in_translation or kind.out_translation) and side == "server":
        return CType(wire_type(kind, side))
    if given := given_name(kind, side):
        return CType(given)
    if kind.string or kind.fields or (kind.element is None and not kind.by_value):
        return CType("char", f"[{kind.octets}]")
    if kind.element is None:
        return CType(value_type(kind, side))
    inner = _object_type(kind.element, side)
    return CType(inner.base, f"[{kind.number // kind.element.number}]{inner.suffix}")


def wire_type(kind: Type, side: CSide) -> str:
    """The C type of a single value as it lies in the message, where the server translates it."""
    if side == "server" and kind.in_translation is not None:
        return kind.in_translation.argument
    if side == "server" and kind.out_translation is not None:
        return kind.out_translation.result
    return value_type(kind, side)


def pointer_type(kind: Type, side: CSide, name: str = "", *, level: int = 1, const: bool = False) -> str:
    """`name` declared as what C has for an array, a string or a region."""
    if given := given_name(kind, side):
        stars = "*" * (level - 1)
        return f"{given} {stars}{name}".rstrip()
    element = element_type(kind, side)
    return (element.const() if const else element).pointer(name, level)


def cast(kind: Type, side: CSide) -> str:
    """What has to stand before a pointer to octets or ports, to make a `pointer_type` of it."""
    if given := given_name(kind, side):
        return f"({given})"
    return "(void *)" if element_type(kind, side).suffix else ""


# --- elements as C counts them ------------------------------------------------------


def element_octets(kind: Type) -> int:
    """Octets of one element in C, which for a single fixed thing is all of it."""
    if kind.is_port or kind.is_polymorphic:
        return NAME_OCTETS * kind.group
    if kind.string or kind.element is None:
        return 1
    return kind.bits * kind.group // 8


def most_elements(kind: Type) -> int:
    """Elements at most, by C's count; LARGEST_NUMBER where only its type limits it."""
    if kind.indefinite:
        slot = SLOT_OCTETS * kind.group if kind.is_port or kind.is_polymorphic else element_octets(kind)
        return INDEFINITE_OCTETS // slot
    return (kind.number or LARGEST_NUMBER) // kind.group


def wire_number(kind: Type, count: str) -> str:
    """Number of wire elements in `count` C elements."""
    return count if kind.group == 1 else f"{count} * {kind.group}"


def octets_of(kind: Type, count: str) -> str:
    """Octets of `count` C elements."""
    each = element_octets(kind)
    return count if each == 1 else f"(vm_size_t){count} * {each}"


# --- descriptors --------------------------------------------------------------------


def symbol(name: int) -> str:
    if name in SYMBOLS:
        return f"MACH_MSG_TYPE_{SYMBOLS[name]}"
    return str(name)


def descriptor(kind: Type, name: str, number: str, *more_flags: str, bits: int | None = None,
               inline: bool | None = None) -> str:
    """A MIG_ITEM.  `inline` and `bits`: where they are not those of `kind`."""
    flags = ["MIG_INLINE"] if (kind.inline if inline is None else inline) else []
    flags += ["MIG_LONG"] if kind.is_long else []
    flags += [flag for flag in more_flags if flag]
    size = kind.bits if bits is None else bits
    return f"MIG_ITEM({name}, {size}, {' | '.join(flags) or '0'}, {number})"


# --- parameters ---------------------------------------------------------------------

_BOTH: Final = (Direction.IN, Direction.OUT, Direction.INOUT, Direction.REQUEST_PORT, Direction.REPLY_PORT)
_USER: Final = (*_BOTH, Direction.USER_REPLY_PORT, Direction.WAIT_TIME, Direction.MSG_OPTION)
_SERVER: Final = (*_BOTH, Direction.SERVER_REPLY_PORT, Direction.SEQUENCE_NUMBER)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a C function."""

    name: str
    declaration: str


def parameters(routine: Routine, side: CSide) -> list[Parameter]:
    """Of the user's stub, or of the function that a server writes (mach-abi.md 7.3)."""
    directions = _USER if side == "user" else _SERVER
    found: list[Parameter] = []
    for argument in routine.arguments:
        if argument.direction in directions:
            found += parameters_of(argument, side)
    return found


def parameters_of(argument: Argument, side: CSide) -> list[Parameter]:
    """An argument and what is implied by it, in their order."""
    kind, name = argument.type, argument.name
    found = [Parameter(name, _main(argument, side))]
    if has_poly(argument, side):
        found.append(Parameter(f"{name}Poly", _by_pointer(POLY, f"{name}Poly", poly_is_out(argument, side))))
    if kind.counted:
        found.append(Parameter(f"{name}Cnt", _by_pointer(NUMBER, f"{name}Cnt", argument.in_reply)))
    if asks_dealloc(argument, side):
        found.append(Parameter(f"{name}Dealloc", _by_pointer("boolean_t", f"{name}Dealloc", side == "server")))
    if argument.server_copy and side == "server":
        found.append(Parameter(f"{name}SCopy", f"boolean_t {name}SCopy"))
    return found


def _by_pointer(ctype: str, name: str, pointer: bool) -> str:
    return f"{ctype} {'*' if pointer else ''}{name}"


def _main(argument: Argument, side: CSide) -> str:
    kind, name = argument.type, argument.name
    form = shape(kind)
    if form in (Shape.VALUE, Shape.PORT):
        return _by_pointer(value_type(kind, side), name, argument.in_reply)
    if form is Shape.REGION or kind.indefinite:
        if argument.in_reply:
            return pointer_type(kind, side, name, level=2)
        # A region belongs to the server's function, which may write into it.
        return pointer_type(kind, side, name, const=side == "user" or form is not Shape.REGION)
    if given := given_name(kind, side):
        return f"{given} {name}" if argument.in_reply else f"const {given} {name}"
    return pointer_type(kind, side, name, const=not argument.in_reply)


def poly_is_out(argument: Argument, side: CSide) -> bool:
    """Does the function tell the disposition, rather than get it?"""
    told = argument.type.received if side == "user" else argument.type.sent
    return argument.in_reply and told == POLYMORPHIC


def has_poly(argument: Argument, side: CSide) -> bool:
    """Has the function a parameter for the disposition of this argument?"""
    kind = argument.type
    given = kind.sent if side == "user" else kind.received
    in_request = argument.in_request or argument.direction not in (Direction.IN, Direction.OUT, Direction.INOUT)
    return (in_request and given == POLYMORPHIC) or poly_is_out(argument, side)


def asks_dealloc(argument: Argument, side: CSide) -> bool:
    sends = argument.in_request if side == "user" else argument.in_reply
    return sends and argument.type.deallocate is Deallocate.ASK


def used_types(routines: Sequence[Routine], side: CSide) -> dict[str, int]:
    """C type -> octets that the stubs take it to have, for all that goes through messages."""
    found: dict[str, int] = {}
    for routine in routines:
        for argument in routine.arguments:
            if not (argument.in_request or argument.in_reply):
                continue
            kind = argument.type
            form = shape(kind)
            if form is Shape.VALUE:
                found[wire_type(kind, side)] = kind.octets
            elif form in (Shape.ARRAY, Shape.PORTS, Shape.REGION) and not given_name(kind, side):
                element = element_type(kind, side)
                if not element.suffix:
                    found[element.base] = element_octets(kind)
    found.pop("char", None)
    return dict(sorted(found.items()))
