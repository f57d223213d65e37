"""`machemu bench`: the project's measurements, with their floors beside them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from machemu.errors import ConfigError

if TYPE_CHECKING:
    from machemu.bench.measure import Figure


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Measurements; all if none is named.",
                                                      metavar="[NAME]...")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object of named figures.")] = False,
    quick: Annotated[bool, typer.Option(help="Less work: rough figures in a few seconds.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the measurements.")] = False,
) -> None:
    """Measure, with the floors of the same run.

    A floor is the least that the same work costs on this machine: ratios to it can be
    compared between machines, times cannot.
    """
    from machemu.bench import BENCHMARKS
    from machemu.bench.measure import Effort
    from machemu.sdk.layout import Built

    if list_:
        for benchmark in BENCHMARKS.values():
            print(f"{benchmark.name:16} {benchmark.summary}")
        return
    unknown = [name for name in names or () if name not in BENCHMARKS]
    if unknown:
        raise ConfigError(f"bench: no measurement {unknown[0]} (there are {', '.join(BENCHMARKS)})")
    effort = Effort(Built().directory, rounds=3, scale=0.1) if quick else Effort(Built().directory)
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        if not as_json:
            _say(f"measuring {name} ...")
        for figure in BENCHMARKS[name].run(effort):
            figures.append(figure)
            if not as_json:
                _say("")
                print(_line(figure), flush=True)
    if as_json:
        print(json.dumps({figure.name: figure.as_json() for figure in figures}, indent=2))


def _say(text: str) -> None:
    """What is going on, on a terminal only; the next text takes its place."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)


def _line(figure: Figure) -> str:
    text = f"{figure.name:28} {figure.value:10.3f} {figure.unit:9}"
    if figure.floor is not None:
        text += f" floor {figure.floor:10.3f}  ratio {figure.ratio:7.2f}"
    if figure.target is not None:
        unit = f" {figure.unit}" if figure.target.of_value else ""
        word = "ok" if figure.reached else "MISSED"
        text += f"  ({figure.target.sense} {figure.target.limit:g}{unit}: {word})"
    return text
