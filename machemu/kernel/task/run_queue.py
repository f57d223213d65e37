"""Threads that can run, by priority (Mach 3 `kern/sched_prim.c`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from machemu.kernel.task.thread import Thread

PRIORITIES: Final = 64  # 0 is the strongest
WEAKEST: Final = PRIORITIES - 1


@final
class RunQueue:
    """A queue for each priority; within one, first come first served.

    Invariants, asserted by `check`:
      - `used` has a bit for each queue that is not empty;
      - a thread is in the queue of its priority.
    """

    __slots__ = ("_queues", "used")

    def __init__(self) -> None:
        self.used = 0
        self._queues: list[deque[Thread]] = [deque() for _ in range(PRIORITIES)]

    @property
    def strongest(self) -> int:
        """The priority of the first thread; PRIORITIES: there is none."""
        used = self.used
        return (used & -used).bit_length() - 1 if used else PRIORITIES

    def add(self, thread: Thread) -> None:
        self._queues[thread.priority].append(thread)
        self.used |= 1 << thread.priority

    def add_first(self, thread: Thread) -> None:
        """Before the others of its priority: it has not had all of its turn."""
        self._queues[thread.priority].appendleft(thread)
        self.used |= 1 << thread.priority

    def take(self) -> Thread:
        """The thread that waits longest among the strongest.  There must be one."""
        priority = self.strongest
        queue = self._queues[priority]
        thread = queue.popleft()
        if not queue:
            self.used &= ~(1 << priority)
        return thread

    def remove(self, thread: Thread) -> bool:
        """False: it was not here."""
        queue = self._queues[thread.priority]
        if thread not in queue:
            return False
        queue.remove(thread)
        if not queue:
            self.used &= ~(1 << thread.priority)
        return True

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues)

    def __iter__(self) -> Iterator[Thread]:
        for queue in self._queues:
            yield from queue

    def check(self) -> None:
        for priority, queue in enumerate(self._queues):
            assert bool(queue) == bool(self.used >> priority & 1)
            assert all(thread.priority == priority for thread in queue)
