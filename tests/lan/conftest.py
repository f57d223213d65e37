"""Nodes that boot and run: fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from machemu.testing.runs import Run, image_of, run_lan

if TYPE_CHECKING:
    from machemu.cluster.segment import Segment
    from tests.support.lab import NodeRecipe

Boot = Callable[..., Run]


@pytest.fixture
def boot(machemu_runs: list[Run], tmp_path: Path) -> Boot:
    """`boot(recipe, ...)`: nodes, not yet run.  After the test every invariant is checked."""

    def boot_nodes(*recipes: NodeRecipe, seed: int = 0, trace: bool = True, segment: Segment | None = None) -> Run:
        images = [image_of(recipe.write(tmp_path / recipe.name), tmp_path / recipe.name) for recipe in recipes]
        run = run_lan(images, seed=seed, trace=trace, segment=segment)
        machemu_runs.append(run)
        return run

    return boot_nodes
