"""The schema of everything a node sends: frames, records, items, their numbers and labels.

This file is the one source.  The Python codecs (`frames.py`, `items.py`), the guests' C
header `servers/include/machemu/wire.h` and the listing `docs/wire.md` follow from it; the
last two are made by `tools/make_wire_header.py`.  Sections are those of security.md 4.
Integers are little-endian, except the EtherType.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from machemu.wire.layout import Layout, layout

# -- numbers ------------------------------------------------------------------------


class Suite(enum.IntEnum):
    """What protects a site's frames; one octet of the settings and of every frame (3)."""

    NONE = 0
    PAPER = 1
    MODERN = 2


class FrameType(enum.IntEnum):
    """Octet 4 of the header (4.1)."""

    NAME_REQ = 0x01
    NAME_ANS = 0x02
    NAME_ANN = 0x03
    NODE_UP = 0x04
    NODE_DOWN = 0x05
    KEY_ANNOUNCE = 0x06
    HS1 = 0x10
    HS2 = 0x11
    HS3 = 0x12
    HS_RETRY = 0x13
    DATA = 0x20
    CHAN_UNKNOWN = 0x21


class RecordType(enum.IntEnum):
    """What a record of a DATA packet is (4.6)."""

    PAD = 0
    ACK = 1
    STREAM = 2
    PING = 3
    PONG = 4
    CONFIRM = 5
    CLOSE = 6


class ItemKind(enum.IntEnum):
    """What an item of the stream is (4.7)."""

    MSG = 1
    CLAIM = 2
    GRANT = 3
    GRANT_FOR = 4
    GRANT_RES = 5
    CLAIM_PORT = 6
    CLAIM_RES = 7
    DROP = 8
    PORT_DEAD = 9
    SO_DROP = 10
    PORT_STATE = 11
    FLUSH = 12
    FLUSH_ACK = 13
    MSG_FAIL = 14
    RECV_TAKEN = 15


class Status(enum.IntEnum):
    """Of GRANT, GRANT_RES, CLAIM_RES, MSG_FAIL and NAME_ANS (4.7)."""

    OK = 0
    NO_SUCH_NAME = 1
    NOT_ALLOWED = 2
    DEAD = 3
    BAD_RIGHT = 4
    EXPIRED = 5
    BUSY = 6
    LIMIT = 7


class CloseReason(enum.IntEnum):
    """Of a CLOSE record (4.6)."""

    REKEYED = 1
    HALT = 2
    PROTOCOL = 3
    REVOKED = 4
    VIOLATIONS = 5


class DownReason(enum.IntEnum):
    """Of NODE_DOWN (4.2)."""

    HALT = 1
    REBOOT = 2
    QUARANTINE = 3


class Right(enum.IntEnum):
    """Of a message's destination and of GRANT_FOR (4.7, 4.8)."""

    SEND = 1
    SEND_ONCE = 2


class What(enum.IntEnum):
    """What a port descriptor carries (4.8)."""

    NOTHING = 0
    SEND_MINE = 1  # send right, home is the sender
    SEND_YOURS = 2  # send right, going home to the receiver
    SEND_THIRD = 3  # send right of a third node
    ONCE_MINE = 4
    ONCE_YOURS = 5
    ONCE_THIRD = 6
    RECEIVE = 7
    DEAD = 8


class PortState(enum.IntEnum):
    """Of PORT_STATE (4.7)."""

    OPEN = 0
    BLOCKED = 1


class Number:
    """Limits, flags, waiting times and other numbers.  Times are virtual, in ns or s as named."""

    ETHERTYPE: Final = 0x88B5  # IEEE local experimental; big-endian on the wire
    ETHERNET_HEADER: Final = 14  # octets before the header of 4.1
    ETHERNET_MIN: Final = 60  # octets of a frame, without FCS; the NIC pads
    MTU: Final = 1500  # octets of header and body at most
    MAGIC: Final = 0x4E47
    VERSION: Final = 1
    ALL_NODES: Final = 0xFFFF_FFFF  # dst_node of a broadcast
    FIRST_UID: Final = 256  # uids below are fixed
    UID_ACS_PEER: Final = 1
    UID_POLICY: Final = 2
    NO_OFFSET: Final = 0xFFFF_FFFF  # in a port descriptor that stands for no word of a message
    INTERFACE_PUBLIC: Final = 1
    INTERFACE_DOOR: Final = 2
    REPRESENTATION: Final = 1  # little-endian LP64
    HEADER_INLINE: Final = 32  # octets of Mach's message header, which does not travel as such
    # Flags.
    NAME_REQ_ANNOUNCE: Final = 1  # the answer may be announced
    NAME_REQ_ORIGIN: Final = 2  # an origin follows (`none`, `paper`)
    NAME_ANS_POLICY: Final = 1  # the name is in the policy
    ITEM_SEALED: Final = 1  # body under RSA (`paper`)
    MSG_COMPLEX: Final = 1
    OOL_DEALLOCATE: Final = 1
    GRANT_VOUCHED: Final = 1
    GRANT_MEASURED: Final = 2
    # Limits.
    NAME_MAX: Final = 64  # octets
    STREAM_DATA_MAX: Final = 1400  # octets of a STREAM record
    ITEM_BODY_MAX: Final = 1 << 20  # octets
    DESCRIPTORS_MAX: Final = 64  # of a message
    REGIONS_MAX: Final = 16  # out of line, of a message
    HOPS_MAX: Final = 8
    WINDOW_PACKETS: Final = 64  # in flight
    WINDOW_OCTETS: Final = 65536  # credit at the start
    REPLAY_WINDOW: Final = 1024  # packets
    ASSOCIATIONS: Final = 64  # of a node, unless the site says otherwise
    ASSOCIATIONS_MAX: Final = 256
    EXPORTS_MAX: Final = 4096  # of an association; imports likewise
    HELD_MESSAGES_MAX: Final = 16  # of a blocked port
    HELD_OCTETS_MAX: Final = 65536
    GRANTS_UNCLAIMED_MAX: Final = 256  # of a granter
    ACS_CACHE_ENTRIES: Final = 1024
    HALF_OPEN_MAX: Final = 32  # handshakes, in `none` and `paper`
    REGISTRATIONS_PER_TASK: Final = 4
    REGISTRATIONS_PER_NODE: Final = 256
    VIOLATIONS_MAX: Final = 3  # in VIOLATION_NS; then the association is closed
    REQUEST_RATE: Final = 20  # broadcasts taken from a node, in one second
    REQUEST_BURST: Final = 40
    CHAN_UNKNOWN_RATE: Final = 4  # sent in one second
    # Waiting times.
    RTO_START_NS: Final = 200_000_000
    RTO_MIN_NS: Final = 20_000_000
    RTO_MAX_NS: Final = 2_000_000_000
    ACK_DELAY_NS: Final = 5_000_000
    PING_NS: Final = 2_000_000_000  # of silence
    SUSPECT_NS: Final = 5_000_000_000
    DOWN_NS: Final = 15_000_000_000
    HALF_OPEN_NS: Final = 4_000_000_000
    NODE_UP_NS: Final = 30_000_000_000
    NAME_TRY_1_NS: Final = 250_000_000
    NAME_TRY_2_NS: Final = 500_000_000
    NAME_TRY_3_NS: Final = 1_000_000_000
    NAME_NEGATIVE_NS: Final = 2_000_000_000
    HS_TRY_1_NS: Final = 250_000_000
    HS_TRY_2_NS: Final = 500_000_000
    HS_TRY_3_NS: Final = 1_000_000_000
    HS_TRY_4_NS: Final = 2_000_000_000
    HS_BACKOFF_MAX_NS: Final = 30_000_000_000
    GRANT_UNCLAIMED_NS: Final = 60_000_000_000
    VIOLATION_NS: Final = 10_000_000_000
    QUARANTINE_NS: Final = 60_000_000_000
    TTL_VOUCHED_S: Final = 300
    TTL_UNVOUCHED_S: Final = 30
    HINT_TTL_MAX_S: Final = 300


ENUMERATIONS: Final[Mapping[str, type[enum.IntEnum]]] = {
    "SUITE": Suite, "TYPE": FrameType, "REC": RecordType, "KIND": ItemKind, "ST": Status, "REASON": CloseReason,
    "DOWN": DownReason, "RIGHT": Right, "WHAT": What, "STATE": PortState,
}  # by the prefix of their names in C


def numbers() -> dict[str, int]:
    """The numbers of `Number`, in order."""
    return {name: value for name, value in vars(Number).items() if name.isupper()}


# -- frames ---------------------------------------------------------------------------

ETHERNET: Final = layout("ETHERNET", "0:6 destination · 6:6 source · 12:2 ethertype as octets · 14 payload")

HEADER: Final = layout("HEADER", (
    "0:2 magic · 2:1 version · 3:1 suite · 4:1 type · 5:1 zero5 · 6:2 length · 8:4 src_node · 12:4 dst_node · "
    "16:4 src_epoch · 20:4 chan · 24:8 seq"))

BCAST: Final = layout("BCAST", "0:2 inner_len · 2:2 certs_len · 4 octets")  # inner, then certificates

NAME_REQ: Final = layout("NAME_REQ", "0:8 req_id · 8:2 flags · 10:2 name_len · 12:4 zero · 16 octets")
ORIGIN: Final = layout("ORIGIN", "0:8 uid · 8:2 name_len · 10:6 zero · 16 name")  # after NAME_REQ, padded to 8
NAME_ANS: Final = layout("NAME_ANS", (
    "0:8 req_id · 8:4 status · 12:2 flags · 14:2 name_len · 16:8 uid · 24 name"))
NAME_ANN: Final = layout("NAME_ANN", "0:4 ttl_s · 4:2 flags · 6:2 name_len · 8 name")
NODE_UP: Final = layout("NODE_UP", "0:4 generation · 4:4 zero · 8:8 uptime_ns")
NODE_DOWN: Final = layout("NODE_DOWN", "0:4 reason · 4:4 zero")
KEY_ANNOUNCE: Final = layout("KEY_ANNOUNCE", "0:16 iv · 16 sealed")
KEY: Final = layout("KEY", "0:4 magic as octets · 4:4 node · 8:4 flags · 12:4 e · 16:256 modulus")

HS: Final = layout("HS", "0:4 channel · 4:4 rel")  # HS1 and HS2 of `none` and `paper`
HS1_MODERN: Final = layout("HS1_MODERN", "0:16 cookie · 16:16 bmac · 32:40 m1")
HS2_MODERN: Final = layout("HS2_MODERN", "0:472 m2")
HS3_MODERN: Final = layout("HS3_MODERN", "0:440 m3")
HS_RETRY: Final = layout("HS_RETRY", "0:16 cookie")
CHAN_UNKNOWN: Final = layout("CHAN_UNKNOWN", "0:8 seq")

# -- records of a DATA packet -----------------------------------------------------------

RECORD: Final = layout("RECORD", "0:1 type · 1:1 zero · 2:2 body_len · 4 body")  # then zeros to 4
ACK: Final = layout("ACK", "0:8 largest · 8:8 bitmap · 16:8 stream_ack · 24:4 credit · 28:4 delay_us")
STREAM: Final = layout("STREAM", "0:8 offset · 8 data")
PING: Final = layout("PING", "0:8 token")
CONFIRM: Final = layout("CONFIRM", "0:4 rel · 4:4 zero · 8:8 transcript as octets")
CLOSE: Final = layout("CLOSE", "0:4 reason")

# -- items of the stream ------------------------------------------------------------------

PD: Final = layout("PD", (
    "0:1 what · 1:1 region · 2:2 count · 4:4 offset · 8:4 node · 12:4 epoch · 16:8 uid · 24:8 gid"))
PARTS: Final[Mapping[str, Layout]] = {"PD": PD}

ITEM: Final = layout("ITEM", "0:4 body_len · 4:1 kind · 5:1 flags · 6:2 zero · 8:8 id · 16 body")
MSG: Final = layout("MSG", (
    "0:8 dest_uid · 8:1 dest_right · 9:1 hops · 10:1 representation · 11:1 flags · 12:4 msgh_id · "
    "16:4 inline_length · 20:2 ndesc · 22:2 nool · 24:8 zero · 32:32 reply as PD · 64 rest"), PARTS)
OOL: Final = layout("OOL", "0:4 offset · 4:4 length · 8:4 flags · 12:4 zero")
CLAIM: Final = layout("CLAIM", "0:8 req_id · 8:4 interface · 12:2 name_len · 14:2 zero · 16 name")
GRANT: Final = layout("GRANT", (
    "0:8 req_id · 8:4 status · 12:4 ttl_s · 16:32 port as PD · 48:8 reg_id · 56:4 flags · 60:4 zero · "
    "64:32 measurement"), PARTS)
GRANT_FOR: Final = layout("GRANT_FOR", (
    "0:8 gid · 8:8 uid · 16:4 node · 20:4 epoch · 24:4 right · 28:4 zero"))
GRANT_RES: Final = layout("GRANT_RES", "0:8 gid · 8:4 status · 12:4 zero")
CLAIM_PORT: Final = layout("CLAIM_PORT", "0:4 node · 4:4 epoch · 8:8 gid · 16:8 uid")
CLAIM_RES: Final = layout("CLAIM_RES", "0:4 node · 4:4 epoch · 8:8 gid · 16:8 uid · 24:4 status · 28:4 right")
DROP: Final = layout("DROP", "0:8 uid · 8:4 references · 12:4 zero")
PORT_DEAD: Final = layout("PORT_DEAD", "0:8 uid · 8:4 reason · 12:4 zero")
SO_DROP: Final = layout("SO_DROP", "0:8 uid · 8:8 zero")
PORT_STATE: Final = layout("PORT_STATE", "0:8 uid · 8:4 state · 12:4 zero")
FLUSH: Final = layout("FLUSH", "0:8 token · 8:8 uid")
MSG_FAIL: Final = layout("MSG_FAIL", "0:8 item · 8:4 status · 12:4 zero")
RECV_TAKEN: Final = layout("RECV_TAKEN", "0:8 uid · 8:32 port as PD", PARTS)

# -- certificates (3.4) ---------------------------------------------------------------------

NODE_CERT: Final = layout("NODE_CERT", (
    "0:4 magic as octets · 4:4 node · 8:4 serial · 12:4 generation · 16:4 roles · 20:12 zero · 32:32 key · "
    "64:32 site_id · 96:16 name · 112:64 signature"))
BOOT_CERT: Final = layout("BOOT_CERT", (
    "0:4 magic as octets · 4:4 node · 8:4 epoch · 12:4 engine_flags · 16:32 static_key · 48:32 signing_key · "
    "80:32 platform · 112:4 generation · 116:12 zero · 128:64 signature"))


@dataclass(frozen=True, slots=True)
class Group:
    """Layouts that belong together, for the header and the listing."""

    title: str
    layouts: tuple[Layout, ...]


GROUPS: Final = (
    Group("Ethernet and the common header (4.1)", (ETHERNET, HEADER)),
    Group("Broadcasts (4.2)", (BCAST, NAME_REQ, ORIGIN, NAME_ANS, NAME_ANN, NODE_UP, NODE_DOWN)),
    Group("Key announcement of suite paper (4.4)", (KEY_ANNOUNCE, KEY)),
    Group("Handshakes (4.5)", (HS, HS1_MODERN, HS2_MODERN, HS3_MODERN, HS_RETRY, CHAN_UNKNOWN)),
    Group("Records of a DATA packet (4.6)", (RECORD, ACK, STREAM, PING, CONFIRM, CLOSE)),
    Group("Items of the stream (4.7)", (
        ITEM, CLAIM, GRANT, GRANT_FOR, GRANT_RES, CLAIM_PORT, CLAIM_RES, DROP, PORT_DEAD, SO_DROP, PORT_STATE,
        FLUSH, MSG_FAIL, RECV_TAKEN)),
    Group("Mach messages (4.8)", (MSG, PD, OOL)),
    Group("Certificates (3.4)", (NODE_CERT, BOOT_CERT)),
)

# -- labels: ASCII without a terminator unless \0 is written --------------------------------

LABELS: Final[Mapping[str, bytes]] = {
    "NODE_CERT": b"machemu-v1 node cert\0",
    "BOOT_CERT": b"machemu-v1 boot cert\0",
    "BCAST_KEY": b"machemu-v1 bcast key",
    "BCAST": b"machemu-v1 bcast",
    "BCAST_SIGN": b"machemu-v1 bcast\0",
    "HS1": b"machemu-v1 hs1",
    "NOISE_NAME": b"Noise_XX_25519_ChaChaPoly_SHA256",
    "PROLOGUE": b"machemu-gns-v1",
    "MEASUREMENT": b"machemu-v1 meas\0",
    "MAC": b"machemu-v1 mac",
    "WRAP": b"machemu-v1 wrap",
    "REG": b"machemu-v1 reg",
    "SHARE_CLIENT": b"machemu-v1 share client",
    "SHARE_SERVER": b"machemu-v1 share server",
    "CONV": b"machemu-v1 conv\0",
    "CONV_0": b"machemu-v1 conv 0",
    "CONV_1": b"machemu-v1 conv 1",
    "CONV_2": b"machemu-v1 conv 2",
    "CONV_3": b"machemu-v1 conv 3",
    "SEC_AB": b"machemu-v1 sec_ab",
    "KID": b"machemu-v1 kid",
    "POLICY": b"machemu-v1 policy",
    "POLICY_SIGN": b"machemu-v1 policy\0",
    "NEXT_SITE": b"machemu-v1 next site\0",
}
