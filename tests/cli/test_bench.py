"""`machemu bench`: figures with their floors.  How fast they are is no matter for a test."""

from __future__ import annotations

import json

from tests.cli.conftest import Machemu


def test_figures_are_one_json_object_with_their_floors(machemu: Machemu) -> None:
    ended = machemu("bench", "null_trap", "page_fault", "--quick", "--json")
    assert ended.status == 0
    figures = json.loads(ended.out)
    assert list(figures) == ["null_trap", "page_fault"]
    for figure in figures.values():
        assert figure["value"] > 0
        assert figure["floor"] > 0
        assert abs(figure["ratio"] - figure["value"] / figure["floor"]) < 0.01 * figure["ratio"]
        assert figure["unit"] == "us"


def test_line_for_people_says_whether_the_target_is_reached(machemu: Machemu) -> None:
    ended = machemu("bench", "local_rpc", "--quick")
    assert ended.out.startswith("local_rpc ")
    assert "floor" in ended.out
    assert "at most 4: " in ended.out


def test_measurements_are_listed(machemu: Machemu) -> None:
    names = [line.split()[0] for line in machemu("bench", "--list").out.splitlines()]
    assert names == ["null_trap", "local_rpc", "region_rpc", "crowded_rpc", "context_switch", "page_fault",
                     "guest_speed", "boot", "remote_rpc", "memory"]


def test_unknown_measurement_is_told(machemu: Machemu) -> None:
    ended = machemu("bench", "speed")
    assert ended.status == 1
    assert "bench: no measurement speed (there are null_trap," in ended.err
