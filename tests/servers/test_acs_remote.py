"""The ACS alone: names of other nodes, through a stub of the GNS."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.port import QUEUE_LIMIT_DEFAULT
from machemu.kernel.ipc.right import MACH_PORT_NULL
from tests.servers.acs_site import (
    ANSWERS_TO_ALL,
    BUSY,
    ECHO,
    FAR,
    LIMIT,
    NAMES_OF_NODE,
    NO_NAME,
    NOT_ALLOWED,
    NOT_YOURS,
    ORIGIN_TO_ALL,
    PUBLIC,
    REMOTE,
    WAITING_MAX,
    Gns,
    Site,
    registration,
)
from tests.servers.hostile import passed_on
from tests.support.stubs import SECOND, Refused, octets64

# -- names of other nodes ------------------------------------------------------------------------


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


# -- tasks of other nodes ----------------------------------------------------------------

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
