"""Macros of the preprocessor: their definitions, and text with them replaced.

As in C, but that a macro's last word never begins a call that ends behind the macro.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from machemu.mig.errors import MigError

DEPTH: Final = 64  # macros within macros
TEXT: Final = 1 << 20  # characters that one line may become
REST: Final = "__VA_ARGS__"

_DEFINE: Final = re.compile(r"([A-Za-z_]\w*)(\(([^)]*)\))?\s*(.*)")
_WORD: Final = re.compile(r'"[^"\n]*"|[A-Za-z_]\w*|\d\w*')
_BODY: Final = re.compile(r'\s+|##|#\s*[A-Za-z_]\w*|"[^"\n]*"|[A-Za-z_]\w*|\d\w*|.')
_BETWEEN: Final = re.compile(r'"[^"\n]*"|[(),]')


@dataclass(frozen=True, slots=True)
class Macro:
    body: str
    parameters: tuple[str, ...] | None = None  # None: an object-like macro


class MacroTable:
    """`fail(text)` makes the error to raise."""

    def __init__(self, predefined: Mapping[str, str], fail: Callable[[str], MigError]) -> None:
        self._macros = {name: Macro(body) for name, body in predefined.items()}
        self._fail = fail
        self._made = 0  # characters, of the line in work

    def __contains__(self, name: str) -> bool:
        return name in self._macros

    def define(self, text: str) -> None:
        """`text`: what stands behind #define."""
        match = _DEFINE.fullmatch(text)
        if match is None:
            raise self._fail("#define wants a name")
        names = None
        if match[2] is not None:
            names = tuple(n.strip().replace("...", REST) for n in match[3].split(",") if n.strip())
        self._macros[match[1]] = Macro(match[4].strip(), names)

    def undefine(self, name: str) -> None:
        self._macros.pop(name, None)

    def expand(self, text: str) -> str:
        self._made = 0
        return self._expand(text, frozenset())

    def is_open(self, text: str) -> bool:
        """Does `text` end within the arguments of a macro?"""
        for match in _WORD.finditer(text):
            macro = self._macros.get(match[0])
            if macro is not None and macro.parameters is not None and _is_unclosed(text, match.end()):
                return True
        return False

    def _expand(self, text: str, hidden: frozenset[str]) -> str:
        """`text` with macros replaced, those in `hidden` excepted."""
        if len(hidden) > DEPTH:
            raise self._fail("macros lie too deep within each other")
        out: list[str] = []
        at = 0
        while match := _WORD.search(text, at):
            out.append(text[at:match.start()])
            name, at = match[0], match.end()
            macro = self._macros.get(name)
            given = None if macro is None or macro.parameters is None else _given(text, at)
            if macro is None or name in hidden or (macro.parameters is not None and given is None):
                out.append(name)
                continue
            body = macro.body
            if given is not None:
                at = given[1]
                body = self._called(name, macro, given[0], hidden)
            self._made += len(body)
            if self._made > TEXT:
                raise self._fail(f"{name}: macros make too much text")
            out.append(self._expand(body, hidden | {name}))
        out.append(text[at:])
        return "".join(out)

    def _called(self, name: str, macro: Macro, given: list[str], hidden: frozenset[str]) -> str:
        """The body with the arguments in it."""
        names = macro.parameters or ()
        if names[-1:] == (REST,) and len(given) >= len(names) - 1:
            given = [*given[:len(names) - 1], ", ".join(given[len(names) - 1:])]
        if len(given) != len(names):
            raise self._fail(f"{name} wants {len(names)} arguments, not {len(given)}")
        return "".join(self._pieces(macro.body, dict(zip(names, given, strict=True)), hidden))

    def _pieces(self, body: str, given: Mapping[str, str], hidden: frozenset[str]) -> Iterator[str]:
        """`#x` is x as a string; what stands beside `##` is joined, and not expanded."""
        words = _BODY.findall(re.sub(r"\s*##\s*", "##", body))
        for number, word in enumerate(words):
            if word == "##":
                continue
            name = word.lstrip("# \t")
            if word.startswith("#") and name in given:
                yield '"' + given[name].replace('"', "'") + '"'
            elif word not in given:
                yield word
            elif "##" in (words[number - 1] if number else "", *words[number + 1:number + 2]):
                yield given[word]
            else:
                yield self._expand(given[word], hidden)


def _given(text: str, at: int) -> tuple[list[str], int] | None:
    """The arguments in parentheses at `at`, and where they end; None: there are none."""
    opened = re.compile(r"\s*\(").match(text, at)
    if opened is None:
        return None
    found: list[str] = []
    start, depth = opened.end(), 1
    for match in _BETWEEN.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0 or (depth == 1 and match[0] == ","):
            found.append(text[start:match.start()].strip())
            start = match.end()
        if depth == 0:
            return ([] if found == [""] else found), start
    return None


def _is_unclosed(text: str, at: int) -> bool:
    return re.compile(r"\s*\(").match(text, at) is not None and _given(text, at) is None
