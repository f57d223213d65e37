"""What is wrong with a .defs file."""

from __future__ import annotations


class MigError(Exception):
    """A mistake in a .defs file; its text is `file:line: what is wrong`."""

    def __init__(self, file: str, line: int, text: str) -> None:
        super().__init__(f"{file}:{line}: {text}")
        self.file = file
        self.line = line
        self.text = text
