"""Names in the C that is made: those of different things have to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.mig.c_types import CSide, Shape, parameters_of, shape
from machemu.mig.model import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from machemu.mig.model import Argument, Routine

KEYWORDS: Final = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "asm",
    "typeof", "NULL", "TRUE", "FALSE",
})
OWN: Final[dict[CSide, frozenset[str]]] = {
    "user": frozenset({"Message", "Packer", "Unpacker", "Result", "Fits"}),
    "server": frozenset({"InHeadP", "OutHeadP", "OutP", "Packer", "Unpacker"}),
}


def clash(routine: Routine) -> tuple[int, str] | None:
    """Line and text of the first name that cannot be used; None: all can."""
    if routine.user_name in KEYWORDS:
        return routine.line, f"{routine.user_name} is a word of C"
    sides: tuple[CSide, ...] = ("user", "server")
    for side in sides:
        seen: dict[str, Argument] = {}
        for argument in routine.arguments:
            for name in _names(argument, side):
                if name in KEYWORDS or name in OWN[side]:
                    owner = "C" if name in KEYWORDS else "the stubs"
                    return argument.line, f"an argument cannot be called {name}: it is a word of {owner}"
                if seen.setdefault(name, argument) is not argument:
                    return argument.line, f"{argument.name} and {seen[name].name} both make a C name {name}"
    return None


def _names(argument: Argument, side: CSide) -> Iterator[str]:
    """The argument's parameters, and the variables of a stub that are called after it."""
    name, kind = argument.name, argument.type
    for parameter in parameters_of(argument, side):
        yield parameter.name
    suffixes: tuple[str, ...] = ()
    if side == "user":
        suffixes = ("Out", "OutCnt", "OutPoly", "OutInline", "OutBuffer", "OutPlace") if argument.in_reply else ()
    elif argument.direction in (Direction.IN, Direction.OUT, Direction.INOUT):
        suffixes = ("Buffer", "Inline", "Place") if kind.indefinite else ()
        suffixes += ("Wire",) if kind.in_translation is not None else ()
        both = argument.in_request and argument.in_reply and shape(kind) in (Shape.STRING, Shape.ARRAY)
        suffixes += ("In",) if both else ()
        suffixes += ("Cnt",) if kind.variable else ()
    yield from (name + suffix for suffix in suffixes)
