"""The null RPC between two tasks of one node."""

from __future__ import annotations

from typing import Final

from machemu.bench import floors
from machemu.bench.guest import FOREVER, BenchNode
from machemu.bench.measure import AT_MOST, Benchmark, Effort, Figure, Target, alternate

US: Final = 1e6


def client_and_server(program: bytes, count: int) -> BenchNode:
    """A node on which rounds of `count` RPCs are under way."""
    bench = BenchNode(program)
    server, client = bench.task(), bench.task()
    receive, send = bench.port(server, client)
    bench.start(server, "echo", 0, 0, receive)
    bench.start(client, "client", FOREVER, count, send)
    return bench


def local_rpc(effort: Effort) -> list[Figure]:
    count = effort.count(10_000)
    bench, bare = client_and_server(effort.guest, count), floors.rpc(effort.guest, count)
    value, floor = alternate(effort, bench.round, bare.round)
    bench.close()
    bare.close()
    return [Figure("local_rpc", value / count * US, "us", floor / count * US,
                   "two traps, two copies of 64 octets, two switches", Target(AT_MOST, 6))]


LOCAL_RPC: Final = Benchmark("local_rpc", "a null RPC between two tasks of one node", local_rpc)
