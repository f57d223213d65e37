"""Programs of several systems on one node, at the same time."""

from __future__ import annotations

import itertools

import pytest

from machemu.inspect.views import view_node
from tests.lan.conftest import Boot
from tests.support.lab import COUNTER, GNS, alone, main, personality

PERSONALITIES = ("unix", "dos", "os2", "win32")


def hello(name: str) -> object:
    return main(f"{name}-hello", f"{name}_hello", personality=name)


@pytest.mark.parametrize(("name", "lines"), [
    pytest.param("unix", ["unix: hello, world", "unix: /etc/motd has 27 octets", "unix: a missing file is errno 2",
                          "unix: call 999 is errno 38", "unix: hello from a child", "unix: the child gave 7"],
                 marks=pytest.mark.req("A-S06")),
    pytest.param("dos", ["dos: hello, world", "dos: C:\\ETC\\MOTD has 27 octets", "dos: a missing file is error 2",
                         "dos: function 238 is error 1", "dos: hello from a program that was run",
                         "dos: the program gave 7"], marks=pytest.mark.req("A-S08")),
    pytest.param("os2", ["os2: hello, world", "os2: C:\\etc\\motd has 27 octets", "os2: a missing file is error 110",
                         "os2: ordinal 9999 is error 1", "os2: hello from a child", "os2: the child gave 7"],
                 marks=pytest.mark.req("A-S09")),
    pytest.param("win32", ["win32: hello, world", "win32: C:\\etc\\motd has 27 octets",
                           "win32: a missing file is error 2", "win32: Beep is error 127",
                           "win32: hello from a child", "win32: the child gave 7"], marks=pytest.mark.req("A-S10")),
])
def test_personality_serves_its_calls_and_refuses_others_in_its_own_way(boot: Boot, name: str,
                                                                        lines: list[str]) -> None:
    run = boot(alone(personality(name), hello(name)))
    assert run.go().status == 0
    printed = run.console("alone").splitlines()
    assert printed == lines


@pytest.mark.req("A-S06")
def test_programs_of_unix_and_dos_run_interleaved(boot: Boot) -> None:
    run = boot(alone(personality("unix"), personality("dos"), hello("unix"), hello("dos")))
    assert run.go().status == 0
    text = run.console("alone")
    assert "unix: the child gave 7" in text
    assert "dos: the program gave 7" in text
    tasks = {event["task"]: event["name"] for event in run.of("task_named")}
    senders = [tasks.get(event["task"]) for event in run.of("message_sent")]
    turns = [name for name in senders if name in ("unix-hello", "dos-hello")]
    changes = sum(one != other for one, other in itertools.pairwise(turns))
    assert changes > 1, "they take turns, not one after the other"


@pytest.mark.req("A-M01")
def test_servers_are_tasks_with_spaces_of_their_own(boot: Boot) -> None:
    names = ("acs", "gns", *PERSONALITIES)
    run = boot(alone(GNS, *(personality(name) for name in PERSONALITIES), hello("unix")))
    assert run.go().status == 0
    view = view_node(run.nodes["alone"])
    tasks = {task.name: task for task in view.tasks}
    assert {"bootstrap", "proc", *names} <= tasks.keys()
    kernel = run.nodes["alone"].kernel
    spaces = {kernel.tasks[tasks[name].number].memory.space.root_page for name in ("bootstrap", "proc", *names)}
    assert len(spaces) == len(names) + 2, "no two share their page tables"
    run.nodes["alone"].machine.check()  # asserts user mode


@pytest.mark.req("A-M01")
@pytest.mark.parametrize("deed", ["csr", "sret", "satp", "illegal", "read", "write", "jump", "kernel", "trap", "text"])
def test_what_a_program_must_not_do_ends_that_task_alone(boot: Boot, deed: str) -> None:
    run = boot(alone(COUNTER, main("hostile", "hostile", deed), main("client", "counter_client")))
    outcome = run.go()
    assert outcome.mains["alone/client"].status == 0, "the node went on"
    hostile = outcome.mains["alone/hostile"]
    assert hostile.status is None
    assert "at pc" in hostile.reason
    assert len(run.of("exception_raised")) == 1
