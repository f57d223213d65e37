"""mach_msg: send, receive, or both (mach-abi.md 2).  Follows Mach 3 `ipc/mach_msg.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.kernel.ipc.message import Message
from machemu.kernel.ipc.receive import queue_of, take_first
from machemu.kernel.ipc.right import MOVE_SEND
from machemu.kernel.ipc.send import copy_in, no_room
from machemu.kernel.results import MsgReturn
from machemu.kernel.task.waits import ReceiveWait, SendWait
from machemu.kernel.traps.call import BLOCKED, Trap, TrapCall

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.thread import Thread

MACH_SEND_MSG: Final = 0x0001
MACH_RCV_MSG: Final = 0x0002
MACH_SEND_TIMEOUT: Final = 0x0010
MACH_SEND_NOTIFY: Final = 0x0020
MACH_SEND_CANCEL: Final = 0x0080
MACH_RCV_TIMEOUT: Final = 0x0100
MACH_SEND_PEER: Final = 0x0020_0000
MASK: Final = 0xFFFF_FFFF


def mach_msg_trap(call: TrapCall) -> int | None:
    """Arguments: msg, option, send_size, rcv_size, rcv_name, timeout (ms), notify.

    Raises KernelError with the MACH_SEND_ and MACH_RCV_ codes of mach-abi.md 2.2.
    """
    address, option, send_size, receive_size, receive_name, timeout, notify, _ = call.arguments
    thread = call.thread
    if option & MACH_SEND_MSG:
        kernel = call.kernel
        task = call.task
        with_peer = bool(option & MACH_SEND_PEER) and task is kernel.network_server
        message = copy_in(task.space, task.memory, address, send_size & MASK, with_peer,
                          notify & MASK if option & MACH_SEND_CANCEL else None)
        dest = message.dest
        if kernel.events.message_sent:
            kernel.report_sent(message)
        if dest.kernel_object is not None:
            kernel.serve(message, call.task)
            if not thread.alive:
                return BLOCKED
        elif dest.queued >= dest.limit and message.dest_kind == MOVE_SEND:
            return _wait_to_send(call, message)
        else:
            kernel.clock.charge(len(message.data) >> 3)
            dest.enqueue(message)
    if option & MACH_RCV_MSG:
        return receive(call.kernel, thread, address, option, receive_size & MASK,
                       receive_name & MASK, timeout & MASK, notify & MASK)
    return MsgReturn.SUCCESS


def receive(kernel: Kernel, thread: Thread, address: int, option: int, size: int,
            name: int, timeout: int, notify: int) -> int | None:
    """The receiving half, for the current thread or one that could send at last."""
    task = thread.task
    queue = queue_of(task.space, name)
    if queue.messages:
        return take_first(queue, task.space, task.memory, address, size, option, notify)
    if option & MACH_RCV_TIMEOUT and timeout == 0:
        return MsgReturn.RCV_TIMED_OUT
    wait = ReceiveWait(thread, queue, address, size, option, notify)
    if option & MACH_RCV_TIMEOUT:
        wait.end_after(kernel.clock, timeout)
    return BLOCKED


def _wait_to_send(call: TrapCall, message: Message) -> int | None:
    """The queue is full: wait for room, then go on to receive if that was asked."""
    address, option, _, receive_size, receive_name, timeout, notify, _ = call.arguments
    timeout, notify = timeout & MASK, notify & MASK
    kernel, thread, task = call.kernel, call.thread, call.task
    forces = notify if option & MACH_SEND_NOTIFY else None
    limited = bool(option & MACH_SEND_TIMEOUT) or forces is not None
    limit = timeout if option & MACH_SEND_TIMEOUT else 0
    if limited and limit == 0:
        return no_room(message, task.space, task.memory, address, forces)

    def receive_too() -> int | None:
        return receive(kernel, thread, address, option, receive_size & MASK, receive_name & MASK, timeout, notify)

    wait = SendWait(thread, message.dest, message, address, receive_too if option & MACH_RCV_MSG else None, forces)
    wait.start(kernel.clock, limit if limited else None)
    return BLOCKED


TRAP = Trap(number=-25, name="mach_msg_trap", handler=mach_msg_trap)
