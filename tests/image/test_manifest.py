"""The boot manifest, as text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.errors import ConfigError
from machemu.image.manifest import FLAGS, Manifest, ManifestEntry, escape, parse_manifest, unescape
from machemu.site.settings import SiteSettings

ENTRIES = (ManifestEntry("acs", "bin/acs", frozenset({"ready", "main"})),
           ManifestEntry("job", "bin/job", frozenset(), "acs", ("a b", "100%", "zwölf\n")))
MANIFEST = Manifest(3, "three", SiteSettings("paper", announce_origin=True, associations=9), ENTRIES)
TEXT = """\
machemu-manifest 1
node 3 three
site paper 0 0 1 0 9
entry acs bin/acs main,ready - -
entry job bin/job - acs a%20b 100%25 zw%C3%B6lf%0A
""".replace("ready - -\n", "ready -\n")


def test_text_is_what_bootstrap_reads() -> None:
    assert MANIFEST.text() == TEXT


def test_text_comes_back_as_the_same_manifest() -> None:
    assert parse_manifest(TEXT, "m") == MANIFEST


@pytest.mark.parametrize(("old", "new", "said"), [
    ("machemu-manifest 1", "machemu-manifest 2", "m:1: the first line is not"),
    ("node 3 three", "node three 3", "m:2: node: expected a number"),
    ("node 3 three", "node 3", "m:2: node: expected a number"),
    ("node 3 three", "node 99999999999 three", "m:2: node: 99999999999 is not"),
    ("node 3 three", "node ² three", "m:2: node: expected a number"),
    ("site paper", "site papier", 'm:3: suite: "papier"'),
    ("0 0 1 0 9", "0 0 2 0 9", "m:3: site: a switch is neither"),
    ("0 0 1 0 9", "0 0 1 9", "m:3: site: expected"),
    ("main,ready", "main,reddy", 'm:4: flags: "reddy"'),
    ("entry acs bin/acs", "entry acs /bin/acs", 'm:4: "/bin/acs" is not a relative path'),
    ("entry acs bin/acs", "entry acs", 'm:4: entry: expected'),
    ("entry job", "entry acs", 'm:5: a second entry "acs"'),
    ("a%20b", "a%2", 'm:5: "a%2": a percent sign'),
    ("zw%C3%B6lf", "zw%F6lf", "is not UTF-8"),
    ("a%20b", " a", "m:5: entry: two spaces"),
    ("node 3 three\n", "", "m: there is no line `node`"),
    ("entry acs", "entree acs", 'm:4: "entree" is out of place'),
    ("site paper 0 0 1 0 9", "node 4 four", 'm:3: "node" is out of place'),
])
def test_mistake_is_told_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_manifest(TEXT.replace(old, new, 1), "m")
    assert said in str(caught.value)


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_any_field_survives_escaping(field: str) -> None:
    escaped = escape(field)
    assert unescape(escaped) == field
    assert " " not in escaped
    assert "\n" not in escaped


@given(st.text())
def test_any_text_is_a_manifest_or_one_line_of_refusal(text: str) -> None:
    try:
        assert parse_manifest(text, "m").text()
    except ConfigError as error:
        assert str(error).startswith("m:")


@given(st.lists(st.sampled_from([*TEXT.split("\n"), "entry x y -", "entry z bin/z main - %", "site none 1 1 1 1 1"])))
def test_lines_in_any_order_are_read_or_refused(lines: list[str]) -> None:
    try:
        manifest = parse_manifest("\n".join([TEXT.split("\n")[0], *lines]), "m")
    except ConfigError as error:
        assert str(error).startswith("m:")
    else:
        assert parse_manifest(manifest.text(), "again") == manifest


def test_flags_are_written_in_one_order() -> None:
    entry = ManifestEntry("x", "bin/x", frozenset(FLAGS))
    assert Manifest(1, "one", SiteSettings("none"), (entry,)).text().split("\n")[3] == (
        "entry x bin/x main,ready,restart,host,device -")
