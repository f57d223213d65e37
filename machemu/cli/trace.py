"""`machemu trace`: a recorded trace in another form."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

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


def _events(file: Path):  # type: ignore[no-untyped-def]
    with file.open(encoding="utf-8", errors="strict") as stream:
        try:
            for number, line in enumerate(stream, 1):
                event = json.loads(line)
                if not isinstance(event, dict) or not {"t", "node", "seq", "event"} <= event.keys():
                    raise ConfigError(f"{file}:{number}: not a trace event (t, node, seq, event)")
                if number == 1 and event["event"] != "trace":
                    raise ConfigError(f"{file}:1: not a trace: the first line must be the event `trace`")
                yield event
        except ValueError:
            raise ConfigError(f"{file}: not a trace: it must hold JSON Lines in UTF-8") from None
