"""The DOS personality server alone: the functions of docs/personalities.md and their errors.

Functions of INT 21h that need no server (the transfer area, the PSP, the extended error)
are the library's; here is what it asks the server for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.servers.personality import EXITED, FILES, KILLED, MOTD, Personality, Program, running
from tests.support.stubs import Refused

INVALID_FUNCTION, FILE_NOT_FOUND, PATH_NOT_FOUND, TOO_MANY_FILES, ACCESS_DENIED, INVALID_HANDLE = range(1, 7)
BAD_FORMAT, INVALID_ACCESS, INVALID_DRIVE, NO_MORE_FILES = 11, 12, 15, 18
READ, WRITE, BOTH = range(3)  # modes of open
FROM_START, FROM_HERE, FROM_END = range(3)
READ_ONLY_ARCHIVE, DIRECTORY = 0x21, 0x10  # attributes
STANDARD: Final = 5  # handles open at the start
HANDLES_MAX: Final = 32
DATA_MAX: Final = 4096
LONG: Final = FILES["lib/deep/down/file.text"]
FAULT: Final = 0x200  # AH 2 of the return code


@pytest.fixture
def server() -> Iterator[Personality]:
    with running("dos") as server:
        yield server


@pytest.fixture
def program(server: Personality) -> Program:
    return server.program()


# -- files -------------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_file_of_drive_c_is_read_in_parts(program: Program) -> None:
    handle = program.value("open", b"C:\\ETC\\MOTD", READ)
    assert handle == STANDARD
    assert [program.value("read", handle, 10) for _ in range(4)] == [MOTD[:10], MOTD[10:20], MOTD[20:], b""]
    program.call("close", handle)
    assert program.error("read", handle, 10) == INVALID_HANDLE


@pytest.mark.parametrize("path", [
    b"\\ETC\\MOTD", b"c:/etc/motd", b"etc\\.\\motd", b"\\lib\\..\\etc\\motd", b"C:etc\\motd"])
def test_path_may_be_written_in_many_ways(program: Program, path: bytes) -> None:
    assert program.value("read", program.value("open", path, READ), 100) == MOTD


def test_name_that_does_not_fit_is_found_by_its_short_form(program: Program) -> None:
    handle = program.value("open", b"C:\\LIB\\DEEP\\DOWN\\FILE~1.TEX", READ)
    assert program.value("read", handle, 10) == LONG[:10]
    assert program.error("open", b"C:\\LIB\\DEEP\\DOWN\\FILE.TEXT", READ) == FILE_NOT_FOUND


def test_what_a_program_writes_is_cut_to_eight_and_three(program: Program) -> None:
    assert program.value("attributes", b"\\BIN\\DOS_HE~1ANDMORE") == READ_ONLY_ARCHIVE
    assert program.value("attributes", b"\\LIB\\DEEP\\DOWN\\FILE~1.TEXT") == READ_ONLY_ARCHIVE


@pytest.mark.parametrize(("path", "mode", "error"), [
    (b"\\ETC\\NOTHING", READ, FILE_NOT_FOUND), (b"\\NOWHERE\\MOTD", READ, PATH_NOT_FOUND),
    (b"\\ETC\\MOTD\\MORE", READ, PATH_NOT_FOUND), (b"", READ, FILE_NOT_FOUND),
    (b"D:\\ETC\\MOTD", READ, PATH_NOT_FOUND), (b"1:\\ETC\\MOTD", READ, PATH_NOT_FOUND),
    (b"\\ETC", READ, ACCESS_DENIED), (b"\\", READ, ACCESS_DENIED),
    (b"\\ETC\\MOTD", WRITE, ACCESS_DENIED), (b"\\ETC\\MOTD", BOTH, ACCESS_DENIED),
    (b"\\ETC\\MOTD", 3, INVALID_ACCESS), (b"\\ETC\\MOTD", 7, INVALID_ACCESS)])
def test_open_refuses_with_the_error_of_dos(program: Program, path: bytes, mode: int, error: int) -> None:
    assert program.error("open", path, mode) == error


def test_bits_of_the_mode_for_sharing_are_not_looked_at(program: Program) -> None:
    assert program.value("open", b"\\ETC\\MOTD", READ | 0x40) == STANDARD


def test_program_has_so_many_handles(program: Program) -> None:
    for _ in range(STANDARD, HANDLES_MAX):
        program.call("open", b"\\ETC\\MOTD", READ)
    assert program.error("open", b"\\ETC\\MOTD", READ) == TOO_MANY_FILES
    program.call("close", 7)
    assert program.value("open", b"\\ETC\\MOTD", READ) == 7


@pytest.mark.parametrize("handle", [-1, STANDARD, 31, 32, 2**31 - 1])
def test_handle_that_is_not_open_is_refused_by_every_function(program: Program, handle: int) -> None:
    assert [program.error("close", handle), program.error("read", handle, 1), program.error("write", handle, b""),
            program.error("seek", handle, 0, FROM_START)] == [INVALID_HANDLE] * 4


def test_handle_serves_only_what_it_was_opened_for(program: Program) -> None:
    assert program.error("write", program.value("open", b"\\ETC\\MOTD", READ), b"x") == ACCESS_DENIED
    assert program.error("write", program.value("open", b"NUL", READ), b"x") == ACCESS_DENIED
    assert program.error("read", program.value("open", b"NUL", WRITE), 1) == ACCESS_DENIED


@pytest.mark.parametrize("name", [b"CON", b"AUX", b"PRN", b"con", b"C:\\ETC\\CON", b"PRN.TXT"])
def test_devices_of_dos_are_the_console(server: Personality, program: Program, name: bytes) -> None:
    handle = program.value("open", name, BOTH)
    assert program.value("write", handle, b"shown\r\n") == 7
    assert server.node.console == "shown\r\n"
    server.node.type("x")
    assert program.value("read", handle, 1) == b"x"


@pytest.mark.parametrize("handle", range(STANDARD))
def test_standard_handles_are_the_console(server: Personality, program: Program, handle: int) -> None:
    program.call("write", handle, b"shown")
    assert server.node.console == "shown"


def test_nul_takes_everything_and_has_nothing(server: Personality, program: Program) -> None:
    handle = program.value("open", b"NUL", BOTH)
    assert program.value("write", handle, b"x" * DATA_MAX) == DATA_MAX
    assert program.value("read", handle, 100) == b""
    assert server.node.console == ""


@pytest.mark.parametrize(("distance", "origin", "offset"), [
    (5, FROM_START, 5), (-10, FROM_HERE, 0), (7, FROM_HERE, 17), (-1, FROM_END, len(MOTD) - 1),
    (100, FROM_END, len(MOTD) + 100)])
def test_seek_moves_to_where_it_says(program: Program, distance: int, origin: int, offset: int) -> None:
    handle = program.value("open", b"\\ETC\\MOTD", READ)
    program.call("read", handle, 10)
    assert program.value("seek", handle, distance, origin) == offset
    assert program.value("read", handle, 3) == MOTD[offset:offset + 3]


@pytest.mark.parametrize(("distance", "origin"), [(-1, FROM_START), (-11, FROM_HERE), (0, 3), (0, -1)])
def test_seek_before_the_start_or_from_nowhere_moves_nothing(program: Program, distance: int, origin: int) -> None:
    handle = program.value("open", b"\\ETC\\MOTD", READ)
    program.call("read", handle, 10)
    assert program.error("seek", handle, distance, origin) == INVALID_FUNCTION
    assert program.value("seek", handle, 0, FROM_HERE) == 10


def test_seek_behind_what_dx_and_ax_can_tell_moves_nothing(program: Program) -> None:
    handle = program.value("open", b"\\ETC\\MOTD", READ)
    for _ in range(2):
        program.call("seek", handle, 2**31 - 1, FROM_HERE)
    assert program.value("seek", handle, 1, FROM_HERE) == -1  # 32 bits, all set
    assert program.error("seek", handle, 1, FROM_HERE) == INVALID_FUNCTION
    assert program.value("seek", handle, -(2**31), FROM_HERE) == 2**31 - 1


def test_devices_cannot_seek(program: Program) -> None:
    assert program.error("seek", 0, 0, FROM_START) == INVALID_FUNCTION


# -- names and directories --------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "create", "error"), [
    (b"\\ETC\\NEW.TXT", True, ACCESS_DENIED), (b"\\ETC\\MOTD", True, ACCESS_DENIED),
    (b"\\ETC\\MOTD", False, ACCESS_DENIED), (b"\\ETC", False, ACCESS_DENIED),
    (b"\\ETC\\NOTHING", False, FILE_NOT_FOUND), (b"\\NOWHERE\\NEW", True, PATH_NOT_FOUND),
    (b"\\NOWHERE\\OLD", False, PATH_NOT_FOUND), (b"D:\\NEW", True, PATH_NOT_FOUND)])
def test_disk_is_write_protected_for_what_could_be_changed(program: Program, path: bytes, create: bool,
                                                           error: int) -> None:
    assert program.error("change", path, create) == error


@pytest.mark.parametrize(("path", "attributes"), [
    (b"\\ETC\\MOTD", READ_ONLY_ARCHIVE), (b"\\ETC", DIRECTORY), (b"\\", DIRECTORY)])
def test_attributes_tell_files_from_directories(program: Program, path: bytes, attributes: int) -> None:
    assert program.value("attributes", path) == attributes


@pytest.mark.parametrize(("path", "error"), [
    (b"\\ETC\\NOTHING", FILE_NOT_FOUND), (b"\\NOWHERE\\X", PATH_NOT_FOUND), (b"D:\\X", PATH_NOT_FOUND)])
def test_attributes_of_nothing_are_refused(program: Program, path: bytes, error: int) -> None:
    assert program.error("attributes", path) == error


def test_directory_is_the_root_until_it_is_changed(program: Program) -> None:
    assert program.value("getcwd") == b""
    for path, shown in ((b"lib", b"LIB"), (b"deep\\down", b"LIB\\DEEP\\DOWN"), (b"..", b"LIB\\DEEP"),
                        (b"\\", b""), (b"C:/etc", b"ETC")):
        program.call("chdir", path)
        assert program.value("getcwd") == shown
    assert program.value("read", program.value("open", b"motd", READ), 100) == MOTD


def test_each_program_has_its_own_directory(server: Personality, program: Program) -> None:
    program.call("chdir", b"\\ETC")
    assert server.program().value("getcwd") == b""


@pytest.mark.parametrize(("path", "error"), [
    (b"\\NOTHING", PATH_NOT_FOUND), (b"\\ETC\\MOTD", PATH_NOT_FOUND), (b"\\NOWHERE\\X", PATH_NOT_FOUND),
    (b"D:\\", INVALID_DRIVE), (b"", PATH_NOT_FOUND)])
def test_directory_that_is_not_there_cannot_be_changed_to(program: Program, path: bytes, error: int) -> None:
    program.call("chdir", b"\\ETC")
    assert program.error("chdir", path) == error
    assert program.value("getcwd") == b"ETC"


def found(program: Program, pattern: bytes, attributes: int = 0) -> list[tuple[object, ...]]:
    """Name, size and attributes of all that FIND FIRST and FIND NEXT tell."""
    rows: list[tuple[object, ...]] = []
    try:
        while True:
            rows.append(program.call("find", pattern, attributes, len(rows)))
    except Refused as refused:
        assert program.server.code_of(refused.code) == NO_MORE_FILES
    return rows


def test_find_tells_names_sizes_and_attributes(program: Program) -> None:
    assert found(program, b"C:\\ETC\\*.*") == [(b"EMPTY", 0, READ_ONLY_ARCHIVE), (b"MOTD", 27, READ_ONLY_ARCHIVE)]
    assert [name for name, *_ in found(program, b"\\BIN\\*.*")] == [b"DOS_HE~1", b"HELLO"]


@pytest.mark.parametrize(("pattern", "names"), [
    (b"\\BIN\\HELLO", [b"HELLO"]), (b"\\BIN\\?ELLO", [b"HELLO"]), (b"\\BIN\\H*", [b"HELLO"]), (b"\\BIN\\X*", []),
    (b"\\LIB\\DEEP\\DOWN\\*.TEX", [b"FILE~1.TEX"]), (b"\\LIB\\DEEP\\DOWN\\*.", [])])
def test_find_matches_patterns(program: Program, pattern: bytes, names: list[bytes]) -> None:
    assert [name for name, *_ in found(program, pattern)] == names


def test_find_tells_directories_only_if_asked_to(program: Program) -> None:
    assert found(program, b"\\*.*") == []
    assert found(program, b"\\*.*", DIRECTORY) == [
        (b"BIN", 0, DIRECTORY), (b"ETC", 0, DIRECTORY), (b"LIB", 0, DIRECTORY)]


@pytest.mark.parametrize("pattern", [b"\\NOWHERE\\*.*", b"\\ETC\\MOTD\\*.*", b"D:\\*.*"])
def test_find_in_a_directory_that_is_not_there_is_refused(program: Program, pattern: bytes) -> None:
    assert program.error("find", pattern, 0, 0) == PATH_NOT_FOUND


@pytest.mark.parametrize("index", [-1, -(2**31)])
def test_find_has_no_name_before_the_first(program: Program, index: int) -> None:
    assert program.error("find", b"\\ETC\\*.*", 0, index) == NO_MORE_FILES


# -- programs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tail", "arguments"), [
    (b"", []), (b" \t\r", []), (b" one two\r", ["one", "two"]), (b'"a b"', ['"a', 'b"'])])
def test_exec_has_proc_start_the_program_with_the_parts_of_its_tail(server: Personality, program: Program, tail: bytes,
                                                                    arguments: list[str]) -> None:
    wait = program.ask("exec", b"\\BIN\\HELLO", tail)
    (started,) = server.proc.started
    assert (started.path, started.name) == ("bin/hello", "hello")
    assert started.arguments == ["\\BIN\\HELLO", *arguments]
    assert not wait.answered
    server.proc.ends(started.pid, 0)
    assert wait.take() == ()


@pytest.mark.parametrize(("status", "how", "code"), [
    (0, EXITED, 0), (7, EXITED, 7), (0x1FF, EXITED, 0xFF), (-1, EXITED, 0xFF), (-1, KILLED, FAULT)])
def test_return_code_can_be_asked_for_once(server: Personality, program: Program, status: int, how: int,
                                           code: int) -> None:
    wait = program.ask("exec", b"\\BIN\\HELLO", b"")
    server.proc.ends(server.proc.started[0].pid, status, how)
    wait.take()
    assert [program.value("return_code") for _ in range(2)] == [code, 0]


@pytest.mark.parametrize(("path", "error"), [
    (b"\\BIN\\NOTHING", FILE_NOT_FOUND), (b"\\NOWHERE\\HELLO", PATH_NOT_FOUND), (b"D:\\HELLO", PATH_NOT_FOUND),
    (b"\\BIN", ACCESS_DENIED), (b"CON", ACCESS_DENIED)])
def test_exec_refuses_with_the_error_of_dos(server: Personality, program: Program, path: bytes, error: int) -> None:
    assert program.error("exec", path, b"") == error
    assert server.proc.started == []


def test_exec_of_what_proc_cannot_start_is_a_bad_format_and_keeps_nothing(server: Personality,
                                                                         program: Program) -> None:
    server.proc.refuses = 18
    with server.node.nothing_kept():
        assert program.error("exec", b"\\BIN\\HELLO", b"") == BAD_FORMAT


def test_program_that_is_run_has_the_handles_of_who_runs_it(server: Personality, program: Program) -> None:
    handle = program.value("open", b"\\ETC\\MOTD", READ)
    program.call("read", handle, 5)
    program.ask("exec", b"\\BIN\\HELLO", b"")
    child = server.program(pid=server.proc.started[0].pid)
    assert child.value("read", handle, 5) == MOTD[5:10]


def test_program_that_ends_while_another_runs_leaves_nothing(server: Personality) -> None:
    with server.node.nothing_kept():
        parent = server.program()
        parent.ask("exec", b"\\BIN\\HELLO", b"")
        parent.puppet.end()
        server.proc.ends(server.proc.started[0].pid, 0)


# -- the rest ----------------------------------------------------------------------------------------------------


def test_time_is_the_nodes(server: Personality, program: Program) -> None:
    server.node.let_pass(5_250_000_000)
    seconds, hundredths = program.call("time")
    now = server.node.kernel.time_ns() // 10_000_000
    assert seconds * 100 + hundredths == now


@pytest.mark.req("A-S08")
@pytest.mark.parametrize("function", [0x05, 0xFF, -1])
def test_function_outside_the_list_is_invalid(program: Program, function: int) -> None:
    assert program.error("other", function) == INVALID_FUNCTION


def test_functions_keep_nothing(server: Personality, program: Program) -> None:
    def every_function() -> None:
        handle = program.value("open", b"\\ETC\\MOTD", READ)
        program.call("read", handle, 10)
        program.call("seek", handle, 0, FROM_START)
        program.call("close", handle)
        program.call("write", 1, b"x")
        program.call("chdir", b"\\ETC")
        program.call("find", b"*.*", 0, 0)
        program.error("change", b"NEW", True)
        wait = program.ask("exec", b"\\BIN\\HELLO", b"")
        server.proc.ends(server.proc.started[-1].pid, 0)
        wait.take()

    every_function()
    with server.node.nothing_kept():
        for _ in range(5):
            every_function()

