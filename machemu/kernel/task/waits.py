"""What a thread can wait for: a message, room in a queue, its turn to receive, time to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from machemu.kernel.ipc.message import Message
from machemu.kernel.ipc.receive import (
    MACH_RCV_LARGE,
    deliver,
    deliver_too_large,
    report_size,
    room_for,
)
from machemu.kernel.ipc.send import no_room, pseudo_receive
from machemu.kernel.results import KernelError, MsgReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from machemu.hw.api import Clock, TimerHandle
    from machemu.kernel.ipc.message_queue import MessageQueue
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.task.thread import Thread

NS_PER_MS = 1_000_000


@final
class ReceiveWait:
    """A thread that waits for a message in `queue`, from now on."""

    __slots__ = ("_address", "_notify", "_option", "_queue", "_room", "_thread", "_timer")

    def __init__(self, thread: Thread, queue: MessageQueue, address: int, size: int, option: int,
                 notify: int) -> None:
        self._thread = thread
        self._queue = queue
        self._address = address
        self._room = room_for(size, option)
        self._option = option
        self._notify = notify
        self._timer: TimerHandle | None = None
        queue.receivers.append(self)
        thread.block(self)

    def end_after(self, clock: Clock, timeout_ms: int) -> None:
        """Wait no longer than that."""
        self._timer = clock.call_at(clock.now_ns + timeout_ms * NS_PER_MS, self._timed_out)

    def offer(self, message: Message) -> bool:
        thread, task = self._thread, self._thread.task
        taken = True
        if len(message.data) <= self._room:
            result = deliver(message, task.space, task.memory, self._address, self._option, self._notify)
        elif self._option & MACH_RCV_LARGE:
            taken = False
            result = report_size(message, task.memory, self._address, self._option)
        else:
            result = deliver_too_large(message, task.space, task.memory, self._address)
        if self._timer is not None:
            self._timer.cancel()
        thread.go_on(result)
        return taken

    def fail(self, code: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._thread.go_on(code)

    def _timed_out(self) -> None:
        self._queue.receivers.remove(self)
        self._thread.go_on(MsgReturn.RCV_TIMED_OUT)

    def interrupt(self) -> None:
        self._queue.receivers.remove(self)
        self.fail(MsgReturn.RCV_INTERRUPTED)

    def abandon(self) -> None:
        self._queue.receivers.remove(self)
        if self._timer is not None:
            self._timer.cancel()


@final
class SendWait:
    """A thread that waits for room in the queue of `port`.

    Args:
        receive: the receiving half of its trap, if it asked for both.
        notify: MACH_SEND_NOTIFY: if there is no room in time, the message is forced and the
            receive right of this name told.
    """

    __slots__ = ("_address", "_notify", "_port", "_receive", "_thread", "_timer", "message")

    def __init__(self, thread: Thread, port: Port, message: Message, address: int,
                 receive: Callable[[], int | None] | None, notify: int | None) -> None:
        self._thread = thread
        self._port = port
        self.message = message
        self._address = address
        self._receive = receive
        self._notify = notify
        self._timer: TimerHandle | None = None

    def start(self, clock: Clock, timeout_ms: int | None) -> None:
        self.message.keep()
        self._port.blocked_senders.append(self)
        if timeout_ms is not None:
            self._timer = clock.call_at(clock.now_ns + timeout_ms * NS_PER_MS, self._timed_out)
        self._thread.block(self)

    def sent(self) -> None:
        self._cancel_timer()
        if self._receive is None:
            self._thread.go_on(MsgReturn.SUCCESS)
        else:
            self._thread.go_on_later(Continuation(self._thread, self._receive))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _timed_out(self) -> None:
        task = self._thread.task
        self._port.blocked_senders.remove(self)
        self._thread.go_on(no_room(self.message, task.space, task.memory, self._address, self._notify))

    def interrupt(self) -> None:
        task = self._thread.task
        self._cancel_timer()
        self._port.blocked_senders.remove(self)
        self._thread.go_on(pseudo_receive(self.message, task.space, task.memory, self._address,
                                          MsgReturn.SEND_INTERRUPTED))

    def abandon(self) -> None:
        self._cancel_timer()
        self._port.blocked_senders.remove(self)
        self.message.destroy()


@final
class Continuation:
    """A thread that could send at last and has not yet begun to receive.

    It begins when the kernel has done all else: a receive makes room for the next sender,
    which receives in turn, and so on without end.
    """

    __slots__ = ("_receive", "_thread")

    def __init__(self, thread: Thread, receive: Callable[[], int | None]) -> None:
        self._thread = thread
        self._receive = receive

    def run(self) -> None:
        if self._thread.wait is not self:
            return
        self._thread.wait = None
        try:
            result = self._receive()
        except KernelError as error:
            result = error.code
        if result is not None:
            self._thread.go_on(result)

    def interrupt(self) -> None:
        self._thread.go_on(MsgReturn.RCV_INTERRUPTED)

    def abandon(self) -> None:
        """Nothing is held."""


@final
class SleepWait:
    """A thread that lets time pass (`thread_switch` with WAIT)."""

    __slots__ = ("_thread", "_timer")

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._timer: TimerHandle | None = None

    def start(self, clock: Clock, ns: int) -> None:
        self._timer = clock.call_at(clock.now_ns + ns, self._over)
        self._thread.block(self)

    def _over(self) -> None:
        self._thread.go_on(0)

    def interrupt(self) -> None:
        self.abandon()
        self._thread.go_on(0)

    def abandon(self) -> None:
        assert self._timer is not None
        self._timer.cancel()
