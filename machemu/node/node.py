"""A node: machine, kernel and the loop that makes them run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from machemu.errors import ConfigError
from machemu.hw.description import MachineDescription
from machemu.hw.machine import build_machine
from machemu.kernel.events import TaskEnded, TaskNamed
from machemu.kernel.kernel import Kernel
from machemu.node.boot import boot_alone, boot_node

if TYPE_CHECKING:
    from machemu.image.disk_image import NodeImage


@dataclass(frozen=True, slots=True)
class MainExit:
    """How one of the programs ended that decide the end of a run."""

    name: str
    status: int | None  # None: it did not exit by itself
    reason: str


@final
class Node:
    """One emulated workstation.

    Args:
        seed: of the node's random numbers (laboratory sites).
        on_console: gets what the node writes to its console.
        native: False: count instructions even where the native clock could be had.
    """

    def __init__(self, name: str, number: int, description: MachineDescription, *, disk: bytes = b"",
                 seed: int = 0, epoch: int = 1, on_console: Callable[[bytes], None] | None = None,
                 native: bool = True) -> None:
        self.name = name
        self.number = number
        self.machine = build_machine(description, disk=disk, seed=seed, node=number, epoch=epoch, native=native)
        self.machine.on_console = on_console
        self.kernel = Kernel(self.machine, quantum_ns=description.quantum_ns, power_off=self._power_off)
        self.kernel.boot_info = replace(self.kernel.boot_info, node=number, epoch=epoch, ram=description.ram,
                                        code_bytes_per_second=description.code_bytes_per_us * 1_000_000)
        self.halted: str | None = None  # why, once it is
        self.mains: dict[str, MainExit | None] = {}  # entries that decide the end of the run
        self._main_tasks: dict[int, str] = {}
        self.kernel.events.task_named.attach(self._note_named)
        self.kernel.events.task_ended.attach(self._note_ended)

    @classmethod
    def from_image(cls, image: NodeImage, *, seed: int, epoch: int = 1,
                   on_console: Callable[[bytes], None] | None = None) -> Node:
        """A node about to execute its first instruction.

        Raises ConfigError: a bad machine description or archive.
        """
        description = MachineDescription.parse(image.machine_toml, f"{image.name}: machine.toml")
        node = cls(image.name, image.number, description, disk=image.disk, seed=seed, epoch=epoch,
                   on_console=on_console)
        node.mains = {entry.name: None for entry in image.entries if entry.main}
        boot_node(node.kernel, image, epoch=epoch)
        return node

    @classmethod
    def alone(cls, program: bytes, name: str, arguments: list[str], description: MachineDescription, *,
              seed: int = 0, on_console: Callable[[bytes], None] | None = None, native: bool = True) -> Node:
        """A node whose only task is `program`."""
        node = cls(name, 1, description, seed=seed, on_console=on_console, native=native)
        node.mains = {name: None}
        task = boot_alone(node.kernel, program, name, arguments)
        node._main_tasks[task.number] = name
        return node

    # -- time -------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return self.machine.clock.now_ns

    @property
    def idle(self) -> bool:
        """No thread can run; only an event can change that."""
        return self.kernel.scheduler.current is None

    @property
    def next_ns(self) -> int | None:
        """When this node has something to do next; None: never again by itself."""
        if self.halted:
            return None
        return self.machine.clock.next_event_ns if self.idle else self.now_ns

    def run_until(self, until_ns: int) -> None:
        """Execute until the clock reads `until_ns` or a little more, or the node halts."""
        clock, cpu, scheduler = self.machine.clock, self.machine.cpu, self.kernel.scheduler
        while not self.halted:
            clock.run_due()
            scheduler.settle()
            now = clock.now_ns
            if now >= until_ns or self.halted:
                return
            due = clock.next_event_ns
            limit = until_ns if due is None or due > until_ns else due
            if scheduler.current is None:
                clock.skip_to(limit)
                continue
            if now >= scheduler.quantum_end_ns:
                scheduler.quantum_expired()
            cpu.run(min(limit, scheduler.quantum_end_ns))

    # -- the end ------------------------------------------------------------------

    @property
    def mains_done(self) -> bool:
        return all(end is not None for end in self.mains.values())

    def halt(self, reason: str) -> None:
        if self.halted is None:
            self.halted = reason
            self.machine.cpu.preempt()

    def close(self) -> None:
        """Free the emulator's memory."""
        self.machine.close()

    def _power_off(self, reboot: bool) -> None:
        self.halt("reboot" if reboot else "halted by its bootstrap server")

    def _note_named(self, event: TaskNamed) -> None:
        # Only a name given by another task before the first instruction counts: a
        # program cannot make itself one of those that end the run.
        if event.name in self.mains and not event.started and event.by != event.task:
            self._main_tasks.setdefault(event.task, event.name)

    def _note_ended(self, event: TaskEnded) -> None:
        name = self._main_tasks.get(event.task)
        if name is not None and self.mains[name] is None:
            self.mains[name] = MainExit(name, event.status, event.reason)


def check_distinct(nodes: list[Node]) -> None:
    """Raises ConfigError: two nodes of a run with one number."""
    seen: dict[int, Node] = {}
    for node in nodes:
        if node.number in seen:
            raise ConfigError(f"nodes {seen[node.number].name} and {node.name} have the same number, {node.number}; "
                              "give each recipe its own `node`")
        seen[node.number] = node
