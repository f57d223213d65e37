"""`machemu mig`: compile an interface to C stubs, or to a table for Python."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from machemu.errors import ConfigError


def mig(
    file: Annotated[Path, typer.Argument(help="The interface, in MIG's language.", metavar="FILE.defs")],
    include: Annotated[list[Path] | None, typer.Option(
        "-I", help="Search this folder for included .defs files, before Mach's own.", metavar="DIR")] = None,
    define: Annotated[list[str] | None, typer.Option(
        "-D", help="Define a macro; without a value it is 1.", metavar="NAME[=VALUE]")] = None,
    output: Annotated[Path | None, typer.Option(
        "-o", help="Folder for the files when none is named (default: the current one).", metavar="DIR")] = None,
    header: Annotated[Path | None, typer.Option(help="Write the header of the callers here.", metavar="F")] = None,
    sheader: Annotated[Path | None, typer.Option(help="Write the header of the server here.", metavar="F")] = None,
    user: Annotated[Path | None, typer.Option(help="Write the stubs that send requests here.", metavar="F")] = None,
    server: Annotated[Path | None, typer.Option(help="Write the stubs that serve them here.", metavar="F")] = None,
    python: Annotated[Path | None, typer.Option(help="Write the table for Python here.", metavar="F")] = None,
) -> None:
    """Compile an interface.

    With no file named it writes FILE.h, FILE_server.h, FILE_user.c and FILE_server.c.
    """
    from machemu import mig as compiler
    from machemu.sdk.layout import Built

    emitters = (compiler.c_header, compiler.c_server_header, compiler.c_user, compiler.c_server,
                compiler.python_module)
    paths = [header, sheader, user, server, python]
    if not any(paths):
        folder = output or Path()
        paths = [folder / f"{file.stem}{end}" for end in (".h", "_server.h", "_user.c", "_server.c")] + [None]
    elif output is not None:
        raise ConfigError("-o names the folder of all four files; it does not go with --header and its like")
    given = [path for path in paths if path is not None]
    if len(set(given)) != len(given):
        raise ConfigError("two outputs have the same name")
    try:
        folders = [*(include or []), Built().defs]
        subsystem = compiler.compile_defs(file, folders, dict(_macro(text) for text in define or []))
        texts = {path: emit(subsystem) for path, emit in zip(paths, emitters, strict=True) if path is not None}
    except compiler.MigError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    for warning in subsystem.warnings:
        typer.echo(warning, err=True)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    _write_all(texts)


def _macro(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.isidentifier():
        raise ConfigError(f"-D {text}: not a macro's name")
    return name, value if equals else "1"


def _write_all(texts: dict[Path, str]) -> None:
    """All of the files or none: each is whole before the first is put in its place."""
    for path in texts:
        if path.is_dir() or not path.parent.is_dir():
            raise ConfigError(f"{path}: is a folder" if path.is_dir() else f"{path.parent}: no such folder")
    made: dict[Path, str] = {}
    try:
        for path, text in texts.items():
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as part:
                made[path] = part.name
                part.write(text)
            os.chmod(part.name, 0o644)
        for path in texts:
            os.replace(made.pop(path), path)
    finally:
        for name in made.values():
            os.unlink(name)
