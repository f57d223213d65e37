"""From preprocessed text to statements, by the grammar in `grammar.lark`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from machemu.mig.errors import MigError

if TYPE_CHECKING:
    from machemu.mig.preprocess import Source

Side: TypeAlias = Literal["both", "user", "server"]


@dataclass(frozen=True, slots=True)
class Flag:
    name: str  # in lower case; `dealloc[]` with its brackets
    line: int


@dataclass(frozen=True, slots=True)
class Basic:
    """`name`, `MACH_MSG_TYPE_…`, a number, `polymorphic`, or two of them joined by `|`."""

    sent: str
    received: str | None
    line: int
    bits: int | None = None  # given as `(…, bits, flags)`
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    """`array […] of`, also `struct[n] of`.  `size` None: indefinite."""

    element: Spec
    size: int | None
    variable: bool
    by_value: bool
    line: int


@dataclass(frozen=True, slots=True)
class Pointer:
    target: Spec


@dataclass(frozen=True, slots=True)
class StructField:
    type_name: str
    name: str
    count: int | None  # `type name[count]`
    line: int


@dataclass(frozen=True, slots=True)
class Struct:
    fields: tuple[StructField, ...]


@dataclass(frozen=True, slots=True)
class CString:
    size: int
    variable: bool


Spec: TypeAlias = Basic | Array | Pointer | Struct | CString


@dataclass(frozen=True, slots=True)
class Clause:
    """`ctype`, `cusertype`, `cservertype` (names: type), `intran`, `outtran` (result type,
    function, argument type), `destructor` (function, type), `intranpayload` (type,
    function)."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    name: str
    spec: Spec
    clauses: tuple[Clause, ...]
    line: int


@dataclass(frozen=True, slots=True)
class SubsystemStatement:
    name: str
    base: int
    kernel_user: bool
    kernel_server: bool
    line: int


@dataclass(frozen=True, slots=True)
class ArgumentSyntax:
    direction: str  # in lower case; "" when none was given
    name: str
    type: str | TypeDefinition
    flags: tuple[Flag, ...]
    line: int


@dataclass(frozen=True, slots=True)
class RoutineStatement:
    name: str
    simple: bool
    arguments: tuple[ArgumentSyntax, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Skip:
    count: int
    line: int


@dataclass(frozen=True, slots=True)
class Import:
    file: str  # with its quotes or angle brackets
    side: Side


@dataclass(frozen=True, slots=True)
class Setting:
    """`serverprefix`, `userprefix`, `serverdemux`, `msgoption`, `waittime`, `nowaittime`."""

    kind: str
    text: str = ""


Statement: TypeAlias = (SubsystemStatement | TypeDefinition | RoutineStatement | Skip | Import | Setting)


SHOWN: Final = 40  # characters of what is unexpected
LARGEST: Final = 0x7FFF_FFFF  # number in a file
DIGITS: Final = 40  # of one
NESTING: Final = 32  # types within types
# Statements of CMU's first MIG: a stub that returned nothing, or something else than a result.
OLD_STATEMENTS: Final = {
    "procedure": "write a routine", "simpleprocedure": "write a simpleroutine",
    "function": "write a routine with an out argument", "error": "callers look at what routines return",
}


class _Mistake(Exception):
    """What is wrong, and in which line of the source."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass(frozen=True, slots=True)
class Number:
    value: int
    line: int

    def __post_init__(self) -> None:
        if abs(self.value) > LARGEST:
            raise _Mistake(self.line, "a number is too big")


def number_of(text: str) -> int:
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)


def _number(token: Token) -> Number:
    line = token.line or 0
    if len(token) > DIGITS:
        raise _Mistake(line, "a number is too big")
    return Number(number_of(token), line)


@v_args(inline=True)
class _Builder(Transformer[Token, list[Statement]]):
    """Each method turns one rule of the grammar into its value, as soon as it was read."""

    def start(self, *statements: Statement | None) -> list[Statement]:
        return [s for s in statements if s is not None]

    def subsystem(self, *words: Token) -> SubsystemStatement:
        sides = {word.lower() for word in words[:-2]}
        return SubsystemStatement(str(words[-2]), _number(words[-1]).value, "kerneluser" in sides,
                                  "kernelserver" in sides, words[-2].line or 0)

    def skip(self, word: Token, count: Number | None) -> Skip:
        if count is not None and count.value < 0:
            raise _Mistake(count.line, "skip wants a number that is not negative")
        return Skip(1 if count is None else count.value, word.line or 0)

    def import_file(self, word: Token, file: Token) -> Import:
        sides: dict[str, Side] = {"import": "both", "uimport": "user", "simport": "server"}
        return Import(str(file), sides[word.lower()])

    def prefix(self, word: Token, name: Token) -> Setting:
        return Setting(word.lower(), str(name))

    def option(self, word: Token, text: Token | None = None) -> Setting:
        return Setting(word.lower(), " ".join((text or "").split()))

    def rcsid(self, _text: Token) -> None:
        return None

    def typedef(self, definition: TypeDefinition) -> TypeDefinition:
        return definition

    def named_type(self, name: Token, spec: Spec, *clauses: Clause) -> TypeDefinition:
        return TypeDefinition(str(name), spec, clauses, name.line or 0)

    def c_type(self, word: Token, name: Token) -> Clause:
        return Clause(word.lower(), (str(name),))

    def translation(self, word: Token, result: Token, function: Token, argument: Token) -> Clause:
        return Clause(word.lower(), (str(result), str(function), str(argument)))

    def destructor(self, function: Token, argument: Token) -> Clause:
        return Clause("destructor", (str(function), str(argument)))

    def payload(self, result: Token, function: Token) -> Clause:
        return Clause("intranpayload", (str(result), str(function)))

    def prim(self, word: Token) -> Token:
        if word.type == "NUMBER":
            _number(word)
        return Token("PRIM", word.lower(), line=word.line) if word.type == "POLYMORPHIC" else word

    def prims(self, sent: Token, received: Token | None) -> Basic:
        return Basic(str(sent), None if received is None else str(received), sent.line or 0)

    def basic(self, prims: Basic) -> Basic:
        return prims

    def sized(self, prims: Basic, bits: Number, *flags: Flag) -> Basic:
        return Basic(prims.sent, prims.received, prims.line, bits.value, flags)

    def indefinite(self, element: Spec) -> Array:
        return Array(_not_too_deep(element), None, True, False, _line_of(element))

    def variable(self, size: Number, element: Spec) -> Array:
        return Array(_not_too_deep(element), size.value, True, False, size.line)

    def fixed(self, size: Number, element: Spec) -> Array:
        return Array(_not_too_deep(element), size.value, False, False, size.line)

    def struct_of(self, size: Number, element: Spec) -> Array:
        return Array(_not_too_deep(element), size.value, False, True, size.line)

    def pointer(self, target: Spec) -> Pointer:
        return Pointer(_not_too_deep(target))

    def struct(self, *fields: StructField) -> Struct:
        return Struct(fields)

    def field(self, type_name: Token, name: Token, count: Number | None) -> StructField:
        return StructField(str(type_name), str(name), None if count is None else count.value, name.line or 0)

    def string(self, size: Number) -> CString:
        return CString(size.value, False)

    def variable_string(self, size: Number) -> CString:
        return CString(size.value, True)

    def literal(self, digits: Token) -> Number:
        return _number(digits)

    def add(self, left: Number, right: Number) -> Number:
        return Number(left.value + right.value, left.line)

    def subtract(self, left: Number, right: Number) -> Number:
        return Number(left.value - right.value, left.line)

    def multiply(self, left: Number, right: Number) -> Number:
        return Number(left.value * right.value, left.line)

    def divide(self, left: Number, right: Number) -> Number:
        if not right.value:
            raise _Mistake(right.line, "division by zero")
        return Number(left.value // right.value, left.line)

    def plain_flag(self, name: Token) -> Flag:
        return Flag(name.lower(), name.line or 0)

    def bracket_flag(self, name: Token) -> Flag:
        return Flag(name.lower() + "[]", name.line or 0)

    def argument(self, direction: Token | None, name: Token, kind: Token | TypeDefinition,
                 *flags: Flag) -> ArgumentSyntax:
        named = kind if isinstance(kind, TypeDefinition) else str(kind)
        return ArgumentSyntax((direction or "").lower(), str(name), named, flags, name.line or 0)

    def routine(self, word: Token, name: Token, *arguments: ArgumentSyntax | None) -> RoutineStatement:
        given = tuple(a for a in arguments if a is not None)
        return RoutineStatement(str(name), word.lower() == "simpleroutine", given, name.line or 0)


def _line_of(spec: Spec) -> int:
    while isinstance(spec, Pointer):
        spec = spec.target
    return spec.line if isinstance(spec, Basic | Array) else 0


def _not_too_deep(spec: Spec) -> Spec:
    inner, depth = spec, 0
    while isinstance(inner, Array | Pointer):
        inner, depth = inner.element if isinstance(inner, Array) else inner.target, depth + 1
    if depth >= NESTING:
        raise _Mistake(_line_of(spec) or _line_of(inner), "types lie too deep within each other")
    return spec


@cache
def _grammar() -> Lark:
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr", lexer="contextual",
                     maybe_placeholders=True, transformer=_Builder())


def parse(source: Source) -> list[Statement]:
    """The statements of `source`; their `line`s count in its text.  Raises MigError."""
    try:
        # The transformer makes this of what would be a tree.
        return cast("list[Statement]", _grammar().parse(source.text))
    except UnexpectedInput as error:
        raise MigError(*source.place(max(error.line, 1)), _explain(error)) from None
    except _Mistake as error:
        raise MigError(*source.place(max(error.line, 1)), error.text) from None


def _explain(error: UnexpectedInput) -> str:
    if not isinstance(error, UnexpectedToken):
        return f"unexpected character {getattr(error, 'char', '?')!r}"
    token = error.token
    if token.type == "$END":
        return "the file ends too early"
    if token.lower() in OLD_STATEMENTS and "ROUTINE" in error.accepts:
        return f"{token.lower()} is no statement: {OLD_STATEMENTS[token.lower()]}"
    word = token.split("\n", 1)[0]
    return f"unexpected {word if len(word) <= SHOWN else word[:SHOWN] + '...'!r}"
