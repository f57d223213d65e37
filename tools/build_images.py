"""Build the disk images of every recipe under images/ into machemu/_built/images/."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from machemu.errors import ConfigError  # noqa: E402
from machemu.image.disk_image import build_image  # noqa: E402


def main() -> int:
    built = ROOT / "machemu" / "_built"
    (built / "images").mkdir(parents=True, exist_ok=True)
    for recipe in sorted((ROOT / "images").glob("*.toml")):
        output = built / "images" / f"{recipe.stem}.img"
        try:
            build_image(recipe, built / "programs", output)
        except ConfigError as error:
            print(f"images: {error}", file=sys.stderr)
            return 1
        print(f"image {output.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
