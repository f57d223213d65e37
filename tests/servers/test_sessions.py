"""What the four personality servers have in common: sessions, the console, hostile clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given, settings

from machemu.interfaces import dos, os2, unix, win32
from machemu.kernel.ipc.right import MACH_PORT_DEAD, MACH_PORT_NULL, RECEIVE
from machemu.kernel.results import KernReturn
from tests.servers.hostile import (
    UNDELIVERABLE,
    ask_for_answers_nobody_can_take,
    forged_notifications,
    misdeeds,
    passed_on,
    random_requests,
)
from tests.servers.personality import CONSOLE, PERSONALITIES, STANDARD, Personality, running
from tests.support.stubs import Lone

INTERFACES: Final = {"unix": unix.SUBSYSTEM, "dos": dos.SUBSYSTEM, "os2": os2.SUBSYSTEM, "win32": win32.SUBSYSTEM}
LINE_MAX: Final = 128  # octets of one read from the console
FAILURE: Final = {"unix": 5, "dos": 31, "os2": 31, "win32": 31}  # EIO, general failure
NOT_ALLOWED: Final = {"unix": 1, "dos": 5, "os2": 5, "win32": 5}  # EPERM, access denied


@pytest.fixture(params=PERSONALITIES)
def server(request: pytest.FixtureRequest) -> Iterator[Personality]:
    with running(request.param) as server:
        yield server


@pytest.fixture
def console(server: Personality) -> int:
    """A handle of the console."""
    return CONSOLE[server.name]


# -- start ---------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_server_makes_itself_known_and_is_ready(server: Personality) -> None:
    assert list(server.acs.names) == [server.name]
    assert server.boot.ready == [server.task.number]
    assert server.node.console == ""


@pytest.mark.parametrize("name", PERSONALITIES)
def test_server_without_the_device_master_port_says_so_and_ends(name: str) -> None:
    with Lone() as node:
        server = Personality(node, name, device=False)
        assert node.console.startswith(f"{name}: cannot start: ")
        assert server.task.status == 1
        assert server.boot.ready == []


@pytest.mark.parametrize("name", PERSONALITIES)
def test_server_that_is_refused_its_name_says_so_and_ends(name: str) -> None:
    with Lone() as node:
        server = Personality(node, name, accepted=False)
        assert node.console.startswith(f"{name}: not registered: ")
        assert server.task.status == 1


# -- sessions -----------------------------------------------------------------------------------------


def test_session_is_the_process_that_receives_from_the_port_it_shows(server: Personality) -> None:
    first, second = server.program(attached=False), server.program(attached=False)
    assert (first.attach(), second.attach()) == (first.pid, second.pid)
    assert first.pid != second.pid


@pytest.mark.parametrize("whose", ["nobody's", "dead", "stranger's", "kernel's", "another's"])
def test_session_is_refused_to_who_shows_no_port_of_its_own(server: Personality, whose: str) -> None:
    program, other, stranger = server.program(attached=False), server.program(), server.node.client()
    puppet = program.puppet
    port = {"nobody's": lambda: MACH_PORT_NULL, "dead": lambda: MACH_PORT_DEAD,
            "stranger's": lambda: stranger.give(stranger.service(), puppet),
            "kernel's": lambda: puppet.holds(puppet.task.self_port),
            "another's": lambda: other.puppet.give(other.puppet.service(), puppet)}[whose]()
    ident, body = INTERFACES[server.name].by_name(f"{server.name}_attach").id, puppet.right_item(port)
    with server.node.nothing_kept():
        assert puppet.probe(server.port_for(puppet), ident, body, complex_=True) in (
            KernReturn.INVALID_ARGUMENT, KernReturn.NO_ACCESS)


def test_session_cannot_be_opened_on_a_session(server: Personality) -> None:
    program = server.program()
    with server.node.nothing_kept():
        code = program.puppet.refusal(program.session, f"{server.name}_attach", program.puppet.port())
        assert code == KernReturn.INVALID_ARGUMENT


def test_files_are_only_served_on_a_session(server: Personality, console: int) -> None:
    program = server.program()
    program.session = server.port_for(program.puppet)
    with server.node.nothing_kept():
        assert program.error("write", console, b"not heard\n") == FAILURE[server.name]
        assert program.error("read", console, 10) == FAILURE[server.name]
    assert server.node.console == ""


def test_session_ends_with_its_program(server: Personality, console: int) -> None:
    with server.node.nothing_kept():
        program = server.program()
        program.call("write", console, b"hello\n")
        assert server.stat()[1:] == [f"session pid={program.pid} files={STANDARD[server.name]} children=0 waiters=0"]
        program.puppet.end()
    assert server.stat()[1:] == []


def test_session_that_nobody_took_is_closed(server: Personality) -> None:
    program = server.program(attached=False)
    puppet = program.puppet
    with server.node.nothing_kept():
        puppet.ask(server.port_for(puppet), f"{server.name}_attach", puppet.port()).abandon()
    assert server.stat() == ["counter opened=1 closed=1 requests=4 refused=0 readers=0"]


@pytest.mark.req("A-S01")
def test_tasks_of_other_nodes_have_no_sessions_but_may_see_the_tables(server: Personality, console: int,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Their messages come from the GNS, whose process a session would be."""
    gns, far = server.program(), server.program(attached=False)
    passed_on(monkeypatch)
    with server.node.nothing_kept():
        assert far.attach_error() == NOT_ALLOWED[server.name]
        assert server.error_of(gns.start()) == NOT_ALLOWED[server.name]
        assert gns.error("write", console, b"not heard\n") == NOT_ALLOWED[server.name]
        assert server.stat()[0] == "counter opened=1 closed=0 requests=6 refused=3 readers=0"
    assert server.proc.started == []
    monkeypatch.undo()
    assert gns.value("write", console, b"heard\n") == 6
    assert server.node.console == "heard\n"


@pytest.mark.parametrize("name", PERSONALITIES)
def test_program_whose_end_could_not_be_told_is_not_left_to_run(name: str) -> None:
    with running(name) as server:
        program = server.program()
        server.proc.on_start = lambda: _lose_newest_port(server)
        assert server.error_of(program.start()) == FAILURE[name]
        assert server.proc.killed == [server.proc.started[0].pid]
        assert "children=0 waiters=0" in server.stat()[1]


def _lose_newest_port(server: Personality) -> None:
    """The server's port for the child's end goes, so that proc cannot be asked to tell it."""
    space = server.task.space
    receives = [name for name in space.entries if space.lookup(name).kind == RECEIVE]
    space.destroy_name(receives[-1])


def test_handles_of_one_session_are_not_another_s(server: Personality, console: int) -> None:
    first, second = server.program(), server.program()
    first.call("close", console)
    assert second.value("write", console, b"still open\n") == 11
    assert first.error("write", console, b"closed\n") == (9 if server.name == "unix" else 6)


# -- the console ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, LINE_MAX, LINE_MAX + 1, 4096])
def test_console_shows_what_is_written(server: Personality, console: int, size: int) -> None:
    octets = b"x" * size
    assert server.program().value("write", console, octets) == size
    assert server.node.console == octets.decode()


def test_read_is_answered_when_somebody_types_and_others_are_served_meanwhile(server: Personality,
                                                                              console: int) -> None:
    reader, other = server.program(), server.program()
    line = reader.ask("read", console, 100)
    assert not line.answered
    other.call("write", console, b"served\n")
    server.node.type("typed\n")
    server.node.settle()
    assert line.take() == (b"typed\n",)


def test_read_finds_what_was_typed_before(server: Personality, console: int) -> None:
    server.node.type("early\n")
    assert server.program().value("read", console, 100) == b"early\n"


def test_readers_get_lines_in_the_order_they_came(server: Personality, console: int) -> None:
    first, second = server.program(), server.program()
    lines = [first.ask("read", console, 100), second.ask("read", console, 100)]
    for text in ("one\n", "two\n"):
        server.node.type(text)
        server.node.settle()
    assert [line.take() for line in lines] == [(b"one\n",), (b"two\n",)]


def test_read_takes_at_most_a_line(server: Personality, console: int) -> None:
    program = server.program()
    server.node.type("one\ntwo\n")
    assert [program.value("read", console, 100) for _ in range(2)] == [b"one\n", b"two\n"]


def test_read_of_less_than_a_line_leaves_the_rest(server: Personality, console: int) -> None:
    program = server.program()
    server.node.type("abcdef\n")
    assert [program.value("read", console, size) for size in (2, 3, 100)] == [b"ab", b"cde", b"f\n"]


def test_read_of_nothing_is_answered_at_once(server: Personality, console: int) -> None:
    assert server.program().value("read", console, 0) == b""


def test_reader_that_has_gone_leaves_nothing(server: Personality, console: int) -> None:
    with server.node.nothing_kept():
        program = server.program()
        line = program.ask("read", console, 100)
        line.abandon()
        server.node.type("for nobody\n")
        server.node.settle()
        program.puppet.end()


def test_line_goes_to_the_reader_that_is_still_there(server: Personality, console: int) -> None:
    gone, there = server.program(), server.program()
    gone.ask("read", console, 100)
    line = there.ask("read", console, 100)
    gone.puppet.end()
    server.node.settle()
    server.node.type("typed\n")
    server.node.settle()
    assert line.take() == (b"typed\n",)


def test_stat_counts_readers_and_refused_calls(server: Personality, console: int) -> None:
    program = server.program()
    program.ask("read", console, 100)
    program.error("other", b"NoSuchCall" if server.name == "win32" else 9999)
    counters = dict(field.split("=") for field in server.stat()[0].split()[1:])
    assert (counters["opened"], counters["refused"], counters["readers"]) == ("1", "1", "1")


# -- hostile clients -------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
@pytest.mark.parametrize("on", ["server", "session"])
def test_malformed_requests_are_refused_and_nothing_kept(server: Personality, on: str) -> None:
    program = server.program()
    port = program.session if on == "session" else server.port_for(program.puppet)
    assert misdeeds(server.node, program.puppet, port, INTERFACES[server.name]) == []


@pytest.mark.parametrize("to", UNDELIVERABLE)
@pytest.mark.parametrize("name", PERSONALITIES)
def test_answers_that_cannot_be_delivered_hold_up_nothing(name: str, to: str) -> None:
    with running(name) as server:
        puppet = server.program().puppet
        ask_for_answers_nobody_can_take(server.node, puppet, server.port_for(puppet), INTERFACES[name], to)


@pytest.mark.parametrize("on", ["server", "session"])
def test_notifications_that_a_client_forges_change_nothing(server: Personality, console: int, on: str) -> None:
    program = server.program()
    with server.node.nothing_kept():
        forged_notifications(program.puppet, program.session if on == "session" else server.port_for(program.puppet))
    assert program.value("write", console, b"still here\n") == 11


@pytest.mark.parametrize("name", PERSONALITIES)
def test_server_survives_random_requests(name: str) -> None:
    with running(name) as server:
        requests = random_requests(INTERFACES[name])

        @settings(derandomize=True, max_examples=30, deadline=None)
        @given(requests)
        def try_request(request: tuple[int, bytes, bool]) -> None:
            ident, body, complex_ = request
            with server.node.nothing_kept():
                program = server.program()
                program.puppet.probe(program.session, ident, body, complex_=complex_)
                program.puppet.end()
            assert server.program().value("write", CONSOLE[name], b"") == 0

        try_request()
