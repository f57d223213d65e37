"""The Win32 personality server alone: the calls of docs/personalities.md and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.servers.personality import EXITED, FILES, KILLED, MOTD, Personality, Program, running

FILE_NOT_FOUND, PATH_NOT_FOUND, TOO_MANY_OPEN_FILES, ACCESS_DENIED, INVALID_HANDLE = range(2, 7)
WRITE_PROTECT, FILE_EXISTS, INVALID_PARAMETER, CALL_NOT_IMPLEMENTED, PROC_NOT_FOUND = 19, 80, 87, 120, 127
NEGATIVE_SEEK, SEEK_ON_DEVICE, BAD_EXE_FORMAT, WAIT_TIMEOUT = 131, 132, 193, 258
STILL_ACTIVE: Final = 259
ACCESS_VIOLATION: Final = 0xC0000005 - 2**32
CREATE_NEW, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING = range(1, 6)
READ: Final = -(2**31)  # GENERIC_READ
WRITE: Final = 0x4000_0000
BEGIN, CURRENT, END = range(3)
STANDARD: Final = (4, 8, 12)
FIRST: Final = 16  # handle of the first file opened
HANDLES_MAX: Final = 32
CHILDREN: Final = 1023  # that have handles of their own, one after another
THREAD: Final = 0x1_0000  # from a process's handle to its thread's
MOTD_PATH: Final = b"C:\\etc\\motd"
HELLO_PATH: Final = b"C:\\bin\\hello"
HELLO: Final = b"hello\0two words\0"


@pytest.fixture
def server() -> Iterator[Personality]:
    with running("win32") as server:
        yield server


@pytest.fixture
def program(server: Personality) -> Program:
    return server.program()


def opened(program: Program, path: bytes = MOTD_PATH, access: int = READ) -> int:
    handle = program.value("open", path, access, OPEN_EXISTING)
    assert isinstance(handle, int)
    return handle


def create(program: Program) -> tuple[int, int]:
    """Handle and pid of a process."""
    handle, pid = program.call("create_process", HELLO_PATH, HELLO)
    assert isinstance(handle, int)
    assert isinstance(pid, int)
    return handle, pid


# -- files -------------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_file_of_drive_c_is_read_in_parts(program: Program) -> None:
    handle = opened(program)
    assert handle == FIRST
    assert [program.value("read", handle, 10) for _ in range(4)] == [MOTD[:10], MOTD[10:20], MOTD[20:], b""]
    program.call("close", handle)
    assert program.error("read", handle, 10) == INVALID_HANDLE


@pytest.mark.parametrize("path", [b"C:\\ETC\\MOTD", b"c:/etc/Motd", b"etc\\motd", b"\\lib\\..\\etc\\.\\motd"])
def test_path_may_be_written_in_many_ways(program: Program, path: bytes) -> None:
    assert program.value("read", opened(program, path), 100) == MOTD


def test_long_names_are_found_as_they_are(program: Program) -> None:
    handle = opened(program, b"c:\\LIB\\deep\\Down\\file.text")
    assert program.value("read", handle, 10) == FILES["lib/deep/down/file.text"][:10]


@pytest.mark.parametrize(("path", "access", "disposition", "error"), [
    (b"C:\\etc\\nothing", READ, OPEN_EXISTING, FILE_NOT_FOUND),
    (b"C:\\etc\\nothing", WRITE, TRUNCATE_EXISTING, FILE_NOT_FOUND), (b"", READ, OPEN_EXISTING, FILE_NOT_FOUND),
    (b"C:\\nowhere\\motd", READ, OPEN_EXISTING, PATH_NOT_FOUND),
    (b"C:\\etc\\motd\\more", READ, OPEN_EXISTING, PATH_NOT_FOUND),
    (b"D:\\etc\\motd", READ, OPEN_EXISTING, PATH_NOT_FOUND),
    (b"C:\\etc", READ, OPEN_EXISTING, ACCESS_DENIED),
    (MOTD_PATH, WRITE, OPEN_EXISTING, ACCESS_DENIED), (MOTD_PATH, READ | WRITE, OPEN_ALWAYS, ACCESS_DENIED),
    (MOTD_PATH, WRITE, CREATE_ALWAYS, ACCESS_DENIED), (MOTD_PATH, WRITE, TRUNCATE_EXISTING, ACCESS_DENIED),
    (b"C:\\etc\\new", WRITE, CREATE_NEW, WRITE_PROTECT), (b"C:\\etc\\new", WRITE, CREATE_ALWAYS, WRITE_PROTECT),
    (b"C:\\etc\\new", WRITE, OPEN_ALWAYS, WRITE_PROTECT),
    (MOTD_PATH, WRITE, CREATE_NEW, FILE_EXISTS),
    (MOTD_PATH, READ, 0, INVALID_PARAMETER), (MOTD_PATH, READ, 6, INVALID_PARAMETER)])
def test_open_refuses_with_the_error_of_win32(program: Program, path: bytes, access: int, disposition: int,
                                              error: int) -> None:
    assert program.error("open", path, access, disposition) == error


def test_file_that_is_there_can_be_opened_if_it_need_not_be_made(program: Program) -> None:
    assert program.value("open", MOTD_PATH, READ, OPEN_ALWAYS) == FIRST


def test_process_has_so_many_files(program: Program) -> None:
    for _ in range(len(STANDARD), HANDLES_MAX):
        opened(program)
    assert program.error("open", MOTD_PATH, READ, OPEN_EXISTING) == TOO_MANY_OPEN_FILES
    program.call("close", 40)
    assert opened(program) == 40


@pytest.mark.parametrize("handle", [
    0, -1, -10, 1, 5, FIRST, FIRST + 1, 4 * HANDLES_MAX, 0x1_0000, 0x1_0004, 0x2_0004, 2**31 - 4, -(2**31)])
def test_handle_that_is_not_open_is_refused_by_every_call(program: Program, handle: int) -> None:
    assert [program.error("close", handle), program.error("read", handle, 1), program.error("write", handle, b""),
            program.error("seek", handle, 0, BEGIN), program.error("wait", handle, False),
            program.error("exit_code", handle)] == [INVALID_HANDLE] * 6


def test_handle_serves_only_what_it_was_opened_for(program: Program) -> None:
    assert program.error("write", opened(program), b"x") == ACCESS_DENIED
    assert program.error("write", opened(program, b"NUL", READ), b"x") == ACCESS_DENIED
    assert program.error("read", opened(program, b"NUL", WRITE), 1) == ACCESS_DENIED
    assert program.error("read", opened(program, MOTD_PATH, 0), 1) == ACCESS_DENIED


@pytest.mark.parametrize("name", [b"CON", b"CONIN$", b"CONOUT$", b"con", b"C:\\etc\\con"])
def test_devices_of_win32_are_the_console(server: Personality, program: Program, name: bytes) -> None:
    handle = opened(program, name, READ | WRITE)
    assert program.value("write", handle, b"shown\r\n") == 7
    assert server.node.console == "shown\r\n"
    server.node.type("typed\n")
    assert program.value("read", handle, 100) == b"typed\n"


@pytest.mark.parametrize("handle", STANDARD)
def test_standard_handles_are_the_console(server: Personality, program: Program, handle: int) -> None:
    program.call("write", handle, b"shown")
    assert server.node.console == "shown"


def test_nul_takes_everything_and_has_nothing(server: Personality, program: Program) -> None:
    handle = opened(program, b"nul", READ | WRITE)
    assert program.value("write", handle, b"x" * 4096) == 4096
    assert program.value("read", handle, 100) == b""
    assert server.node.console == ""


@pytest.mark.parametrize(("distance", "origin", "offset"), [
    (5, BEGIN, 5), (-10, CURRENT, 0), (7, CURRENT, 17), (-1, END, len(MOTD) - 1), (2**40, END, len(MOTD) + 2**40)])
def test_seek_moves_to_where_it_says(program: Program, distance: int, origin: int, offset: int) -> None:
    handle = opened(program)
    program.call("read", handle, 10)
    assert program.value("seek", handle, distance, origin) == offset
    assert program.value("read", handle, 3) == MOTD[offset:offset + 3]


@pytest.mark.parametrize(("distance", "origin", "error"), [
    (-1, BEGIN, NEGATIVE_SEEK), (-11, CURRENT, NEGATIVE_SEEK), (-len(MOTD) - 1, END, NEGATIVE_SEEK),
    (0, 3, INVALID_PARAMETER), (0, -1, INVALID_PARAMETER)])
def test_seek_that_is_refused_moves_nothing(program: Program, distance: int, origin: int, error: int) -> None:
    handle = opened(program)
    program.call("read", handle, 10)
    assert program.error("seek", handle, distance, origin) == error
    assert program.value("seek", handle, 0, CURRENT) == 10


def test_devices_cannot_seek(program: Program) -> None:
    assert program.error("seek", STANDARD[0], 0, BEGIN) == SEEK_ON_DEVICE


# -- processes ----------------------------------------------------------------------------------------------


def test_create_process_has_proc_start_the_program(server: Personality, program: Program) -> None:
    handle, pid = create(program)
    (started,) = server.proc.started
    assert started == (pid, "bin/hello", "hello", ["hello", "two words"], 0)
    assert program.value("exit_code", handle) == STILL_ACTIVE


@pytest.mark.parametrize(("path", "arguments", "error"), [
    (b"C:\\bin\\nothing", HELLO, FILE_NOT_FOUND), (b"C:\\nowhere\\hello", HELLO, PATH_NOT_FOUND),
    (b"C:\\bin", HELLO, ACCESS_DENIED), (b"CON", HELLO, ACCESS_DENIED),
    (HELLO_PATH, b"", INVALID_PARAMETER), (HELLO_PATH, b"hello", INVALID_PARAMETER)])
def test_create_process_refuses_with_the_error_of_win32(server: Personality, program: Program, path: bytes,
                                                        arguments: bytes, error: int) -> None:
    assert program.error("create_process", path, arguments) == error
    assert server.proc.started == []


def test_process_that_proc_cannot_start_is_a_bad_format_and_keeps_nothing(server: Personality,
                                                                         program: Program) -> None:
    server.proc.refuses = 18
    with server.node.nothing_kept():
        assert program.error("create_process", HELLO_PATH, HELLO) == BAD_EXE_FORMAT


@pytest.mark.parametrize(("status", "how", "code"), [
    (0, EXITED, 0), (7, EXITED, 7), (-1, EXITED, -1), (-1, KILLED, ACCESS_VIOLATION)])
@pytest.mark.parametrize("whose", [0, THREAD], ids=["process", "thread"])
def test_wait_and_exit_code_tell_of_the_end_as_often_as_asked(server: Personality, program: Program, whose: int,
                                                              status: int, how: int, code: int) -> None:
    handle, pid = create(program)
    waits = [program.ask("wait", handle + whose, False) for _ in range(2)]
    assert not any(wait.answered for wait in waits)
    server.proc.ends(pid, status, how)
    assert [wait.take() for wait in waits] == [(), ()]
    for _ in range(2):
        program.call("wait", handle + whose, False)
        assert program.value("exit_code", handle + whose) == code


def test_wait_that_does_not_wait_tells_that_the_process_runs(server: Personality, program: Program) -> None:
    handle, pid = create(program)
    assert program.error("wait", handle, True) == WAIT_TIMEOUT
    server.proc.ends(pid, 0)
    assert program.call("wait", handle, True) == ()


def test_waits_that_were_given_up_leave_nothing_when_the_process_ends(server: Personality, program: Program) -> None:
    _, first = create(program)
    before = server.node.census()
    handle, pid = create(program)
    for _ in range(3):
        program.ask("wait", handle, False).abandon()
    server.proc.ends(pid, 0)
    program.call("close", handle)
    assert server.node.census() == before
    server.proc.ends(first, 0)


def test_process_whose_handle_is_closed_runs_on_and_is_forgotten(server: Personality, program: Program) -> None:
    with server.node.nothing_kept():
        handle, pid = create(program)
        program.call("close", handle)
        assert [program.error("close", handle), program.error("exit_code", handle),
                program.error("exit_code", handle + THREAD)] == [INVALID_HANDLE] * 3
        server.proc.ends(pid, 0)


def test_thread_whose_handle_is_closed_leaves_the_process(server: Personality, program: Program) -> None:
    handle, _ = create(program)
    program.call("close", handle + THREAD)
    assert program.value("exit_code", handle) == STILL_ACTIVE


def test_wait_ends_when_the_handle_it_waits_for_is_closed(program: Program, server: Personality) -> None:
    handle, _ = create(program)
    wait = program.ask("wait", handle, False)
    program.call("close", handle)
    assert server.error_of(wait) == INVALID_HANDLE


def test_handle_of_a_process_is_never_one_of_a_thread(server: Personality, program: Program) -> None:
    first, _ = create(program)
    second, _ = create(program)
    program.call("close", second)
    handles = {first, second}
    for _ in range(CHILDREN):
        handle, pid = create(program)
        assert handle != first, "that one is still open"
        assert program.value("exit_code", handle) == STILL_ACTIVE
        program.call("close", handle)
        assert program.error("exit_code", handle) == INVALID_HANDLE
        server.proc.ends(pid, 0)
        handles.add(handle)
    assert len(handles) == CHILDREN, "the numbers go round"
    assert max(handles) < min(handles) + THREAD


def test_handles_of_another_process_mean_nothing(server: Personality, program: Program) -> None:
    handle, _ = create(server.program())
    assert program.error("exit_code", handle) == INVALID_HANDLE


def test_child_has_the_handles_of_its_parent(server: Personality, program: Program) -> None:
    handle = opened(program)
    program.call("read", handle, 5)
    child = server.program(pid=create(program)[1])
    assert child.value("read", handle, 5) == MOTD[5:10]


def test_child_has_the_handles_even_if_its_parent_closes_the_processs_at_once(server: Personality,
                                                                              program: Program) -> None:
    file = opened(program)
    handle, pid = create(program)
    program.call("close", handle)
    assert server.program(pid=pid).value("read", file, 5) == MOTD[:5]


def test_parent_that_ends_leaves_nothing_of_its_children(server: Personality) -> None:
    with server.node.nothing_kept():
        parent = server.program()
        handle, pid = create(parent)
        parent.ask("wait", handle, False)
        parent.puppet.end()
        server.proc.ends(pid, 0)


# -- the rest ----------------------------------------------------------------------------------------------------


def test_time_is_the_nodes(server: Personality, program: Program) -> None:
    server.node.let_pass(5_250_000_000)
    seconds, milliseconds = program.call("time")
    assert seconds * 1000 + milliseconds == server.node.kernel.time_ns() // 1_000_000


@pytest.mark.req("A-S10")
@pytest.mark.parametrize(("name", "error"), [
    (b"Beep", PROC_NOT_FOUND), (b"", PROC_NOT_FOUND), (b"CreateFileW", CALL_NOT_IMPLEMENTED)])
def test_name_outside_the_list_is_refused(program: Program, name: bytes, error: int) -> None:
    assert program.error("other", name) == error


def test_calls_keep_nothing(server: Personality, program: Program) -> None:
    def every_call() -> None:
        handle = opened(program)
        program.call("read", handle, 10)
        program.call("seek", handle, 0, BEGIN)
        program.call("close", handle)
        program.call("write", STANDARD[1], b"x")
        process, pid = create(program)
        server.proc.ends(pid, 0)
        program.call("wait", process, False)
        program.call("exit_code", process)
        program.call("close", process + THREAD)
        program.call("close", process)

    every_call()
    with server.node.nothing_kept():
        for _ in range(5):
            every_call()
