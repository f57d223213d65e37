"""The preprocessor a .defs file goes through before MIG reads it.

Comments, #include, #define (with or without arguments), #undef, #if and its relatives,
#error.  `#pragma machemu shortcut NAME...` names routines that libmach also reaches by a
trap (mach-abi.md 3.2): their user stubs are called NAME_rpc.  No compiler is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from machemu.mig.condition import ConditionError, evaluate
from machemu.mig.errors import MigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREDEFINED: Final[Mapping[str, str]] = {"__LP64__": "1", "__riscv": "1", "__riscv_xlen": "64"}
INCLUDE_DEPTH: Final = 32  # files within files
EXPANSION_DEPTH: Final = 32  # macros within macros
# Mach's own folders; here all .defs lie in one, so `<mach/std_types.defs>` is found there.
FLAT_FOLDERS: Final = ("mach", "device", "servers")

_COMMENT: Final = re.compile(r'"[^"\n]*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_DIRECTIVE: Final = re.compile(r"\s*#\s*([a-z]*)\s*(.*)")
_DEFINE: Final = re.compile(r"([A-Za-z_]\w*)(\(([^)]*)\))?\s*(.*)")
_INCLUDE: Final = re.compile(r'"([^"]+)"|<([^>]+)>')
_WORD: Final = re.compile(r'"[^"\n]*"|[A-Za-z_]\w*')


@dataclass(frozen=True, slots=True)
class Macro:
    body: str
    parameters: tuple[str, ...] | None  # None: an object-like macro


@dataclass(slots=True)
class Source:
    """Preprocessed text: `places[n]` is where its line n + 1 came from."""

    lines: list[str] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    shortcuts: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)  # all that were read, the first first

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def place(self, line: int) -> tuple[str, int]:
        """File and line of line `line` (from 1) of the text; past the end: its last."""
        if not self.places:
            return (str(self.files[0]) if self.files else "?", 1)
        return self.places[min(line, len(self.places)) - 1]


def preprocess(path: Path, include_dirs: Sequence[Path] = (),
               defines: Mapping[str, str] | None = None) -> Source:
    """Read `path` and what it includes.  Raises MigError."""
    worker = _Preprocessor(list(include_dirs), {**PREDEFINED, **(defines or {})})
    worker.read(path, ("", 0), str(path))
    return worker.source


@dataclass(slots=True)
class _Branch:
    """One open #if.  `taken`: some branch of it was already chosen."""

    place: tuple[str, int]
    active: bool
    taken: bool
    outer: bool  # was the text around it active
    in_else: bool = False


class _Preprocessor:
    def __init__(self, include_dirs: list[Path], defines: Mapping[str, str]) -> None:
        self.source = Source()
        self._dirs = include_dirs
        self._macros = {name: Macro(body, None) for name, body in defines.items()}
        self._depth = 0
        self._place = ("", 0)

    def _error(self, text: str) -> MigError:
        return MigError(*self._place, text)

    def read(self, path: Path, from_place: tuple[str, int], spelled: str) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            file, line = from_place if from_place[0] else (spelled, 1)
            raise MigError(file, line, f"cannot read {spelled}: {reason}") from None
        self._depth += 1
        if self._depth > INCLUDE_DEPTH:
            raise MigError(*from_place, f"{spelled}: files include each other too deeply")
        self.source.files.append(path)
        self._lines(path, _without_comments(text, str(path)))
        self._depth -= 1
        self._place = from_place

    def _lines(self, path: Path, text: str) -> None:
        branches: list[_Branch] = []
        pending = ""
        for number, line in enumerate(text.split("\n"), 1):
            if line.endswith("\\"):
                pending += line[:-1] + " "
                continue
            self._place = (str(path), number)
            line, pending = pending + line, ""
            directive = _DIRECTIVE.fullmatch(line)
            active = not branches or branches[-1].active
            if directive is None:
                if active and line.strip():
                    self._emit(self.expand(line))
            elif not self._conditional(directive[1], directive[2], branches) and active:
                self._directive(path, directive[1], directive[2].strip())
        if branches:
            raise MigError(*branches[-1].place, "#if without #endif")

    def _emit(self, line: str) -> None:
        self.source.lines.append(line)
        self.source.places.append(self._place)

    def _conditional(self, word: str, rest: str, branches: list[_Branch]) -> bool:
        """Handle #if and its relatives; False: it is another directive."""
        if word in ("if", "ifdef", "ifndef"):
            outer = not branches or branches[-1].active
            chosen = outer and self._condition(word, rest)
            branches.append(_Branch(self._place, chosen, chosen, outer))
            return True
        if word not in ("elif", "else", "endif"):
            return False
        if not branches:
            raise self._error(f"#{word} without #if")
        branch = branches[-1]
        if word == "endif":
            branches.pop()
        elif branch.in_else:
            raise self._error(f"#{word} after #else")
        else:
            branch.in_else = word == "else"
            wanted = branch.outer and not branch.taken
            branch.active = wanted and (word == "else" or self._condition("if", rest))
            branch.taken = branch.taken or branch.active
        return True

    def _condition(self, word: str, rest: str) -> bool:
        if word == "if":
            known = re.sub(r"\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))",
                           lambda m: str(int((m[1] or m[2]) in self._macros)), rest)
            try:
                return evaluate(self.expand(known)) != 0
            except ConditionError as error:
                raise self._error(f"#if: {error}") from None
        return (rest.strip() in self._macros) == (word == "ifdef")

    def _directive(self, path: Path, word: str, rest: str) -> None:
        if word == "include":
            self._include(path, rest)
        elif word == "define":
            match = _DEFINE.fullmatch(rest)
            if match is None:
                raise self._error("#define wants a name")
            names = None if match[2] is None else tuple(n.strip() for n in match[3].split(",") if n.strip())
            self._macros[match[1]] = Macro(match[4].strip(), names)
        elif word == "undef":
            self._macros.pop(rest, None)
        elif word == "error":
            raise self._error(f"#error {rest}")
        elif word == "pragma":
            words = rest.split()
            if words[:2] == ["machemu", "shortcut"]:
                self.source.shortcuts.update(words[2:])
        elif word not in ("", "line", "warning"):
            raise self._error(f"unknown directive #{word}")

    def _include(self, path: Path, rest: str) -> None:
        match = _INCLUDE.fullmatch(self.expand(rest).strip())
        if match is None:
            raise self._error('#include wants "file" or <file>')
        spelled = match[1] or match[2]
        folders = [path.parent, *self._dirs]
        parts = Path(spelled).parts
        names = [spelled] + ([parts[-1]] if len(parts) == 2 and parts[0] in FLAT_FOLDERS else [])
        for name in names:
            for folder in folders:
                if (folder / name).is_file():
                    self.read(folder / name, self._place, spelled)
                    return
        raise self._error(f"cannot find {spelled}")

    def expand(self, text: str, hidden: frozenset[str] = frozenset()) -> str:
        """`text` with macros replaced, those in `hidden` excepted."""
        out: list[str] = []
        at = 0
        while match := _WORD.search(text, at):
            out.append(text[at:match.start()])
            at = match.end()
            macro = self._macros.get(match[0])
            if macro is None or match[0] in hidden or len(hidden) > EXPANSION_DEPTH:
                out.append(match[0])
                continue
            body = macro.body
            if macro.parameters is not None:
                call = re.compile(r"\s*\(([^()]*)\)").match(text, at)
                if call is None:
                    out.append(match[0])
                    continue
                at = call.end()
                body = self._call(match[0], macro, call[1])
            out.append(self.expand(body, hidden | {match[0]}))
        out.append(text[at:])
        return "".join(out)

    def _call(self, name: str, macro: Macro, text: str) -> str:
        """The body of a macro with its arguments put in; `##` joins words."""
        assert macro.parameters is not None
        given = [part.strip() for part in text.split(",")] if text.strip() else []
        if len(given) != len(macro.parameters):
            raise self._error(f"{name} wants {len(macro.parameters)} arguments, not {len(given)}")
        values = dict(zip(macro.parameters, given, strict=True))
        body = _WORD.sub(lambda m: values.get(m[0], m[0]), macro.body)
        return re.sub(r"\s*##\s*", "", body)


def _without_comments(text: str, file: str) -> str:
    """`text` with comments blanked; line numbers stay as they were."""
    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else " " + "\n" * match[0].count("\n")

    clean = _COMMENT.sub(blank, text)
    opened = re.search(r"/\*", re.sub(r'"[^"\n]*"', "", clean))
    if opened is not None:
        line = clean.count("\n", 0, clean.find("/*")) + 1
        raise MigError(file, line, "comment without end")
    return clean
