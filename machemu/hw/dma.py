"""What a device may reach of RAM: windows of bus addresses, as an IOMMU gives them.

Each unit of a device (a queue pair, a context) has windows of its own; there is no bus
address by which it could reach anything else.  Window n begins at (n + 1) << WINDOW_SHIFT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.hw.memory import RAM_BASE, Memory

WINDOW_SHIFT: Final = 32  # no window is longer than what lies between two beginnings
INSIDE: Final = (1 << WINDOW_SHIFT) - 1


class DmaError(Exception):
    """An address outside the unit's windows, or a write to a read-only one: the guest's mistake."""


class Reach(Protocol):
    """Memory as one device sees it.  Both raise DmaError, with nothing done."""

    def read(self, address: int, octets: int) -> bytes: ...
    def write(self, address: int, octets: bytes) -> None: ...


@final
class Physical:
    """All of RAM at its bus addresses: for devices that only the kernel drives."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def _offset(self, address: int, octets: int) -> int:
        offset = address - RAM_BASE
        if offset < 0 or octets < 0 or offset + octets > len(self._memory.data):
            raise DmaError(f"bus address {address:#x} + {octets} is not RAM")
        return offset

    def read(self, address: int, octets: int) -> bytes:
        offset = self._offset(address, octets)
        return bytes(self._memory.data[offset:offset + octets])

    def write(self, address: int, octets: bytes) -> None:
        self._memory.overwrite(self._offset(address, len(octets)), octets)


@dataclass(frozen=True, slots=True)
class Window:
    """A range of bus addresses that shows frames in order."""

    address: int  # bus address
    frames: tuple[int, ...]
    writable: bool


@final
class Windows:
    """The windows of one unit.

    Invariants, asserted by `check`:
      - every frame lies in RAM;
      - there are no more than can be.

    Args:
        limit: how many there can be.
    """

    def __init__(self, memory: Memory, limit: int) -> None:
        self._memory = memory
        self._limit = limit
        self._windows: list[Window] = []

    def open(self, frames: tuple[int, ...], writable: bool) -> int | None:
        """Show `frames` as one range; its bus address, or None: no window is left."""
        if len(self._windows) >= self._limit or not frames or len(frames) > INSIDE >> PAGE_SHIFT:
            return None
        address = len(self._windows) + 1 << WINDOW_SHIFT
        self._windows.append(Window(address, frames, writable))
        return address

    @property
    def opened(self) -> tuple[Window, ...]:
        return tuple(self._windows)

    def close_all(self) -> None:
        self._windows.clear()

    def _pieces(self, address: int, octets: int, write: bool) -> list[tuple[int, int]]:
        """Offsets into RAM and lengths that make up a range of bus addresses.

        Raises DmaError.  A range of no octets is everywhere.
        """
        if not octets:
            return []
        number = (address >> WINDOW_SHIFT) - 1
        if not 0 <= number < len(self._windows):
            raise DmaError(f"no window at bus address {address:#x}")
        window = self._windows[number]
        start = address & INSIDE
        if octets < 0 or start + octets > len(window.frames) << PAGE_SHIFT:
            raise DmaError(f"bus address {address:#x} + {octets} is outside its window")
        if write and not window.writable:
            raise DmaError(f"the window of bus address {address:#x} is read only")
        pieces = []
        while octets:
            inside = start & PAGE_SIZE - 1
            length = min(octets, PAGE_SIZE - inside)
            pieces.append(((window.frames[start >> PAGE_SHIFT] << PAGE_SHIFT) + inside, length))
            start += length
            octets -= length
        return pieces

    def read(self, address: int, octets: int) -> bytes:
        """Raises DmaError."""
        data = self._memory.data
        return b"".join([data[offset:offset + length] for offset, length in self._pieces(address, octets, False)])

    def write(self, address: int, octets: bytes) -> None:
        """Raises DmaError, with nothing written."""
        done = 0
        for offset, length in self._pieces(address, len(octets), True):
            self._memory.overwrite(offset, octets[done:done + length])
            done += length

    def check_range(self, address: int, octets: int, *, write: bool) -> None:
        """Raises DmaError: the unit cannot reach all of the range."""
        self._pieces(address, octets, write)

    def check(self) -> None:
        assert len(self._windows) <= self._limit
        for window in self._windows:
            assert all(0 <= frame < self._memory.all_frames for frame in window.frames)
