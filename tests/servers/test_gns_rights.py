"""Rights among three nodes: third parties, and random scripts against a model (5.2, 5.3)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from machemu.wire.items import ClaimPort, ClaimRes, GrantFor, GrantRes, Item
from machemu.wire.message import Message
from machemu.wire.schema import What
from tests.servers.gns_host.lan import MS, SECOND, Client, Lan, MakeLan
from tests.servers.test_gns_death import DEAD_NAME, NO_SENDERS, ask_no_senders
from tests.servers.test_gns_messages import SEND_ONCE_NOTIFICATION, receive
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    Give,
    header,
    message,
    port_item,
)

pytest_plugins = ("tests.servers.gns_host.fixtures",)


def meeting(lan: Lan) -> tuple[dict[int, Client], dict[int, int], dict[tuple[int, int], int]]:
    """A task on each node with a port of its own, and rights to all others' ports."""
    tasks = {node.number: node.actor() for node in lan.nodes}
    ports = {number: task.port() for number, task in tasks.items()}
    for number, task in tasks.items():
        lan[number].acs.register(b"task@%d" % number, task, ports[number])
    ways = {(a, b): lan.resolve(tasks[a], lan[a], b"task@%d" % b) for a in tasks for b in tasks if a != b}
    return tasks, ports, ways


def items_on_wire(lan: Lan) -> list[tuple[int, Item]]:
    found = []
    for octets in lan.frames:
        frame, items = lan.watcher.read(octets)
        assert frame is not None
        found += [(frame.header.src_node, item) for item in items]
    lan.frames.clear()
    return found


def test_right_of_a_third_node_is_granted_before_it_travels(make_lan: MakeLan) -> None:
    """Node 1 gives node 2 its right to a port of node 3."""
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    items_on_wire(lan)
    tasks[1].send(message(ways[1, 2], port_item(ways[1, 3], MOVE_SEND)))
    name = receive(lan, tasks[2], ports[2]).word(8)
    lan.run(20 * MS)
    sequence = [(node, type(item.body)) for node, item in items_on_wire(lan)
                if isinstance(item.body, GrantFor | GrantRes | Message | ClaimPort | ClaimRes)]
    assert sequence == [(1, GrantFor), (3, GrantRes), (1, Message), (2, ClaimPort), (3, ClaimRes)]
    assert name == ways[2, 3]  # it had one already: one name
    tasks[2].send(header(name, ident=5))
    assert receive(lan, tasks[3], ports[3]).ident == 5
    assert lan[3].stat("grant") == []
    assert {row["node"]: row["n"] for row in lan[3].stat("export")} == {"2": "2"}  # node 1 has let go


def test_message_waits_for_the_claim(make_lan: MakeLan) -> None:
    """Node 2 meets node 3 for the first time; what it sends meanwhile arrives in order."""
    lan = make_lan(nodes=3)
    tasks = {number: lan[number].actor() for number in (1, 2, 3)}
    ports = {number: tasks[number].port() for number in tasks}
    for number in (2, 3):
        lan[number].acs.register(b"task@%d" % number, tasks[number], ports[number])
    ways = {number: lan.resolve(tasks[1], lan[1], b"task@%d" % number) for number in (2, 3)}
    tasks[1].send(message(ways[2], port_item(ways[3], COPY_SEND)))
    name = receive(lan, tasks[2], ports[2]).word(8)
    for ident in range(4):
        tasks[2].send(header(name, ident=ident))
    assert [receive(lan, tasks[3], ports[3]).ident for _ in range(4)] == [0, 1, 2, 3]


def test_order_is_kept_while_a_message_waits_for_its_grant(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    for ident in range(4):
        octets = message(ways[1, 2], port_item(ways[1, 3], COPY_SEND), ident=ident)
        tasks[1].send(octets if ident % 2 == 0 else header(ways[1, 2], ident=ident))
    assert [receive(lan, tasks[2], ports[2]).ident for _ in range(4)] == [0, 1, 2, 3]


def test_reply_right_of_a_third_node(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    tasks[1].send(header(ways[1, 2], ways[1, 3], COPY_SEND, COPY_SEND))
    reply = receive(lan, tasks[2], ports[2]).remote
    tasks[2].send(header(reply, ident=6))
    assert receive(lan, tasks[3], ports[3]).ident == 6


def test_home_that_is_gone_makes_the_right_arrive_dead(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    lan.run(SECOND)
    lan.segment.separate(3, 1)
    tasks[1].send(message(ways[1, 2], port_item(ways[1, 3], COPY_SEND)))
    lan.run(20 * SECOND)
    assert tasks[2].take(ports[2]).word(8) == DEAD
    assert tasks[1].space.lookup(ways[1, 2]).kind != DEAD_NAME


def test_port_that_dies_while_its_right_travels(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    tasks[1].send(message(ways[1, 2], port_item(ways[1, 3], COPY_SEND)))
    lan.run(100_000)
    tasks[3].space.destroy_name(ports[3])
    got = receive(lan, tasks[2], ports[2]).word(8)
    lan.run(20 * MS)
    assert got == DEAD or tasks[2].space.lookup(got).kind == DEAD_NAME
    assert lan[3].stat("export") == lan[3].stat("grant") == lan[3].stat("port") == []


def test_unclaimed_grant_expires(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, _, ways = meeting(lan)
    lan.run(SECOND)
    lan.segment.separate(1, 2)
    tasks[1].send(message(ways[1, 2], port_item(ways[1, 3], COPY_SEND)))
    lan.run(5 * SECOND)
    assert len(lan[3].stat("grant")) == 1
    lan.run(70 * SECOND)
    assert lan[3].stat("grant") == []


def test_send_once_right_of_another_node_is_relayed(make_lan: MakeLan) -> None:
    """Mach does not tell whose a send-once right is, so the giver passes the message on."""
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    reply = tasks[3].port()
    tasks[3].send(header(ways[3, 1], reply, COPY_SEND, MAKE_SEND_ONCE))
    request = receive(lan, tasks[1], ports[1])
    tasks[1].send(message(ways[1, 2], port_item(request.remote, MOVE_SEND_ONCE)))
    name = receive(lan, tasks[2], ports[2]).word(8)
    tasks[2].send(header(name, remote_use=MOVE_SEND_ONCE, ident=8))
    assert receive(lan, tasks[3], reply).ident == 8


def test_relayed_send_once_right_that_is_destroyed_is_notified_at_home(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    reply = tasks[3].port()
    tasks[3].send(header(ways[3, 1], reply, COPY_SEND, MAKE_SEND_ONCE))
    request = receive(lan, tasks[1], ports[1])
    tasks[1].send(message(ways[1, 2], port_item(request.remote, MOVE_SEND_ONCE)))
    tasks[2].space.deallocate(receive(lan, tasks[2], ports[2]).word(8))
    assert receive(lan, tasks[3], reply).ident == SEND_ONCE_NOTIFICATION


# -- random scripts against a model ------------------------------------------------------------------


@dataclass
class Model:
    """Who holds what: ports by number, and the rights of each node's task by port."""

    owner: dict[int, int] = field(default_factory=dict)  # port -> node
    alive: dict[int, bool] = field(default_factory=dict)
    held: dict[int, set[int]] = field(default_factory=dict)  # node -> ports


class Script:
    """Random moves of rights among the tasks of a LAN.

    After each burst the LAN comes to rest, and then every right that the model knows works,
    every other is gone, and every port nobody holds has told its owner so.
    """

    def __init__(self, lan: Lan, seed: int) -> None:
        self.lan, self.chance = lan, random.Random(seed)
        self.tasks, self.ports, self.ways = meeting(lan)
        self.nodes = list(self.tasks)
        self.model = Model(held={node: set() for node in self.nodes})
        self.names: dict[int, int] = {}  # port -> its name at home
        self.notify: dict[int, int] = {}
        self.told: dict[int, int] = {}  # port -> its make-send count when that was asked last
        self.known: dict[tuple[int, int], int] = {}  # (node, port) -> the holder's name
        self.count = 0

    def make(self) -> None:
        node = self.chance.choice(self.nodes)
        self.count += 1
        port = self.count
        self.model.owner[port], self.model.alive[port] = node, True
        self.names[port] = self.tasks[node].port()
        self.notify[port] = ask_no_senders(self.tasks[node], self.names[port])

    def give(self) -> None:
        """An owner or a holder gives a right to another node's task."""
        port = self.chance.choice([port for port, alive in self.model.alive.items() if alive])
        owner = self.model.owner[port]
        givers = [node for node in self.nodes if port in self.model.held[node]] + [owner]
        giver = self.chance.choice(givers)
        taker = self.chance.choice([node for node in self.nodes if node != giver])
        name = self.names[port] if giver == owner else self.known[giver, port]
        use = MAKE_SEND if giver == owner else self.chance.choice((COPY_SEND, MOVE_SEND))
        refs = self.tasks[giver].names_of(name)
        octets = message(self.ways[giver, taker], port_item(name, use), ident=port)
        assert self.tasks[giver].send(octets) == 0
        if use == MOVE_SEND and refs == 1:
            self.model.held[giver].discard(port)
            del self.known[giver, port]
        self.collect(taker, port)

    def collect(self, taker: int, port: int) -> None:
        task = self.tasks[taker]
        if self.chance.random() < 0.3:
            self.lan.run(self.chance.randrange(300_000))
        got = receive(self.lan, task, self.ports[taker])
        assert got.ident == port
        name = got.word(8)
        if self.model.owner[port] == taker:
            assert name == self.names[port]  # the port itself
            task.space.deallocate(name)
            return
        if port in self.model.held[taker]:
            assert self.known[taker, port] == name  # one name for one port
        self.model.held[taker].add(port)
        self.known[taker, port] = name

    def drop(self) -> None:
        node = self.chance.choice(self.nodes)
        if self.model.held[node]:
            port = self.chance.choice(sorted(self.model.held[node]))
            self.tasks[node].space.destroy_name(self.known.pop((node, port)))
            self.model.held[node].discard(port)

    def kill(self) -> None:
        port = self.chance.choice([port for port, alive in self.model.alive.items() if alive])
        self.tasks[self.model.owner[port]].space.destroy_name(self.names[port])
        self.model.alive[port] = False

    def step(self) -> None:
        if sum(self.model.alive.values()) < 2:
            self.make()
        self.chance.choices([self.make, self.give, self.drop, self.kill], [1, 8, 3, 0.5])[0]()

    def rest(self) -> None:
        """Everything under way arrives; then model and LAN agree."""
        self.lan.run(3 * SECOND)
        for port, owner in self.model.owner.items():
            if self.model.alive[port]:
                self.check_live(port, owner)
            else:
                self.check_dead(port)
        for node in self.lan.nodes:
            assert node.counter("cap_violation") == node.counter("rx_malformed") == node.counter("msg_fail") == 0
        self.lan.check()

    def check_live(self, port: int, owner: int) -> None:
        holders = [node for node in self.nodes if port in self.model.held[node]]
        for node in holders:
            self.tasks[node].send(header(self.known[node, port], ident=node))
            assert receive(self.lan, self.tasks[owner], self.names[port]).ident == node
        entry = self.tasks[owner].space.lookup(self.names[port])
        assert entry.port is not None
        assert bool(entry.port.send_rights) == bool(holders)
        told = self.tasks[owner].poll(self.notify[port])
        assert told is not None or holders or entry.port.make_send_count == self.told.get(port, 0)
        if told is not None:
            self.told[port] = entry.port.make_send_count
            assert told.ident == NO_SENDERS
            # If somebody holds a right, it was made since.
            assert not holders or told.word(8) < entry.port.make_send_count
            self.tasks[owner].call(3214, self.names[port], NO_SENDERS, entry.port.make_send_count + 1,
                                   Give(self.notify[port], MAKE_SEND_ONCE))

    def check_dead(self, port: int) -> None:
        for node in self.nodes:
            if port in self.model.held[node]:
                assert self.tasks[node].space.lookup(self.known[node, port]).kind == DEAD_NAME

    def finish(self) -> None:
        """Give everything up: no table has a row left but those of the meeting."""
        for (node, _), name in self.known.items():
            self.tasks[node].space.destroy_name(name)
        for (node, _), name in self.ways.items():
            self.tasks[node].space.destroy_name(name)
        self.lan.run(5 * SECOND)
        for node in self.lan.nodes:
            assert node.stat("import") == node.stat("export") == node.stat("port") == node.stat("grant") == []
        for port, owner in self.model.owner.items():
            if self.model.alive[port]:
                entry = self.tasks[owner].space.lookup(self.names[port])
                assert entry.port is not None
                assert entry.port.send_rights == 0


@pytest.mark.req("A-N13")
@pytest.mark.req("A-N14")
@pytest.mark.parametrize("seed", range(6))
def test_counts_agree_with_the_model(make_lan: MakeLan, seed: int) -> None:
    faults = {"loss": 0.1, "duplication": 0.1, "reordering": 0.2} if seed % 2 else {}
    lan = make_lan(nodes=3, seed=seed)
    script = Script(lan, seed)
    for name, rate in faults.items():
        setattr(lan.segment, name, rate)
    for _ in range(12):
        for _ in range(12):
            script.step()
        script.rest()
    script.finish()


def test_third_rights_name_their_home(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    tasks, ports, ways = meeting(lan)
    items_on_wire(lan)
    tasks[1].send(message(ways[1, 2], port_item(ways[1, 3], COPY_SEND)))
    receive(lan, tasks[2], ports[2])
    [descriptor] = [item.body.descriptors[0] for _, item in items_on_wire(lan) if isinstance(item.body, Message)]
    assert (descriptor.what, descriptor.node, descriptor.epoch) == (What.SEND_THIRD, 3, 1)
    assert descriptor.gid != 0
