"""Handshakes: how two boots come to an association, and what makes them begin it anew (3.5, 4.5)."""

from __future__ import annotations

import pytest

from machemu.wire.frames import ChanUnknown, Data, Ethernet, Handshake, decode_frame
from machemu.wire.items import Drop, Item
from machemu.wire.records import Close, Ping, Stream
from machemu.wire.schema import FrameType, Number
from tests.servers.gns_host.lan import MS, SECOND, MakeLan
from tests.servers.test_gns_messages import DEAD_NAME, receive
from tests.servers.test_gns_names import inject, sent
from tests.servers.test_gns_stream import Peer
from tests.support.rig import header

pytest_plugins = ("tests.servers.gns_host.fixtures",)


def test_two_frames_make_an_association(make_lan: MakeLan) -> None:
    lan = make_lan()
    lan.connect()
    first, second = sent(lan, Handshake)
    assert (first.header.type, first.header.src_node, first.header.chan) == (FrameType.HS1, 1, 0)
    assert (second.header.type, second.header.src_node) == (FrameType.HS2, 2)
    assert isinstance(first.body, Handshake)
    assert isinstance(second.body, Handshake)
    assert second.header.chan == first.body.channel
    assert second.header.seq == first.header.seq
    assert first.body.rel == second.body.rel == 1
    assert first.body.channel != second.body.channel or first.body.channel == 1


def test_handshake_is_sent_again_after_250_500_1000_and_2000_ms(make_lan: MakeLan) -> None:
    lan = make_lan()
    server, client = lan[2].actor(), lan[1].actor()
    lan[2].acs.register(b"server", server, server.port())
    lan.segment.taps.append(lambda frame: [] if frame.octets[18] == FrameType.HS2 else [frame])
    reply = client.lookup(lan[1], b"server")
    times: list[int] = []
    lan.run(SECOND, lambda: len(sent(lan, Handshake, 1)) > 0)
    start = lan.now
    for _ in range(4):
        times.append((lan.now - start) // MS)
        lan.run(3 * SECOND, lambda: len(sent(lan, Handshake, 1)) > len(times))
    assert times == [0, 250, 750, 1750]
    lan.run(2 * SECOND)
    assert client.answer(reply) == (1, 0)
    assert len({frame.header.seq for frame in sent(lan, Handshake, 1)[:4]}) == 1
    assert lan[1].counter("hs_failed") == 1
    assert lan[1].stat("import") == []


def test_repeated_request_gets_the_answer_it_got(make_lan: MakeLan) -> None:
    lan = make_lan()
    for _ in range(3):
        inject(lan[1], FrameType.HS1, Handshake(5, 1), seq=42)
    answers = sent(lan, Handshake, 1)
    assert len(answers) == 3
    assert len(set(map(str, answers))) == 1
    assert len(lan[1].stat("channel")) == 1


@pytest.mark.parametrize("seed", range(4))
def test_both_may_dial_at_once(make_lan: MakeLan, seed: int) -> None:
    """Both handshakes run; afterwards both sides send on the same channel, and go on to."""
    lan = make_lan(seed=seed, loss=0.2 if seed else 0.0)
    ports = {}
    for node in lan.nodes:
        owner = node.actor()
        ports[node.number] = (owner, owner.port())
        node.acs.register(b"server%d" % node.number, *ports[node.number])
    askers = {node.number: node.actor() for node in lan.nodes}
    lan.run(100 * MS)
    replies = {number: asker.lookup(lan[number], b"server%d" % (3 - number)) for number, asker in askers.items()}
    lan.run(8 * SECOND)
    lan.segment.loss = 0.0
    proxies = {}
    for number, asker in askers.items():
        status, proxies[number] = asker.answer(replies[number])
        assert status == 0
    for _ in range(3):
        for number, asker in askers.items():
            asker.send(header(proxies[number], ident=number))
            assert receive(lan, *ports[3 - number]).ident == number
        lan.run(11 * SECOND)
    sending = [(row["ours"], row["theirs"]) for row in lan[1].stat("channel") if row["sending"] == "1"]
    assert sending == [(row["theirs"], row["ours"]) for row in lan[2].stat("channel") if row["sending"] == "1"]
    assert len(lan[1].stat("channel")) == len(lan[2].stat("channel")) == 1


def test_half_open_handshakes_have_32_places_for_4_seconds(make_lan: MakeLan) -> None:
    lan = make_lan()
    for number in range(40):
        inject(lan[1], FrameType.HS1, Handshake(5, 1), src=100 + number, seq=number + 1)
    assert len(lan[1].stat("channel")) == 32
    assert lan[1].counter("hs_full") == 8
    lan.run(4100 * MS)
    assert lan[1].stat("channel") == []
    lan.connect()


def test_associations_nobody_needs_give_way(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    for number in range(100):
        inject(lan[1], FrameType.HS1, Handshake(5, 1), src=100 + number, seq=number + 1)
        lan.run(200 * MS)
    assert len(lan[1].stat("association")) <= Number.ASSOCIATIONS
    client.send(header(proxy, ident=2))
    assert receive(lan, server, port).ident == 2


def test_nodes_that_nothing_is_shared_with_are_forgotten(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    for number in range(600):
        inject(lan[1], FrameType.CHAN_UNKNOWN, ChanUnknown(1), src=1000 + number)
    assert len(lan[1].stat("peer")) == 256
    client.send(header(proxy, ident=2))
    assert receive(lan, server, port).ident == 2


def test_lower_rel_is_refused(make_lan: MakeLan) -> None:
    lan = make_lan()
    inject(lan[1], FrameType.HS1, Handshake(5, 3), seq=1)
    inject(lan[1], FrameType.HS1, Handshake(6, 2), seq=2)
    assert lan[1].counter("hs_stale_rel") == 1
    assert [row["theirs"] for row in lan[1].stat("channel")] == ["5"]


def test_equal_rel_goes_on_with_the_streams(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    for number in range(3):
        client.send(header(proxy, ident=number))
        receive(lan, server, port)
    inject(lan[2], FrameType.HS1, Handshake(77, 1), src=1, seq=1234)
    assert [row["state"] for row in lan[2].stat("export")] == ["live"]
    assert lan[2].counter("assoc_reset") == 0
    assert len(lan[2].stat("channel")) == 2
    client.send(header(proxy, ident=9))
    assert receive(lan, server, port).ident == 9


def test_higher_rel_drops_what_was(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.send(header(proxy))
    receive(lan, server, port)
    lan.run(1500 * MS)
    inject(lan[2], FrameType.HS1, Handshake(77, 2), src=1, seq=1234)
    assert lan[2].stat("export") == []
    assert lan[2].counter("assoc_reset") == 1


def test_frames_of_an_older_epoch_are_dropped(make_lan: MakeLan) -> None:
    lan = make_lan()
    inject(lan[1], FrameType.CHAN_UNKNOWN, ChanUnknown(1), epoch=5)
    inject(lan[1], FrameType.HS1, Handshake(5, 1), epoch=4)
    inject(lan[1], FrameType.CHAN_UNKNOWN, ChanUnknown(1), epoch=4)
    assert lan[1].counter("hs_stale_epoch") == 1
    assert lan[1].counter("rx_stale_epoch") == 1
    assert lan[1].stat("channel") == []


def test_data_for_no_channel_is_answered_by_a_hint_four_times_a_second(make_lan: MakeLan) -> None:
    lan = make_lan()
    for seq in range(10):
        inject(lan[1], FrameType.DATA, Data((Ping(1),)), chan=7, seq=seq)
    assert [frame.body for frame in sent(lan, ChanUnknown, 1)] == [ChanUnknown(seq) for seq in range(4)]
    assert lan[1].counter("rx_bad_chan") == 10


def test_hint_is_no_proof(make_lan: MakeLan) -> None:
    """A forged CHAN_UNKNOWN costs a PING."""
    lan = make_lan()
    client, proxy, server, port = lan.connect()
    client.send(header(proxy, ident=1))
    receive(lan, server, port)
    inject(lan[1], FrameType.CHAN_UNKNOWN, ChanUnknown(0), src=2)
    lan.run(SECOND)
    assert lan[1].counter("hs_sent") == 1
    client.send(header(proxy, ident=2))
    assert receive(lan, server, port).ident == 2


def test_third_violation_in_ten_seconds_closes_and_quarantines(make_lan: MakeLan) -> None:
    lan = make_lan()
    peer = Peer(lan, lan[1])
    offset = 0
    for number in range(1, 4):
        octets = Item(number, Drop(300, 1)).encode()
        peer.send(Stream(offset, octets))
        offset += len(octets)
    assert lan[1].counter("cap_violation") == 3
    assert lan[1].stat("association") == []
    last = decode_frame(Ethernet.decode(lan[1].sent[-1]).payload)
    assert isinstance(last.body, Data)
    assert last.body.records == (Close(5),)
    peer.send_frame(FrameType.HS1, Handshake(6, 2), 0, 0x77)
    assert lan[1].stat("association") == []
    lan.run(61 * SECOND)
    peer.send_frame(FrameType.HS1, Handshake(6, 2), 0, 0x78)
    assert len(lan[1].stat("association")) == 1


def test_close_by_the_peer_kills_its_ports_here(make_lan: MakeLan) -> None:
    lan = make_lan()
    client, proxy, _, _ = lan.connect()
    [channel] = [int(row["ours"]) for row in lan[1].stat("channel")]
    inject(lan[1], FrameType.DATA, Data((Close(3),)), src=2, chan=channel, seq=0)
    lan.run(MS)
    assert client.space.lookup(proxy).kind == DEAD_NAME
    again = lan.resolve(client, lan[1], b"server")
    assert again != proxy
