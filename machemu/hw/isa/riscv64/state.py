"""A thread's registers in the layouts of `thread_get_state` (mach-abi.md 9.2).

| flavor | number | octets | layout |
|---|---|---|---|
| RISCV64_THREAD_STATE | 1 | 256 | u64 x1 to x31, u64 pc |
| RISCV64_FLOAT_STATE | 2 | 264 | u64 f0 to f31, u32 fcsr, u32 zero |
| RISCV64_EXCEPTION_STATE | 3 | 24 | u64 scause, stval, sepc of the last fault; read only |
| RISCV64_DEBUG_STATE | 4 | 8 | u32 1: an exception after each instruction, u32 zero |
| THREAD_STATE_FLAVOR_LIST | 0 | 16 | u32 1, 2, 3, 4; read only |

The debug state is not a register: `cpu.py` keeps it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, Protocol

from machemu.hw.isa.riscv64 import layout as at

CPU_TYPE: Final = 26  # CPU_TYPE_RISCV64; Mach has no number for it

FLAVOR_LIST: Final = 0
THREAD_STATE: Final = 1
FLOAT_STATE: Final = 2
EXCEPTION_STATE: Final = 3
DEBUG_STATE: Final = 4

THREAD_FORMAT: Final = struct.Struct("<32Q")
FLOAT_FORMAT: Final = struct.Struct("<32QII")
EXCEPTION_FORMAT: Final = struct.Struct("<3Q")
DEBUG_FORMAT: Final = struct.Struct("<2I")
DEBUG_STATES: Final = (DEBUG_FORMAT.pack(0, 0), DEBUG_FORMAT.pack(1, 0))  # all there are
FLAVORS: Final = struct.pack("<4I", THREAD_STATE, FLOAT_STATE, EXCEPTION_STATE, DEBUG_STATE)

FRM_SHIFT: Final = 5  # fcsr: rounding mode above five flags
FRM_MASK: Final = 7


class Octet(Protocol):
    """One octet, as item 0."""

    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...


@dataclass(slots=True)
class Registers:
    """One thread's state: SAVED_WORDS words, the octet of floating-point flags, the last fault."""

    words: memoryview
    flags: Octet = field(default_factory=lambda: bytearray(1))
    fault: tuple[int, int, int] = (0, 0, 0)  # scause, stval, sepc


def get(registers: Registers, flavor: int) -> bytes | None:
    """None: no such flavor."""
    words = registers.words
    if flavor == THREAD_STATE:
        return THREAD_FORMAT.pack(*words[at.GPR + 1:at.GPR + 32], words[at.PC])
    if flavor == FLOAT_STATE:
        fcsr = (words[at.FRM] & FRM_MASK) << FRM_SHIFT | at.to_fflags(registers.flags[0])
        return FLOAT_FORMAT.pack(*words[at.FPR:at.FPR + 32], fcsr, 0)
    if flavor == EXCEPTION_STATE:
        return EXCEPTION_FORMAT.pack(*registers.fault)
    return FLAVORS if flavor == FLAVOR_LIST else None


def put(registers: Registers, flavor: int, state: bytes) -> bool:
    """False: no such flavor, wrong length, read only, or an odd pc; nothing changed."""
    words = registers.words
    if flavor == THREAD_STATE and len(state) == THREAD_FORMAT.size:
        *general, pc = THREAD_FORMAT.unpack(state)
        if pc & 1:
            return False
        for index, value in enumerate(general, at.GPR + 1):
            words[index] = value
        words[at.PC] = pc
        return True
    if flavor == FLOAT_STATE and len(state) == FLOAT_FORMAT.size:
        *floats, fcsr, _ = FLOAT_FORMAT.unpack(state)
        for index, value in enumerate(floats, at.FPR):
            words[index] = value
        words[at.FRM] = fcsr >> FRM_SHIFT & FRM_MASK
        registers.flags[0] = at.from_fflags(fcsr)
        return True
    return False
