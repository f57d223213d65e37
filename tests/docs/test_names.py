"""docs/names.md leads to what is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PATH: Final = re.compile(r"[\w./]+\.py$|(?:machemu|servers)/[\w/]+$")


def test_every_file_and_folder_named_is_there() -> None:
    room, missing, seen = ROOT, [], 0
    for line in (ROOT / "docs" / "names.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            named = re.search(r"`([\w/]+)`", line)
            room = ROOT / named.group(1) if named else ROOT
        elif line.startswith("| ") and line.count("|") == 3:
            for name in re.findall(r"`([^`]+)`", line.split("|")[2]):
                if PATH.match(name):
                    seen += 1
                    if not (room / name).exists() and not (ROOT / name).exists():
                        missing.append(name)
    assert missing == []
    assert seen > 30
