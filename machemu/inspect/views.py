"""Frozen views of a node's kernel objects: what a debugger, a test or a person looks at.

A view is a copy of one instant; looking changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from machemu.kernel.ipc.right import DEAD_NAME, PORT_SET, RECEIVE, SEND, SEND_ONCE
from machemu.kernel.task.task import Task

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.ipc.space import Entry
    from machemu.node.node import Node

_KINDS = ((SEND, "send"), (RECEIVE, "receive"), (SEND_ONCE, "send-once"), (PORT_SET, "port-set"),
          (DEAD_NAME, "dead-name"))


@dataclass(frozen=True, slots=True)
class RightView:
    """One name of a task."""

    name: int
    kinds: frozenset[str]  # send, receive, send-once, port-set, dead-name
    urefs: int
    port: int | None  # the port's number; None for sets and dead names
    members: tuple[int, ...] = ()  # ports of a set
    dead_name_requested: bool = False


@dataclass(frozen=True, slots=True)
class PortView:
    """One port.  `receiver` is a task's number; None: `place` tells where the right is."""

    number: int
    receiver: int | None
    place: str  # "task", "kernel" or "transit"
    kernel_object: str | None
    queued: int  # messages
    limit: int  # messages
    blocked_senders: int
    send_rights: int
    send_once_rights: int
    make_send_count: int
    sequence: int


@dataclass(frozen=True, slots=True)
class RegionView:
    """One entry of an address map."""

    start: int
    size: int
    protection: int
    max_protection: int
    inheritance: int


@dataclass(frozen=True, slots=True)
class ThreadView:
    number: int
    pc: int
    waits_for: str | None
    suspend_count: int
    running: bool


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task, with its names, map and threads."""

    number: int
    name: str
    parent: int
    suspend_count: int
    rights: tuple[RightView, ...]
    regions: tuple[RegionView, ...]
    threads: tuple[ThreadView, ...]
    registered: tuple[int | None, ...]  # port numbers


@dataclass(frozen=True, slots=True)
class NodeView:
    """All of a node at one instant."""

    name: str
    number: int
    now_ns: int
    tasks: tuple[TaskView, ...]
    ports: tuple[PortView, ...]
    frames_used: int
    frames_free: int
    counters: dict[str, int]

    def task(self, name: str) -> TaskView:
        """The task of that name.  Raises KeyError: there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def port(self, number: int) -> PortView:
        """Raises KeyError: no live port has that number."""
        for port in self.ports:
            if port.number == number:
                return port
        raise KeyError(number)


def view_node(node: Node) -> NodeView:
    """Copy everything there is to see of `node`."""
    kernel = node.kernel
    counters = kernel.counters
    tasks = tuple(_task(task, node) for task in kernel.tasks.values())
    ports = tuple(_port(port) for port in sorted(kernel.zone.live, key=lambda port: port.number))
    return NodeView(node.name, node.number, node.now_ns, tasks, ports, kernel.pool.used, kernel.pool.free_count,
                    {"traps": counters.traps, "calls": counters.calls, "faults": counters.faults,
                     "exceptions": counters.exceptions, "switches": kernel.scheduler.switches})


def _task(task: Task, node: Node) -> TaskView:
    current = node.kernel.scheduler.current
    return TaskView(
        task.number, task.name, task.parent, task.suspend_count,
        tuple(_right(entry) for entry in task.space.entries.values()),
        tuple(RegionView(region.start, region.size, int(region.protection), int(region.max_protection),
                         int(region.inheritance)) for region in task.memory.regions()),
        tuple(ThreadView(thread.number, node.machine.cpu.pc if thread is current else thread.context.pc,
                         type(thread.wait).__name__ if thread.wait else None,
                         thread.suspend_count, thread is current) for thread in task.threads),
        tuple(port.number if port is not None and not port.dead else None for port in task.registered))


def _right(entry: Entry) -> RightView:
    port = entry.port
    if port is not None and port.dead:  # a dead name, though nobody has looked at it yet
        return RightView(entry.name, frozenset({"dead-name"}), max(entry.urefs, 1), None)
    kinds = frozenset(word for bit, word in _KINDS if entry.kind & bit)
    members = tuple(member.number for member in entry.port_set.members) if entry.port_set else ()
    return RightView(entry.name, kinds, entry.urefs, port.number if port else None, members,
                     entry.dead_name_request is not None)


def _port(port: Port) -> PortView:
    # Where nobody has the receive right and somebody receives, the kernel waits for a reply.
    kernels = port.kernel_object is not None or (port.receiver is None and port.queue.receivers)
    place = "task" if port.receiver is not None else "kernel" if kernels else "transit"
    return PortView(port.number, port.receiver.task_number if port.receiver is not None else None, place,
                    type(port.kernel_object).__name__ if port.kernel_object is not None else None,
                    port.queued, port.limit, len(port.blocked_senders), port.send_rights,
                    port.send_once_rights, port.make_send_count, port.sequence)
