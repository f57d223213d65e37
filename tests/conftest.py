"""Fixtures of every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.rig import KernelRig


@pytest.fixture
def rig() -> Iterator[KernelRig]:
    """A kernel on fake hardware; after the test every invariant and count is checked."""
    rig = KernelRig()
    yield rig
    rig.check()
