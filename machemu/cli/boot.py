"""`machemu boot`: boot nodes from disk images on one segment."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from machemu.cli.console import ConsoleView
from machemu.cli.watch import Watch
from machemu.errors import ConfigError

if TYPE_CHECKING:
    from machemu.cluster.lan import Lan, Outcome

UNITS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def boot(
    images: Annotated[list[Path], typer.Argument(
        help="Disk images, one for each node; or alpha, beta, single, which come with machemu.", metavar="IMG...")],
    seed: Annotated[int, typer.Option(help="Of all chance in the run.")] = 0,
    for_: Annotated[str | None, typer.Option("--for", help="Stop after this much virtual time, e.g. 5s.")] = None,
    until: Annotated[str | None, typer.Option(help="Stop at a protocol step (res.8) or kind of event.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Write the trace here, JSON Lines.")] = None,
    pcap: Annotated[Path | None, typer.Option(help="Write the frames here, for Wireshark.")] = None,
    console: Annotated[str | None, typer.Option(help="Show only this node's console, as it is.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Print protocol steps as they happen, and a summary.")] = False,
    loss: Annotated[float, typer.Option(help="Share of frames lost, 0 to 1.", min=0.0, max=1.0)] = 0.0,
) -> None:
    """Boot nodes from disk images on one Ethernet segment.

    The run ends when every program with the flag `main` on every node has exited.  Exit
    status 0 if all of them returned 0; 1 otherwise, with the reason.
    """
    from machemu.cluster.lan import Lan
    from machemu.cluster.segment import Segment
    from machemu.image.disk_image import read_image
    from machemu.node.node import Node

    limit = parse_duration(for_) if for_ is not None else None
    started = time.monotonic()
    loaded = [read_image(_packaged(path)) for path in images]
    names = [image.name for image in loaded]
    if console is not None and console not in names:
        raise ConfigError(f"--console {console}: there is no such node; the images hold {', '.join(names)}")
    view = ConsoleView(sys.stdout, names, console)
    nodes = [Node.from_image(image, seed=seed + image.number, on_console=view.for_node(image.name))
             for image in loaded]
    lan = Lan(nodes, Segment(seed=seed, loss=loss))
    with ExitStack() as open_files:
        watch = Watch(lan, until) if trace is not None or steps or until is not None else None
        if watch is not None and trace is not None:
            watch.write_trace(open_files.enter_context(trace.open("w", encoding="utf-8")), seed)
        if watch is not None and steps:
            watch.print_steps(sys.stdout)
        if pcap is not None:
            _write_pcap(lan, pcap, open_files)
        outcome = run_until_key(lan, limit, watch.stop_reason if watch is not None else None)
    view.close()
    if watch is not None and steps:
        print(watch.summary(lan, outcome, time.monotonic() - started))
    lan.close()
    if outcome.reason == "interrupted":
        raise KeyboardInterrupt
    _report(outcome, stopped_as_asked=limit is not None or until is not None)


def _packaged(path: Path) -> Path:
    """`path`, or the image of that name that comes with machemu."""
    from machemu.sdk.layout import Built

    packaged = Built().directory / "images" / f"{path}.img"
    return packaged if not path.exists() and path.name == str(path) and packaged.exists() else path


def run_until_key(lan: Lan, limit: int | None, stop: Callable[[], str | None] | None = None) -> Outcome:
    """Run until the end, `limit`, `stop` or Ctrl-C, which lets the consoles and files be finished."""
    from machemu.hw.keyboard import InterruptKey

    def preempt() -> None:
        for node in lan.nodes:
            node.machine.cpu.preempt()

    with InterruptKey(preempt) as key:
        return lan.run(limit, lambda: "interrupted" if key.pressed else stop() if stop is not None else None)


def _write_pcap(lan: Lan, path: Path, open_files: ExitStack) -> None:
    from machemu.cluster.tap import PcapWriter

    stream = open_files.enter_context(path.open("wb"))
    lan.segment.taps.append(PcapWriter(stream))


def parse_duration(text: str) -> int:
    """"5s", "20ms", "3us", "7ns" in ns.  Raises ConfigError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s)", text)
    if match is None:
        raise ConfigError(f"--for {text}: give a number and a unit, such as 5s, 20ms or 300us")
    return int(float(match[1]) * UNITS[match[2]])


def _report(outcome: Outcome, *, stopped_as_asked: bool) -> None:
    """Say what went wrong, if anything, and leave with the status of the run."""
    ended = [end for end in outcome.mains.values() if end is not None]
    if stopped_as_asked and all(end.status == 0 for end in ended):
        return
    for line in outcome.failures:
        print(f"machemu: {line}", file=sys.stderr)
    if not outcome.mains and not stopped_as_asked:
        print(f"machemu: {outcome.reason}", file=sys.stderr)
    if outcome.status:
        raise typer.Exit(1)
