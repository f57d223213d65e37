"""Ctrl-C while guests run.

Python's own handler raises KeyboardInterrupt wherever it is, and in one of the engine's
callbacks that is printed and forgotten.  This one only notes the key and ends the
quantum, so that the run stops between two blocks (unicorn-riscv.md 7).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, final


@final
class InterruptKey:
    """A context in which Ctrl-C sets `pressed` and calls `preempt`, which must be quick
    and not raise.  A second Ctrl-C raises KeyboardInterrupt, should the first not help.

    Use it in the main thread only.
    """

    def __init__(self, preempt: Callable[[], None]) -> None:
        self.pressed = False
        self._preempt = preempt
        self._before: Any = None

    def __enter__(self) -> InterruptKey:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
        self._preempt()
