"""`machemu image build|list|check`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from machemu.cli.image import image_app
from tests.support.images import make_image, put, write_recipe

RUN = CliRunner(env={"COLUMNS": "120"})


def test_build_then_list_shows_partition_entries_and_files(tmp_path: Path) -> None:
    recipe, image = write_recipe(tmp_path), tmp_path / "out" / "seven.img"
    built = RUN.invoke(image_app, ["build", str(recipe), "-o", str(image), "--programs", str(tmp_path / "programs")])
    assert built.exit_code == 0, built.output
    listed = RUN.invoke(image_app, ["list", str(image)])
    assert listed.exit_code == 0
    for shown in ("node 7 seven, suite none, lab", "0xda", "bin/job", "100 % two", "etc/motd", "main"):
        assert shown in listed.output


def test_check_of_a_good_image_says_so(tmp_path: Path) -> None:
    image = make_image(tmp_path)
    result = RUN.invoke(image_app, ["check", str(image)])
    assert (result.exit_code, result.output) == (0, f"{image}: good\n")


def test_check_of_a_bad_image_prints_one_line_and_fails(tmp_path: Path) -> None:
    image = make_image(tmp_path)
    put(image, 510, b"XX")
    result = RUN.invoke(image_app, ["check", str(image)])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "sector 0" in result.output
