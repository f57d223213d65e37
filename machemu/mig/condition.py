"""The integer expressions of #if: C's operators but ?: and the bitwise ones."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(r"\s*(0[xX][0-9A-Fa-f]+|\d+|[A-Za-z_]\w*|&&|\|\||[=!<>]=|[-+*/%!<>()])")

# Loosest first; each level is left-associative.
_LEVELS: Final[tuple[dict[str, Callable[[int, int], int]], ...]] = (
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.floordiv, "%": operator.mod},
)


class ConditionError(Exception):
    """The text is no integer expression."""


def evaluate(text: str) -> int:
    """Value of `text`; names that are left count as 0, as in C.  Raises ConditionError."""
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConditionError(f"cannot read {text[at:].strip()!r}")
        tokens.append(match[1])
        at = match.end()
    parser = _Parser(tokens)
    value = parser.level(0)
    if parser.peek():
        raise ConditionError(f"unexpected {parser.peek()!r}")
    return value


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def level(self, depth: int) -> int:
        if depth == len(_LEVELS):
            return self._unary()
        value = self.level(depth + 1)
        while (name := self.peek()) in _LEVELS[depth]:
            self._take()
            right = self.level(depth + 1)
            try:
                value = int(_LEVELS[depth][name](value, right))
            except ZeroDivisionError:
                raise ConditionError("division by zero") from None
        return value

    def _unary(self) -> int:
        token = self._take()
        if token == "!":
            return int(not self._unary())
        if token == "-":
            return -self._unary()
        if token == "+":
            return self._unary()
        if token == "(":
            value = self.level(0)
            if self._take() != ")":
                raise ConditionError("missing )")
            return value
        if token[:1].isdigit():
            return int(token, 16) if token[:2] in ("0x", "0X") else int(token)
        if token[:1].isalpha() or token[:1] == "_":
            return 0
        raise ConditionError("an operand is missing" if not token else f"unexpected {token!r}")
