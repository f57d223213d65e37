"""`machemu cc`: compile a program for the guest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def cc(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(
        help="Sources (.c, .S), objects (.o) and libraries (.a).", metavar="FILE...")],
    output: Annotated[Path | None, typer.Option(
        "-o", help="The program (default a.out), or with -c the object.", metavar="OUT")] = None,
    compile_only: Annotated[bool, typer.Option("-c", help="Compile to objects, do not link.")] = False,
    include: Annotated[list[Path] | None, typer.Option(
        "-I", help="Search this folder for headers first.", metavar="DIR")] = None,
    define: Annotated[list[str] | None, typer.Option("-D", help="Define a macro.", metavar="NAME[=VALUE]")] = None,
    optimise: Annotated[str, typer.Option("-O", help="0, 1, 2, 3 or s.", metavar="LEVEL")] = "2",
    debug: Annotated[bool, typer.Option("-g", help="Full debug information; lines are there without it.")] = False,
    warn: Annotated[list[str] | None, typer.Option("-W", help="A warning option of clang's.", metavar="NAME")] = None,
    feature: Annotated[list[str] | None, typer.Option("-f", help="A code option of clang's.", metavar="NAME")] = None,
    defs: Annotated[list[Path] | None, typer.Option(
        "--defs", help="An interface in MIG's language: its stubs are linked in, its headers found as X.h and "
        "X_server.h.", metavar="X.defs")] = None,
) -> None:
    """Compile a C program for the guest, with machemu's headers and libraries.

    The compiler is clang, of the package `ziglang` (extra `sdk`); its other options are passed on.
    """
    from machemu.sdk.cc import Job, run

    flags = [f"-O{optimise}", *(["-g"] if debug else []), *context.args]
    for letter, values in (("I", include), ("D", define), ("W", warn), ("f", feature)):
        flags += [f"-{letter}{value}" for value in values or []]
    # Options that are none of ours may have been taken for files.
    passed = [str(path) for path in files if str(path).startswith("-")]
    inputs = tuple(path for path in files if not str(path).startswith("-"))
    job = Job(inputs, output, tuple(defs or []), (*flags, *passed), compile_only)
    run(job, lambda text: typer.echo(text, err=True))
