"""Programs, recipes and images made for a test, without a compiler."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from machemu.image.disk_image import build_image
from machemu.image.program import EXECUTABLE, HEADER, MACHINE, MAGIC, SEGMENT, SEGMENT_LOAD

RECIPE: Final = """\
node = 7
name = "seven"
machine = "machine.toml"
programs = ["extra"]

[site]
suite = "none"
lab = true

[[boot]]
name = "acs"
program = "acs"
flags = ["ready"]

[[boot]]
name = "job"
program = "job"
personality = "acs"
flags = ["main"]
args = ["100 %", "two"]

[[file]]
path = "etc/motd"
text = "Welcome\\n"
"""
PROGRAMS: Final = ("bootstrap", "proc", "acs", "job", "extra")


def elf(text: bytes = b"", *, machine: int = MACHINE, kind: int = EXECUTABLE, ident: bytes = b"\x02\x01\x01") -> bytes:
    """An executable that has one segment of `text`."""
    start = HEADER.size + SEGMENT.size
    header = HEADER.pack(MAGIC + ident.ljust(12, b"\0"), kind, machine, 1, 0x10000, HEADER.size, 0, 0, HEADER.size,
                         SEGMENT.size, 1, 0, 0, 0)
    return header + SEGMENT.pack(SEGMENT_LOAD, 5, start, 0x10000, 0x10000, len(text), len(text), 4096) + text


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    """A recipe in `folder`, with its machine and programs beside it."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (programs / name).write_bytes(elf(name.encode()))
    (folder / "machine.toml").write_text("ram = 0x100_0000\n", encoding="utf-8")
    recipe = folder / "seven.toml"
    recipe.write_text(text, encoding="utf-8")
    return recipe


def make_image(folder: Path, text: str = RECIPE) -> Path:
    recipe = write_recipe(folder, text)
    image = folder / "seven.img"
    build_image(recipe, folder / "programs", image)
    return image


def put(image: Path, offset: int, octets: bytes) -> None:
    """Overwrite part of an image."""
    data = bytearray(image.read_bytes())
    data[offset : offset + len(octets)] = octets
    image.write_bytes(data)


def row(kind: int, start: int, sectors: int) -> bytes:
    """A row of a partition table."""
    return struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, sectors)
