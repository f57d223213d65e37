"""Names over the wire: figure 2, asked and answered by real network servers."""

from __future__ import annotations

import pytest

from machemu.wire.frames import (
    Ethernet,
    Frame,
    Header,
    NameAnn,
    NameAns,
    NameReq,
    NodeUp,
    Opened,
    Origin,
    decode_frame,
)
from machemu.wire.schema import FrameType, Number
from tests.servers.gns_host.lan import (
    ANSWERS_TO_ALL,
    GNS_ASKER,
    GNS_UNREGISTERED,
    MS,
    ORIGIN_TO_ALL,
    SECOND,
    Client,
    Lan,
    MakeLan,
    Server,
)
from tests.servers.test_gns_messages import DEAD_NAME, receive
from tests.support.rig import COPY_SEND, MAKE_SEND, Give, header, message, port_item

pytest_plugins = ("tests.servers.gns_host.fixtures",)

EVERYBODY = b"\xff" * 6
STRANGER = 77  # a node that is only frames


def sent(lan: Lan, kind: type[Opened], node: int | None = None) -> list[Frame]:
    """Frames with such a body, by one node or all."""
    found = []
    for octets in lan.frames:
        frame = decode_frame(Ethernet.decode(octets).payload)
        if isinstance(frame.body, kind) and node in (None, frame.header.src_node):
            found.append(frame)
    return found


def inject(server: Server, kind: FrameType, body: Opened, *, src: int = STRANGER, epoch: int = 1,
           to_all: bool = False, chan: int = 0, seq: int = 1) -> None:
    """Let the server receive a frame that no server sent."""
    header_ = Header(0, kind, src, Number.ALL_NODES if to_all else server.number, epoch, chan, seq)
    mac = bytes.fromhex("024d4b") + src.to_bytes(3, "big")
    server.receive(Ethernet(server.mac, mac, Number.ETHERTYPE, Frame(header_, body).encode()).encode())
    server.lan.settle()


@pytest.mark.req("A-P07")
def test_lookup_gives_a_send_right_on_a_proxy(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, port, _, _ = lan.connect()
    assert client.space.lookup(port).kind == 0x10000
    [row] = lan[1].stat("import")
    entry = lan[1].task.space.lookup(int(row["proxy"], 16))
    assert entry.port is client.space.lookup(port).port
    assert entry.kind == 0x20000  # its receiver is the server
    assert lan.steps == [(1, "res.3"), (2, "res.4"), (2, "res.6"), (1, "res.6a"), (1, "res.7")]


@pytest.mark.req("A-P00")
def test_tables_are_empty_before_anybody_talks(make_lan: MakeLan) -> None:
    lan = make_lan()
    lan.run(40 * SECOND)
    for node in lan.nodes:
        assert {row["table"] for row in node.stat()} == {"self", "peer", "counter"}


@pytest.mark.req("A-P03")
def test_request_says_what_is_wanted_and_who_asks(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    lan.connect()
    [request] = sent(lan, NameReq)
    assert isinstance(request.body, NameReq)
    assert (request.body.name, request.header.src_node, request.header.dst_node) == (b"server", 1, Number.ALL_NODES)


@pytest.mark.req("A-P04")
def test_node_without_the_name_asks_its_acs_and_stays_silent(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    lan.connect()
    assert lan[3].acs.asked == 1
    assert lan[3].steps == ["res.4"]
    assert sent(lan, NameAns, 3) == []


@pytest.mark.req("A-P05")
@pytest.mark.req("A-P06")
def test_answer_goes_to_who_asked_with_the_ports_identifier(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    _, _, server, port = lan.connect()
    [answer] = sent(lan, NameAns)
    assert isinstance(answer.body, NameAns)
    assert (answer.header.src_node, answer.header.dst_node, answer.body.name) == (2, 1, b"server")
    [row] = lan[2].stat("export")
    assert (row["node"], row["uid"]) == ("1", f"{answer.body.uid:x}")
    held = lan[2].task.space.lookup(int(row["port"], 16))
    assert held.port is server.space.lookup(port).port


def test_nobody_answers(make_lan: MakeLan) -> None:
    """Three tries, 250, 500 and 1000 ms apart; the answer is remembered for 2 s."""
    lan = make_lan()
    client = lan[1].actor()
    lan.run(MS)
    start, times = lan.now, []
    reply = client.lookup(lan[1], b"nobody")
    for _ in range(3):
        lan.run(SECOND, lambda: len(sent(lan, NameReq)) > len(times))
        times.append((lan.now - start) // MS)
    assert times == [0, 250, 750]
    lan.run(SECOND - MS)
    assert client.poll(reply) is None
    lan.run(2 * MS)
    assert client.answer(reply) == (1, 0)
    second = client.lookup(lan[1], b"nobody")
    lan.run(1900 * MS)
    assert client.answer(second) == (1, 0)
    assert len(sent(lan, NameReq)) == 3
    lan.run(100 * MS)
    client.lookup(lan[1], b"nobody")
    lan.run(200 * MS)
    assert len(sent(lan, NameReq)) == 4


def test_all_who_ask_meanwhile_get_the_one_answer(make_lan: MakeLan) -> None:
    lan = make_lan()
    server = lan[2].actor()
    lan[2].acs.register(b"server", server, server.port())
    clients = [lan[1].actor() for _ in range(5)]
    replies = [client.lookup(lan[1], b"server") for client in clients]
    lan.run(20 * MS)
    answers = [client.answer(reply) for client, reply in zip(clients, replies, strict=True)]
    assert {status for status, _ in answers} == {0}
    assert len(sent(lan, NameReq)) == 1
    for client, (_, port) in zip(clients, answers, strict=True):
        client.space.deallocate(port)
    lan.run(20 * MS)
    assert lan[1].stat("import") == []


def test_too_many_lookups_are_told_so(make_lan: MakeLan) -> None:
    lan = make_lan()
    client = lan[1].actor()
    replies = []
    for number in range(66):
        replies.append(client.lookup(lan[1], b"name%d" % number))
        lan.settle()
    assert [client.answer(reply) for reply in replies[64:]] == [(6, 0), (6, 0)]
    lan.run(3 * SECOND)
    assert {client.answer(reply) for reply in replies[:64]} == {(1, 0)}


def test_lookup_whose_asker_died_leaves_nothing(make_lan: MakeLan) -> None:
    lan = make_lan()
    server, client = lan[2].actor(), lan[1].actor()
    lan[2].acs.register(b"server", server, server.port())
    reply = client.lookup(lan[1], b"server")
    lan.settle()
    client.space.destroy_name(reply)
    lan.run(SECOND)
    assert lan[1].stat("import") == lan[2].stat("export") == lan[1].stat("lookup") == []


def test_request_that_comes_again_is_answered_again_for_one_reference(make_lan: MakeLan) -> None:
    lan = make_lan()
    server = lan[2].actor()
    lan[2].acs.register(b"server", server, server.port())
    for seq in range(3):
        inject(lan[2], FrameType.NAME_REQ, NameReq(99, b"server"), to_all=True, seq=1 + seq)
    assert len(sent(lan, NameAns)) == 3
    assert lan[2].acs.asked == 1
    assert [row["n"] for row in lan[2].stat("export")] == ["1"]


def test_lost_answer_is_asked_for_again_and_counted_once(make_lan: MakeLan) -> None:
    lan = make_lan(loss=0.5, seed=3)
    _, _, _, _ = lan.connect()
    lan.segment.loss = 0.0
    lan.run(SECOND)
    assert [row["n"] for row in lan[2].stat("export")] == [row["n"] for row in lan[1].stat("import")] == ["1"]


@pytest.mark.parametrize(("name", "asked"), [
    (b"proc@2", True), (b"proc@3", False), (b"@2", True), (b"a@b@2", True), (b"proc@", True), (b"x@2y", True),
    (b"proc@4294967298", False),
])
def test_name_of_a_node_is_answered_by_that_node_only(make_lan: MakeLan, name: bytes, asked: bool) -> None:
    lan = make_lan()
    inject(lan[2], FrameType.NAME_REQ, NameReq(1, name), to_all=True)
    assert lan[2].acs.asked == int(asked)


def test_answer_for_another_nodes_name_is_denied(make_lan: MakeLan) -> None:
    lan = make_lan()
    client = lan[1].actor()
    reply = client.lookup(lan[1], b"proc@2")
    lan.run(MS)
    [request] = sent(lan, NameReq)
    assert isinstance(request.body, NameReq)
    inject(lan[1], FrameType.NAME_ANS, NameAns(request.body.req_id, 0, 0, 256, b"proc@2"), src=3)
    assert lan[1].counter("name_denied") == 1
    assert client.poll(reply) is None


def test_second_node_with_the_name_is_a_conflict_and_gets_its_reference_back(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3)
    for node in (lan[2], lan[3]):
        owner = node.actor()
        node.acs.register(b"server", owner, owner.port())
        node.acs.register(b"proc@%d" % node.number, owner, owner.port())
    client = lan[1].actor()
    both = [lan.resolve(client, lan[1], b"proc@%d" % number) for number in (2, 3)]  # associations with both
    lan.resolve(client, lan[1], b"server")
    lan.run(20 * MS)
    assert lan[1].counter("name_conflict") == 1
    held = [len(node.stat("export")) for node in (lan[2], lan[3])]
    assert sorted(held) == [1, 2]
    assert len(set(both)) == 2


def test_answer_nobody_asked_for_is_ignored(make_lan: MakeLan) -> None:
    lan = make_lan()
    inject(lan[1], FrameType.NAME_ANS, NameAns(5, 0, 0, 256, b"server"))
    assert {row["table"] for row in lan[1].stat()} == {"self", "peer", "counter"}


def test_flood_of_requests_does_not_reach_the_acs(make_lan: MakeLan) -> None:
    """20 a second and 40 at once are taken from a node."""
    lan = make_lan()
    for seq in range(200):
        inject(lan[2], FrameType.NAME_REQ, NameReq(seq, b"x%d" % seq), to_all=True, seq=seq + 1)
    assert lan[2].acs.asked == 40
    assert lan[2].counter("rx_limited") == 160
    lan.run(SECOND)
    for seq in range(200, 250):
        inject(lan[2], FrameType.NAME_REQ, NameReq(seq, b"x%d" % seq), to_all=True, seq=seq + 1)
    assert lan[2].acs.asked == 60


def test_busy_acs_does_not_stop_the_network_server(make_lan: MakeLan) -> None:
    """Its queue is full and nobody serves it: queries are dropped, and asked again."""
    lan = make_lan()
    server = lan[2].actor()
    lan[2].acs.register(b"server", server, server.port())
    lan[2].acs.silent = True
    for seq in range(30):
        inject(lan[2], FrameType.NAME_REQ, NameReq(seq, b"x%d" % seq), to_all=True, seq=seq + 1)
    client = lan[1].actor()
    reply = client.lookup(lan[1], b"server")
    lan.run(300 * MS)
    lan[2].acs.silent = False
    lan.run(SECOND)
    assert client.answer(reply)[0] == 0
    assert lan[2].stat("query") == []


def test_node_says_when_it_comes_up(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=1)
    start, times = lan.now, []
    for _ in range(5):
        lan.run(40 * SECOND, lambda: len(sent(lan, NodeUp)) > len(times))
        times.append((lan.now - start) // SECOND)
    assert times == [0, 1, 3, 33, 63]


# -- the paper's two optimisations --------------------------------------------------------------


@pytest.mark.req("A-P18")
def test_answer_to_all_is_stored_by_all(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=4, flags=ANSWERS_TO_ALL)
    lan.connect()
    [answer] = sent(lan, NameAns)
    assert answer.header.dst_node == Number.ALL_NODES
    for node in (1, 3, 4):
        [row] = lan[node].stat("name")
        assert (row["name"], row["node"]) == ("server", "2")


@pytest.mark.req("A-P19")
def test_third_node_needs_no_frame_to_resolve(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3, flags=ANSWERS_TO_ALL)
    _, _, server, port = lan.connect()
    lan.run(5 * SECOND)
    lan.frames.clear()
    lan.steps.clear()
    client = lan[3].actor()
    proxy = lan.resolve(client, lan[3], b"server")
    assert lan.steps == [(3, "res.7")]
    assert lan.frames == []
    client.send(header(proxy, ident=12))
    assert receive(lan, server, port).ident == 12


def test_published_port_that_dies_is_withdrawn(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3, flags=ANSWERS_TO_ALL)
    client, proxy, server, port = lan.connect()
    client.send(header(proxy))
    receive(lan, server, port)
    server.space.destroy_name(port)
    lan.run(20 * MS)
    [withdrawal] = sent(lan, NameAnn)
    assert isinstance(withdrawal.body, NameAnn)
    assert (withdrawal.body.name, withdrawal.body.ttl_s) == (b"server", 0)
    assert lan[1].stat("name") == lan[3].stat("name") == []
    assert client.space.lookup(proxy).kind == DEAD_NAME
    assert [row["state"] for row in lan[2].stat("published")] == ["dead"]


def test_late_message_to_a_withdrawn_port_fails_and_is_no_violation(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=2, flags=ANSWERS_TO_ALL)
    client, proxy, server, port = lan.connect()
    client.send(header(proxy))
    receive(lan, server, port)
    reply = client.port()
    server.space.destroy_name(port)
    client.send(header(proxy, reply, 19, 21))
    assert receive(lan, client, reply).ident == 71
    assert lan[2].counter("msg_fail") <= 1
    assert lan[2].counter("cap_violation") == 0


@pytest.mark.req("A-P21")
def test_origin_of_a_request_is_stored_and_reached_without_resolution(make_lan: MakeLan) -> None:
    lan = make_lan()
    origin = Origin(300, b"asker")
    inject(lan[2], FrameType.NAME_REQ, NameReq(1, b"whatever", origin=origin), to_all=True, src=1)
    [row] = lan[2].stat("name")
    assert (row["name"], row["node"], row["uid"]) == ("asker", "1", f"{300:x}")
    lan.frames.clear()
    client = lan[2].actor()
    lan.resolve(client, lan[2], b"asker")
    assert sent(lan, NameReq, 2) == []


@pytest.mark.req("A-P21")
def test_request_of_a_registered_server_tells_all_who_asks(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3, flags=ORIGIN_TO_ALL)
    server, asker, own = asking_server(lan)
    [request] = sent(lan, NameReq)
    assert isinstance(request.body, NameReq)
    assert request.body.origin is not None
    assert request.body.origin.name == b"asker"
    assert [lan[node].stat("name")[0]["name"] for node in (2, 3)] == ["asker", "asker"]
    lan.frames.clear()
    way = lan.resolve(server, lan[2], b"asker")
    assert sent(lan, NameReq) == []
    server.send(header(way, ident=5))
    assert receive(lan, asker, own).ident == 5


def asking_server(lan: Lan) -> tuple[Client, Client, int]:
    """Node 1 has a server "asker" that has found "server", on node 2.  The latter, the former
    and its port."""
    server, asker = lan[2].actor(), lan[1].actor()
    lan[2].acs.register(b"server", server, server.port())
    own = asker.port()
    lan[1].acs.register(b"asker", asker, own)
    reply = lan[1].acs.look_up_for(b"asker", b"server")
    assert lan.run(SECOND, lambda: bool(lan[1].acs.actor.space.lookup(reply).port.queued))  # type: ignore[union-attr]
    assert lan[1].acs.actor.answer(reply)[0] == 0
    return server, asker, own


def origins(lan: Lan) -> list[bytes | None]:
    """Who asks, in each request sent."""
    bodies = [frame.body for frame in sent(lan, NameReq)]
    return [body.origin.name if body.origin else None for body in bodies if isinstance(body, NameReq)]


def test_request_that_is_repeated_says_again_who_asks(make_lan: MakeLan) -> None:
    lan = make_lan(flags=ORIGIN_TO_ALL)
    owner = lan[1].actor()
    lan[1].acs.register(b"asker", owner, owner.port())
    lan[1].acs.look_up_for(b"asker", b"nobody")
    lan.run(2 * SECOND)
    assert origins(lan) == [b"asker"] * 3


def test_request_for_somebody_else_says_nothing_of_who_asked_before(make_lan: MakeLan) -> None:
    lan = make_lan(flags=ORIGIN_TO_ALL)
    owner, client = lan[1].actor(), lan[1].actor()
    lan[1].acs.register(b"asker", owner, owner.port())
    lan[1].acs.look_up_for(b"asker", b"nobody")
    lan.run(10 * SECOND)
    lan.frames.clear()
    client.lookup(lan[1], b"nobody")
    client.lookup(lan[1], b"nothing")
    lan.run(SECOND)
    assert set(origins(lan)) == {None}


@pytest.mark.parametrize("end", ["port", "registration"])
def test_asker_that_has_gone_is_no_longer_named(make_lan: MakeLan, end: str) -> None:
    """Else a node that missed the withdrawal would be told of it after its end."""
    lan = make_lan(flags=ORIGIN_TO_ALL)
    owner = lan[1].actor()
    own = owner.port()
    lan[1].acs.register(b"asker", owner, own)
    lan[1].acs.look_up_for(b"asker", b"nobody")
    lan.run(MS)
    if end == "port":
        owner.space.destroy_name(own)
    else:
        lan[1].acs.unregister(b"asker")
    lan.run(2 * SECOND)
    assert origins(lan) == [b"asker", None, None]
    assert lan[2].stat("name") == []


@pytest.mark.parametrize("flags", [0, ANSWERS_TO_ALL])
def test_without_the_optimisation_no_request_says_who_asks(make_lan: MakeLan, flags: int) -> None:
    lan = make_lan(flags=flags)
    _, asker, own = asking_server(lan)
    assert origins(lan) == [None]
    assert lan[1].stat("published") == lan[2].stat("name") == []
    assert asker.space.lookup(own).port.send_rights == 1, "the ACS's"  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["a task", "a task of another node"])
def test_nobody_but_the_acs_says_who_asks_and_who_is_registered_no_more(make_lan: MakeLan, who: str) -> None:
    lan = make_lan(nodes=3, flags=ORIGIN_TO_ALL)
    asking_server(lan)
    if who == "a task":
        rogue = lan[1].actor()
        gns_port = lan[1].lookup_port(rogue)
    else:
        rogue = lan[3].actor()
        lan[1].acs.names[b"gns"] = lan[1].lookup_port(lan[1].acs.actor)
        gns_port = lan.resolve(rogue, lan[3], b"gns")
    own, before = rogue.port(), lan[2].stat("name")
    for ident, names in ((GNS_ASKER, (b"server", b"bank")), (GNS_UNREGISTERED, (b"asker",))):
        body, complex_ = rogue.request_body(ident, *(name.ljust(64, b"\0") for name in names), Give(own, MAKE_SEND))
        assert rogue.send(header(gns_port, 0, COPY_SEND, 0, ident, 32 + len(body), complex_) + body) == 0
        lan.run(20 * MS)
    lan[1].actor().lookup(lan[1], b"server")
    lan.run(20 * MS)
    assert [row["name"] for row in lan[1].stat("published")] == ["asker"]
    assert lan[2].stat("name") == before
    assert sent(lan, NameAnn) == []


@pytest.mark.parametrize("flags", [ANSWERS_TO_ALL, ORIGIN_TO_ALL])
def test_published_row_lives_as_long_as_the_registration(make_lan: MakeLan, flags: int) -> None:
    """The port lives on, but who was told of it by its name has it no more."""
    lan = make_lan(nodes=3, flags=flags)
    if flags == ORIGIN_TO_ALL:
        _, owner, port = asking_server(lan)
        home, name = lan[1], b"asker"
    else:
        _, _, owner, port = lan.connect()
        home, name = lan[2], b"server"
    client = lan[3].actor()
    proxy = lan.resolve(client, lan[3], name)
    client.send(header(proxy, ident=1))
    assert receive(lan, owner, port).ident == 1
    home.acs.unregister(name)
    lan.run(20 * MS)
    assert client.space.lookup(proxy).kind == DEAD_NAME
    assert lan[3].stat("name") == []
    assert [row["state"] for row in home.stat("published")] == ["dead"]
    assert owner.space.lookup(port).port.send_rights == 0, "nobody holds a right any more"  # type: ignore[union-attr]


def test_late_message_to_a_port_registered_no_more_fails_and_is_no_violation(make_lan: MakeLan) -> None:
    """It was on its way when the name was withdrawn."""
    lan = make_lan(flags=ANSWERS_TO_ALL)
    client, proxy, server, port = lan.connect()
    client.send(header(proxy))
    receive(lan, server, port)
    reply = client.port()
    lan[2].acs.unregister(b"server")
    client.send(header(proxy, reply, 19, 21))
    lan.settle()
    assert receive(lan, client, reply).ident == 71
    assert lan[2].counter("cap_violation") == 0
    assert client.poll(reply) is None
    assert server.poll(port) is None


def test_answer_is_not_repeated_once_it_is_withdrawn(make_lan: MakeLan) -> None:
    lan = make_lan(flags=ANSWERS_TO_ALL)
    server = lan[2].actor()
    lan[2].acs.register(b"server", server, server.port())
    for seq in (1, 2):
        inject(lan[2], FrameType.NAME_REQ, NameReq(99, b"server"), to_all=True, seq=seq)
    assert len(sent(lan, NameAns)) == 2
    lan[2].acs.unregister(b"server")
    inject(lan[2], FrameType.NAME_REQ, NameReq(99, b"server"), to_all=True, seq=3)
    assert len(sent(lan, NameAns)) == 2


def test_peer_that_has_a_row_keeps_its_right_when_the_name_is_withdrawn(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3, flags=ANSWERS_TO_ALL)
    _, _, server, port = lan.connect()
    friend = lan[3].actor()
    inbox = friend.port()
    lan[3].acs.register(b"friend", friend, inbox)
    way = lan.resolve(server, lan[2], b"friend")
    server.send(message(way, port_item(port, MAKE_SEND)))
    held = int(receive(lan, friend, inbox).word(8)) & 0xFFFF_FFFF
    lan[2].acs.unregister(b"server")
    lan.run(20 * MS)
    friend.send(header(held, ident=4))
    assert receive(lan, server, port).ident == 4
    friend.space.deallocate(held)
    lan.run(20 * MS)
    assert server.space.lookup(port).port.send_rights == 0  # type: ignore[union-attr]


def test_name_that_moves_to_another_port_is_withdrawn_from_the_first(make_lan: MakeLan) -> None:
    """Else the end of the first would take the name from the second."""
    lan = make_lan(nodes=3, flags=ANSWERS_TO_ALL)
    client, old, server, first = lan.connect()
    second = server.port()
    lan[2].acs.forget(b"server")
    lan[2].acs.register(b"server", server, second)
    lan.run(40 * SECOND)
    inject(lan[2], FrameType.NAME_REQ, NameReq(99, b"server"), to_all=True)
    lan.run(MS)
    other = lan[3].actor()
    new = lan.resolve(other, lan[3], b"server")
    server.space.destroy_name(first)
    lan.run(20 * MS)
    assert client.space.lookup(old).kind == DEAD_NAME
    other.send(header(new, ident=8))
    assert receive(lan, server, second).ident == 8
    assert [row["state"] for row in lan[2].stat("published")] == ["live", "dead"]


def test_table_of_published_names_forgets_withdrawn_ones_first(make_lan: MakeLan) -> None:
    lan = make_lan(flags=ORIGIN_TO_ALL)
    owner = lan[1].actor()
    for number in range(1030):
        name = b"s%d" % number
        port = owner.port()
        lan[1].acs.register(name, owner, port)
        lan[1].acs.actor.tell(lan[1], GNS_ASKER, b"x".ljust(64, b"\0"), name.ljust(64, b"\0"),
                              Give(lan[1].acs.names[name], COPY_SEND))
        lan.settle()
        if number:
            owner.space.destroy_name(port)
            lan[1].acs.forget(name)
            lan.settle()
    rows = lan[1].stat("published")
    assert len(rows) == 1024
    assert (rows[-1]["name"], rows[-1]["state"]) == ("s0", "live")
    assert len(lan[1].stat("port")) == 1024


def test_false_origin_of_a_name_of_another_node_is_denied(make_lan: MakeLan) -> None:
    lan = make_lan()
    inject(lan[2], FrameType.NAME_REQ, NameReq(1, b"x", origin=Origin(300, b"proc@1")), to_all=True)
    assert lan[2].stat("name") == []
    assert lan[2].counter("name_denied") == 1


def test_listing_has_one_row_a_name_whatever_its_octets(make_lan: MakeLan) -> None:
    """No name from the wire looks like another row, or like text that is none."""
    lan = make_lan()
    lan[2].acs.silent = True
    name, shown = b"x node=7\nname name=\xff\x7f%", "x%20node=7%0Aname%20name=%FF%7F%25"
    inject(lan[2], FrameType.NAME_REQ, NameReq(1, name, origin=Origin(300, name)), to_all=True)
    lan[2].actor().lookup(lan[2], b"a\tb")
    lan.settle()
    assert [row["name"] for table in ("name", "query", "lookup") for row in lan[2].stat(table)] == [
        shown, shown, "a%09b"]


def test_names_of_a_node_that_booted_again_are_forgotten(make_lan: MakeLan) -> None:
    lan = make_lan(nodes=3, flags=ANSWERS_TO_ALL)
    lan.connect()
    assert lan[3].stat("name")
    inject(lan[3], FrameType.NODE_UP, NodeUp(0, 1), src=2, epoch=2, to_all=True)
    assert lan[3].stat("name") == []
