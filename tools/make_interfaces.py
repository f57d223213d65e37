"""Make `machemu/interfaces/*.py` from `servers/defs/*.defs`; `--check`: only say what is stale.

    python tools/make_interfaces.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
DEFS: Final = ROOT / "servers" / "defs"
INTERFACES: Final = ROOT / "machemu" / "interfaces"
HAND_WRITTEN: Final = frozenset({"__init__", "runtime"})
MADE: Final = "# Made from "

sys.path.insert(0, str(ROOT))

from machemu.mig import MigError, Subsystem, compile_defs, python_module  # noqa: E402


def registry(subsystems: list[Subsystem]) -> str:
    """The module that lists all the others."""
    names = sorted(s.name for s in subsystems)
    imports = "".join(f"    {name},\n" for name in names)
    listed = "".join(f"    {name}.SUBSYSTEM,\n" for name in names)
    return (
        f"{MADE}servers/defs/ by tools/make_interfaces.py: edit the files there instead.\n"
        '"""All interfaces."""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import Final\n\n"
        f"from machemu.interfaces import (\n{imports})\n\n"
        f"SUBSYSTEMS: Final = (\n{listed})\n"
    )


def compile_all(mistakes: list[str]) -> list[Subsystem]:
    found = []
    for path in sorted(DEFS.glob("*.defs")):
        if path.stem.endswith("_types"):
            continue
        try:
            subsystem = compile_defs(path, [DEFS])
        except MigError as error:
            mistakes.append(str(error).replace(f"{ROOT}/", ""))
            continue
        if subsystem.name != path.stem or subsystem.name in HAND_WRITTEN | {"registry"}:
            mistakes.append(f"{path.name}: describes subsystem {subsystem.name}; the names must agree")
        found.append(subsystem)
    return found


def clashes(subsystems: list[Subsystem]) -> list[str]:
    """Request ids that two interfaces share without one being the other's echo."""
    seen: dict[int, str] = {}
    found = []
    for subsystem in subsystems:
        if subsystem.name.endswith(("_reply", "_request")):
            continue
        for routine in subsystem.routines:
            other = seen.setdefault(routine.ident, subsystem.name)
            if other != subsystem.name:
                found.append(f"id {routine.ident} is both {other}'s and {subsystem.name}'s {routine.name}")
    return found


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    mistakes: list[str] = []
    subsystems = compile_all(mistakes)
    mistakes += clashes(subsystems)
    wanted = {f"{s.name}.py": python_module(s) for s in subsystems}
    wanted["registry.py"] = registry(subsystems)
    present = {path.name: path.read_text(encoding="utf-8") for path in INTERFACES.glob("*.py")}
    for name, text in sorted(wanted.items()):
        if present.get(name) == text:
            continue
        if check:
            mistakes.append(f"machemu/interfaces/{name} is stale: run tools/make_interfaces.py")
        else:
            (INTERFACES / name).write_text(text, encoding="utf-8")
    for name, text in sorted(present.items()):
        if text.startswith(MADE) and name not in wanted and not mistakes:
            if check:
                mistakes.append(f"machemu/interfaces/{name} has no .defs any more")
            else:
                (INTERFACES / name).unlink()
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
