"""proc alone, with a stub of bootstrap that has the files; what proc starts is real."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

from machemu.hw.api import PAGE_SIZE
from machemu.interfaces import proc
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MACH_PORT_DEAD, MACH_PORT_NULL, RECEIVE
from machemu.kernel.results import KernReturn
from machemu.kernel.vm.entry import PROT_EXECUTE, PROT_READ, PROT_WRITE
from tests.servers.hostile import (
    UNDELIVERABLE,
    ask_for_answers_nobody_can_take,
    forged_notifications,
    misdeeds,
    passed_on,
    random_requests,
    sent_by,
)
from tests.servers.stub_servers import StubBoot
from tests.support.images import elf
from tests.support.programs import guest
from tests.support.stubs import Lone, Pending, Puppet, octets64

FROM_MANIFEST, RESTART = 1, 2  # flags of proc_start; and of a record, FROM_MANIFEST
MEASURED: Final = 2  # flag of a record
EXITED, KILLED = 0, 1
RESTARTS_MAX: Final = 5
REMEMBERED: Final = 256  # processes that have ended
RUNNING_MAX: Final = 192  # processes that the manifest does not name
WAITERS_MAX: Final = 64  # of one process
WAITERS_KEPT: Final = 8  # further ones, for who started it
ARGUMENTS_MAX: Final = 2048  # octets
FILE_MAX: Final = 8 << 20
STACK_TOP: Final = 0x40_0000_0000 - PAGE_SIZE
STACK_SIZE: Final = 128 << 10
SEGMENT: Final = 64  # offset of the only segment of an ELF file that `elf` makes
FAULTS: Final = elf(b"\0\0\0\0")  # its first instruction is illegal


class Record(NamedTuple):
    """What proc_who tells."""

    task: int
    pid: int
    flags: int
    name: str
    digest: bytes

    @classmethod
    def of(cls, octets: bytes) -> Record:
        task, pid, flags, name, digest = struct.unpack("<QII64s32s16x", octets)
        return cls(task, pid, flags, name.rstrip(b"\0").decode(), digest)


class Proc:
    """A node with proc, and its port for whoever asks."""

    def __init__(self, node: Lone) -> None:
        self.node = node
        self.files: dict[str, bytes] = {"bin/child": guest("child"), "bin/faults": FAULTS}
        self.boot = StubBoot(node, self.files, host=True, device=True)
        self.port = Port(node.kernel.zone)
        self.task = node.start("proc", slots=[None, self.boot.port, self.port], bootstrap=self.boot.port,
                               receives=[self.port])
        self.client = node.client()
        self.name = self.client.holds(self.port)
        self.starters: dict[int, tuple[Puppet, int]] = {}  # by pid, if it is not the client

    def by_bootstrap(self) -> tuple[Puppet, int]:
        return self.boot.puppet, self.boot.puppet.holds(self.port)

    def call(self, routine: str, *arguments: object) -> tuple[object, ...]:
        return self.client.call(self.name, routine, *arguments)

    def refusal(self, routine: str, *arguments: object) -> int:
        return self.client.refusal(self.name, routine, *arguments)

    def start(self, *arguments: str, path: str = "bin/child", name: str = "child", flags: int = 0) -> tuple[int, int]:
        """Pid and task number of a program that proc has started; flags are bootstrap's to give."""
        caller, port = self.by_bootstrap() if flags else (self.client, self.name)
        pid, task = caller.call(port, "proc_start", path.encode(), octets64(name), block(name, *arguments), flags)
        self.starters[pid] = caller, port
        return pid, task

    def kill(self, pid: int) -> None:
        """By who started it."""
        caller, port = self.starters.get(pid, (self.client, self.name))
        caller.call(port, "proc_kill", pid)

    def ask_start(self, *arguments: str) -> Pending:
        return self.client.ask(self.name, "proc_start", b"bin/child", octets64("child"), block("child", *arguments), 0)

    def who(self, task: int) -> Record:
        """The record of a process, by a port that its task receives from."""
        space = self.node.kernel.tasks[task].space
        port = next(entry.port for entry in space.entries.values() if entry.kind & RECEIVE)
        (octets,) = self.call("proc_who", self.client.holds(port))
        return Record.of(octets)

    def list(self) -> list[dict[str, str]]:
        """The lines of proc_list, newest first."""
        (text,) = self.call("proc_list")
        return [dict(field.split("=", 1) for field in line.split()[1:])
                for line in text.decode().splitlines()]

    def ended(self, pid: int) -> tuple[object, ...]:
        """Status of a process that has ended, and how it did."""
        return self.call("proc_wait", pid)


def block(*arguments: str) -> bytes:
    return b"".join(argument.encode() + b"\0" for argument in arguments)


@contextmanager
def running(*devices: str) -> Iterator[Proc]:
    with Lone(("console", *devices)) as node:
        site = Proc(node)
        site.refusal("proc_start", b"", octets64(""), b"", 0)  # allocates for the first time
        yield site
        while alive := [row["pid"] for row in site.list() if row["state"] == "running"]:
            site.kill(int(alive[0]))


@pytest.fixture
def site() -> Iterator[Proc]:
    with running("crypto0") as site:
        yield site


# -- starting ------------------------------------------------------------------------------------


@pytest.mark.req("A-S01", "A-S14")
def test_program_runs_with_the_arguments_it_was_started_with(site: Proc) -> None:
    pid, task = site.start("arguments", "two words", "", "last", name="talker")
    assert site.node.console == "[talker]\n[arguments]\n[two words]\n[]\n[last]\n"
    assert site.ended(pid) == (0, EXITED)
    assert task not in site.node.kernel.tasks


def test_program_may_have_as_many_octets_of_arguments_as_a_message_takes(site: Proc) -> None:
    head = block("child", "arguments")
    arguments = head + (b"x" * (ARGUMENTS_MAX - len(head) - 1) + b"\0")
    site.call("proc_start", b"bin/child", octets64("child"), arguments, 0)
    assert len(site.node.console) == len("[child]\n[arguments]\n[]\n") + ARGUMENTS_MAX - len(head) - 1


def test_as_many_arguments_as_there_are_octets_fit_on_the_stack(site: Proc) -> None:
    head = block("child", "exit", "5")
    (pid, _) = site.call("proc_start", b"bin/child", octets64("child"), head.ljust(ARGUMENTS_MAX, b"\0"), 0)
    assert site.ended(pid) == (5, EXITED)


def test_task_bears_the_name_it_was_given(site: Proc) -> None:
    _, task = site.start("wait", name="waiter")
    assert site.node.kernel.tasks[task].name == "waiter"


@pytest.mark.parametrize(("flags", "protection"), [
    (4, PROT_READ), (6, PROT_READ | PROT_WRITE), (5, PROT_READ | PROT_EXECUTE), (0, 0)])
def test_segment_is_protected_as_its_flags_say(site: Proc, flags: int, protection: int) -> None:
    data = 0x2_0000
    site.files["bin/two"] = two_segments(data, flags)
    found: list[int] = []
    kernel = site.node.kernel
    kernel.events.task_named.attach(  # before its first instruction
        lambda event: found.append(kernel.tasks[event.task].memory.region(data).protection))
    site.start(path="bin/two")
    assert found == [protection]


@pytest.mark.parametrize("arguments", [b"", b"child", b"child\0exit"], ids=["none", "no end", "no end of the last"])
def test_arguments_that_do_not_end_are_refused(site: Proc, arguments: bytes) -> None:
    with site.node.nothing_kept():
        assert site.refusal("proc_start", b"bin/child", octets64("child"), arguments, 0) == KernReturn.INVALID_VALUE


@pytest.mark.parametrize("path", [b"bin/nothing", b"", b"/bin/child"])
def test_file_that_is_not_in_the_archive_is_refused(site: Proc, path: bytes) -> None:
    with site.node.nothing_kept():
        assert site.refusal("proc_start", path, octets64("child"), block("child"), 0) == KernReturn.INVALID_NAME


def spoilt(offset: int, layout: str, value: int, *, of: bytes = FAULTS) -> bytes:
    """A good program with one field changed."""
    data = bytearray(of)
    struct.pack_into("<" + layout, data, offset, value)
    return bytes(data)


def two_segments(address: int, flags: int) -> bytes:
    """A program with a second segment, which holds no octets of the file."""
    text = b"\0\0\0\0"
    header = spoilt(56, "H", 2, of=FAULTS[:SEGMENT])
    first = spoilt(8, "Q", SEGMENT + 2 * 56, of=FAULTS[SEGMENT:SEGMENT + 56])
    return header + first + struct.pack("<IIQQQQQQ", 1, flags, 0, address, address, 0, PAGE_SIZE, PAGE_SIZE) + text


@pytest.mark.parametrize("file", [
    pytest.param(b"", id="no octets"),
    pytest.param(FAULTS[:63], id="shorter than a header"),
    pytest.param(b"#!/bin/sh\n".ljust(200), id="a script"),
    pytest.param(spoilt(0, "B", 0x7E), id="magic"),
    pytest.param(spoilt(4, "B", 1), id="32 bits"),
    pytest.param(spoilt(5, "B", 2), id="big-endian"),
    pytest.param(spoilt(6, "B", 0), id="version"),
    pytest.param(spoilt(16, "H", 1), id="relocatable"),
    pytest.param(spoilt(16, "H", 3), id="position independent"),
    pytest.param(spoilt(18, "H", 62), id="another machine"),
    pytest.param(spoilt(24, "Q", 0x5_0000), id="entry in no segment"),
    pytest.param(spoilt(24, "Q", 0x1_0000 + 4), id="entry at the end of its segment"),
    pytest.param(spoilt(SEGMENT + 4, "I", 6), id="entry in a segment that cannot be executed"),
    pytest.param(spoilt(32, "Q", len(FAULTS)), id="segment table behind the end"),
    pytest.param(spoilt(32, "Q", 68), id="segment table not aligned"),
    pytest.param(spoilt(32, "Q", 2**64 - 8), id="segment table wraps around"),
    pytest.param(spoilt(54, "H", 55), id="size of a segment's row"),
    pytest.param(spoilt(56, "H", 0), id="no segments"),
    pytest.param(spoilt(56, "H", 2), id="segment table longer than the file"),
    pytest.param(spoilt(56, "H", 0xFFFF), id="too many segments"),
    pytest.param(spoilt(SEGMENT, "I", 2), id="nothing to load"),
    pytest.param(spoilt(SEGMENT + 8, "Q", len(FAULTS) + 1), id="segment behind the end"),
    pytest.param(spoilt(SEGMENT + 8, "Q", 2**64 - 2), id="segment's offset wraps around"),
    pytest.param(spoilt(SEGMENT + 16, "Q", 0), id="segment at address 0"),
    pytest.param(spoilt(SEGMENT + 16, "Q", PAGE_SIZE - 4), id="segment in the first page"),
    pytest.param(spoilt(SEGMENT + 16, "Q", STACK_TOP - STACK_SIZE), id="segment on the stack"),
    pytest.param(spoilt(SEGMENT + 16, "Q", STACK_TOP), id="segment above the stack"),
    pytest.param(spoilt(SEGMENT + 16, "Q", 2**64 - PAGE_SIZE), id="segment at the end of all addresses"),
    pytest.param(spoilt(SEGMENT + 32, "Q", 5), id="more octets in the file than in memory"),
    pytest.param(spoilt(SEGMENT + 32, "Q", 2**63), id="more octets than the file has"),
    pytest.param(spoilt(SEGMENT + 40, "Q", 2**64 - 1), id="segment wraps around"),
    pytest.param(spoilt(SEGMENT + 40, "Q", STACK_TOP - STACK_SIZE), id="segment reaches the stack"),
    pytest.param(two_segments(0x1_0000, 6), id="segments overlap"),
    pytest.param(bytes(FILE_MAX + 1), id="too large"),
])
def test_file_that_is_no_program_is_refused_and_nothing_kept(site: Proc, file: bytes) -> None:
    site.files["bin/bad"] = file
    tasks = set(site.node.kernel.tasks)
    with site.node.nothing_kept():
        assert site.refusal("proc_start", b"bin/bad", octets64("bad"), block("bad"), 0) == KernReturn.INVALID_VALUE
    assert set(site.node.kernel.tasks) == tasks
    assert site.list() == []


@pytest.mark.parametrize("size", [STACK_TOP - STACK_SIZE - 0x1_0000, 1 << 30])
def test_program_that_needs_more_memory_than_it_uses_can_start(site: Proc, size: int) -> None:
    site.files["bin/big"] = spoilt(SEGMENT + 40, "Q", size)
    pid, _ = site.start(path="bin/big")
    assert site.ended(pid) == (-1, KILLED)


@pytest.mark.parametrize("flags", [FROM_MANIFEST, RESTART, FROM_MANIFEST | RESTART, -1])
def test_flags_are_bootstraps_to_give(site: Proc, flags: int) -> None:
    with site.node.nothing_kept():
        assert site.refusal("proc_start", b"bin/child", octets64("child"), block("child"), flags) == (
            KernReturn.NO_ACCESS)


def test_asker_that_has_gone_leaves_a_process_and_no_names(site: Proc) -> None:
    site.start("exit")
    with site.node.nothing_kept():
        site.ask_start("exit", "3").abandon()
    assert site.list()[0]["status"] == "3"


# -- the end ----------------------------------------------------------------------------------------


@pytest.mark.req("A-S14")
@pytest.mark.parametrize(("deed", "end"), [
    (["exit", "0"], (0, EXITED)), (["exit", "7"], (7, EXITED)), (["exit", "-1"], (-1, EXITED)),
    (["fault"], (-1, KILLED))])
def test_wait_tells_how_a_process_ended_as_often_as_it_is_asked(site: Proc, deed: list[str],
                                                                end: tuple[int, int]) -> None:
    pid, _ = site.start(*deed)
    assert [site.ended(pid) for _ in range(3)] == [end] * 3


@pytest.mark.req("A-S14")
def test_all_who_wait_are_told_when_a_process_is_killed(site: Proc) -> None:
    pid, task = site.start("wait")
    others = [site.node.client() for _ in range(3)]
    waits = [other.ask(other.holds(site.port), "proc_wait", pid) for other in others]
    site.node.settle()
    assert not any(wait.answered for wait in waits)
    site.kill(pid)
    assert [wait.take() for wait in waits] == [(-1, KILLED)] * 3
    assert task not in site.node.kernel.tasks


def test_process_that_is_not_there_can_be_neither_waited_for_nor_killed(site: Proc) -> None:
    last, _ = site.start("wait")
    for pid in (0, last + 1, -1):
        assert site.refusal("proc_wait", pid) == KernReturn.INVALID_ARGUMENT
        assert site.refusal("proc_kill", pid) == KernReturn.INVALID_ARGUMENT


def test_process_that_has_ended_cannot_be_killed(site: Proc) -> None:
    pid, _ = site.start("exit")
    assert site.refusal("proc_kill", pid) == KernReturn.INVALID_ARGUMENT


def test_process_that_has_ended_leaves_no_names(site: Proc) -> None:
    site.start("exit")
    with site.node.nothing_kept():
        for deed in ("exit", "fault", "arguments"):
            pid, _ = site.start(deed)
            site.ended(pid)


def test_waiter_that_has_gone_leaves_nothing(site: Proc) -> None:
    pid, _ = site.start("wait")
    before = site.node.census().names
    waits = [site.client.ask(site.name, "proc_wait", pid) for _ in range(3)]
    site.node.settle()
    for wait in waits:
        wait.abandon()
    site.kill(pid)
    assert not site.node.census().names - before


def test_status_is_only_taken_from_the_process_itself(site: Proc) -> None:
    pid, _ = site.start("wait")
    site.client.tell(site.name, "proc_exit", 0)
    site.kill(pid)
    assert site.ended(pid) == (-1, KILLED)


def test_tasks_of_other_nodes_tell_no_status(site: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their messages come from the GNS, which has not ended with them."""
    pid, task = site.start("wait", name="gns")
    passed_on(monkeypatch, by=task)
    site.client.tell(site.name, "proc_exit", 0)
    monkeypatch.undo()
    site.kill(pid)
    assert site.ended(pid) == (-1, KILLED)


@pytest.mark.parametrize("flags", [0, FROM_MANIFEST])
def test_process_of_somebody_else_cannot_be_killed(site: Proc, flags: int) -> None:
    pid, _ = site.start("wait", flags=flags)
    other = site.node.client()
    others = [other, *([site.client] if flags else [site.boot.puppet])]
    assert [each.refusal(each.holds(site.port), "proc_kill", pid) for each in others] == [KernReturn.NO_ACCESS] * 2
    assert site.list()[0]["state"] == "running"
    site.kill(pid)
    assert site.ended(pid) == (-1, KILLED)


def test_process_may_have_itself_killed(site: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    pid, task = site.start("wait")
    sent_by(monkeypatch, task)
    other = site.node.client()
    other.call(other.holds(site.port), "proc_kill", pid)
    monkeypatch.undo()
    assert site.ended(pid) == (-1, KILLED)


def test_tasks_of_other_nodes_kill_only_what_their_node_had_started(site: Proc,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    here, _ = site.start("wait")
    manifests, _ = site.start("wait", flags=FROM_MANIFEST)
    gns = site.client  # which has started a process itself

    def by(node: int, epoch: int, pid: int) -> int:
        monkeypatch.undo()
        passed_on(monkeypatch, node, epoch)
        return gns.refusal(site.name, "proc_kill", pid)

    passed_on(monkeypatch, 2, 7)
    far, _ = site.start("wait")
    for pid in (here, manifests):
        assert by(2, 7, pid) == KernReturn.NO_ACCESS
    for node, epoch in ((3, 7), (2, 8)):
        assert by(node, epoch, far) == KernReturn.NO_ACCESS, "another node, and that node after it has booted again"
    monkeypatch.undo()
    assert site.refusal("proc_kill", far) == KernReturn.NO_ACCESS, "the network server is not who asked"
    passed_on(monkeypatch, 2, 7)
    site.kill(far)
    monkeypatch.undo()
    assert [row["state"] for row in site.list()] == ["killed", "running", "running"]


def test_so_many_processes_that_have_ended_are_remembered(site: Proc) -> None:
    pids = [site.start(path="bin/faults")[0] for _ in range(REMEMBERED)]
    assert site.ended(pids[0]) == (-1, KILLED)
    site.start(path="bin/faults")
    assert site.refusal("proc_wait", pids[0]) == KernReturn.INVALID_ARGUMENT
    assert site.ended(pids[1]) == (-1, KILLED)


def test_notification_of_a_task_that_is_no_process_leaves_no_reference(site: Proc) -> None:
    """As of one that died while it was loaded: proc has forgotten it."""
    site.start("wait")
    space = site.task.space
    notified = next(entry.port for entry in space.entries.values()  # it waits for the death of that one
                    if entry.kind & RECEIVE and entry.port is not None and entry.port.send_once_rights == 1)
    client = site.node.client()
    port = client.port()
    name = site.node.kernel.give_send(site.task, client.object(port))
    notified.send_once_rights += 1
    space.request_dead_name(space.lookup(name), notified)
    client.close(port)
    site.node.settle()
    assert space.lookup(name).urefs == 1, "the one it had"
    space.deallocate(name)


# -- limits -----------------------------------------------------------------------------------------------


def test_so_many_programs_can_run_and_those_of_the_manifest_besides(site: Proc) -> None:
    pids = [site.start("wait")[0] for _ in range(RUNNING_MAX)]
    with site.node.nothing_kept():
        assert site.refusal("proc_start", b"bin/child", octets64("child"), block("child", "wait"), 0) == (
            KernReturn.RESOURCE_SHORTAGE)
    site.start("wait", flags=FROM_MANIFEST)
    site.kill(pids[0])
    site.start("wait")


def test_so_many_can_wait_for_a_process_and_some_places_are_its_starters(site: Proc) -> None:
    pid, _ = site.start("wait")
    other = site.node.client()
    port = other.holds(site.port)
    waits = []
    for _ in range(WAITERS_MAX):
        waits.append(other.ask(port, "proc_wait", pid))
        site.node.settle()
    with site.node.nothing_kept():
        assert other.refusal(port, "proc_wait", pid) == KernReturn.RESOURCE_SHORTAGE
    for _ in range(WAITERS_KEPT):
        waits.append(site.client.ask(site.name, "proc_wait", pid))
        site.node.settle()
    assert site.refusal("proc_wait", pid) == KernReturn.RESOURCE_SHORTAGE
    site.kill(pid)
    assert [wait.take() for wait in waits] == [(-1, KILLED)] * (WAITERS_MAX + WAITERS_KEPT)


def test_waiters_that_have_gone_take_no_place(site: Proc) -> None:
    pid, _ = site.start("wait")
    for _ in range(WAITERS_MAX):
        wait = site.client.ask(site.name, "proc_wait", pid)
        site.node.settle()
        wait.abandon()
    other = site.node.client()
    waits = [other.ask(other.holds(site.port), "proc_wait", pid)]
    site.node.settle()
    assert not waits[0].answered
    site.kill(pid)
    assert waits[0].take() == (-1, KILLED)


# -- what is told ---------------------------------------------------------------------------------------


@pytest.mark.req("A-S14")
def test_list_has_a_line_for_each_process(site: Proc) -> None:
    pid, task = site.start("wait", name="first")
    site.start("exit", "3", name="second")
    site.start("fault", name="third")
    rows = [(int(row["pid"]) - pid, row["name"], row["state"], row["status"]) for row in site.list()]
    assert rows == [(2, "third", "killed", "-1"), (1, "second", "exited", "3"), (0, "first", "running", "0")]
    assert site.list()[-1]["task"] == str(task)


@pytest.mark.parametrize("routine", ["proc_list", "proc_stat"])
def test_name_cannot_look_like_other_fields_or_rows(site: Proc, routine: str) -> None:
    pid, task = site.start("wait", name="a state=exited\nprocess pid=1 name=%b")
    (text,) = site.call(routine)
    assert text.decode().splitlines()[-1] == (
        f"process pid={pid} task={task} name=a%20state=exited%0Aprocess%20pid=1%20name=%25b state=running status=0"
        " restarts=0")


def test_stat_counts_starts_and_refusals(site: Proc) -> None:
    site.start("exit")
    site.refusal("proc_start", b"bin/nothing", octets64("child"), block("child"), 0)
    (text,) = site.call("proc_stat")
    assert text.decode().splitlines()[0] == "counter started=1 refused=2"


@pytest.mark.req("A-S14")
def test_owner_of_a_port_is_told_with_the_digest_of_its_file(site: Proc) -> None:
    pid, task = site.start("wait", name="waiter")
    digest = hashlib.sha256(site.files["bin/child"]).digest()
    assert site.who(task) == Record(task, pid, MEASURED, "waiter", digest)


@pytest.mark.parametrize("size", [4095, 4096, 4097, 8192, 3 * 4096 + 1])
def test_digest_is_right_for_files_of_any_length(site: Proc, size: int) -> None:
    file = site.files["bin/child"]
    site.files["bin/child"] = file + bytes(size)
    _, task = site.start("wait")
    assert site.who(task).digest == hashlib.sha256(site.files["bin/child"]).digest()


def test_bootstraps_flag_is_told_of_the_processes_it_starts(site: Proc) -> None:
    _, task = site.start("wait", flags=FROM_MANIFEST)
    assert site.who(task).flags == FROM_MANIFEST | MEASURED


@pytest.mark.parametrize("whose", ["nobody's", "dead", "kernel's", "stranger's", "proc's", "ended"])
def test_owner_that_is_no_process_is_not_told(site: Proc, whose: str) -> None:
    client, kernel = site.client, site.node.kernel
    pid, task = site.start("wait")
    childs = next(entry.port for entry in kernel.tasks[task].space.entries.values() if entry.kind & RECEIVE)
    port = {"nobody's": lambda: MACH_PORT_NULL, "dead": lambda: MACH_PORT_DEAD,
            "kernel's": lambda: client.holds(kernel.host.port), "stranger's": client.service,
            "proc's": lambda: client.holds(site.port), "ended": lambda: client.holds(childs)}[whose]()
    if whose == "ended":
        site.kill(pid)
    with site.node.nothing_kept():
        assert client.refusal(site.name, "proc_who", port) in (KernReturn.INVALID_ARGUMENT,
                                                               KernReturn.INVALID_CAPABILITY)


def test_without_an_engine_programs_run_unmeasured() -> None:
    with running() as site:
        assert site.node.console.startswith("proc: no crypto engine (")
        _, task = site.start("wait")
        assert (site.who(task).flags, site.who(task).digest) == (0, bytes(32))


# -- starting again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["exit", "fault"])
def test_process_flagged_so_is_started_again_up_to_a_limit(site: Proc, end: str) -> None:
    pid, first = site.start(end, name="server", flags=RESTART)
    assert [restarted for restarted, _ in site.boot.restarted] == [pid] * RESTARTS_MAX
    tasks = [first, *(task for _, task in site.boot.restarted)]
    assert len(set(tasks)) == RESTARTS_MAX + 1, "each time in another task"
    said = [line for line in site.node.console.splitlines() if line.startswith("proc: ")]
    assert said == [f"proc: server is started again ({count} of {RESTARTS_MAX})"
                    for count in range(1, RESTARTS_MAX + 1)]
    assert site.ended(pid) == ((0, EXITED) if end == "exit" else (-1, KILLED))


def test_process_that_is_started_again_keeps_its_pid_and_has_a_new_owner_number(site: Proc) -> None:
    pid, first = site.start("wait", name="server", flags=FROM_MANIFEST | RESTART)
    wait = site.client.ask(site.name, "proc_wait", pid)
    site.kill(pid)
    assert wait.take() == (-1, KILLED), "each end is told"
    ((_, second),) = site.boot.restarted
    assert second != first
    assert site.who(second)[:4] == (second, pid, FROM_MANIFEST | MEASURED, "server")
    assert site.list()[0]["restarts"] == "1"


def test_start_again_that_fails_is_said_and_is_the_end(site: Proc) -> None:
    pid, _ = site.start("wait", name="server", flags=RESTART)
    site.files["bin/child"] = b"nonsense"
    site.kill(pid)
    assert "proc: server cannot be started again" in site.node.console
    assert site.ended(pid) == (-1, KILLED)
    assert site.boot.restarted == []


def test_process_without_the_flag_is_not_started_again(site: Proc) -> None:
    site.start("exit", flags=FROM_MANIFEST)
    assert site.boot.restarted == []


# -- start of proc, and hostile clients ----------------------------------------------------------------------


def test_proc_without_privileged_ports_says_so_and_ends() -> None:
    with Lone() as node:
        boot, port = StubBoot(node), Port(node.kernel.zone)
        task = node.start("proc", slots=[None, boot.port, port], bootstrap=boot.port, receives=[port])
        assert node.console == "proc: bootstrap gives no privileged ports\n"
        assert task.status == 1


@pytest.mark.req("A-S01")
def test_malformed_requests_are_refused_and_nothing_kept(site: Proc) -> None:
    assert misdeeds(site.node, site.client, site.name, proc.SUBSYSTEM) == []


@pytest.mark.parametrize("to", UNDELIVERABLE)
def test_answers_that_cannot_be_delivered_hold_up_nothing(to: str) -> None:
    with running() as site:
        ask_for_answers_nobody_can_take(site.node, site.client, site.name, proc.SUBSYSTEM, to)


def test_notifications_that_a_client_forges_change_nothing(site: Proc) -> None:
    _, task = site.start("wait")
    with site.node.nothing_kept():
        forged_notifications(site.client, site.name)
    assert site.who(task).task == task


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_requests(proc.SUBSYSTEM))
def test_proc_survives_random_requests(site: Proc, request_: tuple[int, bytes, bool]) -> None:
    client = site.node.client()
    ident, body, complex_ = request_
    with site.node.nothing_kept():
        client.probe(client.holds(site.port), ident, body, complex_=complex_)
        client.end()
    assert site.call("proc_list")


