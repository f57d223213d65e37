"""`machemu image`: build, list and check the disk images of nodes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final

import typer

from machemu.errors import ConfigError

DIGEST_SHOWN: Final = 12  # hexadecimal digits of a SHA-256

image_app: Final = typer.Typer(no_args_is_help=True, help="Build, list and check disk images.")

Images = Annotated[list[Path], typer.Argument(help="Disk images.", metavar="IMG...")]


@image_app.command()
def build(
    recipe: Annotated[Path, typer.Argument(help="A recipe, TOML.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image to write.")],
    programs: Annotated[Path | None, typer.Option(help="Folder of built programs; else the packaged ones.")] = None,
) -> None:
    """Make a disk image from a recipe.  The same recipe gives the same octets."""
    from machemu.image.disk_image import build_image

    build_image(recipe, packaged_programs() if programs is None else programs, output)


@image_app.command("list")
def list_(images: Images) -> None:
    """Show what is on a disk image: partitions, boot entries, files."""
    for path in images:
        _list_one(path)


@image_app.command()
def check(images: Images) -> None:
    """Say what is wrong with a disk image.  Exit status 1 if anything is."""
    from machemu.image.disk_image import check_image

    failed = False
    for path in images:
        problems = check_image(path)
        failed = failed or bool(problems)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        typer.echo(problems[0] + more if problems else f"{path}: good")
    if failed:
        raise typer.Exit(1)


def packaged_programs() -> Path:
    """The folder of programs that came with machemu or were built in the checkout."""
    import machemu

    folder = Path(machemu.__file__).parent / "_built" / "programs"
    if not folder.is_dir():
        raise ConfigError("no programs were built; run `make images`, or name a folder with --programs")
    return folder


def _list_one(path: Path) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from machemu.image.disk_image import read_image
    from machemu.site.settings import SWITCHES

    image = read_image(path)
    site = image.site
    console = Console(highlight=False)
    options = [name.replace("_", " ") for name in SWITCHES if getattr(site, name)]
    console.print(f"{escape(str(path))}: node {image.number} {image.name}, suite {site.suite}"
                  + (f", {', '.join(options)}" if options else "") + f", {len(image.disk)} octets")
    partitions = Table("partition", "type", "first sector", "sectors")
    for each in image.partitions:
        partitions.add_row(str(each.number), f"{each.kind:#04x}", str(each.start), str(each.sectors))
    entries = Table("boot entry", "program", "flags", "personality", "arguments")
    for entry in image.entries:
        entries.add_row(escape(entry.name), escape(entry.path), ",".join(sorted(entry.flags)) or "-",
                        escape(entry.personality or "-"), escape(" ".join(entry.arguments)))
    files = Table("file", "octets", "sha256")
    for name, data in image.files.items():
        files.add_row(escape(name), str(len(data)), hashlib.sha256(data).hexdigest()[:DIGEST_SHOWN])
    for table in (partitions, entries, files):
        console.print(table)
