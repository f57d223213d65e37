"""Types: from their definitions to what they are on the wire and in C (mach-abi.md 7.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from machemu.mig import model
from machemu.mig.model import (
    BYTE,
    INDEFINITE_OCTETS,
    INTEGER_16,
    INTEGER_32,
    INTEGER_64,
    OUT_OF_LINE_PORT_BITS,
    POLYMORPHIC,
    PORT_BITS,
    STRING_C,
    Deallocate,
    Field,
    Function,
    Type,
)
from machemu.mig.syntax import LARGEST, Array, Basic, CString, Pointer, Spec, Struct, TypeDefinition, number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from machemu.mig.errors import MigError
    from machemu.mig.syntax import Flag

# Symbol: (as sent, as received, bits of one element; 0: must be given).
SYMBOLS: Final[dict[str, tuple[int, int, int]]] = {
    "UNSTRUCTURED": (0, 0, 0), "BIT": (0, 0, 1), "BOOLEAN": (0, 0, 32),
    "INTEGER_16": (1, 1, 16), "INTEGER_32": (2, 2, 32), "INTEGER_64": (11, 11, 64), "INTEGER_8": (9, 9, 8),
    "CHAR": (8, 8, 8), "BYTE": (9, 9, 8), "REAL": (10, 10, 32), "REAL_32": (10, 10, 32), "REAL_64": (10, 10, 64),
    "STRING": (12, 12, 0), "STRING_C": (12, 12, 0), "PORT_NAME": (15, 15, 32),
    "MOVE_RECEIVE": (16, 16, 64), "MOVE_SEND": (17, 17, 64), "MOVE_SEND_ONCE": (18, 18, 64),
    "COPY_SEND": (19, 17, 64), "MAKE_SEND": (20, 17, 64), "MAKE_SEND_ONCE": (21, 18, 64),
    "PORT_RECEIVE": (POLYMORPHIC, 16, 64), "PORT_SEND": (POLYMORPHIC, 17, 64),
    "PORT_SEND_ONCE": (POLYMORPHIC, 18, 64), "PROTECTED_PAYLOAD": (23, 23, 64),
    "POLYMORPHIC": (POLYMORPHIC, POLYMORPHIC, 64),
}
PREFIX: Final = "MACH_MSG_TYPE_"
WORDS_OF_ALIGN: Final = {8: (INTEGER_64, 64), 4: (INTEGER_32, 32), 2: (INTEGER_16, 16), 1: (BYTE, 8)}
SCALAR_BITS: Final = (8, 16, 32, 64)  # what C passes by value; the rest are arrays of octets
LONG_FLAGS: Final = {"islong": True, "isnotlong": False}
DEALLOC_FLAGS: Final = {"dealloc": Deallocate.YES, "dealloc[]": Deallocate.ASK, "notdealloc": Deallocate.NO}


class TypeTable:
    """The types defined so far.  `fail(line, text)` makes the error to raise."""

    def __init__(self, fail: Callable[[int, str], MigError], warn: Callable[[int, str], None]) -> None:
        self._fail = fail
        self._warn = warn
        self._types: dict[str, Type] = {}

    def find(self, name: str, line: int) -> Type:
        try:
            return self._types[name]
        except KeyError:
            raise self._fail(line, f"unknown type {name}") from None

    def define(self, definition: TypeDefinition) -> Type:
        """Add a type.  The same definition again changes nothing; another is refused."""
        made = self.make(definition)
        known = self._types.setdefault(made.name, made)
        if known != made:
            raise self._fail(definition.line, f"type {made.name} is already defined otherwise")
        return made

    def make(self, definition: TypeDefinition) -> Type:
        base = self.of(definition.spec, definition.line)
        name = definition.name
        # What C has by pointer needs no name there, unless one was given.
        in_c = name if (base.by_value and base.inline) or base.user_type else ""
        made = replace(base, name=name, user_type=in_c, server_type=in_c, in_translation=None,
                       out_translation=None, destructor="", payload=None)
        for clause in definition.clauses:
            made = _with_clause(made, clause.kind, clause.names)
        return made

    def of(self, spec: Spec, line: int) -> Type:
        match spec:
            case Basic():
                return self._basic(spec)
            case Array():
                return self._array(spec, spec.line or line)
            case Pointer():
                return self._pointer(self.of(spec.target, line), line)
            case Struct():
                return self._struct(spec, line)
            case CString():
                if spec.size < 1:
                    raise self._fail(line, "a string needs room for its NUL")
                return Type("", STRING_C, STRING_C, 8, spec.size, variable=spec.variable, by_value=False,
                            string=True)

    def _basic(self, spec: Basic) -> Type:
        if spec.received is None and spec.bits is None and spec.sent in self._types:
            found = self._types[spec.sent]
            return replace(found, origin=(spec.sent, *found.origin))
        sent, _, bits = self._symbol(spec.sent, spec.line)
        _, received, other_bits = self._symbol(spec.received or spec.sent, spec.line)
        if POLYMORPHIC not in (sent, received) and model.ARRIVES_AS.get(sent, sent) != received:
            raise self._fail(spec.line, f"what is sent as {spec.sent} never arrives as {spec.received}")
        is_port = sent in model.PORTS or received in model.PORTS
        bits = max(bits, other_bits) if spec.bits is None else spec.bits
        if is_port and bits != PORT_BITS:
            self._warn(spec.line, f"a port takes {PORT_BITS} bits in a message, not {bits}")
            bits = PORT_BITS
        if bits < 1 or bits > 0xFFFF or bits % 8:
            raise self._fail(spec.line, f"{spec.sent} cannot have {bits} bits")
        string = sent == STRING_C
        made = Type("", sent, received, bits, by_value=not string and bits in SCALAR_BITS, string=string,
                    align=_alignment(bits))
        return self.with_flags(made, spec.flags)

    def _symbol(self, word: str, line: int) -> tuple[int, int, int]:
        if word[0].isdigit():
            value = number_of(word)
            known = next((s for s in SYMBOLS.values() if s[0] == value), (value, value, 0))
            return known
        symbol = word.upper() if word == "polymorphic" else word.removeprefix(PREFIX)
        if symbol not in SYMBOLS or (symbol == word and word != "polymorphic"):
            raise self._fail(line, f"unknown type {word}")
        return SYMBOLS[symbol]

    def with_flags(self, kind: Type, flags: tuple[Flag, ...]) -> Type:
        """`kind` with IsLong, Dealloc and their opposites applied."""
        for flag in flags:
            if flag.name in LONG_FLAGS:
                kind = replace(kind, long_form=LONG_FLAGS[flag.name])
            elif flag.name in DEALLOC_FLAGS:
                kind = replace(kind, deallocate=DEALLOC_FLAGS[flag.name])
            else:
                raise self._fail(flag.line, f"unknown flag {flag.name}")
        return kind

    def _array(self, spec: Array, line: int) -> Type:
        element = self.of(spec.element, line)
        if not element.inline or element.variable:
            raise self._fail(line, "elements of an array must be inline and of one size")
        if element.string and spec.variable and element.number != 1:
            raise self._fail(line, "elements of a variable array cannot be c_strings")
        if spec.by_value and (element.is_port or element.is_polymorphic):
            raise self._fail(line, "a struct holds plain data only, no ports")
        if spec.size is not None and spec.size < 1:
            raise self._fail(line, "an array needs at least one element")
        number = spec.size
        if number is None:
            number = INDEFINITE_OCTETS * 8 // (element.bits * element.number)
        if number * element.number > LARGEST:
            raise self._fail(line, f"an array of {number * element.number} elements is too long")
        return replace(element, number=number * element.number, element=element, variable=spec.variable,
                       indefinite=spec.size is None, by_value=spec.by_value, string=False,
                       user_type="", server_type="", origin=(), fields=())

    def _pointer(self, target: Type, line: int) -> Type:
        if not target.inline:
            raise self._fail(line, "^ cannot point at what is already out of line")
        number = 0 if target.indefinite else target.number
        bits = OUT_OF_LINE_PORT_BITS if target.is_port or target.is_polymorphic else target.bits
        element = target if target.by_value else target.element or target
        return replace(target, number=number, bits=bits, inline=False, indefinite=False, by_value=True,
                       string=False,
                       # In C a string far away is a string.
                       element=None if target.string else element, align=8, user_type="", server_type="", origin=(),
                       fields=())

    def _struct(self, spec: Struct, line: int) -> Type:
        if not spec.fields:
            raise self._fail(line, "a struct needs fields")
        fields: list[Field] = []
        offset, align = 0, 1
        for item in spec.fields:
            kind = self.find(item.type_name, item.line)
            if kind.is_port or kind.is_polymorphic or not kind.inline or kind.variable:
                raise self._fail(item.line, f"{item.name}: a struct holds plain data of one size only")
            if any(item.name == other.name for other in fields):
                raise self._fail(item.line, f"two fields are called {item.name}")
            if item.count is not None:
                if item.count < 1:
                    raise self._fail(item.line, f"{item.name}: an array needs at least one element")
                kind = replace(kind, number=kind.number * item.count, element=kind, by_value=False)
            offset = -(-offset // kind.align) * kind.align
            fields.append(Field(item.name, kind, offset))
            offset += kind.octets
            if offset > LARGEST:
                raise self._fail(item.line, "the struct is too long")
            align = max(align, kind.align)
        octets = -(-offset // align) * align
        name, bits = WORDS_OF_ALIGN[align]
        return Type("", name, name, bits, octets * 8 // bits, align=align, fields=tuple(fields))


def _alignment(bits: int) -> int:
    """Octets; of the C type that holds this many bits."""
    return {16: 2, 32: 4, 64: 8}.get(bits, 1)


def _with_clause(kind: Type, clause: str, names: tuple[str, ...]) -> Type:
    match clause:
        case "ctype":
            return replace(kind, user_type=names[0], server_type=names[0])
        case "cusertype":
            return replace(kind, user_type=names[0])
        case "cservertype":
            return replace(kind, server_type=names[0])
        case "intran":
            return replace(kind, in_translation=Function(*names), server_type=names[0])
        case "outtran":
            return replace(kind, out_translation=Function(*names), server_type=names[2])
        case "destructor":
            return replace(kind, destructor=names[0])
        case _:
            return replace(kind, payload=Function(names[0], names[1], "rpc_uintptr_t"))
