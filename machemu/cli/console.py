"""Showing the consoles of several nodes in one terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TextIO, final

# Control characters other than newline and tab do not reach the operator's terminal.
_VISIBLE: Final = {code: f"\\x{code:02x}" for code in range(32) if code not in (9, 10)} | {127: "\\x7f"}


@final
class ConsoleView:
    """Whole lines from several nodes, each behind its node's name."""

    def __init__(self, stream: TextIO, names: list[str], only: str | None = None) -> None:
        self._stream = stream
        self._width = max(map(len, names), default=0)
        self._only = only
        self._partial: dict[str, bytes] = {}

    def for_node(self, name: str) -> Callable[[bytes], None]:
        """What the node's console device calls with each piece of output."""
        def write(data: bytes) -> None:
            if self._only is None:
                self._lines(name, data)
            elif name == self._only:
                self._stream.write(data.decode("utf-8", "replace"))
                self._stream.flush()

        return write

    def _lines(self, name: str, data: bytes) -> None:
        *lines, rest = (self._partial.get(name, b"") + data).split(b"\n")
        self._partial[name] = rest
        for line in lines:
            self._print(name, line)

    def _print(self, name: str, line: bytes) -> None:
        text = line.rstrip(b"\r").decode("utf-8", "replace").translate(_VISIBLE)
        self._stream.write(f"{name:>{self._width}} | {text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Print what has no newline yet."""
        for name, rest in self._partial.items():
            if rest:
                self._print(name, rest)
        self._partial.clear()
