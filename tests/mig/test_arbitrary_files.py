"""Whatever a file holds: it compiles, or one line says what is wrong with it and where."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from machemu.mig import MigError, c_header, c_server, c_server_header, c_user, compile_defs, python_module
from tests.mig.stubs import DEFS, HOST

START: Final = "subsystem test 1000;\n#include <mach/std_types.defs>\n"
REAL: Final = tuple(path.read_text() for path in (
    HOST / "special.defs", HOST / "every.defs", DEFS / "device.defs", DEFS / "mach" / "std_types.defs",
    DEFS / "mach_port.defs", DEFS / "device_reply.defs"))
TOKEN: Final = re.compile(r'[A-Za-z_]\w*|\d+|\s+|"[^"\n]*"|.', re.DOTALL)
PLAIN: Final = """
    subsystem KernelUser KernelServer type routine simpleroutine procedure function skip import uimport simport
    serverprefix userprefix serverdemux msgoption waittime nowaittime rcsid in out inout requestport replyport
    ureplyport sreplyport sendtime msgseqno ctype cusertype cservertype intran outtran destructor intranpayload array
    of struct c_string polymorphic IsLong IsNotLong Dealloc NotDealloc ServerCopy CountInOut RetCode
    MACH_MSG_TYPE_INTEGER_32 MACH_MSG_TYPE_COPY_SEND MACH_MSG_TYPE_PORT_SEND MACH_MSG_TYPE_STRING_C
    MACH_MSG_TYPE_POLYMORPHIC int char mach_port_t kern_return_t pointer_t a b c x_t port 0 1 4 8 32 100 0x10 4096
    99999999999 ; : , = ( ) [ ] { } * ^ | + - / < > " # \\ @ ' .
"""
WORDS: Final = (
    *PLAIN.split(), "\n", "\n#", "#define ", "#if ", "#ifdef ", "#else\n", "#endif\n", "#include ", "#line ", "/*",
    "*/", "//", "\n\n",
    "array[] of ", "array[*:8] of ", "^array[] of ", "Dealloc[]", "routine r(port : mach_port_t; x : ", "out y : ",
    "type x_t = ", "<mach/std_types.defs>", "\0", "\x7f", "é", "defined(", "##")

fuzzed = settings(max_examples=120, derandomize=True, database=None, deadline=None,
                  suppress_health_check=list(HealthCheck))


def outcome(text: str) -> str:
    """"" when the file compiled, else what was wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.defs"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            subsystem = compile_defs(path, [DEFS])
        except MigError as error:
            said = str(error)
            assert "\n" not in said
            assert (error.file, said) != ("", "") and error.line >= 1
            assert said.startswith(f"{error.file}:{error.line}: ")
            return error.text
        for emit in (c_header, c_server_header, c_user, c_server, python_module):
            assert emit(subsystem)
        return ""


@st.composite
def token_soup(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), max_size=40))
    return (START if draw(st.booleans()) else "") + " ".join(words)


@st.composite
def routines(draw: st.DrawFn) -> str:
    """Files that are nearly right: every statement has its form, what it says may be nonsense."""
    spec = st.recursive(
        st.sampled_from(("int", "char", "short", "boolean_t", "int64_t", "mach_port_t", "polymorphic", "2", "9",
                         "MACH_MSG_TYPE_PORT_SEND", "(MACH_MSG_TYPE_BYTE, 8*40)", "c_string[20]", "c_string[*:20]",
                         "struct { int a; char b[3]; }", "MACH_MSG_TYPE_MOVE_RECEIVE", "(MACH_MSG_TYPE_REAL, 64)")),
        lambda inner: st.tuples(st.sampled_from((
            "array[3] of ", "array[*:5] of ", "array[] of ", "^", "struct[2] of ", "array[*] of ", "array[600] of ")),
            inner).map("".join), max_leaves=3)
    direction = st.sampled_from(("", "in ", "out ", "inout ", "replyport ", "sreplyport ", "ureplyport ", "waittime ",
                                 "msgoption ", "msgseqno "))
    flags = st.sampled_from(("", ", Dealloc", ", Dealloc[]", ", IsLong", ", CountInOut", ", ServerCopy", ", RetCode"))
    names = st.sampled_from(("x", "y", "z", "xCnt", "yOut", "zPoly", "xDealloc"))
    text = START
    for number in range(draw(st.integers(1, 3))):
        text += f"type t{number} = {draw(spec)};\n"
    for number in range(draw(st.integers(1, 3))):
        arguments = "; ".join(
            f"{draw(direction)}{draw(names)} : {draw(st.sampled_from(('t0', 't1', 'int', 'mach_port_t')))}{draw(flags)}"
            for _ in range(draw(st.integers(0, 4))))
        text += f"{draw(st.sampled_from(('routine', 'simpleroutine')))} r{number}(port : mach_port_t; {arguments});\n"
    return text.replace("; )", ")")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A real file with some of its words taken out, put in, doubled or exchanged."""
    words = TOKEN.findall(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                del words[at]
            case 1:
                words.insert(at, draw(st.sampled_from(WORDS)))
            case 2:
                words[at] = draw(st.sampled_from(WORDS))
            case 3:
                other = draw(st.integers(0, len(words) - 1))
                words[at], words[other] = words[other], words[at]
            case _:
                del words[at:]
        if not words:
            break
    return "".join(words)


def test_words_without_sense() -> None:
    seen = set()

    @fuzzed
    @given(token_soup())
    @example("")
    @example("#if 1")
    @example("subsystem")
    def check(text: str) -> None:
        seen.add(outcome(text)[:10])

    check()
    assert len(seen) > 3


def test_statements_without_sense() -> None:
    seen = []

    @fuzzed
    @given(routines())
    def check(text: str) -> None:
        seen.append(outcome(text))

    check()
    assert "" in seen and any(seen)


def test_real_files_spoiled() -> None:
    seen = []

    @fuzzed
    @given(mutated())
    def check(text: str) -> None:
        seen.append(outcome(text))

    check()
    assert "" in seen and any(seen)


def test_arbitrary_characters() -> None:
    @fuzzed
    @given(st.text(max_size=60), st.booleans())
    @example("\0", True)
    @example("#define A(", True)
    @example('#include "\0"', True)
    def check(text: str, started: bool) -> None:
        outcome((START if started else "") + text)

    check()
