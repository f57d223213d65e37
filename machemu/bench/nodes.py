"""Whole nodes: boot, memory, the null RPC over the wire."""

from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from machemu.bench import floors
from machemu.bench.guest import FOREVER, Stopwatch
from machemu.bench.measure import AT_MOST, Benchmark, Effort, Figure, Target, alternate
from machemu.bench.rpc import client_and_server
from machemu.cluster.lan import Lan
from machemu.cluster.segment import Segment
from machemu.errors import ConfigError
from machemu.image.disk_image import NodeImage, build_image, read_image
from machemu.kernel.events import MessageSent
from machemu.node.node import Node

US: Final = 1e6
MIB: Final = 1 << 20
REGISTERED: Final = 0x4001 + 100  # msgh_id of acs_register's reply
BOOT_LIMIT_NS: Final = 10_000_000_000
FRAME: Final = 192  # octets of the frame that carries a null RPC's message

HEAD: Final = """\
node = {number}
name = "{name}"
machine = "workstation"
[site]
suite = "none"
lab = true
[[boot]]
name = "acs"
program = "acs"
flags = ["ready"]
[[boot]]
name = "gns"
program = "gns"
flags = ["ready", "host", "device"]
"""
SERVER: Final = HEAD + """\
[[boot]]
name = "bench"
program = "bench"
flags = ["ready"]
args = ["echo", "0", "0"]
"""
CLIENT: Final = HEAD + """\
[[boot]]
name = "client"
program = "bench"
args = ["client", "{rounds}", "{count}"]
"""


def image(programs: Path, recipe: str, **values: object) -> NodeImage:
    """A node's image from the text of a recipe."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.toml"
        path.write_text(recipe.format(**values), encoding="utf-8")
        build_image(path, programs, path.with_suffix(".img"))
        return read_image(path.with_suffix(".img"))


def boot_single(path: Path) -> tuple[float, Node]:
    """Boot the packaged one-node image until every server has its name; seconds, and the node."""
    started = time.perf_counter()
    single = read_image(path)
    wanted = sum("ready" in entry.flags for entry in single.entries) - 1  # the ACS itself has none
    node = Node.from_image(single, seed=1)
    registered = 0

    def watch(sent: MessageSent) -> None:
        nonlocal registered
        registered += sent.ident == REGISTERED

    node.kernel.events.message_sent.attach(watch)
    lan = Lan([node], Segment())
    lan.run(BOOT_LIMIT_NS, lambda: "booted" if registered >= wanted else None)
    seconds = time.perf_counter() - started
    if registered < wanted:
        raise ConfigError(f"bench: only {registered} of {wanted} servers have registered")
    return seconds, node


def boot(effort: Effort) -> list[Figure]:
    path = effort.built / "images" / "single.img"
    seconds: list[float] = []
    least: list[float] = []
    bare = floors.trap(effort.guest, 10_000)
    for _ in range(effort.rounds + 1):
        taken, node = boot_single(path)
        seconds.append(taken)
        counters = node.kernel.counters
        least.append(bare.round()[0] / 10_000 * (counters.traps + counters.faults))
        node.close()
    bare.close()
    return [Figure("boot", statistics.median(seconds[1:]), "s", statistics.median(least[1:]),
                   "as many empty traps as the boot takes", Target(AT_MOST, 1.0, of_value=True))]


MEASURE_MEMORY: Final = """
import sys
from pathlib import Path
from machemu.bench.nodes import boot_single, peak_memory
before = peak_memory()
seconds, node = boot_single(Path(sys.argv[1]))
print(before, peak_memory())
"""


def peak_memory() -> int:
    """The most memory this process has had resident, octets."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:  # not Linux; there, getrusage would count the process this one was forked from
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) * 1024


def memory(effort: Effort) -> list[Figure]:
    """Of a process that boots one node, in a process of its own."""
    path = effort.built / "images" / "single.img"
    done = subprocess.run([sys.executable, "-c", MEASURE_MEMORY, str(path)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise ConfigError(f"bench: the measured process failed: {done.stderr.strip().splitlines()[-1]}")
    before, after = (int(word) / MIB for word in done.stdout.split())
    return [Figure("memory", after, "MiB", before, "the same process without the node",
                   Target(AT_MOST, 80, of_value=True))]


class RemoteBench:
    """Two nodes: a client on one, its server on the other."""

    def __init__(self, programs: Path, count: int) -> None:
        images = [image(programs, CLIENT, number=1, name="a", rounds=FOREVER, count=count),
                  image(programs, SERVER, number=2, name="b")]
        self.nodes = [Node.from_image(each, seed=each.number) for each in images]
        self.watch = Stopwatch()
        self.nodes[0].kernel.events.step_announced.attach(self.watch.announced)
        self._lan = Lan(self.nodes, Segment(seed=1))

    def round(self) -> list[float]:
        """Run until a round has ended; its seconds."""
        self._lan.advance(None, lambda: "a round" if self.watch.rounds else None)
        if not self.watch.rounds:
            raise ConfigError("bench: the client never finished a round over the wire")
        return self.watch.take()

    def close(self) -> None:
        self._lan.close()


def copy_frames(count: int) -> list[float]:
    """Seconds that copying `count` frames from one RAM to another takes."""
    source, target = memoryview(bytearray(MIB)), memoryview(bytearray(MIB))
    started = time.perf_counter()
    for place in range(0, count * 256 % MIB or 256, 256):
        target[place:place + FRAME] = source[place:place + FRAME]
    return [(time.perf_counter() - started) / (count * 256 % MIB or 256) * 256 * count]


def remote_rpc(effort: Effort) -> list[Figure]:
    count, local_count = effort.count(300), effort.count(5_000)
    remote, local = RemoteBench(effort.programs, count), client_and_server(effort.guest, local_count)
    value, near, frames = alternate(effort, remote.round, local.round, lambda: copy_frames(local_count))
    remote.close()
    local.close()
    floor = 2 * near / local_count + 2 * frames / local_count
    return [Figure("remote_rpc", value / count * US, "us", floor * US, "two local RPCs and two frame copies",
                   Target(AT_MOST, 25))]


BOOT: Final = Benchmark("boot", "power-on until every server has registered", boot)
MEMORY: Final = Benchmark("memory", "a process that boots one node", memory)
REMOTE_RPC: Final = Benchmark("remote_rpc", "a null RPC between two nodes", remote_rpc)
