"""Taps: what can be done to frames on their way.

A tap is called with each frame and says what goes on instead (`segment.Tap`); it is put on
the cable with `segment.taps.append(tap)`.  Frames are seen without their FCS; whatever a
tap lets go on gets a good one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import BinaryIO, Final, final

from machemu.cluster.segment import Passing

PCAP_MAGIC_NS: Final = 0xA1B2_3C4D  # libpcap file format: times in seconds and nanoseconds
PCAP_VERSION: Final = (2, 4)
PCAP_SNAP: Final = 65535  # octets kept of a frame: all
LINKTYPE_ETHERNET: Final = 1
SECOND: Final = 1_000_000_000  # ns


@final
class PcapWriter:
    """Writes every frame to a capture that Wireshark and tcpdump read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.write(struct.pack("<IHHiIII", PCAP_MAGIC_NS, *PCAP_VERSION, 0, 0, PCAP_SNAP, LINKTYPE_ETHERNET))

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        seconds, nanoseconds = divmod(frame.time_ns, SECOND)
        size = len(frame.octets)
        self._stream.write(struct.pack("<IIII", seconds, nanoseconds, size, size) + frame.octets)
        return (frame,)


@final
class Capture:
    """Keeps every frame in memory."""

    def __init__(self) -> None:
        self.frames: Final[list[Passing]] = []

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        self.frames.append(frame)
        return (frame,)


@final
class Drop:
    """Swallows the frames that `chosen` picks; `count` of them at most, if given."""

    def __init__(self, chosen: Callable[[Passing], bool], count: int | None = None) -> None:
        self._chosen = chosen
        self._left = count
        self.dropped: Final[list[Passing]] = []

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        if self._left == 0 or not self._chosen(frame):
            return (frame,)
        if self._left is not None:
            self._left -= 1
        self.dropped.append(frame)
        return ()


@final
class Delay:
    """Holds back the frames that `chosen` picks by `delay_ns`."""

    def __init__(self, chosen: Callable[[Passing], bool], delay_ns: int) -> None:
        self._chosen = chosen
        self._delay_ns = delay_ns

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        if not self._chosen(frame):
            return (frame,)
        return (replace(frame, time_ns=frame.time_ns + self._delay_ns),)


@final
class Change:
    """Lets `rule` rewrite each frame's octets; None leaves a frame as it is."""

    def __init__(self, rule: Callable[[Passing], bytes | None]) -> None:
        self._rule = rule
        self.changed = 0  # frames

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        octets = self._rule(frame)
        if octets is None:
            return (frame,)
        self.changed += 1
        return (replace(frame, octets=octets),)


@final
class Inject:
    """Adds frames behind those that pass: `rule` gives their octets, if any."""

    def __init__(self, rule: Callable[[Passing], Sequence[bytes]]) -> None:
        self._rule = rule

    def __call__(self, frame: Passing) -> Sequence[Passing]:
        added = tuple(Passing(frame.time_ns, None, octets) for octets in self._rule(frame))
        return (frame, *added)
