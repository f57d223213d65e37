"""The trace as it is: JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from machemu.trace.recorder import Event


def to_json(events: Iterable[Event], stream: TextIO) -> None:
    for event in events:
        stream.write(json.dumps(event, separators=(",", ":")) + "\n")
