"""The Unix personality server alone: the calls of docs/personalities.md and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.servers.personality import EXITED, FILES, KILLED, MOTD, Personality, Program, running

ENOENT, ENOEXEC, EBADF, ECHILD, EACCES, EEXIST = 2, 8, 9, 10, 13, 17
ENOTDIR, EISDIR, EINVAL, EMFILE, ESPIPE, EROFS, ENOSYS = 20, 21, 22, 24, 29, 30, 38
O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND = 0, 1, 2, 0o100, 0o200, 0o1000, 0o2000
SEEK_SET, SEEK_CUR, SEEK_END = range(3)
SIGSEGV: Final = 11
ANY_CHILD: Final = -1
DESCRIPTORS_MAX: Final = 32
DATA_MAX: Final = 4096  # octets of one read
BAD_DESCRIPTORS: Final = (-1, 3, 31, 32, 2**31 - 1, -(2**31))
HELLO: Final = b"hello\0two words\0"
LONG: Final = FILES["lib/deep/down/file.text"]


@pytest.fixture
def server() -> Iterator[Personality]:
    with running("unix") as server:
        yield server


@pytest.fixture
def program(server: Personality) -> Program:
    return server.program()


def spawn(program: Program, path: bytes = b"/bin/hello") -> int:
    pid = program.value("spawn", path, HELLO)
    assert isinstance(pid, int)
    return pid


# -- files -------------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_file_of_the_archive_is_read_in_parts(program: Program) -> None:
    fd = program.value("open", b"/etc/motd", O_RDONLY)
    assert [program.value("read", fd, 10) for _ in range(4)] == [MOTD[:10], MOTD[10:20], MOTD[20:], b""]
    program.call("close", fd)
    assert program.error("read", fd, 10) == EBADF


@pytest.mark.parametrize("path", [b"etc/motd", b"//etc/./motd", b"/lib/../etc/motd", b"/../../etc/motd"])
def test_path_may_be_written_in_many_ways(program: Program, path: bytes) -> None:
    assert program.value("read", program.value("open", path, O_RDONLY), 100) == MOTD


def test_one_read_gives_at_most_what_a_message_takes(program: Program) -> None:
    fd = program.value("open", b"/lib/deep/down/file.text", O_RDONLY)
    parts = [program.value("read", fd, 2**31 - 1) for _ in range(4)]
    assert parts == [LONG[:DATA_MAX], LONG[DATA_MAX:2 * DATA_MAX], LONG[2 * DATA_MAX:], b""]


@pytest.mark.parametrize(("path", "flags", "error"), [
    (b"/etc/nothing", O_RDONLY, ENOENT), (b"/nowhere/motd", O_RDONLY, ENOENT), (b"", O_RDONLY, ENOENT),
    (b"/etc/MOTD", O_RDONLY, ENOENT), (b"n" * 255, O_RDONLY, ENOENT), (b"/dev/nothing", O_RDONLY, ENOENT),
    (b"/etc", O_RDONLY, EISDIR), (b"/", O_RDONLY, EISDIR), (b"/lib/deep/", O_RDONLY, EISDIR),
    (b"/etc", O_WRONLY, EISDIR),
    (b"/etc/motd/more", O_RDONLY, ENOTDIR),
    (b"/etc/motd", O_CREAT | O_EXCL, EEXIST), (b"/dev/null", O_RDWR | O_CREAT | O_EXCL, EEXIST),
    (b"/etc/motd", O_WRONLY, EROFS), (b"/etc/motd", O_RDWR, EROFS), (b"/etc/motd", O_TRUNC, EROFS),
    (b"/etc/nothing", O_WRONLY | O_CREAT, EROFS),
    (b"/nowhere/motd", O_WRONLY | O_CREAT, ENOENT),
    (b"/etc/motd", 3, EINVAL), (b"/etc/motd", 4, EINVAL), (b"/etc/motd", -1, EINVAL),
])
def test_open_refuses_with_the_error_of_unix(program: Program, path: bytes, flags: int, error: int) -> None:
    assert program.error("open", path, flags) == error


@pytest.mark.parametrize("flags", [O_RDONLY, O_CREAT, O_APPEND])
def test_file_that_is_there_can_be_opened_with_flags_that_change_nothing(program: Program, flags: int) -> None:
    assert program.value("open", b"/etc/motd", flags) == 3


def test_open_gives_the_lowest_descriptor_that_is_free(program: Program) -> None:
    assert [program.value("open", b"/etc/motd", O_RDONLY) for _ in range(2)] == [3, 4]
    program.call("close", 0)
    program.call("close", 3)
    assert [program.value("open", b"/etc/motd", O_RDONLY) for _ in range(3)] == [0, 3, 5]


def test_process_has_so_many_descriptors(program: Program) -> None:
    for _ in range(3, DESCRIPTORS_MAX):
        program.call("open", b"/etc/motd", O_RDONLY)
    assert program.error("open", b"/etc/motd", O_RDONLY) == EMFILE
    program.call("close", 7)
    assert program.value("open", b"/etc/motd", O_RDONLY) == 7


@pytest.mark.parametrize("fd", BAD_DESCRIPTORS)
def test_descriptor_that_is_not_open_is_refused_by_every_call(program: Program, fd: int) -> None:
    assert [program.error("close", fd), program.error("read", fd, 1), program.error("write", fd, b""),
            program.error("lseek", fd, 0, SEEK_SET)] == [EBADF] * 4


def test_descriptor_serves_only_what_it_was_opened_for(program: Program) -> None:
    read_only, write_only = (program.value("open", b"/dev/null", flags) for flags in (O_RDONLY, O_WRONLY))
    assert program.error("write", read_only, b"x") == EBADF
    assert program.error("read", write_only, 1) == EBADF
    assert program.error("write", program.value("open", b"/etc/motd", O_RDONLY), b"x") == EBADF


def test_read_of_less_than_nothing_is_refused(program: Program) -> None:
    assert program.error("read", 0, -1) == EINVAL


@pytest.mark.parametrize("path", [b"/dev/console", b"/dev/tty", b"dev/../dev/tty"])
def test_console_is_a_file(server: Personality, program: Program, path: bytes) -> None:
    fd = program.value("open", path, O_RDWR)
    assert program.value("write", fd, b"ask\n") == 4
    server.node.type("answer\n")
    assert program.value("read", fd, 100) == b"answer\n"
    assert server.node.console == "ask\n"


def test_null_device_takes_everything_and_has_nothing(server: Personality, program: Program) -> None:
    fd = program.value("open", b"/dev/null", O_RDWR)
    assert program.value("write", fd, b"x" * DATA_MAX) == DATA_MAX
    assert program.value("read", fd, 100) == b""
    assert server.node.console == ""


@pytest.mark.parametrize(("distance", "origin", "offset"), [
    (0, SEEK_SET, 0), (5, SEEK_SET, 5), (0, SEEK_CUR, 10), (-10, SEEK_CUR, 0), (7, SEEK_CUR, 17),
    (0, SEEK_END, len(MOTD)), (-1, SEEK_END, len(MOTD) - 1), (100, SEEK_END, len(MOTD) + 100),
    (2**63 - 1, SEEK_SET, 2**63 - 1)])
def test_seek_moves_to_where_it_says(program: Program, distance: int, origin: int, offset: int) -> None:
    fd = program.value("open", b"/etc/motd", O_RDONLY)
    program.call("read", fd, 10)
    assert program.value("lseek", fd, distance, origin) == offset
    assert program.value("read", fd, 3) == MOTD[offset:offset + 3]


@pytest.mark.parametrize(("distance", "origin"), [
    (-1, SEEK_SET), (-11, SEEK_CUR), (-len(MOTD) - 1, SEEK_END), (-(2**63), SEEK_SET), (2**63 - 1, SEEK_CUR),
    (0, 3), (0, -1)])
def test_seek_before_the_start_or_from_nowhere_moves_nothing(program: Program, distance: int, origin: int) -> None:
    fd = program.value("open", b"/etc/motd", O_RDONLY)
    program.call("read", fd, 10)
    assert program.error("lseek", fd, distance, origin) == EINVAL
    assert program.value("lseek", fd, 0, SEEK_CUR) == 10


@pytest.mark.parametrize("path", [b"/dev/console", b"/dev/null"])
def test_devices_cannot_seek(program: Program, path: bytes) -> None:
    assert program.error("lseek", program.value("open", path, O_RDWR), 0, SEEK_SET) == ESPIPE


# -- processes ----------------------------------------------------------------------------------------------


def test_spawn_has_proc_start_the_program(server: Personality, program: Program) -> None:
    pid = spawn(program)
    (started,) = server.proc.started
    assert started == (pid, "bin/hello", "hello", ["hello", "two words"], 0)


@pytest.mark.parametrize(("path", "arguments", "error"), [
    (b"/bin/nothing", HELLO, ENOENT), (b"/bin", HELLO, EACCES), (b"/dev/console", HELLO, EACCES),
    (b"/bin/hello/x", HELLO, ENOTDIR), (b"/bin/hello", b"", EINVAL), (b"/bin/hello", b"hello", EINVAL)])
def test_spawn_refuses_with_the_error_of_unix(server: Personality, program: Program, path: bytes, arguments: bytes,
                                              error: int) -> None:
    assert program.error("spawn", path, arguments) == error
    assert server.proc.started == []


def test_spawn_of_what_proc_cannot_start_is_refused_and_keeps_nothing(server: Personality, program: Program) -> None:
    server.proc.refuses = 18
    with server.node.nothing_kept():
        assert program.error("spawn", b"/bin/hello", HELLO) == ENOEXEC
    assert program.error("wait", ANY_CHILD) == ECHILD


@pytest.mark.parametrize(("status", "how", "word"), [
    (0, EXITED, 0), (7, EXITED, 7 << 8), (0x1FF, EXITED, 0xFF << 8), (-1, EXITED, 0xFF << 8), (-1, KILLED, SIGSEGV)])
@pytest.mark.parametrize("first", ["end", "wait"])
def test_wait_tells_how_a_child_ended(server: Personality, program: Program, first: str, status: int, how: int,
                                      word: int) -> None:
    pid = spawn(program)
    if first == "end":
        server.proc.ends(pid, status, how)
    wait = program.ask("wait", pid)
    if first == "wait":
        assert not wait.answered
        server.proc.ends(pid, status, how)
    assert wait.take() == (pid, word)


def test_child_can_be_waited_for_once(server: Personality, program: Program) -> None:
    pid = spawn(program)
    server.proc.ends(pid, 0)
    program.call("wait", pid)
    assert [program.error("wait", wanted) for wanted in (pid, ANY_CHILD)] == [ECHILD, ECHILD]


def test_wait_for_any_child_finds_the_one_that_has_ended(server: Personality, program: Program) -> None:
    first, second = spawn(program), spawn(program)
    server.proc.ends(second, 2)
    assert program.call("wait", ANY_CHILD) == (second, 2 << 8)
    server.proc.ends(first, 1)
    assert program.call("wait", ANY_CHILD) == (first, 1 << 8)


def test_of_several_that_have_ended_the_first_started_is_told_first(server: Personality, program: Program) -> None:
    pids = [spawn(program) for _ in range(3)]
    for pid in reversed(pids):
        server.proc.ends(pid, 0)
    assert [program.call("wait", ANY_CHILD)[0] for _ in pids] == pids


def test_who_waits_for_the_last_child_in_vain_is_told(server: Personality, program: Program) -> None:
    pid = spawn(program)
    waits = [program.ask("wait", wanted) for wanted in (pid, pid, ANY_CHILD)]
    server.proc.ends(pid, 3)
    assert waits[0].take() == (pid, 3 << 8)
    assert [server.error_of(wait) for wait in waits[1:]] == [ECHILD, ECHILD]


@pytest.mark.parametrize("pid", [ANY_CHILD, 0, 1, 99, -2])
def test_wait_without_such_a_child_is_refused(program: Program, pid: int) -> None:
    assert program.error("wait", pid) == ECHILD


def test_child_of_another_process_cannot_be_waited_for(server: Personality, program: Program) -> None:
    pid = spawn(server.program())
    assert program.error("wait", pid) == ECHILD


def test_waiter_that_has_gone_leaves_the_child_to_be_waited_for(server: Personality, program: Program) -> None:
    pid = spawn(program)
    program.ask("wait", pid).abandon()
    server.proc.ends(pid, 4)
    assert program.call("wait", pid) == (pid, 4 << 8)


def test_child_has_the_files_of_its_parent_and_their_offsets(server: Personality, program: Program) -> None:
    fd = program.value("open", b"/etc/motd", O_RDONLY)
    program.call("read", fd, 5)
    program.call("close", 2)
    child = server.program(pid=spawn(program))
    assert child.value("read", fd, 5) == MOTD[5:10]
    assert program.value("read", fd, 5) == MOTD[10:15], "the offset is one and the same"
    assert child.error("write", 2, b"x") == EBADF
    program.call("close", fd)
    assert child.value("read", fd, 5) == MOTD[15:20]


def test_child_has_the_files_of_a_parent_that_has_ended(server: Personality, program: Program) -> None:
    fd = program.value("open", b"/etc/motd", O_RDONLY)
    pid = spawn(program)
    program.puppet.end()
    assert server.program(pid=pid).value("read", fd, 5) == MOTD[:5]


def test_files_that_a_child_never_asked_for_go_with_it(server: Personality, program: Program) -> None:
    pid = spawn(program)
    server.proc.ends(pid, 0)
    program.call("wait", pid)
    stranger = server.program(pid=pid)
    assert stranger.value("open", b"/etc/motd", O_RDONLY) == 3, "it has files of its own"


def test_parent_that_ends_leaves_nothing_of_its_children(server: Personality) -> None:
    with server.node.nothing_kept():
        parent = server.program()
        pid = spawn(parent)
        parent.ask("wait", pid)
        parent.puppet.end()
        server.proc.ends(pid, 0)


def test_child_whose_end_proc_will_not_tell_has_crashed(server: Personality, program: Program) -> None:
    pid = spawn(program)
    wait = program.ask("wait", pid)
    for request in server.proc.waits(pid):
        request.drop()
    server.node.settle()
    assert wait.take() == (pid, SIGSEGV)


def test_child_that_proc_does_not_know_has_crashed(server: Personality, program: Program) -> None:
    pid = spawn(program)
    wait = program.ask("wait", pid)
    for request in server.proc.waits(pid):
        request.refuse(4)
    server.node.settle()
    assert wait.take() == (pid, SIGSEGV)


# -- the rest ----------------------------------------------------------------------------------------------------


def test_time_is_the_nodes(server: Personality, program: Program) -> None:
    server.node.let_pass(5_000_000_000)
    assert program.value("time") == server.node.kernel.time_ns() // 1_000_000_000


@pytest.mark.req("A-S06")
@pytest.mark.parametrize("number", [2, 999, -1])
def test_call_outside_the_list_is_not_implemented(program: Program, number: int) -> None:
    assert program.error("other", number) == ENOSYS


def test_calls_keep_nothing(server: Personality, program: Program) -> None:
    def every_call() -> None:
        fd = program.value("open", b"/etc/motd", O_RDONLY)
        program.call("read", fd, 10)
        program.call("lseek", fd, 0, SEEK_SET)
        program.call("close", fd)
        program.call("write", 1, b"x")
        pid = spawn(program)
        server.proc.ends(pid, 0)
        program.call("wait", pid)
        program.call("time")

    every_call()
    with server.node.nothing_kept():
        for _ in range(5):
            every_call()


