"""What counts executed code, and ends a run in time.

Time is kept as one whole number of *units*, of which both a nanosecond and an octet of
executed code are whole numbers: at 400 octets to the microsecond a nanosecond is 2 units
and an octet 5.  That is `octets * 1000 // 400 + charged_ns` of unicorn-riscv.md 7 without
a second counter, and a limit never has to be computed again when work is charged.

Who counts is a `Ticks`: the native helper at the start of each basic block, or, where it
cannot be had, the engine's own count of instructions.  The two are never mixed.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final, Protocol, final

from machemu.hw.engine import OK, Engine
from machemu.hw.isa.riscv64 import layout as at

NEVER: Final = 2**63  # units; at 400 octets to the microsecond after 146 years
OCTETS_PER_INSTRUCTION: Final = 3  # nominal, for the clock that counts instructions

# Words of the helper's structure (native/clock.c).
NOW, LIMIT, BLOCK_END, PER_OCTET, ENDED, RESUMED, STOP, WORDS = range(8)


class Ticks(Protocol):
    """What counts executed code.  All times are in units."""

    kind: str  # of clock, for the first line of a trace

    def now(self) -> int: ...
    def add(self, units: int) -> None: ...
    def executed(self, octets: int) -> None:
        """An instruction of so many octets was executed for the guest."""

    def end_at(self, units: int) -> None:
        """No block starts at `units` or later."""

    @property
    def ended(self) -> bool:
        """No block can start."""

    def end_sooner(self, units: int) -> None:
        """The same, if it is sooner than what was asked."""

    def trapped(self, unretired: int, cost: int, entered: bool, retired: bool) -> None:
        """A trap: give back what was paid for and not executed.

        Args:
            unretired: address of the first instruction that was not executed.
            cost: units that the trap itself takes.
            entered: False for a fetch fault, before which no block was entered.
            retired: the instruction that trapped counts as executed.
        """

    def run(self, engine: Engine) -> int:
        """Run the engine until the limit; its error code."""

    def step(self, engine: Engine) -> tuple[int, bool]:
        """Run one instruction at most, and the traps it makes; the engine's error code, and
        whether the instruction was begun."""


@final
class BlockTicks:
    """Octets of code, counted exactly by the native helper."""

    kind = "bytes"

    def __init__(self, helper: Any, engine: Engine, per_octet: int) -> None:
        structure = (ctypes.c_uint64 * WORDS)()
        self.words: Final = memoryview(structure).cast("B").cast("Q")
        self.words[LIMIT] = NEVER
        self.words[PER_OCTET] = per_octet
        self.words[STOP] = engine.stop_function
        self.per_octet: Final = per_octet
        engine.hook_blocks(helper.machemu_on_block, structure)

    def now(self) -> int:
        return self.words[NOW]

    def add(self, units: int) -> None:
        self.words[NOW] += units

    def executed(self, octets: int) -> None:
        self.words[NOW] += octets * self.per_octet

    def end_at(self, units: int) -> None:
        self.words[LIMIT] = min(units, NEVER)

    @property
    def ended(self) -> bool:
        return self.words[NOW] >= self.words[LIMIT]

    def end_sooner(self, units: int) -> None:
        if units < self.words[LIMIT]:
            self.words[LIMIT] = units

    def trapped(self, unretired: int, cost: int, entered: bool, retired: bool) -> None:
        words = self.words
        if entered:
            cost -= (words[BLOCK_END] - unretired) * self.per_octet
        words[NOW] += cost

    def run(self, engine: Engine) -> int:
        self.words[ENDED] = 0
        return engine.start()

    def step(self, engine: Engine) -> tuple[int, bool]:
        words = self.words
        words[ENDED] = words[BLOCK_END] = 0
        engine.forget_all_code()  # rule 6: counted and uncounted runs do not mix
        status = engine.start(count=1)
        engine.forget_all_code()
        begun = bool(words[BLOCK_END])
        if begun and status == OK and not (words[ENDED] or engine.stopped):
            # It ended within a block or at the start of the next, which are paid for in full.
            engine.pull()
            words[NOW] -= (words[BLOCK_END] - engine.words[at.PC]) * self.per_octet
        return status, begun


@final
class InstructionTicks:
    """Instructions, at a nominal length, by the engine's own counter.

    The engine counts an instruction when it begins, the one that ends the run included;
    `_counter` and `_count` are its words for "so far" and "how many".
    """

    kind = "instructions"

    def __init__(self, engine: Engine, per_octet: int) -> None:
        words = engine.counter()
        self._counter = words[:1]
        self._count = words[1:]
        self._cost: Final = per_octet * OCTETS_PER_INSTRUCTION
        self._base = 0  # units when the run began, and all that was added since
        self._limit = NEVER
        self._running = False
        self._done = 0  # instructions of the runs before this one
        self._stop: int | None = None  # instructions of all runs, asked for by `stop_after`

    def now(self) -> int:
        return self._base + (self._counter[0] * self._cost if self._running else 0)

    def stop_after(self, instructions: int | None) -> None:
        """End the run once so many more have been executed, whatever time it is; None: not any more."""
        self._stop = None if instructions is None else self._executed() + instructions
        self._set_count()

    @property
    def stopped(self) -> bool:
        """They have been executed."""
        return self._stop is not None and self._executed() >= self._stop

    def _executed(self) -> int:
        return self._done + (self._counter[0] if self._running else 0)

    def add(self, units: int) -> None:
        self._base += units
        self._set_count()

    def executed(self, octets: int) -> None:
        self.add(self._cost)

    def end_at(self, units: int) -> None:
        self._limit = min(units, NEVER)
        self._set_count()

    @property
    def ended(self) -> bool:
        return self.now() >= self._limit

    def end_sooner(self, units: int) -> None:
        if units < self._limit:
            self.end_at(units)

    def _set_count(self) -> None:
        if self._running:
            self._count[0] = self._counter[0] + self._left()

    def _left(self) -> int:
        """Instructions until the limit, or until they were to stop."""
        left = -(-(self._limit - self.now()) // self._cost)
        return max(0, left if self._stop is None else min(left, self._stop - self._executed()))

    def trapped(self, unretired: int, cost: int, entered: bool, retired: bool) -> None:
        if entered and not retired:
            if self._running:
                self._counter[0] -= 1  # and one more is left: the count stays
            else:
                self._base -= self._cost
                self._done -= 1
        self.add(cost)

    def run(self, engine: Engine) -> int:
        left = self._left()
        if not left:
            return 0
        self._counter[0] = 0
        self._running = True
        status = engine.start(count=min(left, 2**62))
        # Stopped by the count: the instruction at which it showed was not executed.
        executed = self._counter[0] - (self._counter[0] > self._count[0])
        self._running = False
        self._base += executed * self._cost
        self._done += executed
        return status

    def step(self, engine: Engine) -> tuple[int, bool]:
        if self.ended:
            return OK, False
        self.end_at(self._base + 1)
        return self.run(engine), True
