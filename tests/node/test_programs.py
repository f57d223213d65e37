"""Emulated programs through traps: one program alone on a node (tests/guest)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from machemu.testing.runs import Run
from tests.support.programs import guest

BootTask = Callable[..., Run]


@pytest.mark.parametrize("name", ["clock", "cthreads", "ipc_echo", "libc_more", "null_trap", "printf_limits", "start",
                                  "stdio_threads", "strings", "vm"])
def test_program_finds_all_as_it_should_be(boot_task: BootTask, name: str) -> None:
    run = boot_task(guest(name))
    end = run.outcome.mains["program/program"]
    assert (end.status, run.console("program") if end.status else "") == (0, "")


@pytest.mark.parametrize("seed", [1, 2])
def test_allocator_survives_a_long_random_use(boot_task: BootTask, seed: int) -> None:
    run = boot_task(guest("malloc_stress"), "3000", str(seed))
    assert run.outcome.mains["program/program"].status == 0, run.console("program")


def test_arguments_and_console(boot_task: BootTask) -> None:
    run = boot_task(guest("hello"), "one", "two words")
    assert run.console("program") == "hello from user mode\nargument 1: one\nargument 2: two words\n"


@pytest.mark.parametrize("status", [0, 7, 255, -1])
def test_status_of_a_program_is_that_of_the_run(boot_task: BootTask, status: int) -> None:
    run = boot_task(guest("status"), str(status))
    assert run.outcome.mains["program/program"].status == status


@pytest.mark.parametrize(("argument", "told"), [
    pytest.param("null", "bad_access (code 1, subcode 0x0)", id="null pointer"),
    pytest.param("text", "bad_access (code 2,", id="write to code"),
    pytest.param("data", "bad_access (code 2,", id="jump into data"),
    pytest.param("unmapped", "bad_access (code 1, subcode 0x3000000000)", id="unmapped"),
    pytest.param("0x8000000000000000", "bad_access (code 1, subcode 0x8000000000000000)", id="not canonical"),
])
def test_fault_nobody_handles_ends_the_task(boot_task: BootTask, argument: str, told: str) -> None:
    run = boot_task(guest("fault"), argument)
    end = run.outcome.mains["program/program"]
    assert end.status is None
    assert told in end.reason
    assert told in run.console("program"), "the console says why"


def test_thread_that_uses_up_its_stack_ends_at_the_guard_page(boot_task: BootTask) -> None:
    run = boot_task(guest("stack_overflow"))
    assert "bad_access (code 2," in run.outcome.mains["program/program"].reason


@pytest.mark.parametrize(("how", "lines"), [("return", 1), ("cthread_exit", 3)])
def test_main_that_exits_its_thread_waits_for_the_others(boot_task: BootTask, how: str, lines: int) -> None:
    run = boot_task(guest("main_exits"), how)
    assert run.outcome.mains["program/program"].status == 7
    assert run.console("program") == "late\n" * lines


@pytest.mark.parametrize("number", [-130, -1000, 1, 2**62])
def test_trap_number_outside_the_table_is_a_bad_instruction(boot_task: BootTask, number: int) -> None:
    run = boot_task(guest("bad_trap"), str(number))
    assert f"bad_instruction (code 8, subcode {number % 2**64:#x})" in run.outcome.mains["program/program"].reason


def test_same_program_takes_the_same_time_twice(boot_task: BootTask) -> None:
    first, second = (boot_task(guest("vm"), trace=True) for _ in range(2))
    assert first.events == second.events
    assert first.nodes["program"].now_ns == second.nodes["program"].now_ns
