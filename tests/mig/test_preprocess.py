"""The preprocessor: what a .defs file written for cpp says here."""

from __future__ import annotations

from pathlib import Path

import pytest

from machemu.mig.condition import ConditionError, evaluate
from machemu.mig.preprocess import preprocess


def text_of(folder: Path, text: str, **defines: str) -> list[str]:
    """Lines without the spaces that macros leave."""
    path = folder / "test.defs"
    path.write_text(text, encoding="latin-1")
    return [" ".join(line.split()) for line in preprocess(path, [folder], defines).lines if line.strip()]


@pytest.mark.parametrize(("macro", "used", "wanted"), [
    ("A 1", "A B A1 1A", "1 B A1 1A"),
    ("A() 1", "A A()", "A 1"),
    ("A(x) <x>", "A(1) A ( 2 )", "<1> <2>"),
    ("A(x, y) y x", "A(f(1, 2), (3, 4))", "(3, 4) f(1, 2)"),
    ("A(x) x ## _t x##1", "A(port)", "port_t port1"),
    ("A(x) #x", 'A("b" c)', "\"'b' c\""),
    ("A(x, ...) x: __VA_ARGS__", "A(1, 2, 3)", "1: 2, 3"),
    ("A A B", "A", "A B"),
    ("A(x) x", "A(A(A(1)))", "1"),
    ("A(x) \"x\" x", "A(1)", '"x" 1'),
    ("A (x)", "A(1)", "(x)(1)"),
    ("A(x) x", 'rcsid "A(1)"; A(")")', 'rcsid "A(1)"; ")"'),
])
def test_macro(tmp_path: Path, macro: str, used: str, wanted: str) -> None:
    assert text_of(tmp_path, f"#define {macro}\n{used}\n") == [wanted]


def test_macros_use_each_other_in_any_order(tmp_path: Path) -> None:
    assert text_of(tmp_path, (
        "#define TYPE(n) PREFIX(n)\n#define PREFIX(n) io_ ## n\n#define N port\nTYPE(N) TYPE(t)\n#undef N\nTYPE(N)\n")
    ) == ["io_port io_t", "io_N"]
    assert text_of(tmp_path, "#define A B\n#define B C\nA\n#undef B\nA\n") == ["C", "B"]


def test_call_of_a_macro_goes_on_over_lines(tmp_path: Path) -> None:
    assert text_of(tmp_path, "#define A(x, y) x + y\nA(1,\n\n  f(2,\n  3)) B\nC\n") == ["1 + f(2, 3) B", "C"]


@pytest.mark.parametrize(("text", "value"), [
    ("0x10 + 010 + 10L", 34), ("1 ? 2 : 3", 2), ("0 ? 1 : 0 ? 2 : 3", 3), ("6 & 3 | 8 ^ 1", 11), ("~0 == -1", 1),
    ("1 << 4 >> 2", 4), ("-7 / 2", -3), ("-7 % 2", -1), ("0 && 1 / 0", 0), ("1 || 1 / 0", 1), ("'a' == 97", 1),
    ("!(1 == 1) || 2 > 1 && 3 <= 3", 1), ("UNKNOWN", 0), ("9223372036854775807 + 1 < 0", 1), ("2 - 1 - 1", 0),
])
def test_condition(text: str, value: int) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize("text", ["", "1 +", "(1", "1 2", "1 ? 2", "@", "09", "1 % 0", "1 << 64", "9" * 30])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(ConditionError):
        evaluate(text)


def test_branches_are_chosen_once_and_others_may_hold_anything(tmp_path: Path) -> None:
    text = ("#if defined(A) && !defined B\na\n#elif defined C\nc\n#if 0\n#frob\n#endif\n#elif 1\nother\n#else\nelse\n"
            "#endif\n#ifdef A more\nagain\n#endif\n#ifndef A\n#error no\n#endif\n")
    assert text_of(tmp_path, text, A="1") == ["a", "again"]
    assert text_of(tmp_path, text.replace("#error no", "last"), C="") == ["c", "last"]
    assert text_of(tmp_path, text.replace("#error no", "last")) == ["other", "last"]


def test_machine_is_told(tmp_path: Path) -> None:
    assert text_of(tmp_path, "#if __LP64__ && __riscv_xlen == 64 && defined __STDC__\nyes\n#endif\n") == ["yes"]


def test_old_file_in_another_code_with_other_line_ends_is_read(tmp_path: Path) -> None:
    (tmp_path / "old.defs").write_bytes(b"/* \xa9 1990 */\r\n#define A \\\r\n b\r\ntype\f a;\r\n A\r\n")
    lines = preprocess(tmp_path / "old.defs").lines
    assert [line.split() for line in lines if line.split()] == [["type", "a;"], ["b"]]


def test_warning_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "test.defs"
    path.write_text("\n#warning old\n#ident x\n#pragma once\nb\n")
    source = preprocess(path)
    assert (source.warnings, source.lines) == ([f"{path}:2: warning: old"], ["b"])


def test_included_file_may_be_named_by_a_macro(tmp_path: Path) -> None:
    (tmp_path / "one.defs").write_text("one\n")
    assert text_of(tmp_path, '#define FILE "one.defs"\n#include FILE\n#include <one.defs>\n') == ["one", "one"]
