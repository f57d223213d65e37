"""The power switch.

| offset | register | |
|---|---|---|
| 000 | control | write 5555 to switch off, 7777 to reset (hexadecimal; the test device of xv6's machine) |
| 004 | state | read only; 0 on, 1 off, 2 resetting |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from machemu.hw.bus import BusError
from machemu.hw.clock import Clock
from machemu.hw.description import Device, refuse_unknown_options
from machemu.hw.parts import DeviceKind, Parts
from machemu.hw.registers import RegisterPage

CONTROL: Final = 0x000
STATE: Final = 0x004
SWITCH_OFF: Final = 0x5555
RESET: Final = 0x7777
ON, OFF, RESETTING = 0, 1, 2


@final
class Power:
    """The power switch; `halt` is told, outside the engine, whether to start again.

    Invariants, asserted by `check`:
      - it is on, off or resetting.
    """

    def __init__(self, clock: Clock, halt: Callable[[bool], None]) -> None:
        self.state = ON
        self._clock = clock
        self._halt = halt
        self.registers: Final = RegisterPage("power")
        self.registers.add(CONTROL, None, self._control)
        self.registers.add(STATE, lambda: self.state)

    def _control(self, value: int) -> None:
        if value not in (SWITCH_OFF, RESET):
            raise BusError(f"power: {value:#x} is no command")
        self.press(value == RESET)

    def press(self, reboot: bool) -> None:
        """Switch off, or reset.  The first counts."""
        if self.state == ON:
            self.state = RESETTING if reboot else OFF
            self._clock.call_at(self._clock.now_ns, lambda: self._halt(reboot))

    def check(self) -> None:
        assert self.state in (ON, OFF, RESETTING)


def build(device: Device, parts: Parts) -> Power:
    refuse_unknown_options(device, set())
    return Power(parts.clock, parts.halt)


KIND: Final = DeviceKind(pages=lambda _: 1, build=build)
