"""The guest's C library, run on this host against a few lines of fake Mach."""

from __future__ import annotations

import ctypes
import datetime
import random
import struct
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.gns_host.lan import GuardPage
from tests.support.host_c import ROOT, build_host_library

GUEST: Final = ROOT / "tests" / "guest"
SHARED: Final = ("libc_more", "malloc_stress", "printf_limits", "strings")  # programs that need no kernel
MIG_HEADERS: Final = Path(__file__).parent / "host"
PAGES: Final = 65536


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("host")
    sources = [Path(__file__).parent / "host" / "kernel.c"]
    for name in SHARED:
        # One main each, under the program's name.
        renamed = folder / f"{name}.c"
        renamed.write_text(f'#define main {name}_main\n#define seed {name}_seed\n#include "{GUEST / name}.c"\n')
        sources.append(renamed)
    includes = [ROOT / "servers" / "include", MIG_HEADERS, GUEST]
    return build_host_library(folder / "library.so", sources, includes)


def run_program(library: ctypes.CDLL, name: str, *arguments: str) -> tuple[int, str]:
    """The status of `name`'s main, and what it and the library printed."""
    words = [name.encode(), *(argument.encode() for argument in arguments), None]
    start = ctypes.c_size_t.in_dll(library, "host_output_length")
    start.value = 0
    argv = (ctypes.c_char_p * len(words))(*words)
    status = getattr(library, f"{name}_main")(len(words) - 1, argv)
    return status, printed(library)


def printed(library: ctypes.CDLL) -> str:
    library.fflush(None)
    length = ctypes.c_size_t.in_dll(library, "host_output_length").value
    return bytes((ctypes.c_char * length).in_dll(library, "host_output")).decode()


def clear(library: ctypes.CDLL) -> None:
    printed(library)
    ctypes.c_size_t.in_dll(library, "host_output_length").value = 0


@pytest.mark.parametrize("name", ["libc_more", "printf_limits", "strings"])
def test_program_finds_no_fault(library: ctypes.CDLL, name: str) -> None:
    assert run_program(library, name) == (0, "")


@pytest.mark.parametrize("seed", range(1, 9))
def test_allocator_survives_random_use_and_gives_memory_back(library: ctypes.CDLL, seed: int) -> None:
    assert run_program(library, "malloc_stress", "6000", str(seed)) == (0, "")
    assert library.host_pages() <= 16, "all but one region of 64 KiB went back"


def test_allocator_without_memory_returns_null_and_stays_sound(library: ctypes.CDLL) -> None:
    library.malloc.restype = ctypes.c_void_p
    library.host_allow_pages(library.host_pages() + 40)
    blocks = []
    while (block := library.malloc(5000)) is not None:
        blocks.append(block)
    assert library.malloc_check(None) == 0
    library.host_allow_pages(PAGES)
    for block in blocks:
        library.free(ctypes.c_void_p(block))
    assert len(blocks) > 20
    assert library.malloc_check(None) == 0


@pytest.mark.parametrize(("which", "said"), [
    pytest.param(0, "block freed twice", id="freed twice"),
    pytest.param(1, "no block of ours", id="freed inside"),
    pytest.param(2, "header overwritten", id="written behind its end"),
])
def test_misused_memory_ends_the_program_with_a_reason(library: ctypes.CDLL, which: int, said: str) -> None:
    clear(library)
    assert library.host_ends(which) == 1
    text = printed(library)
    assert said in text
    assert text.endswith("abort\nexit 134\n")


def test_exit_flushes_what_was_printed(library: ctypes.CDLL) -> None:
    clear(library)
    assert library.host_ends(4) == 1
    assert printed(library) == "beforeexit 3\n"


def test_lines_go_out_when_they_are_complete(library: ctypes.CDLL) -> None:
    clear(library)
    length = ctypes.c_size_t.in_dll(library, "host_output_length")
    library.puts(b"whole")
    assert length.value == len("whole\n")
    library.putchar(ord("x"))
    assert length.value == len("whole\n"), "an unfinished line waits"
    library.puts(b"y" * 2000)
    assert printed(library) == "whole\nx" + "y" * 2000 + "\n"


def test_input_comes_by_lines_and_ends_once(library: ctypes.CDLL) -> None:
    library.fgets.restype = ctypes.c_char_p
    stdin = ctypes.c_void_p.in_dll(library, "stdin")
    line = ctypes.create_string_buffer(40)
    lines = []
    while (text := library.fgets(line, len(line), stdin)) is not None:
        lines.append(text)
    assert lines == [b"first line\n", b"second, in two parts\n", b"no end"]
    assert library.feof(stdin) == 1


class Tm(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int) for name in ("sec", "min", "hour", "mday", "mon", "year", "wday", "yday",
                                                        "isdst"))


@pytest.mark.parametrize("seed", range(3))
def test_dates_are_those_of_the_calendar(library: ctypes.CDLL, seed: int) -> None:
    chance = random.Random(seed)
    library.timegm.restype = ctypes.c_long
    for _ in range(500):
        moment = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(
            seconds=chance.randrange(9998 * 365 * 86400))
        date, seconds = Tm(), ctypes.c_long(round(moment.timestamp()))
        library.gmtime_r(ctypes.byref(seconds), ctypes.byref(date))
        there = moment.timetuple()
        assert (date.year + 1900, date.mon + 1, date.mday, date.hour, date.min, date.sec) == there[:6]
        assert (date.wday, date.yday + 1) == ((there.tm_wday + 1) % 7, there.tm_yday)
        assert library.timegm(ctypes.byref(date)) == seconds.value


def formatted(library: ctypes.CDLL, text: str, value: float) -> str:
    line = ctypes.create_string_buffer(2000)
    library.host_print_double.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_double]
    length = library.host_print_double(line, len(line), text.encode(), value)
    assert length == len(line.value)
    return line.value.decode()


@pytest.mark.parametrize("seed", range(4))
def test_reals_are_printed_as_python_prints_them(library: ctypes.CDLL, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        value = struct.unpack("<d", chance.randbytes(8))[0]
        if chance.random() < 0.5:
            value = round(chance.uniform(-1000, 1000), chance.randrange(5))
        if value != value:
            continue
        text = "%" + chance.choice(["", "+", " ", "#", "0", "-", "-#"]) + chance.choice(["", "12"])
        text += chance.choice(["", ".0", ".1", ".3", ".17", ".40"]) + chance.choice("feg")
        assert formatted(library, text, value) == text % value, (text, value)


def test_integers_are_printed_as_python_prints_them(library: ctypes.CDLL) -> None:
    chance = random.Random(1)
    line = ctypes.create_string_buffer(200)
    library.host_print_long.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_long]
    for _ in range(500):
        value = chance.randrange(-(2**63), 2**63) >> chance.randrange(64)
        text = "%" + chance.choice(["", "+", " ", "0", "-"]) + chance.choice(["", "7", "25"]) + "d"
        library.host_print_long(line, len(line), text.replace("d", "ld").encode(), value)
        assert line.value.decode() == text % value, (text, value)


@settings(deadline=None, derandomize=True)
@given(data=st.binary(max_size=200), skip=st.integers(0, 7))
def test_copy_is_exact_at_any_alignment(library: ctypes.CDLL, data: bytes, skip: int) -> None:
    """The source ends where memory does, and the octets around the target stay."""
    page, target = GuardPage(), ctypes.create_string_buffer(b"\xee" * 256, 256)
    library.memcpy(ctypes.c_void_p(ctypes.addressof(target) + 8 + skip), ctypes.c_void_p(page.put(data)),
                   ctypes.c_size_t(len(data)))
    assert target.raw == b"\xee" * (8 + skip) + data + b"\xee" * (248 - skip - len(data))


@settings(deadline=None, derandomize=True, max_examples=400)
@given(start=st.integers(0, 40), by=st.integers(-40, 40), size=st.integers(0, 120))
def test_move_is_exact_however_the_places_overlap(library: ctypes.CDLL, start: int, by: int, size: int) -> None:
    octets = bytes(range(1, 241))
    memory = ctypes.create_string_buffer(octets, len(octets))
    source, target = 40 + start, 40 + start + by
    library.memmove(ctypes.c_void_p(ctypes.addressof(memory) + target),
                    ctypes.c_void_p(ctypes.addressof(memory) + source), ctypes.c_size_t(size))
    assert memory.raw == octets[:target] + octets[source:source + size] + octets[target + size:]


MACH_ERROR: Final = ROOT / "servers" / "lib" / "mach" / "mach_error.c"
SERVER: Final = 2 << 26  # err_server


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    includes = [ROOT / "servers" / "include", MIG_HEADERS]
    kernel = Path(__file__).parent / "host" / "kernel.c"
    library = build_host_library(tmp_path_factory.mktemp("errors") / "errors.so", [MACH_ERROR, kernel], includes)
    library.mach_error_string.restype = library.mach_error_type.restype = ctypes.c_char_p
    return library


@pytest.mark.parametrize(("result", "kind", "text"), [
    (0, "(os/kern)", "success"),
    (5, "(os/kern)", "failure"),
    (0x10000003, "(ipc/send)", "invalid destination port"),
    (0x10004003, "(ipc/rcv)", "receive timed out"),
    (0x1000400C | 0x2000, "(ipc/rcv)", "error in message body"),
    (-304, "(mig)", "request malformed"),
    (2502, "(device)", "device: no such device"),
    (1001, "(netname)", "name server: name not checked in"),
    (SERVER | 1, "(server)", "no server has that name"),
    (SERVER | 2, "(server)", "server: not allowed"),
    (SERVER | 3, "(server)", "server: port is dead"),
    (SERVER | 4, "(server)", "server: no right to that port"),
    (SERVER | 5, "(server)", "server: expired"),
    (SERVER | 6, "(server)", "server: busy"),
    (SERVER | 7, "(server)", "server: limit reached"),
    (SERVER | 8, "(server)", "unknown result 0x8000008"),
    (SERVER | 0x50 << 14 | 2, "(personality)", "Unix error 2"),
    (SERVER | 0x51 << 14 | 18, "(personality)", "DOS error 18"),
    (SERVER | 0x52 << 14 | 110, "(personality)", "OS/2 error 110"),
    (SERVER | 0x53 << 14 | 0x3FFF, "(personality)", "Win32 error 16383"),
    (SERVER | 0x54 << 14 | 1, "(server)", "unknown result 0x8150001"),
    (-2, "(?)", "unknown result 0xfffffffe"),
])
def test_every_result_has_a_text_and_says_where_it_comes_from(errors: ctypes.CDLL, result: int, kind: str,
                                                              text: str) -> None:
    assert errors.mach_error_type(result).decode() == kind
    assert errors.mach_error_string(result).decode() == text
