"""Strategies for everything that travels on the wire."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from machemu.wire import items, records
from machemu.wire.codec import Coded
from machemu.wire.frames import (
    ChanUnknown,
    Data,
    Frame,
    Handshake,
    Header,
    KeyAnnounce,
    NameAnn,
    NameAns,
    NameReq,
    NodeDown,
    NodeUp,
    Origin,
)
from machemu.wire.layout import Kind
from machemu.wire.message import Message, PortDescriptor, Region
from machemu.wire.schema import FrameType, Suite, What

NAMES = st.binary(min_size=1, max_size=64)
NODES = st.integers(1, 0xFFFF_FFFE)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)


def coded(kind: type[Coded], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a class of fixed layout: any octets and integers, but for `given`."""
    chosen: dict[str, st.SearchStrategy[Any]] = {}
    for field in kind.LAYOUT.fields:
        if field.kind is Kind.INTEGER:
            chosen[field.name] = st.integers(0, 2 ** (8 * (field.size or 0)) - 1)
        elif field.kind is Kind.OCTETS and field.size is not None:
            chosen[field.name] = st.binary(min_size=field.size, max_size=field.size)
    return st.builds(kind, **{**chosen, **given})


@st.composite
def descriptors(draw: st.DrawFn, *, region: int = 0, offset: int | None = None) -> PortDescriptor:
    what = draw(st.integers(1, 8))
    gid = draw(U64) if what in (What.SEND_THIRD, What.ONCE_THIRD) else 0
    at = draw(U32) if offset is None else offset
    return PortDescriptor(what, region, 1, at, draw(U32), draw(U32), draw(U64), gid)


REPLIES = st.one_of(st.just(PortDescriptor()), descriptors(offset=0xFFFF_FFFF))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A message whose words lie on 8-octet places of their own."""
    places = draw(st.lists(st.sampled_from(["data", "port", "pointer"]), max_size=8))
    inline = bytearray()
    ports: list[PortDescriptor] = []
    regions: list[Region] = []
    for place in places:
        if place == "data":
            inline += draw(st.binary(min_size=8, max_size=8))
            continue
        if place == "port":
            ports.append(draw(descriptors(offset=len(inline))))
        else:
            names = draw(st.integers(0, 3))
            data = bytes(4 * names) + draw(st.binary(max_size=20))
            regions.append(Region(len(inline), data, draw(st.booleans())))
            ports += [draw(descriptors(region=len(regions), offset=4 * index)) for index in range(names)]
        inline += bytes(8)
    inline += draw(st.binary(max_size=7))
    return Message(draw(U64), draw(st.integers(1, 2)), draw(st.integers(0, 8)), draw(st.booleans()), draw(U32),
                   draw(REPLIES), tuple(ports), tuple(regions), bytes(inline))


CONTROL = st.one_of(
    coded(items.Claim, name=NAMES),
    coded(items.Grant, port=REPLIES, flags=st.integers(0, 3)),
    coded(items.GrantFor, right=st.integers(1, 2)),
    *(coded(kind) for kind in (items.GrantRes, items.ClaimPort, items.ClaimRes, items.Drop, items.PortDead,
                               items.SendOnceDrop, items.PortStateItem, items.Flush, items.FlushAck,
                               items.MessageFail)),
    coded(items.ReceiveTaken, port=REPLIES),
)
BODIES = st.one_of(messages(), CONTROL, st.builds(items.SealedItem, st.integers(1, 15), st.binary(max_size=40)))
ITEMS = st.builds(items.Item, U64, BODIES)

RECORDS = st.one_of(
    coded(records.Ack), coded(records.Stream, data=st.binary(max_size=60)), coded(records.Ping),
    coded(records.Pong), coded(records.Confirm), coded(records.Close))
PACKETS = st.builds(lambda some, pad: (*some, *pad), st.lists(RECORDS, max_size=6),
                    st.one_of(st.just(()), st.tuples(st.builds(records.Pad, st.integers(1, 9)))))


ORIGINS = coded(Origin, name=NAMES)
BROADCAST_BODIES = {
    FrameType.NAME_REQ: st.builds(NameReq, U64, NAMES, st.booleans(), st.none() | ORIGINS),
    FrameType.NAME_ANS: coded(NameAns, name=NAMES, flags=st.integers(0, 1)),
    FrameType.NAME_ANN: coded(NameAnn, name=NAMES, flags=st.just(0)),
    FrameType.NODE_UP: coded(NodeUp),
    FrameType.NODE_DOWN: coded(NodeDown),
}
OTHER_BODIES = {
    FrameType.KEY_ANNOUNCE: coded(KeyAnnounce, sealed=st.integers(1, 20).map(lambda blocks: bytes(16 * blocks))),
    FrameType.HS1: coded(Handshake, channel=st.integers(1, 2**32 - 1)),
    FrameType.HS2: coded(Handshake, channel=st.integers(1, 2**32 - 1)),
    FrameType.DATA: st.builds(Data, PACKETS),
    FrameType.CHAN_UNKNOWN: coded(ChanUnknown),
}


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Frames of `none` and `paper`."""
    kind = draw(st.sampled_from([*BROADCAST_BODIES, *OTHER_BODIES]))
    suite = Suite.PAPER if kind == FrameType.KEY_ANNOUNCE else draw(st.sampled_from([Suite.NONE, Suite.PAPER]))
    to = NODES | st.just(0xFFFF_FFFF) if kind in BROADCAST_BODIES else NODES
    chan = draw(st.integers(1, 2**32 - 1)) if kind in (FrameType.HS2, FrameType.DATA) else 0
    header = Header(suite, kind, draw(NODES), draw(to), draw(U32), chan, draw(U64))
    return Frame(header, draw({**BROADCAST_BODIES, **OTHER_BODIES}[kind]))
