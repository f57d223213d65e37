"""gsync (4204, 4205): threads that wait at an address until somebody wakes them.

Rules and errors: mach-abi.md 6.9.  Follows GNU Mach `kern/gsync.c`.  A waiter's call is
answered late; as in a wait inside the kernel, thread_abort answers it KERN_INTERRUPTED.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.task.task import Task
from machemu.kernel.task.waits import NS_PER_MS
from machemu.kernel.vm.fault import own_object
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.hw.api import Clock, TimerHandle
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.rpc.call import Handler, PendingReply, RpcCall
    from machemu.kernel.task.thread import Thread

SHARED: Final = 0x01  # the memory counts, not the task's address
QUAD: Final = 0x02  # compare 8 octets
TIMED: Final = 0x04
BROADCAST: Final = 0x08
MUTATE: Final = 0x10
WORD: Final = 4  # octets

Key = tuple[object, int]  # an address map and an address, or a memory object and an offset


@final
class GsyncTable:
    """Who waits where, on one node.

    Invariants, asserted by `check`:
      - there is no entry without waiters, and each waiter's thread knows of it.
    """

    def __init__(self) -> None:
        self._waiting: dict[Key, dict[GsyncWait, None]] = {}  # longest wait first

    def add(self, wait: GsyncWait) -> None:
        self._waiting.setdefault(wait.key, {})[wait] = None

    def remove(self, wait: GsyncWait) -> None:
        waiters = self._waiting[wait.key]
        del waiters[wait]
        if not waiters:
            del self._waiting[wait.key]

    def wake(self, key: Key, *, everybody: bool) -> None:
        """Raises INVALID_ARGUMENT: nobody waits there."""
        waiters = list(self._waiting.get(key, ()))
        if not waiters:
            raise KernelError(KernReturn.INVALID_ARGUMENT)
        for wait in waiters if everybody else waiters[:1]:
            wait.end(KernReturn.SUCCESS)

    def count_own_rights(self, sends: Counter[Port], onces: Counter[Port]) -> None:
        """Add the reply rights held here, for the balance."""
        for waiters in self._waiting.values():
            for wait in waiters:
                wait.reply.count(sends, onces)

    def check(self) -> None:
        for waiters in self._waiting.values():
            assert waiters
            for wait in waiters:
                assert wait.thread.alive
                assert wait in wait.thread.calls


@final
class GsyncWait:
    """A call of gsync_wait that has not been answered."""

    def __init__(self, table: GsyncTable, key: Key, thread: Thread, reply: PendingReply) -> None:
        self._table = table
        self.key = key
        self.thread = thread
        self.reply = reply
        self._timer: TimerHandle | None = None
        table.add(self)
        thread.calls[self] = None

    def end_after(self, clock: Clock, timeout_ms: int) -> None:
        self._timer = clock.call_at(clock.now_ns + timeout_ms * NS_PER_MS, self._timed_out)

    def _timed_out(self) -> None:
        self.end(KernReturn.TIMEDOUT)

    def end(self, code: int) -> None:
        self._leave()
        self.reply.reply(code)

    def interrupt(self) -> None:
        self.end(KernReturn.INTERRUPTED)

    def abandon(self) -> None:
        self._leave()
        self.reply.forget()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._table.remove(self)
        del self.thread.calls[self]


def _task(call: RpcCall, address: int) -> Task:
    """Raises INVALID_TASK; INVALID_ADDRESS: not that of a word."""
    task = call.target_as(Task, KernReturn.INVALID_TASK)
    if address % WORD:
        raise KernelError(KernReturn.INVALID_ADDRESS)
    return task


def _key(task: Task, address: int, flags: int) -> Key:
    """What identifies the address to those who wait and wake.  Raises INVALID_ADDRESS."""
    entry = task.memory.entry_at(address)
    if entry is None:
        raise KernelError(KernReturn.INVALID_ADDRESS)
    if not flags & SHARED:
        return task.memory, address
    own_object(task.memory, entry)  # or a copy that is yet to be made would share it
    page = address >> PAGE_SHIFT
    return entry.memory, entry.index_of(page) << PAGE_SHIFT | address & PAGE_SIZE - 1


def gsync_wait(call: RpcCall, address: int, low: int, high: int, timeout_ms: int, flags: int) -> None:
    """INVALID_ARGUMENT: the value at the address is another."""
    wanted = low.to_bytes(WORD, "little")
    if flags & QUAD:
        wanted += high.to_bytes(WORD, "little")
    task = _task(call, address)
    try:
        found = task.memory.read(address, len(wanted))
    except MustWait:
        return  # a wake without a cause, which callers bear: they look at the word, and it comes
    except KernelError:
        raise KernelError(KernReturn.INVALID_ADDRESS) from None
    if found != wanted:
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    key = _key(task, address, flags)
    kernel = call.kernel
    thread = kernel.scheduler.current
    assert thread is not None
    wait = GsyncWait(kernel.gsync, key, thread, call.defer())
    if flags & TIMED:
        wait.end_after(kernel.clock, timeout_ms)


def gsync_wake(call: RpcCall, address: int, value: int, flags: int) -> None:
    """INVALID_ARGUMENT: nobody waits there; the value is stored all the same."""
    task = _task(call, address)
    key = _key(task, address, flags)
    if flags & MUTATE:
        try:
            task.memory.write(address, value.to_bytes(WORD, "little"))
        except MustWait:
            raise
        except KernelError:
            raise KernelError(KernReturn.INVALID_ADDRESS) from None
    call.kernel.gsync.wake(key, everybody=bool(flags & BROADCAST))


HANDLERS: Final[dict[str, Handler]] = {"gsync_wait": gsync_wait, "gsync_wake": gsync_wake}
