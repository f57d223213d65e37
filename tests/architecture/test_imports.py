"""The arrows between the rooms point one way: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).resolve().parents[2] / "machemu"

# Room -> what of ours it may import besides itself.  `hw.api` stands for that module alone.
LEAVES: Final = {"errors", "events"}
MAY_IMPORT: Final[dict[str, set[str]]] = {
    "errors": set(),
    "events": set(),
    "mig": {"errors"},
    "interfaces": set(),
    "wire": set(),
    "site": {"errors"},
    "image": {"errors", "site"},
    "hw": LEAVES | {"wire", "site"},
    "kernel": {"events", "hw.api", "interfaces"},
    "node": LEAVES | {"hw", "kernel", "image", "site"},
    "inspect": {"node", "kernel", "interfaces"},
    "cluster": LEAVES | {"node", "kernel", "hw.api", "wire", "site"},
    "trace": LEAVES | {"hw.api", "kernel", "node", "cluster", "interfaces", "wire", "site"},
    "bench": LEAVES | {"cluster", "node", "kernel", "hw", "image", "inspect", "trace", "interfaces"},
    "testing": LEAVES | {"cluster", "node", "kernel", "hw", "image", "inspect", "trace", "interfaces", "wire"},
    "sdk": {"errors", "mig", "hw"},
    "cli": {"*"},
}
# Rooms that nothing but `cli` and the tests may import.
ENDS: Final = {"attack", "bench", "testing", "sdk", "cli"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_built" not in path.parts)


def imported(path: Path) -> set[str]:
    """Names after `machemu.` that a module imports, type-checking imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" if node.module == "machemu" else node.module for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.removeprefix("machemu.") for name in names if name.startswith("machemu.")}
    return found


def room(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrow_points_one_way(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    own = {"__init__": "errors", "__main__": "cli"}.get(parts[0], parts[0])
    assert own in MAY_IMPORT, f"a new room, {own}: give it a row in MAY_IMPORT"
    allowed = MAY_IMPORT[own]
    for name in imported(path):
        if room(name) == own or "*" in allowed:
            continue
        assert room(name) not in ENDS, f"{own} imports {name}, which only cli and tests may"
        assert room(name) in allowed or name in allowed or any(
            name.startswith(entry + ".") for entry in allowed if "." in entry), f"{own} may not import {name}"


def test_one_package_imports_the_engine() -> None:
    users = {path.relative_to(PACKAGE).parts[0] for path in modules()
             if any(line.startswith(("import unicorn", "from unicorn")) for line in
                    (text.strip() for text in path.read_text(encoding="utf-8").splitlines()))}
    assert users <= {"hw", "bench"}


def test_instruction_set_is_named_in_one_place() -> None:
    outside = [path for path in modules() if "isa" not in path.parts and path.relative_to(PACKAGE).parts[0] == "kernel"
               and "riscv" in path.read_text(encoding="utf-8").lower()]
    assert outside == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_is_not_crowded(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 700
