"""What clients may make a personality server keep, and how it refuses more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.servers.personality import CONSOLE, PERSONALITIES, Personality, Program, running
from tests.support.stubs import Pending

SESSIONS_OF_PROGRAM, SESSIONS = 4, 128
CHILDREN_OF_SESSION, CHILDREN = 64, 512
WAITS_OF_SESSION, WAITS = 32, 256
READS_OF_SESSION, READS = 8, 64

TOO_MANY_SESSIONS: Final = {"unix": 24, "dos": 4, "os2": 4, "win32": 4}  # EMFILE, too many open files
SERVER_FULL: Final = {"unix": 23, "dos": 8, "os2": 8, "win32": 1450}  # ENFILE, no memory, no resources
TOO_MANY_CHILDREN: Final = {"unix": 11, "dos": 8, "os2": 89, "win32": 1450}  # EAGAIN, no process slots
TOO_MANY_WAIT: Final = {"unix": 11, "dos": 8, "os2": 8, "win32": 1450}

WAITERS: Final = tuple(name for name in PERSONALITIES if name != "dos")  # with calls that wait for a child
# A program of DOS waits for each that it runs.
STARTS_OF_SESSION: Final = dict.fromkeys(WAITERS, CHILDREN_OF_SESSION) | {"dos": WAITS_OF_SESSION}
STARTS: Final = dict.fromkeys(WAITERS, CHILDREN) | {"dos": WAITS}


@pytest.fixture(params=PERSONALITIES)
def server(request: pytest.FixtureRequest) -> Iterator[Personality]:
    with running(request.param) as server:
        yield server


@pytest.fixture(params=WAITERS)
def waiting(request: pytest.FixtureRequest) -> Iterator[Personality]:
    with running(request.param) as server:
        yield server


def sessions(server: Personality) -> Iterator[Program]:
    """Programs, each as often as it may have sessions: with a new one each time."""
    while True:
        program = server.program(attached=False)
        for _ in range(SESSIONS_OF_PROGRAM):
            program.attach()
            yield program


def wait(program: Program, child: Pending) -> Pending:
    """Wait for the child that `child` started."""
    first, *_ = child.take()
    return ask_wait(program, first)


def ask_wait(program: Program, child: object) -> Pending:
    return program.ask("wait", child, False) if program.server.name != "unix" else program.ask("wait", child)


def read(program: Program) -> Pending:
    return program.ask("read", CONSOLE[program.server.name], 10)


# -- sessions ------------------------------------------------------------------------------------


def test_program_has_some_sessions_and_no_more(server: Personality) -> None:
    program, other = server.program(attached=False), server.program(attached=False)
    for _ in range(SESSIONS_OF_PROGRAM):
        program.attach()
    with server.node.nothing_kept():
        assert program.attach_error() == TOO_MANY_SESSIONS[server.name]
    assert other.attach() == other.pid
    program.puppet.drop(program.session)
    server.node.settle()
    assert program.attach() == program.pid


def test_server_has_room_for_so_many_sessions(server: Personality) -> None:
    several = sessions(server)
    last = [next(several) for _ in range(SESSIONS)][-1]
    new = server.program(attached=False)
    with server.node.nothing_kept():
        assert new.attach_error() == SERVER_FULL[server.name]
    last.puppet.end()
    server.node.settle()
    assert new.attach() == new.pid


# -- children --------------------------------------------------------------------------------------


def test_program_has_some_children_and_no_more(server: Personality) -> None:
    program, other = server.program(), server.program()
    children = [program.start() for _ in range(STARTS_OF_SESSION[server.name])]
    with server.node.nothing_kept():
        assert server.error_of(program.start()) == TOO_MANY_CHILDREN[server.name]
    assert len(server.proc.started) == len(children)
    other.start()
    assert len(server.proc.started) == len(children) + 1
    server.proc.ends(server.proc.started[0].pid, 0)
    if server.name == "win32":  # the handle keeps the child
        program.call("close", children[0].take()[0])
    elif server.name != "dos":
        wait(program, children[0]).take()
    program.start()
    assert len(server.proc.started) == len(children) + 2


def test_all_programs_together_have_so_many_children(server: Personality) -> None:
    several = sessions(server)
    for _ in range(STARTS[server.name] // STARTS_OF_SESSION[server.name]):
        program = next(several)
        for _ in range(STARTS_OF_SESSION[server.name]):
            program.start()
    assert len(server.proc.started) == STARTS[server.name]
    other = server.program()
    with server.node.nothing_kept():
        assert server.error_of(other.start()) == TOO_MANY_CHILDREN[server.name]
    assert len(server.proc.started) == STARTS[server.name]
    program.puppet.end()
    server.proc.all_end()
    other.start()
    assert len(server.proc.started) == STARTS[server.name] + 1


def test_children_that_are_forgotten_but_have_no_session_yet_count() -> None:
    with running("win32") as server:
        program = server.program()
        for _ in range(SESSIONS_OF_PROGRAM * CHILDREN_OF_SESSION):
            program.call("close", program.start().take()[0])
        with server.node.nothing_kept():
            assert server.error_of(program.start()) == TOO_MANY_CHILDREN["win32"]
        server.program().start().take()
        server.program(pid=server.proc.started[0].pid)
        program.start().take()


# -- requests that wait ----------------------------------------------------------------------------


def test_program_waits_for_children_so_often_and_no_more(waiting: Personality) -> None:
    program, other = waiting.program(), waiting.program()
    child, *_ = program.start().take()
    waits = [ask_wait(program, child) for _ in range(WAITS_OF_SESSION)]
    with waiting.node.nothing_kept():
        assert waiting.error_of(ask_wait(program, child)) == TOO_MANY_WAIT[waiting.name]
    assert not wait(other, other.start()).answered
    waiting.proc.ends(waiting.proc.started[0].pid, 0)
    assert all(each.answered for each in waits)
    child, *_ = program.start().take()
    assert not ask_wait(program, child).answered


def test_all_programs_together_wait_so_often(waiting: Personality) -> None:
    several = sessions(waiting)
    for _ in range(WAITS // WAITS_OF_SESSION):
        program = next(several)
        child, *_ = program.start().take()
        for _ in range(WAITS_OF_SESSION):
            ask_wait(program, child)
    other = waiting.program()
    child, *_ = other.start().take()
    with waiting.node.nothing_kept():
        assert waiting.error_of(ask_wait(other, child)) == TOO_MANY_WAIT[waiting.name]
    program.puppet.end()
    waiting.node.settle()
    assert not ask_wait(other, child).answered


def test_program_reads_the_console_so_often_and_no_more(server: Personality) -> None:
    program, other = server.program(), server.program()
    lines = [read(program) for _ in range(READS_OF_SESSION)]
    with server.node.nothing_kept():
        assert server.error_of(read(program)) == TOO_MANY_WAIT[server.name]
    assert not read(other).answered
    server.node.type("typed\n")
    server.node.settle()
    assert lines[0].take() == (b"typed\n",)
    assert not read(program).answered


def test_all_programs_together_read_the_console_so_often(server: Personality) -> None:
    several = sessions(server)
    for _ in range(READS // READS_OF_SESSION):
        program = next(several)
        for _ in range(READS_OF_SESSION):
            read(program)
    other = server.program()
    with server.node.nothing_kept():
        assert server.error_of(read(other)) == TOO_MANY_WAIT[server.name]
    program.puppet.end()
    server.node.settle()
    assert not read(other).answered
