"""The guest program `bench` (servers/apps/bench) on a node, and the times of its rounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, final

from machemu.errors import ConfigError
from machemu.hw.description import MachineDescription
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_RECEIVE, Carried
from machemu.node.loader import parse_elf, start
from machemu.node.node import Node

if TYPE_CHECKING:
    from machemu.kernel.events import StepAnnounced
    from machemu.kernel.task.task import Task

BEGIN: Final = 0x62656E0001  # codes of trace_point, as in servers/apps/bench/bench.h
END: Final = 0x62656E0002
WINDOW_NS: Final = 10_000_000
FOREVER: Final = 1 << 62


@final
class Stopwatch:
    """Host seconds between trace points."""

    def __init__(self) -> None:
        self.rounds: list[float] = []
        self._begun = 0.0

    def announced(self, event: StepAnnounced) -> None:
        self.mark(event.code)

    def mark(self, code: int) -> None:
        now = time.perf_counter()
        if code == BEGIN:
            self._begun = now
        elif code == END:
            self.rounds.append(now - self._begun)

    def take(self) -> list[float]:
        """The rounds so far, each once."""
        rounds, self.rounds = self.rounds, []
        return rounds


@final
class BenchNode:
    """A node with tasks that run `bench`, and no servers."""

    def __init__(self, program: bytes, *, native: bool = True) -> None:
        self.node = Node("bench", 1, MachineDescription.workstation(), native=native)
        self.watch = Stopwatch()
        self.node.kernel.events.step_announced.attach(self.watch.announced)
        self._program = parse_elf(program, "bench")

    def task(self) -> Task:
        """A task that does not run yet."""
        return self.node.kernel.create_task(None)

    def start(self, task: Task, *arguments: object) -> None:
        words = ["bench", *(str(argument) for argument in arguments)]
        start(self.node.kernel, task, self._program, words, "bench")

    def port(self, receiver: Task, sender: Task) -> tuple[int, int]:
        """A port: its name in the task that receives, and in the one that sends."""
        port = Port(self.node.kernel.zone)
        name = receiver.space.insert(Carried(port, MOVE_RECEIVE))
        return name, sender.space.insert(port.make_send())

    def round(self) -> list[float]:
        """Run until a round has ended; its seconds."""
        while not self.watch.rounds:
            if self.node.next_ns is None:
                raise ConfigError("bench: the guest program ended before it was measured")
            self.node.run_until(self.node.now_ns + WINDOW_NS)
        return self.watch.take()

    def close(self) -> None:
        self.node.close()
