"""bootstrap alone: a disk with an archive, a stub of proc, and puppets as what it starts."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from machemu.image.archive import write_archive
from machemu.interfaces import boot_files, bootstrap
from machemu.interfaces.runtime import encode_request
from machemu.kernel.ipc.body import INLINE
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_RECEIVE, RECEIVE
from machemu.kernel.results import DeviceReturn, KernReturn
from machemu.kernel.rpc.call import PendingReply
from tests.servers.hostile import (
    UNDELIVERABLE,
    ask_for_answers_nobody_can_take,
    forged_notifications,
    misdeeds,
    passed_on,
    random_requests,
)
from tests.servers.stub_servers import Started, StubProc
from tests.support.stubs import ROUTINES, Lone, Puppet, octets64

SECTOR: Final = 512  # octets
FROM_MANIFEST, RESTART = 1, 2  # flags of proc_start
KILLED: Final = 1
READ_AT_ONCE: Final = 256 << 10  # octets
LONG_PATH: Final = "d" * 60 + "/" + "n" * 80  # more than a header's name field takes
FILES: Final = {
    "etc/motd": b"Welcome\n",
    "etc/empty": b"",
    "etc/record": bytes(range(256)) * 2,
    LONG_PATH: b"far down",
    "big": bytes(number % 251 for number in range(READ_AT_ONCE + 1000)),
}
HEAD: Final = "machemu-manifest 1\nnode 7 seven\nsite none 0 0 0 1 8\n"
GAVE_UP: Final = "bootstrap: the node cannot boot and is halted"
NOBODY: Final = ""


def entry(name: str, flags: str = "-", *arguments: str, personality: str = "-") -> str:
    return " ".join(["entry", name, f"bin/{name}", flags, personality, *arguments]) + "\n"


def archive(manifest: str | None, files: Mapping[str, bytes] = FILES) -> bytes:
    """The octets of partition 1."""
    octets = write_archive({**({} if manifest is None else {"boot.manifest": manifest.encode()}), **files})
    return octets.ljust(-(-len(octets) // SECTOR) * SECTOR, b"\0")


class Boot:
    """A node that boots; what it starts are puppets, by the names of their entries."""

    def __init__(self, node: Lone, partition: bytes, refuses: int = 0) -> None:
        self.node = node
        self.entries: dict[str, Puppet] = {}
        self.proc = StubProc(node, self._started)
        self.proc.refuses = refuses
        self.port, self.acs_port = Port(node.kernel.zone), Port(node.kernel.zone)
        if partition:
            node.kernel.devices.add_partition("hd0s1", "hd0", 0, len(partition) // SECTOR)
        # What it holds changes with what it has started, so it is not compared at the end.
        node.start("bootstrap", slots=[self.acs_port, self.port, self.proc.port], ready=False,
                   bootstrap=node.kernel.bootstrap.port, receives=[self.acs_port, self.port])
        node.settle()

    def _started(self, started: Started) -> int:
        self.entries[started.name] = self.node.stub()
        return self.entries[started.name].task.number

    @property
    def order(self) -> list[str]:
        """The entries that have been started."""
        return [started.name for started in self.proc.started]

    def pid(self, name: str) -> int:
        return next(started.pid for started in self.proc.started if started.name == name)

    def caller(self, name: str) -> Puppet:
        """An entry's task, or a client that is none."""
        return self.entries[name] if name else self.node.client()

    def call(self, name: str, routine: str, *arguments: object) -> tuple[object, ...]:
        """A call by an entry."""
        caller = self.caller(name)
        return caller.call(caller.holds(self.port), routine, *arguments)

    def refusal(self, name: str, routine: str, *arguments: object) -> int:
        caller = self.caller(name)
        return caller.refusal(caller.holds(self.port), routine, *arguments)

    def ready(self, name: str) -> None:
        caller = self.caller(name)
        caller.tell(caller.holds(self.port), "boot_ready")

    def restarted(self, name: str, *, by: Puppet | None = None) -> Puppet:
        """proc tells that the entry runs again; its new task."""
        again, teller = self.node.stub(), by or self.proc.puppet
        teller.tell(teller.holds(self.port), "boot_restarted", self.pid(name), again.task.number)
        return again

    def privileged(self, name: str) -> tuple[bool, bool]:
        """Whether an entry gets the host port and the device master port, and no others."""
        caller = self.caller(name)
        given = caller.call(caller.holds(self.port), "bootstrap_privileged_ports")
        kernel = self.node.kernel
        found = [caller.object(name) if name else None for name in given]
        assert found[0] in (None, kernel.host_privileged.port)
        assert found[1] in (None, kernel.device_master.port)
        return found[0] is not None, found[1] is not None


@contextmanager
def booted(partition: bytes, refuses: int = 0) -> Iterator[Boot]:
    """A node with this disk; `refuses`: the result of proc's starts."""
    with Lone(["console", "hd0"], disk=partition) as node:
        yield Boot(node, partition, refuses)


Booted = Callable[..., Boot]


@pytest.fixture
def boot() -> Iterator[Booted]:
    """`boot(*entries)`: a node whose manifest has these."""
    managers = []

    def run(*entries: str) -> Boot:
        managers.append(booted(archive(HEAD + "".join(entries))))
        return managers[-1].__enter__()

    yield run
    for manager in managers:
        manager.__exit__(None, None, None)


# -- the order of boot --------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_entries_are_started_in_their_order(boot: Booted) -> None:
    node = boot(entry("one"), entry("two", "main"), entry("three", "main,restart"))
    assert node.proc.started == [
        Started(1, "bin/one", "one", ["one"], FROM_MANIFEST), Started(2, "bin/two", "two", ["two"], FROM_MANIFEST),
        Started(3, "bin/three", "three", ["three"], FROM_MANIFEST | RESTART)]
    assert node.node.console == ""


def test_arguments_follow_the_name_and_are_taken_out_of_their_escapes(boot: Booted) -> None:
    node = boot(entry("job", "-", "two%20words", "100%25", "", "%C3%A9", personality="unix"))
    assert node.proc.started[0].arguments == ["job", "two words", "100%", "", "é"]


def test_entry_marked_ready_holds_up_the_next_until_it_is(boot: Booted) -> None:
    node = boot(entry("acs", "ready"), entry("gns", "ready"), entry("job"))
    assert node.order == ["acs"]
    node.ready("acs")
    assert node.order == ["acs", "gns"]
    node.ready("gns")
    assert node.order == ["acs", "gns", "job"]


def test_nobody_else_can_say_that_an_entry_is_ready(boot: Booted) -> None:
    node = boot(entry("one"), entry("acs", "ready"), entry("job"))
    node.ready("one")
    node.ready(NOBODY)
    assert node.order == ["one", "acs"]


def test_entry_that_says_so_twice_starts_nothing_twice(boot: Booted) -> None:
    node = boot(entry("acs", "ready"), entry("gns", "ready"), entry("job"))
    node.ready("acs")
    node.ready("acs")
    assert node.order == ["acs", "gns"]


def test_entry_that_is_started_again_before_it_was_ready_can_be_ready(boot: Booted) -> None:
    node = boot(entry("acs", "ready,restart"), entry("job"))
    node.proc.ends(node.pid("acs"), 1)
    again = node.restarted("acs")
    again.tell(again.holds(node.port), "boot_ready")
    assert node.order == ["acs", "job"]


@pytest.mark.parametrize(("status", "how", "text"), [(3, 0, "status 3"), (-1, KILLED, "killed -1")])
def test_entry_that_ends_before_it_is_ready_halts_the_node(status: int, how: int, text: str) -> None:
    with booted(archive(HEAD + entry("acs", "ready") + entry("job"))) as node:
        node.proc.ends(node.pid("acs"), status, how)
        assert node.node.console.splitlines() == [f"bootstrap: acs ended before it was ready ({text})", GAVE_UP]
        assert node.node.halted
        assert node.order == ["acs"]


@pytest.mark.parametrize(("flags", "status", "how", "line"), [
    pytest.param("-", 0, 0, "", id="well"),
    pytest.param("-", 2, 0, "bootstrap: job ended (status 2)\n", id="with a status"),
    pytest.param("main", 2, 0, "", id="a main with a status, which the run tells"),
    pytest.param("main", -1, KILLED, "bootstrap: job ended (killed -1)\n", id="a main that was killed"),
    pytest.param("restart", 2, 0, "", id="one that is started again"),
])
def test_end_of_an_entry_is_told_where_it_is_news(boot: Booted, flags: str, status: int, how: int, line: str) -> None:
    node = boot(entry("job", flags))
    node.proc.ends(node.pid("job"), status, how)
    assert node.node.console == line
    assert not node.node.halted


def test_entry_that_proc_cannot_start_halts_the_node() -> None:
    with booted(archive(HEAD + entry("job")), KernReturn.INVALID_VALUE) as node:
        assert node.node.console.splitlines() == ["bootstrap: job: bin/job cannot be started (12)", GAVE_UP]
        assert node.node.halted


# -- a proc that is flooded ---------------------------------------------------------------------------


def flood(node: Boot) -> None:
    """Somebody fills proc's queue, which nobody reads."""
    client = node.node.client()
    port = client.holds(node.proc.port)
    encoded = encode_request(ROUTINES["proc_exit"], (0,))
    while client.send(client.message(encoded, port, ident=ROUTINES["proc_exit"].id)) == 0:
        pass
    assert node.proc.port.full


def test_proc_that_has_no_room_is_not_waited_for(boot: Booted) -> None:
    node = boot(entry("acs", "ready"), entry("job", "restart", "argument"), entry("last"))
    node.proc.stops()
    flood(node)
    node.ready("acs")
    assert node.call(NOBODY, "boot_size", b"etc/motd") == (8,), "which proc may be asking, too"
    node.proc.goes_on()
    node.node.settle()
    assert node.proc.started[1:] == [
        Started(2, "bin/job", "job", ["job", "argument"], FROM_MANIFEST | RESTART),
        Started(3, "bin/last", "last", ["last"], FROM_MANIFEST)]


def test_proc_is_asked_later_for_all_that_it_had_no_room_for(boot: Booted) -> None:
    node = boot(entry("acs", "ready"), entry("job"), entry("last"))
    node.proc.stops()
    flood(node)
    node.ready("acs")
    for _ in range(4):  # flooded again before bootstrap runs: what it asks next finds no room either
        node.proc.goes_on()
        node.proc.puppet.answer_all()
        node.proc.stops()
        flood(node)
        node.node.settle()
        assert node.call(NOBODY, "boot_size", b"etc/motd") == (8,)
    assert node.order == ["acs", "job", "last"]
    node.proc.goes_on()
    node.node.settle()
    node.proc.ends(node.pid("job"), 2)
    node.proc.ends(node.pid("last"), 3)
    assert node.node.console.splitlines() == ["bootstrap: job ended (status 2)", "bootstrap: last ended (status 3)"]


def test_acceptance_that_a_client_forges_is_not_believed(boot: Booted) -> None:
    node = boot(entry("acs", "ready"), entry("job"), entry("last"))
    client = node.node.client()
    node.proc.stops()
    flood(node)
    node.ready("acs")
    body = struct.pack("<QQ", 1 << 32 | INLINE | 32 << 8 | 15, 0)
    code = client.probe(client.holds(node.port), ROUTINES["mach_notify_msg_accepted"].id, body)
    assert code == KernReturn.NO_ACCESS
    node.proc.goes_on()
    node.node.settle()
    assert node.order == ["acs", "job", "last"]


def test_entry_with_more_arguments_than_proc_takes_halts_the_node() -> None:
    with booted(archive(HEAD + entry("job", "-", "x" * 2045))) as node:
        assert node.node.console.splitlines() == ["bootstrap: job: proc does not answer (fffffecd)", GAVE_UP]
        assert node.node.halted


# -- boot files ------------------------------------------------------------------------------------


def test_list_has_a_line_for_each_file_in_the_order_of_the_archive(boot: Booted) -> None:
    (text,) = boot().call(NOBODY, "boot_list")
    sizes = {"boot.manifest": len(HEAD), **{path: len(data) for path, data in FILES.items()}}
    assert text.decode() == "".join(f"{size} {path}\n" for path, size in sizes.items())


def test_file_of_any_size_is_read_whole(boot: Booted) -> None:
    node = boot()
    for path, data in FILES.items():
        assert node.call(NOBODY, "boot_size", path.encode()) == (len(data),)
        assert node.call(NOBODY, "boot_read", path.encode(), 0, len(data))[0] == data


@pytest.mark.parametrize(("offset", "size"), [
    (0, 0), (0, 1), (511, 2), (512, 512), (1, READ_AT_ONCE), (511, READ_AT_ONCE + 1), (READ_AT_ONCE, 5),
    (READ_AT_ONCE + 990, 100), (READ_AT_ONCE + 1000, 1), (2**40, 1), (2**63 - 1, 2**31 - 1), (0, 2**31 - 1)])
def test_part_of_a_file_is_read_from_any_offset(boot: Booted, offset: int, size: int) -> None:
    assert boot().call(NOBODY, "boot_read", b"big", offset, size)[0] == FILES["big"][offset:offset + size]


def test_reading_keeps_nothing(boot: Booted) -> None:
    node = boot()
    client = node.node.client()
    port = client.holds(node.port)
    client.call(port, "boot_list")
    with node.node.nothing_kept():
        for _ in range(3):
            client.call(port, "boot_list")
            client.call(port, "boot_stat")
            client.call(port, "boot_read", b"big", 100, 5000)
            client.ask(port, "boot_read", b"big", 100, 5000).abandon()


@pytest.mark.parametrize(("path", "offset", "size", "code"), [
    (b"etc/nothing", 0, 1, KernReturn.INVALID_NAME), (b"", 0, 1, KernReturn.INVALID_NAME),
    (b"/etc/motd", 0, 1, KernReturn.INVALID_NAME), (b"etc", 0, 1, KernReturn.INVALID_NAME),
    (b"etc/motd", -1, 1, KernReturn.INVALID_VALUE), (b"etc/motd", 0, -1, KernReturn.INVALID_VALUE)])
def test_reading_what_is_not_there_is_refused(boot: Booted, path: bytes, offset: int, size: int, code: int) -> None:
    assert boot().refusal(NOBODY, "boot_read", path, offset, size) == code


def test_file_the_disk_cannot_read_is_an_error_and_keeps_nothing(boot: Booted) -> None:
    node = boot()
    client = node.node.client()
    disk = node.node.machine.devices["hd0"].disk
    client.call(client.holds(node.port), "boot_read", b"big", 0, 1)
    disk.unreadable.add(len(archive(HEAD)) // SECTOR - 22)  # near the end of the last file
    with node.node.nothing_kept():
        assert client.refusal(client.holds(node.port), "boot_read", b"big", 0, len(FILES["big"])) != 0


def disk_gives(monkeypatch: pytest.MonkeyPatch, octets: int) -> None:
    """From now on a read gives so many octets at most, which no disk of ours does."""
    reply = PendingReply.reply
    monkeypatch.setattr(PendingReply, "reply", lambda self, code, *outs: reply(
        self, code, *(out[:octets] if isinstance(out, bytes) else out for out in outs)))


@pytest.mark.parametrize("given", [0, SECTOR, 8 * SECTOR])
def test_disk_that_gives_less_than_was_asked_is_an_error_and_keeps_nothing(boot: Booted, given: int,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    node = boot()
    client = node.node.client()
    port = client.holds(node.port)
    client.call(port, "boot_read", b"big", 0, 1)
    disk_gives(monkeypatch, given)
    with node.node.nothing_kept():
        assert client.refusal(port, "boot_read", b"big", 0, 10 * SECTOR) == DeviceReturn.IO_ERROR


@pytest.mark.parametrize("given", [0, SECTOR - 8])
def test_archive_of_a_disk_that_gives_less_cannot_be_read(given: int, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_gives(monkeypatch, given)
    with booted(archive(HEAD)) as node:
        assert node.node.console.splitlines() == ["bootstrap: the boot archive cannot be read (9c4)", GAVE_UP]
        assert node.node.halted


def test_stat_tells_of_files_and_entries(boot: Booted) -> None:
    node = boot(entry("acs", "ready"), entry("job"))
    (text,) = node.call(NOBODY, "boot_stat")
    task = node.entries["acs"].task.number
    assert text.decode().splitlines() == [
        f"archive files={len(FILES) + 1}",
        f"entry name=acs pid=1 task={task} started=1 ready=0 ended=0",
        "entry name=job pid=0 task=0 started=0 ready=0 ended=0"]


# -- privileged ports ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "given"), [
    ("host", (True, False)), ("device", (False, True)), ("host,device", (True, True))])
def test_entry_gets_the_privileged_ports_its_flags_name(boot: Booted, flags: str, given: tuple[bool, bool]) -> None:
    assert boot(entry("gns", flags)).privileged("gns") == given


def test_proc_gets_both_privileged_ports(boot: Booted) -> None:
    node = boot()
    node.entries["proc"] = node.proc.puppet
    assert node.privileged("proc") == (True, True)


@pytest.mark.parametrize("name", ["job", NOBODY], ids=["entry", "stranger"])
def test_nobody_else_gets_a_privileged_port(boot: Booted, name: str) -> None:
    node = boot(entry("gns", "host,device"), entry("job", "main"))
    assert node.refusal(name, "bootstrap_privileged_ports") == KernReturn.NO_ACCESS


def test_entry_that_was_started_again_is_entitled_and_its_old_task_no_longer(boot: Booted) -> None:
    node = boot(entry("gns", "host,restart"))
    old = node.entries["gns"]
    node.entries["gns"] = node.restarted("gns")
    assert node.privileged("gns") == (True, False)
    assert old.refusal(old.holds(node.port), "bootstrap_privileged_ports") == KernReturn.NO_ACCESS


def test_nobody_but_proc_can_say_that_an_entry_was_started_again(boot: Booted) -> None:
    node = boot(entry("gns", "host"), entry("job"))
    again = node.restarted("gns", by=node.entries["job"])
    assert again.refusal(again.holds(node.port), "bootstrap_privileged_ports") == KernReturn.NO_ACCESS
    assert node.privileged("gns") == (True, False)


def test_tasks_of_other_nodes_are_not_taken_for_the_network_server(boot: Booted,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Their messages come from the GNS, whose privileges are not theirs."""
    node = boot(entry("gns", "host,device,ready"), entry("job"))
    passed_on(monkeypatch)
    assert node.refusal("gns", "bootstrap_privileged_ports") == KernReturn.NO_ACCESS
    node.ready("gns")
    assert node.order == ["gns"]
    monkeypatch.undo()
    assert node.privileged("gns") == (True, True)


# -- the ACS's port -------------------------------------------------------------------------------------


def test_acs_gets_the_receive_right_of_the_well_known_port_once(boot: Booted) -> None:
    node = boot(entry("acs"))
    (name,) = node.call("acs", "boot_check_in", octets64("acs"))
    acs = node.entries["acs"]
    assert acs.object(name) is node.acs_port
    assert acs.space.lookup(name).kind & RECEIVE
    assert node.refusal("acs", "boot_check_in", octets64("acs")) == KernReturn.NAME_EXISTS


@pytest.mark.parametrize(("caller", "name"), [("job", "acs"), ("job", "job"), ("acs", "job"), (NOBODY, "acs")])
def test_nobody_else_gets_the_acs_port(boot: Booted, caller: str, name: str) -> None:
    node = boot(entry("acs"), entry("job"))
    assert node.refusal(caller, "boot_check_in", octets64(name)) == KernReturn.NO_ACCESS


def test_acs_port_outlives_the_acs_with_what_is_queued(boot: Booted) -> None:
    node = boot(entry("acs", "restart"))
    node.call("acs", "boot_check_in", octets64("acs"))
    client = node.node.client()
    waits = client.ask(client.holds(node.acs_port), "acs_stat")
    node.entries["acs"].end()
    node.node.settle()
    assert not waits.answered
    node.entries["acs"] = node.restarted("acs")
    (name,) = node.call("acs", "boot_check_in", octets64("acs"))
    assert node.entries["acs"].object(name) is node.acs_port
    message = node.entries["acs"].take(name)
    assert message is not None
    assert message.ident == ROUTINES["acs_stat"].id


def test_receive_right_that_somebody_else_brings_is_not_taken_for_the_acs_port(boot: Booted) -> None:
    node = boot(entry("acs", "restart"))
    client = node.node.client()
    body = client.right_item(client.port(), MOVE_RECEIVE)
    with node.node.nothing_kept():
        code = client.probe(client.holds(node.port), ROUTINES["mach_notify_port_destroyed"].id, body, complex_=True)
    assert code == KernReturn.NO_ACCESS
    (name,) = node.call("acs", "boot_check_in", octets64("acs"))
    assert node.entries["acs"].object(name) is node.acs_port


# -- images that are no good -------------------------------------------------------------------------------


@pytest.mark.parametrize(("manifest", "complaint"), [
    pytest.param(None, "the archive has no boot.manifest, or one that is too long", id="none"),
    pytest.param(HEAD + "#" * 65536, "the archive has no boot.manifest, or one that is too long", id="too long"),
    pytest.param("", "boot.manifest is empty", id="empty"),
    pytest.param("node 7 seven\n", "boot.manifest, line 1: not understood", id="no first line"),
    pytest.param("machemu-manifest 2\n", "boot.manifest, line 1: not understood", id="another version"),
    pytest.param("machemu-manifest 1 1\n", "boot.manifest, line 1: not understood", id="more in the first line"),
    pytest.param(HEAD + "entries a b c d\n", "boot.manifest, line 4: not understood", id="unknown word"),
    pytest.param(HEAD + "entry a bin/a -\n", "boot.manifest, line 4: not understood", id="too few fields"),
    pytest.param(HEAD + entry("a", "root"), "boot.manifest, line 4: not understood", id="unknown flag"),
    pytest.param(HEAD + entry("a", "main,"), "boot.manifest, line 4: not understood", id="flag missing"),
    pytest.param(HEAD + entry("a", "-", "%2"), "boot.manifest, line 4: not understood", id="half an escape"),
    pytest.param(HEAD + entry("a", "-", "%xy"), "boot.manifest, line 4: not understood", id="no escape"),
    pytest.param(HEAD + entry("n" * 64), "boot.manifest, line 4: not understood", id="name too long"),
    pytest.param(HEAD + entry("a", "-", *["x"] * 60), "boot.manifest, line 4: not understood", id="too many fields"),
    pytest.param(HEAD + entry("a") * 65, "boot.manifest, line 68: not understood", id="too many entries"),
])
def test_manifest_that_is_no_good_is_told_in_a_line_and_halts_the_node(manifest: str | None, complaint: str) -> None:
    with booted(archive(manifest)) as node:
        assert node.node.console.splitlines()[0] == f"bootstrap: {complaint}"
        assert node.node.halted
        assert node.order == []


def spoilt_archive(offset: int, octets: bytes) -> bytes:
    data = bytearray(archive(HEAD))
    data[offset:offset + len(octets)] = octets
    return bytes(data)


def with_size(size: int) -> bytes:
    """An archive whose first header tells another size, with the right sum."""
    header = bytearray(archive(HEAD)[:SECTOR])
    header[124:136] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + archive(HEAD)[SECTOR:SECTOR * 8]


@pytest.mark.parametrize("partition", [
    pytest.param(b"no archive".ljust(SECTOR * 4, b"."), id="no archive"),
    pytest.param(spoilt_archive(148, b"0000000"), id="sum of a header"),
    pytest.param(spoilt_archive(0, b"B"), id="name of a file"),
    pytest.param(spoilt_archive(257, b"other"), id="not ustar"),
    pytest.param(with_size(2**30), id="file longer than the partition"),
    pytest.param(with_size(SECTOR * 7 + 1), id="file that ends one record behind the partition"),
    pytest.param(archive(HEAD, {f"f{number}": b"" for number in range(512)}), id="too many files"),
    pytest.param(archive(HEAD, {"d" * 155 + "/" + "n" * 100: b""}), id="path too long"),
])
def test_archive_that_is_no_good_is_told_in_a_line_and_halts_the_node(partition: bytes) -> None:
    with booted(partition) as node:
        assert node.node.console.startswith("bootstrap: the boot archive cannot be read (")
        assert node.node.halted


@pytest.mark.parametrize("partition", [
    pytest.param(b"", id="no partition"),
    pytest.param(archive(HEAD), id="no disk")])
def test_machine_without_a_boot_disk_is_told_in_a_line_and_halted(partition: bytes) -> None:
    with Lone() as lone:
        node = Boot(lone, partition)
        assert node.node.console.startswith("bootstrap: the boot archive cannot be read (")
        assert lone.halted


# -- hostile clients ----------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_malformed_requests_are_refused_and_nothing_kept(boot: Booted) -> None:
    node = boot()
    client = node.node.client()
    assert misdeeds(node.node, client, client.holds(node.port), boot_files.SUBSYSTEM, bootstrap.SUBSYSTEM) == []


@pytest.mark.parametrize("to", UNDELIVERABLE)
def test_answers_that_cannot_be_delivered_hold_up_nothing(to: str) -> None:
    with booted(archive(HEAD)) as node:
        client = node.node.client()
        ask_for_answers_nobody_can_take(node.node, client, client.holds(node.port), boot_files.SUBSYSTEM, to)


def test_notifications_that_a_client_forges_change_nothing(boot: Booted) -> None:
    node = boot(entry("acs"))
    client = node.node.client()
    with node.node.nothing_kept():
        forged_notifications(client, client.holds(node.port))
    assert node.call("acs", "boot_check_in", octets64("acs"))


@pytest.mark.parametrize("routine", ["proc_start_reply", "proc_wait_reply"])
def test_answers_of_proc_that_a_client_forges_are_not_taken(boot: Booted, routine: str) -> None:
    node = boot(entry("acs", "ready"), entry("job"))
    client = node.node.client()
    client.probe(client.holds(node.port), ROUTINES[routine].id, bytes(64))
    assert node.order == ["acs"]
    assert node.node.console == ""


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_requests(boot_files.SUBSYSTEM, bootstrap.SUBSYSTEM))
def test_bootstrap_survives_random_requests(warm: Boot, request_: tuple[int, bytes, bool]) -> None:
    client = warm.node.client()
    ident, body, complex_ = request_
    with warm.node.nothing_kept():
        client.probe(client.holds(warm.port), ident, body, complex_=complex_)
        client.end()
    assert warm.call(NOBODY, "boot_size", b"etc/motd") == (8,)


@pytest.fixture
def warm(boot: Booted) -> Boot:
    """A node with a manifest of no entries."""
    return boot()
