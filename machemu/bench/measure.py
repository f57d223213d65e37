"""What a measurement is: figures with their floors, and how times are taken.

A floor is the least that the same work could cost on this machine at this moment: it is
measured in the same run, its rounds alternating with those of what is measured, so that a
busy or slow host changes both.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from machemu.errors import ConfigError

AT_MOST: Final = "at most"
AT_LEAST: Final = "at least"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach: its ratio to the floor, or its own value."""

    sense: str  # AT_MOST or AT_LEAST
    limit: float
    of_value: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    `floor_of` says in a few words what the floor is.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_of: str = ""
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.value / self.floor

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None: there is none."""
        if self.target is None:
            return None
        measured = self.value if self.target.of_value else self.ratio
        assert measured is not None
        return measured <= self.target.limit if self.target.sense == AT_MOST else measured >= self.target.limit

    def as_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"value": round(self.value, 4), "unit": self.unit}
        if self.floor is not None:
            fields |= {"floor": round(self.floor, 4), "floor_of": self.floor_of, "ratio": round(self.ratio or 0, 3)}
        if self.target is not None:
            fields |= {"target": f"{self.target.sense} {self.target.limit:g} {self._target_unit}",
                       "reached": self.reached}
        return fields

    @property
    def _target_unit(self) -> str:
        return self.unit if self.target is not None and self.target.of_value else "floors"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured, and with which programs.

    Args:
        built: the folder of what the build has made.
        rounds: of each measurement.
        scale: times the usual work in a round.
    """

    built: Path
    rounds: int = 7
    scale: float = 1.0

    def count(self, usual: int) -> int:
        return max(1, int(usual * self.scale))

    @property
    def programs(self) -> Path:
        return self.built / "programs"

    @property
    def guest(self) -> bytes:
        """The guest program `bench`.  Raises ConfigError: it is not built."""
        path = self.programs / "bench"
        if not path.is_file():
            raise ConfigError(f"bench: no guest program {path}: run `python -m machemu.sdk.build`")
        return path.read_bytes()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One row of BENCHMARKS."""

    name: str
    summary: str
    run: Callable[[Effort], list[Figure]]


def alternate(effort: Effort, *measures: Callable[[], list[float]]) -> list[float]:
    """The median of each measure's rounds, which are taken in turns; one round is thrown away."""
    times: list[list[float]] = [[] for _ in measures]
    for turn in range(effort.rounds + 1):
        for measure, found in zip(measures, times, strict=True):
            rounds = measure()
            if turn:
                found.extend(rounds)
    return [statistics.median(found) for found in times]
