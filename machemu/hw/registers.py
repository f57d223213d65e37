"""A page of 4-octet device registers, put together from functions.

An 8-octet register is two of 4, low half first (a guest's 8-octet access arrives as
these two): reading the low half latches the high one, and a write takes effect when its
high half arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from machemu.hw.bus import BusError

WIDTH: Final = 4  # octets
LOW: Final = 0xFFFF_FFFF

Reader = Callable[[], int]
Writer = Callable[[int], None]


@final
class RegisterPage:
    """The registers of one page, by offset."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._readers: dict[int, Reader] = {}
        self._writers: dict[int, Writer] = {}
        self._high_latched = 0
        self._low_waiting = 0

    def reset(self) -> None:
        """Forget a half of an 8-octet register that was kept."""
        self._high_latched = self._low_waiting = 0

    def add(self, offset: int, read: Reader | None = None, write: Writer | None = None) -> None:
        """A 4-octet register; what is None cannot be done."""
        if read is not None:
            self._readers[offset] = read
        if write is not None:
            self._writers[offset] = write

    def constant(self, offset: int, value: int) -> None:
        self._readers[offset] = lambda: value

    def add_wide(self, offset: int, read: Reader | None = None, write: Writer | None = None) -> None:
        """An 8-octet register."""
        if read is not None:
            self._readers[offset] = lambda: self._latch(read())
            self._readers[offset + WIDTH] = lambda: self._high_latched
        if write is not None:
            self._writers[offset] = self._hold
            self._writers[offset + WIDTH] = lambda high: write(high << 32 | self._low_waiting)

    def _latch(self, value: int) -> int:
        self._high_latched = value >> 32 & LOW
        return value

    def _hold(self, low: int) -> None:
        self._low_waiting = low

    def read(self, offset: int, width: int) -> int:
        """Raises BusError: no register of this width to read here."""
        reader = self._readers.get(offset)
        if reader is None or width != WIDTH:
            raise BusError(f"{self.name}: no {width}-octet register to read at {offset:#x}")
        return reader() & LOW

    def write(self, offset: int, width: int, value: int) -> None:
        """Raises BusError: no register of this width to write here."""
        writer = self._writers.get(offset)
        if writer is None or width != WIDTH:
            raise BusError(f"{self.name}: no {width}-octet register to write at {offset:#x}")
        writer(value & LOW)
