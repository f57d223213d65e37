"""The project's measurements, each with its floor."""

from __future__ import annotations

from typing import Final

from machemu.bench import nodes, rpc, speed, traps
from machemu.bench.measure import Benchmark

BENCHMARKS: Final[dict[str, Benchmark]] = {benchmark.name: benchmark for benchmark in (
    traps.NULL_TRAP,
    rpc.LOCAL_RPC,
    rpc.REGION_RPC,
    rpc.CROWDED_RPC,
    traps.CONTEXT_SWITCH,
    traps.PAGE_FAULT,
    speed.GUEST_SPEED,
    nodes.BOOT,
    nodes.REMOTE_RPC,
    nodes.MEMORY,
)}
