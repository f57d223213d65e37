"""Programs that are preempted at every instruction of a marked section."""

from __future__ import annotations

import pytest

from machemu.testing.preemption import Schedule, run_preempted, schedules
from tests.support.host_c import LIBRARY
from tests.support.programs import guest


def failures(program: bytes, *arguments: str) -> list[Schedule]:
    return [schedule for schedule in schedules(program, *arguments) if schedule.failed]


def first_failure(program: bytes, *arguments: str) -> Schedule:
    return next(schedule for schedule in schedules(program, *arguments) if schedule.failed)


@pytest.mark.req("B-06")
def test_broken_mutex_is_found_and_the_schedule_shows_it_again() -> None:
    found = failures(guest("preempt_mutex"), "broken")
    assert found
    assert all("violations == 0" in schedule.console for schedule in found), "that is what is wrong with it"
    again = run_preempted(guest("preempt_mutex"), "broken", after=found[0].after)
    assert again == found[0]


@pytest.mark.req("B-06")
def test_mutex_keeps_threads_apart_in_every_schedule() -> None:
    tried = list(schedules(guest("preempt_mutex"), "ours"))
    assert [schedule for schedule in tried if schedule.failed] == []
    assert len(tried) > 50, "waiting and waking are inside too"


@pytest.mark.req("B-06")
def test_lost_wakeup_of_a_naive_driver_is_found() -> None:
    found = first_failure(guest("preempt_wakeup"), "naive")
    assert found.status is None
    assert "no thread" in found.ending, "the driver sleeps for ever"
    assert run_preempted(guest("preempt_wakeup"), "naive", after=found.after) == found


@pytest.mark.req("B-06")
def test_driver_that_waits_on_a_condition_loses_no_wakeup() -> None:
    assert failures(guest("preempt_wakeup"), "condition") == []


@pytest.mark.req("B-06")
def test_allocator_without_its_lock_is_found_broken() -> None:
    unlocked = guest("preempt_malloc", f'-DMALLOC_SOURCE="{LIBRARY / "malloc.c"}"')
    assert first_failure(unlocked).failed, "or the test below could not fail"


@pytest.mark.req("B-06")
def test_allocator_serves_two_threads_in_every_schedule() -> None:
    assert failures(guest("preempt_malloc")) == []


def test_program_without_a_marked_section_is_refused() -> None:
    with pytest.raises(ValueError, match="enters no marked section"):
        next(schedules(guest("hello")))
