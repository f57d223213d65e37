"""Null trap, context switch, demand-zero fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from machemu.bench import floors
from machemu.bench.guest import FOREVER, BenchNode
from machemu.bench.measure import AT_MOST, Benchmark, Effort, Figure, Target, alternate

US: Final = 1e6


def null_trap(effort: Effort) -> list[Figure]:
    count = effort.count(50_000)
    bench, bare = BenchNode(effort.guest), floors.trap(effort.guest, count)
    bench.start(bench.task(), "trap", FOREVER, count)
    value, floor = alternate(effort, bench.round, bare.round)
    bench.close()
    bare.close()
    return [Figure("null_trap", value / count * US, "us", floor / count * US,
                   "eight registers read, one written", Target(AT_MOST, 6))]


def context_switch(effort: Effort) -> list[Figure]:
    count = effort.count(25_000)
    bench, bare = BenchNode(effort.guest), floors.switch(effort.guest, count)
    bench.start(bench.task(), "switch", FOREVER, count)
    bench.start(bench.task(), "switch", 1, FOREVER)
    value, floor = alternate(effort, bench.round, bare.round)
    bench.close()
    bare.close()
    # A round is `count` calls of each of the two tasks, a switch after every call.
    return [Figure("context_switch", value / count / 2 * US, "us", floor / count / 2 * US,
                   "a trap with registers and space exchanged")]


def page_fault(effort: Effort) -> list[Figure]:
    count = min(512, effort.count(512))
    bench, bare = BenchNode(effort.guest), floors.page_fault(effort.guest, count)
    bench.start(bench.task(), "touch", FOREVER, count)
    value, floor = alternate(replace(effort, rounds=effort.rounds * 10), bench.round, bare.round)
    bench.close()
    bare.close()
    return [Figure("page_fault", value / count * US, "us", floor / count * US,
                   "a page cleared, its entry written, the store tried again", Target(AT_MOST, 2.5))]


NULL_TRAP: Final = Benchmark("null_trap", "a trap that does nothing", null_trap)
CONTEXT_SWITCH: Final = Benchmark("context_switch", "two tasks that yield to each other", context_switch)
PAGE_FAULT: Final = Benchmark("page_fault", "the first store to a page", page_fault)
