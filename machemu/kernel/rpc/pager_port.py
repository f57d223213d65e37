"""Pagers that speak ipc: what the kernel sends to memory managers, and which it knows.

Messages: mach-abi.md 6.6; life of an object: 8.2; the default manager: 8.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.interfaces import memory_object, memory_object_default
from machemu.interfaces.runtime import encode_request
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_RECEIVE, MOVE_SEND, Carried
from machemu.kernel.rpc.call import discard, send_message
from machemu.kernel.vm.object import VmObject
from machemu.kernel.vm.pageout import RESERVE_MAX
from machemu.kernel.vm.pager import Pager

if TYPE_CHECKING:
    from machemu.kernel.ipc.space import Space
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.vm.copy import VmCopy
    from machemu.kernel.vm.map import VmMap

INIT, TERMINATE, DATA_REQUEST, DATA_UNLOCK, DATA_RETURN = 2200, 2201, 2203, 2204, 2208
CREATE, DATA_INITIALIZE = 2250, 2251
CACHED_MAX: Final = 100  # objects kept without references, as in Mach 3
ROUTINES: Final = memory_object.SUBSYSTEM.routines | memory_object_default.SUBSYSTEM.routines


@final
class ObjectName:
    """What an object's name port stands for: identity, and nothing else."""


@final
class PagerPort:
    """The manager of one object: it has the receive right of `port`.

    The kernel has the receive rights of `control`, on which the manager calls, and of
    `name`.  A dead-name request on `port`, held by `control`, tells when the manager has
    died.

    Invariants, asserted by `check`:
      - while it is known, the object has its pager and `port` lives.
    """

    def __init__(self, kernel: Kernel, table: PagerTable, port: Port, memory: VmObject, *,
                 internal: bool = False) -> None:
        self._kernel = kernel
        self._table = table
        self.control = Port(kernel.zone, self)
        self.port = port  # holds one of its send rights
        self.memory = memory
        self.name = Port(kernel.zone, ObjectName())
        self.pager = memory.pager = Pager(memory, self, internal=internal)
        self.alive = True
        self._written: set[int] = set()  # pages the default manager has seen
        port.dead_name_requests[self] = self.control.make_send_once().port
        kernel.pool.managed += 1

    # -- to the manager -------------------------------------------------------------

    def _send(self, ident: int, *values: object) -> None:
        _send(self._kernel, self.port.copy_send(), ident, *values)

    def init(self) -> None:
        self._send(INIT, self.control.make_send(), self.name.make_send(), PAGE_SIZE)

    def request(self, index: int, access: int) -> None:
        self._send(DATA_REQUEST, self.control.make_send(), index << PAGE_SHIFT, PAGE_SIZE, access)

    def unlock(self, index: int, access: int) -> None:
        self._send(DATA_UNLOCK, self.control.make_send(), index << PAGE_SHIFT, PAGE_SIZE, access)

    def give_back(self, index: int, data: VmCopy, *, dirty: bool, kept: bool) -> None:
        if not self.alive:
            data.discard()
            return
        self._kernel.pool.pageouts += data.pages
        pages = set(range(index, index + data.pages))
        if self.pager.internal and not pages & self._written:
            self._send(DATA_INITIALIZE, self.control.make_send(), index << PAGE_SHIFT, data)
        else:
            self._send(DATA_RETURN, self.control.make_send(), index << PAGE_SHIFT, data, int(dirty), int(kept))
        if self.pager.internal:
            self._written |= pages

    # -- the end --------------------------------------------------------------------

    def unreferenced(self) -> bool:
        if self.alive and self.pager.may_cache:
            self._table.cache(self)
            return True
        if self.alive:
            self.pager.last_return()
            self._terminate()
        return False

    def destroy(self) -> None:
        """`memory_object_destroy`: changed pages are not returned; what is here stays usable."""
        if self.alive:
            self._terminate()
            self.pager.lose()

    def _terminate(self) -> None:
        """Send all three rights to the manager and forget it."""
        del self.port.dead_name_requests[self]
        self.control.send_once_rights -= 1
        self._forget()
        self.control.kernel_object = self.name.kernel_object = None
        _send(self._kernel, Carried(self.port, MOVE_SEND), TERMINATE,
              Carried(self.control, MOVE_RECEIVE), Carried(self.name, MOVE_RECEIVE))

    def port_died(self, request: Port) -> None:
        """The manager has died: whoever waits for it is told, and nobody waits again."""
        request.send_once_rights -= 1
        self._forget()
        self.port.drop_send()
        self.control.die()
        self.name.die()
        self.pager.lose()
        if self.memory.references == 0:
            self.memory.references = 1
            self.memory.release()

    def _forget(self) -> None:
        self.alive = False
        self._table.forget(self)
        self._kernel.pool.managed -= 1

    def check(self) -> None:
        assert self.memory.pager is self.pager
        assert not self.port.dead
        self.memory.check_pages()


def _send(kernel: Kernel, right: Carried, ident: int, *values: object) -> None:
    """A message past the port's limit, as the kernel may: no manager stops it."""
    if right.port.dead:
        discard(values)
        right.destroy()
    else:
        send_message(kernel, encode_request(ROUTINES[ident], values), ident, right.port, right.kind)


@final
class PagerTable:
    """The managers a node's kernel knows, and the objects it keeps for those to come."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._by_port: dict[Port, PagerPort] = {}
        self._default: Port | None = None  # holds one of its send rights
        self._serving_default = False
        self.lookups = self.hits = 0
        self._idle: dict[PagerPort, None] = {}  # those that had no references when last looked at

    def object_of(self, port: Port) -> VmObject:
        """The object that the holder of `port` manages; its first mapping makes it."""
        known = self._by_port.get(port)
        self.lookups += 1
        self.hits += known is not None
        if known is None:
            memory = VmObject(self._kernel.pool)
            memory.references = 0
            known = self._by_port[port] = PagerPort(self._kernel, self, port.copy_send().port, memory)
            self._idle[known] = None
            known.init()
        return known.memory

    def cache(self, manager: PagerPort) -> None:
        """The object stays without references, the last to go."""
        self._idle.pop(manager, None)
        self._idle[manager] = None
        while len(self._idle) > CACHED_MAX:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.pager.may_cache = False
            self.end_idle(oldest.memory)

    def forget(self, manager: PagerPort) -> None:
        self._by_port.pop(manager.port, None)
        self._idle.pop(manager, None)

    def end_idle(self, memory: VmObject) -> None:
        """An object that nobody has ends, unless its manager lets it be kept."""
        if memory.references == 0 and memory.pager is not None and not memory.pager.may_cache:
            memory.references = 1
            memory.release()

    def name_of(self, memory: object) -> Carried | None:
        """A send right on the name port of an object, if a manager has it."""
        while isinstance(memory, VmObject):
            source = memory.pager.source if memory.pager is not None else None
            if isinstance(source, PagerPort) and source.alive:
                return source.name.make_send()
            memory = memory.shadow
        return None

    # -- the default manager ------------------------------------------------------------

    def set_default(self, port: Port) -> None:
        """`port`, of which a send right is given, is the default manager's from now on."""
        if self._default is not None:
            self._default.drop_send()
        self._default = port
        pool = self._kernel.pool
        pool.reserve_size = min(RESERVE_MAX, pool.total // 8)
        pool.starved = True  # it is filled with the next frames that come free
        self._kernel.pageout.wake()

    @property
    def default(self) -> Port | None:
        """The default manager's port, if it lives."""
        return self._default if self._default is not None and not self._default.dead else None

    def is_default(self, space: Space | None) -> bool:
        """Whether this is the space of the default manager's task."""
        return self._default is not None and space is not None and self._default.receiver is space

    def _manage(self, memory: VmObject, default: Port) -> Pager:
        """Give an anonymous object to the default manager."""
        port = Port(self._kernel.zone)
        known = self._by_port[port] = PagerPort(self._kernel, self, port.copy_send().port, memory, internal=True)
        size = max(memory.pages) + 1 << PAGE_SHIFT
        _send(self._kernel, default.copy_send(), CREATE, Carried(port, MOVE_RECEIVE), size,
              known.control.make_send(), known.name.make_send(), PAGE_SIZE)
        return known.pager

    # -- for page-out ---------------------------------------------------------------------

    def has_any(self) -> bool:
        return self.default is not None or bool(self._by_port)

    def needs_reserve(self) -> bool:
        return self.default is not None

    def takes(self, memory: VmObject) -> bool:
        pager = memory.pager
        return self.default is not None if pager is None else pager.ready and not pager.lost

    def of(self, memory: VmObject) -> Pager | None:
        if not self.takes(memory):
            return None
        if memory.pager is not None:
            return memory.pager
        default = self.default
        assert default is not None
        return self._manage(memory, default)

    def is_served_first(self) -> bool:
        current = self._kernel.scheduler.current
        return self._serving_default or (current is not None and self.is_default(current.task.space))

    def untouchable(self) -> VmMap | None:
        for task in self._kernel.tasks.values():
            if self.is_default(task.space):
                return task.memory
        return None

    def idle_objects(self) -> list[VmObject]:
        return [manager.memory for manager in self._idle]

    @contextmanager
    def serving(self, port: Port) -> Iterator[None]:
        """A reply to `port` is made: the default manager's may use the reserve."""
        before, self._serving_default = self._serving_default, self.is_default(port.receiver)
        try:
            yield
        finally:
            self._serving_default = before

    def count_own_rights(self, sends: Counter[Port]) -> None:
        if self._default is not None:
            sends[self._default] += 1
        for manager in self._by_port.values():
            sends[manager.port] += 1

    def check(self) -> None:
        for manager in self._by_port.values():
            manager.check()
