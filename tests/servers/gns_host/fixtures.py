"""Fixtures of the network server's tests; a test file names this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from machemu.errors import ConfigError
from machemu.sdk.toolchain import toolchain
from tests.servers.gns_host.build import build
from tests.servers.gns_host.lan import Lan, MakeLan


@pytest.fixture(scope="session")
def gns_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server, compiled for this host."""
    try:
        toolchain()
    except ConfigError as error:
        pytest.skip(str(error))
    return build(tmp_path_factory.mktemp("gns") / "gns.so")


@pytest.fixture
def make_lan(gns_library: Path, tmp_path: Path) -> Iterator[MakeLan]:
    """Makes a LAN; every node is checked after the test."""
    made: list[Lan] = []

    def make(**settings: Any) -> Lan:
        folder = tmp_path / f"lan{len(made)}"
        folder.mkdir()
        made.append(Lan(gns_library, folder, **settings))
        return made[-1]

    yield make
    try:
        for lan in made:
            lan.check()
    finally:
        for lan in made:
            lan.close()
