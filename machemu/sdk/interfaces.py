"""C stubs from `.defs` files: what `build` makes of servers/defs, and `cc --defs` of the user's."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from machemu import mig
from machemu.errors import ConfigError
from machemu.sdk.toolchain import digest

SUBSYSTEM: Final = re.compile(r"^[ \t]*subsystem\b", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stubs:
    """Where the four files of one interface were written."""

    user_header: Path
    server_header: Path
    user: Path
    server: Path

    @classmethod
    def of(cls, name: str, headers: Path, sources: Path) -> Stubs:
        return cls(
            headers / f"{name}.h", headers / f"{name}_server.h",
            sources / f"{name}_user.c", sources / f"{name}_server.c",
        )

    def exist(self) -> bool:
        return all(path.exists() for path in (self.user_header, self.server_header, self.user, self.server))


def is_interface(path: Path) -> bool:
    """Has it a subsystem?  A file of types alone is only there to be included."""
    return SUBSYSTEM.search(path.read_text()) is not None


def make_stubs(defs: Path, include_dirs: list[Path], headers: Path, sources: Path,
               defines: Mapping[str, str] | None = None, say: Callable[[str], None] | None = None) -> Stubs:
    """Compile one interface: X.h and X_server.h into `headers`, X_user.c and X_server.c into `sources`.

    Files that would not change are left alone; `say` gets warnings.  Raises ConfigError: the file is wrong.
    """
    stubs = Stubs.of(defs.stem, headers, sources)
    try:
        subsystem = mig.compile_defs(defs, include_dirs, defines)
        texts = {
            stubs.user_header: mig.c_header(subsystem),
            stubs.server_header: mig.c_server_header(subsystem),
            stubs.user: mig.c_user(subsystem),
            stubs.server: mig.c_server(subsystem),
        }
    except mig.MigError as error:
        raise ConfigError(str(error)) from None
    if say is not None:
        for warning in subsystem.warnings:
            say(warning)
    for path, text in texts.items():
        write_if_new(path, text)
    return stubs


def write_if_new(path: Path, text: str) -> None:
    """Whole or not at all, and not at all if it is there already."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as made:
        made.write(text)
    os.chmod(made.name, 0o644)
    os.replace(made.name, path)


def compiler_key(defs_tree: Path) -> str:
    """Changes with any .defs file and with the compiler itself."""
    own = sorted(path for path in Path(mig.__file__).parent.iterdir() if path.suffix in (".py", ".lark"))
    inputs = [*sorted(defs_tree.rglob("*.defs")), *own]
    return digest(*(part for path in inputs for part in (path.name, path.read_bytes())))
