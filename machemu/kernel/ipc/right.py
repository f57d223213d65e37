"""Rights: what a name can denote and what a message can carry.

Numbers are those of mach-abi.md 4.4 and 4.5 (GNU Mach `mach/port.h`, `mach/message.h`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port

MACH_PORT_NULL: Final = 0
MACH_PORT_DEAD: Final = 0xFFFF_FFFF

# Kinds of right as type bits of a name, `mach_port_type_t`.
SEND: Final = 0x0001_0000
RECEIVE: Final = 0x0002_0000
SEND_ONCE: Final = 0x0004_0000
PORT_SET: Final = 0x0008_0000
DEAD_NAME: Final = 0x0010_0000
SEND_RECEIVE: Final = SEND | RECEIVE
# Shown by `mach_port_type` only.
DEAD_NAME_REQUESTED: Final = 0x8000_0000
ACCEPTED_REQUESTED: Final = 0x4000_0000

UREFS_MAX: Final = 65534  # user references of a send right
DEAD_UREFS_MAX: Final = 65535


class Right(enum.IntEnum):
    """`mach_port_right_t`: the kinds by number, as calls name them."""

    SEND = 0
    RECEIVE = 1
    SEND_ONCE = 2
    PORT_SET = 3
    DEAD_NAME = 4

    @property
    def type_bit(self) -> int:
        return 1 << (16 + self.value)


# Dispositions, `mach_msg_type_name_t`.
MOVE_RECEIVE: Final = 16
MOVE_SEND: Final = 17
MOVE_SEND_ONCE: Final = 18
COPY_SEND: Final = 19
MAKE_SEND: Final = 20
MAKE_SEND_ONCE: Final = 21
PROTECTED_PAYLOAD: Final = 23
HEADER_DISPOSITIONS: Final = range(MOVE_SEND, MAKE_SEND_ONCE + 1)
BODY_DISPOSITIONS: Final = range(MOVE_RECEIVE, MAKE_SEND_ONCE + 1)

# What the receiver gets for each disposition (mach-abi.md 5.2).
ARRIVES_AS: Final = {
    MOVE_RECEIVE: MOVE_RECEIVE,
    MOVE_SEND: MOVE_SEND,
    MOVE_SEND_ONCE: MOVE_SEND_ONCE,
    COPY_SEND: MOVE_SEND,
    MAKE_SEND: MOVE_SEND,
    MAKE_SEND_ONCE: MOVE_SEND_ONCE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A right on its way: out of one space and not yet in another.

    `kind` is MOVE_RECEIVE, MOVE_SEND or MOVE_SEND_ONCE.  Whoever holds a Carried must
    pass it on, insert it in a space or `destroy` it, exactly once: the port's counts
    include it.
    """

    port: Port
    kind: int

    def destroy(self) -> None:
        """Give the right up, with the notifications that follow from it."""
        if self.kind == MOVE_SEND:
            self.port.drop_send()
        elif self.kind == MOVE_SEND_ONCE:
            self.port.drop_send_once()
        else:
            self.port.destroy()


class DeadRight:
    """What a message carries for a name whose port is dead: arrives as MACH_PORT_DEAD."""

    __slots__ = ()

    def destroy(self) -> None:
        """Nothing is held."""


DEAD: Final = DeadRight()
CarriedRight = Carried | DeadRight | None  # None: MACH_PORT_NULL
