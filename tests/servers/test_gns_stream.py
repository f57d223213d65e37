"""The streams between two network servers: once and in order, whatever the wire does."""

from __future__ import annotations

import ctypes
import random
import struct

import pytest

from machemu.wire.frames import Data, Ethernet, Frame, Handshake, Header, decode_frame
from machemu.wire.items import Flush, Item
from machemu.wire.records import Ack, Stream
from machemu.wire.schema import FrameType, Number
from tests.servers.gns_host.lan import MS, SECOND, Client, Lan, MakeLan, Server
from tests.servers.test_gns_messages import DEAD_NAME, SEND_ONCE_NOTIFICATION, receive
from tests.support.rig import (
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    SEND_TIMEOUT,
    Received,
    header,
    message,
    port_item,
    region_item,
)

pytest_plugins = ("tests.servers.gns_host.fixtures",)

TIMED_OUT = 0x1000_0004


def numbered(proxy: int, number: int, octets: int) -> bytes:
    size = 32 + 8 + (octets + 7 & ~7)
    data = random.Random(number).randbytes(size - 40)
    return header(proxy, ident=number, size=size) + struct.pack("<Q", number) + data


def is_numbered(got: Received, number: int, octets: int) -> bool:
    return got.ident == number and got.body == numbered(1, number, octets)[32:]


def records(lan: Lan, node: int) -> list[Stream | Ack]:
    """STREAM and ACK records that a node has sent."""
    found = []
    for octets in lan.frames:
        frame = decode_frame(Ethernet.decode(octets).payload)
        if isinstance(frame.body, Data) and frame.header.src_node == node:
            found += [record for record in frame.body.records if isinstance(record, Stream | Ack)]
    return found


def transfer(lan: Lan, client: Client, proxy: int, server: Client, port: int, sizes: list[int]) -> None:
    """Send messages of these sizes as fast as the queue takes them; all arrive in order."""
    sent = 0
    for number, size in enumerate(sizes):
        while sent < len(sizes) and sent - number < 8 and _try_send(client, numbered(proxy, sent, sizes[sent])):
            sent += 1
        assert is_numbered(receive(lan, server, port), number, size)
    assert server.poll(port) is None


def _try_send(client: Client, octets: bytes) -> bool:
    result = client.send(octets, SEND_TIMEOUT)
    if result == TIMED_OUT:  # the right came back as one more reference
        client.space.deallocate(int.from_bytes(octets[8:12], "little"))
    return result == 0


@pytest.mark.req("A-N12")
@pytest.mark.parametrize("loss", [0.0, 0.05, 0.2, 0.5])
def test_messages_arrive_once_and_in_order(make_lan: MakeLan, loss: float) -> None:
    lan = make_lan(seed=7)
    client, proxy, server, port = lan.connect()
    lan.segment.loss = loss
    chance = random.Random(1)
    transfer(lan, client, proxy, server, port, [chance.choice((0, 8, 100, 1400, 5000)) for _ in range(200)])
    assert (lan.segment.counters.lost > 0) == (loss > 0)
    assert lan[1].counter("assoc_down") == 0


@pytest.mark.req("A-N09")
@pytest.mark.req("A-N11")
@pytest.mark.parametrize("seed", range(3))
def test_disordered_doubled_and_damaged_frames_make_no_difference(make_lan: MakeLan, seed: int) -> None:
    lan = make_lan(seed=seed)
    client, proxy, server, port = lan.connect()
    lan.segment.loss, lan.segment.duplication, lan.segment.reordering = 0.1, 0.2, 0.3
    lan.segment.corruption = 0.05
    chance = random.Random(seed)
    transfer(lan, client, proxy, server, port, [chance.choice((0, 100, 3000, 14000)) for _ in range(150)])
    assert lan[2].counter("rx_replay") > 0
    assert lan[2].counter("rx_reordered") > 0
    assert lan[1].counter("tx_lost") + lan[1].counter("tx_timeouts") > 0
    assert lan[1].counter("cap_violation") == lan[2].counter("cap_violation") == 0


@pytest.mark.req("A-N11")
@pytest.mark.parametrize(("fault", "counter"), [
    ("duplication", "rx_replay"), ("reordering", "rx_reordered"), ("loss", "tx_lost"),
])
def test_each_fault_is_counted_under_its_own_name(make_lan: MakeLan, fault: str, counter: str) -> None:
    lan = make_lan(seed=2)
    client, proxy, server, port = lan.connect()
    setattr(lan.segment, fault, 0.3)
    transfer(lan, client, proxy, server, port, [3000] * 60)
    others = {"rx_replay", "rx_reordered", "tx_lost"} - {counter}
    count = {name: lan[1].counter(name) + lan[2].counter(name) for name in others | {counter}}
    assert count[counter] > 0
    # What is late looks lost for a while, and what was sent again then comes twice.
    assert fault != "duplication" or not any(count[name] for name in others)


def test_lost_packet_is_sent_again_after_three_later_ones(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    lan.run(SECOND)
    dropped: list[bytes] = []

    def drop_one(frame):  # type: ignore[no-untyped-def]
        if frame.sender == 1 and len(frame.octets) > 1000 and not dropped:
            dropped.append(frame.octets)
            return []
        return [frame]

    lan.segment.taps.append(drop_one)
    start = lan.now
    client.send(numbered(proxy, 1, 12000))
    receive(lan, server, port)
    assert dropped
    assert lan.now - start < 5 * MS  # without waiting for the timeout
    assert lan[1].counter("tx_timeouts") == 0
    assert lan[1].counter("tx_lost") == 1


def test_timeout_doubles_from_200_ms(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, *_ = lan.connect()
    lan.segment.loss = 1.0

    def tries() -> int:
        return len([record for record in records(lan, 1) if isinstance(record, Stream) and record.offset == 0])

    start, times = lan.now, []
    client.send(header(proxy))
    for count in range(5):
        assert lan.run(5 * SECOND, lambda count=count: tries() > count)
        times.append((lan.now - start) // MS)
    assert times == [0, 200, 600, 1400, 3000]


def test_acknowledgement_waits_for_company_at_most_5_ms(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    lan.run(1500 * MS)
    lan.frames.clear()
    client.send(header(proxy))
    receive(lan, server, port)
    assert records(lan, 2) == []
    start = lan.now
    lan.run(SECOND, lambda: bool(records(lan, 2)))
    assert 4 * MS <= lan.now - start <= 5 * MS
    lan.frames.clear()
    for number in range(2):
        client.send(numbered(proxy, number, 1300))
        receive(lan, server, port)
    lan.settle()
    assert len(records(lan, 2)) == 1  # with the second packet, at once


def test_acknowledgement_rides_on_a_reply(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    request = receive(lan, server, port)
    lan.frames.clear()
    server.send(header(request.remote, remote_use=18))
    receive(lan, client, reply)
    assert [type(record) for record in records(lan, 2)] == [Ack, Stream]
    assert len(lan.frames) == 1


# -- flow ---------------------------------------------------------------------------------------


def fill(lan: Lan, client: Client, proxy: int, octets: int, limit: int = 10_000) -> int:
    """Send until the queue takes no more for a while; how many messages went."""
    sent = 0
    while sent < limit:
        if not _try_send(client, numbered(proxy, sent, octets)):
            lan.run(200 * MS)
            if not _try_send(client, numbered(proxy, sent, octets)):
                return sent
        sent += 1
        lan.settle()
    raise AssertionError("the sender is never stopped")


@pytest.mark.req("A-N10")
@pytest.mark.parametrize("octets", [0, 1000, 12000])
def test_stopped_receiver_stops_its_sender_and_memory_stays_bounded(make_lan: MakeLan, octets: int) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    pages = [node.memory()[1] for node in lan.nodes]
    sent = fill(lan, client, proxy, octets)
    assert (lan[1].stat("import")[0]["stopped"], lan[2].stat("held")) != ("0", [])
    used = [node.memory()[1] - before for node, before in zip(lan.nodes, pages, strict=True)]
    assert max(used) * 4096 < 1 << 20
    for number in range(sent):
        assert is_numbered(receive(lan, server, port), number, octets)
    lan.run(SECOND)
    assert server.poll(port) is None
    assert lan[1].stat("import")[0]["stopped"] == "0"
    assert lan[2].stat("held") == []
    assert _try_send(client, numbered(proxy, sent, octets))
    assert is_numbered(receive(lan, server, port), sent, octets)


@pytest.mark.req("A-N10")
def test_unacknowledged_octets_and_packets_stay_within_the_window(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, *_ = lan.connect()
    lan.run(SECOND)
    lan.segment.separate(2, 1)
    lan.segment.loss = 1.0
    lan.frames.clear()
    at = client.memory.allocate(0, 1 << 20, True)
    client.send(message(proxy, region_item(at, 900_000)))
    lan.run(MS)
    streams = [record for record in records(lan, 1) if isinstance(record, Stream)]
    assert len(streams) <= Number.WINDOW_PACKETS
    first = min(record.offset for record in streams)
    assert max(record.offset + len(record.data) for record in streams) - first <= Number.WINDOW_OCTETS


@pytest.mark.req("A-N10")
def test_one_stopped_receiver_does_not_stop_another(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, *_ = lan.connect()
    fill(lan, client, proxy, 1000)
    other, second = lan[1].actor(), lan[2].actor()
    free = second.port()
    lan[2].acs.register(b"free", second, free)
    way = lan.resolve(other, lan[1], b"free")
    reply = other.port()
    for ident in range(50):
        other.send(header(way, reply, COPY_SEND, MAKE_SEND_ONCE, ident=ident))
        second.send(header(receive(lan, second, free).remote, remote_use=18, ident=ident))
        assert receive(lan, other, reply).ident == ident


def test_rights_in_messages_that_are_held_arrive(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    gifts = [client.port() for _ in range(12)]
    for number, gift in enumerate(gifts):
        octets = message(proxy, port_item(gift, MAKE_SEND), port_item(proxy, COPY_SEND), local=gift,
                         local_use=MAKE_SEND_ONCE, ident=number)
        assert client.send(octets) == 0
        lan.settle()
        lan.run(MS)
    assert int(lan[2].stat("held")[0]["messages"]) == 7
    for number, gift in enumerate(gifts):
        got = receive(lan, server, port)
        assert (got.ident, got.word(24)) == (number, port)
        server.send(header(got.word(8), ident=100 + number))
        assert receive(lan, client, gift).ident == 100 + number
        server.send(header(got.remote, remote_use=18, ident=200 + number))
        assert receive(lan, client, gift).ident == 200 + number


def test_port_that_dies_with_held_messages_gives_their_rights_back(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    replies = [client.port() for _ in range(12)]
    for reply in replies:
        client.send(message(proxy, port_item(reply, MAKE_SEND), local=reply, local_use=MAKE_SEND_ONCE))
        lan.run(MS)
    assert lan[2].stat("held")
    server.space.destroy_name(port)
    lan.run(SECOND)
    for reply in replies:
        assert client.take(reply).ident == SEND_ONCE_NOTIFICATION
    assert client.space.lookup(proxy).kind == DEAD_NAME
    assert lan[1].stat("export") == lan[2].stat("port") == lan[2].stat("held") == []


@pytest.mark.req("A-N12")
def test_at_total_loss_the_sender_learns_in_bounded_time(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, *_ = lan.connect()
    lan.segment.loss = 1.0
    reply = client.port()
    client.send(header(proxy, reply, COPY_SEND, MAKE_SEND_ONCE))
    assert lan.run(16 * SECOND, lambda: client.space.lookup(reply).port.queued > 0)  # type: ignore[union-attr]
    assert client.take(reply).ident == SEND_ONCE_NOTIFICATION
    assert client.send(header(proxy)) == 0x1000_0003  # MACH_SEND_INVALID_DEST


def test_adapter_without_room_delays_and_loses_nothing(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    full = ctypes.c_int.in_dll(lan[1].library, "host_ring_full")
    full.value = 1
    client.send(numbered(proxy, 1, 5000))
    lan.run(50 * MS)
    assert lan[1].counter("tx_ring_full") > 0
    full.value = 0
    assert is_numbered(receive(lan, server, port), 1, 5000)


# -- a peer that does as it likes ------------------------------------------------------------------


class Peer:
    """Node 9: frames by hand, with a good handshake behind it."""

    def __init__(self, lan: Lan, server: Server) -> None:
        self.lan, self.server, self.number = lan, server, 0
        self.send_frame(FrameType.HS1, Handshake(5, 1), 0, 0x99)
        answer = decode_frame(Ethernet.decode(server.sent[-1]).payload)
        assert isinstance(answer.body, Handshake)
        self.channel = answer.body.channel

    def send_frame(self, kind: FrameType, body, chan: int, seq: int) -> None:  # type: ignore[no-untyped-def]
        header_ = Header(0, kind, 9, self.server.number, 1, chan, seq)
        mac = bytes.fromhex("024d4b000009")
        octets = Ethernet(self.server.mac, mac, Number.ETHERTYPE, Frame(header_, body).encode()).encode()
        self.server.receive(octets)
        self.lan.settle()

    def send(self, *records_: object) -> None:
        self.number += 1
        self.send_frame(FrameType.DATA, Data(tuple(records_)), self.channel, self.number - 1)  # type: ignore[arg-type]


@pytest.mark.req("A-N10")
def test_octets_scattered_over_the_window_take_one_ring(make_lan: MakeLan) -> None:
    lan = make_lan()
    peer = Peer(lan, lan[1])
    before = lan[1].memory()[1]
    chance = random.Random(4)
    for _ in range(500):
        peer.send(Stream(chance.randrange(1, 65536 - 10), chance.randbytes(10)))
    assert (lan[1].memory()[1] - before) * 4096 <= 65536 + 8192 + 2 * 65536
    assert lan[1].counter("rx_malformed") == 0


@pytest.mark.parametrize("record", [
    Stream(65536, b"x"), Stream(2**64 - 1, b"x"), Ack(0, 0, 1, 65536, 0), Stream(0, b"\xff" * 32),
])
def test_records_against_the_protocol_end_the_association(make_lan: MakeLan, record: Stream | Ack) -> None:
    lan = make_lan()
    peer = Peer(lan, lan[1])
    peer.send(record)
    assert lan[1].counter("rx_malformed") == 1
    assert lan[1].counter("assoc_closed") == 1
    assert lan[1].stat("association") == []


def test_octets_that_came_first_stay(make_lan: MakeLan) -> None:
    lan = make_lan()
    peer = Peer(lan, lan[1])
    item = Item(1, Flush(5, 6)).encode()
    peer.send(Stream(20, item[20:]))
    peer.send(Stream(0, item[:10]))
    peer.send(Stream(8, item[8:20] + b"\xff" * 12))
    assert lan[1].counter("rx_items") == 1
    answer = [record for record in records(lan, 1) if isinstance(record, Stream)]
    assert answer[-1].data[16:] == item[16:]
