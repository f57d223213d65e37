"""A LAN: nodes that run in turn, joined by one segment.

Conservative synchronisation: nodes run for a window no longer than the propagation delay,
so that a frame sent in one window can only arrive in a later one.  The result does not
depend on the order in which nodes run within a window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, final

from machemu.cluster.segment import Segment
from machemu.hw.api import NetworkDevice
from machemu.node.node import MainExit, Node, check_distinct

SECOND: Final = 1_000_000_000  # ns
ALONE_WINDOW_NS: Final = 1_000_000  # a node without neighbours need not stop so often


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    reason: str
    now_ns: int
    mains: dict[str, MainExit | None] = field(default_factory=dict)  # by "node/entry"

    @property
    def failures(self) -> list[str]:
        """A line for each main program that did not return 0."""
        lines = []
        for name, end in self.mains.items():
            if end is None:
                lines.append(f"{name} has not ended ({self.reason})")
            elif end.status is None:
                lines.append(f"{name} ended by {end.reason}")
            elif end.status != 0:
                lines.append(f"{name} returned {end.status}")
        return lines

    @property
    def status(self) -> int:
        return 1 if self.failures else 0


@final
class Lan:
    """Nodes on one segment.

    Raises ConfigError: two nodes with one number.
    """

    def __init__(self, nodes: list[Node], segment: Segment) -> None:
        check_distinct(nodes)
        self.nodes = nodes
        self.segment = segment
        self.now_ns = 0
        self.at_window_end: list[Callable[[int], None]] = []  # told the time reached
        for node in nodes:
            self._plug_in(node)

    def _plug_in(self, node: Node) -> None:
        for nic in node.machine.network_devices.values():
            self._join(node, nic)

    def _join(self, node: Node, nic: NetworkDevice) -> None:
        clock, segment, number = node.machine.clock, self.segment, node.number

        def deliver(at_ns: int, frame: bytes, fcs_ok: bool) -> None:
            clock.call_at(at_ns, lambda: nic.receive(frame, fcs_ok))

        segment.attach(number, nic.mac, deliver)
        nic.on_transmit = lambda frame: segment.transmit(number, clock.now_ns, frame)

    def run(self, until_ns: int | None = None, stop: Callable[[], str | None] | None = None) -> Outcome:
        """Run until all main programs have ended, or as `advance` does; the nodes are then halted."""
        reason = self.advance(until_ns, lambda: self.finished() or (stop() if stop else None))
        for node in self.nodes:
            node.halt(reason)
        return self.outcome(reason)

    def advance(self, until_ns: int | None = None, stop: Callable[[], str | None] | None = None) -> str:
        """Run until `until_ns`, until `stop`, asked after every window, gives a reason, or until
        nothing can happen any more.

        Returns why the run paused; it can go on afterwards.
        """
        window = self.segment.delay_ns if len(self.nodes) > 1 else ALONE_WINDOW_NS
        while True:
            reason = stop() if stop else None
            if reason is not None:
                return reason
            if until_ns is not None and self.now_ns >= until_ns:
                return f"time is up: {until_ns / SECOND:g} s"
            start = self._next_start()
            if start is None:
                return "no thread of any node can ever run again"
            end = max(start, self.now_ns) + window
            if until_ns is not None:
                end = min(end, until_ns)
            for node in self.nodes:
                node.run_until(end)
            self.segment.deliver(end)
            self.now_ns = end
            for observer in self.at_window_end:
                observer(end)

    def _next_start(self) -> int | None:
        """The earliest time at which any node has something to do."""
        times = [time for node in self.nodes if (time := node.next_ns) is not None]
        return min(times) if times else None

    def finished(self) -> str | None:
        """Why the run is over, if it is: all main programs have ended, or all nodes are halted."""
        if any(node.mains for node in self.nodes) and all(node.mains_done for node in self.nodes):
            return "all main programs have ended"
        if all(node.halted for node in self.nodes):
            return "; ".join(f"{node.name}: {node.halted}" for node in self.nodes)
        return None

    def outcome(self, reason: str) -> Outcome:
        """How things stand."""
        mains = {f"{node.name}/{name}": end for node in self.nodes for name, end in node.mains.items()}
        return Outcome(reason, max(node.now_ns for node in self.nodes), mains)

    def close(self) -> None:
        for node in self.nodes:
            node.close()
