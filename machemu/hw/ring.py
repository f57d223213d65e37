"""Rings of fixed-size entries in guest memory, which a driver and a device share.

Counters run free, 32 bits wide; an entry's place is its counter modulo the number of
entries.  The driver moves `tail`, the device `head`: entries from head to tail are the
device's to work on.
"""

from __future__ import annotations

from typing import Final, final

from machemu.hw.dma import DmaError, Reach

COUNTER: Final = 0xFFFF_FFFF
ENTRIES_MIN, ENTRIES_MAX = 8, 256


class RingError(Exception):
    """A ring that is none, or that its unit cannot reach: the guest's mistake."""


@final
class Ring:
    """One ring.  It is off until it has been given its number of entries.

    Invariants, asserted by `check`:
      - the device never passes the driver.

    Args:
        memory: what the device can reach.
    """

    def __init__(self, memory: Reach, entry_octets: int) -> None:
        self._memory = memory
        self._entry_octets: Final = entry_octets
        self.reset()

    def reset(self) -> None:
        self.base = 0  # bus address
        self.entries = 0
        self.head = 0
        self.tail = 0

    def set_base(self, base: int) -> None:
        self.base = base

    def set_entries(self, entries: int) -> None:
        """Switch the ring on, empty; 0, or what is no number of entries: off.

        Raises RingError: not a power of two from ENTRIES_MIN to ENTRIES_MAX.
        """
        self.head = self.tail = 0
        self.entries = 0
        if entries and (not ENTRIES_MIN <= entries <= ENTRIES_MAX or entries & entries - 1):
            raise RingError(f"{entries} entries")
        self.entries = entries

    def set_tail(self, tail: int) -> None:
        """Raises RingError: the ring is off, or tail would be more than a ring ahead."""
        if not self.entries or tail - self.head & COUNTER > self.entries:
            raise RingError(f"tail {tail} with head {self.head} of {self.entries}")
        self.tail = tail

    @property
    def waiting(self) -> int:
        """Entries the device may work on."""
        return self.tail - self.head & COUNTER

    def _address(self) -> int:
        return self.base + self.head % self.entries * self._entry_octets

    def first(self) -> bytes:
        """The entry at the head.  Raises RingError."""
        try:
            return self._memory.read(self._address(), self._entry_octets)
        except DmaError as error:
            raise RingError(str(error)) from None

    def finish(self, offset: int, octets: bytes) -> None:
        """Write `octets` into the entry at the head and pass it to the driver.  Raises RingError."""
        try:
            self._memory.write(self._address() + offset, octets)
        except DmaError as error:
            raise RingError(str(error)) from None
        self.skip()

    def skip(self) -> None:
        """Pass the entry at the head to the driver as it is."""
        self.head = self.head + 1 & COUNTER

    def check(self) -> None:
        assert self.waiting <= self.entries
