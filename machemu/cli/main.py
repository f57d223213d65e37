"""The `machemu` command: joins the commands, prints the operator's mistakes, exits."""

from __future__ import annotations

import sys

import typer

from machemu.errors import ConfigError


def make_app() -> typer.Typer:
    """The command with all its subcommands; each module is read only now."""
    from machemu.cli.bench import bench
    from machemu.cli.boot import boot
    from machemu.cli.cc import cc
    from machemu.cli.image import image_app
    from machemu.cli.mig import mig
    from machemu.cli.task import task
    from machemu.cli.trace import trace

    app = typer.Typer(
        name="machemu", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
        help="A LAN of emulated workstations that run a Mach 3.0 microkernel and, on it, MASIX.")
    app.command()(boot)
    app.command(context_settings={"allow_interspersed_args": False})(task)
    app.add_typer(image_app, name="image")
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(cc)
    app.command()(mig)
    app.command()(trace)
    app.command()(bench)
    return app


def main() -> None:
    """Run one command.  Exit status 1 and one line for a mistake of the operator's."""
    try:
        make_app()()
    except ConfigError as error:
        print(f"machemu: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"machemu: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("machemu: interrupted", file=sys.stderr)
        sys.exit(130)
