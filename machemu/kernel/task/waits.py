"""What a thread can wait for: a message, room in a queue, its turn to receive, time to pass, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

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
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from collections.abc import Callable

    from machemu.hw.api import Clock, TimerHandle
    from machemu.kernel.ipc.message_queue import MessageQueue
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.task.thread import Thread

NS_PER_MS: Final = 1_000_000
TICK_MS: Final = 10  # the smallest wait of `thread_switch`


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
        if self._timer is not None:
            self._timer.cancel()
        taken = True
        try:
            if len(message.data) <= self._room:
                result = deliver(message, task.space, task.memory, self._address, self._option, self._notify)
            elif self._option & MACH_RCV_LARGE:
                taken = False
                result = report_size(message, task.memory, self._address, self._option)
            else:
                result = deliver_too_large(message, task.space, task.memory, self._address)
        except MustWait as absent:
            assert absent.rest is not None
            MemoryWait(thread, absent, absent.rest).start()
            return taken
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
        self._give_back(lambda: no_room(self.message, task.space, task.memory, self._address, self._notify))

    def _give_back(self, put_back: Callable[[], int]) -> None:
        try:
            self._thread.go_on(put_back())
        except MustWait as absent:
            assert absent.rest is not None
            MemoryWait(self._thread, absent, absent.rest).start()

    def interrupt(self) -> None:
        task = self._thread.task
        self._cancel_timer()
        self._port.blocked_senders.remove(self)
        self._give_back(lambda: pseudo_receive(self.message, task.space, task.memory, self._address,
                                               MsgReturn.SEND_INTERRUPTED))

    def abandon(self) -> None:
        self._cancel_timer()
        self._port.blocked_senders.remove(self)
        self.message.destroy()


@final
class Continuation:
    """A thread that has the rest of its trap to do: it could send at last and has not yet
    begun to receive, or memory it needs has come.

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
        except MustWait as absent:
            result = wait_for_memory(self._thread, absent, self._receive)
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


@final
class FaultWait:
    """A thread whose instruction needs memory that is not there.

    Its instruction is executed again when the memory has come, and so faults again if it
    never will.
    """

    __slots__ = ("_absent", "_thread")

    def __init__(self, thread: Thread, absent: MustWait) -> None:
        self._thread = thread
        self._absent = absent

    def start(self) -> None:
        self._absent.wait(self)
        self._thread.block(self)

    def memory_came(self, failed: object) -> None:
        self._thread.failed_memory = failed
        self._thread.go_on_unchanged()

    def interrupt(self) -> None:
        self.abandon()
        self._thread.go_on_unchanged()

    def abandon(self) -> None:
        self._absent.cancel(self)


@final
class MemoryWait:
    """A thread in a trap that needs memory which is not there; `rest` is what it has yet to do."""

    __slots__ = ("_absent", "_rest", "_thread")

    def __init__(self, thread: Thread, absent: MustWait, rest: Callable[[], int | None]) -> None:
        self._thread = thread
        self._absent = absent
        self._rest = rest

    def start(self) -> None:
        self._absent.wait(self)
        self._thread.block(self)

    def memory_came(self, failed: object) -> None:
        self._thread.failed_memory = failed
        self._thread.go_on_later(Continuation(self._thread, self._rest))

    def interrupt(self) -> None:
        self.abandon()
        self._thread.go_on(self._absent.otherwise if self._absent.rest else MsgReturn.SEND_INTERRUPTED)

    def abandon(self) -> None:
        self._absent.cancel(self)


def wait_for_memory(thread: Thread, absent: MustWait, rest: Callable[[], int | None]) -> int | None:
    """Wait, then do what `absent` says is left of the trap, or else `rest`.

    Returns None; the trap's result, if the thread has just waited for the same in vain.
    """
    failed, thread.failed_memory = thread.failed_memory, None
    if failed == absent.key:
        return absent.otherwise
    MemoryWait(thread, absent, absent.rest or rest).start()
    return None
