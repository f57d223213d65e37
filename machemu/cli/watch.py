"""What the operator sees of a run besides its consoles: trace, steps, the event that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from machemu.cluster.lan import Lan, Outcome
    from machemu.trace.pairing import Paired

Event = dict[str, Any]


@final
class Watch:
    """Observes a LAN; where none is made, nothing is observed and nothing is paid for.

    Args:
        until: a protocol step or kind of event at which the run stops.
    """

    def __init__(self, lan: Lan, until: str | None = None) -> None:
        from machemu.trace.recorder import Recorder

        self._until = until
        self._sinks: list[Callable[[Event], None]] = []
        self._reason: str | None = None
        self._messages = self._frames = 0
        self._names: dict[tuple[str, int], str] = {}  # of tasks
        self._clock = lan.nodes[0].machine.clock.kind
        self._recorder = Recorder(lan, self._take)

    def _take(self, event: Event) -> None:
        kind = event["event"]
        if kind == "message_sent":
            self._messages += 1
        elif kind == "frame":
            self._frames += 1
        elif kind == "task_named":
            self._names[event["node"], event["task"]] = event["name"]
        if self._until is not None and self._until in (kind, event.get("step")):
            self._reason = f"--until {self._until}"
        for sink in self._sinks:
            sink(event)

    def stop_reason(self) -> str | None:
        return self._reason

    def write_trace(self, stream: TextIO, seed: int) -> None:
        from machemu.trace.recorder import TraceFile

        sink = TraceFile(stream)
        sink(self._recorder.header(self._clock, seed))
        self._sinks.append(sink)

    def print_steps(self, stream: TextIO) -> None:
        """Print each protocol step with the message or frame it stands for."""
        from machemu.trace.pairing import Pairing

        pairing = Pairing()

        def show(event: Event) -> None:
            for pair in pairing.take(event):
                stream.write(self._step(pair) + "\n")
                stream.flush()

        self._sinks.append(show)

    def _step(self, pair: Paired) -> str:
        from machemu.trace.text import partner_text

        step = pair.step
        task = self._names.get((step["node"], step["task"]), f"task {step['task']}")
        head = f"{step['t'] / 1e6:10.3f} ms  {step['step']:<7}{step['node'] + '/' + task:<14}{step.get('text', '')}"
        return f"{head}\n{'':22}{partner_text(pair.partner, self._names)}"

    def summary(self, lan: Lan, outcome: Outcome, seconds: float) -> str:
        return (f"{len(lan.nodes)} nodes, {self._messages} messages, {self._frames} frames, "
                f"{outcome.now_ns / 1e9:.3f} s of virtual time in {seconds:.2f} s: {outcome.reason}")
