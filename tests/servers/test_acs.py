"""The ACS alone: names of this node, netname, the question of the GNS."""

from __future__ import annotations

import struct

import pytest
from hypothesis import HealthCheck, given, settings

from machemu.interfaces import acs, netname
from machemu.kernel.ipc.right import MACH_PORT_DEAD, MACH_PORT_NULL, MAKE_SEND
from machemu.kernel.results import KernReturn
from tests.servers.acs_site import (
    ECHO,
    FAR,
    INVALID_PORT,
    LIMIT,
    LOCAL_TTL,
    NAMES_OF_NODE,
    NAMES_OF_TASK,
    NO_NAME,
    NO_SUCH_HOST,
    NOT_ALLOWED,
    NOT_CHECKED_IN,
    NOT_YOURS,
    PUBLIC,
    REMOTE,
    Gns,
    Site,
    registration,
)
from tests.servers.hostile import (
    UNDELIVERABLE,
    ask_for_answers_nobody_can_take,
    forged_notifications,
    misdeeds,
    random_requests,
)
from tests.servers.stub_servers import StubBoot, StubProc
from tests.support.stubs import Lone, Refused, octets64

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
