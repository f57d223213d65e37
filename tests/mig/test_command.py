"""`machemu mig`: what it writes, what it says, and that a mistake leaves nothing behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from machemu import mig
from machemu.cli.mig import mig as command
from machemu.errors import ConfigError
from tests.mig.stubs import DEFS

SOUND: Final = """\
subsystem sound 4000;
#include <mach/std_types.defs>
routine play(port : mach_port_t; note : int; out volume : int);
#ifdef MORE
routine more(port : mach_port_t; some : array_t = array[MORE] of int);
#endif
"""
BROKEN: Final = SOUND + "\nroutine stop(port : mach_port_t; x : nothing);\n"
WARNED: Final = SOUND + "routine warned(port : mach_port_t; x : int, Dealloc);\n"

app: Final = Typer()
app.command()(command)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sound.defs").write_text(SOUND)
    (tmp_path / "broken.defs").write_text(BROKEN)
    (tmp_path / "warned.defs").write_text(WARNED)
    return tmp_path


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".defs")


def test_four_files_are_written_here_without_options(folder: Path) -> None:
    result = run("sound.defs", "-I", DEFS)
    assert (result.exit_code, result.output) == (0, "")
    assert made(folder) == ["sound.h", "sound_server.c", "sound_server.h", "sound_user.c"]
    subsystem = mig.compile_defs(folder / "sound.defs", [DEFS])
    assert (folder / "sound.h").read_text() == mig.c_header(subsystem)
    assert (folder / "sound_server.h").read_text() == mig.c_server_header(subsystem)
    assert (folder / "sound_user.c").read_text() == mig.c_user(subsystem)
    assert (folder / "sound_server.c").read_text() == mig.c_server(subsystem)


def test_four_files_go_to_the_folder_named(folder: Path) -> None:
    assert run("sound.defs", "-I", DEFS, "-o", "made/here").exit_code == 0
    assert made(folder) == ["made"]
    assert made(folder / "made" / "here") == ["sound.h", "sound_server.c", "sound_server.h", "sound_user.c"]


def test_only_the_files_named_are_written(folder: Path) -> None:
    assert run("sound.defs", "-I", DEFS, "--user", "u.c", "--python", "p.py").exit_code == 0
    assert made(folder) == ["p.py", "u.c"]
    subsystem = mig.compile_defs(folder / "sound.defs", [DEFS])
    assert (folder / "p.py").read_text() == mig.python_module(subsystem)
    assert run("sound.defs", "-I", DEFS, "--header", "h", "--sheader", "sh", "--server", "s.c").exit_code == 0
    assert made(folder) == ["h", "p.py", "s.c", "sh", "u.c"]
    assert "sound_server" in (folder / "sh").read_text()


def test_made_files_are_for_all_to_read(folder: Path) -> None:
    run("sound.defs", "-I", DEFS, "--header", "h")
    assert stat.S_IMODE(os.stat("h").st_mode) == 0o644


def test_macros_are_defined_with_and_without_a_value(folder: Path) -> None:
    found = {}
    for words in ((), ("-D", "MORE"), ("-D", "MORE=7"), ("-D", "MORE=7", "-D", "OTHER=x")):
        assert run("sound.defs", "-I", DEFS, *words, "--header", "h").exit_code == 0
        run("sound.defs", "-I", DEFS, *words, "--user", "u.c")
        text = (folder / "u.c").read_text()
        found[words] = [octets for octets in (4, 28) if f"some, {octets});" in text]
    assert list(found.values()) == [[], [4], [28], [28]]


def test_warnings_are_told_and_the_files_written(folder: Path) -> None:
    result = run("warned.defs", "-I", DEFS, "--header", "h")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "warned.defs:7: warning: x: Dealloc is for out-of-line data\n"
    assert made(folder) == ["h"]


def test_mistake_is_one_line_and_leaves_files_as_they_were(folder: Path) -> None:
    (folder / "h").write_text("old")
    result = run("broken.defs", "-I", DEFS, "--header", "h", "--user", "u.c")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "broken.defs:8: unknown type nothing\n"
    assert made(folder) == ["h"]
    assert (folder / "h").read_text() == "old"
    assert run("broken.defs", "-I", DEFS, "-o", "made").exit_code == 1
    assert made(folder) == ["h"]


def test_file_that_is_not_there_is_one_line_too(folder: Path) -> None:
    result = run("nothing.defs")
    assert result.exit_code == 1
    assert result.stderr == "nothing.defs:1: cannot read nothing.defs: No such file or directory\n"
    assert made(folder) == []


@pytest.mark.parametrize(("words", "said"), [
    (("--header", "h", "--user", "nowhere/u.c"), "nowhere: no such folder"),
    (("--header", "h", "--user", "."), ".: is a folder"),
    (("--header", "h", "--user", "h"), "two outputs have the same name"),
    (("--header", "h", "-o", "d"), "-o names the folder of all four files"),
    (("--header", "h", "-D", "3=4"), "-D 3=4: not a macro's name"),
])
def test_request_that_cannot_be_met_writes_nothing(folder: Path, words: tuple[str, ...], said: str) -> None:
    result = run("sound.defs", "-I", DEFS, *words)
    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
    assert made(folder) == []


def test_command_is_part_of_machemu(folder: Path) -> None:
    words = [sys.executable, "-c", "from machemu.cli.main import main; main()", "mig", "broken.defs", "-I", str(DEFS)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "broken.defs:8: unknown type nothing\n")
