"""Ports: a queue of messages, one receive right, counted send and send-once rights.

Follows Mach 3 `ipc/ipc_port.c`; states and counts as in mach-abi.md 5.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, final

from machemu.kernel.events import PortCreated, PortDied
from machemu.kernel.ipc import notify
from machemu.kernel.ipc.message import Message
from machemu.kernel.ipc.message_queue import MessageQueue
from machemu.kernel.ipc.right import MOVE_RECEIVE, MOVE_SEND_ONCE, Carried, CarriedRight
from machemu.kernel.results import MsgReturn

if TYPE_CHECKING:
    from machemu.kernel.events import KernelEvents
    from machemu.kernel.ipc.port_set import PortSet
    from machemu.kernel.ipc.space import Space

QUEUE_LIMIT_DEFAULT: Final = 5  # messages; MACH_PORT_QLIMIT_DEFAULT
QUEUE_LIMIT_MAX: Final = 16  # messages; MACH_PORT_QLIMIT_MAX


class Sender(Protocol):
    """A thread that waits for room in a port's queue."""

    message: Message

    def sent(self) -> None:
        """The message is queued, or was lost with its port: go on with success."""


class Mourner(Protocol):
    """Who is to be told of a port's death: a name that denotes it, or the kernel itself."""

    def port_died(self, requester: Port) -> None:
        """It has died; `requester`'s send-once right is the mourner's to use up."""


@final
class PortZone:
    """Every port of a node: numbers for observers, and the live ones for the balance.

    Numbers are never used twice, so that a trace names each port for good.
    """

    def __init__(self, events: KernelEvents) -> None:
        self.events = events
        self.live: set[Port] = set()
        self._dying: deque[Port] = deque()
        self._next_port = self._next_message = 0

    def next_port_number(self) -> int:
        self._next_port += 1
        return self._next_port

    def next_message_number(self) -> int:
        self._next_message += 1
        return self._next_message

    def bury(self, port: Port) -> None:
        """Give up what a dead port holds.  Its messages may hold receive rights of others,
        whose messages hold more: one port after the other, not one within the other."""
        self._dying.append(port)
        if len(self._dying) > 1:
            return  # a caller of ours is at it
        while self._dying:
            self._dying[0].give_up()
            self._dying.popleft()


@final
class Port:
    """One port.  Its receive right is in exactly one of four places:

      - a task's space: `receiver` and `receiver_name` are set;
      - the kernel: `kernel_object` is set, and a message is a call on that object;
      - a message: all three unset; `destination` is the port it is queued at, if any;
      - nowhere: `dead`.

    Invariants, asserted by `check`:
      - a dead port has no messages, no blocked senders and no requests;
      - senders wait only while `queued` >= `limit`;
      - counts are never negative.
    """

    __slots__ = ("blocked_senders", "dead", "dead_name_requests", "destination", "kernel_object",
                 "limit", "make_send_count", "no_senders", "number", "payload", "port_destroyed",
                 "port_set", "queue", "queued", "receiver", "receiver_name", "send_once_rights",
                 "send_rights", "sequence", "zone")

    def __init__(self, zone: PortZone, kernel_object: object | None = None) -> None:
        self.zone = zone
        self.number = zone.next_port_number()
        self.kernel_object = kernel_object
        self.receiver: Space | None = None
        self.receiver_name = 0
        self.destination: Port | None = None
        self.dead = False
        self.queue = MessageQueue()  # the set's while in a set
        self.queued = 0  # messages
        self.limit = QUEUE_LIMIT_DEFAULT
        self.blocked_senders: deque[Sender] = deque()  # longest wait first
        self.port_set: PortSet | None = None
        self.sequence = 0  # stamped on the next message received
        self.make_send_count = 0
        self.send_rights = 0  # entries with a send right, and those in transit
        self.send_once_rights = 0
        self.payload: int | None = None  # protected payload
        self.no_senders: Port | None = None  # holds one of its send-once rights
        self.port_destroyed: Port | None = None  # likewise
        self.dead_name_requests: dict[Mourner, Port] = {}  # likewise, for each
        zone.live.add(self)
        if zone.events.port_created:
            zone.events.port_created.emit(PortCreated(self.number))

    # -- rights ---------------------------------------------------------------

    def make_send(self) -> Carried:
        self.make_send_count = self.make_send_count + 1 & 0xFFFF_FFFF
        self.send_rights += 1
        return Carried(self, 17)

    def copy_send(self) -> Carried:
        self.send_rights += 1
        return Carried(self, 17)

    def make_send_once(self) -> Carried:
        self.send_once_rights += 1
        return Carried(self, MOVE_SEND_ONCE)

    def drop_send(self) -> None:
        """One send right less; the last one fires a registered no-senders request."""
        self.send_rights -= 1
        if self.send_rights == 0 and self.no_senders is not None and not self.dead:
            request, self.no_senders = self.no_senders, None
            notify.no_senders(request, self.make_send_count)

    def drop_send_once(self) -> None:
        """Destroy an unused send-once right: its port is told."""
        if self.dead or self.kernel_object is not None:
            self.send_once_rights -= 1
        else:
            notify.send_once(self)

    # -- messages -------------------------------------------------------------

    @property
    def full(self) -> bool:
        return self.queued >= self.limit

    def enqueue(self, message: Message) -> None:
        """Queue `message` or hand it over; the caller has seen to the limit.

        A message whose own rights would make it unreceivable for ever is destroyed
        instead, and the send still succeeds (mach-abi.md 5.7).
        """
        if message.bits and self._circular(message):
            message.destroy()
        elif not self.queue.put(message):
            self.queued += 1

    def dequeued(self) -> None:
        """A message has left the queue: give its slot to the sender that waits longest.

        Mach wakes one sender to try again, and a newcomer can overtake it.  Here the
        slot goes straight to the longest wait, so order is kept.
        """
        self.queued -= 1
        if self.blocked_senders:
            self.admit_senders()

    def admit_senders(self) -> None:
        while self.blocked_senders and self.queued < self.limit:
            sender = self.blocked_senders.popleft()
            self.enqueue(sender.message)
            sender.sent()

    def _circular(self, message: Message) -> bool:
        moved = [right.port for right in message.rights()
                 if isinstance(right, Carried) and right.kind == MOVE_RECEIVE]
        if not moved:
            return False
        port: Port | None = self
        while port is not None:
            if port in moved:
                return True
            port = port.destination
        for right in moved:
            right.destination = self
        return False

    # -- the receive right ----------------------------------------------------

    def leave_receiver(self) -> None:
        """Take the receive right out of its space: what MOVE_RECEIVE does to the port."""
        self.receiver, self.receiver_name = None, 0
        self.make_send_count = self.sequence = 0
        self.payload = None
        if self.port_set is not None:
            self.port_set.remove(self)
        else:
            self.queue.fail_receivers(MsgReturn.RCV_PORT_DIED)

    def destroy(self) -> None:
        """The receive right is given up (mach-abi.md 5.6)."""
        if self.dead:
            return
        if self.receiver is not None:
            self.leave_receiver()
        request, self.port_destroyed = self.port_destroyed, None
        if request is not None:
            self.destination = None
            notify.port_destroyed(request, Carried(self, MOVE_RECEIVE))
            return
        self.die()

    def die(self) -> None:
        """The port is no more: everyone who waits for it or watches it is told."""
        self.dead = True
        self.destination = self.kernel_object = None
        self.zone.live.discard(self)
        if self.zone.events.port_died:
            self.zone.events.port_died.emit(PortDied(self.number))
        self.zone.bury(self)

    def give_up(self) -> None:
        """The second half of `die`: requests, messages and those who wait to send."""
        if self.no_senders is not None:
            request, self.no_senders = self.no_senders, None
            request.drop_send_once()
        messages = self.queue.take_all_for(self)
        self.queued = 0
        while self.blocked_senders:
            sender = self.blocked_senders.popleft()
            messages.append(sender.message)
            sender.sent()
        for message in messages:
            message.destroy()
        requests, self.dead_name_requests = self.dead_name_requests, {}
        for entry, requester in requests.items():
            entry.port_died(requester)

    def check(self) -> None:
        places = [self.receiver is not None, self.kernel_object is not None, self.dead]
        assert sum(places) <= 1, "one receiver, or the kernel, or dead"
        assert self.send_rights >= 0 and self.send_once_rights >= 0
        assert not self.blocked_senders or self.queued >= self.limit
        if self.dead:
            assert not self.queued and not self.blocked_senders
            assert self.no_senders is None and not self.dead_name_requests
        if self.port_set is None:
            assert self.queued == len(self.queue.messages)
            self.queue.check()
        else:
            assert self.queue is self.port_set.queue


def destroy_right(right: CarriedRight) -> None:
    """Destroy a right that may be null."""
    if right is not None:
        right.destroy()
