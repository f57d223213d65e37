"""Where RV64 registers live in the engine's processor state, and what they are called.

The state is an array of 64-bit words; indices are those of Unicorn 2.1.4
(unicorn-riscv.md 3), checked at start-up by `engine.py`.
"""

from __future__ import annotations

from typing import Final

GPR: Final = 0  # x0 to x31
FPR: Final = 32  # f0 to f31
PC: Final = 64
RESERVATION: Final = 65  # address of the last lr; NO_RESERVATION: none
FRM: Final = 67  # rounding mode
FAULT_ADDRESS: Final = 68  # of the last page fault
PRIV_VER: Final = 70
PRIV: Final = 74  # 0 user, 3 machine
MSTATUS: Final = 78
ROOT_PAGE: Final = 83  # page number of the root page table

SAVED_WORDS: Final = 68  # of each thread: x, f, pc, reservation (2), rounding mode
STATE_WORDS: Final = 191  # what a context of the engine holds
FLAGS_OCTET: Final = STATE_WORDS * 8 + 11  # floating-point exception flags, which it does not

RA: Final = 1
SP: Final = 2
T0: Final = 5
A0: Final = 10
ARGUMENTS: Final = slice(A0, A0 + 8)

NO_RESERVATION: Final = 2**64 - 1
USER: Final = 0
MACHINE: Final = 3

# 1.9.1 and no later: it alone keeps rdcycle and rdinstret, which give the host's clock,
# from user programs (unicorn-riscv.md 6).
PRIV_VER_1_9_1: Final = 0x10901
MSTATUS_VM: Final = 0x1F << 24
MSTATUS_FS: Final = 3 << 13
MSTATUS_SET: Final = 9 << 24 | MSTATUS_FS  # Sv39 on, floating point on, for good

# The flags octet holds the engine's own bits; these are the matching ones of fcsr.
FLAG_BITS: Final = ((1, 16), (4, 8), (8, 4), (16, 2), (32, 1))  # NV, DZ, OF, UF, NX


def to_fflags(octet: int) -> int:
    """The flags as the fcsr register shows them."""
    return sum(fflag for bit, fflag in FLAG_BITS if octet & bit)


def from_fflags(fflags: int) -> int:
    return sum(bit for bit, fflag in FLAG_BITS if fflags & fflag)


X_NAMES: Final = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1",
    "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
    "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
    "t3", "t4", "t5", "t6",
)
F_NAMES: Final = tuple(f"f{n}" for n in range(32))
REGISTERS: Final[dict[str, int]] = (  # name -> word of the state
    {name: GPR + n for n, name in enumerate(X_NAMES)}
    | {name: FPR + n for n, name in enumerate(F_NAMES)}
    | {"pc": PC}
)
