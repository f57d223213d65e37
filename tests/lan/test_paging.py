"""Memory beyond RAM: the default pager and its partition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from machemu.hw.api import PAGE_SIZE
from tests.lan.conftest import Boot
from tests.support.lab import DEFAULT_PAGER, alone, main

MIB = 1 << 20
RAM = 2 * MIB


@pytest.mark.req("B-05")
def test_task_of_four_times_ram_computes_its_result(boot: Boot) -> None:
    pages = 4 * RAM // PAGE_SIZE
    recipe = replace(alone(DEFAULT_PAGER, main("table", "", str(pages), source="beyond_ram")), ram=RAM,
                     paging=5 * RAM)
    run = boot(recipe, trace=False)
    outcome = run.go()
    assert outcome.failures == [], run.console("alone")
    pool = run.nodes["alone"].kernel.pool
    assert pool.pageouts > pages
    assert pool.pageins > pages
