"""Devices whose register pages are mapped into tasks: who has which page.

A unit is one page with its owner, its interrupt line and its windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.hw.dma import Windows
from machemu.hw.interrupt import InterruptLine
from machemu.hw.registers import RegisterPage


@final
class Unit:
    """One page of a device.

    Invariants, asserted by `check`:
      - a unit that nobody owns reaches no memory.

    Args:
        stop: forgets what the last owner set up.
    """

    def __init__(self, name: str, registers: RegisterPage, windows: Windows, line: InterruptLine,
                 stop: Callable[[], None]) -> None:
        self.name: Final = name
        self.registers: Final = registers
        self.windows: Final = windows
        self.line: Final = line
        self.owner: int | None = None  # a task's number
        self._stop = stop

    def reset(self) -> None:
        """As it was at power-on, but for its counters."""
        self.windows.close_all()
        self._stop()
        self.registers.reset()

    def check(self) -> None:
        self.windows.check()
        self.line.check()
        assert self.owner is not None or not self.windows.opened


@final
class UnitTable:
    """The units of one device, which lie on the bus one page after the other.

    It is what `hw.api.MappedDevice` asks of a device, but for the device's own methods.
    All that takes a unit's name raises KeyError if there is none of that name.
    """

    def __init__(self, base: int, units: list[Unit]) -> None:
        self._base = base  # bus address
        self._pages = units
        self._by_name = {unit.name: unit for unit in units}

    def __getitem__(self, name: str) -> Unit:
        return self._by_name[name]

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def open(self, name: str, task_number: int) -> bool:
        unit = self._by_name[name]
        if unit.owner is None:
            unit.reset()  # of what was written to the page meanwhile
            unit.owner = task_number
        return unit.owner == task_number

    def close(self, name: str) -> None:
        unit = self._by_name[name]
        unit.owner = None
        unit.reset()
        unit.line.reset()

    def open_window(self, name: str, frames: tuple[int, ...], writable: bool) -> int | None:
        unit = self._by_name[name]
        return None if unit.owner is None else unit.windows.open(frames, writable)

    def bus_page(self, name: str) -> int:
        return (self._base >> PAGE_SHIFT) + self._pages.index(self._by_name[name])

    def read(self, offset: int, width: int) -> int:
        return self._pages[offset >> PAGE_SHIFT].registers.read(offset & PAGE_SIZE - 1, width)

    def write(self, offset: int, width: int, value: int) -> None:
        self._pages[offset >> PAGE_SHIFT].registers.write(offset & PAGE_SIZE - 1, width, value)

    def check(self) -> None:
        for unit in self._pages:
            unit.check()


@final
class InterruptBits:
    """An interrupt status and enable register, and the line they drive.

    An edge is sent when (status & enable) becomes non-zero: a driver clears the bits
    first and looks at the rings then, or it could miss what comes between.
    """

    def __init__(self, line: InterruptLine) -> None:
        self._line = line
        self.status = 0
        self.enable = 0
        self._active = False

    def reset(self) -> None:
        self.status = self.enable = 0
        self._active = False

    def set(self, bits: int) -> None:
        self.status |= bits
        self._update()

    def clear(self, bits: int) -> None:
        """What writing to the status register does: 1 clears."""
        self.status &= ~bits
        self._update()

    def set_enable(self, bits: int) -> None:
        self.enable = bits
        self._update()

    def _update(self) -> None:
        active = bool(self.status & self.enable)
        if active and not self._active:
            self._line.raise_()
        self._active = active

    def add_to(self, page: RegisterPage, enable: int, status: int) -> None:
        """Put both registers into a page."""
        page.add(enable, lambda: self.enable, self.set_enable)
        page.add(status, lambda: self.status, self.clear)
