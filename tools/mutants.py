"""Take features out, one at a time, and see that the tests of their rows notice.

A mutant (tools/mutants.toml) is one text of one source file replaced by another, with the
rows of docs/requirements.md whose tests must then fail.  Everything happens in a copy of
the tree, where those tests must first pass.

    python tools/mutants.py [NAME...]     these mutants; all if none is named
    python tools/mutants.py --list

Prints each mutant with the rows that noticed and the first test that did; a row whose tests
still pass is a survivor, and so is a row that tests show but no mutant tries.  Exit status
1 if there is any.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from requirements import rows, shown_by

ROOT: Final = Path(__file__).resolve().parents[1]
KINDS_LEFT_OUT: Final = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", "dist")
PYTEST_PASSED, PYTEST_FAILED = 0, 1
TEST_TIMEOUT: Final = 120  # seconds: a mutant may well make a test wait for ever
COMPILED: Final = ("servers/", "images/")


@dataclass(frozen=True)
class Mutant:
    name: str
    rows: tuple[str, ...]
    file: str
    old: str
    new: str

    @property
    def compiled(self) -> bool:
        return self.file.startswith(COMPILED)

    def applied_to(self, text: str) -> str:
        """Exits if it does not fit the source."""
        if text.count(self.old) != 1:
            sys.exit(f"mutants: {self.name}: its old text stands {text.count(self.old)} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    table = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
    return [Mutant(one["name"], tuple(one["rows"]), one["file"], one["old"], one["new"]) for one in table["mutant"]]


@final
class Copy:
    """A copy of the tree, built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shown = shown_by()
        self._stale = True  # what is built is of other sources
        shutil.copytree(ROOT, folder, ignore=KINDS_LEFT_OUT)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        return subprocess.run([sys.executable, *command], cwd=self.folder, env=environment, capture_output=True,
                              text=True, check=False)

    def build(self) -> None:
        if self._stale:
            for command in (("-m", "machemu.sdk.build"), ("tools/build_images.py",)):
                done = self.run(*command)
                if done.returncode:
                    sys.exit(f"mutants: the build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        self._stale = False

    def test(self, wanted: Iterable[str]) -> tuple[int, str]:
        """Run the tests of these rows up to the first that fails: pytest's status, and what to say of it."""
        chosen = [(f"--req={row}", test.split("::")[0]) for row in wanted for test in self._shown.get(row, ())]
        if not chosen:
            return PYTEST_PASSED, "no test shows it"
        options, files = ({*column} for column in zip(*chosen, strict=True))
        done = self.run("-m", "pytest", "-q", "-x", f"--timeout={TEST_TIMEOUT}", *sorted(options), *sorted(files))
        if done.returncode == PYTEST_PASSED:
            return PYTEST_PASSED, "its tests pass"
        failed = re.search(r"^(?:FAILED|ERROR) \S+::(\w+)", done.stdout, re.M)
        what = failed[1] if failed else f"pytest ended with {done.returncode}"
        return done.returncode, f"{what}, by its timeout" if "Timeout (>" in done.stdout else what

    def survivors(self, mutant: Mutant) -> list[str]:
        """Rows whose tests pass without the feature; prints what the others say."""
        path = self.folder / mutant.file
        original = path.read_text(encoding="utf-8")
        path.write_text(mutant.applied_to(original), encoding="utf-8")
        self._stale |= mutant.compiled
        start, alive, said = time.monotonic(), [], []
        self.build()
        for row in mutant.rows:
            status, what = self.test([row])
            noticed = status == PYTEST_FAILED
            said.append(f"{'noticed by' if noticed else 'SURVIVES'} {row} ({what})")
            alive += [] if noticed else [row]
        path.write_text(original, encoding="utf-8")
        self._stale |= mutant.compiled
        print(f"{mutant.name:40} {time.monotonic() - start:4.1f} s  {', '.join(said)}", flush=True)
        return alive


def try_all(chosen: list[Mutant]) -> int:
    for mutant in chosen:  # before the first takes its time
        mutant.applied_to((ROOT / mutant.file).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "tree")
        copy.build()
        status, what = copy.test({row for mutant in chosen for row in mutant.rows})
        if status != PYTEST_PASSED:
            sys.exit(f"mutants: tests fail without any mutant: {what}")
        return sum(len(copy.survivors(mutant)) for mutant in chosen)


def main(names: list[str]) -> int:
    known = {mutant.name: mutant for mutant in mutants()}
    if names == ["--list"]:
        for mutant in known.values():
            print(f"{mutant.name:40} {', '.join(mutant.rows)}")
        return 0
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"mutants: no mutant {unknown[0]}; --list shows them")
    lost = try_all([known[name] for name in names] or list(known.values()))
    if not names:
        tried, shown = {row for mutant in known.values() for row in mutant.rows}, shown_by()
        untried = [row for row in rows() if row in shown and row not in tried]
        if untried:
            print(f"shown by tests, tried by no mutant: {', '.join(untried)}")
        lost += len(untried)
    print(f"{lost} survivors" if lost else "no survivors")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
