"""Port sets: receive from several ports as if from one.  Follows Mach 3 `ipc/ipc_pset.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from machemu.kernel.ipc.message_queue import MessageQueue
from machemu.kernel.results import MsgReturn

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port


@final
class PortSet:
    """Ports whose messages are merged in one queue, in order of arrival.

    Invariants, asserted by `check`:
      - each member names this set and shares its queue.
    """

    __slots__ = ("members", "name", "queue")

    def __init__(self) -> None:
        self.name = 0  # in the space that made it
        self.queue = MessageQueue()
        self.members: dict[Port, None] = {}  # in order of joining

    def add(self, port: Port) -> None:
        """Move `port` here, out of the set it may be in; its messages come last."""
        if port.port_set is not None:
            port.port_set.remove(port)
        port.queue.fail_receivers(MsgReturn.RCV_PORT_CHANGED)
        messages = list(port.queue.messages)
        port.port_set, port.queue = self, self.queue
        self.members[port] = None
        for message in messages:
            if self.queue.put(message):
                port.queued -= 1
        port.admit_senders()  # not before the last has come: they would overtake it

    def remove(self, port: Port) -> None:
        """`port` leaves with its messages; receivers on the set go on waiting."""
        messages = self.queue.take_all_for(port)
        del self.members[port]
        port.port_set, port.queue = None, MessageQueue()
        port.queue.messages.extend(messages)

    def destroy(self) -> None:
        """Members become unaffiliated and keep their messages."""
        for port in list(self.members):
            self.remove(port)
        self.queue.fail_receivers(MsgReturn.RCV_PORT_DIED)

    def check(self) -> None:
        self.queue.check()
        for port in self.members:
            assert port.port_set is self and port.queue is self.queue
        for message in self.queue.messages:
            assert message.dest in self.members
