"""The console: a terminal line.

| offset | register | |
|---|---|---|
| 000 | data | write: send the low octet; read: the next typed octet, 0 if there is none |
| 004 | status | read only; bit 0: typed input waits; bit 1: can send, always set |

The kernel's driver is `write` and `read`, which move whole buffers.  Its interrupt is
raised when input arrives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, final

from machemu.hw.description import Device, refuse_unknown_options
from machemu.hw.interrupt import InterruptLine
from machemu.hw.parts import DeviceKind, Parts
from machemu.hw.registers import RegisterPage

DATA: Final = 0x000
STATUS: Final = 0x004
INPUT_WAITS: Final = 1
CAN_SEND: Final = 2
INPUT_LIMIT: Final = 65536  # octets typed ahead; what comes then is lost


@final
class Console:
    """A terminal line; `on_output` gets what the node writes.

    Invariants, asserted by `check`:
      - no more input waits than INPUT_LIMIT.
    """

    def __init__(self, interrupt: InterruptLine) -> None:
        self.interrupt = interrupt
        self.on_output: Callable[[bytes], None] | None = None
        self.lost = 0  # octets of input for which there was no room
        self._input: deque[int] = deque()
        self.registers: Final = RegisterPage("console")
        self.registers.add(DATA, self._next, lambda value: self.write(bytes([value & 0xFF])))
        self.registers.add(STATUS, lambda: CAN_SEND | (INPUT_WAITS if self._input else 0))

    def _next(self) -> int:
        return self._input.popleft() if self._input else 0

    def write(self, data: bytes) -> None:
        if self.on_output is not None:
            self.on_output(data)

    def read(self, wanted: int) -> bytes:
        line = bytearray()
        while self._input and len(line) < wanted and not line.endswith(b"\n"):
            line.append(self._input.popleft())
        return bytes(line)

    def type(self, text: bytes) -> None:
        """What someone at the terminal types.  Outside the engine only."""
        taken = text[:INPUT_LIMIT - len(self._input)]
        self.lost += len(text) - len(taken)
        self._input.extend(taken)
        if taken:
            self.interrupt.raise_()

    def check(self) -> None:
        assert len(self._input) <= INPUT_LIMIT


def build(device: Device, parts: Parts) -> Console:
    refuse_unknown_options(device, set())
    console = parts.roles.character[device.name] = Console(parts.line(device.interrupt))
    return console


KIND: Final = DeviceKind(pages=lambda _: 1, build=build)
