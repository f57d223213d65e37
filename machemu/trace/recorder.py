"""The recorder: turns what kernels and the segment report into trace events.

An event is one JSON object: `t` (ns of the node), `node`, `seq`, `event`, then its own
fields.  Message events carry the names of interface and routine and the decoded arguments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TextIO, final

from machemu.interfaces import BY_ID
from machemu.interfaces.runtime import BadMessage, decode_reply, decode_request
from machemu.kernel import events as kernel_events
from machemu.trace.steps import TEXTS, step_name
from machemu.wire.watch import WireWatcher

if TYPE_CHECKING:
    from machemu.cluster.lan import Lan
    from machemu.events import Hook
    from machemu.kernel.events import MessageSent
    from machemu.node.node import Node

Event = dict[str, Any]
RIGHTS: Final = {16: "receive", 17: "send", 18: "send-once", 0: "null"}
OCTETS_SHOWN: Final = 64  # of byte arrays among arguments


@final
class Recorder:
    """Collects the events of every node of a LAN and passes them on in order of time.

    Nodes run one after the other within a window, so events are sorted when it ends:
    by time, then node, then the node's own count.
    """

    def __init__(self, lan: Lan, sink: Callable[[Event], None], *, detail: bool = True) -> None:
        self._sink = sink
        self._pending: list[Event] = []
        self._sequence: dict[str, int] = {}
        self._wire = WireWatcher()
        self._names = {str(node.number): node.name for node in lan.nodes}
        for node in lan.nodes:
            self._watch(node, detail)
        lan.segment.observers.append(self._frame)
        lan.at_window_end.append(lambda _now: self.flush())

    def header(self, clock: str, seed: int) -> Event:
        """The first line of a trace."""
        return {"t": 0, "node": "", "seq": 0, "event": "trace", "format": 1, "clock": clock, "seed": seed}

    def _watch(self, node: Node, detail: bool) -> None:
        hooks = node.kernel.events
        hooks.message_sent.attach(partial(self._message, node))
        hooks.step_announced.attach(partial(self._step, node))
        plain: list[Hook[Any]] = [hooks.message_received, hooks.task_created, hooks.task_named, hooks.task_ended,
                                  hooks.exception_raised, hooks.port_died, hooks.printed]
        if detail:
            plain += [hooks.port_created, hooks.thread_created, hooks.thread_ended]
        for hook in plain:
            hook.attach(partial(self._plain, node))

    def _add(self, node: str, time_ns: int, event: str, fields: Event) -> None:
        sequence = self._sequence[node] = self._sequence.get(node, 0) + 1
        self._pending.append({"t": time_ns, "node": node, "seq": sequence, "event": event, **fields})

    def _plain(self, node: Node, value: object) -> None:
        self._add(node.name, node.now_ns, _snake(type(value).__name__), asdict(value))  # type: ignore[call-overload]

    def _step(self, node: Node, value: kernel_events.StepAnnounced) -> None:
        name = step_name(value.code)
        fields = {"task": value.task, "step": name or hex(value.code), "words": list(value.words)}
        if name in TEXTS:
            fields["text"] = TEXTS[name]
        self._add(node.name, node.now_ns, "step", fields)

    def _message(self, node: Node, sent: MessageSent) -> None:
        self._add(node.name, node.now_ns, "message_sent", {
            "message": sent.message, "task": sent.task, "port": sent.port, "receiver": sent.receiver,
            "reply": sent.reply, "id": sent.ident, "size": len(sent.data), "bits": sent.bits,
            **describe(sent)})

    def _frame(self, time_ns: int, sender: str, frame: bytes, fate: str) -> None:
        self._add("", time_ns, "frame", {"sender": self._names.get(sender, sender), **self._wire.describe(frame),
                                         "fate": fate, "octets": frame.hex()})

    def flush(self) -> None:
        """Pass on what has been collected, in order."""
        pending, self._pending = self._pending, []
        pending.sort(key=lambda event: (event["t"], event["node"], event["seq"]))
        for event in pending:
            self._sink(event)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def describe(sent: MessageSent) -> Event:
    """Interface, routine and decoded arguments of a message, as far as they are known."""
    known = BY_ID.get(sent.ident)
    if known is None:
        return {}
    subsystem, routine, is_reply = known
    result: Event = {"interface": subsystem.name, "routine": routine.name, "reply_to_request": is_reply}
    rights: dict[int, object] = {}
    regions: dict[int, object] = {region.slot: region.data for region in sent.regions}
    for right in sent.rights:
        shown = {"port": right.port, "right": RIGHTS.get(right.kind, str(right.kind))}
        if right.slot in regions or right.index:
            array = regions.setdefault(right.slot, [])
            if isinstance(array, list):
                array.append(shown)
        else:
            rights[right.slot] = shown
    try:
        decode = decode_reply if is_reply else decode_request
        values = decode(routine, sent.data, rights, regions)
    except BadMessage as error:
        return {**result, "undecoded": str(error)}
    return {**result, "arguments": _plain_values(values)}


def _plain_values(values: Iterable[object]) -> list[object]:
    return [_json_value(value) for value in values]


def _json_value(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        octets = bytes(value)
        text = octets.rstrip(b"\0")
        if text and text.isascii() and text.decode().isprintable():
            return text.decode()[:OCTETS_SHOWN]
        return {"octets": len(octets), "hex": octets[:OCTETS_SHOWN].hex()}
    if isinstance(value, list | tuple):
        return _plain_values(value)
    if value is None or isinstance(value, int | str | dict):
        return value
    return repr(value)


@final
class TraceFile:
    """Writes events as JSON Lines, the same octets for the same events."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        self._stream.write(json.dumps(event, separators=(",", ":"), ensure_ascii=True) + "\n")
