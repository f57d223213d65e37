"""Guest programs of tests: C under tests/guest/, compiled once for each content."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import Final

from machemu.sdk.cc import Job, run
from machemu.sdk.layout import Built
from machemu.sdk.toolchain import cache_directory, digest, toolchain

GUEST: Final = Path(__file__).resolve().parents[1] / "guest"


def guest(name: str, *flags: str) -> bytes:
    """The program made of tests/guest/NAME.c with our libraries.

    Raises CompileError.
    """
    return compile_c((GUEST / f"{name}.c").read_text(encoding="utf-8"), name, *flags)


def compile_c(text: str, name: str = "program", *flags: str) -> bytes:
    """The program made of C text, which may include headers of tests/guest."""
    made = cache_directory() / "tests" / digest(toolchain().version, _libraries(), _headers(), text, *flags)
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            source, output = Path(folder) / f"{name}.c", Path(folder) / name
            source.write_text(text, encoding="utf-8")
            run(Job((source,), output, flags=("-O2", "-Werror", f"-I{GUEST}", *flags)), print)
            os.replace(output, made)  # whole or not at all, whoever compiles at the same time
    return made.read_bytes()


@functools.cache
def _libraries() -> str:
    built = Built()
    parts = [path.read_bytes() for path in (*built.libraries(), built.start, built.script)]
    headers = sorted(built.include.rglob("*.h"))
    return digest(*parts, *(path.read_bytes() for path in headers))


@functools.cache
def _headers() -> str:
    return digest(*(path.read_bytes() for path in sorted(GUEST.glob("*.h"))))
