"""From preprocessed text to statements, by the grammar in `grammar.lark`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

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


def number_of(text: str) -> int:
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)


class _DivisionByZero(Exception):
    pass


@v_args(inline=True)
class _Builder(Transformer[Token, list[Statement]]):
    """Each method turns one rule of the grammar into its value."""

    def start(self, *statements: Statement | None) -> list[Statement]:
        return [s for s in statements if s is not None]

    def subsystem(self, *words: Token) -> SubsystemStatement:
        sides = {word.lower() for word in words[:-2]}
        return SubsystemStatement(str(words[-2]), number_of(words[-1]), "kerneluser" in sides,
                                  "kernelserver" in sides, words[-2].line or 0)

    def skip(self, count: int | None) -> Skip:
        return Skip(1 if count is None else count)

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
        return Token("PRIM", word.lower(), line=word.line) if word.type == "POLYMORPHIC" else word

    def prims(self, sent: Token, received: Token | None) -> Basic:
        return Basic(str(sent), None if received is None else str(received), sent.line or 0)

    def basic(self, prims: Basic) -> Basic:
        return prims

    def sized(self, prims: Basic, bits: int, *flags: Flag) -> Basic:
        return Basic(prims.sent, prims.received, prims.line, bits, flags)

    def indefinite(self, element: Spec) -> Array:
        return Array(element, None, True, False, _line_of(element))

    def variable(self, size: int, element: Spec) -> Array:
        return Array(element, size, True, False, _line_of(element))

    def fixed(self, size: int, element: Spec) -> Array:
        return Array(element, size, False, False, _line_of(element))

    def struct_of(self, size: int, element: Spec) -> Array:
        return Array(element, size, False, True, _line_of(element))

    def pointer(self, target: Spec) -> Pointer:
        return Pointer(target)

    def struct(self, *fields: StructField) -> Struct:
        return Struct(fields)

    def field(self, type_name: Token, name: Token, count: int | None) -> StructField:
        return StructField(str(type_name), str(name), count, name.line or 0)

    def string(self, size: int) -> CString:
        return CString(size, False)

    def variable_string(self, size: int) -> CString:
        return CString(size, True)

    def literal(self, digits: Token) -> int:
        return number_of(digits)

    def add(self, left: int, right: int) -> int:
        return left + right

    def subtract(self, left: int, right: int) -> int:
        return left - right

    def multiply(self, left: int, right: int) -> int:
        return left * right

    def divide(self, left: int, right: int) -> int:
        if not right:
            raise _DivisionByZero
        return left // right

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
    if isinstance(spec, Basic | Array):
        return spec.line
    return _line_of(spec.target) if isinstance(spec, Pointer) else 0


@cache
def _grammar() -> Lark:
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr", lexer="contextual",
                     maybe_placeholders=True, propagate_positions=True)


def parse(source: Source) -> list[Statement]:
    """The statements of `source`; their `line`s count in its text.  Raises MigError."""
    try:
        tree = _grammar().parse(source.text)
        statements: list[Statement] = _Builder().transform(tree)
    except UnexpectedInput as error:
        raise MigError(*source.place(max(error.line, 1)), _explain(error)) from None
    except VisitError as error:
        if isinstance(error.orig_exc, _DivisionByZero):
            line: Any = getattr(getattr(error.obj, "meta", None), "line", 1)
            raise MigError(*source.place(line or 1), "division by zero") from None
        raise
    return statements


def _explain(error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken):
        token = error.token
        return "the file ends too early" if token.type == "$END" else f"unexpected {str(token)!r}"
    return f"unexpected character {getattr(error, 'char', '?')!r}"
