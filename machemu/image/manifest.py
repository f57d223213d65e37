"""The boot manifest: what a node starts, in which order, and the settings of its site.

A text of one line each, fields separated by single spaces:

    machemu-manifest 1
    node <number> <name>
    site <suite> <paper_ids> <broadcast_answers> <announce_origin> <lab> <associations>
    entry <name> <path in archive> <flags> <personality> <argument>...

Flags are a comma list or `-`; no personality is `-`; yes and no are 1 and 0.  `%XX` stands
for an octet that is a space, a percent sign, a control character or not ASCII.  The
bootstrap server reads the same text in C, so it stays this plain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from machemu.errors import ConfigError
from machemu.site.settings import SWITCHES, SiteSettings

FIRST_LINE: Final = "machemu-manifest 1"
FLAGS: Final = ("main", "ready", "restart", "host", "device")  # in this order
NONE: Final = "-"
NODE_MAX: Final = 0xFF_FFFF  # the MAC of a node's NIC has three octets for its number
NAME: Final = re.compile(r"[A-Za-z0-9._@+-]{1,63}")
NODE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
PATH_MAX: Final = 99  # octets: the name field of an archive's header, and a zero
ENTRY_MAX: Final = 4096  # octets of a line
_ESCAPE: Final = re.compile(r"%([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One task that bootstrap has started."""

    name: str
    path: str  # in the archive
    flags: frozenset[str] = frozenset()
    personality: str | None = None  # the server whose program this is
    arguments: tuple[str, ...] = ()  # after argv[0]

    @property
    def main(self) -> bool:
        """Whether its exit helps to decide the end of the run."""
        return "main" in self.flags


@dataclass(frozen=True, slots=True)
class Manifest:
    number: int  # of the node
    name: str
    site: SiteSettings
    entries: tuple[ManifestEntry, ...]

    def text(self) -> str:
        site = self.site
        switches = " ".join(str(int(getattr(site, name))) for name in SWITCHES)
        lines = [FIRST_LINE, f"node {self.number} {self.name}", f"site {site.suite} {switches} {site.associations}"]
        for entry in self.entries:
            flags = ",".join(flag for flag in FLAGS if flag in entry.flags) or NONE
            fields = [entry.name, entry.path, flags, entry.personality or NONE, *entry.arguments]
            lines.append(" ".join(["entry", *map(escape, fields)]))
        return "\n".join(lines) + "\n"


def escape(field: str) -> str:
    return "".join(chr(octet) if 0x20 < octet < 0x7F and octet != 0x25 else f"%{octet:02X}"
                   for octet in field.encode("utf-8"))


def unescape(field: str) -> str:
    """Raises ValueError: a percent sign without two hexadecimal digits, or not UTF-8."""
    octets = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), field)
    if "%" in _ESCAPE.sub("", field):
        raise ValueError(f'"{field}": a percent sign without two hexadecimal digits, such as %20')
    try:
        return octets.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise ValueError(f'"{field}" is not UTF-8') from None


def check_path(path: str) -> None:
    """Raises ValueError: not a path that an archive of ours can hold."""
    if not path or path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f'"{path}" is not a relative path without "." and ".."')
    if len(path.encode("utf-8")) > PATH_MAX:
        raise ValueError(f'"{path}" is longer than {PATH_MAX} octets')


def parse_manifest(text: str, where: str) -> Manifest:
    """Raises ConfigError: not a manifest; the line begins with `where` and the line number."""
    lines = text.split("\n")
    if lines[0] != FIRST_LINE:
        raise ConfigError(f'{where}:1: the first line is not "{FIRST_LINE}"')
    node: tuple[int, str] | None = None
    site: SiteSettings | None = None
    entries: dict[str, ManifestEntry] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line and number == len(lines):
            break
        keyword, *fields = line.split(" ")
        try:
            if keyword == "node" and node is None:
                node = _parse_node(fields)
            elif keyword == "site" and site is None:
                site = _parse_site(fields)
            elif keyword == "entry":
                entry = _parse_entry(fields)
                if entries.setdefault(entry.name, entry) is not entry:
                    raise ValueError(f'a second entry "{entry.name}"')
            else:
                raise ValueError(f'"{keyword}" is out of place; expected entry, or node and site once each')
        except ValueError as error:
            raise ConfigError(f"{where}:{number}: {error}") from None
    if node is None or site is None or not entries:
        missing = "node" if node is None else "site" if site is None else "entry"
        raise ConfigError(f"{where}: there is no line `{missing}`")
    return Manifest(*node, site, tuple(entries.values()))


def _parse_node(fields: list[str]) -> tuple[int, str]:
    if len(fields) != 2 or not fields[0].isascii() or not fields[0].isdigit():
        raise ValueError("node: expected a number and a name")
    number, name = int(fields[0]), fields[1]
    check_node(number, name)
    return number, name


def check_node(number: int, name: str) -> None:
    """Raises ValueError: no number or name that a node can have."""
    if not 1 <= number <= NODE_MAX:
        raise ValueError(f"node: {number} is not from 1 to {NODE_MAX}")
    if not NODE_NAME.fullmatch(name):
        raise ValueError(f'name: "{name}" is not 1 to 15 letters, digits, dots, dashes or underscores')


def _parse_site(fields: list[str]) -> SiteSettings:
    if len(fields) != 6 or not (fields[5].isascii() and fields[5].isdigit()):
        raise ValueError("site: expected a suite, four switches and a number of associations")
    if any(switch not in ("0", "1") for switch in fields[1:5]):
        raise ValueError("site: a switch is neither 0 nor 1")
    switches = {name: field == "1" for name, field in zip(SWITCHES, fields[1:5], strict=True)}
    return SiteSettings(fields[0], **switches, associations=int(fields[5]))


def _parse_entry(fields: list[str]) -> ManifestEntry:
    if len(fields) < 4:
        raise ValueError("entry: expected name, path, flags and personality")
    if "" in fields:
        raise ValueError("entry: two spaces in a row, or one at the end")
    name, path, flags, personality, *arguments = map(unescape, fields)
    check_path(path)
    chosen = frozenset() if flags == NONE else frozenset(flags.split(","))
    check_entry(name, chosen, arguments)
    return ManifestEntry(name, path, chosen, None if personality == NONE else personality, tuple(arguments))


def check_entry(name: str, flags: frozenset[str], arguments: list[str]) -> None:
    """Raises ValueError: a name, flag or argument that an entry cannot have."""
    if not NAME.fullmatch(name) or name == NONE:
        raise ValueError(f'name: "{name}" is not 1 to 63 letters, digits or . _ @ + -')
    for flag in sorted(flags.difference(FLAGS)):
        raise ValueError(f'flags: "{flag}" is none of {", ".join(FLAGS)}')
    for argument in arguments:
        if not argument or "\0" in argument:
            raise ValueError("args: an argument is empty or holds a zero octet")
