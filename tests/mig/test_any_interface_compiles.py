"""What MIG takes the C compiler takes: types and arguments drawn at random, within what is allowed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from machemu import mig
from machemu.mig.model import Subsystem, Type
from machemu.sdk.toolchain import toolchain
from tests.mig.stubs import DEFS
from tests.support.host_c import FLAGS, ROOT

BASES: Final = (
    "int", "char", "short", "boolean_t", "int64_t", "kern_return_t", "mach_port_t", "mach_port_poly_t", "polymorphic",
    "2", "9", "mach_port_name_t", "MACH_MSG_TYPE_PORT_SEND", "MACH_MSG_TYPE_MOVE_RECEIVE",
    "MACH_MSG_TYPE_MAKE_SEND_ONCE | polymorphic", "polymorphic | MACH_MSG_TYPE_PORT_SEND", "MACH_MSG_TYPE_REAL",
    "(MACH_MSG_TYPE_REAL, 64)", "(MACH_MSG_TYPE_BYTE, 8*40)", "(MACH_MSG_TYPE_BYTE, 24)", "c_string[20]",
    "c_string[*:20]", "(MACH_MSG_TYPE_STRING, 8*30)", "(MACH_MSG_TYPE_INTEGER_16, 16, IsLong)", "pair_t",
    "struct { int a; char b[3]; }", "struct { char a; short b[2]; }", "struct { pair_t a; pair_t b[2]; }")
AROUND: Final = (
    "array[3] of ", "array[*:5] of ", "array[] of ", "array[*] of ", "array[600] of ", "array[1] of ", "struct[2] of ",
    "^", "^array[] of ", "^array[*:7] of ")
DIRECTIONS: Final = ("", "", "in ", "inout ", "out ", "out ", "out ", "sreplyport ", "msgseqno ", "waittime ")
FLAGS_OF_ARGUMENTS: Final = (*[""] * 8, ", Dealloc", ", Dealloc[]", ", IsLong", ", IsNotLong", ", CountInOut",
                             ", ServerCopy")
HEAD: Final = ("subsystem drawn 1000;\n#include <mach/std_types.defs>\n"
               'type pair_t = struct { int first; char second; };\nimport "drawn_types.h";\n')
C_HEAD: Final = ("#ifndef DRAWN\n#define DRAWN\n#include <mach/std_types.h>\n#include <mach/message.h>\n"
                 "typedef struct { int first; char second; } pair_t;\n")
SCALARS: Final = {1: "char", 2: "short", 4: "int", 8: "int64_t"}
ROUTINES: Final = 25


def draw_routine(chance: random.Random, number: int) -> str:
    """The types and the text of one routine, which MIG may refuse."""
    text, names = "", ["pair_t", "int", "mach_port_t"]
    for letter in "abc":
        around = [chance.choice(AROUND) for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 2, 3)))]
        names.append(f"{letter}{number}_t")
        text += f"type {names[-1]} = {''.join(around)}{chance.choice(BASES)};\n"
    arguments = ["port : mach_port_t"]
    for letter in "vwxyz"[:chance.randint(0, 5)]:
        arguments.append(f"{chance.choice(DIRECTIONS)}{letter} : {chance.choice(names)}"
                         f"{chance.choice(FLAGS_OF_ARGUMENTS)}")
    kind = chance.choice(("routine", "routine", "simpleroutine"))
    return text + f"{kind} r{number}({'; '.join(arguments)});\n"


def draw(chance: random.Random, path: Path) -> Subsystem:
    """An interface of routines that MIG takes."""
    taken = HEAD
    for number in range(ROUTINES):
        while True:
            path.write_text(HEAD + (one := draw_routine(chance, number)))
            try:
                mig.compile_defs(path, [DEFS])
            except mig.MigError:
                continue
            taken += one
            break
    path.write_text(taken)
    return mig.compile_defs(path, [DEFS])


def types_of(subsystem: Subsystem) -> Iterator[Type]:
    for routine in subsystem.routines:
        for argument in routine.arguments:
            kind: Type | None = argument.type
            while kind is not None:
                yield kind
                kind = kind.element


def c_types(subsystem: Subsystem) -> str:
    """C's definitions of the types drawn, which have to have the interface's sizes."""
    found: dict[str, str] = {}
    for kind in types_of(subsystem):
        if not kind.user_type[1:2].isdigit():
            continue
        if kind.is_port or kind.is_polymorphic:
            found[kind.user_type] = "mach_port_t"
        elif kind.fields or kind.octets not in SCALARS:
            found[kind.user_type] = f"struct {{ _Alignas({kind.align}) char octets[{kind.octets}]; }}"
        else:
            found[kind.user_type] = SCALARS[kind.octets]
    return C_HEAD + "".join(f"typedef {text} {name};\n" for name, text in sorted(found.items())) + "#endif\n"


@pytest.mark.parametrize("seed", range(2))
def test_stubs_of_drawn_interfaces_compile_without_a_warning(tmp_path: Path, seed: int) -> None:
    subsystem = draw(random.Random(seed), tmp_path / "drawn.defs")
    (tmp_path / "drawn_types.h").write_text(c_types(subsystem))
    (tmp_path / "user.c").write_text(mig.c_header(subsystem) + mig.c_user(subsystem))
    (tmp_path / "server.c").write_text(mig.c_server_header(subsystem) + mig.c_server(subsystem))
    for name in ("user", "server"):
        toolchain().run("cc", *FLAGS, f"-I{tmp_path}", f"-I{ROOT / 'servers' / 'include'}", "-c",
                        tmp_path / f"{name}.c", "-Wno-unused-command-line-argument", "-o", tmp_path / f"{name}.o")
