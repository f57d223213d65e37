"""Fixtures of the servers' tests: sites with an ACS, and the parts of servers that ask
nobody, compiled for the host and called from Python."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from machemu.errors import ConfigError
from machemu.sdk.layout import Sources
from machemu.sdk.toolchain import toolchain
from tests.servers.acs_site import ORIGIN_TO_ALL, Site
from tests.support.stubs import Lone

LOGIC: Final = ("lib/personality/paths.c", "lib/personality/calendar.c", "dos/names.c")
FLAGS: Final = ("-std=c17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O1")


@pytest.fixture(scope="session")
def logic(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The personality servers' pure functions."""
    servers = Sources().directory
    # One header, not all of servers/include: <string.h> is the host's here.
    include = tmp_path_factory.mktemp("include") / "machemu"
    include.mkdir()
    name = "personality_logic.h"
    (include / name).write_text((servers / "include" / "machemu" / name).read_text())
    try:
        compiler = toolchain().zig
    except ConfigError as error:
        pytest.skip(str(error))
    library: Path = tmp_path_factory.mktemp("logic") / "logic.so"
    sources = [servers / source for source in LOGIC]
    subprocess.run(
        [compiler, "cc", *FLAGS, f"-I{include.parent}", *sources, "-o", library], check=True, text=True
    )
    return ctypes.CDLL(str(library))


@pytest.fixture
def site() -> Iterator[Site]:
    with Lone() as node:
        yield Site(node)


@pytest.fixture
def telling(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site with an optimisation, by default the one that tells who asks."""
    with Lone() as node:
        yield Site(node, getattr(request, "param", ORIGIN_TO_ALL))
