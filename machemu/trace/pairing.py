"""Steps and what they stand for: a step of a protocol counts only together with the
kernel's message event or the decoded frame that it announces.

A server announces a step just before it sends the message or frame, or just after it has
received the message.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Event = dict[str, Any]
REMEMBERED: Final = 4096  # messages sent and not yet received


@dataclass(frozen=True, slots=True)
class Partner:
    """What pairs with a step.

    Args:
        routine: of the message; None: any that is no routine of the network server itself.
        reply: it is the routine's reply.
        received: the announcing task has received it; else it sends it afterwards.
        frames: instead of a message, one of these types of frame.
        item: which the frame must complete.
    """

    routine: str | None = None
    reply: bool = False
    received: bool = False
    frames: frozenset[str] = frozenset()
    item: str | None = None

    def fits(self, step: Event, event: Event) -> bool:
        """Whether `event`, a message or a frame, can be what `step` announces."""
        if self.frames:
            return (event["event"] == "frame" and event.get("type") in self.frames
                    and event["sender"] == step["node"] and (self.item is None or _completes(event, self.item)))
        if event["event"] != "message_sent" or event["node"] != step["node"]:
            return False
        if event["receiver" if self.received else "task"] != step["task"]:
            return False
        if self.routine is None:
            return not str(event.get("routine", "")).startswith(OWN_ROUTINES)
        names = (self.routine, self.routine + "_request", self.routine + "_reply")
        return event.get("routine") in names and bool(event.get("reply_to_request")) == self.reply


def _completes(frame: Event, item: str) -> bool:
    return any(each["item"] == item for each in frame.get("items", ()))


OWN_ROUTINES: Final = ("gns_", "acs_", "proc_", "mach_notify_", "device_intr")
PARTNERS: Final[dict[str, Partner]] = {
    "res.1": Partner("acs_resolve", received=True),
    "res.2": Partner("gns_lookup"),
    "res.3": Partner(frames=frozenset({"NAME_REQ"})),
    "res.4": Partner("acs_query"),
    "res.5": Partner("acs_query", reply=True),
    "res.6": Partner(frames=frozenset({"NAME_ANS"})),
    "res.6a": Partner(frames=frozenset({"HS1", "HS2"})),
    "res.7": Partner("gns_lookup", reply=True),
    "res.8": Partner("acs_resolve", reply=True),
    "res.9": Partner(received=True),
    "res.10": Partner(frames=frozenset({"DATA"}), item="MSG"),
    "res.11": Partner(),
    "reg.1": Partner("acs_register", received=True),
    "reg.2": Partner("proc_who"),
    "reg.7": Partner("acs_register", reply=True),
}


@dataclass(frozen=True, slots=True)
class Paired:
    step: Event
    partner: Event


@final
class Pairing:
    """Pairs steps with their partners as events come in, in the trace's order.

    A message that a step says was received is the last one its task did receive; one that
    it says is sent, or a frame, is the next that fits.  A partner belongs to one step only.
    `waiting` holds the steps whose partner has not come (yet); steps of protocols without a
    row in PARTNERS wait for ever.
    """

    def __init__(self) -> None:
        self.waiting: list[Event] = []
        self._sent: OrderedDict[tuple[str, int], Event] = OrderedDict()  # by node and message, not yet received
        self._received: dict[tuple[str, int], Event] = {}  # by node and task: the last one, not yet paired

    def take(self, event: Event) -> Iterator[Paired]:
        """The pairs that `event` completes."""
        kind = event["event"]
        if kind == "step":
            yield from self._look_back(event)
        elif kind == "message_received":
            self._note_received(event)
        elif kind in ("message_sent", "frame"):
            yield from self._look_forward(event)

    def _note_received(self, event: Event) -> None:
        sent = self._sent.pop((event["node"], event["message"]), None)
        if sent is not None:
            self._received[event["node"], event["task"]] = sent

    def _look_back(self, step: Event) -> Iterator[Paired]:
        partner = PARTNERS.get(step["step"])
        if partner is not None and partner.received:
            message = self._received.get((step["node"], step["task"]))
            if message is not None and partner.fits(step, message):
                del self._received[step["node"], step["task"]]
                yield Paired(step, message)
                return
        self.waiting.append(step)

    def _look_forward(self, event: Event) -> Iterator[Paired]:
        if event["event"] == "message_sent":
            self._sent[event["node"], event["message"]] = event
            if len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)
        for step in self.waiting:
            partner = PARTNERS.get(step["step"])
            if partner is not None and not partner.received and partner.fits(step, event):
                self.waiting.remove(step)
                yield Paired(step, event)
                return


def pair_all(events: Iterable[Event]) -> tuple[list[Paired], list[Event]]:
    """All pairs of a trace, and the steps that have no partner."""
    pairing = Pairing()
    pairs = [pair for event in events for pair in pairing.take(event)]
    return pairs, pairing.waiting
