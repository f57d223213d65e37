"""C stubs from `.defs` files: what `build` makes of servers/defs, and `cc --defs` of the user's."""

from __future__ import annotations

import re
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


def is_interface(path: Path) -> bool:
    """Has it a subsystem?  A file of types alone is only there to be included."""
    return SUBSYSTEM.search(path.read_text()) is not None


def make_stubs(defs: Path, include_dirs: list[Path], headers: Path, sources: Path) -> Stubs:
    """Compile one interface: X.h and X_server.h into `headers`, X_user.c and X_server.c into `sources`.

    Files that would not change are left alone.  Raises ConfigError: the file is wrong.
    """
    try:
        subsystem = mig.compile_defs(defs, include_dirs)
        texts = {
            headers / f"{defs.stem}.h": mig.c_header(subsystem),
            headers / f"{defs.stem}_server.h": mig.c_server_header(subsystem),
            sources / f"{defs.stem}_user.c": mig.c_user(subsystem),
            sources / f"{defs.stem}_server.c": mig.c_server(subsystem),
        }
    except mig.MigError as error:
        raise ConfigError(str(error)) from None
    for path, text in texts.items():
        write_if_new(path, text)
    return Stubs(*texts)


def write_if_new(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def compiler_key(defs_tree: Path) -> str:
    """Changes with any .defs file and with the compiler itself."""
    own = sorted(path for path in Path(mig.__file__).parent.iterdir() if path.suffix in (".py", ".lark"))
    inputs = [*sorted(defs_tree.rglob("*.defs")), *own]
    return digest(*(part for path in inputs for part in (path.name, path.read_bytes())))
