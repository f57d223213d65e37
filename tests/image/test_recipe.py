"""Recipes are read strictly: a mistake is one line with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from machemu.errors import ConfigError
from machemu.image.recipe import read_recipe
from tests.support.images import RECIPE, write_recipe

IMAGES = Path(__file__).resolve().parents[2] / "images"


def test_recipe_gives_entries_in_order_and_base_programs_first(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path))
    assert (recipe.manifest.number, recipe.manifest.name, recipe.manifest.site.lab) == (7, "seven", True)
    job = recipe.manifest.entries[1]
    assert (job.name, job.path, job.personality, job.arguments) == ("job", "bin/job", "acs", ("100 %", "two"))
    assert job.main
    assert [source.path for source in recipe.sources] == [
        "bin/bootstrap", "bin/proc", "bin/extra", "bin/acs", "bin/job", "etc/motd"]


@pytest.mark.parametrize(("old", "new", "said"), [
    ('name = "seven"', "", "name: is missing"),
    ("node = 7", "node = 0", "node: 0 is not from 1"),
    ("node = 7", 'node = "7"', "node: '7' is not a number"),
    ("node = 7", "node = true", "node: True is not a number"),
    ("node = 7", "node = 7\ncolour = 3", "colour: unknown key; known are"),
    ('machine = "machine.toml"', 'machine = "cray"', 'machine: no description "cray"'),
    ('machine = "machine.toml"', 'machine = "../x"', "machine: "),
    ("[site]", "[sight]", "site: is missing"),
    ('suite = "none"', 'suite = "noun"', 'site.suite: "noun" is none of'),
    ("lab = true", "lab = 1", "site.lab: 1 is not true or false"),
    ("lab = true", "lap = true", "site.lap: unknown key"),
    ('name = "job"', 'name = "acs"', 'boot[2].name: a second entry "acs"'),
    ('name = "job"', 'name = "a job"', 'boot[2].name: "a job" is not'),
    ('flags = ["main"]', 'flags = ["mane"]', 'boot[2].flags: "mane" is none of'),
    ('flags = ["main"]', "flags = [1]", "boot[2].flags: 1 is not a text"),
    ('flags = ["main"]', 'flags = "main"', "boot[2].flags: 'main' is not a list"),
    ('args = ["100 %", "two"]', 'args = [""]', "boot[2].args: an argument is empty"),
    ('personality = "acs"', 'personality = "unix"', 'boot[2].personality: no entry "unix"'),
    ('program = "job"', "", "boot[2].program: give either"),
    ('program = "job"', 'program = "job"\nfile = "job"', "boot[2].program: give either"),
    ('path = "etc/motd"', 'path = "../motd"', "file[1].path: "),
    ('path = "etc/motd"', 'path = "bin/job"', "file[1].path: a second file bin/job"),
    ('path = "etc/motd"', 'path = "boot.manifest"', "file[1].path: a second file boot.manifest"),
    ('text = "Welcome\\n"', "", "file[1].source: give either"),
    ("[[boot]]", "[boot", "(at line"),
])
def test_mistake_is_one_line_with_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RECIPE
    path = write_recipe(tmp_path, RECIPE.replace(old, new, 1) if old != 'flags = ["main"]' else
                        RECIPE.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_recipe(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert said in text
    assert "\n" not in text


def test_recipe_without_entries_is_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, RECIPE[: RECIPE.index("[[boot]]")])
    with pytest.raises(ConfigError, match="boot: is missing"):
        read_recipe(path)


def test_recipe_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("path", sorted(IMAGES.glob("*.toml")), ids=lambda path: path.name)
def test_packaged_recipe_can_be_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.manifest.name == path.stem
    assert any(entry.main for entry in recipe.manifest.entries)
