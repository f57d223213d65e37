"""The Python table of a subsystem: a module of `machemu.interfaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machemu.mig.model import (
    BYTE,
    CHAR,
    COPY_SEND,
    MAKE_SEND_ONCE,
    POLYMORPHIC,
    REAL,
    Deallocate,
    Direction,
    Field,
    Type,
)

if TYPE_CHECKING:
    from machemu.mig.model import Item, Layout, Routine, Subsystem

WIDTH = 110


def python_module(subsystem: Subsystem) -> str:
    """The text of `machemu/interfaces/<subsystem>.py`."""
    body = "".join(_routine(routine) for routine in subsystem.routines)
    uses_items = any(r.request.items or r.reply.items for r in subsystem.routines)
    names = ("Item, Kind, " if uses_items else "") + ("Routine, " if subsystem.routines else "") + "subsystem"
    routines = f",\n{body}" if body else ""
    return (
        f"# Made from servers/defs/{subsystem.source} by tools/make_interfaces.py: edit that file instead.\n"
        f'"""Interface {subsystem.name}, ids from {subsystem.base}."""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import Final\n\n"
        f"from machemu.interfaces.runtime import {names}\n\n"
        f'SUBSYSTEM: Final = subsystem("{subsystem.name}", {subsystem.base}{routines})\n'
    )


def _routine(routine: Routine) -> str:
    extra = ""
    target = routine.request_port.type.sent
    if target != COPY_SEND:
        extra += f", target={target}"
    reply_port = routine.only(Direction.REPLY_PORT, Direction.USER_REPLY_PORT)
    reply_to = 0 if routine.simple else MAKE_SEND_ONCE
    if reply_port is not None:
        reply_to = reply_port.type.sent
    if reply_to != MAKE_SEND_ONCE:
        extra += f", reply_to={reply_to}"
    if any(argument.return_code for argument in routine.arguments):
        extra += ", is_reply=True"
    head = f'    Routine({routine.ident}, "{routine.name}", {routine.simple},'
    request, reply = _items(routine.request), _items(routine.reply)
    if len(one_line := f"{head} {request}, {reply}{extra}),\n") <= WIDTH and "\n" not in one_line:
        return one_line
    return f"{head}\n            request={request},\n            reply={reply}{extra}),\n"


def _items(layout: Layout) -> str:
    if not layout.items:
        return "()"
    if len(layout.items) == 1:
        return f"({_item(layout.items[0])},)"
    return "(" + "".join(f"\n                {_item(item)}," for item in layout.items) + "\n            )"


def _item(item: Item) -> str:
    kind = item.type
    inner = innermost(kind)
    words = [f'"{item.name}"', f"Kind.{_kind(kind, inner)}", _type(kind.sent), str(kind.bits)]
    if kind.number != 1:
        words.append(str(kind.number))
    if kind.received != kind.sent:
        words.append(f"arrives={_type(kind.received)}")
    if _kind(kind, inner) in ("INTEGER", "INTEGERS") and inner.is_signed:
        words.append("signed=True")
    words += [f"{flag}=True" for flag, given in (
        ("variable", kind.variable), ("indefinite", kind.indefinite), ("out_of_line", not kind.inline),
        ("long_form", kind.is_long), ("deallocate", kind.deallocate is not Deallocate.NO)) if given]
    if inner.fields:
        words.append(f'fields="{struct_format(inner)}"')
        words += [f"group={inner.number}"] if inner.number != 1 else []
    elif kind.variable and kind.group != 1:
        words.append(f"group={kind.group}")
    if kind.variable or kind.number != inner.number or not kind.inline:
        words.append("single=False")
    return f"Item({', '.join(words)})"


def _type(name: int) -> str:
    return "-1" if name == POLYMORPHIC else str(name)


def innermost(kind: Type) -> Type:
    """The type of an array's elements, or of what a pointer points at."""
    while kind.element is not None:
        kind = kind.element
    return kind


def _kind(kind: Type, inner: Type) -> str:
    if kind.is_port or kind.is_polymorphic:
        return "PORT"
    if inner.fields:
        return "STRUCT"
    if kind.string:
        return "STRING"
    if kind.sent in (BYTE, CHAR, REAL) and (kind.number != 1 or kind.variable or kind.bits != 8):
        return "OCTETS"
    if kind.bits not in (8, 16, 32, 64):
        return "OCTETS"
    return "INTEGER" if kind.number == 1 and not kind.variable and kind.inline else "INTEGERS"


def struct_format(kind: Type) -> str:
    """The C layout of a struct for Python's module `struct`, padding included."""
    text, end = _fields(kind.fields, 0)
    tail = kind.octets - end
    return "<" + text + (f"{tail}x" if tail else "")


def _fields(fields: tuple[Field, ...], base: int) -> tuple[str, int]:
    """Format of `fields`, and where they end; `base` is where the struct begins."""
    text, at = "", base
    for one in fields:
        start = base + one.offset
        if start > at:
            text += f"{start - at}x"
        inner = innermost(one.type)
        count = one.type.octets // inner.octets
        if inner.fields:
            for n in range(count):
                part, end = _fields(inner.fields, start + n * inner.octets)
                pad = start + (n + 1) * inner.octets - end
                text += part + (f"{pad}x" if pad else "")
        else:
            text += _codes(one.type, inner, count)
        at = start + one.type.octets
    return text, at


def _codes(kind: Type, inner: Type, count: int) -> str:
    if kind.sent in (BYTE, CHAR) and kind.octets > 1:
        return f"{kind.octets}s"
    code = {8: "b", 16: "h", 32: "i", 64: "q"}[inner.bits]
    code = code if inner.is_signed else code.upper()
    many = count * inner.number
    return code if many == 1 else f"{many}{code}"
