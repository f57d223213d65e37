"""One schema: codecs, C header and listing agree."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from machemu.wire import frames, items, message, records
from machemu.wire.codec import Coded
from machemu.wire.emit import c_header, listing
from machemu.wire.layout import Kind
from machemu.wire.schema import ENUMERATIONS, GROUPS, Number, numbers

ROOT = Path(__file__).resolve().parents[2]
CODED = [kind for module in (frames, items, message, records) for kind in vars(module).values()
         if isinstance(kind, type) and issubclass(kind, Coded) and kind is not Coded
         and kind.__module__ == module.__name__]


@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.__name__)
def test_codec_has_the_fields_of_its_layout(kind: type[Coded]) -> None:
    assert tuple(field.name for field in fields(kind)) == kind.LAYOUT.free  # type: ignore[arg-type]
    parts = {field.name for field in kind.LAYOUT.fields if field.kind is Kind.PART}
    assert set(kind.PARTS) == parts


def test_lengths_are_those_of_the_document() -> None:
    sizes = {each.name: each.size for group in GROUPS for each in group.layouts}
    stated = {"HEADER": 32, "PD": 32, "MSG": 64, "OOL": 16, "ITEM": 16, "GRANT": 96, "NODE_CERT": 176,
              "BOOT_CERT": 192}
    assert {name: sizes[name] for name in stated} == stated
    assert [32 + sizes[name] for name in ("HS1_MODERN", "HS2_MODERN", "HS3_MODERN", "HS_RETRY", "HS", "CHAN_UNKNOWN")
            ] == [104, 504, 472, 48, 40, 40]


def test_made_files_are_not_stale() -> None:
    assert (ROOT / "servers/include/machemu/wire.h").read_text(encoding="utf-8") == c_header()
    assert (ROOT / "docs/wire.md").read_text(encoding="utf-8") == listing()


def test_header_defines_every_number_once() -> None:
    defined = re.findall(r"^#define (WIRE_\w+) (.+)$", c_header(), re.MULTILINE)
    values = dict(defined)
    assert len(values) == len(defined)
    for name, value in numbers().items():
        assert int(values[f"WIRE_{name}"].rstrip("uUL"), 0) == value
    for prefix, members in ENUMERATIONS.items():
        for name, member in members.__members__.items():
            assert int(values[f"WIRE_{prefix}_{name}"].rstrip("u"), 0) == member
    assert values["WIRE_CLAIM_NAME"] == "16"
    assert values["WIRE_LABEL_NODE_CERT_LEN"] == "21"


def test_header_is_clean_c(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    program = b"""
#include "machemu/wire.h"
_Static_assert(sizeof WIRE_LABEL_NODE_CERT - 1 == WIRE_LABEL_NODE_CERT_LEN, "label");
uint64_t both(uint8_t *p);
uint64_t both(uint8_t *p)
{
	wire_put16(p, 1);
	wire_put32(p, 2);
	wire_put64(p, 3);
	return wire_get16(p) + wire_get32(p) + wire_get64(p);
}
"""
    result = subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-c",
         "-o", tmp_path / "wire.o",
         f"-I{ROOT / 'servers/include'}", "-x", "c", "-"], input=program, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


def test_window_fits_the_frames() -> None:
    overhead = 32 + 4 + 8  # header, record, stream offset
    assert Number.STREAM_DATA_MAX + overhead <= Number.MTU
