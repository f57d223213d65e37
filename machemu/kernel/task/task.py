"""Tasks: a space of names, an address map and threads.  Follows Mach 3 `kern/task.c`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from machemu.kernel.ipc.port import Port, PortZone
from machemu.kernel.ipc.space import Space
from machemu.kernel.results import KernReturn
from machemu.kernel.task.processor_set import BASE_PRIORITY

if TYPE_CHECKING:
    from machemu.kernel.task.processor_set import ProcessorSet
    from machemu.kernel.task.thread import Thread
    from machemu.kernel.vm.map import VmMap

REGISTERED_MAX: Final = 4  # TASK_PORT_REGISTER_MAX


@final
class Task:
    """One task.  Ports it keeps (special, registered) each hold one send right.

    Invariants, asserted by `check`:
      - an ended task has no threads and no names.
    """

    def __init__(self, number: int, parent: int, zone: PortZone, memory: VmMap, processor_set: ProcessorSet) -> None:
        self.number = number  # never reused in a boot
        self.parent = parent  # number of the creator; 0: the boot loader
        self.zone = zone
        self.memory = memory
        self.space = Space(zone)
        self.space.task_number = number
        self.alive = True
        self.name = ""
        self.status: int | None = None  # given to `exit` (4605)
        self.suspend_count = 0
        self.processor_set = processor_set
        self.priority = BASE_PRIORITY  # of new threads
        self.created_ns = 0  # host time
        self.ended_cpu_ns = 0  # how long threads ran that have ended
        self.threads: list[Thread] = []
        self.self_port = Port(zone, self)
        self.kernel_port: Port | None = self.self_port  # what mach_task_self gives
        self.bootstrap_port: Port | None = None
        self.exception_port: Port | None = None
        self.registered: list[Port | None] = [None] * REGISTERED_MAX
        self.at_end: dict[object, Callable[[], None]] = {}  # by owner: what is undone when the task ends

    @property
    def map(self) -> VmMap:
        return self.memory

    def inherit(self, parent: Task) -> None:
        """Take over the parent's special and registered ports and its priority, as
        `task_create` does."""
        self.bootstrap_port = _share(parent.bootstrap_port)
        self.exception_port = _share(parent.exception_port)
        self.registered = [_share(port) for port in parent.registered]
        self.priority = parent.priority

    def suspend(self) -> None:
        self.suspend_count += 1
        if self.suspend_count == 1:
            for thread in self.threads:
                thread.task_suspended()

    def resume(self) -> int:
        """KERN_FAILURE: it was not suspended."""
        if self.suspend_count == 0:
            return KernReturn.FAILURE
        self.suspend_count -= 1
        if self.suspend_count == 0:
            for thread in self.threads:
                thread.task_resumed()
        return KernReturn.SUCCESS

    def end(self) -> None:
        """Stop every thread and give up all that the task holds."""
        self.alive = False
        threads, self.threads = self.threads, []
        for thread in threads:
            thread.end()
        for undo in list(self.at_end.values()):
            undo()
        if self.kernel_port is self.self_port:
            self.kernel_port = None
        kept = [self.bootstrap_port, self.exception_port, self.kernel_port, *self.registered]
        self.bootstrap_port = self.exception_port = self.kernel_port = None
        self.registered = [None] * REGISTERED_MAX
        for port in kept:
            if port is not None:
                port.drop_send()
        self.space.destroy()
        self.memory.destroy()
        self.self_port.die()

    def check(self) -> None:
        assert self.suspend_count >= 0
        self.space.check()
        self.memory.check()
        for thread in self.threads:
            thread.check()
        if not self.alive:
            assert not self.threads and not self.space.entries


def _share(port: Port | None) -> Port | None:
    """One more send right on `port`, to be kept."""
    if port is None or port.dead:
        return None
    port.send_rights += 1
    return port
