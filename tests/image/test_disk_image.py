"""Disk images: built the same each time, readable by standard tools, checked to the octet."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from machemu.errors import ConfigError
from machemu.image.archive import RECORD, write_archive
from machemu.image.disk_image import build_image, check_image, examine, read_image
from machemu.image.mbr import FIRST_SECTOR, SECTOR, TABLE
from tests.support.images import PROGRAMS, RECIPE, elf, make_image, put, row, write_recipe

START = FIRST_SECTOR * SECTOR  # of the archive in the image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path)


def test_image_holds_what_the_recipe_says(image: Path) -> None:
    node = read_image(image)
    assert (node.number, node.name, node.site.suite) == (7, "seven", "none")
    assert list(node.files) == ["boot.manifest", "machine.toml", "bin/bootstrap", "bin/proc", "bin/extra", "bin/acs",
                                "bin/job", "etc/motd"]
    assert node.files["bin/job"] == elf(b"job")
    assert node.files["etc/motd"] == b"Welcome\n"
    assert node.machine_toml == "ram = 0x100_0000\n"
    assert [(each.number, each.start) for each in node.partitions] == [(1, FIRST_SECTOR)]
    assert node.disk == image.read_bytes()
    assert check_image(image) == []


def test_same_recipe_gives_the_same_octets(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    assert make_image(tmp_path / "one").read_bytes() == make_image(tmp_path / "other").read_bytes()


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar here")
def test_tar_reads_the_archive(image: Path, tmp_path: Path) -> None:
    archive = tmp_path / "partition"
    archive.write_bytes(image.read_bytes()[START:])
    listed = subprocess.run(["tar", "tf", archive], check=True, capture_output=True, text=True).stdout.split()
    assert listed == list(read_image(image).files)
    out = subprocess.run(["tar", "xOf", archive, "bin/job"], check=True, capture_output=True).stdout
    assert out == elf(b"job")


@pytest.mark.skipif(shutil.which("sfdisk") is None, reason="no sfdisk here")
def test_sfdisk_reads_the_partition_table(image: Path) -> None:
    dump = subprocess.run(["sfdisk", "--dump", image], check=True, capture_output=True, text=True).stdout
    assert "label: dos" in dump
    assert f"start={FIRST_SECTOR:>12}" in dump
    assert "type=da" in dump


# -- damage: one line that says what and where --------------------------------------------

def only_problem(image: Path) -> str:
    problems = check_image(image)
    assert len(problems) == 1, problems
    with pytest.raises(ConfigError) as caught:
        read_image(image)
    assert str(caught.value) == problems[0]
    assert problems[0].startswith(f"{image}: ")
    assert "\n" not in problems[0]
    return problems[0].removeprefix(f"{image}: ")


@pytest.mark.parametrize(("table", "said"), [
    pytest.param([row(0xDA, 2048, 999999)], "partition 1: ends at sector 1002047", id="beyond the end"),
    pytest.param([row(0xDA, 2048, 2048), row(0x83, 3000, 96)], "partitions 1 and 2 overlap, from sector 3000",
                 id="overlapping"),
    pytest.param([row(0x83, 2048, 2048)], "partition 1: its type is 0x83", id="wrong type"),
    pytest.param([row(0xDA, 0, 2048)], "partition 1: starts at sector 0", id="over the table itself"),
    pytest.param([row(0xDA, 2048, 0)], "partition 1: starts at sector 2048 and has 0", id="empty"),
    pytest.param([row(0, 0, 0)], "there is no partition 1", id="none"),
])
def test_bad_partition_table(image: Path, table: list[bytes], said: str) -> None:
    put(image, TABLE, b"".join(table))
    assert said in only_problem(image)


def test_bad_signature(image: Path) -> None:
    put(image, SECTOR - 2, b"\0\0")
    assert only_problem(image).startswith("sector 0: its last octets are 00 00 instead of 55 aa")


@pytest.mark.parametrize(("size", "said"), [
    (0, "0 octets, less than one sector"),
    (511, "511 octets, less than one sector"),
    (START, "partition 1: ends at sector 4096, but the image has only 2048"),
])
def test_truncated_image(image: Path, size: int, said: str) -> None:
    image.write_bytes(image.read_bytes()[:size])
    assert only_problem(image).startswith(said)


def test_image_cut_within_a_sector(image: Path) -> None:
    image.write_bytes(image.read_bytes() + b"more")
    assert only_problem(image) == "the last sector has 4 octets instead of 512: the image is truncated"


def test_damaged_archive_header(image: Path) -> None:
    put(image, START + 2, b"X")
    assert "partition 1, record 0: the header's checksum is" in only_problem(image)


def test_archive_of_another_format(image: Path) -> None:
    put(image, START, b"\1" * 512)
    assert "partition 1, record 0: the header's checksum is no number" in only_problem(image)


def test_archive_without_end(image: Path) -> None:
    put(image, TABLE, row(0xDA, FIRST_SECTOR, 4))
    said = only_problem(image)
    assert said == "partition 1, record 4: the archive ends without its two zero records"


def test_file_beyond_the_partition(image: Path) -> None:
    put(image, TABLE, row(0xDA, FIRST_SECTOR, 5))
    assert only_problem(image) == "partition 1, record 4: bin/bootstrap has 129 octets, but only 0 are left"


@pytest.mark.parametrize("missing", ["boot.manifest", "machine.toml", "bin/bootstrap", "bin/proc"])
def test_archive_without_what_a_boot_needs(image: Path, missing: str) -> None:
    files = dict(read_image(image).files)
    del files[missing]
    put(image, START, write_archive(files))
    assert only_problem(image) == f"partition 1: the archive has no {missing}"


def test_manifest_that_names_a_missing_program(image: Path) -> None:
    files = dict(read_image(image).files)
    del files["bin/job"]
    put(image, START, write_archive(files))
    assert only_problem(image) == 'boot.manifest: entry "job" starts bin/job, which is not in the archive'


@pytest.mark.parametrize(("name", "octets", "said"), [
    ("boot.manifest", b"machemu-manifest 1\nnode\n", "boot.manifest:2: node: expected"),
    ("boot.manifest", b"\xff", "boot.manifest or machine.toml: octet 0 is not UTF-8"),
    ("machine.toml", b"ram = \n", "machine.toml: "),
    ("bin/job", elf(machine=62), "bin/job: an ELF file for x86-64 instead of RV64"),
    ("bin/job", elf(machine=999), "bin/job: an ELF file for machine 999 instead of RV64"),
    ("bin/job", elf(ident=b"\x01\x01\x01"), "bin/job: a 32-bit little-endian ELF file"),
    ("bin/job", elf(ident=b"\x02\x02\x01"), "bin/job: a 64-bit big-endian ELF file"),
    ("bin/job", elf(kind=1), "bin/job: an ELF file, but a relocatable file"),
    ("bin/job", elf(b"text")[:-1], "bin/job: an ELF file cut off: segment 0 ends at octet 124 of 123"),
    ("bin/job", elf()[:100], "bin/job: an ELF file cut off after 100 octets, within"),
    ("bin/job", elf()[:20], "bin/job: an ELF file cut off after 20 octets"),
    ("bin/job", b"#!/bin/sh\n", "bin/job: not an ELF file"),
    ("bin/job", b"", "bin/job: not an ELF file"),
])
def test_bad_file_in_the_archive(image: Path, name: str, octets: bytes, said: str) -> None:
    put(image, START, write_archive({**read_image(image).files, name: octets}).ljust(1 << 16, b"\0"))
    assert only_problem(image).startswith(said)


def test_each_bad_program_gets_a_line(image: Path) -> None:
    put(image, START, write_archive({**read_image(image).files, "bin/acs": b"", "bin/job": b""}))
    assert [problem.split(": ")[1] for problem in check_image(image)] == ["bin/acs", "bin/job"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_damage_is_told_or_harmless(image: Path, data: st.DataObject) -> None:
    disk = bytearray(image.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(440, SECTOR - 1), st.integers(START, START + 20 * RECORD)))
        disk[at] = data.draw(st.integers(0, 255))
    problems, node = examine(bytes(disk))
    assert all(problem and "\n" not in problem for problem in problems)
    assert problems or node is not None


# -- building ------------------------------------------------------------------------------

def test_recipe_that_names_an_unbuilt_program_is_refused(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    (tmp_path / "programs" / "job").unlink()
    with pytest.raises(ConfigError, match='there is no built program "job"'):
        build_image(recipe, tmp_path / "programs", tmp_path / "x.img")
    assert not (tmp_path / "x.img").exists()


def test_program_for_another_machine_is_refused(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    (tmp_path / "programs" / "proc").write_bytes(elf(machine=62))
    with pytest.raises(ConfigError, match="bin/proc: an ELF file for x86-64"):
        build_image(recipe, tmp_path / "programs", tmp_path / "x.img")


def test_files_may_lie_beside_the_recipe(tmp_path: Path) -> None:
    text = RECIPE.replace('program = "job"', 'file = "mine.elf"').replace('text = "Welcome\\n"', 'source = "motd"')
    (tmp_path / "mine.elf").write_bytes(elf(b"mine"))
    (tmp_path / "motd").write_bytes(b"hello")
    files = read_image(make_image(tmp_path, text)).files
    assert (files["bin/mine.elf"], files["etc/motd"]) == (elf(b"mine"), b"hello")


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="motd: No such file"):
        make_image(tmp_path, RECIPE.replace('text = "Welcome\\n"', 'source = "motd"'))


def test_programs_under_one_name_are_stored_once(tmp_path: Path) -> None:
    again = RECIPE + '\n[[boot]]\nname = "job2"\nprogram = "job"\n'
    node = read_image(make_image(tmp_path, again))
    assert [entry.path for entry in node.entries] == ["bin/acs", "bin/job", "bin/job"]
    assert len([path for path in node.files if path.startswith("bin/")]) == len(PROGRAMS)
