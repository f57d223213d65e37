"""swtch, swtch_pri and thread_switch: giving the processor away."""

from __future__ import annotations

import pytest

from machemu.kernel.results import KernReturn
from tests.support.rig import BLOCKED, NO_NAME, NULL, Actor, KernelRig

NONE, DEPRESS, WAIT = 0, 1, 2
MS = 1_000_000  # ns


def running(rig: KernelRig) -> Actor | None:
    current = rig.kernel.scheduler.current
    return next((actor for actor in rig.actors if actor.thread is current), None)


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("trap", ["swtch", "swtch_pri"])
def test_swtch_lets_the_next_thread_run_and_says_so(rig: KernelRig, trap: str) -> None:
    assert rig.trap(trap, 7) == 0, "there is nobody else"
    assert running(rig) is rig.actor
    other = rig.another()
    assert rig.trap(trap, 7) == 1
    assert running(rig) is other


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("option", [3, 4, 2**31, 2**32 - 1])
def test_an_unknown_option_is_an_invalid_argument(rig: KernelRig, option: int) -> None:
    rig.another()
    assert rig.trap("thread_switch", NULL, option, 10) == KernReturn.INVALID_ARGUMENT
    assert running(rig) is rig.actor


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("option", [NONE, DEPRESS])
def test_a_hint_runs_next(rig: KernelRig, option: int) -> None:
    rig.another()
    wanted = rig.another()
    name = rig.name_of(rig.actor, wanted.thread)
    assert rig.trap("thread_switch", name, option, 0) == 0
    assert running(rig) is wanted


@pytest.mark.parametrize("hint", ["null", "unknown", "task", "own thread", "blocked thread"])
def test_a_hint_that_helps_nothing_is_ignored(rig: KernelRig, hint: str) -> None:
    waiting = rig.another()
    waiting.receive(waiting.port())
    other = rig.another()
    name = {"null": NULL, "unknown": NO_NAME, "task": rig.actor.self_name,
            "own thread": rig.name_of(rig.actor, rig.actor.thread),
            "blocked thread": rig.name_of(rig.actor, waiting.thread)}[hint]
    assert rig.trap("thread_switch", name, NONE, 0) == 0
    assert running(rig) is other
    assert waiting.thread.wait is not None


def test_yielding_to_nobody_returns(rig: KernelRig) -> None:
    assert rig.trap("thread_switch", NULL, NONE, 0) == 0
    assert running(rig) is rig.actor


@pytest.mark.req("A-M02")
@pytest.mark.parametrize(("asked_ms", "waits_ms"), [(30, 30), (10, 10), (1, 10), (0, 10)])
def test_wait_blocks_for_the_time_asked_or_a_tick(rig: KernelRig, asked_ms: int, waits_ms: int) -> None:
    assert rig.trap("thread_switch", NULL, WAIT, asked_ms) == BLOCKED
    rig.pass_time(waits_ms * MS - 1)
    assert rig.actor.thread.wait is not None
    rig.pass_time(1)
    assert rig.actor.result() == 0
    assert running(rig) is rig.actor


def test_wait_applies_the_hint_too(rig: KernelRig) -> None:
    rig.another()
    wanted = rig.another()
    rig.another()
    assert rig.trap("thread_switch", rig.name_of(rig.actor, wanted.thread), WAIT, 10) == BLOCKED
    assert running(rig) is wanted


def test_the_longest_wait_there_is(rig: KernelRig) -> None:
    assert rig.trap("thread_switch", NULL, WAIT, 2**32 - 1) == BLOCKED
    rig.pass_time((2**32 - 1) * MS)
    assert rig.actor.result() == 0
