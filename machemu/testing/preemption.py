"""Preemption at every instruction of a marked section (row B-06).

A program marks a section with <machemu/preempt.h>.  In each schedule the first thread to
enter the section is preempted after exactly n instructions, for n = 0, 1, 2 ... until it
leaves the section first.  Runs are deterministic, so a number is all it takes to see a
failure again.
"""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Iterator
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


class _Stopped(Exception):
    """Out of the run loop, between two instructions: the run can go on as if nothing had been."""


@final
class _Run:
    """One program alone on a node, whose marked section is watched.

    Args:
        after: instructions until the preemption; None: `go` stops at the beginning of the section.
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
            plan, count = (self._preempt, self._after) if self._after is not None else (self._stop, 0)
            self._node.machine.cpu.after_instructions(count, plan)
        elif event.code == SECTION_ENDS and current is self._inside:
            self._inside = None

    @property
    def is_inside(self) -> bool:
        return self._inside is not None

    @property
    def next_can_be_noticed(self) -> bool:
        return self._node.idle or self._node.machine.cpu.next_can_be_noticed()

    @staticmethod
    def _stop() -> None:
        raise _Stopped

    def step(self) -> bool:
        """Execute one instruction, or all up to the section; False: the program ended first."""
        if self._entered:
            self._node.machine.cpu.after_instructions(1, self._stop)
        try:
            self._lan.advance(TIME_LIMIT_NS, self._lan.finished)
        except _Stopped:
            return True
        return False

    def _preempt(self) -> None:
        if self.is_inside:
            self._switched = True
            self._node.kernel.scheduler.quantum_expired()

    def end(self, after: int, *, preempt: bool = False) -> Schedule:
        """From here to the end; every invariant of the kernel is asserted.  preempt: here, first."""
        if preempt:
            self._preempt()
        reason = self._lan.advance(TIME_LIMIT_NS, self._lan.finished)
        self._node.kernel.check()
        end = self._node.mains[NAME]
        return Schedule(after, self._switched, end.status if end else None, end.reason if end else reason,
                        self._console.decode("utf-8", "replace"))

    def close(self) -> None:
        self._lan.close()


def run_preempted(program: bytes, *arguments: str, after: int) -> Schedule:
    """The run in which the section is left after `after` instructions; the same each time."""
    run = _Run(program, arguments, after)
    try:
        return run.end(after)
    finally:
        run.close()


def schedules(program: bytes, *arguments: str) -> Iterator[Schedule]:
    """Every schedule of the section, shortest first; the last is the run without preemption.

    A switch in front of an instruction that touches registers only is the same as one behind
    it, and left out.  Needs a host that can fork: all schedules have their beginning in common,
    which is run once, and each goes on from there in a process of its own.

    Raises ValueError: the program has no marked section.
    """
    run = _Run(program, arguments, None)
    try:
        if not run.step():
            raise ValueError("the program enters no marked section")
        yield from _branches(run)
    finally:
        run.close()


def _branches(run: _Run) -> Iterator[Schedule]:
    after = 0
    while run.is_inside:
        if run.next_can_be_noticed:
            yield _branch(run, after)
        if not run.step():
            break
        after += 1
    yield run.end(after)


def _branch(run: _Run, after: int) -> Schedule:
    """How `run` goes on when it is preempted at this place; itself it stays there."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns where there are other threads.  The child needs none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(dataclasses.asdict(run.end(after, preempt=True))).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise RuntimeError(f"the schedule after {after} instructions: the emulator failed; see `run_preempted`")
    return Schedule(**json.loads(told))
