"""Where the SDK's files lie: sources under `servers/`, what is made of them under `machemu/_built/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from machemu.errors import ConfigError

PACKAGE: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Built:
    """What an installed machemu carries.

    include/ headers, include/mig/ those made by MIG · defs/ interfaces · lib/ libraries, start.o and
    program.ld · programs/ linked programs with their symbols · debug/ the same with line numbers.
    """

    directory: Path = PACKAGE / "_built"

    @property
    def include(self) -> Path:
        return self.directory / "include"

    @property
    def defs(self) -> Path:
        return self.directory / "defs"

    @property
    def lib(self) -> Path:
        return self.directory / "lib"

    @property
    def programs(self) -> Path:
        return self.directory / "programs"

    @property
    def debug(self) -> Path:
        return self.directory / "debug"

    @property
    def script(self) -> Path:
        return self.lib / "program.ld"

    @property
    def start(self) -> Path:
        return self.lib / "start.o"

    def include_path(self) -> tuple[Path, ...]:
        """`<mig/acs.h>` and `<acs.h>` name the same header; a hand-written one goes first."""
        return (self.include, self.include / "mig")

    def libraries(self) -> list[Path]:
        """Every library, in an order that does not vary.  Raises ConfigError: none are built."""
        found = sorted(self.lib.glob("lib*.a"))
        if not found or not self.start.exists():
            raise ConfigError(f"the SDK's libraries are not built in {self.lib}: run `python -m machemu.sdk.build`")
        return found

    def program(self, name: str) -> Path:
        """Raises ConfigError: no such program was built."""
        path = self.programs / name
        if not path.is_file():
            raise ConfigError(f"no built program `{name}` in {self.programs}: run `python -m machemu.sdk.build`")
        return path


@dataclass(frozen=True, slots=True)
class Sources:
    """The tree `servers/` of a checkout."""

    directory: Path = PACKAGE.parent / "servers"

    @property
    def include(self) -> Path:
        return self.directory / "include"

    @property
    def defs(self) -> Path:
        return self.directory / "defs"

    def libraries(self) -> list[Path]:
        """Each folder of lib/ with sources is a library; start/ is what every program begins with."""
        folders = sorted(path for path in (self.directory / "lib").iterdir() if path.is_dir())
        return [folder for folder in folders if folder.name != "start" and sources_in(folder)]

    def programs(self) -> dict[str, list[Path]]:
        """Name to sources: a folder with a main.c, or a file or folder under apps/."""
        found: dict[str, list[Path]] = {}
        for folder in sorted(self.directory.iterdir()):
            if (folder / "main.c").is_file():
                found[folder.name] = sources_in(folder)
        for entry in sorted((self.directory / "apps").glob("*")):
            if entry.is_dir() and sources_in(entry):
                found[entry.name] = sources_in(entry)
            elif entry.suffix == ".c":
                found[entry.stem] = [entry]
        return found


def sources_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".c", ".S"))
