"""The stream of one direction, put together again."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.wire.items import Drop, Item
from machemu.wire.layout import Malformed
from machemu.wire.message import Message
from machemu.wire.stream import WINDOW, StreamReassembler

ITEMS = [Item(1, Drop(256, 1)), Item(2, Message(256, inline=bytes(range(1, 200)))), Item(3, Drop(257, 2))]
STREAM = b"".join(item.encode() for item in ITEMS)


@given(st.data())
@pytest.mark.req("A-N09")
def test_pieces_in_any_order_doubled_and_overlapping_give_the_items_once(data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(STREAM) - 1), max_size=12)))
    edges = [0, *cuts, len(STREAM)]
    pieces = list(pairwise(edges))
    pieces += data.draw(st.lists(st.tuples(st.integers(0, len(STREAM)), st.integers(0, len(STREAM))), max_size=6))
    random.Random(data.draw(st.integers())).shuffle(pieces)
    stream, found = StreamReassembler(), []
    for start, end in pieces:
        found += stream.feed(start, STREAM[start:end])
        stream.check()
    assert found == ITEMS
    assert stream.received == len(STREAM)


def test_a_gap_holds_everything_back() -> None:
    stream = StreamReassembler()
    assert stream.feed(10, STREAM[10:]) == []
    assert stream.feed(0, STREAM[:9]) == []
    assert stream.feed(9, STREAM[9:10]) == ITEMS


def test_octets_that_arrived_are_not_replaced() -> None:
    stream = StreamReassembler()
    stream.feed(0, STREAM[:20])
    stream.feed(30, STREAM[30:40])
    assert stream.feed(0, b"\xff" * 20 + STREAM[20:30] + b"\xff" * 10 + STREAM[40:]) == ITEMS


def test_octets_beyond_the_window_are_refused() -> None:
    stream = StreamReassembler()
    stream.feed(WINDOW - 1, b"x")
    with pytest.raises(Malformed, match="STREAM"):
        stream.feed(WINDOW, b"x")


def test_item_ids_leave_no_gap() -> None:
    with pytest.raises(Malformed, match="id 2 after 0"):
        StreamReassembler().feed(0, Item(2, Drop(256, 1)).encode())


def test_item_with_a_length_beyond_the_limit_is_refused_at_its_header() -> None:
    with pytest.raises(Malformed, match="ITEM: a body of"):
        StreamReassembler().feed(0, b"\xff\xff\xff\x7f" + bytes(12))
