"""The OS/2 personality server alone: the calls of docs/personalities.md and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.servers.personality import EXITED, FILES, KILLED, MOTD, Personality, Program, running

INVALID_FUNCTION, FILE_NOT_FOUND, PATH_NOT_FOUND, TOO_MANY_OPEN_FILES, ACCESS_DENIED, INVALID_HANDLE = range(1, 7)
BAD_FORMAT, INVALID_ACCESS, INVALID_DRIVE, WRITE_PROTECT, INVALID_PARAMETER, OPEN_FAILED = 11, 12, 15, 19, 87, 110
WAIT_NO_CHILDREN, CHILD_NOT_COMPLETE, NEGATIVE_SEEK, SEEK_ON_DEVICE, INVALID_PROCID = 128, 129, 131, 132, 303
FAIL, OPEN, REPLACE, CREATE = 0, 1, 2, 0x10  # what to do with a file that exists, or not
READ, WRITE, BOTH, DENY_NONE = 0, 1, 2, 0x40
BEGIN, CURRENT, END = range(3)
TC_EXIT, TC_TRAP = 0, 2
FILE_EXISTED: Final = 1
ANY_CHILD: Final = 0
HANDLES_MAX: Final = 32
MOTD_PATH: Final = b"C:\\etc\\motd"
HELLO_PATH: Final = b"C:\\bin\\hello"
HELLO: Final = b"hello\0two words\0"


@pytest.fixture
def server() -> Iterator[Personality]:
    with running("os2") as server:
        yield server


@pytest.fixture
def program(server: Personality) -> Program:
    return server.program()


def opened(program: Program, path: bytes = MOTD_PATH, mode: int = READ) -> int:
    handle, action = program.call("open", path, OPEN, mode)
    assert action == FILE_EXISTED
    assert isinstance(handle, int)
    return handle


def execute(program: Program) -> int:
    pid = program.value("exec", HELLO_PATH, HELLO)
    assert isinstance(pid, int)
    return pid


# -- files -------------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_file_of_drive_c_is_read_in_parts(program: Program) -> None:
    handle = opened(program)
    assert handle == 3
    assert [program.value("read", handle, 10) for _ in range(4)] == [MOTD[:10], MOTD[10:20], MOTD[20:], b""]
    program.call("close", handle)
    assert program.error("read", handle, 10) == INVALID_HANDLE


@pytest.mark.parametrize("path", [b"C:\\ETC\\MOTD", b"c:/etc/Motd", b"etc\\motd", b"\\lib\\..\\etc\\.\\motd"])
def test_path_may_be_written_in_many_ways(program: Program, path: bytes) -> None:
    assert program.value("read", opened(program, path), 100) == MOTD


def test_long_names_are_found_as_they_are(program: Program) -> None:
    handle = opened(program, b"c:\\LIB\\deep\\Down\\file.text")
    assert program.value("read", handle, 10) == FILES["lib/deep/down/file.text"][:10]


@pytest.mark.parametrize(("path", "flags", "mode", "error"), [
    (b"C:\\etc\\nothing", OPEN, READ, OPEN_FAILED), (b"", OPEN, READ, OPEN_FAILED),
    (MOTD_PATH, FAIL, READ, OPEN_FAILED), (MOTD_PATH, CREATE, READ, OPEN_FAILED),
    (b"C:\\nowhere\\motd", OPEN, READ, PATH_NOT_FOUND), (b"C:\\etc\\motd\\more", OPEN, READ, PATH_NOT_FOUND),
    (b"D:\\etc\\motd", OPEN, READ, INVALID_DRIVE), (b"1:\\etc\\motd", OPEN, READ, INVALID_DRIVE),
    (b"C:\\etc", OPEN, READ, ACCESS_DENIED),
    (MOTD_PATH, OPEN, WRITE, ACCESS_DENIED), (MOTD_PATH, OPEN, BOTH, ACCESS_DENIED),
    (b"C:\\etc\\new", CREATE, BOTH, WRITE_PROTECT), (b"C:\\etc\\new", CREATE | OPEN, BOTH, WRITE_PROTECT),
    (MOTD_PATH, REPLACE, BOTH, WRITE_PROTECT),
    (MOTD_PATH, OPEN, 3, INVALID_ACCESS), (MOTD_PATH, OPEN, 7, INVALID_ACCESS),
    (MOTD_PATH, 3, READ, INVALID_PARAMETER), (MOTD_PATH, 0x20, READ, INVALID_PARAMETER),
    (MOTD_PATH, -1, READ, INVALID_PARAMETER)])
def test_open_refuses_with_the_error_of_os2(program: Program, path: bytes, flags: int, mode: int, error: int) -> None:
    assert program.error("open", path, flags, mode) == error


@pytest.mark.parametrize(("flags", "mode"), [(OPEN, DENY_NONE), (OPEN | CREATE, READ)])
def test_file_that_is_there_is_opened_whatever_else_would_have_been_done(program: Program, flags: int,
                                                                         mode: int) -> None:
    assert program.call("open", MOTD_PATH, flags, mode) == (3, FILE_EXISTED)


def test_process_has_so_many_handles(program: Program) -> None:
    for _ in range(3, HANDLES_MAX):
        opened(program)
    assert program.error("open", MOTD_PATH, OPEN, READ) == TOO_MANY_OPEN_FILES
    program.call("close", 7)
    assert opened(program) == 7


@pytest.mark.parametrize("handle", [-1, 3, 31, 32, 2**31 - 1])
def test_handle_that_is_not_open_is_refused_by_every_call(program: Program, handle: int) -> None:
    assert [program.error("close", handle), program.error("read", handle, 1), program.error("write", handle, b""),
            program.error("seek", handle, 0, BEGIN)] == [INVALID_HANDLE] * 4


def test_handle_serves_only_what_it_was_opened_for(program: Program) -> None:
    assert program.error("write", opened(program), b"x") == ACCESS_DENIED
    assert program.error("write", opened(program, b"NUL", READ), b"x") == ACCESS_DENIED
    assert program.error("read", opened(program, b"NUL", WRITE), 1) == ACCESS_DENIED


@pytest.mark.parametrize("name", [b"CON", b"KBD$", b"SCREEN$", b"con", b"C:\\etc\\con"])
def test_devices_of_os2_are_the_console(server: Personality, program: Program, name: bytes) -> None:
    handle = opened(program, name, BOTH)
    assert program.value("write", handle, b"shown\r\n") == 7
    assert server.node.console == "shown\r\n"
    server.node.type("typed\n")
    assert program.value("read", handle, 100) == b"typed\n"


def test_nul_takes_everything_and_has_nothing(server: Personality, program: Program) -> None:
    handle = opened(program, b"nul", BOTH)
    assert program.value("write", handle, b"x" * 4096) == 4096
    assert program.value("read", handle, 100) == b""
    assert server.node.console == ""


@pytest.mark.parametrize(("distance", "origin", "offset"), [
    (5, BEGIN, 5), (-10, CURRENT, 0), (7, CURRENT, 17), (-1, END, len(MOTD) - 1), (100, END, len(MOTD) + 100)])
def test_seek_moves_to_where_it_says(program: Program, distance: int, origin: int, offset: int) -> None:
    handle = opened(program)
    program.call("read", handle, 10)
    assert program.value("seek", handle, distance, origin) == offset
    assert program.value("read", handle, 3) == MOTD[offset:offset + 3]


@pytest.mark.parametrize(("distance", "origin", "error"), [
    (-1, BEGIN, NEGATIVE_SEEK), (-11, CURRENT, NEGATIVE_SEEK), (-len(MOTD) - 1, END, NEGATIVE_SEEK),
    (0, 3, INVALID_FUNCTION), (0, -1, INVALID_FUNCTION)])
def test_seek_that_is_refused_moves_nothing(program: Program, distance: int, origin: int, error: int) -> None:
    handle = opened(program)
    program.call("read", handle, 10)
    assert program.error("seek", handle, distance, origin) == error
    assert program.value("seek", handle, 0, CURRENT) == 10


def test_seek_behind_what_32_bits_can_tell_moves_nothing(program: Program) -> None:
    handle = opened(program)
    for _ in range(2):
        program.call("seek", handle, 2**31 - 1, CURRENT)
    assert program.value("seek", handle, 1, CURRENT) == -1  # 32 bits, all set
    assert program.error("seek", handle, 1, CURRENT) == INVALID_PARAMETER
    assert program.value("seek", handle, -(2**31), CURRENT) == 2**31 - 1


def test_devices_cannot_seek(program: Program) -> None:
    assert program.error("seek", 0, 0, BEGIN) == SEEK_ON_DEVICE


# -- processes ----------------------------------------------------------------------------------------------


def test_exec_has_proc_start_the_program(server: Personality, program: Program) -> None:
    pid = execute(program)
    (started,) = server.proc.started
    assert started == (pid, "bin/hello", "hello", ["hello", "two words"], 0)


@pytest.mark.parametrize(("path", "arguments", "error"), [
    (b"C:\\bin\\nothing", HELLO, FILE_NOT_FOUND), (b"C:\\nowhere\\hello", HELLO, PATH_NOT_FOUND),
    (b"C:\\bin", HELLO, ACCESS_DENIED), (b"CON", HELLO, ACCESS_DENIED),
    (HELLO_PATH, b"", INVALID_PARAMETER), (HELLO_PATH, b"hello", INVALID_PARAMETER)])
def test_exec_refuses_with_the_error_of_os2(server: Personality, program: Program, path: bytes, arguments: bytes,
                                            error: int) -> None:
    assert program.error("exec", path, arguments) == error
    assert server.proc.started == []


def test_exec_of_what_proc_cannot_start_is_a_bad_format_and_keeps_nothing(server: Personality,
                                                                         program: Program) -> None:
    server.proc.refuses = 18
    with server.node.nothing_kept():
        assert program.error("exec", HELLO_PATH, HELLO) == BAD_FORMAT
    assert program.error("wait", ANY_CHILD, False) == WAIT_NO_CHILDREN


@pytest.mark.parametrize(("status", "how", "told"), [
    (0, EXITED, (TC_EXIT, 0)), (7, EXITED, (TC_EXIT, 7)), (0x1FF, EXITED, (TC_EXIT, 0x1FF)),
    (-1, KILLED, (TC_TRAP, -1))])
@pytest.mark.parametrize("first", ["end", "wait"])
def test_wait_tells_how_a_child_ended(server: Personality, program: Program, first: str, status: int, how: int,
                                      told: tuple[int, int]) -> None:
    pid = execute(program)
    if first == "end":
        server.proc.ends(pid, status, how)
    wait = program.ask("wait", pid, False)
    if first == "wait":
        assert not wait.answered
        server.proc.ends(pid, status, how)
    assert wait.take() == (pid, *told)


def test_wait_that_does_not_wait_tells_that_the_child_runs(server: Personality, program: Program) -> None:
    pid = execute(program)
    assert [program.error("wait", wanted, True) for wanted in (pid, ANY_CHILD)] == [CHILD_NOT_COMPLETE] * 2
    server.proc.ends(pid, 5)
    assert program.call("wait", ANY_CHILD, True) == (pid, TC_EXIT, 5)


def test_child_can_be_waited_for_once(server: Personality, program: Program) -> None:
    pid = execute(program)
    server.proc.ends(pid, 0)
    program.call("wait", pid, False)
    assert program.error("wait", pid, False) == INVALID_PROCID
    assert program.error("wait", ANY_CHILD, False) == WAIT_NO_CHILDREN


@pytest.mark.parametrize("nowait", [False, True])
def test_wait_without_such_a_child_is_refused(server: Personality, program: Program, nowait: bool) -> None:
    others = execute(server.program())
    assert program.error("wait", ANY_CHILD, nowait) == WAIT_NO_CHILDREN
    assert [program.error("wait", pid, nowait) for pid in (others, 99, -1)] == [INVALID_PROCID] * 3


def test_who_waits_for_the_last_child_in_vain_is_told(server: Personality, program: Program) -> None:
    pid = execute(program)
    waits = [program.ask("wait", wanted, False) for wanted in (pid, ANY_CHILD)]
    server.proc.ends(pid, 3)
    assert waits[0].take() == (pid, TC_EXIT, 3)
    assert server.error_of(waits[1]) == WAIT_NO_CHILDREN


def test_child_has_the_handles_of_its_parent(server: Personality, program: Program) -> None:
    handle = opened(program)
    program.call("read", handle, 5)
    child = server.program(pid=execute(program))
    assert child.value("read", handle, 5) == MOTD[5:10]


def test_parent_that_ends_leaves_nothing_of_its_children(server: Personality) -> None:
    with server.node.nothing_kept():
        parent = server.program()
        pid = execute(parent)
        parent.ask("wait", pid, False)
        parent.puppet.end()
        server.proc.ends(pid, 0)


# -- the rest ----------------------------------------------------------------------------------------------------


def test_time_is_the_nodes(server: Personality, program: Program) -> None:
    server.node.let_pass(5_250_000_000)
    seconds, hundredths = program.call("time")
    assert seconds * 100 + hundredths == server.node.kernel.time_ns() // 10_000_000


@pytest.mark.req("A-S09")
@pytest.mark.parametrize("ordinal", [1, 9999, -1])
def test_ordinal_outside_the_list_is_invalid(program: Program, ordinal: int) -> None:
    assert program.error("other", ordinal) == INVALID_FUNCTION


def test_calls_keep_nothing(server: Personality, program: Program) -> None:
    def every_call() -> None:
        handle = opened(program)
        program.call("read", handle, 10)
        program.call("seek", handle, 0, BEGIN)
        program.call("close", handle)
        program.call("write", 1, b"x")
        server.proc.ends(execute(program), 0)
        program.call("wait", ANY_CHILD, False)

    every_call()
    with server.node.nothing_kept():
        for _ in range(5):
            every_call()
