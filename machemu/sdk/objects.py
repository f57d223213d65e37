"""Compiled objects, kept by content: the same source, headers and flags are compiled once.

An object's name is made in two steps.  The command and the source give a first key; under
it stands the list of files the compiler read the last time.  The key and the content of
all those give the object's name.  A header that comes to lie in front of another by the
search path is seen too, for the names of all headers are part of the first key.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from machemu.sdk.toolchain import Toolchain, digest, hidden_paths

HEADERS: Final = (".h", ".inc")


@dataclass(frozen=True, slots=True)
class Unit:
    """One source file and how it is compiled.

    includes: searched in this order.  systems: searched after them; the compiler gives no
    warnings about what lies there.
    """

    source: Path
    flags: tuple[str, ...] = ()
    includes: tuple[Path, ...] = ()
    systems: tuple[Path, ...] = ()

    def command(self) -> tuple[str, ...]:
        own = [f"-I{directory}" for directory in self.includes]
        foreign = [word for directory in self.systems for word in ("-isystem", str(directory))]
        return (*self.flags, *own, *foreign)


@final
@dataclass(slots=True)
class ObjectStore:
    """Objects by content, in `directory`.  Safe for several threads and several processes:
    a file appears whole or not at all.

    root: what paths in keys and in debug information are relative to.
    """

    tools: Toolchain
    directory: Path
    root: Path
    compiled: int = 0
    reused: int = 0
    _digests: dict[Path, str | None] = field(default_factory=dict)
    _listings: dict[Path, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def object_of(self, unit: Unit) -> Path:
        """The object file of `unit`, compiled if it has to be.  Raises CompileError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        key = self._first_key(unit)
        known = self._known(key)
        if known is not None:
            self._count(compiled=False)
            return known
        made = self._compile(unit, key)
        self._count(compiled=True)
        return made

    def is_known(self, unit: Unit) -> bool:
        return self._known(self._first_key(unit)) is not None

    def _count(self, *, compiled: bool) -> None:
        with self._lock:
            self.compiled += compiled
            self.reused += not compiled

    def _first_key(self, unit: Unit) -> str:
        listings = [self._listing(directory) for directory in (*unit.includes, *unit.systems)]
        words = [word.replace(str(self.root), "") for word in unit.command()]
        source = self._content(unit.source) or ""
        return digest(self.tools.version, *words, *listings, self._relative(unit.source), source)

    def _known(self, key: str) -> Path | None:
        try:
            files = (self.directory / f"{key}.deps").read_text().splitlines()
        except OSError:
            return None
        made = self.directory / f"{self._second_key(key, files)}.o"
        return made if made.exists() else None

    def _second_key(self, key: str, files: Sequence[str]) -> str:
        return digest(key, *(f"{name} {self._content(self.root / name)}" for name in files))

    def _compile(self, unit: Unit, key: str) -> Path:
        with tempfile.TemporaryDirectory(dir=self.directory) as work:
            output, dependencies = Path(work) / "o", Path(work) / "d"
            hidden = hidden_paths([(self.root, ".")])
            self.tools.compile(unit.source, output, (*unit.command(), *hidden), dependencies)
            files = sorted({self._relative(path) for path in read_dependencies(dependencies.read_text())})
            made = self.directory / f"{self._second_key(key, files)}.o"
            listed = Path(work) / "deps"
            listed.write_text("\n".join(files))
            os.replace(output, made)
            os.replace(listed, self.directory / f"{key}.deps")
        return made

    def _relative(self, path: Path) -> str:
        path = Path(os.path.normpath(path))
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def _content(self, path: Path) -> str | None:
        if path not in self._digests:
            try:
                self._digests[path] = digest(path.read_bytes())
            except OSError:
                self._digests[path] = None
        return self._digests[path]

    def _listing(self, directory: Path) -> str:
        if directory not in self._listings:
            found = (path.relative_to(directory).as_posix() for path in directory.rglob("*"))
            self._listings[directory] = " ".join(sorted(name for name in found if name.endswith(HEADERS)))
        return self._listings[directory]


def read_dependencies(text: str) -> list[Path]:
    """The files behind the colon of a make rule; a space in a name stands behind a backslash."""
    _, _, files = text.replace("\\\n", " ").partition(": ")
    return [Path(name.replace("\0", " ")) for name in files.replace("\\ ", "\0").split()]


def install(source: Path, target: Path) -> bool:
    """Copy `source` to `target`, whole or not at all, unless it is the same already.

    Returns whether something changed.
    """
    if target.exists() and target.read_bytes() == source.read_bytes():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as copy:
        copy.write(source.read_bytes())
    shutil.copymode(source, copy.name)
    os.replace(copy.name, target)
    return True
