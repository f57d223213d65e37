"""DOS names: eight letters, a dot and three, whatever the archive calls its files."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

DOS_NAME = 13  # octets, NUL included


def short_names(logic: ctypes.CDLL, names: list[str]) -> list[str]:
    """The DOS names of a directory that holds `names`."""
    given_names = (ctypes.c_char_p * len(names))(*(name.encode() for name in names))
    made = ((ctypes.c_char * DOS_NAME) * len(names))()
    logic.dos_names_of_directory(given_names, ctypes.c_size_t(len(names)), made)
    return [bytes(name.value).decode() for name in made]


def cut(logic: ctypes.CDLL, part: str) -> str:
    name = ctypes.create_string_buffer(DOS_NAME)
    logic.dos_name_cut(part.encode(), ctypes.c_size_t(len(part)), name)
    return name.value.decode()


@pytest.mark.req("A-S08")
def test_names_that_fit_become_upper_case(logic: ctypes.CDLL) -> None:
    assert short_names(logic, ["motd", "read.me", "a.b"]) == ["MOTD", "READ.ME", "A.B"]


def test_long_names_get_numbers_in_the_order_of_the_directory(logic: ctypes.CDLL) -> None:
    names = ["longfilename.text", "longfilename.texture", "longfiles.txt"]
    assert short_names(logic, names) == ["LONGFI~1.TEX", "LONGFI~2.TEX", "LONGFI~1.TXT"]


def test_number_avoids_a_name_that_is_there(logic: ctypes.CDLL) -> None:
    assert short_names(logic, ["dos_he~1", "dos_hello"]) == ["DOS_HE~1", "DOS_HE~2"]


def test_tenth_long_name_keeps_one_letter_less(logic: ctypes.CDLL) -> None:
    names = [f"longfilename{number}" for number in range(10)]
    assert short_names(logic, names)[9] == "LONGF~10"


@pytest.mark.parametrize(("long", "short"), [
    ("boot.manifest", "BOOT~1.MAN"),
    (".profile", "PROFIL~1"),
    ("two words.txt", "TWOWOR~1.TXT"),
    ("a+b=c.tar.gz", "A_B_CT~1.GZ"),
    ("name.", "NAME~1"),
])
def test_letters_that_dos_cannot_write(logic: ctypes.CDLL, long: str, short: str) -> None:
    assert short_names(logic, [long]) == [short]


LETTERS = st.characters(codec="ascii", exclude_characters="/", min_codepoint=33)
NAMES = st.lists(st.text(LETTERS, min_size=1, max_size=20), min_size=1, max_size=20, unique_by=str.upper)


@given(names=NAMES)
def test_every_name_of_a_directory_gets_one_of_its_own(logic: ctypes.CDLL, names: list[str]) -> None:
    made = short_names(logic, names)
    assert len(set(made)) == len(made)
    for name in made:
        base, _, extension = name.partition(".")
        assert len(base) <= 8
        assert len(extension) <= 3
        assert name == name.upper()


@given(names=NAMES)
def test_a_name_made_is_found_again_when_a_program_writes_it(logic: ctypes.CDLL, names: list[str]) -> None:
    for name in short_names(logic, names):
        assert cut(logic, name.lower()) == name


@pytest.mark.parametrize(("part", "name"), [
    ("motd", "MOTD"),
    ("verylongname.text", "VERYLONG.TEX"),
    ("a.b.c", "A.B"),
    ("name.", "NAME"),
    ("abcd.efghi", "ABCD.EFG"),
    ("", ""),
])
def test_what_dos_looks_at_in_a_path(logic: ctypes.CDLL, part: str, name: str) -> None:
    assert cut(logic, part) == name


@pytest.mark.parametrize(("pattern", "name", "matches"), [
    ("*.*", "MOTD", True),
    ("*.*", "READ.ME", True),
    ("*", "READ.ME", False),
    ("*.ME", "READ.ME", True),
    ("R??D.ME", "READ.ME", True),
    ("R?D.ME", "READ.ME", False),
    ("MO*.*", "MOTD", True),
    ("MO*.*", "NOTE", False),
    ("motd", "MOTD", True),
    ("MOT", "MOTD", False),
])
def test_patterns(logic: ctypes.CDLL, pattern: str, name: str, matches: bool) -> None:
    assert bool(logic.dos_name_matches(pattern.encode(), name.encode())) is matches


@pytest.mark.parametrize(("name", "is_device"), [
    ("CON", True), ("CON.TXT", True), ("CONFIG.SYS", False), ("CO", False), ("", False),
])
def test_devices_hide_files_of_their_name(logic: ctypes.CDLL, name: str, is_device: bool) -> None:
    assert bool(logic.dos_is_device(name.encode(), b"CON")) is is_device
