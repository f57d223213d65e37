"""The native helper: a few lines of C that count executed code (`clock.c`).

It is built with the compiler that builds guests, into `machemu/_built/native/`, under a
name made of its source and the host's kind, so that it is built once.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("clock.c")
BUILT: Final = Path(__file__).resolve().parents[2] / "_built" / "native"
FLAGS: Final = ("-std=c17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                "-fno-sanitize=all", "-fno-stack-protector")
TIMEOUT_S: Final = 300


def helper_path(directory: Path = BUILT) -> Path:
    """Where the helper of this source and this kind of host is or would be."""
    kind = f"{sys.platform}-{platform.machine()}"
    digest = hashlib.sha256(SOURCE.read_bytes() + repr((FLAGS, kind)).encode()).hexdigest()[:16]
    return directory / f"clock-{kind}-{digest}.so"


def build_helper(directory: Path = BUILT) -> Path:
    """Build the helper unless it is there.

    Raises:
        OSError: the directory cannot be written.
        subprocess.SubprocessError: no compiler, or the compiler failed.
    """
    path = helper_path(directory)
    if path.exists():
        return path
    if importlib.util.find_spec("ziglang") is None:
        raise subprocess.SubprocessError("the package ziglang is not installed")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as work:
        made = Path(work) / "clock.so"
        subprocess.run([sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(made), str(SOURCE)],
                       check=True, capture_output=True, timeout=TIMEOUT_S)
        os.replace(made, path)  # whole or not at all, whoever builds at the same time
    return path


@functools.cache
def load_helper() -> ctypes.CDLL | None:
    """The helper, built if it has to be.  None, after one warning: it cannot be had,
    and time is counted in instructions instead, at a quarter of the speed."""
    try:
        return ctypes.CDLL(str(build_helper()))
    except (OSError, subprocess.SubprocessError) as error:
        warnings.warn(f"the native clock helper cannot be built ({error}): counting instructions instead, which is "
                      "slower and gives other times; install ziglang to get it", RuntimeWarning, stacklevel=2)
        return None
