"""Runs of emulated programs and nodes for tests: one call, then the facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from machemu.cluster.lan import Lan, Outcome
from machemu.cluster.segment import Segment
from machemu.hw.description import MachineDescription
from machemu.image.disk_image import NodeImage, build_image, read_image
from machemu.inspect.servers import Servers
from machemu.node.node import Node
from machemu.testing.balance import check_balance
from machemu.trace.recorder import Event, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

BUILT: Final = Path(__file__).resolve().parents[1] / "_built"
TIME_LIMIT_NS: Final = 60_000_000_000  # of virtual time: a run that hangs ends here


@final
@dataclass
class Run:
    """A LAN that ran to its end, or can be run further."""

    lan: Lan
    consoles: dict[str, bytearray]
    events: list[Event] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def nodes(self) -> dict[str, Node]:
        return {node.name: node for node in self.lan.nodes}

    def console(self, node: str) -> str:
        return self.consoles[node].decode("utf-8", "replace")

    def go(self, until_ns: int | None = None, stop: Callable[[], str | None] | None = None) -> Outcome:
        """Run until all main programs have ended, or as `Lan.advance` says; then the run can go on."""
        reason = self.lan.advance(TIME_LIMIT_NS if until_ns is None else until_ns,
                                  lambda: self.lan.finished() or (stop() if stop else None))
        self.outcome = self.lan.outcome(reason)
        return self.outcome

    def servers(self, node: str) -> Servers:
        """To ask the servers of a node for their listings."""
        return Servers(self.nodes[node], self.lan.advance)

    def of(self, event: str, **fields: object) -> list[Event]:
        """The recorded events of one kind with these fields."""
        return [found for found in self.events if found["event"] == event
                and all(found.get(key) == value for key, value in fields.items())]

    def steps(self, node: str | None = None) -> list[str]:
        return [event["step"] for event in self.events
                if event["event"] == "step" and node in (None, event["node"])]

    def check(self) -> None:
        """Every invariant of every node."""
        for node in self.lan.nodes:
            node.kernel.check()
            check_balance(node.kernel)

    def close(self) -> None:
        self.lan.close()


def run_lan(images: list[NodeImage], *, seed: int = 0, trace: bool = True, segment: Segment | None = None) -> Run:
    """Nodes booted from images and not yet run; on `segment`, or on one without faults."""
    consoles = {image.name: bytearray() for image in images}
    nodes = [Node.from_image(image, seed=seed + image.number, on_console=consoles[image.name].extend)
             for image in images]
    run = Run(Lan(nodes, segment or Segment(seed=seed)), consoles)
    if trace:
        Recorder(run.lan, run.events.append)
    return run


def run_task(program: Path | bytes, *arguments: str, seed: int = 0, trace: bool = False) -> Run:
    """One program alone on a node, run to its end."""
    octets = program if isinstance(program, bytes) else program.read_bytes()
    name = "program" if isinstance(program, bytes) else program.name
    console = bytearray()
    node = Node.alone(octets, name, list(arguments), MachineDescription.workstation(), seed=seed,
                      on_console=console.extend)
    run = Run(Lan([node], Segment(seed=seed)), {name: console})
    if trace:
        Recorder(run.lan, run.events.append)
    run.go()
    return run


def image_of(recipe: str, folder: Path, programs: Path = BUILT / "programs") -> NodeImage:
    """Build a node's image from the text of a recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(recipe, encoding="utf-8")
    build_image(path, programs, folder / "node.img")
    return read_image(folder / "node.img")
