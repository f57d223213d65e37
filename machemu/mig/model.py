"""What a .defs file means: types, arguments, routines, and the messages they make.

Wire rules: mach-abi.md 1.4, 1.5, 7.2 and 7.3 (GNU MIG, 64-bit).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from machemu.mig.syntax import Side

HEADER_OCTETS: Final = 32
DESCRIPTOR_OCTETS: Final = 8
ALIGN: Final = 8  # octets: of every descriptor and every datum
RETCODE_OCTETS: Final = 16  # descriptor, code, padding
REPLY_DISTANCE: Final = 100  # reply id = request id + this
INDEFINITE_OCTETS: Final = 2048  # most an indefinite array carries inline
LONG_BITS: Final = 256  # an element this big makes the descriptor long
LONG_NUMBER: Final = 4096  # so does this many elements

POLYMORPHIC: Final = -1
BOOLEAN, INTEGER_16, INTEGER_32, CHAR, BYTE, REAL, INTEGER_64, STRING_C, PORT_NAME = (
    0, 1, 2, 8, 9, 10, 11, 12, 15)
MOVE_RECEIVE, MOVE_SEND, MOVE_SEND_ONCE, COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE = range(16, 22)
PORTS: Final = range(MOVE_RECEIVE, MAKE_SEND_ONCE + 1)
ARRIVES_AS: Final = {
    MOVE_RECEIVE: MOVE_RECEIVE, MOVE_SEND: MOVE_SEND, MOVE_SEND_ONCE: MOVE_SEND_ONCE,
    COPY_SEND: MOVE_SEND, MAKE_SEND: MOVE_SEND, MAKE_SEND_ONCE: MOVE_SEND_ONCE,
}
PORT_BITS: Final = 64  # of a port inline
OUT_OF_LINE_PORT_BITS: Final = 32

# Base types whose values are unsigned; every other INTEGER is signed.
UNSIGNED_ORIGINS: Final = frozenset({
    "unsigned", "unsigned32", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "uintptr_t", "natural_t",
    "long_natural_t", "rpc_uintptr_t", "mach_port_name_t", "mach_msg_type_number_t", "vm_address_t",
    "vm_offset_t", "vm_size_t", "rpc_vm_address_t", "rpc_vm_offset_t", "rpc_vm_size_t", "recnum_t",
    "rpc_recnum_t", "rpc_phys_addr_t",
})


class Deallocate(enum.Enum):
    NO = "no"
    YES = "yes"
    ASK = "ask"  # Dealloc[]: whoever sends decides by an argument


class Direction(enum.Enum):
    IN = "in"
    OUT = "out"
    INOUT = "inout"
    REQUEST_PORT = "requestport"
    REPLY_PORT = "replyport"
    USER_REPLY_PORT = "ureplyport"
    SERVER_REPLY_PORT = "sreplyport"
    WAIT_TIME = "waittime"
    MSG_OPTION = "msgoption"
    SEQUENCE_NUMBER = "msgseqno"


@dataclass(frozen=True, slots=True)
class Function:
    """A translation: `result` = `name`(`argument`), both C types."""

    result: str
    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a C struct on the wire."""

    name: str
    type: Type
    offset: int  # octets


@dataclass(frozen=True, slots=True)
class Type:
    """A type on the wire and in C.  `number` counts wire elements (of `bits` each): exactly,
    or at most when `variable` (then 0: no limit)."""

    name: str
    sent: int  # msgt_name as sent; POLYMORPHIC: the sender says
    received: int  # as it arrives; POLYMORPHIC: the receiver is told
    bits: int
    number: int = 1
    inline: bool = True
    variable: bool = False
    indefinite: bool = False
    by_value: bool = True  # in C; arrays and strings go by pointer
    string: bool = False
    long_form: bool | None = None  # None: by rule
    deallocate: Deallocate = Deallocate.NO
    element: Type | None = None  # of arrays and what `^` points at
    fields: tuple[Field, ...] = ()
    align: int = 1  # octets: of the C type
    user_type: str = ""  # in C; "": by what it is made of
    server_type: str = ""
    in_translation: Function | None = None
    out_translation: Function | None = None
    destructor: str = ""
    payload: Function | None = None
    origin: tuple[str, ...] = ()  # names this was defined from, nearest first

    @property
    def is_port(self) -> bool:
        return self.sent in PORTS or self.received in PORTS

    @property
    def is_polymorphic(self) -> bool:
        return POLYMORPHIC in (self.sent, self.received)

    @property
    def is_array(self) -> bool:
        return not self.by_value or self.element is not None

    @property
    def is_signed(self) -> bool:
        return UNSIGNED_ORIGINS.isdisjoint((self.name, *self.origin)) and self.sent != PORT_NAME

    @property
    def is_long(self) -> bool:
        if self.long_form is not None:
            return self.long_form
        return (self.bits >= LONG_BITS or self.number >= LONG_NUMBER or self.indefinite
                or (self.variable and not self.inline))

    @property
    def octets(self) -> int:
        """Data inline, without padding, at most; 0: no limit (out of line)."""
        return self.bits * self.number // 8

    @property
    def room(self) -> int:
        """Octets the data takes in a message at most, padding included."""
        if not self.inline:
            return 8
        # Not even one element of an indefinite array may fit: then it is only ever an address.
        return max(padded(self.octets), 8) if self.indefinite else padded(self.octets)

    @property
    def group(self) -> int:
        """Wire elements per element as C counts them (structs in an array)."""
        return self.element.number if self.element is not None and self.is_array else 1

    @property
    def counted(self) -> bool:
        """Does C pass a count beside it."""
        return self.variable and not self.string

    @property
    def carries(self) -> bool | None:
        """Does it make a message complex; None: known only when it is sent."""
        if self.is_port or not self.inline:
            return True
        return None if self.is_polymorphic or self.indefinite else False


def padded(octets: int) -> int:
    return (octets + ALIGN - 1) // ALIGN * ALIGN


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    direction: Direction
    type: Type
    count_in_out: bool = False
    server_copy: bool = False
    return_code: bool = False
    line: int = 0

    @property
    def in_request(self) -> bool:
        return self.direction in (Direction.IN, Direction.INOUT)

    @property
    def in_reply(self) -> bool:
        return self.direction in (Direction.OUT, Direction.INOUT)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a message: an argument, or the count of a CountInOut one."""

    name: str
    type: Type
    argument: Argument
    is_count: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The items of a message after `start` octets (header, and RetCode in a reply)."""

    items: tuple[Item, ...]
    start: int

    @property
    def largest(self) -> int:
        return self.start + sum(DESCRIPTOR_OCTETS + item.type.room for item in self.items)

    @property
    def smallest(self) -> int:
        return self.start + sum(DESCRIPTOR_OCTETS + _least(item.type) for item in self.items)

    @property
    def complex(self) -> bool | None:
        """None: known only when the message is sent."""
        known = [item.type.carries for item in self.items]
        return True if True in known else None if None in known else False


def _least(kind: Type) -> int:
    if kind.indefinite or (kind.variable and kind.inline):
        return 0
    return kind.room


@dataclass(frozen=True, slots=True)
class Routine:
    name: str
    ident: int
    simple: bool
    arguments: tuple[Argument, ...]
    user_name: str
    server_name: str
    message_option: str | None
    wait_time: str | None
    request: Layout
    reply: Layout
    line: int = 0

    def only(self, *directions: Direction) -> Argument | None:
        """The argument of one of these directions, if there is one."""
        return next((a for a in self.arguments if a.direction in directions), None)

    @property
    def request_port(self) -> Argument:
        found = self.only(Direction.REQUEST_PORT)
        assert found is not None
        return found


@dataclass(slots=True)
class Subsystem:
    name: str
    base: int
    source: str  # the .defs file, without folders
    routines: list[Routine] = field(default_factory=list)
    count: int = 0  # ids used, skipped ones included
    imports: list[tuple[str, Side]] = field(default_factory=list)
    server_demux: str = ""
    shortcuts: frozenset[str] = frozenset()
    kernel_user: bool = False
    kernel_server: bool = False
    warnings: list[str] = field(default_factory=list)  # `file:line: warning: text`
