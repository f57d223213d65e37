"""Messages between nodes: every kind of right and memory arrives as what it was."""

from __future__ import annotations

import random
import struct

import pytest

from machemu.kernel.ipc.right import Right
from machemu.wire.items import Item
from machemu.wire.message import Message
from machemu.wire.schema import Number, What
from tests.servers.gns_host.lan import MS, SECOND, Client, Lan, MakeLan, sender_of
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    OUT_OF_LINE,
    RCV_SENDER,
    Received,
    header,
    message,
    port_item,
    port_region_item,
    ports_item,
    region_item,
    word_item,
)

pytest_plugins = ("tests.servers.gns_host.fixtures",)

SEND_RIGHT, ONCE_RIGHT, DEAD_NAME = 0x1_0000, 0x4_0000, 0x10_0000
SEND_ONCE_NOTIFICATION = 71


def receive(lan: Lan, actor: Client, port: int, option: int = 0) -> Received:
    """The next message to `port`, once it has come."""
    queue = actor.space.lookup(port).port
    assert queue is not None
    assert lan.run(5 * SECOND, lambda: queue.queued > 0), "nothing came"
    return actor.take(port, option)


def messages_on_wire(lan: Lan) -> list[Message]:
    """All messages sent so far, as a wiretapper decodes them."""
    found: list[Item] = []
    for frame in lan.frames:
        found += lan.watcher.read(frame)[1]
    return [item.body for item in found if isinstance(item.body, Message)]


@pytest.mark.req("A-P11")
def test_request_and_reply_reach_the_other_side(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    octets = message(proxy, word_item(4711), local=reply, local_use=MAKE_SEND_ONCE, ident=1234)
    client.send(octets)
    request = receive(lan, server, port)
    assert (request.ident, request.body[8:12]) == (1234, struct.pack("<I", 4711))
    assert (request.remote_use, request.local, request.local_use) == (MOVE_SEND_ONCE, port, MOVE_SEND)
    server.send(message(request.remote, word_item(42), remote_use=MOVE_SEND_ONCE, ident=1334))
    answer = receive(lan, client, reply)
    assert (answer.ident, answer.body[8:12], answer.local_use) == (1334, struct.pack("<I", 42), MOVE_SEND_ONCE)


@pytest.mark.req("A-P10")
@pytest.mark.req("A-N13")
def test_wire_names_ports_by_node_and_uid(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    receive(lan, server, port)
    [sent] = messages_on_wire(lan)
    assert sent.reply.what == What.ONCE_MINE
    assert (sent.reply.node, sent.reply.epoch) == (1, 1)
    assert min(sent.dest_uid, sent.reply.uid) >= Number.FIRST_UID
    [row] = lan[2].stat("export")
    assert row["uid"] == f"{sent.dest_uid:x}"
    assert sent.dest_uid not in (port, proxy, int(row["port"], 16))
    [given] = lan[1].stat("export")
    assert given["uid"] == f"{sent.reply.uid:x}"
    assert sent.reply.uid not in (reply, int(given["port"], 16))


def test_receiver_learns_node_and_epoch_of_the_sender(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.send(header(proxy))
    assert sender_of(receive(lan, server, port, RCV_SENDER)) == (1, 1)


def test_steps_of_a_request_are_told_and_none_of_its_reply(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    lan.steps.clear()
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    server.send(header(receive(lan, server, port).remote, remote_use=MOVE_SEND_ONCE))
    receive(lan, client, reply)
    assert lan.steps == [(1, "res.9"), (1, "res.10"), (2, "res.11")]


# -- rights ---------------------------------------------------------------------------------


@pytest.mark.req("A-N14")
@pytest.mark.req("A-P13")
def test_a_port_sent_twice_has_one_name(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    gift = client.port()
    names = []
    for _ in range(2):
        client.send(message(proxy, port_item(gift, MAKE_SEND)))
        names.append(receive(lan, server, port).word(8))
    assert names[0] == names[1]
    assert server.names_of(names[0]) == 2
    assert len(lan[2].stat("import")) == 1
    server.send(header(names[0], ident=77))
    assert receive(lan, client, gift).ident == 77


@pytest.mark.req("A-N14")
def test_a_port_sent_home_is_the_port_itself(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    gift = client.port()
    client.send(message(proxy, port_item(gift, MAKE_SEND), local=client.port(), local_use=MAKE_SEND))
    request = receive(lan, server, port)
    server.send(message(request.remote, port_item(request.word(8), MOVE_SEND)))
    lan.run(20 * MS)
    answers = [client.poll(name) for name in client.space.entries if client.space.entries[name].kind & 0x2_0000
               and name != gift]
    [back] = [answer for answer in answers if answer is not None]
    assert back.word(8) == gift
    assert lan[1].stat("import")[0]["kind"] == "send"
    assert len(lan[1].stat("import")) == 1  # the server's port: no proxy of our own


def test_array_of_rights_of_both_kinds_of_home(make_lan: MakeLan) -> None:
    """One array, one disposition, but some ports are here and others there."""
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    mine = client.port()
    client.send(message(proxy, ports_item([_send_right(client, mine), proxy, 0, DEAD], COPY_SEND)))
    got = receive(lan, server, port)
    names = [got.word(8 + 8 * index) for index in range(4)]
    assert names[1] == port
    assert names[2:] == [0, DEAD]
    server.send(header(names[0], ident=5))
    assert receive(lan, client, mine).ident == 5


def _send_right(actor: Client, port: int) -> int:
    return actor.space.insert(actor.space.take(port, MAKE_SEND))


def test_arrays_of_rights_out_of_line(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    ports = [client.port() for _ in range(5)]
    names = [_send_right(client, name) for name in ports]
    client.memory.write(OUT_OF_LINE, struct.pack("<7I", *names, 0, DEAD))
    client.send(message(proxy, port_region_item(OUT_OF_LINE, 7, COPY_SEND), word_item(3)))
    got = receive(lan, server, port)
    array = struct.unpack("<7I", server.memory.read(got.word(8), 28))
    assert got.body[24:28] == struct.pack("<I", 3)
    assert array[5:] == (0, DEAD)
    for name, there in zip(ports, array[:5], strict=True):
        server.send(header(there, ident=name))
        assert receive(lan, client, name).ident == name


def test_send_once_right_in_a_body_works_once(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    once = client.port()
    client.send(message(proxy, port_item(once, MAKE_SEND_ONCE)))
    name = receive(lan, server, port).word(8)
    assert server.space.lookup(name).kind == ONCE_RIGHT
    server.send(header(name, remote_use=MOVE_SEND_ONCE, ident=9))
    got = receive(lan, client, once)
    assert (got.ident, got.local_use) == (9, MOVE_SEND_ONCE)
    lan.run(20 * MS)
    assert lan[1].stat("export") == [row for row in lan[1].stat("export") if row["kind"] == "send"]
    assert all(row["kind"] == "send" for row in lan[2].stat("import"))


def test_send_once_right_sent_on_to_its_own_node_still_works(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply, back = client.port(), client.port()
    client.send(message(proxy, port_item(back, MAKE_SEND), local=reply, local_use=MAKE_SEND_ONCE))
    request = receive(lan, server, port)
    server.send(message(request.word(8), port_item(request.remote, MOVE_SEND_ONCE)))
    name = receive(lan, client, back).word(8)
    assert client.space.lookup(name).kind == ONCE_RIGHT
    client.send(header(name, remote_use=MOVE_SEND_ONCE, ident=31))
    assert receive(lan, client, reply).ident == 31


def test_dead_reply_right_arrives_dead(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    name = _send_right(client, reply)
    client.space.change_references(reply, Right.RECEIVE, -1)
    client.send(header(proxy, name, COPY_SEND, COPY_SEND))
    assert receive(lan, server, port).remote == DEAD


# -- memory ----------------------------------------------------------------------------------


@pytest.mark.req("A-N09")
@pytest.mark.parametrize("size", [1, 7, 8, 4096, 5000, 65536])
def test_memory_arrives_octet_for_octet(make_lan: MakeLan, size: int) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    data = random.Random(size).randbytes(size)
    at = client.memory.allocate(0, 20 * 4096, True)
    client.memory.write(at + 100, data)
    client.send(message(proxy, word_item(1), region_item(at + 100, size), word_item(2)))
    got = receive(lan, server, port)
    assert server.memory.read(got.word(24), size) == data
    assert got.body[40:44] == b"\x02\0\0\0"


def test_region_of_no_octets_has_no_address(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.send(message(proxy, region_item(0x123, 0), word_item(2)))
    assert receive(lan, server, port).word(8) == 0


@pytest.mark.req("A-N08")
def test_large_message_is_cut_into_full_packets(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    octets = header(proxy, size=16000) + bytes(16000 - 32)
    lan.frames.clear()
    client.send(octets)
    receive(lan, server, port)
    data = [frame for frame in lan.frames if frame[6:12] == lan[1].mac]
    item = 16 + 64 + 16000 - 32
    assert len(data) == -(-item // Number.STREAM_DATA_MAX)
    assert max(len(frame) for frame in data) <= 1514


def test_message_of_the_largest_size_arrives(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    size = Number.ITEM_BODY_MAX - 64 - 16 - 16
    at = client.memory.allocate(0, size, True)
    client.memory.write(at + size - 5, b"last!")
    client.send(message(proxy, region_item(at, size)))
    got = receive(lan, server, port)
    assert server.memory.read(got.word(8) + size - 5, 5) == b"last!"


@pytest.mark.parametrize("why", ["octets", "inline octets", "rights", "regions", "receive right"])
def test_message_over_a_limit_ends_as_if_its_receiver_had_died(make_lan: MakeLan, why: str) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply, gift = client.port(), client.port()
    at = client.memory.allocate(0, (1 << 20) + 4096, True)
    bodies = {
        "octets": [region_item(at, 1 << 20)],
        "inline octets": [],
        "rights": [ports_item([gift] * 65, MAKE_SEND)],
        "regions": [region_item(at, 8)] * 17,
        "receive right": [port_item(gift, MOVE_RECEIVE)],
    }
    octets = message(proxy, *bodies[why], local=reply, local_use=MAKE_SEND_ONCE)
    if why == "inline octets":
        octets = header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE, size=1 << 20) + bytes((1 << 20) - 32)
        client.memory.write(at, octets)
        assert client.trap("mach_msg_trap", at, 1, len(octets), 0, 0, 0, 0) == 0
    else:
        client.send(octets)
    assert receive(lan, client, reply).ident == SEND_ONCE_NOTIFICATION
    assert lan[1].counter("msg_refused") == 1
    assert server.poll(port) is None
    assert not [row for row in lan[1].stat("export") if row["kind"] == "send-once"]


@pytest.mark.parametrize("size", [1 << 20, 5 << 18])
def test_reply_over_a_limit_ends_the_request(make_lan: MakeLan, size: int) -> None:
    """The larger one does not even fit the server's buffer."""
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    name = receive(lan, server, port).remote
    at = server.memory.allocate(0, size, True)
    server.memory.write(at, header(name, remote_use=MOVE_SEND_ONCE, size=size))
    assert server.trap("mach_msg_trap", at, 1, size, 0, 0, 0, 0) == 0
    assert receive(lan, client, reply).ident == SEND_ONCE_NOTIFICATION
    lan.run(SECOND)
    assert [row["kind"] for node in lan.nodes for row in node.stat("import")] == ["send"]
    assert lan[2].memory()[1] == lan[1].memory()[1]


def test_message_larger_than_the_usual_buffer_is_received(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    size = 200_000
    at = client.memory.allocate(0, size, True)
    client.memory.write(at, header(proxy, ident=3, size=size))
    client.memory.write(at + size - 8, b"the end!")
    assert client.trap("mach_msg_trap", at, 1, size, 0, 0, 0, 0) == 0
    queue = server.space.lookup(port).port
    assert queue is not None
    assert lan.run(SECOND, lambda: queue.queued > 0)
    to = server.memory.allocate(0, size, True)
    assert server.trap("mach_msg_trap", to, 2, 0, size, port, 0, 0) == 0
    assert server.memory.read(to + size - 8, 8) == b"the end!"


def test_a_thousand_requests_leave_nothing_behind(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()

    def exchange() -> None:
        client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
        server.send(header(receive(lan, server, port).remote, remote_use=MOVE_SEND_ONCE))
        receive(lan, client, reply)

    for _ in range(20):
        exchange()
    lan.run(2 * SECOND)
    before = [(node.memory(), len(node.task.space.entries)) for node in lan.nodes]
    for _ in range(1000):
        exchange()
    lan.run(2 * SECOND)
    assert [(node.memory(), len(node.task.space.entries)) for node in lan.nodes] == before


def test_a_request_and_its_reply_take_few_traps(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    counts = []
    for _ in range(30):
        before = [node.traps for node in lan.nodes]
        client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
        server.send(header(receive(lan, server, port).remote, remote_use=MOVE_SEND_ONCE))
        receive(lan, client, reply)
        counts.append([node.traps - start for node, start in zip(lan.nodes, before, strict=True)])
    # Node 1: receive the request, steps 9 and 10, receive an interrupt; the reply goes out with the
    # next receive.  Node 2: receive an interrupt, step 11, send the request, receive the reply.
    assert [max(count) for count in zip(*counts[2:], strict=True)] == [4, 4]
