"""The network server's C, compiled for this host with `host.c` underneath."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path
from typing import Final

from machemu.sdk.interfaces import make_stubs
from machemu.sdk.toolchain import cache_directory
from tests.support.host_c import ROOT, build_host_library

SERVERS: Final = ROOT / "servers"
HERE: Final = Path(__file__).parent
HEADERS_ONLY: Final = ("mach", "mach_host")  # that <mach.h> and the server include
USER: Final = ("mach_port", "machemu", "gns_reply")  # interfaces whose calls it makes
SERVER: Final = ("gns", "acs_reply")  # and whose messages it takes
LIBMACH: Final = ("mach_msg.c", "mach_msg_destroy.c", "mig_support.c", "text.c")
NOT_HOST: Final = ("main.c", "clock.c")  # start-up and the counter: `host.c` stands for them


def build(output: Path) -> Path:
    """The shared object; each node of a test loads a copy of its own."""
    made_before = cache_directory() / "tests-gns"  # the same paths each time: the compiler knows them
    headers, stubs = made_before / "include" / "mig", made_before / "stubs"
    made = {name: make_stubs(_defs(name), [SERVERS / "defs"], headers, stubs)
            for name in (*HEADERS_ONLY, *USER, *SERVER)}
    sources = [path for path in sorted((SERVERS / "gns").glob("*.c")) if path.name not in NOT_HOST]
    sources += [SERVERS / "lib" / "mach" / name for name in LIBMACH]
    sources += [made[name].user for name in USER] + [made[name].server for name in SERVER]
    build_host_library(output, [*sources, HERE / "host.c"], [SERVERS / "include", made_before / "include"])
    return output


def _defs(name: str) -> Path:
    return next(path for path in (SERVERS / "defs").rglob(f"{name}.defs"))


def load(library: Path, copy: Path) -> ctypes.CDLL:
    """A fresh server, with variables of its own."""
    shutil.copyfile(library, copy)
    return ctypes.CDLL(str(copy))
