"""Items of the stream, Mach messages among them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.wire.items import BODIES, Claim, Drop, Grant, Item, SealedItem, decode_item, item_size
from machemu.wire.layout import Malformed
from machemu.wire.message import NO_PORT, Message, PortDescriptor, Region
from machemu.wire.schema import ItemKind, Number, What
from tests.support.wire import ITEMS, messages


@given(ITEMS)
def test_any_item_comes_back(item: Item) -> None:
    octets = item.encode()
    assert decode_item(octets) == item
    assert item_size(octets) == len(octets)


@given(st.binary(max_size=200))
def test_arbitrary_octets_are_an_item_or_malformed(octets: bytes) -> None:
    try:
        item = decode_item(octets)
    except Malformed:
        return
    assert item.encode() == octets


@given(ITEMS, st.data())
def test_damaged_item_is_another_item_or_malformed(item: Item, data: st.DataObject) -> None:
    octets = bytearray(item.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = decode_item(bytes(octets))
    except Malformed:
        return
    assert again.encode() == bytes(octets)


@given(messages(), st.integers(0, 400))
def test_cut_message_is_malformed(message: Message, size: int) -> None:
    octets = message.encode()
    if size < len(octets):
        with pytest.raises(Malformed):
            Message.decode(octets[:size])
    with pytest.raises(Malformed):
        Message.decode(octets + bytes(8))


def test_every_kind_has_a_body() -> None:
    assert set(BODIES) == set(ItemKind)
    assert [kind.value for kind in ItemKind] == list(range(1, 16))


def test_claim_and_grant_have_the_octets_of_the_table() -> None:
    assert Item(1, Claim(5, 1, b"counter")).encode().hex() == (
        "17000000 02 00 0000 0100000000000000 0500000000000000 01000000 0700 0000 636f756e746572".replace(" ", ""))
    port = PortDescriptor(What.SEND_MINE, 0, 1, Number.NO_OFFSET, 2, 3, 256, 0)
    grant = Item(2, Grant(5, 0, 30, port, 4, Number.GRANT_VOUCHED, bytes(32))).encode()
    assert len(grant) == 16 + 96
    assert grant[16:].hex().startswith(
        "0500000000000000 00000000 1e000000 01 00 0100 ffffffff 02000000 03000000 0001000000000000".replace(" ", ""))


def test_message_has_the_octets_of_the_table() -> None:
    port = PortDescriptor(What.SEND_MINE, 0, 1, 8, 1, 7, 300, 0)
    name = PortDescriptor(What.DEAD, 1, 1, 4, 1, 7, 0, 0)
    reply = PortDescriptor(What.ONCE_MINE, 0, 1, Number.NO_OFFSET, 1, 7, 301, 0)
    inline = b"12345678" + bytes(16) + b"ab"
    message = Message(256, 1, 0, True, 1234, reply, (port, name), (Region(16, bytes(8) + b"x", True),), inline)
    assert message.encode().hex() == (
        "0001000000000000 01 00 01 01 d2040000 1a000000 0200 0100 0000000000000000"
        "04 00 0100 ffffffff 01000000 07000000 2d01000000000000 0000000000000000"
        "01 00 0100 08000000 01000000 07000000 2c01000000000000 0000000000000000"
        "08 01 0100 04000000 01000000 07000000 0000000000000000 0000000000000000"
        "10000000 09000000 01000000 00000000"
        "3132333435363738 0000000000000000 0000000000000000 6162 000000000000"
        "0000000000000000 78 00000000000000".replace(" ", ""))


PORT = PortDescriptor(What.SEND_MINE, 0, 1, 0, 1, 1, 256, 0)


@pytest.mark.req("A-N13")
@pytest.mark.parametrize("message", [
    pytest.param(Message(1, inline=b"\7" + bytes(7), descriptors=(PORT,)), id="local name left in the data"),
    pytest.param(Message(1, inline=bytes(7), descriptors=(PORT,)), id="word beyond the data"),
    pytest.param(Message(1, inline=bytes(8), descriptors=(replace(PORT, region=1),)), id="no such region"),
    pytest.param(Message(1, inline=bytes(8), descriptors=(NO_PORT,)), id="descriptor of nothing"),
    pytest.param(Message(1, inline=b"\1" * 8, regions=(Region(0, b"x"),)), id="address left in the data"),
    pytest.param(Message(1, inline=bytes(8), regions=(Region(4, b"x"),)), id="pointer beyond the data"),
    pytest.param(Message(1, inline=bytes(8), regions=(Region(0, b"\1" * 4),),
                         descriptors=(replace(PORT, region=1),)), id="local name left in a region"),
    pytest.param(Message(1, inline=bytes(8), descriptors=(replace(PORT, count=2),)), id="count"),
    pytest.param(Message(1, inline=bytes(8), descriptors=(replace(PORT, what=9),)), id="unknown right"),
    pytest.param(Message(1, inline=bytes(8), descriptors=(replace(PORT, gid=3),)), id="gid of no third node"),
    pytest.param(Message(1, reply=replace(NO_PORT, uid=3)), id="reply names a port but no right"),
    pytest.param(Message(1, dest_right=3), id="right"),
    pytest.param(Message(1, hops=9), id="hops"),
    pytest.param(Message(1, inline=bytes(520), descriptors=(PORT,) * 65), id="too many descriptors"),
    pytest.param(Message(1, inline=bytes(8), regions=(Region(0, b""),) * 17), id="too many regions"),
])
def test_message_that_breaks_a_rule_is_not_made(message: Message) -> None:
    with pytest.raises(ValueError):
        message.encode()


@pytest.mark.parametrize(("at", "octet"), [
    pytest.param(10, 2, id="other data representation"),
    pytest.param(11, 2, id="unknown flag"),
    pytest.param(24, 1, id="reserved"),
    pytest.param(8, 0, id="no right"),
    pytest.param(64 + 2, 2, id="count"),
    pytest.param(64 + 4, 1, id="word at the wrong place"),
    pytest.param(64 + 32, 1, id="word not zero"),
])
def test_message_that_breaks_a_rule_is_malformed(at: int, octet: int) -> None:
    octets = bytearray(Message(1, inline=bytes(8), descriptors=(PORT,)).encode())
    assert Message.decode(bytes(octets)).descriptors == (PORT,)
    octets[at] = octet
    with pytest.raises(Malformed):
        Message.decode(bytes(octets))


@pytest.mark.parametrize(("at", "octet"), [(4, 0), (4, 16), (5, 2), (6, 1), (0, 15)])
def test_item_header_is_checked(at: int, octet: int) -> None:
    octets = bytearray(Item(1, Drop(256, 1)).encode())
    octets[at] = octet
    with pytest.raises(Malformed):
        decode_item(bytes(octets))


def test_item_over_the_limit_is_refused_on_both_sides() -> None:
    limit = Number.ITEM_BODY_MAX
    assert len(Item(1, SealedItem(1, bytes(limit))).encode()) == limit + 16
    with pytest.raises(ValueError):
        Item(1, SealedItem(1, bytes(limit + 1))).encode()
    with pytest.raises(Malformed):
        item_size((limit + 1).to_bytes(4, "little") + bytes(12))
