"""The pytest plugin: runs whose nodes are checked and freed when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from machemu.cluster.segment import Segment
    from machemu.testing.runs import Run


@pytest.fixture
def machemu_runs() -> Iterator[list[Run]]:
    """Runs of this test; after it every invariant is asserted and memory freed."""
    runs: list[Run] = []
    yield runs
    try:
        for run in runs:
            run.check()
    finally:
        for run in runs:
            run.close()


@pytest.fixture
def boot_task(machemu_runs: list[Run]) -> Callable[..., Run]:
    """`boot_task(program, *arguments)`: run one program alone on a node."""
    from machemu.testing.runs import run_task

    def boot(program: Path | bytes, *arguments: str, seed: int = 0, trace: bool = False) -> Run:
        run = run_task(program, *arguments, seed=seed, trace=trace)
        machemu_runs.append(run)
        return run

    return boot


@pytest.fixture
def boot_lan(machemu_runs: list[Run], tmp_path: Path) -> Callable[..., Run]:
    """`boot_lan(recipe, ...)`: nodes from the texts of recipes, not yet run."""
    from machemu.testing.runs import image_of, run_lan

    def boot(*recipes: str, seed: int = 0, trace: bool = True, segment: Segment | None = None) -> Run:
        images = [image_of(recipe, tmp_path / f"node{number}") for number, recipe in enumerate(recipes)]
        run = run_lan(images, seed=seed, trace=trace, segment=segment)
        machemu_runs.append(run)
        return run

    return boot
