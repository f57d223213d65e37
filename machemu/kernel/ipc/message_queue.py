"""Message queues: what a port or a port set holds between send and receive.

Follows Mach 3 `ipc/ipc_mqueue.c`.  A port outside any set has a queue of its own; the
members of a set share the set's, so that its messages come out in order of arrival.
Limits and blocked senders belong to the port, names and rights to `space.py`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    from machemu.kernel.ipc.message import Message
    from machemu.kernel.ipc.port import Port


class Receiver(Protocol):
    """A thread that waits for a message."""

    def offer(self, message: Message) -> bool:
        """Take `message` and go on, or refuse it as too large (and go on, with an error)."""

    def fail(self, code: int) -> None:
        """Go on without a message."""


@final
class MessageQueue:
    """Messages not yet received, oldest first, or receivers that wait for one.

    Invariants, asserted by `check`:
      - receivers wait only while the queue is empty.
    """

    __slots__ = ("messages", "receivers")

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.receivers: deque[Receiver] = deque()  # longest wait first

    def put(self, message: Message) -> bool:
        """Hand `message` to the receiver that has waited longest, or queue it.

        Returns True if it was handed over.
        """
        receivers = self.receivers
        while receivers:
            if receivers.popleft().offer(message):
                return True
        message.keep()
        self.messages.append(message)
        return False

    def fail_receivers(self, code: int) -> None:
        """Wake every waiting receiver with `code`."""
        while self.receivers:
            self.receivers.popleft().fail(code)

    def take_all_for(self, port: Port) -> list[Message]:
        """Remove the messages sent to `port`, oldest first."""
        taken = [message for message in self.messages if message.dest is port]
        if taken:
            kept = [message for message in self.messages if message.dest is not port]
            self.messages.clear()
            self.messages.extend(kept)
        return taken

    def check(self) -> None:
        assert not (self.receivers and self.messages)
        for message in self.messages:
            message.check()
