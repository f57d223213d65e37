"""The example server `counter` alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from machemu.interfaces import counter
from machemu.interfaces.runtime import decode_request
from machemu.kernel.ipc.port import QUEUE_LIMIT_DEFAULT
from machemu.kernel.ipc.right import MACH_PORT_DEAD, MACH_PORT_NULL
from tests.servers.hostile import (
    UNDELIVERABLE,
    ask_for_answers_nobody_can_take,
    forged_notifications,
    misdeeds,
    random_requests,
)
from tests.servers.stub_servers import StubAcs, StubBoot
from tests.support.stubs import ROUTINES, Lone, Puppet

INT64_MAX: Final = 2**63 - 1


class Counter:
    """A node with the server, and its port for whoever asks."""

    def __init__(self, node: Lone) -> None:
        self.node = node
        self.acs, self.boot = StubAcs(node), StubBoot(node)
        node.start("counter", slots=[self.acs.port, self.boot.port])
        self.caller = self.acs.puppet
        self.port = self.acs.names["counter"]

    def client(self) -> tuple[Puppet, int]:
        """A client, and its name for the first counter."""
        client = self.node.client()
        return client, self.caller.give(self.port, client)


@pytest.fixture
def server() -> Iterator[Counter]:
    with Lone() as node:
        server = Counter(node)
        yield server
        node.end_clients()
        server.caller.call(server.port, "counter_add", 0)  # with which it notices a port that has died


def notices(client: Puppet, port: int) -> list[int]:
    """The sums that have come to a port that was given to `counter_keep`."""
    found = []
    while (message := client.take(port)) is not None:
        assert message.ident == ROUTINES["counter_notice"].id
        found += decode_request(ROUTINES["counter_notice"], message.data)
    return found


@pytest.mark.req("A-S01")
def test_counter_makes_itself_known_and_is_ready(server: Counter) -> None:
    assert list(server.acs.names) == ["counter"]
    assert server.boot.ready == [server.node.server.number]


def test_counter_that_is_refused_its_name_says_so_and_ends() -> None:
    with Lone() as node:
        acs = StubAcs(node)
        acs.accepts = False
        task = node.start("counter", slots=[acs.port])
        assert node.console.startswith("counter: not registered: ")
        assert task.status == 1


@pytest.mark.parametrize(("amounts", "total"), [([5, 7, -2], 10), ([INT64_MAX, 1], -INT64_MAX - 1), ([0], 0)])
def test_add_gives_the_sum_so_far(server: Counter, amounts: list[int], total: int) -> None:
    client, port = server.client()
    assert [client.call(port, "counter_add", amount) for amount in amounts][-1] == (total,)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 2048])
def test_echo_gives_back_the_same_octets(server: Counter, size: int) -> None:
    client, port = server.client()
    octets = bytes(number % 251 for number in range(size))
    assert client.call(port, "counter_echo", octets) == (octets,)


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000])
def test_echo_gives_back_pages_without_keeping_any(server: Counter, size: int) -> None:
    client, port = server.client()
    octets = bytes(number % 251 for number in range(size))
    with server.node.nothing_kept():
        assert client.call(port, "counter_echo_ool", octets)[0] == octets


def test_sums_are_told_to_the_port_that_was_given(server: Counter) -> None:
    client, port = server.client()
    notice = client.port()
    client.call(port, "counter_keep", notice)
    client.call(port, "counter_add", 3)
    client.call(port, "counter_add", 4)
    assert notices(client, notice) == [3, 7]


def test_port_given_later_takes_the_place_of_the_first(server: Counter) -> None:
    client, port = server.client()
    first, second = client.port(), client.port()
    client.call(port, "counter_keep", first)
    with server.node.nothing_kept():
        client.call(port, "counter_keep", second)
    client.call(port, "counter_add", 1)
    assert (notices(client, first), notices(client, second)) == ([], [1])


def test_nobody_is_waited_for_who_does_not_read_the_sums(server: Counter) -> None:
    client, port = server.client()
    notice = client.port()
    client.call(port, "counter_keep", notice)
    with server.node.nothing_kept():
        for _ in range(QUEUE_LIMIT_DEFAULT + 3):
            client.call(port, "counter_add", 1)
    assert notices(client, notice) == [1, 2, 3, 4, 5]
    client.call(port, "counter_add", 1)
    assert notices(client, notice) == [9], "those that found no room are lost, later ones are not"


@pytest.mark.parametrize("port", [MACH_PORT_NULL, MACH_PORT_DEAD], ids=["null", "dead"])
def test_sums_told_to_nobody_are_no_failure(server: Counter, port: int) -> None:
    client, counter_port = server.client()
    with server.node.nothing_kept():
        client.call(counter_port, "counter_keep", port)
        client.call(counter_port, "counter_add", 1)


def test_port_that_has_died_is_forgotten(server: Counter) -> None:
    client, port = server.client()
    notice = client.port()
    with server.node.nothing_kept():
        client.call(port, "counter_keep", notice)
        client.close(notice)
        client.call(port, "counter_add", 1)


def test_new_counter_counts_for_itself(server: Counter) -> None:
    client, port = server.client()
    client.call(port, "counter_add", 5)
    (other,) = client.call(port, "counter_new")
    assert client.call(other, "counter_add", 1) == (1,)
    assert client.call(port, "counter_add", 0) == (5,)


def test_new_counter_ends_with_its_last_send_right(server: Counter) -> None:
    client, port = server.client()
    with server.node.nothing_kept():
        (other,) = client.call(port, "counter_new")
        client.call(other, "counter_keep", client.port())
        client.drop(other)


def test_new_counter_of_a_client_that_has_gone_ends_too(server: Counter) -> None:
    client, port = server.client()
    with server.node.nothing_kept():
        client.ask(port, "counter_new").abandon()


def test_first_counter_outlives_its_clients(server: Counter) -> None:
    client, port = server.client()
    client.call(port, "counter_add", 5)
    client.end()
    client, port = server.client()
    assert client.call(port, "counter_add", 1) == (6,)


def test_stat_tells_of_every_counter(server: Counter) -> None:
    client, port = server.client()
    (other,) = client.call(port, "counter_new")
    client.call(other, "counter_add", 2)
    client.call(port, "counter_keep", client.port())
    client.call(port, "counter_add", 1)
    client.call(port, "counter_echo", b"")
    (text,) = client.call(port, "counter_stat")
    assert text.decode().splitlines() == [
        "service echoes=1 notices=1 lost=0", "counter sum=2 additions=1 told=0", "counter sum=1 additions=1 told=1"]


@pytest.mark.req("A-S01")
def test_malformed_requests_are_refused_and_nothing_kept(server: Counter) -> None:
    client, port = server.client()
    assert misdeeds(server.node, client, port, counter.SUBSYSTEM) == []


@pytest.mark.parametrize("to", UNDELIVERABLE)
def test_answers_that_cannot_be_delivered_hold_up_nothing(to: str) -> None:
    with Lone() as node:
        client, port = Counter(node).client()
        ask_for_answers_nobody_can_take(node, client, port, counter.SUBSYSTEM, to)


def test_notifications_that_a_client_forges_change_nothing(server: Counter) -> None:
    client, port = server.client()
    with server.node.nothing_kept():
        forged_notifications(client, port)
    assert client.call(port, "counter_add", 1) == (1,)


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_requests(counter.SUBSYSTEM))
def test_counter_survives_random_requests(server: Counter, request_: tuple[int, bytes, bool]) -> None:
    client, port = server.client()
    ident, body, complex_ = request_
    with server.node.nothing_kept():
        client.probe(port, ident, body, complex_=complex_)
        client.end()
    assert server.caller.call(server.port, "counter_echo", b"there") == (b"there",)


