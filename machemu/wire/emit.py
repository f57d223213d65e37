"""The C header and the listing that follow from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from machemu.wire.layout import Field, Kind, Layout
from machemu.wire.schema import ENUMERATIONS, GROUPS, LABELS, numbers

MADE: Final = "Made by tools/make_wire_header.py from machemu/wire/schema.py; edit that."
IN_HEX: Final = ("ETHERTYPE", "MAGIC", "ALL_NODES", "NO_OFFSET")

ACCESSORS: Final = """\
/* Fields lie at any address, and the wire is little-endian whatever the CPU. */
static inline uint16_t wire_get16(const void *at)
{
	const uint8_t *p = at;

	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t wire_get32(const void *at)
{
	const uint8_t *p = at;

	return wire_get16(p) | (uint32_t)wire_get16(p + 2) << 16;
}

static inline uint64_t wire_get64(const void *at)
{
	const uint8_t *p = at;

	return wire_get32(p) | (uint64_t)wire_get32(p + 4) << 32;
}

static inline void wire_put16(void *at, uint16_t value)
{
	uint8_t *p = at;

	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void wire_put32(void *at, uint32_t value)
{
	uint8_t *p = at;

	wire_put16(p, (uint16_t)value);
	wire_put16(p + 2, (uint16_t)(value >> 16));
}

static inline void wire_put64(void *at, uint64_t value)
{
	uint8_t *p = at;

	wire_put32(p, (uint32_t)value);
	wire_put32(p + 4, (uint32_t)(value >> 32));
}
"""


def c_header() -> str:
    """The text of servers/include/machemu/wire.h.

    Raises ValueError: two names of the schema become one name in C.
    """
    lines = [f"/* {MADE}", "",
             "   Frames between generic network servers (security.md 4).  WIRE_X_Y is the offset of",
             "   field Y in layout X, in octets; WIRE_X_SIZE the octets of X, or of what precedes its",
             "   open end.  The inline data of a message are its body: what follows Mach's header. */",
             "#ifndef MACHEMU_WIRE_H", "#define MACHEMU_WIRE_H", "", "#include <stdint.h>", ""]
    seen: set[str] = set()
    for title, defines in _sections():
        lines.append(f"/* {title} */")
        for name, value in defines:
            if name in seen:
                raise ValueError(f"{name} stands for two things; rename one in the schema")
            seen.add(name)
            lines.append(f"#define {name} {value}".rstrip())
        lines.append("")
    return "\n".join([*lines, ACCESSORS, "#endif", ""])


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "Limits, flags, times", [
        (f"WIRE_{name}", f"0x{value:04X}u" if name in IN_HEX else _number(value)) for name, value in numbers().items()]
    for prefix, members in ENUMERATIONS.items():
        title = (members.__doc__ or "").strip().splitlines()[0]
        yield title, [(f"WIRE_{prefix}_{name}", _number(value)) for name, value in members.__members__.items()]
    for group in GROUPS:
        for each in group.layouts:
            yield f"{group.title}: {each.name}", list(_offsets(each))
    yield "Labels, and their lengths", [
        pair for name, label in LABELS.items()
        for pair in ((f"WIRE_LABEL_{name}", _c_string(label)), (f"WIRE_LABEL_{name}_LEN", str(len(label))))]


def _offsets(each: Layout) -> Iterator[tuple[str, str]]:
    for field in each.fields:
        if field.kind is not Kind.ZERO:
            yield f"WIRE_{each.name}_{field.name.upper()}", str(field.offset)
    yield f"WIRE_{each.name}_SIZE", str(each.size)


def _number(value: int) -> str:
    if value > 0xFFFF_FFFF:
        return f"{value}ULL"
    return f"{value}u"


def _c_string(label: bytes) -> str:
    return '"' + label.decode("ascii").replace("\0", "\\0") + '"'


def listing() -> str:
    """The text of docs/wire.md: every layout as a table."""
    lines = ["# Frames on the wire", "",
             f"{MADE}  Integers are little-endian, except the EtherType; offsets and sizes are in octets.", ""]
    for group in GROUPS:
        lines += [f"## {group.title}", ""]
        for each in group.layouts:
            lines += [f"### {each.name}", "", "| octets | field | is |", "|---|---|---|"]
            lines += [_row(field) for field in each.fields]
            lines.append("")
    lines += ["## Numbers", "", "| name | value |", "|---|---|"]
    lines += [f"| {name} | {_plain(name, value)} |" for name, value in numbers().items()]
    for members in ENUMERATIONS.values():
        title = (members.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"### {members.__name__}", "", title, "", "| value | name |", "|---|---|"]
        lines += [f"| {value:d} | {name} |" for name, value in members.__members__.items()]
    lines += ["", "## Labels", "", "| name | octets |", "|---|---|"]
    lines += [f"| {name} | `{_c_string(label)[1:-1]}` |" for name, label in LABELS.items()]
    return "\n".join([*lines, ""])


def _row(field: Field) -> str:
    span = f"{field.offset}:{field.size}" if field.size is not None else f"{field.offset}:"
    name = "zero" if field.kind is Kind.ZERO else field.name
    kind = {Kind.INTEGER: "integer", Kind.OCTETS: "octets", Kind.ZERO: "", Kind.LENGTH: f"length of {field.of}",
            Kind.PART: field.of}[field.kind]
    return f"| {span} | {name} | {kind} |"


def _plain(name: str, value: int) -> str:
    return f"0x{value:04X}" if name in IN_HEX else str(value)
