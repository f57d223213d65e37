"""A run is a function of images, seed and input."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from machemu.image.disk_image import read_image
from machemu.testing.runs import BUILT

IMAGES = [BUILT / "images" / f"{name}.img" for name in ("alpha", "beta")]


def trace_of(folder: Path, name: str, *options: str) -> tuple[bytes, str]:
    """The trace of a run in a process of its own, and its consoles."""
    trace = folder / f"{name}.jsonl"
    done = subprocess.run([sys.executable, "-m", "machemu", "boot", *map(str, IMAGES), "--trace", str(trace), *options],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return trace.read_bytes(), done.stdout


def trace_here(folder: Path, name: str) -> bytes:
    """The trace of a run in this process."""
    from machemu.cluster.lan import Lan
    from machemu.cluster.segment import Segment
    from machemu.node.node import Node
    from machemu.trace.recorder import Recorder, TraceFile

    path = folder / f"{name}.jsonl"
    nodes = [Node.from_image(image, seed=image.number) for image in map(read_image, IMAGES)]
    lan = Lan(nodes, Segment(seed=0))
    with path.open("w", encoding="utf-8") as stream:
        sink = TraceFile(stream)
        recorder = Recorder(lan, sink)
        sink(recorder.header(nodes[0].machine.clock.kind, 0))
        lan.run()
    lan.close()
    return path.read_bytes()


def by_node(consoles: str) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for line in consoles.splitlines():
        node, _, text = line.partition(" | ")
        lines.setdefault(node.strip(), []).append(text)
    return lines


def test_same_trace_twice_in_one_process_and_in_two(tmp_path: Path) -> None:
    first, printed = trace_of(tmp_path, "first")
    second, printed_again = trace_of(tmp_path, "second")
    digests = {hashlib.sha256(octets).hexdigest() for octets in (
        first, second, trace_here(tmp_path, "third"), trace_here(tmp_path, "fourth"))}
    assert len(digests) == 1
    assert printed == printed_again


def test_another_seed_with_losses_gives_another_trace_and_the_same_output(tmp_path: Path) -> None:
    first, printed = trace_of(tmp_path, "first", "--seed", "1", "--loss", "0.05")
    second, printed_again = trace_of(tmp_path, "second", "--seed", "2", "--loss", "0.05")
    assert first != second
    assert by_node(printed)["alpha"] != []
    for node in ("alpha", "beta"):
        assert sorted(by_node(printed)[node]) == sorted(by_node(printed_again)[node])


def test_first_line_names_the_clock(tmp_path: Path) -> None:
    first = trace_here(tmp_path, "one").split(b"\n")[0]
    assert first == b'{"t":0,"node":"","seq":0,"event":"trace","format":1,"clock":"bytes","seed":0}'
