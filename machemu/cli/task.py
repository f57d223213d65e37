"""`machemu task`: boot one node whose first task is a program, without servers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from machemu.cli.boot import parse_duration, run_until_key
from machemu.cli.console import ConsoleView


def task(
    program: Annotated[Path, typer.Argument(help="An ELF file made with `machemu cc`.", metavar="PROG.elf")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Its arguments.", metavar="[ARG]...")] = None,
    seed: Annotated[int, typer.Option(help="Of all chance in the run.")] = 0,
    for_: Annotated[str | None, typer.Option("--for", help="Stop after this much virtual time, e.g. 5s.")] = None,
) -> None:
    """Run one program as the only task of a node.  The exit status is the program's."""
    from machemu.cluster.lan import Lan
    from machemu.cluster.segment import Segment
    from machemu.hw.description import MachineDescription
    from machemu.node.node import Node

    limit = parse_duration(for_) if for_ is not None else None
    name = program.name
    view = ConsoleView(sys.stdout, [name], name)
    node = Node.alone(program.read_bytes(), name, arguments or [], MachineDescription.workstation(), seed=seed,
                      on_console=view.for_node(name))
    lan = Lan([node], Segment(seed=seed))
    outcome = run_until_key(lan, limit)
    lan.close()
    if outcome.reason == "interrupted":
        raise KeyboardInterrupt
    end = next(iter(outcome.mains.values()))
    if end is None or end.status is None:
        for line in outcome.failures:
            print(f"machemu: {line}", file=sys.stderr)
        raise typer.Exit(1)
    raise typer.Exit(end.status & 0xFF)
