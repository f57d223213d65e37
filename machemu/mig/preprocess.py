"""The preprocessor a .defs file goes through before MIG reads it.

Comments, #include, #define and its macros, #undef, #if and its relatives, #error, #warning,
#line and what another preprocessor leaves in its place.  `#pragma machemu shortcut NAME...`
names routines that libmach also reaches by a trap (mach-abi.md 3.2): their user stubs are
called NAME_rpc.  No compiler is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from machemu.mig.condition import ConditionError, evaluate
from machemu.mig.errors import MigError
from machemu.mig.macros import MacroTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREDEFINED: Final[Mapping[str, str]] = {
    "__STDC__": "1", "__LP64__": "1", "__riscv": "1", "__riscv_xlen": "64"}
INCLUDE_DEPTH: Final = 32  # files within files
# Mach's own folders; here all .defs lie in one, so `<mach/std_types.defs>` is found there.
FLAT_FOLDERS: Final = ("mach", "device", "servers")

_COMMENT: Final = re.compile(r'"[^"\n]*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_DIRECTIVE: Final = re.compile(r"\s*#\s*([a-z]*)\s*(.*)")
_INCLUDE: Final = re.compile(r'"([^"]+)"|<([^>]+)>')
_LINE: Final = re.compile(r'(\d{1,9})(?:\s+"([^"]*)")?.*')
IGNORED: Final = ("ident", "sccs")
CALL_TEXT: Final = 1 << 16  # characters that the arguments of one macro may take


@dataclass(slots=True)
class Source:
    """Preprocessed text: `places[n]` is where its line n + 1 came from."""

    lines: list[str] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    shortcuts: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)  # all that were read, the first first
    warnings: list[str] = field(default_factory=list)  # `file:line: warning: text`

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
        self._macros = MacroTable(defines, self._error)
        self._depth = 0
        self._place = ("", 0)  # of the line in work
        self._call = ""  # a macro's call that goes on in the next line
        self._call_place = ("", 0)

    def _error(self, text: str) -> MigError:
        return MigError(*self._place, text)

    def read(self, path: Path, from_place: tuple[str, int], spelled: str) -> None:
        try:
            # Old files have their authors' names in other codes; the language itself is ASCII.
            text = path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no name of a file"
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
        shown, shift = str(path), 0  # as #line says
        for number, line in _joined(text):
            self._place = (shown, number + shift)
            directive = _DIRECTIVE.fullmatch(line)
            active = not branches or branches[-1].active
            if directive is None:
                if active:
                    self._text(line)
            elif self._conditional(directive[1], directive[2], branches) or not active:
                continue
            elif directive[1] in ("", "line"):
                shown, shift = self._renumber(directive[2], number, shown, shift)
            else:
                self._directive(path, directive[1], directive[2].strip())
        self._no_call()
        if branches:
            raise MigError(*branches[-1].place, "#if without #endif")

    def _renumber(self, rest: str, number: int, shown: str, shift: int) -> tuple[str, int]:
        """#line, or `# 1 "file"` as a preprocessor writes it: what the next line is called."""
        match = _LINE.fullmatch(self._macros.expand(rest))
        if match is not None:
            return match[2] or shown, int(match[1]) - number - 1
        if rest.strip():
            raise self._error("#line wants a number")
        return shown, shift

    def _text(self, line: str) -> None:
        if self._call:
            line = f"{self._call} {line}"
        elif not line.strip():
            return
        else:
            self._call_place = self._place
        self._call = line if self._macros.is_open(line) else ""
        if len(self._call) > CALL_TEXT:
            self._no_call()
        if not self._call:
            self.source.places.append(self._call_place)
            self.source.lines.append(self._macros.expand(line))

    def _no_call(self) -> None:
        if self._call:
            raise MigError(*self._call_place, "a macro's arguments have no end")

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
                return evaluate(self._macros.expand(known)) != 0
            except ConditionError as error:
                raise self._error(f"#if: {error}") from None
        if not rest.strip():
            raise self._error(f"#{word} wants a name")
        return (rest.split()[0] in self._macros) == (word == "ifdef")

    def _directive(self, path: Path, word: str, rest: str) -> None:
        self._no_call()
        match word:
            case "include":
                self._include(path, rest)
            case "define":
                self._macros.define(rest)
            case "undef":
                self._macros.undefine(rest)
            case "error":
                raise self._error(f"#error {rest}")
            case "warning":
                file, line = self._place
                self.source.warnings.append(f"{file}:{line}: warning: {rest}")
            case "pragma":
                words = rest.split()
                if words[:2] == ["machemu", "shortcut"]:
                    self.source.shortcuts.update(words[2:])
            case _ if word not in IGNORED:
                raise self._error(f"unknown directive #{word}")

    def _include(self, path: Path, rest: str) -> None:
        match = _INCLUDE.fullmatch(rest) or _INCLUDE.fullmatch(self._macros.expand(rest).strip())
        if match is None:
            raise self._error('#include wants "file" or <file>')
        spelled = match[1] or match[2]
        # <file> is looked for beside the including file last: that may have its name.
        folders = [path.parent, *self._dirs] if match[1] else [*self._dirs, path.parent]
        parts = Path(spelled).parts
        names = [spelled] + ([parts[-1]] if len(parts) == 2 and parts[0] in FLAT_FOLDERS else [])
        for name in names:
            for folder in folders:
                if (folder / name).is_file():
                    self.read(folder / name, self._place, spelled)
                    return
        raise self._error(f"cannot find {spelled}")


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends with a backslash goes on in the next."""
    start, pending = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        start = start or number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        yield start, pending + line
        start, pending = 0, ""
    if pending:
        yield start, pending


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
