"""Disk images of nodes: building, reading and checking them.

Sector 0 is an MBR; partition 1 holds the boot archive: `boot.manifest`, `machine.toml`,
programs under `bin/`, other files.  Partition 3 is paging space, if the recipe asks for it.
The same recipe gives the same octets.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from machemu.errors import ConfigError
from machemu.image.archive import PROGRAMS, BadArchive, read_archive, write_archive
from machemu.image.manifest import Manifest, ManifestEntry, parse_manifest
from machemu.image.mbr import FIRST_SECTOR, SECTOR, TYPE_ARCHIVE, TYPE_PAGING, Partition, read_mbr, write_mbr
from machemu.image.program import program_problem
from machemu.image.recipe import BASE_PROGRAMS, Recipe, Source, read_recipe
from machemu.site.settings import SiteSettings

MANIFEST: Final = "boot.manifest"
MACHINE: Final = "machine.toml"
ALIGNMENT: Final = FIRST_SECTOR  # sectors: partitions begin and end at multiples of 1 MiB
PAGING_PARTITION: Final = 3  # 2 is for a file system
IDENTIFIER: Final = 0x4D00_0000  # of the disk, plus the node's number


@dataclass(frozen=True, slots=True)
class NodeImage:
    """A disk image that a node can boot."""

    number: int  # of the node
    name: str
    site: SiteSettings
    entries: tuple[ManifestEntry, ...]
    files: Mapping[str, bytes]  # of the archive, in its order
    machine_toml: str
    disk: bytes  # the whole image
    partitions: tuple[Partition, ...]


def build_image(recipe_path: Path, programs: Path, output: Path) -> None:
    """Make the image of a recipe.

    Args:
        programs: the folder of built programs.
    Raises ConfigError: a mistake in the recipe, or a file it names is missing or unfit.
        `output` is then left as it was.
    """
    recipe = read_recipe(recipe_path)
    disk = lay_out(recipe.manifest, _gather(recipe_path, recipe, programs), recipe.paging)
    problems, _ = examine(disk)
    if problems:
        raise ConfigError(f"{recipe_path}: {problems[0]}")
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(output.name + ".new")
    unfinished.write_bytes(disk)
    unfinished.replace(output)


def lay_out(manifest: Manifest, files: Mapping[str, bytes], paging: int = 0) -> bytes:
    """The octets of a disk whose archive holds `manifest` and then `files`.

    Args:
        paging: octets of paging space.
    """
    archive = write_archive({MANIFEST: manifest.text().encode(), **files})
    sectors, paging_sectors = _aligned(len(archive)), _aligned(paging)
    partitions = [Partition(1, TYPE_ARCHIVE, FIRST_SECTOR, sectors)]
    if paging:
        partitions.append(Partition(PAGING_PARTITION, TYPE_PAGING, FIRST_SECTOR + sectors, paging_sectors))
    table = write_mbr(IDENTIFIER | manifest.number, tuple(partitions))
    return (table.ljust(FIRST_SECTOR * SECTOR, b"\0") + archive.ljust(sectors * SECTOR, b"\0")
            + bytes(paging_sectors * SECTOR))


def _aligned(octets: int) -> int:
    """Sectors of a partition that holds so much."""
    return -(-octets // (SECTOR * ALIGNMENT)) * ALIGNMENT


def _gather(recipe_path: Path, recipe: Recipe, programs: Path) -> dict[str, bytes]:
    files = {MACHINE: _read(recipe_path, recipe.machine)}
    for source in recipe.sources:
        files[source.path] = _octets(recipe_path, source, programs)
    return files


def _octets(recipe_path: Path, source: Source, programs: Path) -> bytes:
    if source.text is not None:
        return source.text.encode()
    if source.program is None:
        assert source.file is not None
        return _read(recipe_path, source.file)
    path = programs / source.program
    if not path.is_file():
        raise ConfigError(f'{recipe_path}: there is no built program "{source.program}" in {programs}')
    return _read(recipe_path, path)


def _read(recipe_path: Path, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{recipe_path}: {path}: {error.strerror}") from None


def read_image(path: Path) -> NodeImage:
    """Raises ConfigError: no such file, or no image that a node can boot."""
    problems, image = examine(_open(path))
    if image is None or problems:
        raise ConfigError(f"{path}: {problems[0]}")
    return image


def check_image(path: Path) -> list[str]:
    """What is wrong with an image, one line each; none: nothing."""
    return [f"{path}: {problem}" for problem in examine(_open(path))[0]]


def _open(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def examine(disk: bytes) -> tuple[list[str], NodeImage | None]:
    """What is wrong with a disk, and what it holds as far as it can be read."""
    partitions, problems = read_mbr(disk)
    if problems:
        return problems, None
    first = next((each for each in partitions if each.number == 1), None)
    if first is None:
        return ["there is no partition 1, which holds the boot archive"], None
    if first.kind != TYPE_ARCHIVE:
        return [f"partition 1: its type is {first.kind:#04x} instead of {TYPE_ARCHIVE:#04x}"], None
    try:
        files = read_archive(disk[first.start * SECTOR : first.end * SECTOR])
    except BadArchive as error:
        return [f"partition 1, {error}"], None
    missing = [name for name in (MANIFEST, MACHINE, *(f"{PROGRAMS}{name}" for name in BASE_PROGRAMS))
               if name not in files]
    if missing:
        return [f"partition 1: the archive has no {name}" for name in missing], None
    return _examine_files(disk, partitions, files)


def _examine_files(disk: bytes, partitions: tuple[Partition, ...],
                   files: dict[str, bytes]) -> tuple[list[str], NodeImage | None]:
    try:
        manifest = parse_manifest(files[MANIFEST].decode(), MANIFEST)
        machine = files[MACHINE].decode()
        tomllib.loads(machine)
    except ConfigError as error:
        return [str(error)], None
    except tomllib.TOMLDecodeError as error:
        return [f"{MACHINE}: {error}"], None
    except UnicodeDecodeError as error:
        return [f"{MANIFEST} or {MACHINE}: octet {error.start} is not UTF-8"], None
    problems = [f'{MANIFEST}: entry "{entry.name}" starts {entry.path}, which is not in the archive'
                for entry in manifest.entries if entry.path not in files]
    started = {entry.path for entry in manifest.entries}
    for path, data in files.items():
        if path.startswith(PROGRAMS) or path in started:
            problem = program_problem(data)
            if problem:
                problems.append(f"{path}: {problem}")
    return problems, NodeImage(manifest.number, manifest.name, manifest.site, manifest.entries, files, machine, disk,
                               partitions)
