"""C of the guest's library, compiled for this host, so that it is tested without a kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from machemu.sdk.toolchain import toolchain

ROOT: Final = Path(__file__).resolve().parents[2]
LIBRARY: Final = ROOT / "servers" / "lib" / "c"
LOCKS: Final = ROOT / "tests" / "support" / "host_lock.c"
NOT_HOST: Final = frozenset({"console.c"})  # needs Mach
FLAGS: Final = (
    "-std=c17", "-O1", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-builtin", "-fno-sanitize=all",
    "-fno-stack-protector", "-shared", "-fPIC", "-nostdlib", "-Wl,-Bsymbolic",
)


def build_host_library(output: Path, sources: Sequence[Path], includes: Sequence[Path], *flags: str) -> ctypes.CDLL:
    """The C library's sources and `sources` as one shared object, loaded."""
    library = [path for path in sorted(LIBRARY.glob("*.c")) if path.name not in NOT_HOST]
    words = [f"-I{directory}" for directory in includes]
    toolchain().run("cc", *FLAGS, *flags, *words, *library, LOCKS, *sources, "-o", output)
    return ctypes.CDLL(str(output))
