"""RPCs between two tasks of one node: with nothing, with a page, with many others about."""

from __future__ import annotations

from typing import Final

from machemu.bench import floors
from machemu.bench.guest import FOREVER, BenchNode
from machemu.bench.measure import AT_MOST, Benchmark, Effort, Figure, Target, alternate
from machemu.kernel.ipc.right import Right

US: Final = 1e6
CROWD_TASKS: Final = 1_000
CROWD_PORTS: Final = 10_000


def client_and_server(program: bytes, count: int, server: str = "echo", client: str = "client") -> BenchNode:
    """A node on which rounds of `count` RPCs are under way."""
    bench = BenchNode(program)
    serves, asks = bench.task(), bench.task()
    receive, send = bench.port(serves, asks)
    bench.start(serves, server, 0, 0, receive)
    bench.start(asks, client, FOREVER, count, send)
    return bench


def local_rpc(effort: Effort) -> list[Figure]:
    count = effort.count(10_000)
    bench, bare = client_and_server(effort.guest, count), floors.rpc(effort.guest, count)
    value, floor = alternate(effort, bench.round, bare.round)
    bench.close()
    bare.close()
    return [Figure("local_rpc", value / count * US, "us", floor / count * US,
                   "two traps, two copies of 64 octets, two switches", Target(AT_MOST, 4))]


def region_rpc(effort: Effort) -> list[Figure]:
    count = effort.count(3_000)
    bench = client_and_server(effort.guest, count, "region-server", "region-client")
    null = client_and_server(effort.guest, count)
    value, floor = alternate(effort, bench.round, null.round)
    bench.close()
    null.close()
    return [Figure("region_rpc", value / count * US, "us", floor / count * US, "a null RPC", Target(AT_MOST, 2))]


def crowded_rpc(effort: Effort) -> list[Figure]:
    count = effort.count(10_000)
    crowded, empty = client_and_server(effort.guest, count), client_and_server(effort.guest, count)
    crowd(crowded)
    value, floor = alternate(effort, crowded.round, empty.round)
    crowded.close()
    empty.close()
    return [Figure("crowded_rpc", value / count * US, "us", floor / count * US, "the same on an empty node",
                   Target(AT_MOST, 1.2))]


def crowd(bench: BenchNode) -> None:
    """More tasks than a node will have, and ports in each of them."""
    for _ in range(CROWD_TASKS):
        task = bench.task()
        for _ in range(CROWD_PORTS // CROWD_TASKS):
            task.space.allocate(Right.RECEIVE)


LOCAL_RPC: Final = Benchmark("local_rpc", "a null RPC between two tasks of one node", local_rpc)
REGION_RPC: Final = Benchmark("region_rpc", "an RPC that carries a page out of line", region_rpc)
CROWDED_RPC: Final = Benchmark("crowded_rpc", "the null RPC with 1,000 tasks and 10,000 ports more", crowded_rpc)
