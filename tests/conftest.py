"""Fixtures of every test, and the choice of tests by requirement."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.rig import KernelRig


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--req", action="append", default=[], metavar="ID",
                     help="run only tests that show this row of docs/requirements.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = set(config.getoption("--req"))
    if wanted:
        items[:] = [item for item in items
                    if any(wanted & set(mark.args) for mark in item.iter_markers("req"))]


@pytest.fixture
def rig() -> Iterator[KernelRig]:
    """A kernel on fake hardware; after the test every invariant and count is checked."""
    rig = KernelRig()
    yield rig
    rig.check()
