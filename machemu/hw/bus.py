"""The bus: which device answers at which address below RAM.

A device's registers are whole pages.  A guest that misuses them (a width or an offset
where there is nothing) is told so at the next stop: nothing can be raised into it from
inside the engine's callback, where a bad read gives 0 and a bad write is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access
from machemu.hw.engine import Engine

ReportBadAccess = Callable[[int, Access], None]
ReportFailure = Callable[[BaseException], None]


class BusError(Exception):
    """There is no such register, or not of that width.  The guest's mistake."""


class Registers(Protocol):
    """A device as the bus sees it; offsets count from its first page.

    `read` and `write` note what was done, and nothing else: what a device does about it
    happens later, as a clock event.  Raise BusError and nothing else.
    """

    def read(self, offset: int, width: int) -> int: ...
    def write(self, offset: int, width: int, value: int) -> None: ...


@final
class Region:
    """The pages of one device.

    Args:
        report_bad_access: told the bus address of a misuse, and whether it was a write.
        report_failure: told an exception that is our own fault.
    """

    def __init__(self, name: str, base: int, pages: int, registers: Registers,
                 report_bad_access: ReportBadAccess, report_failure: ReportFailure) -> None:
        self.name = name
        self.base: Final = base  # bus address
        self.pages: Final = pages
        self.bad_accesses = 0
        self._registers = registers
        self._report_bad_access = report_bad_access
        self._report_failure = report_failure

    def read(self, offset: int, width: int) -> int:
        try:
            return self._registers.read(offset, width)
        except BusError:
            self._misused(offset, Access.READ)
        except BaseException as error:  # nothing may be raised into the engine
            self._report_failure(error)
        return 0

    def write(self, offset: int, width: int, value: int) -> None:
        try:
            self._registers.write(offset, width, value)
        except BusError:
            self._misused(offset, Access.WRITE)
        except BaseException as error:  # nothing may be raised into the engine
            self._report_failure(error)

    def _misused(self, offset: int, access: Access) -> None:
        self.bad_accesses += 1
        self._report_bad_access(self.base + offset, access)


@final
class Bus:
    """All device pages of a machine.

    Args:
        report_bad_access, report_failure: as for `Region`.
    """

    def __init__(self, engine: Engine, report_bad_access: ReportBadAccess, report_failure: ReportFailure) -> None:
        self._engine = engine
        self._report_bad_access = report_bad_access
        self._report_failure = report_failure
        self.regions: list[Region] = []

    def attach(self, name: str, base: int, pages: int, registers: Registers) -> Region:
        """Give a device its pages, which must be free."""
        end = base + pages * PAGE_SIZE
        assert base % PAGE_SIZE == 0
        assert all(end <= other.base or base >= other.base + other.pages * PAGE_SIZE for other in self.regions)
        region = Region(name, base, pages, registers, self._report_bad_access, self._report_failure)
        self.regions.append(region)

        def read(_engine: int | None, offset: int, width: int, _user: int | None) -> int:
            return region.read(offset, width)

        def write(_engine: int | None, offset: int, width: int, value: int, _user: int | None) -> None:
            region.write(offset, width, value)

        self._engine.map_device(base, pages << PAGE_SHIFT, read, write)
        return region

    @property
    def bad_accesses(self) -> int:
        return sum(region.bad_accesses for region in self.regions)
