"""The ACS alone: names of this node, names of others through a stub of the GNS, netname."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from machemu.interfaces import acs, netname
from machemu.kernel.ipc.port import QUEUE_LIMIT_DEFAULT, Port
from machemu.kernel.ipc.right import COPY_SEND, MACH_PORT_DEAD, MACH_PORT_NULL, MAKE_SEND
from machemu.kernel.results import KernReturn
from tests.servers.hostile import (
    UNDELIVERABLE,
    ask_for_answers_nobody_can_take,
    forged_notifications,
    misdeeds,
    passed_on,
    random_requests,
)
from tests.servers.stub_servers import StubBoot, StubProc
from tests.support.stubs import SECOND, Late, Lone, Puppet, Refused, Request, octets64

NO_NAME, NOT_ALLOWED, BUSY, LIMIT = 1, 2, 6, 7
NOT_YOURS, NOT_CHECKED_IN, NO_SUCH_HOST, INVALID_PORT = 1000, 1001, 1002, 1004
PUBLIC: Final = 1  # the interface asked for
REMOTE: Final = 4  # flag of an answer
LOCAL_TTL: Final = 300  # seconds
ANSWERS_TO_ALL, ORIGIN_TO_ALL = 4, 8  # flags of boot_info: optimisations 1 and 2
NAMES_OF_NODE, NAMES_OF_TASK = 256, 4
WAITING_MAX: Final = 64  # lookups, and askers of each
ECHO: Final = octets64("echo")
FAR: Final = octets64("far")


class Site:
    """A node with an ACS, and stubs of bootstrap and proc.

    Args:
        flags: the site's optimisations.
    """

    def __init__(self, node: Lone, flags: int = 0) -> None:
        self.node = node
        node.kernel.boot_info = replace(node.kernel.boot_info, flags=flags)
        self.proc = StubProc(node)
        self.boot = StubBoot(node)
        self.start()

    def start(self) -> None:
        self.node.start("acs", slots=[self.boot.acs_port, self.boot.port, self.proc.port])

    def client(self, *, known: bool = True, manifest: bool = False) -> Client:
        client = Client(self.node.client(), self)
        if known:
            self.proc.knows(client.puppet.task, manifest=manifest)
        return client


class Client:
    """A task that talks to the ACS."""

    def __init__(self, puppet: Puppet, site: Site) -> None:
        self.puppet = puppet
        self.acs = puppet.holds(site.boot.acs_port)

    def call(self, routine: str, *arguments: object) -> tuple[object, ...]:
        return self.puppet.call(self.acs, routine, *arguments)

    def refusal(self, routine: str, *arguments: object) -> int:
        return self.puppet.refusal(self.acs, routine, *arguments)

    def register(self, name: str, port: int | None = None, door: int | None = None) -> int:
        """Register `port`, or a new one; its name."""
        port = self.puppet.service() if port is None else port
        assert self.call("acs_register", registration(name), port, port if door is None else door) == ()
        return port

    def resolve(self, name: bytes) -> tuple[int, int, int]:
        """Flags, ttl and port."""
        flags, ttl, port = self.call("acs_resolve", name, PUBLIC)
        return flags, ttl, port

    def text(self, routine: str) -> list[str]:
        return self.call(routine)[0].decode().splitlines()


@pytest.fixture
def site() -> Iterator[Site]:
    with Lone() as node:
        yield Site(node)


@pytest.fixture
def telling(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site with an optimisation, by default the one that tells who asks."""
    with Lone() as node:
        yield Site(node, getattr(request, "param", ORIGIN_TO_ALL))


def registration(name: str, length: int | None = None, zero: int = 0) -> bytes:
    """REG_REQ: flags, length of the name, zero, name."""
    return struct.pack("<IHH64s", 0, len(name) if length is None else length, zero, name.encode())


# -- names of this node -----------------------------------------------------------------------


@pytest.mark.req("A-S01", "A-S18")
def test_name_is_resolved_to_the_public_port_that_was_registered(site: Site) -> None:
    server, client = site.client(), site.client()
    public, door = server.puppet.service(), server.puppet.service()
    server.register("echo", public, door)
    flags, ttl, port = client.resolve(ECHO)
    assert (flags, ttl) == (0, LOCAL_TTL)
    assert client.puppet.object(port) is server.puppet.object(public)


def test_acs_tells_bootstrap_that_it_is_ready(site: Site) -> None:
    assert site.boot.ready == [site.node.server.number]


def test_process_server_is_known_under_the_number_of_its_node(site: Site) -> None:
    client = site.client()
    assert client.puppet.object(client.resolve(octets64("proc@1"))[2]) is site.proc.port


def test_name_of_64_octets_needs_no_zero_at_its_end(site: Site) -> None:
    client = site.client()
    client.register("n" * 64)
    assert client.resolve(b"n" * 64)[0] == 0
    assert client.refusal("acs_resolve", b"n" * 63 + b"\0", PUBLIC) == NO_NAME


def test_owner_may_register_its_name_again_with_another_port(site: Site) -> None:
    server, client = site.client(), site.client()
    server.register("echo")
    second = server.register("echo")
    assert client.puppet.object(client.resolve(ECHO)[2]) is server.puppet.object(second)


@pytest.mark.req("A-S18")
def test_name_of_a_living_server_is_refused_to_another_task(site: Site) -> None:
    server, thief = site.client(), site.client()
    first = server.register("echo")
    port = thief.puppet.service()
    assert thief.refusal("acs_register", registration("echo"), port, port) == NOT_ALLOWED
    assert thief.puppet.object(thief.resolve(ECHO)[2]) is server.puppet.object(first)


@pytest.mark.parametrize("octets", [
    pytest.param(registration("", 0), id="no name"),
    pytest.param(registration("echo", 65), id="length of 65"),
    pytest.param(registration("echo", 3), id="length below the name's"),
    pytest.param(registration("echo", 5), id="length above the name's"),
    pytest.param(registration("echo", zero=1), id="octet 6 not zero"),
    pytest.param(registration("echo", zero=0x100), id="octet 7 not zero"),
    pytest.param(registration("echo@2"), id="name of another node"),
])
def test_malformed_registration_is_refused_and_nothing_kept(site: Site, octets: bytes) -> None:
    client = site.client()
    port = client.puppet.service()
    with site.node.nothing_kept():
        assert client.refusal("acs_register", octets, port, port) == NOT_ALLOWED
    assert len(client.text("acs_list")) == 1, "the process server's name alone"


@pytest.mark.parametrize("bad", [MACH_PORT_NULL, MACH_PORT_DEAD], ids=["null", "dead"])
@pytest.mark.parametrize("which", ["public", "door"])
def test_registration_needs_two_living_ports(site: Site, which: str, bad: int) -> None:
    client = site.client()
    port = client.puppet.service()
    ports = (bad, port) if which == "public" else (port, bad)
    with site.node.nothing_kept():
        assert client.refusal("acs_register", registration("echo"), *ports) == NOT_ALLOWED


def test_public_and_door_port_must_have_the_same_owner(site: Site) -> None:
    client, other = site.client(), site.client()
    public, door = client.puppet.service(), other.puppet.give(other.puppet.port(), client.puppet, MAKE_SEND)
    with site.node.nothing_kept():
        assert client.refusal("acs_register", registration("echo"), public, door) == NOT_ALLOWED


def test_only_the_owner_of_a_port_can_register_it(site: Site) -> None:
    server, client = site.client(), site.client()
    private = server.puppet.give(server.puppet.port(), client.puppet, MAKE_SEND)
    with site.node.nothing_kept():
        assert client.refusal("acs_register", registration("mine"), private, private) == NOT_ALLOWED


@pytest.mark.parametrize("whose", ["kernel", "stranger"])
def test_port_that_no_process_receives_from_cannot_be_registered(site: Site, whose: str) -> None:
    client = site.client(known=whose == "kernel")
    port = client.puppet.holds(client.puppet.task.self_port) if whose == "kernel" else client.puppet.service()
    with site.node.nothing_kept():
        assert client.refusal("acs_register", registration("echo"), port, port) == NOT_ALLOWED


def test_one_task_has_at_most_four_names(site: Site) -> None:
    client = site.client()
    for number in range(NAMES_OF_TASK):
        client.register(f"n{number}")
    port = client.puppet.service()
    assert client.refusal("acs_register", registration("more"), port, port) == LIMIT
    client.call("acs_deregister", octets64("n0"))
    client.register("more")


def test_one_node_has_at_most_256_names(site: Site) -> None:
    owners = [site.client() for _ in range(NAMES_OF_NODE // NAMES_OF_TASK)]
    ports = [owner.puppet.service() for owner in owners]
    for number in range(NAMES_OF_NODE - 1):  # the process server has one
        owners[number // NAMES_OF_TASK].register(f"n{number}", ports[number // NAMES_OF_TASK])
    last, port = owners[-1], ports[-1]
    assert last.refusal("acs_register", registration("more"), port, port) == LIMIT
    last.call("acs_deregister", octets64("n254"))
    last.register("more", port)


@pytest.mark.req("A-S18")
def test_name_goes_when_its_owner_takes_it_back(site: Site) -> None:
    client = site.client()
    client.register("echo")
    client.call("acs_deregister", ECHO)
    assert client.refusal("acs_resolve", ECHO, PUBLIC) == NO_NAME
    assert client.refusal("acs_deregister", ECHO) == NO_NAME


@pytest.mark.req("A-S18")
def test_nobody_but_the_owner_can_take_a_name_back(site: Site) -> None:
    server, client = site.client(), site.client()
    server.register("echo")
    assert client.refusal("acs_deregister", ECHO) == NOT_ALLOWED
    assert client.resolve(ECHO)[0] == 0


@pytest.mark.parametrize("end", ["task", "public port", "door port"])
def test_name_goes_with_its_owner_and_with_either_port(site: Site, end: str) -> None:
    server, client = site.client(), site.client()
    public, door = server.puppet.service(), server.puppet.service()
    before = site.node.census()
    server.register("echo", public, door)
    if end == "task":
        server.puppet.end()
    else:
        server.puppet.close(public if end == "public port" else door)
    site.node.settle()
    assert client.refusal("acs_resolve", ECHO, PUBLIC) == NO_NAME
    assert site.node.census().names == before.names


def test_port_that_dies_takes_all_its_names_along(site: Site) -> None:
    server, client = site.client(), site.client()
    port = server.register("one")
    server.register("two", port)
    server.puppet.close(port)
    site.node.settle()
    assert [client.refusal("acs_resolve", octets64(name), PUBLIC) for name in ("one", "two")] == [NO_NAME] * 2


@pytest.mark.parametrize("interface", [0, 2, -1])
def test_no_interface_but_the_public_one_is_given_out(site: Site, interface: int) -> None:
    client = site.client()
    client.register("echo")
    assert client.refusal("acs_resolve", ECHO, interface) == NOT_ALLOWED


@pytest.mark.req("A-S18")
def test_list_has_a_line_for_each_name(site: Site) -> None:
    server = site.client(manifest=True)
    server.register("echo")
    newest, *others = server.text("acs_list")
    fields = dict(field.split("=") for field in newest.split()[1:])
    assert (fields["name"], fields["task"], fields["manifest"]) == ("echo", str(server.puppet.task.number), "1")
    assert len(others) == 1, "the process server's"


def test_stat_counts_what_was_asked(site: Site) -> None:
    client = site.client()
    client.register("echo")
    client.resolve(ECHO)
    client.refusal("acs_register", registration("", 0), client.puppet.service(), 0)
    client.refusal("acs_query", FAR)
    line = client.text("acs_stat")[0]
    assert line == "counter registered=1 refused=1 resolved=1 unknown=0 cached=0 asked=0 queries=1"


@pytest.mark.parametrize("routine", ["acs_resolve", "acs_query", "netname_look_up"])
def test_port_that_dies_before_the_answer_is_not_found(site: Site, routine: str) -> None:
    """The ACS reads the question before it is told of the port's end."""
    server, client = site.client(), site.client()
    port = server.register("echo")
    question = {"acs_resolve": (ECHO, PUBLIC), "acs_query": (ECHO,), "netname_look_up": (b"", b"echo")}[routine]
    wait = client.puppet.ask(client.acs, routine, *question)
    server.puppet.close(port)
    site.node.settle()
    with pytest.raises(Refused, match=str(NOT_CHECKED_IN if routine == "netname_look_up" else NO_NAME)):
        wait.take()


def test_manifests_gns_takes_its_name_from_who_was_there_first(site: Site) -> None:
    rogue = site.client()
    rogue.register("gns")
    gns, client = Gns(site), site.client()
    gns.found()
    assert client.resolve(FAR)[0] == REMOTE
    assert gns.asked == [FAR]
    port = rogue.puppet.service()
    assert rogue.refusal("acs_register", registration("gns"), port, port) == NOT_ALLOWED


def test_name_of_another_server_is_not_the_manifests_for_being_so(site: Site) -> None:
    server, late = site.client(), site.client(manifest=True)
    server.register("echo")
    port = late.puppet.service()
    assert late.refusal("acs_register", registration("echo"), port, port) == NOT_ALLOWED


@pytest.mark.parametrize("which", ["name", "cache", "lookup"])
def test_listing_has_one_row_a_name_whatever_its_octets(site: Site, which: str) -> None:
    """No name looks like another row, or like text that is none."""
    octets = b"x task=7\nname name=\xff\x7f%"
    client = site.client()
    if which == "name":
        client.call("acs_register", struct.pack("<IHH64s", 0, len(octets), 0, octets), *[client.puppet.service()] * 2)
    else:
        gns = Gns(site)
        if which == "cache":
            gns.found()
        client.puppet.ask(client.acs, "acs_resolve", octets.ljust(64, b"\0"), PUBLIC)
        site.node.settle()
    rows = [row for row in client.text("acs_stat") if row.startswith(f"{which} name=x")]
    assert [row.split()[1] for row in rows] == ["name=x%20task=7%0Aname%20name=%FF%7F%25"]


# -- names of other nodes ------------------------------------------------------------------------


class Gns:
    """A stub of the GNS, registered as the manifest's."""

    def __init__(self, site: Site, *, manifest: bool = True) -> None:
        self.client = site.client(manifest=manifest)
        self.asked: list[bytes] = []
        self.waiting: list[Request] = []
        self.told: list[tuple[str, bytes, Port | None]] = []  # what it was told: about which name and port
        self.port = self.client.register("gns")
        self.answer: Callable[[], tuple[object, ...]] = self.wait
        self.serve()

    def serve(self) -> None:
        self.client.puppet.serve(self.port, {
            "gns_lookup": self._lookup, "gns_asker": self._asker, "gns_unregistered": self._unregistered})

    def wait(self) -> tuple[object, ...]:
        raise Late

    def found(self, flags: int = 0, ttl: int = 60) -> int:
        """From now on lookups find a port; its name."""
        proxy = self.client.puppet.service()

        def answer() -> tuple[object, ...]:
            self.client.puppet.space.insert(self.client.puppet.object(proxy).copy_send())  # the reply moves one
            return flags, ttl, proxy

        self.answer = answer
        return proxy

    def refuses(self, status: int, *, with_all_its_items: bool = True) -> None:
        """From now on lookups fail.  The reply ends with the status, or goes on, as the GNS's does."""

        def answer() -> tuple[object, ...]:
            if not with_all_its_items:
                raise Refused(status)
            self.waiting[-1].answer_by("gns_lookup_reply", status, 0, 0, MACH_PORT_NULL, COPY_SEND)
            raise Late

        self.answer = answer

    def _lookup(self, request: Request, name: bytes) -> tuple[object, ...]:
        self.asked.append(name)
        self.waiting.append(request)
        return self.answer()

    def _asker(self, request: Request, wanted: bytes, name: bytes, port: int) -> None:
        assert request.sender == request.stub.node.server.number
        self._note(f"asks for {wanted.rstrip(bytes(1)).decode()}", name, port)

    def _unregistered(self, request: Request, name: bytes, port: int) -> None:
        self._note("unregistered", name, port)

    def _note(self, what: str, name: bytes, port: int) -> None:
        puppet = self.client.puppet
        held = port in puppet.space.entries  # else it came dead
        self.told.append((what, name, puppet.space.lookup(port).port if held else None))
        if held:
            puppet.drop(port)


def test_unknown_name_without_a_gns_is_refused_at_once(site: Site) -> None:
    assert site.client().refusal("acs_resolve", FAR, PUBLIC) == NO_NAME


def test_unknown_name_is_asked_of_the_gns(site: Site) -> None:
    gns, client = Gns(site), site.client()
    proxy = gns.found(flags=1, ttl=60)
    flags, ttl, port = client.resolve(FAR)
    assert gns.asked == [FAR]
    assert (flags, ttl) == (REMOTE | 1, 60)
    assert client.puppet.object(port) is gns.client.puppet.object(proxy)


def test_name_of_this_node_is_never_asked_of_the_gns(site: Site) -> None:
    gns, client = Gns(site), site.client()
    client.register("echo")
    client.resolve(ECHO)
    assert gns.asked == []


def test_gns_that_is_not_the_manifests_is_not_asked(site: Site) -> None:
    gns = Gns(site, manifest=False)
    assert site.client().refusal("acs_resolve", FAR, PUBLIC) == NO_NAME
    assert gns.asked == []


@pytest.mark.parametrize("status", [NO_NAME, NOT_ALLOWED, BUSY])
def test_refusal_of_the_gns_reaches_who_asked(site: Site, status: int) -> None:
    gns, client = Gns(site), site.client()
    gns.refuses(status)
    with site.node.nothing_kept():
        assert client.refusal("acs_resolve", FAR, PUBLIC) == status
    gns.found()
    assert client.resolve(FAR)[0] == REMOTE, "a refusal is not remembered"


@pytest.mark.parametrize("status", [NO_NAME, NOT_ALLOWED, BUSY])
def test_refusal_of_the_gns_may_end_with_its_status(site: Site, status: int) -> None:
    gns, client = Gns(site), site.client()
    gns.refuses(status, with_all_its_items=False)
    assert client.refusal("acs_resolve", FAR, PUBLIC) == status


def test_answer_of_the_gns_without_a_port_is_no_name(site: Site) -> None:
    gns, client = Gns(site), site.client()
    gns.answer = lambda: (0, 60, MACH_PORT_NULL)
    assert client.refusal("acs_resolve", FAR, PUBLIC) == NO_NAME


def test_answer_is_remembered_until_its_time_is_over(site: Site) -> None:
    gns, client = Gns(site), site.client()
    gns.found(ttl=60)
    client.resolve(FAR)
    site.node.let_pass(20 * SECOND)
    flags, ttl, _ = client.resolve(FAR)
    assert (flags, len(gns.asked)) == (REMOTE, 1)
    assert ttl == 40
    site.node.let_pass(41 * SECOND)
    client.resolve(FAR)
    assert len(gns.asked) == 2


def test_answer_is_forgotten_when_its_time_is_over_even_if_nobody_asks(site: Site) -> None:
    gns, client = Gns(site), site.client()
    with site.node.nothing_kept():
        gns.found(ttl=60)
        client.resolve(FAR)
        site.node.let_pass(70 * SECOND)


def test_answer_without_time_to_live_is_not_remembered(site: Site) -> None:
    gns, client = Gns(site), site.client()
    gns.found(ttl=0)
    client.resolve(FAR)
    client.resolve(FAR)
    assert len(gns.asked) == 2


def test_remembered_name_is_forgotten_when_its_port_dies(site: Site) -> None:
    gns, client = Gns(site), site.client()
    proxy = gns.found()
    client.resolve(FAR)
    gns.client.puppet.close(proxy)
    site.node.settle()
    gns.found()
    client.resolve(FAR)
    assert len(gns.asked) == 2


def test_answer_whose_port_has_died_is_no_name_and_not_remembered(site: Site) -> None:
    gns, client = Gns(site), site.client()
    with site.node.nothing_kept():
        wait = client.puppet.ask(client.acs, "acs_resolve", FAR, PUBLIC)
        site.node.settle()
        proxy = gns.client.puppet.service()
        gns.waiting[0].answer(0, 60, proxy)
        gns.client.puppet.close(proxy)
        site.node.settle()
        with pytest.raises(Refused, match=str(NO_NAME)):
            wait.take()
    gns.found()
    assert client.resolve(FAR)[2] != MACH_PORT_NULL
    assert len(gns.asked) == 2


def test_who_asks_for_the_same_name_meanwhile_waits_for_the_same_answer(site: Site) -> None:
    gns, clients = Gns(site), [site.client() for _ in range(3)]
    waits = [client.puppet.ask(client.acs, "acs_resolve", FAR, PUBLIC) for client in clients]
    site.node.settle()
    assert gns.asked == [FAR]
    assert not any(wait.answered for wait in waits)
    proxy = gns.client.puppet.service()
    gns.waiting[0].answer(0, 60, proxy)
    site.node.settle()
    for client, wait in zip(clients, waits, strict=True):
        flags, _, port = wait.take()
        assert flags == REMOTE
        assert client.puppet.object(port) is not None


def test_others_are_served_while_the_gns_looks(site: Site) -> None:
    gns, waiting, client = Gns(site), site.client(), site.client()
    wait = waiting.puppet.ask(waiting.acs, "acs_resolve", FAR, PUBLIC)
    client.register("echo")
    assert client.resolve(ECHO)[0] == 0
    assert not wait.answered
    gns.waiting[0].refuse(NO_NAME)
    site.node.settle()
    with pytest.raises(Refused, match=str(NO_NAME)):
        wait.take()


@pytest.mark.parametrize("end", ["task", "reply right"])
def test_lookup_that_the_gns_gives_up_is_no_name(site: Site, end: str) -> None:
    gns, client = Gns(site), site.client()
    wait = client.puppet.ask(client.acs, "acs_resolve", FAR, PUBLIC)
    site.node.settle()
    if end == "task":
        gns.client.puppet.end()
    else:
        gns.waiting[0].drop()
    site.node.settle()
    with pytest.raises(Refused, match=str(NO_NAME)):
        wait.take()


def test_asker_that_has_gone_leaves_nothing(site: Site) -> None:
    gns, client = Gns(site), site.client()
    with site.node.nothing_kept():
        wait = client.puppet.ask(client.acs, "acs_resolve", FAR, PUBLIC)
        site.node.settle()
        wait.abandon()
        gns.waiting[0].refuse(NO_NAME)


def test_answer_of_the_gns_that_is_not_one_ends_the_lookup(site: Site) -> None:
    gns, client = Gns(site), site.client()
    with site.node.nothing_kept():
        wait = client.puppet.ask(client.acs, "acs_resolve", FAR, PUBLIC)
        site.node.settle()
        gns.waiting[0].answer_by("proc_wait_reply", 0, 0, 0)
        site.node.settle()
        with pytest.raises(Refused, match=str(NO_NAME)):
            wait.take()


def test_more_lookups_than_the_gns_reads_are_busy_and_hold_up_nobody(site: Site) -> None:
    gns, client = Gns(site), site.client()
    gns.client.puppet.ignore(gns.port)
    for number in range(QUEUE_LIMIT_DEFAULT):
        client.puppet.ask(client.acs, "acs_resolve", octets64(f"far{number}"), PUBLIC)
    site.node.settle()
    with site.node.nothing_kept():
        assert client.refusal("acs_resolve", FAR, PUBLIC) == BUSY
    client.register("echo")


@pytest.mark.parametrize("same", [False, True], ids=["for different names", "for one name"])
def test_no_more_than_64_wait_for_the_gns(site: Site, same: bool) -> None:
    gns, client = Gns(site), site.client()
    for number in range(WAITING_MAX):
        client.puppet.ask(client.acs, "acs_resolve", FAR if same else octets64(f"far{number}"), PUBLIC)
        site.node.settle()
    assert client.refusal("acs_resolve", FAR, PUBLIC) == BUSY
    assert len(gns.asked) == (1 if same else WAITING_MAX)


# -- what the GNS tells others of this node: the optimisations ---------------------------------------


@pytest.mark.req("A-P21")
def test_gns_is_told_which_server_asks_before_it_is_asked(telling: Site) -> None:
    gns, server = Gns(telling), telling.client()
    gns.found()
    port = server.puppet.object(server.register("first"))
    server.register("second")
    server.resolve(FAR)
    assert gns.told == [("asks for far", octets64("first"), port)], "the name it registered first"
    server.resolve(FAR)
    assert (len(gns.told), gns.asked) == (1, [FAR]), "the second time the ACS knows"


def test_server_whose_port_has_just_died_is_looked_up_for_without_being_named(telling: Site) -> None:
    gns, server = Gns(telling), telling.client()
    gns.found()
    port = server.register("echo")
    wait = server.puppet.ask(server.acs, "acs_resolve", FAR, PUBLIC)
    server.puppet.close(port)
    telling.node.settle()
    assert wait.take()[0] == REMOTE
    assert [name for _, name, port in gns.told if port is not None] == []


def test_gns_is_not_told_of_a_client_that_is_no_server(telling: Site) -> None:
    gns, server, client = Gns(telling), telling.client(), telling.client()
    gns.found()
    server.register("echo")
    client.resolve(FAR)
    assert (gns.told, gns.asked) == ([], [FAR])


@pytest.mark.parametrize("telling", [0, ANSWERS_TO_ALL], indirect=True)
def test_gns_is_not_told_who_asks_without_that_optimisation(telling: Site) -> None:
    gns, server = Gns(telling), telling.client()
    gns.found()
    server.register("echo")
    server.resolve(FAR)
    assert (gns.told, gns.asked) == ([], [FAR])


@pytest.mark.parametrize("telling", [ANSWERS_TO_ALL, ORIGIN_TO_ALL], indirect=True)
@pytest.mark.parametrize("end", ["taken back", "replaced", "door port", "signature"])
def test_gns_is_told_of_a_name_that_goes_while_its_port_lives(telling: Site, end: str) -> None:
    gns, server = Gns(telling), telling.client()
    puppet, door = server.puppet, server.puppet.service()
    if end == "signature":
        name = puppet.service()
        server.call("netname_check_in", b"echo", door, name)
    else:
        name = server.register("echo", door=door)
    port = puppet.object(name)
    if end == "taken back":
        server.call("acs_deregister", ECHO)
    elif end == "replaced":
        server.register("echo")
    else:
        puppet.close(door)
        telling.node.settle()
    assert gns.told == [("unregistered", ECHO, port)]


@pytest.mark.parametrize("telling", [ANSWERS_TO_ALL, ORIGIN_TO_ALL], indirect=True)
def test_gns_knows_by_itself_that_a_port_has_died(telling: Site) -> None:
    gns, server = Gns(telling), telling.client()
    port = server.register("echo")
    server.puppet.close(port)
    telling.node.settle()
    assert gns.told == []


@pytest.mark.parametrize("telling", [0], indirect=True)
def test_gns_is_told_of_no_name_that_goes_without_an_optimisation(telling: Site) -> None:
    gns, server = Gns(telling), telling.client()
    server.register("echo")
    server.call("acs_deregister", ECHO)
    assert gns.told == []


@pytest.mark.parametrize("ports", ["live on", "die meanwhile"])
def test_gns_that_has_no_room_is_told_later_and_in_order(telling: Site, ports: str) -> None:
    gns, server = Gns(telling), telling.client()
    gns.client.puppet.ignore(gns.port)
    with telling.node.nothing_kept():
        names = [f"n{number}" for number in range(2 * QUEUE_LIMIT_DEFAULT)]
        for name in names:
            port = server.register(name)
            server.call("acs_deregister", octets64(name))
            if ports == "die meanwhile":
                server.puppet.close(port)
        telling.node.settle()
        gns.serve()
        for _ in names:  # nobody asks the ACS anything
            telling.node.let_pass(6 * SECOND)
    assert [name for _, name, _ in gns.told] == [octets64(name) for name in names]


@pytest.mark.parametrize("how", ["new names", "one name"])
def test_names_that_wait_for_the_gns_are_limited(telling: Site, how: str) -> None:
    gns, server = Gns(telling), telling.client()
    gns.client.puppet.ignore(gns.port)
    port = server.puppet.service()
    status = number = 0
    while not status:
        number += 1
        name = "echo" if how == "one name" else f"n{number}"
        try:
            server.register(name, port)
        except Refused as refused:
            status = refused.code
        else:
            if how == "new names":
                server.call("acs_deregister", octets64(name))
        assert number < 2 * NAMES_OF_NODE
    assert status == LIMIT
    gns.serve()
    server.register("echo", port)


def test_names_that_wait_for_a_gns_that_dies_are_forgotten(telling: Site) -> None:
    with telling.node.nothing_kept():
        gns, server = Gns(telling), telling.client()
        gns.client.puppet.ignore(gns.port)
        for number in range(2 * QUEUE_LIMIT_DEFAULT):
            server.register(f"n{number}")
            server.call("acs_deregister", octets64(f"n{number}"))
        port = server.register("keeps its name")
        gns.client.puppet.end()
        telling.node.settle()
        server.puppet.close(port)


def test_lookup_for_a_server_is_busy_if_the_gns_has_no_room_for_both_messages(telling: Site) -> None:
    gns, server = Gns(telling), telling.client()
    server.register("echo")
    gns.client.puppet.ignore(gns.port)
    for number in range(QUEUE_LIMIT_DEFAULT // 2):
        server.puppet.ask(server.acs, "acs_resolve", octets64(f"far{number}"), PUBLIC)
    telling.node.settle()
    with telling.node.nothing_kept():
        assert server.refusal("acs_resolve", FAR, PUBLIC) == BUSY
    gns.serve()
    telling.node.settle()
    assert octets64("far0") in gns.asked


# -- the question of the GNS ------------------------------------------------------------------------


def test_query_finds_names_of_this_node_only(site: Site) -> None:
    gns, server = Gns(site), site.client()
    port = server.register("echo")
    flags, found = gns.client.call("acs_query", ECHO)
    assert flags == 0
    assert gns.client.puppet.object(found) is server.puppet.object(port)
    assert gns.client.refusal("acs_query", FAR) == NO_NAME
    assert gns.asked == []


# -- netname: Mach's old name service --------------------------------------------------------------------


def test_netname_finds_what_was_checked_in(site: Site) -> None:
    server, client = site.client(), site.client()
    port = server.puppet.port()
    server.call("netname_check_in", b"echo", server.puppet.service(), port)
    for host in (b"", b"*"):
        (found,) = client.call("netname_look_up", host, b"echo")
        assert client.puppet.object(found) is server.puppet.object(port)
    assert client.resolve(ECHO)[0] == 0, "the names are the same"


def test_netname_refuses_with_its_own_codes(site: Site) -> None:
    client = site.client()
    assert client.refusal("netname_look_up", b"", b"echo") == NOT_CHECKED_IN
    assert client.refusal("netname_look_up", b"elsewhere", b"echo") == NO_SUCH_HOST
    assert client.refusal("netname_check_out", b"echo", client.puppet.service()) == NOT_CHECKED_IN
    assert client.refusal("netname_check_in", b"echo", client.puppet.service(), MACH_PORT_NULL) == INVALID_PORT


def test_netname_finds_remembered_names_of_other_nodes_for_any_host_only(site: Site) -> None:
    gns, client = Gns(site), site.client()
    gns.found()
    client.resolve(FAR)
    assert client.call("netname_look_up", b"*", b"far")
    assert client.refusal("netname_look_up", b"", b"far") == NOT_CHECKED_IN


def test_signature_is_what_lets_a_name_be_replaced_and_taken_back(site: Site) -> None:
    server, successor, thief = site.client(), site.client(), site.client()
    signature = server.puppet.service()
    server.call("netname_check_in", b"echo", signature, server.puppet.port())
    assert thief.refusal("netname_check_in", b"echo", thief.puppet.service(), thief.puppet.port()) == NOT_YOURS
    assert thief.refusal("netname_check_out", b"echo", thief.puppet.service()) == NOT_YOURS
    assert thief.refusal("netname_check_out", b"echo", MACH_PORT_NULL) == NOT_YOURS
    proof = server.puppet.give(signature, successor.puppet)
    port = successor.puppet.port()
    successor.call("netname_check_in", b"echo", proof, port)
    (found,) = thief.call("netname_look_up", b"", b"echo")
    assert thief.puppet.object(found) is successor.puppet.object(port)
    server.call("netname_check_out", b"echo", signature)
    assert thief.refusal("netname_look_up", b"", b"echo") == NOT_CHECKED_IN


def test_one_task_has_at_most_four_names_by_signature_too(site: Site) -> None:
    server, successor = site.client(), site.client()
    signature = server.puppet.service()
    server.call("netname_check_in", b"echo", signature, server.puppet.port())
    for number in range(NAMES_OF_TASK):
        successor.register(f"n{number}")
    proof = server.puppet.give(signature, successor.puppet)
    with site.node.nothing_kept():
        assert successor.refusal("netname_check_in", b"echo", proof,
                                 successor.puppet.port()) == KernReturn.RESOURCE_SHORTAGE
    assert site.client().call("netname_look_up", b"", b"echo")


@pytest.mark.parametrize("name", [b"", b"n" * 65], ids=["empty", "65 octets"])
def test_netname_has_no_names_that_no_server_could_have(site: Site, name: bytes) -> None:
    client = site.client()
    client.call("netname_check_in", b"n" * 64, client.puppet.service(), client.puppet.port())
    with site.node.nothing_kept():
        assert client.refusal("netname_check_in", name, client.puppet.service(),
                              client.puppet.port()) == KernReturn.INVALID_ARGUMENT
    for host in (b"", b"*"):
        assert client.refusal("netname_look_up", host, name) == NOT_CHECKED_IN
    assert client.refusal("netname_check_out", name, client.puppet.service()) == NOT_CHECKED_IN


@pytest.mark.parametrize("end", ["port", "signature"])
def test_checked_in_name_goes_with_its_port_and_its_signature(site: Site, end: str) -> None:
    client = site.client()
    before = site.node.census()
    names = {"signature": client.puppet.service(), "port": client.puppet.port()}
    client.call("netname_check_in", b"echo", names["signature"], names["port"])
    client.puppet.close(names[end])
    site.node.settle()
    assert client.refusal("netname_look_up", b"", b"echo") == NOT_CHECKED_IN
    assert site.node.census().names == before.names


def test_netname_version_names_the_acs(site: Site) -> None:
    assert site.client().call("netname_version") == (b"machemu ACS 1",)


# -- start and end -------------------------------------------------------------------------------------------


def test_acs_started_again_serves_the_same_port_with_no_names(site: Site) -> None:
    client = site.client()
    client.register("echo")
    site.node.kernel.terminate_task(site.node.server, None, "the test")
    wait = client.puppet.ask(client.acs, "acs_resolve", ECHO, PUBLIC)
    site.node.settle()
    assert not wait.answered, "the request waits in the port's queue"
    site.start()
    with pytest.raises(Refused, match=str(NO_NAME)):
        wait.take()
    client.register("echo")
    assert client.resolve(ECHO)[0] == 0


def test_acs_without_its_port_says_so_and_ends() -> None:
    with Lone() as node:
        proc, boot = StubProc(node), StubBoot(node)
        boot.checks_in = False
        acs = node.start("acs", slots=[boot.acs_port, boot.port, proc.port])
        assert node.console == "acs: bootstrap does not give the well-known port\n"
        assert (acs.alive, acs.status) == (False, 1)
        assert proc.exits == [(acs.number, 1)]


def test_names_come_back_to_what_they_were_whatever_is_called_how_often(site: Site) -> None:
    client = site.client()

    def every_call() -> None:
        puppet = client.puppet
        port = client.register("echo")
        for name in (client.resolve(ECHO)[2], client.call("acs_query", ECHO)[1]):
            puppet.drop(name)
        client.text("acs_list")
        client.text("acs_stat")
        client.call("acs_deregister", ECHO)
        client.call("netname_check_in", b"echo", port, port)
        puppet.drop(client.call("netname_look_up", b"", b"echo")[0])
        client.call("netname_check_out", b"echo", port)
        client.call("netname_version")
        puppet.close(port)

    every_call()
    with site.node.nothing_kept():
        for _ in range(5):
            every_call()


def test_tasks_of_other_nodes_have_no_names_here_but_may_ask(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their messages come from the GNS, whose own name and ports are not theirs."""
    gns, server = Gns(site), site.client()
    port = server.puppet.object(server.register("echo"))
    far, proxy = gns.client, gns.client.puppet.service()
    passed_on(monkeypatch)
    with site.node.nothing_kept():
        assert far.refusal("acs_register", registration("mine"), proxy, proxy) == NOT_ALLOWED
        assert far.refusal("netname_check_in", b"mine", proxy, proxy) == NOT_YOURS
        assert far.refusal("acs_deregister", octets64("gns")) == NOT_ALLOWED
    assert far.puppet.object(far.resolve(ECHO)[2]) is port


def test_gns_is_not_told_that_it_asks_for_a_task_of_another_node(telling: Site,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    gns = Gns(telling)
    passed_on(monkeypatch)
    gns.client.puppet.ask(gns.client.acs, "acs_resolve", FAR, PUBLIC)
    telling.node.settle()
    assert (gns.told, gns.asked) == ([], [FAR])


# -- hostile clients ----------------------------------------------------------------------------------------


@pytest.mark.req("A-S01")
def test_malformed_requests_are_refused_and_nothing_kept(site: Site) -> None:
    client = site.client()
    assert misdeeds(site.node, client.puppet, client.acs, acs.SUBSYSTEM, netname.SUBSYSTEM) == []


@pytest.mark.parametrize("to", UNDELIVERABLE)
def test_answers_that_cannot_be_delivered_hold_up_nothing(site: Site, to: str) -> None:
    client = site.client()
    ask_for_answers_nobody_can_take(site.node, client.puppet, client.acs, acs.SUBSYSTEM, to)


def test_notifications_that_a_client_forges_change_nothing(site: Site) -> None:
    server, client = site.client(), site.client()
    server.register("echo")
    with site.node.nothing_kept():
        forged_notifications(client.puppet, client.acs)
    assert client.resolve(ECHO)[0] == 0


def test_client_that_goes_before_its_answer_leaves_nothing(site: Site) -> None:
    client = site.client()
    client.register("echo")
    with site.node.nothing_kept():
        client.puppet.ask(client.acs, "acs_resolve", ECHO, PUBLIC).abandon()
        client.puppet.ask(client.acs, "acs_stat").abandon()


@settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_requests(acs.SUBSYSTEM, netname.SUBSYSTEM))
def test_acs_survives_random_requests(site: Site, request_: tuple[int, bytes, bool]) -> None:
    client = site.client()
    ident, body, complex_ = request_
    with site.node.nothing_kept():
        client.puppet.probe(client.acs, ident, body, complex_=complex_)
        client.puppet.end()
    assert site.client().call("netname_version")
