"""`machemu task`: one program, no servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Machemu
from tests.support.programs import guest


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "hello.elf"
    path.write_bytes(guest("hello"))
    return path


def test_program_prints_and_ends(machemu: Machemu, program: Path) -> None:
    ended = machemu("task", program, "one", "--seed")
    assert ended.out == "hello from user mode\nargument 1: one\nargument 2: --seed\n"
    assert (ended.status, ended.err) == (0, "")


def test_its_status_is_the_commands(machemu: Machemu, tmp_path: Path) -> None:
    path = tmp_path / "status.elf"
    path.write_bytes(guest("status"))
    assert machemu("task", path, "42").status == 42


def test_task_that_falls_over_says_why(machemu: Machemu, tmp_path: Path) -> None:
    path = tmp_path / "fault.elf"
    path.write_bytes(guest("fault"))
    ended = machemu("task", path, "unmapped")
    assert ended.status == 1
    assert "bad_access (code 1, subcode 0x3000000000)" in ended.err


def test_time_limit_ends_a_program_that_does_not(machemu: Machemu, tmp_path: Path) -> None:
    from tests.support.programs import compile_c

    path = tmp_path / "endless.elf"
    path.write_bytes(compile_c("int main(void) { for (volatile int i = 0;; i++); }"))
    ended = machemu("task", "--for", "3ms", path)
    assert ended.status == 1
    assert "time is up: 0.003 s" in ended.err


@pytest.mark.parametrize(("octets", "told"), [
    pytest.param(b"", "not an ELF file", id="empty"),
    pytest.param(b"#!/bin/sh\n", "not an ELF file", id="script"),
    pytest.param(b"\x7fELF\x02\x01\x01", "not an ELF file, or a damaged one", id="truncated"),
])
def test_what_is_no_program_is_refused_in_one_line(machemu: Machemu, tmp_path: Path, octets: bytes, told: str) -> None:
    path = tmp_path / "bad.elf"
    path.write_bytes(octets)
    ended = machemu("task", path)
    assert ended.status == 1
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_program_of_another_machine_is_refused(machemu: Machemu, program: Path) -> None:
    octets = bytearray(program.read_bytes())
    octets[18:20] = (62).to_bytes(2, "little")  # e_machine: x86-64
    program.write_bytes(octets)
    ended = machemu("task", program)
    assert ended.status == 1
    assert "an ELF file for EM_X86_64, not for RV64" in ended.err


def test_missing_file_is_told(machemu: Machemu, tmp_path: Path) -> None:
    ended = machemu("task", tmp_path / "none.elf")
    assert ended.status == 1
    assert "none.elf: No such file or directory" in ended.err


@pytest.mark.parametrize("limit", ["5", "s", "-1s", "1h"])
def test_bad_duration_is_told(machemu: Machemu, program: Path, limit: str) -> None:
    ended = machemu("task", "--for", limit, program)
    assert ended.status == 1
    assert "give a number and a unit" in ended.err
