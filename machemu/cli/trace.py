"""`machemu trace`: a recorded trace in another form."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from machemu.errors import ConfigError
from machemu.trace import EXPORTERS


def trace(
    file: Annotated[Path, typer.Argument(help="A trace written by `machemu boot --trace`.")],
    to: Annotated[str, typer.Option("--to", help=f"One of: {', '.join(EXPORTERS)}.")] = "text",
) -> None:
    """Print a recorded trace in another form."""
    exporter = EXPORTERS.get(to)
    if exporter is None:
        raise ConfigError(f"--to {to}: there is {', '.join(EXPORTERS)}")
    exporter(_events(file), sys.stdout)


def _events(file: Path) -> Iterator[dict[str, Any]]:
    """The events of a recorded trace.  Raises ConfigError: it is none."""
    number = 0
    with file.open(encoding="utf-8") as stream:
        try:
            for number, line in enumerate(stream, 1):
                yield _event(json.loads(line), f"{file}:{number}", first=number == 1)
        except ValueError:
            raise ConfigError(f"{file}:{number or 1}: not a trace: it must hold JSON Lines in UTF-8") from None
    if number == 0:
        raise ConfigError(f"{file}: an empty file, not a trace")


def _event(event: Any, where: str, *, first: bool) -> dict[str, Any]:
    if not isinstance(event, dict) or not {"t", "node", "seq", "event"} <= event.keys():
        raise ConfigError(f"{where}: not a trace event (t, node, seq, event)")
    if first and event["event"] != "trace":
        raise ConfigError(f"{where}: not a trace: the first line must be the event `trace`")
    return event
