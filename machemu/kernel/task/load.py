"""Load averages of the processor (mach-abi.md 9.3; Mach 3 `kern/mach_factor.c`)."""

from __future__ import annotations

from typing import Final, final

SCALE: Final = 1000  # LOAD_SCALE: a load of 1
NS_PER_SECOND: Final = 1_000_000_000
KEPT: Final = (800, 966, 983)  # thousandths of an average that a second leaves, over 5, 30 and 60 s
LONG: Final = 600  # seconds after which what was before does not count


@final
class Load:
    """Averages, brought up to date when somebody asks and whenever a quantum ends."""

    def __init__(self) -> None:
        self.averages = [0, 0, 0]
        self.factors = [SCALE, SCALE, SCALE]  # how much of a processor a newcomer would get
        self._at_ns = 0
        self._busy_ns = 0

    def update(self, now_ns: int, busy_ns: int, waiting: int) -> None:
        """`busy_ns`: how long the processor has run threads in all; `waiting`: threads that
        wait for it now."""
        passed = now_ns - self._at_ns
        seconds = passed // NS_PER_SECOND
        if not seconds:
            return
        share = min(SCALE, (busy_ns - self._busy_ns) * SCALE // passed)
        load = share + (waiting * SCALE if share else 0)
        factor = SCALE - load if load < SCALE else SCALE * SCALE // (load + SCALE)
        for _ in range(min(seconds, LONG)):
            self.averages = [_fade(old, load, kept) for old, kept in zip(self.averages, KEPT, strict=True)]
            self.factors = [_fade(old, factor, kept) for old, kept in zip(self.factors, KEPT, strict=True)]
        self._at_ns = now_ns
        self._busy_ns = busy_ns


def _fade(old: int, new: int, kept: int) -> int:
    return (old * kept + new * (1000 - kept)) // 1000
