"""The stubs of `host/`, compiled once."""

from __future__ import annotations

import pytest

from tests.mig.stubs import Stubs, build


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Stubs:
    return build(tmp_path_factory.mktemp("stubs"))
