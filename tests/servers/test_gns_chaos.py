"""Servers that start again, nodes that boot again, wires that break, at any moment.

Nobody can say here which rights survive; but no table may keep what is gone, no right of a
kernel may be lost, and when all is calm again everything works.
"""

from __future__ import annotations

import random
from typing import Final, final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from machemu.wire.frames import Data, NameAns, NameReq
from machemu.wire.items import Item
from machemu.wire.message import Message, PortDescriptor, Region
from machemu.wire.records import Stream
from machemu.wire.schema import FrameType, What
from tests.servers.gns_host.lan import MS, SECOND, Client, Lan, MakeLan
from tests.servers.test_gns_frames import Stranger
from tests.servers.test_gns_messages import receive
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    descriptor,
    header,
    message,
    port_item,
)

pytest_plugins = ("tests.servers.gns_host.fixtures",)

NODES: Final = (1, 2, 3)


@final
class Storm:
    """Tasks that pass rights around while their LAN falls apart."""

    def __init__(self, lan: Lan, seed: int) -> None:
        self.lan, self.chance = lan, random.Random(seed)
        self.epochs = dict.fromkeys(NODES, 1)
        self.tasks: dict[int, Client] = {}
        self.inboxes: dict[int, int] = {}
        for number in NODES:
            self.settle_in(number)

    def settle_in(self, number: int) -> None:
        node = self.lan[number]
        task = self.tasks[number] = node.actor()
        self.inboxes[number] = task.port()
        node.acs.register(b"task@%d" % number, task, self.inboxes[number])

    # -- what can happen ---------------------------------------------------------------

    def look_up(self) -> None:
        number, other = self.chance.sample(NODES, 2)
        self.tasks[number].lookup(self.lan[number], b"task@%d" % other)

    def send(self) -> None:
        task = self.tasks[self.chance.choice(NODES)]
        names = [entry.name for entry in task.space.entries.values()
                 if entry.kind & 0x1_0000 and entry.name != task.self_name]
        if not names:
            return
        to, gift, reply = self.chance.choice(names), self.chance.choice(names), task.port()
        items = [port_item(gift, COPY_SEND), port_item(task.port(), MAKE_SEND), port_item(reply, MAKE_SEND_ONCE)]
        body = self.chance.sample(items, self.chance.randrange(4))
        task.send(message(to, *body, local=reply, local_use=MAKE_SEND_ONCE), 0x10)

    def collect(self) -> None:
        """Take what has come, answer, and keep the rights or not."""
        task = self.tasks[self.chance.choice(NODES)]
        for name in [entry.name for entry in task.space.entries.values() if entry.kind & 0x2_0000]:
            got = task.poll(name)
            if got is not None and got.remote not in (0, DEAD) and self.chance.random() < 0.7:
                task.send(header(got.remote, remote_use=got.remote_use, ident=1), 0x10)

    def tidy(self) -> None:
        task = self.tasks[self.chance.choice(NODES)]
        for entry in list(task.space.entries.values()):
            mine = entry.name == task.self_name or entry.name in self.inboxes.values()
            if not mine and self.chance.random() < 0.4:
                task.space.destroy_name(entry.name)

    def wait(self) -> None:
        self.lan.run(self.chance.choice((100_000, MS, 30 * MS, SECOND)))

    def part(self) -> None:
        first, second = self.chance.sample(NODES, 2)
        self.lan.segment.separate(first, second)
        self.lan.run(self.chance.choice((MS, SECOND, 16 * SECOND)))
        self.lan.segment.rejoin(first, second)

    def restart_server(self) -> None:
        node = self.lan[self.chance.choice(NODES)]
        node.stop()
        self.lan.run(self.chance.choice((0, MS, SECOND)))
        node.start()

    def reboot(self) -> None:
        number = self.chance.choice(NODES)
        self.lan.crash(self.lan[number])
        self.lan.run(self.chance.choice((0, MS, 20 * SECOND)))
        self.epochs[number] += 1
        self.lan.boot(number, epoch=self.epochs[number])
        self.settle_in(number)

    def step(self) -> None:
        calm = [self.look_up, self.send, self.collect, self.tidy, self.wait]
        self.chance.choices([*calm, self.part, self.restart_server, self.reboot],
                            [4, 10, 10, 3, 6, 0.5, 0.5, 0.3])[0]()

    # -- afterwards ----------------------------------------------------------------------

    def empty(self, number: int) -> bool:
        """Take what is in a task's inbox, and give its rights up.  False: there was nothing."""
        task, count = self.tasks[number], 0
        while task.poll(self.inboxes[number]) is not None:
            count += 1
        for entry in list(task.space.entries.values()):
            if entry.name not in (task.self_name, self.inboxes[number]):
                task.space.destroy_name(entry.name)
        return count > 0

    def calm_down(self) -> None:
        """Everybody gives everything up; then all tables are empty, and names work."""
        self.lan.segment.loss = 0.0
        for number, task in self.tasks.items():
            for entry in list(task.space.entries.values()):
                if entry.name not in (task.self_name, self.inboxes[number]):
                    task.space.destroy_name(entry.name)
        self.lan.run(20 * SECOND)
        while sum(self.empty(number) for number in self.tasks):  # in each
            self.lan.run(20 * SECOND)  # what full queues had held up comes
        self.lan.run(100 * SECOND)  # unclaimed grants expire
        for node in self.lan.nodes:
            for table in ("import", "export", "grant", "held", "lookup", "query"):
                assert node.stat(table) == [], f"node {node.number}"
        for number, task in self.tasks.items():
            for other in NODES:
                if other != number:
                    way = self.lan.resolve(task, self.lan[number], b"task@%d" % other)
                    task.send(header(way, ident=number))
                    assert receive(self.lan, self.tasks[other], self.inboxes[other]).ident == number


@pytest.mark.req("A-N03")
@pytest.mark.parametrize("seed", range(5))
def test_after_the_storm_tables_are_empty_and_names_work(make_lan: MakeLan, seed: int) -> None:
    lan = make_lan(nodes=len(NODES), seed=seed, loss=0.1 if seed % 2 else 0.0)
    storm = Storm(lan, seed)
    for number in range(250):
        storm.step()
        if number % 25 == 0:
            lan.check()
    storm.calm_down()


# -- a peer that sends well-formed nonsense ---------------------------------------------------------


DISPOSITIONS: Final = {What.SEND_MINE: MOVE_SEND, What.SEND_YOURS: MOVE_SEND, What.SEND_THIRD: MOVE_SEND,
                       What.ONCE_MINE: MOVE_SEND_ONCE, What.ONCE_YOURS: MOVE_SEND_ONCE,
                       What.ONCE_THIRD: MOVE_SEND_ONCE, What.RECEIVE: MOVE_RECEIVE, What.DEAD: MOVE_SEND}

# Arrays of rights (what, which uid, out of line), and the lengths of plain regions.
Body = tuple[list[tuple[What, int, bool]], list[int]]
BODIES: Final = st.tuples(
    st.lists(st.tuples(st.sampled_from(list(DISPOSITIONS)), st.integers(0, 3), st.booleans()), max_size=5),
    st.lists(st.integers(0, 40), max_size=3))


def build(stranger: int, uids: list[int], body: Body, dest: int) -> Message:
    inline, found, places = bytearray(), [], []
    for what, which, out in body[0]:
        node, epoch = (stranger, 1) if what in (What.SEND_MINE, What.ONCE_MINE) else (1, 1)
        if what in (What.SEND_THIRD, What.ONCE_THIRD):
            node, epoch = 900 + which, 1
        uid = uids[which % len(uids)] if what in (What.SEND_YOURS, What.ONCE_YOURS) else 1000 + which
        gid = 5 if what in (What.SEND_THIRD, What.ONCE_THIRD) else 0
        if what == What.DEAD:
            node = epoch = uid = 0
        place = len(inline) + 8
        if out:
            inline += descriptor(DISPOSITIONS[what], 32, 2, 1 << 30).to_bytes(8, "little") + bytes(8)
            places.append(Region(place, bytes(8)))
            found.append(PortDescriptor(what, len(places), 1, 4, node, epoch, uid, gid))
        else:
            inline += descriptor(DISPOSITIONS[what], 64, 1).to_bytes(8, "little") + bytes(8)
            found.append(PortDescriptor(what, 0, 1, place, node, epoch, uid, gid))
    for length in body[1]:
        inline += descriptor(9, 8, length, 1 << 30).to_bytes(8, "little") + bytes(8)
        places.append(Region(len(inline) - 8, bytes(length)))
    return Message(dest, complex=True, descriptors=tuple(found), regions=tuple(places), inline=bytes(inline))


@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=BODIES, more=BODIES, change=st.none() | st.tuples(st.integers(0, 300), st.integers(1, 255)))
def test_nonsense_in_messages_costs_the_peer_its_association_at_most(
    make_lan: MakeLan, body: Body, more: Body, change: tuple[int, int] | None
) -> None:
    lan = make_lan(nodes=1)
    server = lan[1].actor()
    port = server.port()
    lan[1].acs.register(b"server", server, port)
    stranger = Stranger(lan)
    stranger.broadcast(FrameType.NAME_REQ, NameReq(1, b"server"))
    answer = stranger.last_answer()
    assert isinstance(answer, NameAns)
    octets = b""
    for number, each in enumerate((body, more), 1):
        octets += Item(number, build(stranger.node, [answer.uid, 7], each, answer.uid)).encode()
    if change is not None and 16 + 24 < change[0] < len(octets):
        octets = octets[:change[0]] + bytes([octets[change[0]] ^ change[1]]) + octets[change[0] + 1:]
    for start in range(0, len(octets), 1400):
        stranger.packet(Data((Stream(start, octets[start:start + 1400]),)).encode())
    lan.run(MS)
    lan.check()
    lan.run(40 * SECOND)  # it never answers
    lan.check()
    server.rig.kernel.terminate_task(server.task, None, "done")
    lan[1].rig.actors.remove(server)
    lan.run(SECOND)
    assert lan[1].stat("import") == lan[1].stat("export") == []
    lan.close()
