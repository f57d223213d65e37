"""Hatchling's build hook: compiles guest programs, images and the clock helper into the
wheel, and tags it for its platform."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before the wheel is packed; an editable install builds nothing by itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        for command in (["-m", "machemu.sdk.build"], [str(root / "tools" / "build_images.py")]):
            subprocess.run([sys.executable, *command], cwd=root, check=True)
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
