"""Make the guests' C header and the listing of the wire formats from the schema.

    make_wire_header.py            write both
    make_wire_header.py --check    exit with status 1 if one of them is stale
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from machemu.wire.emit import c_header, listing  # noqa: E402

HEADER = ROOT / "servers" / "include" / "machemu" / "wire.h"
LISTING = ROOT / "docs" / "wire.md"


def main(arguments: list[str]) -> int:
    stale = 0
    for path, text in ((HEADER, c_header()), (LISTING, listing())):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is stale: run tools/make_wire_header.py", file=sys.stderr)
            stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
