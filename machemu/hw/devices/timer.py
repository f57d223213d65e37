"""The timer: one comparator on the node's clock, as in the CLINT.

| offset | register | |
|---|---|---|
| 4000 | mtimecmp | 8 octets, read and write |
| bff8 | mtime | 8 octets, read only; ticks of 1 ns |

Its interrupt is an edge when mtime reaches mtimecmp; writing mtimecmp arms it again.
"""

from __future__ import annotations

from typing import Final, final

from machemu.hw.clock import Clock, TimerHandle
from machemu.hw.description import Device, refuse_unknown_options
from machemu.hw.interrupt import InterruptLine
from machemu.hw.parts import DeviceKind, Parts
from machemu.hw.registers import RegisterPage

# Offsets as in the CLINT (xv6-riscv kernel/memlayout.h).
MTIMECMP: Final = 0x4000
MTIME: Final = 0xBFF8
PAGES: Final = 0xC
NEVER: Final = 2**64 - 1  # ns


@final
class Timer:
    """One comparator.

    Invariants, asserted by `check`:
      - nothing is due while mtimecmp has its greatest value.
    """

    def __init__(self, clock: Clock, interrupt: InterruptLine) -> None:
        self.interrupt = interrupt
        self._clock = clock
        self._compare = NEVER
        self._due: TimerHandle | None = None
        self.registers: Final = RegisterPage("timer")
        self.registers.add_wide(MTIMECMP, lambda: self._compare, self._arm)
        self.registers.add_wide(MTIME, lambda: clock.now_ns)

    def _arm(self, compare: int) -> None:
        self._compare = compare
        if self._due is not None:
            self._due.cancel()
        self._due = None if compare == NEVER else self._clock.call_at(compare, self.interrupt.raise_)

    def check(self) -> None:
        assert self._due is None or self._compare != NEVER


def build(device: Device, parts: Parts) -> Timer:
    refuse_unknown_options(device, set())
    return Timer(parts.clock, parts.line(device.interrupt))


KIND: Final = DeviceKind(pages=lambda _: PAGES, build=build)
