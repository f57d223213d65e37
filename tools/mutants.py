"""Take features out, one at a time, and see that the tests of their rows notice.

A mutant (tools/mutants.toml) is one text of one source file replaced by another, with the
rows of docs/requirements.md whose tests must then fail.  Everything happens in a copy of
the tree.

    python tools/mutants.py [NAME...]     these mutants; all if none is named
    python tools/mutants.py --list

Prints each mutant with the rows that noticed; a row whose tests still pass is a survivor,
and so is a row that tests show but no mutant tries.  Exit status 1 if there is any.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from requirements import rows, shown_by

ROOT = Path(__file__).resolve().parents[1]
KINDS_LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", "dist")
PYTEST_FAILED, PYTEST_NO_TESTS = 1, 5


@dataclass(frozen=True)
class Mutant:
    name: str
    rows: tuple[str, ...]
    file: str
    old: str
    new: str

    def apply(self, tree: Path) -> str:
        """Put the mutant in; the text to put back.  Exits if it does not fit the source."""
        path = tree / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            sys.exit(f"mutants: {self.name}: its old text stands {text.count(self.old)} times in {self.file}, not once")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return text


def mutants() -> list[Mutant]:
    table = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
    return [Mutant(one["name"], tuple(one["rows"]), one["file"], one["old"], one["new"]) for one in table["mutant"]]


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.run([sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True,
                          check=False)


def build(tree: Path) -> None:
    for command in (("-m", "machemu.sdk.build"), ("tools/build_images.py",)):
        done = run(tree, *command)
        if done.returncode:
            sys.exit(f"mutants: the build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def survivors(tree: Path, mutant: Mutant) -> list[str]:
    """Rows whose tests pass without the feature."""
    alive = []
    for row in mutant.rows:
        status = run(tree, "-m", "pytest", "-q", "-x", "--req", row).returncode
        if status == PYTEST_NO_TESTS:
            alive.append(f"{row} (no test shows it)")
        elif status != PYTEST_FAILED:
            alive.append(row)
    return alive


def try_all(chosen: list[Mutant]) -> int:
    lost = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=KINDS_LEFT_OUT)
        for mutant in chosen:
            original = mutant.apply(tree)
            compiled = mutant.file.startswith(("servers/", "images/"))
            if compiled:
                build(tree)
            alive = survivors(tree, mutant)
            verdict = f"SURVIVES {', '.join(alive)}" if alive else f"noticed by {', '.join(mutant.rows)}"
            print(f"{mutant.name:32} {verdict}", flush=True)
            lost += len(alive)
            (tree / mutant.file).write_text(original, encoding="utf-8")
            if compiled:
                build(tree)
    return lost


def main(names: list[str]) -> int:
    known = {mutant.name: mutant for mutant in mutants()}
    if names == ["--list"]:
        for mutant in known.values():
            print(f"{mutant.name:32} {', '.join(mutant.rows)}")
        return 0
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"mutants: no mutant {unknown[0]}; --list shows them")
    lost = try_all([known[name] for name in names] or list(known.values()))
    if not names:
        tried = {row for mutant in known.values() for row in mutant.rows}
        untried = [row for row in rows() if row in shown_by() and row not in tried]
        if untried:
            print(f"shown by tests, tried by no mutant: {', '.join(untried)}")
        lost += len(untried)
    print(f"{lost} survivors" if lost else "no survivors")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
