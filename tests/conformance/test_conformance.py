"""The kernel as a C program sees it: each program under this folder shows one section of the
interface reference, success and every error it lists.

A program is alone on a node and checks with <check.h>; its first line names the section.
It prints nothing; what the kernel prints of tasks that it lets die does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from machemu.testing.runs import Run
from tests.support.programs import compile_c

HERE: Final = Path(__file__).parent
PROGRAMS: Final = sorted(HERE.rglob("*.c"))
FIRST_LINE: Final = re.compile(r"/\* mach-abi\.md \d+(\.\d+)?(, \d+(\.\d+)?)*: ")


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: str(path.relative_to(HERE).with_suffix("")))
def test_program_finds_the_kernel_as_the_reference_says(boot_task: Callable[..., Run], source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert FIRST_LINE.match(text), "the first line names the section that the program shows"
    run = boot_task(compile_c(text, source.stem))
    end = run.outcome.mains["program/program"]
    printed = [line for line in run.console("program").splitlines() if not line.startswith("kernel: task ")]
    assert (end.status, printed) == (0, []), end.reason
