"""The trace as a person reads it: one line an event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from machemu.trace.recorder import Event


def to_text(events: Iterable[Event], stream: TextIO) -> None:
    names: dict[tuple[str, int], str] = {}
    for event in events:
        if event["event"] == "task_named":
            names[event["node"], event["task"]] = event["name"]
        stream.write(f"{event['t'] / 1e6:14.6f} ms  {event['node']:<8} {line(event, names)}\n")


def line(event: Event, names: dict[tuple[str, int], str]) -> str:
    """One event without its time and node."""
    kind: str = event["event"]
    if kind == "message_sent":
        return _message(event, names)
    if kind == "step":
        return f"step {event['step']:<7} {_task(event, event['task'], names)}: {event.get('text', '')}"
    if kind == "frame":
        return _frame(event)
    fields = {key: value for key, value in event.items() if key not in ("t", "node", "seq", "event")}
    return kind + "".join(f" {key}={value}" for key, value in fields.items())


def _task(event: Event, number: int, names: dict[tuple[str, int], str]) -> str:
    return "kernel" if number == 0 else names.get((event["node"], number), f"task {number}")


def _message(event: Event, names: dict[tuple[str, int], str]) -> str:
    who = f"{_task(event, event['task'], names)} -> {_task(event, event['receiver'], names)}"
    what = f"{event['interface']}.{event['routine']}" if "routine" in event else f"id {event['id']}"
    reply = " (reply)" if event.get("reply_to_request") else ""
    arguments = ", ".join(map(str, event.get("arguments", [])))
    return (f"message {event['message']}: {who} {what}{reply}({arguments}), "
            f"{event['size']} octets to port {event['port']}")


def _frame(event: Event) -> str:
    """A frame in a line: its type and what it says, as far as it is ours."""
    size = f"{len(event['octets']) // 2} octets, {event['fate']}"
    if "type" not in event:
        return f"frame from {event['sender']}, {size}"
    words = [f"frame {event['type']} {event['from']} -> {event['to']}"]
    body = event["body"]
    words += [f"{key}={body[key]}" for key in ("name", "uid", "reason") if key in body]
    words += [f"{item['item']} {item['id']}" for item in event.get("items", ())]
    return f"{' '.join(words)}, {size}"


def partner_text(event: Event, names: dict[tuple[str, int], str]) -> str:
    """What a step stands for, in a line: a message without its arguments, or a frame."""
    if event["event"] == "frame":
        return _frame(event)
    who = f"{_task(event, event['task'], names)} -> {_task(event, event['receiver'], names)}"
    what = f"{event['interface']}.{event['routine']}" if "routine" in event else f"id {event['id']}"
    return f"message {event['message']}: {who} {what}{' (reply)' if event.get('reply_to_request') else ''}"
