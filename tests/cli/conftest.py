"""Commands run in this process: what they print and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from machemu.cli.main import main


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Machemu = Callable[..., Ended]


@pytest.fixture
def machemu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machemu:
    """`machemu("boot", path, ...)`, as typed at a shell."""

    def run(*words: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["machemu", *(str(word) for word in words)])
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    return run
