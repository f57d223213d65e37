"""After each test here, every machine it made is checked and its emulator freed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hw.guests import RIGS


@pytest.fixture(autouse=True)
def sound_machines() -> Iterator[None]:
    yield
    try:
        while RIGS:
            RIGS[-1].close()
    finally:
        RIGS.clear()
