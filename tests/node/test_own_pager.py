"""Pagers of applications: a replacement policy of one's own, and a pager that dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from machemu.testing.runs import Run
from tests.support.programs import guest

FRAMES: Final = 16
ROUNDS: Final = 20
REFERENCES: Final = (FRAMES + 1) * ROUNDS


def faults(run: Run) -> int:
    end = run.outcome.mains["program/program"]
    assert end.status == 0, run.console("program")
    words = run.console("program").split()
    assert words[:2] == ["references", str(REFERENCES)]
    return int(words[3])


@pytest.mark.req("B-05")
def test_policy_of_the_pager_decides_which_references_fault(boot_task: Callable[..., Run]) -> None:
    """A walk round N + 1 pages with N frames: replacing the page that was used longest ago is
    always wrong, replacing the last one wrong once in N references."""
    program = guest("own_pager")
    assert faults(boot_task(program, "lru", str(FRAMES), str(ROUNDS))) == REFERENCES
    few = faults(boot_task(program, "mru", str(FRAMES), str(ROUNDS)))
    rest = REFERENCES - (FRAMES + 1)  # the first round finds nothing in memory
    assert few - (FRAMES + 1) == pytest.approx(rest / FRAMES, abs=1)


@pytest.mark.req("B-05")
def test_pager_that_dies_gives_its_clients_an_error(boot_task: Callable[..., Run]) -> None:
    end = boot_task(guest("own_pager"), "dead", str(FRAMES), "1").outcome.mains["program/program"]
    assert end.status is None
    assert end.reason.startswith("bad_access (code 10, ")
