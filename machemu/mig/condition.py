"""The integer expressions of #if: C's operators, in 64 bits."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(
    r"\s*(0[xX][0-9A-Fa-f]+[uUlL]*|\d+[uUlL]*|'(?:\\.|[^'\\\n])'|[A-Za-z_]\w*"
    r"|&&|\|\||<<|>>|[=!<>]=|[-+*/%!<>()~&|^?:])")
_NESTING: Final = 40  # parentheses and signs within each other
_SIGN_BIT: Final = 1 << 63
_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0}


class ConditionError(Exception):
    """The text is no integer expression."""


def evaluate(text: str) -> int:
    """Value of `text`; names that are left count as 0, as in C.  Raises ConditionError."""
    parser = _Parser(_tokens(text))
    value = parser.conditional(live=True)
    if parser.peek():
        raise ConditionError(f"unexpected {parser.peek()!r}")
    return value


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConditionError(f"cannot read {text[at:].strip()!r}")
        tokens.append(match[1])
        at = match.end()
    return tokens


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise ConditionError("division by zero")
    quotient = abs(left) // abs(right)  # C rounds towards 0
    return quotient if (left < 0) == (right < 0) else -quotient


def _shift(left: int, right: int) -> int:
    if not -64 < right < 64:
        raise ConditionError(f"shift by {right}")
    return left << right if right >= 0 else left >> -right


# Operator: how tightly it binds, what it does.  All are left-associative.
_BINARY: Final[dict[str, tuple[int, Callable[[int, int], int]]]] = {
    "||": (1, lambda a, b: int(bool(a or b))), "&&": (2, lambda a, b: int(bool(a and b))),
    "|": (3, operator.or_), "^": (4, operator.xor), "&": (5, operator.and_),
    "==": (6, operator.eq), "!=": (6, operator.ne),
    "<": (7, operator.lt), ">": (7, operator.gt), "<=": (7, operator.le), ">=": (7, operator.ge),
    "<<": (8, _shift), ">>": (8, lambda a, b: _shift(a, -b)),
    "+": (9, operator.add), "-": (9, operator.sub),
    "*": (10, operator.mul), "/": (10, _divide), "%": (10, lambda a, b: a - b * _divide(a, b)),
}
_UNARY: Final[dict[str, Callable[[int], int]]] = {
    "!": lambda a: int(not a), "-": operator.neg, "+": operator.pos, "~": operator.invert}


class _Parser:
    """`live` False: the value will not be used, so that nothing in it can be wrong but its form."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def _want(self, token: str) -> None:
        if self._take() != token:
            raise ConditionError(f"missing {token}")

    def conditional(self, *, live: bool) -> int:
        value = self._binary(1, live)
        if self.peek() != "?":
            return value
        self._take()
        self._deeper()
        yes = self.conditional(live=live and value != 0)
        self._want(":")
        no = self.conditional(live=live and value == 0)
        self._nesting -= 1
        return yes if value else no

    def _deeper(self) -> None:
        self._nesting += 1
        if self._nesting > _NESTING:
            raise ConditionError("nested too deeply")

    def _binary(self, least: int, live: bool) -> int:
        value = self._unary(live)
        while (known := _BINARY.get(self.peek())) is not None and known[0] >= least:
            name = self._take()
            skipped = (name == "&&" and not value) or (name == "||" and bool(value))
            right = self._binary(known[0] + 1, live and not skipped)
            value = _wrapped(int(known[1](value, right))) if live else 0
        return value

    def _unary(self, live: bool) -> int:
        token = self._take()
        if token in _UNARY or token == "(":
            self._deeper()
            value = self.conditional(live=live) if token == "(" else _wrapped(_UNARY[token](self._unary(live)))
            self._nesting -= 1
            if token == "(":
                self._want(")")
            return value
        return _operand(token)


def _operand(token: str) -> int:
    if token[:1].isdigit():
        digits = token.rstrip("uUlL")
        if len(digits) > 24:
            raise ConditionError("a number is too big")
        try:
            return _wrapped(int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10))
        except ValueError:
            raise ConditionError(f"{token} is no number") from None
    if token[:1] == "'":
        return ord(token[1]) if token[1] != "\\" else _ESCAPES.get(token[2], ord(token[2]))
    if token[:1].isalpha() or token[:1] == "_":
        return 0
    raise ConditionError("an operand is missing" if not token else f"unexpected {token!r}")


def _wrapped(value: int) -> int:
    return (value + _SIGN_BIT & (_SIGN_BIT << 1) - 1) - _SIGN_BIT
