"""The Ethernet segment: who hears what, when, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.cluster.segment import DELAY_NS, Counters, Passing, Segment, flip_bit

ALL: Final = b"\xff" * 6


def mac(node: int) -> bytes:
    return b"\x02\x4d\x4b" + node.to_bytes(3, "big")


def frame(to: bytes, text: bytes = b"", sender: int = 1) -> bytes:
    return (to + mac(sender) + b"\x88\xb5" + text).ljust(60, b"\0")


@dataclass
class Heard:
    """What the NICs of three nodes were told."""

    segment: Segment
    frames: list[tuple[int, int, bytes, bool]] = field(default_factory=list)  # node, arrival, octets, FCS good

    def attach(self, node: int) -> None:
        self.segment.attach(node, mac(node), lambda at, octets, good: self.frames.append((node, at, octets, good)))

    def nodes(self) -> list[int]:
        return [node for node, *_ in self.frames]


def lan(segment: Segment | None = None) -> Heard:
    heard = Heard(segment or Segment())
    for node in (1, 2, 3):
        heard.attach(node)
    return heard


def test_broadcast_reaches_all_but_its_sender_after_the_delay() -> None:
    heard = lan()
    heard.segment.transmit(1, 5_000, frame(ALL, b"hello"))
    assert heard.frames == []
    heard.segment.deliver(DELAY_NS)
    assert heard.frames == [(node, 5_000 + DELAY_NS, frame(ALL, b"hello"), True) for node in (2, 3)]


def test_unicast_reaches_its_owner_only_but_every_tap_sees_it() -> None:
    heard = lan()
    seen: list[Passing] = []
    heard.segment.taps.append(lambda passing: (seen.append(passing), (passing,))[1])
    heard.segment.transmit(1, 0, frame(mac(3)))
    heard.segment.deliver(DELAY_NS)
    assert heard.nodes() == [3]
    assert seen == [Passing(0, 1, frame(mac(3)))]


def test_frame_to_nobody_is_counted() -> None:
    heard = lan()
    for octets in (frame(mac(9)), frame(mac(1)), b"short"):  # nobody's, its own sender's, no Ethernet frame
        heard.segment.transmit(1, 0, octets)
    heard.segment.deliver(DELAY_NS)
    assert heard.frames == []
    assert heard.segment.counters.no_receiver == 3


def test_frames_are_handed_over_in_order_of_time_whoever_ran_first() -> None:
    one, other = lan(), lan()
    for heard, order in ((one, (1, 2)), (other, (2, 1))):
        for node in order:
            for count in range(3):
                heard.segment.transmit(node, 10 * count + node, frame(mac(3), bytes([node, count])))
        heard.segment.deliver(DELAY_NS)
    assert one.frames == other.frames
    times = [at for _, at, _, _ in one.frames]
    assert times == sorted(times)


def test_frames_of_one_node_at_one_instant_stay_in_order() -> None:
    heard = lan()
    for count in range(5):
        heard.segment.transmit(1, 7, frame(mac(2), bytes([count])))
    heard.segment.deliver(DELAY_NS)
    assert [octets[14] for _, _, octets, _ in heard.frames] == [0, 1, 2, 3, 4]


def send_many(segment: Segment, count: int = 1000) -> Heard:
    heard = lan(segment)
    for number in range(count):
        segment.transmit(1, number, frame(mac(2), number.to_bytes(4, "little")))
    segment.deliver(DELAY_NS)
    return heard


@pytest.mark.req("A-N11")
def test_each_fault_happens_at_its_rate_and_has_its_own_counter() -> None:
    segment = Segment(seed=1, loss=0.1, duplication=0.2, reordering=0.3, corruption=0.4)
    heard = send_many(segment)
    counters = segment.counters
    assert 70 < counters.lost < 130
    assert 140 < counters.duplicated < 220
    assert 220 < counters.reordered < 320
    assert 310 < counters.corrupted < 410
    assert counters.delivered == 1000 - counters.lost
    assert len(heard.frames) == counters.delivered + counters.duplicated


def test_same_seed_gives_the_same_faults() -> None:
    runs = [send_many(Segment(seed=seed, loss=0.5, corruption=0.5)).frames for seed in (4, 4, 5)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_one_rate_does_not_shift_the_chances_of_another() -> None:
    plain = {octets for *_, octets, _ in send_many(Segment(seed=3, loss=0.3)).frames}
    more = {octets for *_, octets, _ in send_many(Segment(seed=3, loss=0.3, duplication=0.5, reordering=0.5)).frames}
    assert plain == more


def test_corrupted_frame_differs_in_one_bit_and_fails_its_fcs() -> None:
    heard = send_many(Segment(corruption=1.0), 50)
    for number, (_, _, octets, good) in enumerate(heard.frames):
        sent = frame(mac(2), number.to_bytes(4, "little"))
        assert not good
        assert sum((a ^ b).bit_count() for a, b in zip(octets, sent, strict=True)) == 1


def test_reordered_frame_arrives_late_within_its_limit() -> None:
    segment = Segment(reordering=1.0, reorder_ns=500)
    for number, (_, at, _, _) in enumerate(send_many(segment, 200).frames):
        assert number + DELAY_NS < at <= number + DELAY_NS + 501


def test_loss_of_all_frames_delivers_none() -> None:
    assert send_many(Segment(loss=1.0), 20).frames == []


def test_loss_is_drawn_for_each_receiver() -> None:
    heard = lan(Segment(seed=2, loss=0.5))
    for number in range(50):
        heard.segment.transmit(1, number, frame(ALL))
    heard.segment.deliver(DELAY_NS)
    arrived = {node: {at for who, at, _, _ in heard.frames if who == node} for node in (2, 3)}
    assert arrived[2] != arrived[3]


def test_separated_nodes_hear_others_only() -> None:
    heard = lan()
    heard.segment.separate(1, 2)
    heard.segment.transmit(1, 0, frame(ALL))
    heard.segment.transmit(2, 1, frame(ALL))
    heard.segment.deliver(DELAY_NS)
    assert heard.nodes() == [3, 3]
    assert heard.segment.counters.cut == 2
    heard.segment.rejoin(2, 1)
    heard.segment.transmit(1, 2, frame(mac(2)))
    heard.segment.deliver(2 * DELAY_NS)
    assert heard.nodes() == [3, 3, 2]


def test_detached_node_hears_nothing() -> None:
    heard = lan()
    heard.segment.detach(2)
    heard.segment.transmit(1, 0, frame(ALL))
    heard.segment.deliver(DELAY_NS)
    assert heard.nodes() == [3]


def test_observer_is_told_the_fate_at_each_receiver() -> None:
    told: list[tuple[int, str, bytes, str]] = []
    heard = lan()
    heard.segment.observers.append(lambda *event: told.append(event))
    heard.segment.separate(1, 3)
    heard.segment.transmit(1, 9, frame(ALL))
    heard.segment.inject(10, frame(mac(3)))
    heard.segment.deliver(DELAY_NS)
    assert told == [(9, "1", frame(ALL), "2 delivered, 3 cut"), (10, "tap", frame(mac(3)), "3 delivered")]


def test_injected_frame_goes_to_everyone_it_names() -> None:
    heard = lan()
    heard.segment.inject(0, frame(ALL, sender=1))
    heard.segment.deliver(DELAY_NS)
    assert heard.nodes() == [1, 2, 3]
    assert (heard.segment.counters.injected, heard.segment.counters.sent) == (1, 0)


def test_counters_start_at_zero_and_count_octets() -> None:
    heard = lan()
    assert heard.segment.counters == Counters()
    heard.segment.transmit(1, 0, frame(ALL))
    assert (heard.segment.counters.octets, heard.segment.waiting) == (60, 1)


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_bit_flipped_twice_is_as_before(octets: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, 8 * len(octets) - 1))
    assert flip_bit(octets, bit) != octets
    assert flip_bit(flip_bit(octets, bit), bit) == octets
