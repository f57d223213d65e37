"""`machemu boot`: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from machemu.image.disk_image import build_image
from machemu.testing.runs import BUILT
from tests.cli.conftest import Machemu
from tests.support.lab import COUNTER, Entry, NodeRecipe, alone, main, pair

MBR_SIGNATURE, FIRST_ENTRY = 510, 446  # octets


def image(recipe: NodeRecipe, folder: Path) -> Path:
    text = folder / f"{recipe.name}.toml"
    text.write_text(recipe.write(folder), encoding="utf-8")
    build_image(text, BUILT / "programs", text.with_suffix(".img"))
    return text.with_suffix(".img")


@pytest.fixture
def single(tmp_path: Path) -> Path:
    return image(alone(COUNTER, main("client", "counter_client")), tmp_path)


def test_consoles_stand_behind_their_nodes(machemu: Machemu, single: Path) -> None:
    ended = machemu("boot", single)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "alone | counter: 10 additions made 55"
    assert all(line.startswith("alone | ") for line in lines)


def test_one_console_as_it_is(machemu: Machemu, single: Path) -> None:
    assert machemu("boot", single, "--console", "alone").out.startswith("counter: 10 additions made 55\n")
    ended = machemu("boot", single, "--console", "beta")
    assert (ended.status, ended.err) == (1, "machemu: --console beta: there is no such node; the images hold alone\n")


def test_main_that_fails_decides_the_status(machemu: Machemu, tmp_path: Path) -> None:
    path = image(alone(main("seven", "", "7", source="status"), main("fine", "", "0", source="status")), tmp_path)
    ended = machemu("boot", path)
    assert (ended.status, ended.err) == (1, "machemu: alone/seven returned 7\n")


def test_main_that_never_ends_is_named_when_time_is_up(machemu: Machemu, tmp_path: Path) -> None:
    path = image(alone(main("sleeper", "", "sleep", source="status")), tmp_path)
    assert machemu("boot", path, "--for", "200ms").status == 0, "it was stopped as asked"
    three = main("three", "", "3", source="status")
    path = image(alone(main("sleeper", "", "sleep", source="status"), three), tmp_path)
    ended = machemu("boot", path, "--for", "200ms")
    assert (ended.status, ended.err) == (
        1, "machemu: alone/sleeper has not ended (time is up: 0.2 s)\nmachemu: alone/three returned 3\n")


def test_steps_are_printed_with_what_they_stand_for(machemu: Machemu, tmp_path: Path) -> None:
    here, there = (image(recipe, tmp_path) for recipe in pair([main("client", "counter_client")], [COUNTER]))
    ended = machemu("boot", here, there, "--steps")
    assert ended.status == 0
    lines = ended.out.splitlines()
    steps = [(number, line.split()[2]) for number, line in enumerate(lines) if " ms  res." in line]
    names = [name for _, name in steps]
    first = names.index("res.2") - 1
    assert names[first:first + 12] == ["res.1", "res.2", "res.3", "res.4", "res.5", "res.6", "res.6a", "res.7",
                                       "res.8", "res.9", "res.10", "res.11"]
    assert all(lines[number + 1].split()[0] in ("message", "frame") for number, _ in steps)
    assert "2 nodes, " in lines[-1]
    assert "frames" in lines[-1]


def test_until_stops_at_a_step(machemu: Machemu, tmp_path: Path) -> None:
    here, there = (image(recipe, tmp_path) for recipe in pair([main("client", "counter_client")], [COUNTER]))
    trace = tmp_path / "trace.jsonl"
    ended = machemu("boot", here, there, "--until", "res.6", "--trace", trace)
    assert ended.status == 0
    steps = [event["step"] for event in map(json.loads, trace.read_text().splitlines()) if event["event"] == "step"]
    assert steps[-1] == "res.6"


def test_trace_can_be_read_as_text(machemu: Machemu, single: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    machemu("boot", single, "--trace", trace)
    text = machemu("trace", trace, "--to", "text")
    assert text.status == 0
    assert "client -> counter counter.counter_add(5)" in text.out
    as_json = machemu("trace", trace, "--to", "json")
    assert as_json.out == trace.read_text()


@pytest.mark.parametrize(("content", "told"), [
    pytest.param("", "an empty file", id="empty"),
    pytest.param("hello\n", "not a trace", id="text"),
    pytest.param('{"t":0}\n', "not a trace event", id="fields missing"),
    pytest.param('{"t":1,"node":"","seq":1,"event":"step"}\n', "the first line must be the event", id="no header"),
])
def test_what_is_no_trace_is_refused_in_one_line(machemu: Machemu, tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    ended = machemu("trace", path)
    assert ended.status == 1
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_unknown_form_is_told(machemu: Machemu, tmp_path: Path) -> None:
    assert "there is text, json" in machemu("trace", tmp_path / "x", "--to", "pdf").err


# --- bad input ------------------------------------------------------------------------


def refused(machemu: Machemu, *images: Path) -> str:
    """The one line that says why these are not booted."""
    ended = machemu("boot", *images)
    assert ended.status == 1
    assert ended.err.startswith("machemu: ")
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    return ended.err


@pytest.mark.parametrize("octets", [0, 100, 511, 512, 1 << 20, (1 << 20) + 700])
def test_truncated_image(machemu: Machemu, single: Path, octets: int) -> None:
    single.write_bytes(single.read_bytes()[:octets])
    assert f"{single}: " in refused(machemu, single)


def test_wrong_partition_table(machemu: Machemu, single: Path) -> None:
    disk = bytearray(single.read_bytes())
    disk[MBR_SIGNATURE] = 0
    single.write_bytes(disk)
    assert "partition table" in refused(machemu, single)


def test_partition_beyond_the_disk(machemu: Machemu, single: Path) -> None:
    disk = bytearray(single.read_bytes())
    disk[FIRST_ENTRY + 12:FIRST_ENTRY + 16] = (1 << 30).to_bytes(4, "little")
    single.write_bytes(disk)
    assert "partition 1" in refused(machemu, single)


def test_program_for_another_machine(machemu: Machemu, single: Path) -> None:
    disk = single.read_bytes()
    start = disk.index(b"\x7fELF")
    single.write_bytes(disk[:start + 18] + b"\x3e\0" + disk[start + 20:])
    assert "bin/bootstrap: an ELF file for x86-64 instead of RV64" in refused(machemu, single)


def test_manifest_that_names_a_missing_program(machemu: Machemu, single: Path) -> None:
    disk = single.read_bytes()
    assert disk.count(b"bin/counter_client ") == 1
    single.write_bytes(disk.replace(b"bin/counter_client ", b"bin/counter_cliext "))
    assert "which is not in the archive" in refused(machemu, single)


def test_two_nodes_with_one_number(machemu: Machemu, single: Path) -> None:
    assert "have the same number, 1" in refused(machemu, single, single)


def test_missing_image(machemu: Machemu, tmp_path: Path) -> None:
    assert "No such file" in refused(machemu, tmp_path / "none.img")


def test_recipe_instead_of_an_image(machemu: Machemu, tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(alone(Entry("x", "counter")).write(tmp_path), encoding="utf-8")
    assert "not a disk image" in refused(machemu, path)


def test_help_names_every_command(machemu: Machemu) -> None:
    ended = machemu("--help")
    assert ended.status == 0
    for command in ("boot", "task", "image", "cc", "mig", "trace", "bench"):
        assert command in ended.out
