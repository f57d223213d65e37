"""Recorded events and their other forms, one exporter per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TextIO

from machemu.trace.json_lines import to_json
from machemu.trace.text import to_text

EXPORTERS: Final[dict[str, Callable[[Iterable[dict[str, Any]], TextIO], None]]] = {
    "text": to_text,
    "json": to_json,
}
