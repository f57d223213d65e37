"""Result codes of Mach calls, and the exception that carries one to the trap's end.

Values: mach-abi.md 2.2, 4.1 and 4.3 (GNU Mach `mach/kern_return.h`, `mach/message.h`,
`mach/mig_errors.h`, `device/device_types.h`).
"""

from __future__ import annotations

import enum


class KernReturn(enum.IntEnum):
    SUCCESS = 0
    INVALID_ADDRESS = 1
    PROTECTION_FAILURE = 2
    NO_SPACE = 3
    INVALID_ARGUMENT = 4
    FAILURE = 5
    RESOURCE_SHORTAGE = 6
    NOT_RECEIVER = 7
    NO_ACCESS = 8
    MEMORY_FAILURE = 9
    MEMORY_ERROR = 10
    NOT_IN_SET = 12
    NAME_EXISTS = 13
    ABORTED = 14
    INVALID_NAME = 15
    INVALID_TASK = 16
    INVALID_RIGHT = 17
    INVALID_VALUE = 18
    UREFS_OVERFLOW = 19
    INVALID_CAPABILITY = 20
    RIGHT_EXISTS = 21
    INVALID_HOST = 22
    MEMORY_PRESENT = 23
    TERMINATED = 26
    TIMEDOUT = 27
    INTERRUPTED = 28


class MsgReturn(enum.IntEnum):
    """mach_msg results: send errors 0x1000_00xx, receive errors 0x1000_40xx."""

    SUCCESS = 0
    SEND_INVALID_DATA = 0x10000002
    SEND_INVALID_DEST = 0x10000003
    SEND_TIMED_OUT = 0x10000004
    SEND_WILL_NOTIFY = 0x10000005
    SEND_NOTIFY_IN_PROGRESS = 0x10000006
    SEND_INTERRUPTED = 0x10000007
    SEND_MSG_TOO_SMALL = 0x10000008
    SEND_INVALID_REPLY = 0x10000009
    SEND_INVALID_RIGHT = 0x1000000A
    SEND_INVALID_NOTIFY = 0x1000000B
    SEND_INVALID_MEMORY = 0x1000000C
    SEND_NO_BUFFER = 0x1000000D
    SEND_INVALID_TYPE = 0x1000000F
    SEND_INVALID_HEADER = 0x10000010
    RCV_INVALID_NAME = 0x10004002
    RCV_TIMED_OUT = 0x10004003
    RCV_TOO_LARGE = 0x10004004
    RCV_INTERRUPTED = 0x10004005
    RCV_PORT_CHANGED = 0x10004006
    RCV_INVALID_NOTIFY = 0x10004007
    RCV_INVALID_DATA = 0x10004008
    RCV_PORT_DIED = 0x10004009
    RCV_IN_SET = 0x1000400A
    RCV_HEADER_ERROR = 0x1000400B
    RCV_BODY_ERROR = 0x1000400C


class MigReturn(enum.IntEnum):
    TYPE_ERROR = -300
    REPLY_MISMATCH = -301
    REMOTE_ERROR = -302
    BAD_ID = -303
    BAD_ARGUMENTS = -304
    NO_REPLY = -305
    ARRAY_TOO_LARGE = -307
    SERVER_DIED = -308
    DESTROY_REQUEST = -309


class DeviceReturn(enum.IntEnum):
    """Results of the device interface, D_ in Mach."""

    SUCCESS = 0
    IO_ERROR = 2500
    WOULD_BLOCK = 2501
    NO_SUCH_DEVICE = 2502
    ALREADY_OPEN = 2503
    DEVICE_DOWN = 2504
    INVALID_OPERATION = 2505
    INVALID_RECNUM = 2506
    INVALID_SIZE = 2507
    NO_MEMORY = 2508
    READ_ONLY = 2509


class KernelError(Exception):
    """The guest's mistake: becomes the result of its trap, or of its RPC, in one place."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class KernelPanic(Exception):
    """Our own bug: stops the node, with its state."""
