"""Preemption at every instruction of a marked section (row B-06).

A program marks a section with <machemu/preempt.h>.  In each schedule the first thread to
enter the section is preempted after exactly n instructions, for n = 0, 1, 2 ... until it
leaves the section first.  Runs are deterministic, so a number is all it takes to see a
failure again.

All schedules of a program have their beginning in common: where the host can fork, it is
run once, and each goes on from there in a process of its own.
"""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from machemu.cluster.lan import Lan
from machemu.cluster.segment import Segment
from machemu.hw.description import MachineDescription
from machemu.node.node import Node

if TYPE_CHECKING:
    from machemu.kernel.events import StepAnnounced
    from machemu.kernel.task.thread import Thread

SECTION_BEGINS: Final = 0x0B06_0001  # <machemu/preempt.h>
SECTION_ENDS: Final = 0x0B06_0002
NAME: Final = "program"
TIME_LIMIT_NS: Final = 1_000_000_000  # of virtual time


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run: where it was preempted, and how it ended.

    after: instructions since the section's beginning.  switched: the preempted thread was still
    inside.  status: the program's; None: it has none, and `ending` says why.
    """

    after: int
    switched: bool
    status: int | None
    ending: str
    console: str

    @property
    def failed(self) -> bool:
        return self.status != 0


class _SectionEntered(Exception):
    """Out of the run loop, between two instructions: the run can go on as if nothing had been."""


@final
class _Run:
    """One program alone on a node, whose marked section is watched.

    Args:
        after: instructions until the preemption; None: `go` raises _SectionEntered instead.
    """

    def __init__(self, program: bytes, arguments: tuple[str, ...], after: int | None) -> None:
        self._console = bytearray()
        self._node = Node.alone(program, NAME, list(arguments), MachineDescription.workstation(),
                                on_console=self._console.extend, native=False)
        self._lan = Lan([self._node], Segment(seed=0))
        self._after = after
        self._entered = False
        self._inside: Thread | None = None  # who entered the section first and has not left it
        self._switched = False
        self._node.kernel.events.step_announced.attach(self._announced)

    def _announced(self, event: StepAnnounced) -> None:
        current = self._node.kernel.scheduler.current
        if event.code == SECTION_BEGINS and not self._entered:
            self._entered = True
            self._inside = current
            if self._after is None:
                self._node.machine.cpu.after_instructions(0, self._stop)
            else:
                self.preempt_after(self._after)
        elif event.code == SECTION_ENDS and current is self._inside:
            self._inside = None

    @staticmethod
    def _stop() -> None:
        raise _SectionEntered

    def preempt_after(self, instructions: int) -> None:
        self._after = instructions
        self._node.machine.cpu.after_instructions(instructions, self._preempt)

    def _preempt(self) -> None:
        if self._inside is not None:
            self._switched = True
            self._node.kernel.scheduler.quantum_expired()

    def go(self) -> Schedule:
        """To the end; every invariant of the kernel is asserted."""
        assert self._after is not None or not self._entered
        reason = self._lan.advance(TIME_LIMIT_NS, self._lan.finished)
        self._node.kernel.check()
        end = self._node.mains[NAME]
        return Schedule(self._after or 0, self._switched, end.status if end else None,
                        end.reason if end else reason, self._console.decode("utf-8", "replace"))

    def close(self) -> None:
        self._lan.close()


def run_preempted(program: bytes, *arguments: str, after: int) -> Schedule:
    """The run in which the section is left after `after` instructions; the same each time."""
    run = _Run(program, arguments, after)
    try:
        return run.go()
    finally:
        run.close()


def schedules(program: bytes, *arguments: str, step: int = 1) -> Iterator[Schedule]:
    """Every schedule of the section, or every `step`th, shortest first; the last came too late.

    Raises ValueError: the program has no marked section.
    """
    if not hasattr(os, "fork"):
        yield from _until_too_late(lambda after: run_preempted(program, *arguments, after=after), step)
        return
    run = _Run(program, arguments, None)
    try:
        _go_to_section(run)
        yield from _until_too_late(lambda after: _branch(run, after), step)
    finally:
        run.close()


def _until_too_late(run: Callable[[int], Schedule], step: int) -> Iterator[Schedule]:
    after = 0
    while True:
        schedule = run(after)
        if after == 0 and not schedule.switched:
            raise ValueError("the program enters no marked section")
        yield schedule
        if not schedule.switched:
            return
        after += step


def _go_to_section(run: _Run) -> None:
    try:
        run.go()
    except _SectionEntered:
        return
    raise ValueError("the program enters no marked section")


def _branch(run: _Run, after: int) -> Schedule:
    """How `run`, which has just entered its section, goes on when it is preempted; it stays where it is."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns where there are other threads.  The child needs none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            run.preempt_after(after)
            os.write(writing, json.dumps(dataclasses.asdict(run.go())).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise RuntimeError(f"the schedule after {after} instructions: the emulator failed; see `run_preempted`")
    return Schedule(**json.loads(told))
