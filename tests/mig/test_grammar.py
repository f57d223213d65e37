"""MIG's language: what each statement means, and one clear error for each kind of mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from machemu.mig import MigError, Subsystem, c_header, c_server, c_server_header, c_user, compile_defs
from machemu.mig.c_types import Shape, shape
from machemu.mig.model import ARRIVES_AS, POLYMORPHIC, Direction, Type
from machemu.mig.syntax import OLD_STATEMENTS
from machemu.mig.types import DEALLOC_FLAGS, LONG_FLAGS
from tests.mig.stubs import DEFS
from tests.support.host_c import ROOT

START: Final = "subsystem test 1000;\n#include <mach/std_types.defs>\n"  # 2 lines


def compiled(folder: Path, text: str, start: str = START) -> Subsystem:
    path = folder / "test.defs"
    path.write_text(start + text)
    return compile_defs(path, [DEFS])


def type_of(folder: Path, spec: str) -> Type:
    routine = compiled(folder, f"type t = {spec};\nroutine r(port : mach_port_t; x : t);").routines[0]
    return routine.arguments[1].type


# --- statements -----------------------------------------------------------------------------


def test_keywords_are_read_in_any_case(tmp_path: Path) -> None:
    text = ("SubSystem test 1000;\nTYPE p = MACH_MSG_TYPE_COPY_SEND CType : mach_port_t;\n"
            "Routine r(RequestPort a : p);\n")
    subsystem = compiled(tmp_path, text, start="")
    assert [r.name for r in subsystem.routines] == ["r"]
    assert subsystem.routines[0].request_port.type.user_type == "mach_port_t"


def test_names_may_be_keywords_elsewhere(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, "routine r(port : mach_port_t; type : int; skip : int; out waittime : int);")
    assert [a.name for a in subsystem.routines[0].arguments] == ["port", "type", "skip", "waittime"]


def test_ids_are_counted_with_what_is_skipped(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "routine a(p : mach_port_t);\nskip;\nroutine b(p : mach_port_t);\nskip 0x10;\n"
        "simpleroutine c(p : mach_port_t);"))
    assert [(r.name, r.ident, r.simple) for r in subsystem.routines] == [
        ("a", 1000, False), ("b", 1002, False), ("c", 1019, True)]


def test_prefixes_and_demux_name_the_functions(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "userprefix u_;\nserverprefix s_;\nserverdemux answer;\nroutine a(p : mach_port_t);\n"
        "serverprefix t_;\nroutine b(p : mach_port_t);"))
    assert [(r.user_name, r.server_name) for r in subsystem.routines] == [("u_a", "s_a"), ("u_b", "t_b")]
    header = c_server_header(subsystem)
    assert "extern boolean_t answer(" in header
    assert "extern mig_routine_t answer_routine(" in header
    assert "kern_return_t u_b(mach_port_t p)" in c_user(subsystem)


def test_imports_go_to_the_sides_they_are_for(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        'import <both.h>;\nuimport <user.h>;\nsimport "server.h";\nimport <both.h>;\nroutine a(p : mach_port_t);'))
    texts = {"header": c_header(subsystem), "user": c_user(subsystem), "server_header": c_server_header(subsystem),
             "server": c_server(subsystem)}
    found = {name: [file for file in ("<both.h>", "<user.h>", '"server.h"') if text.count(f"#include {file}\n") == 1]
             for name, text in texts.items()}
    assert found == {"header": ["<both.h>", "<user.h>"], "user": ["<both.h>", "<user.h>"],
                     "server_header": ["<both.h>", '"server.h"'], "server": ["<both.h>", '"server.h"']}


def test_options_hold_until_the_next(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "routine a(p : mach_port_t);\nmsgoption MACH_SEND_TIMEOUT |\n MACH_RCV_LARGE;\nwaittime 50 * 2;\n"
        "routine b(p : mach_port_t);\nnowaittime;\nmsgoption MACH_MSG_OPTION_NONE;\nroutine c(p : mach_port_t);"))
    assert [(r.message_option, r.wait_time) for r in subsystem.routines] == [
        (None, None), ("MACH_SEND_TIMEOUT | MACH_RCV_LARGE", "50 * 2"), (None, None)]


def test_what_else_a_file_may_hold(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        'rcsid "$Header$";\n;\n/* a comment */ // another\n#if defined(__LP64__) && 2 * (3 - 1) == 4 && !NOTHING\n'
        "#define ARGUMENT(name, kind) name ## _1 : kind\nroutine a(p : mach_port_t; \\\nARGUMENT(x, int));\n"
        "#else\n#error never\n#endif\n"), start="subsystem KernelUser kernelserver test 1000;\n"
        "#include <mach/std_types.defs>\n#include <mach/std_types.defs>\n")
    assert subsystem.kernel_user and subsystem.kernel_server
    assert [a.name for a in subsystem.routines[0].arguments] == ["p", "x_1"]


def test_directions(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "routine a(p : mach_port_t; x : int; in y : int; out z : int; inout w : int; sreplyport s : mach_port_t;"
        " ureplyport u : mach_port_t; waittime t : int; msgoption o : int; msgseqno n : int);\n"
        "routine b(x : int; requestport p : mach_port_t; replyport r : mach_port_t);"),
        start=START)
    first, second = subsystem.routines
    assert [a.direction for a in first.arguments] == [
        Direction.REQUEST_PORT, Direction.IN, Direction.IN, Direction.OUT, Direction.INOUT,
        Direction.SERVER_REPLY_PORT, Direction.USER_REPLY_PORT, Direction.WAIT_TIME, Direction.MSG_OPTION,
        Direction.SEQUENCE_NUMBER]
    assert [a.direction for a in second.arguments] == [Direction.IN, Direction.REQUEST_PORT, Direction.REPLY_PORT]
    assert [item.name for item in first.request.items] == ["x", "y", "w"]
    assert [item.name for item in first.reply.items] == ["z", "w"]


# --- types ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "form", "octets", "variable"), [
    ("int", Shape.VALUE, 4, False),
    ("(MACH_MSG_TYPE_INTEGER_64, 8*8)", Shape.VALUE, 8, False),
    ("(MACH_MSG_TYPE_BYTE, 8*(10+6)/2-8)", Shape.ARRAY, 7, False),
    ("2", Shape.VALUE, 4, False),
    ("mach_port_t", Shape.PORT, 8, False),
    ("polymorphic", Shape.PORT, 8, False),
    ("array[3] of short", Shape.ARRAY, 6, False),
    ("array[0x10] of array[2] of char", Shape.ARRAY, 32, False),
    ("array[*:10] of int", Shape.ARRAY, 40, True),
    ("array[*:4] of mach_port_t", Shape.PORTS, 32, True),
    ("array[] of char", Shape.ARRAY, 2048, True),
    ("array[*] of mach_port_t", Shape.PORTS, 2048, True),
    ("struct[4] of int", Shape.VALUE, 16, False),
    ("struct { char a; int b; short c; }", Shape.VALUE, 12, False),
    ("struct { char a; char b[5]; }", Shape.VALUE, 6, False),
    ("^array[] of char", Shape.REGION, 0, True),
    ("^array[*:16] of int64_t", Shape.REGION, 128, True),
    ("^int", Shape.REGION, 4, False),
    ("^struct { int64_t a; char b; }", Shape.REGION, 16, False),
    ("c_string[80]", Shape.STRING, 80, False),
    ("c_string[*:80]", Shape.STRING, 80, True),
    ("(MACH_MSG_TYPE_STRING_C, 8*80)", Shape.STRING, 80, False),
])
def test_spec(tmp_path: Path, spec: str, form: Shape, octets: int, variable: bool) -> None:
    kind = type_of(tmp_path, spec)
    assert (shape(kind), kind.octets, kind.variable) == (form, octets, variable)


@pytest.mark.parametrize("name", ["COPY_SEND", "MAKE_SEND", "MOVE_SEND", "MAKE_SEND_ONCE", "MOVE_SEND_ONCE",
                                  "MOVE_RECEIVE"])
def test_right_arrives_as_what_the_kernel_makes_of_it(tmp_path: Path, name: str) -> None:
    kind = type_of(tmp_path, f"MACH_MSG_TYPE_{name}")
    assert ARRIVES_AS[kind.sent] == kind.received
    assert kind.bits == 64


@pytest.mark.parametrize(("spec", "sent", "received"), [
    ("MACH_MSG_TYPE_PORT_SEND", POLYMORPHIC, 17),
    ("MACH_MSG_TYPE_PORT_SEND_ONCE", POLYMORPHIC, 18),
    ("MACH_MSG_TYPE_PORT_RECEIVE", POLYMORPHIC, 16),
    ("MACH_MSG_TYPE_MAKE_SEND_ONCE | polymorphic", 21, POLYMORPHIC),
    ("polymorphic | MACH_MSG_TYPE_PORT_SEND", POLYMORPHIC, 17),
    ("MACH_MSG_TYPE_COPY_SEND | MACH_MSG_TYPE_PORT_SEND", 19, 17),
])
def test_two_names_of_a_right(tmp_path: Path, spec: str, sent: int, received: int) -> None:
    kind = type_of(tmp_path, spec)
    assert (kind.sent, kind.received) == (sent, received)


def test_c_names_of_each_side(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "type a = int cusertype: ua cservertype: sa;\ntype b = array[4] of int ctype: cb;\n"
        "type c = array[4] of a;\ntype d = b;\n"
        "routine r(p : mach_port_t; a : a; b : b; c : c; d : d; out e : b; out f : ^array[] of a = ^array[] of a);"
        .replace("f : ^array[] of a = ", "f : far = ")))
    assert "extern kern_return_t r(mach_port_t p, ua a, const cb b, const ua *c, const d d, cb e, ua **f,\n" in (
        c_header(subsystem))
    assert "extern kern_return_t r(mach_port_t p, sa a, const cb b, const sa *c, const d d, cb e, sa **f,\n" in (
        c_server_header(subsystem))


def test_type_may_be_defined_twice_alike_and_within_an_argument(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "type a = array[4] of int;\ntype a = array[2*2] of int;\n"
        "routine r(p : mach_port_t; x : b = array[3] of char);"))
    assert subsystem.routines[0].arguments[1].type.octets == 3


def test_flags_of_an_argument_go_before_those_of_its_type(tmp_path: Path) -> None:
    arguments = compiled(tmp_path, (
        "type given = ^array[] of (MACH_MSG_TYPE_BYTE, 8, Dealloc, IsNotLong);\n"
        "routine r(port : mach_port_t; a : given; b : given, NotDealloc, IsLong; c : given, Dealloc[]);"
    )).routines[0].arguments[1:]
    assert [(a.type.deallocate.value, a.type.is_long) for a in arguments] == [
        ("yes", False), ("no", True), ("ask", False)]


def test_shortcut_leaves_its_name_to_the_library(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "#pragma machemu shortcut a\nroutine a(p : mach_port_t);\nroutine b(p : mach_port_t);"))
    header = c_header(subsystem)
    assert [f"kern_return_t {name}(" in header for name in ("a", "a_rpc", "b", "b_rpc")] == [True, True, True, False]
    user = c_user(subsystem)
    assert [f"kern_return_t {name}(" in user for name in ("a", "a_rpc", "b", "b_rpc")] == [False, True, True, False]


def test_warnings_say_where(tmp_path: Path) -> None:
    subsystem = compiled(tmp_path, (
        "type p = (MACH_MSG_TYPE_COPY_SEND, 32);\nroutine r(port : mach_port_t; x : int, Dealloc);"))
    path = tmp_path / "test.defs"
    assert subsystem.warnings == [f"{path}:3: warning: a port takes 64 bits in a message, not 32",
                                  f"{path}:4: warning: x: Dealloc is for out-of-line data"]


def test_page_names_every_word_of_the_language() -> None:
    page = (ROOT / "docs" / "mig.md").read_text().lower()
    words = {direction.value for direction in Direction} | LONG_FLAGS.keys() | DEALLOC_FLAGS.keys()
    words |= OLD_STATEMENTS.keys() | {"sendtime", "servercopy", "countinout", "retcode"}
    grammar = (ROOT / "machemu" / "mig" / "grammar.lark").read_text()
    for terminal in re.findall(r"^_?[A-Z_]+\.2: /(.*?)\(\?!", grammar, re.MULTILINE):
        words |= set(re.findall(r"[a-z_]{3,}", terminal.replace("(simple)?", "").replace("(in|out)", "in")))
    assert len(words) > 40
    assert sorted(word for word in words if word not in page) == []


# --- mistakes -----------------------------------------------------------------------------------

MISTAKES: Final[dict[str, tuple[str, int, str] | tuple[str, int, str, str]]] = {
    "no subsystem": ("", 1, "the subsystem statement must come before", ""),
    "routine before the subsystem": ("routine r(p : int);", 1, "must come before routine r", ""),
    "two subsystems": ("subsystem again 5;", 3, "one subsystem only"),
    "not a statement": ("prozedur p(x : int);", 3, "unexpected 'prozedur'"),
    "CMU's procedure": ("procedure p(x : int);", 3, "procedure is no statement: write a routine"),
    "CMU's simpleprocedure": ("SimpleProcedure p(x : int);", 3, "simpleprocedure is no statement"),
    "CMU's function": ("function int p(x : int);", 3, "function is no statement"),
    "CMU's error": ("error handler;", 3, "error is no statement"),
    "sendtime": ("routine r(port : mach_port_t;\n sendtime ms : int);", 4, "there is no sendtime"),
    "statement without end": ("routine r(port : mach_port_t)", 3, "the file ends too early"),
    "strange character": ("type a = int @;", 3, "unexpected '@'"),
    "comment without end": ("type a = int;\n/* and so on", 4, "comment without end"),
    "#if without #endif": ("#if 1\n\ntype a = int;", 3, "#if without #endif"),
    "#endif without #if": ("#endif", 3, "#endif without #if"),
    "#else twice": ("#if 0\n#else\n#else\n#endif", 5, "#else after #else"),
    "condition that is none": ("#if 1 +\n#endif", 3, "#if: an operand is missing"),
    "#error": ("\n#error not so", 4, "#error not so"),
    "unknown directive": ("#frob", 3, "unknown directive #frob"),
    "file that is not there": ("#include <nowhere.defs>", 3, "cannot find nowhere.defs"),
    "include of nothing": ("#include nowhere", 3, '#include wants "file" or <file>'),
    "file that includes itself": ('#include "test.defs"', 1, "too deeply", ""),
    "#line without a number": ("#line x", 3, "#line wants a number"),
    "#ifdef without a name": ("#ifdef\n#endif", 3, "#ifdef wants a name"),
    "macro's call without end": ("#define M(a) a\nM(1,\n2", 4, "arguments have no end"),
    "macro that is never done": (
        "".join(f"#define A{n} A{n + 1} A{n + 1}\n" for n in range(60)) + "A0", 63, "macros make too much text"),
    "condition too deep": (f"#if {'(' * 99}1{')' * 99}\n#endif", 3, "nested too deeply"),
    "condition that divides by zero": ("#if 1 / 0\n#endif", 3, "division by zero"),
    "macro without its arguments": ("#define M(a, b) a b\nM(1)", 4, "M wants 2 arguments, not 1"),
    "unknown type of an argument": ("routine r(port : mach_port_t;\n  x : nothing);", 4, "unknown type nothing"),
    "unknown type in a type": ("type a = nothing;", 3, "unknown type nothing"),
    "unknown Mach type": ("type a = MACH_MSG_TYPE_NOTHING;", 3, "unknown type MACH_MSG_TYPE_NOTHING"),
    "type defined otherwise": ("type a = int;\ntype a = short;", 4, "type a is already defined otherwise"),
    "size that must be given": ("type a = MACH_MSG_TYPE_STRING;", 3, "cannot have 0 bits"),
    "size that is too big": ("type a = (MACH_MSG_TYPE_BYTE, 8*8192);", 3, "cannot have 65536 bits"),
    "size of no whole octets": ("type a = (MACH_MSG_TYPE_BYTE, 12);", 3, "cannot have 12 bits"),
    "right that never arrives so": ("type a = MACH_MSG_TYPE_COPY_SEND | MACH_MSG_TYPE_PORT_SEND_ONCE;", 3,
                                    "never arrives as"),
    "number too big": ("type a = array[4294967296] of int;", 3, "a number is too big"),
    "number far too big": (f"type a = array[{'9' * 5000}] of int;", 3, "a number is too big"),
    "product too big": ("type a = array[65536 * 65536] of int;", 3, "a number is too big"),
    "array too long": ("type a = array[65536] of array[65536] of int;", 3, "is too long"),
    "types too deep": (f"type a = {'array[1] of ' * 99} int;", 3, "too deep within each other"),
    "message too long": ("type a = array[300000] of int;\nroutine r(port : mach_port_t; x : a);", 4, "by ^"),
    "negative skip": ("skip 1 - 2;", 3, "not negative"),
    "ids that are too big": ("skip 0x7ffffff0;\nroutine r(port : mach_port_t);", 3, "message ids go to"),
    "field twice": ("type a = struct {\n int a;\n short a; };", 5, "two fields are called a"),
    "field without elements": ("type a = struct {\n int a[0]; };", 4, "at least one element"),
    "word of C as a name": ("routine r(port : mach_port_t;\n while : int);", 4, "cannot be called while"),
    "word of the stubs as a name": ("routine r(port : mach_port_t;\n OutP : int);", 4, "a word of the stubs"),
    "names that become one": (
        "routine r(port : mach_port_t; x : a = array[*:3] of int;\n xCnt : int);", 4, "both make a C name xCnt"),
    "division by zero": ("type a = array[1/0] of int;", 3, "division by zero"),
    "empty array": ("type a = array[0] of int;", 3, "at least one element"),
    "string without room": ("type a = c_string[0];", 3, "room for its NUL"),
    "array of varying elements": ("type a = array[3] of array[*:4] of int;", 3, "inline and of one size"),
    "array of regions": ("type a = array[3] of ^array[] of int;", 3, "inline and of one size"),
    "region of a region": ("type a = ^^array[] of int;", 3, "already out of line"),
    "struct without fields": ("type a = struct { };", 3, "a struct needs fields"),
    "struct with a port": ("type a = struct { mach_port_t p; };", 3, "plain data of one size only"),
    "struct of ports": ("type a = struct[2] of mach_port_t;", 3, "no ports"),
    "unknown flag of a type": ("type a = (MACH_MSG_TYPE_BYTE, 8, Quickly);", 3, "unknown flag quickly"),
    "unknown flag of an argument": ("routine r(port : mach_port_t;\n x : int, Quickly);", 4, "unknown flag quickly"),
    "routine without a port": ("routine r();", 3, "r has no request port"),
    "request port that is none": ("routine r(x : int);", 3, "x: requestport wants one port"),
    "request port that is an array": ("routine r(x : two = array[2] of mach_port_t);", 3, "requestport wants one port"),
    "reply port that is none": ("routine r(port : mach_port_t; replyport x : int);", 3, "replyport wants one port"),
    "two request ports": ("routine r(requestport a : mach_port_t; requestport b : mach_port_t);", 3,
                          "more than one requestport"),
    "two timeouts": ("routine r(port : mach_port_t; waittime a : int; waittime b : int);", 3, "more than one waittime"),
    "reply port of both sides and of one": (
        "routine r(port : mach_port_t; replyport a : mach_port_t; sreplyport b : mach_port_t);", 3, "already"),
    "timeout that is no integer": ("routine r(port : mach_port_t; waittime t : int64_t);", 3, "wants a 32-bit integer"),
    "simpleroutine with an answer": ("simpleroutine r(port : mach_port_t; out x : int);", 3, "sends no reply"),
    "routine twice": ("routine r(port : mach_port_t);\nroutine r(port : mach_port_t);", 4, "r is already defined"),
    "argument twice": ("routine r(port : mach_port_t; x : int; x : int);", 3, "two arguments called x"),
    "CountInOut of an in argument": ("routine r(port : mach_port_t; x : a = array[*:4] of int, CountInOut);", 3,
                                     "CountInOut is for out arrays"),
    "CountInOut of a fixed array": ("routine r(port : mach_port_t; out x : a = array[4] of int, CountInOut);", 3,
                                    "CountInOut is for out arrays"),
    "ServerCopy of a fixed array": ("routine r(port : mach_port_t; x : a = array[4] of int, ServerCopy);", 3,
                                    "ServerCopy is for indefinite"),
    "RetCode of a routine": ("routine r(port : mach_port_t; x : int, RetCode);", 3, "RetCode is for the first"),
    "RetCode of a port": ("simpleroutine r(port : mach_port_t, RetCode);", 3, "RetCode is for the first"),
    "RetCode of a later argument": ("simpleroutine r(port : mach_port_t; y : int; x : int, RetCode);", 3,
                                    "RetCode is for the first"),
    "translated array": ("type a = array[2] of int intran: x f(int);\nroutine r(port : mach_port_t; x : a);", 4,
                         "only single values can be translated"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistake_is_one_line_with_its_place(tmp_path: Path, kind: str) -> None:
    text, line, said, start = (*MISTAKES[kind], START)[:4]
    with pytest.raises(MigError) as caught:
        compiled(tmp_path, text, start)
    assert str(caught.value).startswith(f"{tmp_path / 'test.defs'}:{line}: ")
    assert said in caught.value.text
    assert "\n" not in str(caught.value)


def test_place_is_the_one_that_another_preprocessor_tells(tmp_path: Path) -> None:
    with pytest.raises(MigError) as caught:
        compiled(tmp_path, '# 17 "first.defs" 2\n\ntype a = int;\n#line 30 "second.defs"\n\n\ntype b = nothing;\n')
    assert str(caught.value) == "second.defs:32: unknown type nothing"


def test_place_of_what_a_macro_makes_is_where_it_is_called(tmp_path: Path) -> None:
    with pytest.raises(MigError) as caught:
        compiled(tmp_path, "#define R(a, b) routine a(port : mach_port_t; x : b)\n\n\nR(r,\n  nothing\n  );\n")
    assert str(caught.value) == f"{tmp_path / 'test.defs'}:6: unknown type nothing"


def test_place_behind_joined_lines_and_comments(tmp_path: Path) -> None:
    with pytest.raises(MigError) as caught:
        compiled(tmp_path, "#define A \\\n int\n/* two\n lines */ type a = A;\n#if 0\n\n#endif\ntype b = nothing;\n")
    assert str(caught.value) == f"{tmp_path / 'test.defs'}:10: unknown type nothing"


def test_mistake_in_an_included_file_has_its_place_there(tmp_path: Path) -> None:
    (tmp_path / "types.defs").write_text("\ntype a = nothing;\n")
    with pytest.raises(MigError) as caught:
        compiled(tmp_path, '#include "types.defs"\n')
    assert str(caught.value) == f"{tmp_path / 'types.defs'}:2: unknown type nothing"


def test_file_that_cannot_be_read_is_a_mistake_too(tmp_path: Path) -> None:
    with pytest.raises(MigError, match="cannot read"):
        compile_defs(tmp_path / "nothing.defs")
