"""The C compiler for guests: `zig cc` of the package `ziglang`, with our flags.

It is clang and lld, for every host, without system packages.  Flags: unicorn-riscv.md 16.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from machemu.errors import ConfigError

TARGET: Final = ("-target", "riscv64-freestanding-none", "-mcpu=generic_rv64+m+a+f+d+c")
CODE: Final = (
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-sanitize=all",
    "-fno-pic",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-ident",
)
STRICT: Final = ("-std=c17", "-Wall", "-Wextra", "-Werror")  # for our own sources
LINK: Final = ("-static", "--gc-sections", "--build-id=none", "-z", "noexecstack", "-z", "max-page-size=4096")

NOT_INSTALLED: Final = (
    "no C compiler for guest programs: install the extra `sdk` (pip install 'machemu[sdk]'), which brings ziglang"
)


class CompileError(ConfigError):
    """The compiler or the linker refused; the text is what it said."""


def cache_directory() -> Path:
    """Where compiled objects are kept between runs: MACHEMU_CACHE, or the user's cache."""
    named = os.environ.get("MACHEMU_CACHE")
    if named:
        return Path(named).resolve()
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".cache") / "machemu"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One installed compiler.

    zig: the program.  version: of the package; objects of another are not used again.
    """

    zig: Path
    version: str

    def run(self, *arguments: str | Path) -> str:
        """What the tool had to say: warnings.  Raises CompileError, with the tool's own words."""
        environment = dict(os.environ)
        zig_cache = str(cache_directory() / "zig")
        environment.update(ZIG_GLOBAL_CACHE_DIR=zig_cache, ZIG_LOCAL_CACHE_DIR=zig_cache)
        done = subprocess.run(
            [self.zig, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CompileError(done.stderr.strip() or f"{arguments[0]} failed with status {done.returncode}")
        return done.stderr

    def compile(self, source: Path, output: Path, flags: Iterable[str], dependencies: Path) -> str:
        """`source` (.c or .S) to an object file; the files it read to `dependencies`, in make's language.

        Returns the compiler's warnings.
        """
        return self.run("cc", *TARGET, *CODE, *flags, "-MMD", "-MF", dependencies, "-c", source, "-o", output)

    def archive(self, output: Path, objects: Sequence[Path]) -> None:
        """A static library, without times and owners."""
        output.unlink(missing_ok=True)
        self.run("ar", "rcsD", output, *objects)

    def link(self, output: Path, script: Path, inputs: Sequence[Path], flags: Iterable[str] = ()) -> None:
        """A program.  Libraries among `inputs` may need each other."""
        self.run(
            "ld.lld", *LINK, *flags, "-T", script, "-o", output, "--start-group", *inputs, "--end-group"
        )


@functools.cache
def toolchain() -> Toolchain:
    """The installed compiler.  Raises ConfigError: there is none."""
    found = importlib.util.find_spec("ziglang")
    if found is None or not found.submodule_search_locations:
        raise ConfigError(NOT_INSTALLED)
    home = Path(next(iter(found.submodule_search_locations)))
    zig = home / ("zig.exe" if os.name == "nt" else "zig")
    if not zig.exists():
        raise ConfigError(NOT_INSTALLED)
    return Toolchain(zig, version("ziglang"))


def hidden_paths(roots: Iterable[tuple[Path, str]]) -> tuple[str, ...]:
    """Flags that put `name` for each root in what the compiler writes, so that output does
    not tell where it was made."""
    flags = [f"-ffile-prefix-map={root}={name}" for root, name in roots]
    return (*flags, "-fdebug-compilation-dir=.")


def digest(*parts: str | bytes) -> str:
    """A name made of content: SHA-256 over the parts, each with its length."""
    state = hashlib.sha256()
    for part in parts:
        octets = part.encode() if isinstance(part, str) else part
        state.update(len(octets).to_bytes(8, "little") + octets)
    return state.hexdigest()
