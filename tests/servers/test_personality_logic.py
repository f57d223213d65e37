"""Paths, offsets, dates and command lines as the personality servers see them."""

from __future__ import annotations

import calendar
import ctypes
import posixpath
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

OK, NO_ENTRY, NO_DRIVE, BAD_SEEK, NAME_TOO_LONG, BAD_ARGUMENT = 0, 1, 3, 11, 13, 14
PATH: Final = 256  # octets, NUL included
START, CURRENT, END = range(3)


class Date(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("year", "month", "day", "weekday", "hour", "minute", "second")]


def resolve(logic: ctypes.CDLL, directory: str, path: str) -> tuple[int, str]:
    resolved = ctypes.create_string_buffer(PATH)
    status = logic.path_resolve(directory.encode(), path.encode(), resolved)
    return status, resolved.value.decode()


@pytest.mark.parametrize(("directory", "path", "resolved"), [
    ("", "/etc/motd", "etc/motd"),
    ("etc", "motd", "etc/motd"),
    ("etc", "/bin/sh", "bin/sh"),
    ("a/b", "../c", "a/c"),
    ("", "../../etc//./motd/", "etc/motd"),
    ("etc", "..", ""),
    ("", "/", ""),
])
def test_paths_lose_what_is_relative(logic: ctypes.CDLL, directory: str, path: str, resolved: str) -> None:
    assert resolve(logic, directory, path) == (OK, resolved)


def test_empty_path_names_nothing(logic: ctypes.CDLL) -> None:
    assert resolve(logic, "etc", "")[0] == NO_ENTRY


@pytest.mark.parametrize(("octets", "status"), [(PATH - 1, OK), (PATH, NAME_TOO_LONG), (5000, NAME_TOO_LONG)])
def test_longest_path(logic: ctypes.CDLL, octets: int, status: int) -> None:
    assert resolve(logic, "", "/" + "x" * octets)[0] == status


@given(path=st.text(st.sampled_from("ab./"), min_size=1, max_size=60))
def test_paths_resolve_as_everywhere(logic: ctypes.CDLL, path: str) -> None:
    whole = path if path.startswith("/") else "/d/e/" + path
    assert resolve(logic, "d/e", path) == (OK, posixpath.normpath(whole).strip("/"))


@pytest.mark.parametrize(("path", "status", "drive", "rest"), [
    ("C:\\ETC\\MOTD", OK, b"C", b"/ETC/MOTD"),
    ("c:motd", OK, b"C", b"motd"),
    ("etc\\motd", OK, b"\0", b"etc/motd"),
    ("1:\\x", NO_DRIVE, b"1", b""),
    ("", OK, b"\0", b""),
])
def test_drive_letters(logic: ctypes.CDLL, path: str, status: int, drive: bytes, rest: bytes) -> None:
    letter = ctypes.c_char()
    left = ctypes.create_string_buffer(PATH)
    assert logic.path_drive(path.encode(), ctypes.byref(letter), left) == status
    assert (letter.value, left.value) == (drive, rest)


@pytest.mark.parametrize(("current", "size", "distance", "origin", "result"), [
    (5, 10, 3, START, (OK, 3)),
    (5, 10, 3, CURRENT, (OK, 8)),
    (5, 10, -3, END, (OK, 7)),
    (5, 10, 100, END, (OK, 110)),
    (5, 10, -6, CURRENT, (BAD_SEEK, 99)),
    (5, 10, 2**63 - 1, END, (BAD_SEEK, 99)),
    (5, 10, -(2**63), END, (BAD_SEEK, 99)),
    (5, 10, 0, 3, (BAD_ARGUMENT, 99)),
])
def test_seeks(
    logic: ctypes.CDLL, current: int, size: int, distance: int, origin: int, result: tuple[int, int]
) -> None:
    offset = ctypes.c_uint64(99)
    status = logic.seek_to(
        ctypes.c_uint64(current), ctypes.c_uint64(size), ctypes.c_int64(distance), origin, ctypes.byref(offset)
    )
    assert (status, offset.value) == result


@given(seconds=st.integers(0, 4_000_000_000))
def test_dates_are_those_of_utc(logic: ctypes.CDLL, seconds: int) -> None:
    date = Date()
    logic.calendar_of(ctypes.c_int64(seconds), ctypes.byref(date))
    wanted = time.gmtime(seconds)
    assert (date.year, date.month, date.day, date.hour, date.minute, date.second) == wanted[:6]
    assert date.weekday == (calendar.weekday(date.year, date.month, date.day) + 1) % 7


def split(logic: ctypes.CDLL, line: str, quotes: bool, room: int = 100) -> list[str] | None:
    """The arguments; None: they do not fit, or a quote stays open."""
    made = ctypes.create_string_buffer(room)
    logic.command_line_split.restype = ctypes.c_size_t
    used = logic.command_line_split(line.encode(), quotes, made, ctypes.c_size_t(room))
    if used == 0:
        return None
    assert made.raw[used - 1] == 0
    return made.raw[:used - 1].decode().split("\0")


@pytest.mark.parametrize(("line", "quotes", "arguments"), [
    ("one two", True, ["one", "two"]),
    ("  one\ttwo \r\n", True, ["one", "two"]),
    ('"C:\\my files\\x" y', True, ["C:\\my files\\x", "y"]),
    ('a\\"b', True, ['a"b']),
    ('""', True, [""]),
    ('"open', True, None),
    ('"one two"', False, ['"one', 'two"']),
    ("", True, None),
])
def test_command_lines(logic: ctypes.CDLL, line: str, quotes: bool, arguments: list[str] | None) -> None:
    assert split(logic, line, quotes) == arguments


@pytest.mark.parametrize(("room", "fits"), [(4, True), (3, False), (1, False), (0, False)])
def test_command_line_stays_in_its_room(logic: ctypes.CDLL, room: int, fits: bool) -> None:
    made = ctypes.create_string_buffer(b"#" * 8, 8)
    logic.command_line_split.restype = ctypes.c_size_t
    assert (logic.command_line_split(b"abc", True, made, ctypes.c_size_t(room)) == 4) is fits
    assert made.raw[max(room, 0):] == b"#" * (8 - room)
