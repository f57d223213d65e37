"""How fast guests compute: with the native clock, without it, and with none at all."""

from __future__ import annotations

from typing import Final

from machemu.bench import floors
from machemu.bench.guest import FOREVER, BenchNode
from machemu.bench.measure import AT_LEAST, Benchmark, Effort, Figure, Target, alternate


def guest_speed(effort: Effort) -> list[Figure]:
    count = effort.count(200)
    slow_count = effort.count(50)
    helped, counted = BenchNode(effort.guest), BenchNode(effort.guest, native=False)
    bare = floors.work(effort.guest, count)
    helped.start(helped.task(), "work", FOREVER, count)
    counted.start(counted.task(), "work", FOREVER, slow_count)
    helper, counting, raw = alternate(effort, helped.round, counted.round, bare.round)
    for node in (helped, counted, bare):
        node.close()
    floor = count / raw
    what = "the same program with no clock"
    return [
        Figure("guest_speed", count / helper, "passes/s", floor, what, Target(AT_LEAST, 0.6)),
        Figure("guest_speed_without_helper", slow_count / counting, "passes/s", floor, what, Target(AT_LEAST, 0.15)),
    ]


GUEST_SPEED: Final = Benchmark("guest_speed", "a program that only computes", guest_speed)
