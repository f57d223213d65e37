"""How made C files are laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from machemu.mig.c_types import CSide, Parameter
    from machemu.mig.model import Subsystem

WIDTH: Final = 108  # columns, a tab counted as 8


def first_line(subsystem: Subsystem) -> str:
    return f"/* Made from {subsystem.source} by machemu mig: edit that file instead. */\n"


def includes(subsystem: Subsystem, side: CSide, *own: str) -> str:
    """#include lines: `own` first, then what the interface imports on this side."""
    wanted = [f"<{name}>" for name in own]
    wanted += [file for file, where in subsystem.imports if where in ("both", side)]
    return "".join(f"#include {file}\n" for file in dict.fromkeys(wanted))


def prototype(name: str, parameters: Sequence[Parameter]) -> str:
    """`kern_return_t name(...)`, without what follows it."""
    return wrapped(f"kern_return_t {name}(", [p.declaration for p in parameters], ")", "    ")


def wrapped(head: str, parts: Iterable[str], tail: str, indent: str) -> str:
    """`head`, then `parts` with commas, then `tail`; what goes past the width goes on below."""
    lines, line = [], head
    listed = list(parts)
    for number, part in enumerate(listed):
        last = number == len(listed) - 1
        text = part + (tail if last else ",")
        gap = "" if line.endswith("(") else " "
        if len((line + gap + text).expandtabs(8)) > WIDTH and not line.endswith("("):
            lines.append(line)
            line, gap = indent, ""
        line += gap + text
    return "\n".join([*lines, line])


def call(head: str, arguments: Iterable[str], indent: str = "\t") -> str:
    """A statement that is a call: `head` ends with the parenthesis."""
    return wrapped(indent + head, arguments, ");", indent + "    ")


def block(head: str, lines: Iterable[str]) -> list[str]:
    """Statements within braces behind `head`, further in."""
    return [f"\t{head}{{", *("\t" + line.replace("\n", "\n\t") if line else "" for line in lines), "\t}"]


def function(head: str, lines: Iterable[str]) -> str:
    return f"{head}\n{{\n" + "".join(f"{line}\n" for line in lines) + "}\n"


def guard(name: str) -> str:
    return f"_MIG_{''.join(c if c.isalnum() else '_' for c in name).upper()}_H_"


def guarded(name: str, body: str) -> str:
    return f"#ifndef {guard(name)}\n#define {guard(name)}\n\n{body}\n#endif\n"


def static_asserts(types: dict[str, int]) -> str:
    """A .defs file and the C types it names have to agree."""
    return "".join(f'_Static_assert(sizeof({name}) == {octets}, "{name}");\n' for name, octets in types.items())
