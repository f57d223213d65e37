"""Recipes of nodes for tests: what is on each, in a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.programs import compile_c, guest

WORKSTATION: Final = Path(__file__).resolve().parents[2] / "images" / "machines" / "workstation.toml"
MOTD: Final = "Welcome to the laboratory.\n"


@dataclass(frozen=True)
class Entry:
    """One entry of a boot manifest.  `text`: C of a program made for the test; `source`: the
    name of one under tests/guest; else `program` is one of the project's."""

    name: str
    program: str = ""
    text: str = ""
    source: str = ""
    flags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    personality: str = ""


ACS: Final = Entry("acs", "acs", flags=("ready", "restart"))
GNS: Final = Entry("gns", "gns", flags=("ready", "restart", "host", "device"))
DEFAULT_PAGER: Final = Entry("default_pager", "default_pager", flags=("ready", "host", "device"))
COUNTER: Final = Entry("counter", "counter", flags=("ready",))


def main(name: str, program: str = "", *args: str, text: str = "", source: str = "",
         personality: str = "") -> Entry:
    """A program whose end decides the end of the run."""
    return Entry(name, program or ("" if text or source else name), text, source, ("main",), args, personality)


def personality(name: str) -> Entry:
    return Entry(name, name, flags=("ready", "device"))


@dataclass(frozen=True)
class NodeRecipe:
    """A node: its number and name, and what it starts."""

    number: int
    name: str
    entries: Sequence[Entry]
    site: dict[str, object] = field(default_factory=dict)
    extras: Sequence[Entry] = ()  # programs that are under bin/ and do not start by themselves
    ram: int = 0  # octets; 0: what a workstation has
    paging: int = 0  # octets of paging space

    def write(self, folder: Path) -> str:
        """The recipe's text; programs made for the test go into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        machine = "workstation"
        if self.ram:
            machine = "small.toml"
            text = WORKSTATION.read_text(encoding="utf-8")
            (folder / machine).write_text(re.sub(r"(?m)^ram = \d+", f"ram = {self.ram}", text), encoding="utf-8")
        lines = [f"node = {self.number}", f'name = "{self.name}"', f'machine = "{machine}"',
                 f"paging = {self.paging}",
                 f"programs = {_array([extra.program for extra in self.extras if extra.program])}",
                 "[site]", 'suite = "none"', "lab = true"]
        lines += [f"{key} = {str(value).lower()}" for key, value in self.site.items()]
        for entry in self.entries:
            lines += ["[[boot]]", f'name = "{entry.name}"', self._program(entry, folder),
                      f"flags = {_array(entry.flags)}", f"args = {_array(entry.args)}"]
            if entry.personality:
                lines.append(f'personality = "{entry.personality}"')
        for extra in self.extras:
            if not extra.program:
                self._program(extra, folder)
                lines += ["[[file]]", f'path = "bin/{extra.name}"', f'source = "{extra.name}"']
        lines += ["[[file]]", 'path = "etc/motd"', f"text = {MOTD!r}".replace("'", '"')]
        return "\n".join(lines) + "\n"

    @staticmethod
    def _program(entry: Entry, folder: Path) -> str:
        if not entry.text and not entry.source:
            return f'program = "{entry.program}"'
        octets = guest(entry.source) if entry.source else compile_c(entry.text, entry.name)
        (folder / entry.name).write_bytes(octets)
        return f'file = "{entry.name}"'


def _array(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def alone(*entries: Entry, extras: Sequence[Entry] = (), **site: object) -> NodeRecipe:
    """One node with an ACS and these."""
    return NodeRecipe(1, "alone", (ACS, *entries), site, extras)


def pair(here: Sequence[Entry], there: Sequence[Entry], *, extras: Sequence[Entry] = (),
         **site: object) -> list[NodeRecipe]:
    """Nodes a and b with ACS, GNS and these; both have the extras."""
    return [NodeRecipe(1, "a", (ACS, GNS, *here), site, extras),
            NodeRecipe(2, "b", (ACS, GNS, *there), site, extras)]
