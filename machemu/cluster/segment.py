"""An Ethernet segment: a broadcast domain with delay, loss and other faults.

Nodes run in turn within a window, so frames are collected as they are sent and handed over
when the window ends.  They are put in order of time first, and chance is drawn only then,
in that order: the result does not depend on the order in which the nodes ran.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, final

DELAY_NS: Final = 100_000  # propagation; architecture, "Virtual time and order"
MAC_SIZE: Final = 6  # octets
HEADER_SIZE: Final = 14  # destination, source, EtherType
GROUP_BIT: Final = 1  # in the first octet of a destination: broadcast or multicast

Deliver = Callable[[int, bytes, bool], None]  # arrival in ns, octets, whether the FCS is good
Observer = Callable[[int, str, bytes, str], None]  # time, sender, octets, what became of it


@dataclass(frozen=True, slots=True)
class Passing:
    """A frame on the wire, without its FCS.

    `sender` is the node whose NIC sent it; None if a tap put it there.
    """

    time_ns: int
    sender: int | None
    octets: bytes


class Tap(Protocol):
    """Someone with pliers at the cable."""

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        """What goes on instead of `frame`, in that order: itself, nothing, others.

        A later `time_ns` delays; an earlier one counts as the time of `frame`.
        """


@dataclass(slots=True)
class Counters:
    """What happened so far, by cause.  The last five count receivers, not frames."""

    sent: int = 0  # frames, by nodes
    octets: int = 0
    injected: int = 0
    tap_dropped: int = 0
    no_receiver: int = 0  # to a MAC nobody has
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    corrupted: int = 0
    cut: int = 0  # not delivered because the two were separated


@dataclass(frozen=True, slots=True)
class _Port:
    node: int
    mac: bytes
    deliver: Deliver


@final
class Segment:
    """A cable that joins nodes.

    Args:
        delay_ns: propagation; also the longest window in which nodes may run.
        loss, duplication, reordering, corruption: chances from 0 to 1, drawn for each
            frame and receiver from a generator seeded with `seed`.
        reorder_ns: a reordered frame arrives up to this much late.
    """

    def __init__(self, *, seed: int = 0, delay_ns: int = DELAY_NS, loss: float = 0.0, duplication: float = 0.0,
                 reordering: float = 0.0, corruption: float = 0.0, reorder_ns: int | None = None) -> None:
        self.delay_ns: Final = delay_ns
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.corruption = corruption
        self.reorder_ns = 10 * delay_ns if reorder_ns is None else reorder_ns
        self.counters: Final = Counters()
        self.taps: Final[list[Tap]] = []
        self.observers: Final[list[Observer]] = []
        self._random = random.Random(seed)
        self._ports: list[_Port] = []
        self._sent: list[Passing] = []
        self._separated: set[frozenset[int]] = set()

    # -- ports ------------------------------------------------------------------------

    def attach(self, node: int, mac: bytes, deliver: Deliver) -> None:
        """Plug in the NIC of `node`; `deliver` is told of each frame meant for it."""
        assert len(mac) == MAC_SIZE
        self._ports.append(_Port(node, bytes(mac), deliver))

    def detach(self, node: int) -> None:
        """Pull the plug of `node`; a node that is not attached is ignored."""
        self._ports = [port for port in self._ports if port.node != node]

    def separate(self, first: int, second: int) -> None:
        """Let no frame pass between two nodes until `rejoin`."""
        self._separated.add(frozenset((first, second)))

    def rejoin(self, first: int, second: int) -> None:
        self._separated.discard(frozenset((first, second)))

    # -- sending ----------------------------------------------------------------------

    def transmit(self, node: int, time_ns: int, frame: bytes) -> None:
        """A frame leaves the NIC of `node`, which has padded it."""
        self.counters.sent += 1
        self.counters.octets += len(frame)
        self._sent.append(Passing(time_ns, node, bytes(frame)))

    def inject(self, time_ns: int, frame: bytes) -> None:
        """Put a frame on the wire that no attached NIC sent."""
        self._sent.append(Passing(time_ns, None, bytes(frame)))

    @property
    def waiting(self) -> int:
        """Frames not handed over yet."""
        return len(self._sent)

    def deliver(self, until_ns: int) -> None:
        """The window that ends at `until_ns` is over: hand over what was sent in it.

        Every frame that was collected is taken, also those a node sent just past the
        window's end because its last instruction block crossed it.
        """
        sent, self._sent = self._sent, []
        # The sort is stable: frames of one node at one instant stay in order.
        sent.sort(key=lambda frame: (frame.time_ns, -1 if frame.sender is None else frame.sender))
        for frame in sent:
            passing = [frame]
            for tap in tuple(self.taps):
                passing = [after for before in passing for after in tap(before)]
            if not passing:
                self.counters.tap_dropped += 1
                self._report(frame, "dropped by a tap")
            for each in passing:
                self._propagate(each, max(each.time_ns, frame.time_ns))

    def _propagate(self, frame: Passing, left_ns: int) -> None:
        if frame.sender is None:
            self.counters.injected += 1
        fates = [f"{port.node} {self._send_to(port, frame, left_ns)}" for port in self._receivers(frame)]
        if not fates:
            self.counters.no_receiver += 1
        self._report(frame, ", ".join(fates) or "no receiver")

    def _receivers(self, frame: Passing) -> list[_Port]:
        destination = frame.octets[:MAC_SIZE]
        if len(frame.octets) < HEADER_SIZE:
            return []
        to_all = bool(destination[0] & GROUP_BIT)
        return [port for port in self._ports if port.node != frame.sender and (to_all or port.mac == destination)]

    def _send_to(self, port: _Port, frame: Passing, left_ns: int) -> str:
        """Deliver to one receiver or not; what became of the frame, in a word or two."""
        # Always as many draws, so that one rate does not shift the chances of another.
        lost, doubled, late, damaged, lateness, place = (self._random.random() for _ in range(6))
        if frame.sender is not None and frozenset((frame.sender, port.node)) in self._separated:
            self.counters.cut += 1
            return "cut"
        if lost < self.loss:
            self.counters.lost += 1
            return "lost"
        fate = "delivered"
        arrival_ns = left_ns + self.delay_ns
        octets, fcs_ok = frame.octets, True
        if late < self.reordering:
            self.counters.reordered += 1
            arrival_ns += 1 + int(lateness * self.reorder_ns)
            fate = "delivered late"
        if damaged < self.corruption:
            self.counters.corrupted += 1
            octets = flip_bit(octets, int(place * len(octets) * 8))
            fcs_ok = zlib.crc32(octets) == zlib.crc32(frame.octets)  # the FCS that came with it
            fate = "corrupted"
        self.counters.delivered += 1
        port.deliver(arrival_ns, octets, fcs_ok)
        if doubled < self.duplication:
            self.counters.duplicated += 1
            port.deliver(arrival_ns + 1, octets, fcs_ok)
            fate += " twice"
        return fate

    def _report(self, frame: Passing, fate: str) -> None:
        sender = "tap" if frame.sender is None else str(frame.sender)
        for observer in self.observers:
            observer(frame.time_ns, sender, frame.octets, fate)


def flip_bit(octets: bytes, bit: int) -> bytes:
    """`octets` with one bit changed, counted from the lowest of the first octet."""
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
