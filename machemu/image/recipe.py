"""Recipes: TOML files that say what goes into a node's disk image.

    node = 1                        # number, different on each node of a run
    name = "alpha"
    machine = "workstation"         # machines/workstation.toml; or a path ending in .toml
    programs = ["cat", "ls"]        # further programs to put under bin/
    paging = 8388608                # octets of partition 3, for the default pager; without it there is none

    [site]
    suite = "none"                  # and the other fields of site.settings

    [[boot]]                        # one each, in the order of boot
    name = "unix"
    program = "unix"                # a built program; or file = "path", relative to the recipe
    flags = ["ready", "restart"]
    personality = "unix"            # of a program that runs under a personality server
    args = ["one", "two"]

    [[file]]
    path = "etc/motd"
    text = "Welcome\\n"              # or source = "path", relative to the recipe
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, final

from machemu.errors import ConfigError
from machemu.image.manifest import NODE_NAME, Manifest, ManifestEntry, check_entry, check_node, check_path
from machemu.site.settings import ASSOCIATIONS_DEFAULT, SWITCHES, SiteSettings

BASE_PROGRAMS: Final = ("bootstrap", "proc")  # in every image; loaded before the manifest's entries
PAGING_MAX: Final = 1 << 30  # octets
RESERVED: Final = ("boot.manifest", "machine.toml")
# Where machine descriptions are looked for after the recipe's own folder: beside the
# packaged images, and in a checkout.
PACKAGED: Final = (Path(__file__).resolve().parents[1] / "_built" / "images" / "machines",
                   Path(__file__).resolve().parents[2] / "images" / "machines")
WORDS: Final = {str: "a text", int: "a number", bool: "true or false", list: "a list", dict: "a table"}

T = TypeVar("T", str, int, bool)


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the archive and where its octets come from."""

    path: str  # in the archive
    program: str | None = None  # the name of a built program
    file: Path | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    manifest: Manifest
    machine: Path
    sources: tuple[Source, ...]  # in the archive's order, without manifest and machine
    paging: int = 0  # octets of paging space


@final
class Table:
    """A TOML table read strictly: every key once, of the right type, none left over.

    Raises ConfigError that names the file and the key.
    """

    def __init__(self, values: dict[str, object], where: str, prefix: str = "") -> None:
        self._values = values
        self._where = where
        self._prefix = prefix
        self._known: set[str] = set()

    def wrong(self, key: str, text: str) -> ConfigError:
        return ConfigError(f"{self._where}: {self._prefix}{key}: {text}")

    def mistake(self, error: ValueError) -> ConfigError:
        """What a check said, which begins with a key."""
        return ConfigError(f"{self._where}: {self._prefix}{error}")

    def _take(self, key: str, kind: type) -> object:
        self._known.add(key)
        value = self._values.get(key)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise self.wrong(key, f"{value!r} is not {WORDS[kind]}")
        return value

    def optional(self, key: str, kind: type[T], default: T) -> T:
        value = self._take(key, kind)
        return value if isinstance(value, kind) else default

    def required(self, key: str, kind: type[T]) -> T:
        value = self._take(key, kind)
        if not isinstance(value, kind):
            raise self.wrong(key, "is missing")
        return value

    def text(self, key: str) -> str | None:
        value = self._take(key, str)
        return value if isinstance(value, str) else None

    def texts(self, key: str) -> list[str]:
        value = self._take(key, list)
        items = value if isinstance(value, list) else []
        for item in items:
            if not isinstance(item, str):
                raise self.wrong(key, f"{item!r} is not a text")
        return items

    def table(self, key: str) -> Table:
        value = self._take(key, dict)
        if not isinstance(value, dict):
            raise self.wrong(key, f"is missing; write a section [{key}]")
        return Table(value, self._where, f"{self._prefix}{key}.")

    def tables(self, key: str) -> list[Table]:
        value = self._take(key, list)
        items = value if isinstance(value, list) else []
        if not all(isinstance(item, dict) for item in items):
            raise self.wrong(key, f"write sections [[{key}]]")
        return [Table(item, self._where, f"{key}[{number}].") for number, item in enumerate(items, 1)]

    def done(self) -> None:
        for key in self._values:
            if key not in self._known:
                raise self.wrong(key, f"unknown key; known are {', '.join(sorted(self._known))}")


def read_recipe(path: Path) -> Recipe:
    """Raises ConfigError: no such file, not TOML, a key unknown, missing or of the wrong type."""
    top = Table(load_toml(path), str(path))
    number, name = top.required("node", int), top.required("name", str)
    try:
        check_node(number, name)
    except ValueError as error:
        raise top.mistake(error) from None
    machine = _machine(path, top)
    paging = top.optional("paging", int, 0)
    if not 0 <= paging <= PAGING_MAX:
        raise top.wrong("paging", f"{paging} octets; from 0 to {PAGING_MAX}")
    site = _site(top.table("site"))
    sources: dict[str, Source] = {}
    for program in (*BASE_PROGRAMS, *top.texts("programs")):
        _add(sources, Source(f"bin/{program}", program=program), top, "programs")
    entries: dict[str, ManifestEntry] = {}
    for table in top.tables("boot"):
        entry, source = _entry(path, table)
        if entries.setdefault(entry.name, entry) is not entry:
            raise table.wrong("name", f'a second entry "{entry.name}"')
        _add(sources, source, table, "program")
    if not entries:
        raise top.wrong("boot", "is missing; a node that starts nothing does nothing")
    _check_personalities(top, list(entries.values()))
    for table in top.tables("file"):
        _add(sources, _file(path, table), table, "path", again=False)
    top.done()
    return Recipe(Manifest(number, name, site, tuple(entries.values())), machine, tuple(sources.values()), paging)


def load_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def _machine(path: Path, top: Table) -> Path:
    name = top.required("machine", str)
    if name.endswith(".toml"):
        places = [path.parent / name]
    elif NODE_NAME.fullmatch(name):
        places = [folder / f"{name}.toml" for folder in (path.parent / "machines", *PACKAGED)]
    else:
        raise top.wrong("machine", f'"{name}" is neither a name nor a path ending in .toml')
    for place in places:
        if place.is_file():
            return place
    raise top.wrong("machine", f'no description "{name}"; looked for {places[0]}')


def _site(table: Table) -> SiteSettings:
    suite, associations = table.required("suite", str), table.optional("associations", int, ASSOCIATIONS_DEFAULT)
    switches = {name: table.optional(name, bool, False) for name in SWITCHES}
    table.done()
    try:
        return SiteSettings(suite, **switches, associations=associations)
    except ValueError as error:
        raise table.mistake(error) from None


def _entry(path: Path, table: Table) -> tuple[ManifestEntry, Source]:
    name, arguments, flags = table.required("name", str), table.texts("args"), table.texts("flags")
    program, file, personality = table.text("program"), table.text("file"), table.text("personality")
    table.done()
    if (program is None) == (file is None):
        raise table.wrong("program", "give either program, a built one, or file, a path")
    try:
        check_entry(name, frozenset(flags), arguments)
    except ValueError as error:
        raise table.mistake(error) from None
    if program is not None:
        source = Source(f"bin/{program}", program=program)
    else:
        local = path.parent / (file or "")
        source = Source(f"bin/{local.name}", file=local)
    return ManifestEntry(name, source.path, frozenset(flags), personality, tuple(arguments)), source


def _file(path: Path, table: Table) -> Source:
    inside, source, text = table.required("path", str), table.text("source"), table.text("text")
    table.done()
    if (source is None) == (text is None):
        raise table.wrong("source", "give either source, a path, or text")
    return Source(inside, file=None if source is None else path.parent / source, text=text)


def _add(sources: dict[str, Source], source: Source, table: Table, key: str, *, again: bool = True) -> None:
    """Several entries may start one program; no two sources may share a path otherwise."""
    try:
        check_path(source.path)
    except ValueError as error:
        raise table.wrong(key, str(error)) from None
    known = sources.setdefault(source.path, source)
    if source.path in RESERVED or (known is not source and (not again or known != source)):
        raise table.wrong(key, f"a second file {source.path} in the archive")


def _check_personalities(top: Table, entries: Sequence[ManifestEntry]) -> None:
    names = {entry.name for entry in entries}
    for number, entry in enumerate(entries, 1):
        if entry.personality is not None and entry.personality not in names:
            raise top.wrong(f"boot[{number}].personality", f'no entry "{entry.personality}" is that server')
