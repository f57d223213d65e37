"""Pagers played by tests: a task that manages an object, and a client that has mapped it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar, final

from machemu.interfaces import memory_object, memory_object_default
from machemu.interfaces.runtime import decode_request
from machemu.kernel.ipc.port import Port
from machemu.kernel.vm.pager import MustWait
from tests.support.rig import (
    MAKE_SEND,
    MAKE_SEND_ONCE,
    PAGE,
    RECEIVE_BUFFER,
    Actor,
    At,
    Give,
    KernelRig,
    _Names,
    _Regions,
    header,
)

INIT, TERMINATE, DATA_REQUEST, DATA_UNLOCK = 2200, 2201, 2203, 2204
LOCK_COMPLETED, SUPPLY_COMPLETED, DATA_RETURN, CHANGE_COMPLETED = 2206, 2207, 2208, 2209
CREATE, DATA_INITIALIZE = 2250, 2251
UNAVAILABLE, GET_ATTRIBUTES, SET_DEFAULT, LOCK_REQUEST = 2039, 2040, 2041, 2044
DATA_ERROR, DESTROY, SUPPLY, READY, CHANGE_ATTRIBUTES, VM_MAP = 2090, 2092, 2093, 2094, 2095, 2089
NONE, CALL, DELAY, TEMPORARY = range(4)  # copy strategies
RETURN_NONE, RETURN_DIRTY, RETURN_ALL = range(3)
NO_CHANGE: Final = 8
READ, WRITE, EXECUTE = 1, 2, 4
T = TypeVar("T")
ROUTINES: Final = memory_object.SUBSYSTEM.routines | memory_object_default.SUBSYSTEM.routines


class News(NamedTuple):
    """A message from the kernel to a pager: which, and its arguments without the ports."""

    ident: int
    arguments: tuple[object, ...]


def page_of(value: int) -> bytes:
    """A page full of one octet."""
    return bytes([value % 256]) * PAGE


@final
class PagerActor:
    """A task that manages memory objects, message by message."""

    def __init__(self, rig: KernelRig) -> None:
        self.rig = rig
        self.actor = rig.another()
        self.control = 0  # its name for the control port last told

    def hear(self, port: int) -> News | None:
        """The next message at a port, or None; the control port is remembered."""
        found = self.actor.poll(port)
        if found is None:
            return None
        routine = ROUTINES.get(found.ident)
        if routine is None:
            return News(found.ident, ())
        data = self.actor.memory.read(RECEIVE_BUFFER, found.size)
        values = decode_request(routine, data, _Names(data), _Regions(data, self.actor))
        names = [item.name for item in routine.request]
        told = dict(zip(names, values, strict=True))
        if "memory_control" in told:
            self.control = int(told["memory_control"])
        shown = tuple(value for name, value in told.items()
                      if name not in ("memory_control", "object_name", "new_object"))
        return News(found.ident, tuple(getattr(value, "octets", value) for value in shown))

    def tell(self, ident: int, *arguments: object, control: int | None = None) -> None:
        """A call on the control port, without a reply; its data leave the pager's memory."""
        sent = [self._apart(value) if isinstance(value, bytes) and value else value for value in arguments]
        apart = [new for new, value in zip(sent, arguments, strict=True) if new is not value]
        body, complex_ = self.actor.request_body(ident, *sent)
        octets = header(self.control if control is None else control, ident=ident, size=32 + len(body),
                        complex_=complex_) + body
        assert self.actor.send(octets) == 0
        for place in apart:
            assert isinstance(place, At)
            self.actor.memory.deallocate(place.address, place.size)

    def _apart(self, data: bytes) -> At:
        """Data on pages of their own."""
        address = self.actor.memory.allocate(0, len(data), True)
        self.actor.memory.write(address, data)
        return At(address, len(data))

    def reply_port(self) -> tuple[int, Give]:
        port = self.actor.port()
        return port, Give(port, MAKE_SEND_ONCE)


@final
class Managed:
    """An object with its pager, and the first task with a mapping of it at `address`."""

    def __init__(self, rig: KernelRig, pages: int = 8, *, ready: bool = True, may_cache: bool = False,
                 strategy: int = DELAY, copy: bool = False) -> None:
        self.rig = rig
        self.pager = PagerActor(rig)
        self.port = self.pager.actor.port()
        self.client = rig.actor
        self.pages = pages
        self.address = self.map(self.client, copy=copy)
        first = self.hear()
        assert first == News(INIT, (PAGE,))
        if ready:
            self.tell(READY, int(may_cache), strategy)

    def map(self, actor: Actor, *, copy: bool = False, first: int = 0) -> int:
        name = self.rig.give(self.pager.actor, self.port, actor)
        code, results = actor.rpc(actor.self_name, VM_MAP, 0, self.pages * PAGE, 0, 1, Give(name, 19), first * PAGE,
                                  int(copy), 3, 7, 1)
        actor.space.deallocate(name)
        assert code == 0
        return int(str(results[0]))

    @property
    def control_object(self) -> object:
        """The kernel's side of the control port."""
        entry = self.pager.actor.space.find(self.pager.control)
        assert entry is not None
        assert isinstance(entry.port, Port)
        return _Ported(entry.port)

    # -- the pager's part ------------------------------------------------------------

    def hear(self) -> News | None:
        return self.pager.hear(self.port)

    def all_news(self) -> list[News]:
        found = []
        while (news := self.hear()) is not None:
            found.append(news)
        return found

    def tell(self, ident: int, *arguments: object) -> None:
        self.pager.tell(ident, *arguments)

    def supply(self, index: int, data: bytes, lock: int = 0, *, precious: bool = False,
               reply: Give | None = None) -> None:
        self.tell(SUPPLY, index * PAGE, data, lock, int(precious), reply)

    def expect(self, ident: int, *arguments: object) -> None:
        assert self.hear() == News(ident, arguments)

    def request(self, index: int, access: int = READ) -> None:
        self.expect(DATA_REQUEST, index * PAGE, PAGE, access)

    # -- the client's part ------------------------------------------------------------

    def place(self, index: int) -> int:
        return self.address + index * PAGE

    def touch(self, index: int, access: int = READ, actor: Actor | None = None) -> bool:
        """A fault of the client; True: it goes on at once."""
        actor = actor or self.client
        self.rig.run(actor)
        with self.rig.watched():
            self.rig.kernel.page_fault(self.place(index), access)
        self.rig.check()
        return actor.thread.wait is None and actor.task.alive

    def load(self, index: int, actor: Actor | None = None) -> int:
        """The first octet of a page that is in memory, as the guest sees it."""
        found = (actor or self.client).load(self.place(index), 1)
        assert found is not None
        return found[0]

    def store(self, index: int, value: int) -> None:
        assert self.client.store(self.place(index), bytes([value]))

    def bring(self, index: int, value: int, lock: int = 0, *, precious: bool = False) -> None:
        """Let the client have a page of `value`."""
        assert not self.touch(index)
        self.request(index)
        self.supply(index, page_of(value), lock, precious=precious)


class _Patient:
    def memory_came(self, failed: object) -> None:
        assert failed is None


class _Ported:
    def __init__(self, port: Port) -> None:
        self.port = port


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


@final
class DefaultPager:
    """A task that is the default memory manager and keeps pages in a dict."""

    def __init__(self, rig: KernelRig) -> None:
        self.rig = rig
        self.pager = PagerActor(rig)
        actor = self.pager.actor
        self.port = actor.port()
        host = rig.host_privileged(actor)
        code, _ = actor.rpc(host, SET_DEFAULT, Give(self.port, MAKE_SEND))
        assert code == 0
        self.pages: dict[tuple[int, int], bytes] = {}  # by object's port and index
        self.controls: dict[int, int] = {}  # by object's port
        self.own: set[int] = set()  # objects made here
        self.news: list[int] = []  # ids heard

    def serve(self) -> None:
        """Answer all there is."""
        while sum(self._serve_one(port) for port in (self.port, *self.controls)):
            pass

    def _serve_one(self, port: int) -> bool:
        actor = self.pager.actor
        found = actor.poll(port)
        if found is None:
            return False
        self.news.append(found.ident)
        data = actor.memory.read(RECEIVE_BUFFER, found.size)
        routine = ROUTINES[found.ident]
        values = dict(zip([item.name for item in routine.request],
                          decode_request(routine, data, _Names(data), _Regions(data, actor)), strict=True))
        if found.ident == INIT:
            self.controls[port] = values["memory_control"]
            self.pager.tell(READY, 0, DELAY, control=self.controls[port])
        elif found.ident == CREATE:
            self.controls[values["new_object"]] = values["memory_control"]
        elif found.ident in (DATA_INITIALIZE, DATA_RETURN):
            region = values["data"]
            for at in range(0, len(region.octets), PAGE):
                self.pages[port, (values["offset"] + at) // PAGE] = region.octets[at:at + PAGE]
            self.rig.run(actor)
            actor.memory.deallocate(region.address, len(region.octets))
        elif found.ident == DATA_REQUEST:
            self._supply(port, values["offset"])
        elif found.ident == TERMINATE:
            for name in (values["memory_control"], values["object_name"]):
                actor.space.destroy_name(name)
            if port not in self.own:
                self.pages = {key: page for key, page in self.pages.items() if key[0] != port}
                del self.controls[port]
                actor.space.destroy_name(port)
        return True

    def new_object(self) -> int:
        """An object of zeros that tasks can map; its port, here."""
        port = self.pager.actor.port()
        self.own.add(port)
        self.controls[port] = 0
        return port

    def until_done(self, work: Callable[[], T]) -> T:
        """Do `work` of the kernel, which may have to wait, serving whatever it waits for."""
        for _ in range(500):
            try:
                return work()
            except MustWait as absent:
                absent.wait(_Patient())
                self.rig.kernel.scheduler.settle()
                self.serve()
        raise AssertionError("the memory never comes")

    def _supply(self, port: int, offset: int) -> None:
        self.rig.run(self.pager.actor)  # so that it may use the reserve
        control, page = self.controls[port], self.pages.get((port, offset // PAGE))
        if page is None:
            self.pager.tell(UNAVAILABLE, offset, PAGE, control=control)
        else:
            self.pager.tell(SUPPLY, offset, page, 0, 0, None, control=control)

    def let(self, actor: Actor, place: int, data: bytes | None = None, size: int = 1) -> bytes | None:
        """Let `actor` read or write, serving whatever that takes; None: it died of it."""
        access = READ if data is None else WRITE
        for _ in range(100):
            table = actor.memory.space.readable if data is None else actor.memory.space.writable
            if place // PAGE in table:
                if data is None:
                    return actor.load(place, size)
                return data if actor.store(place, data) else None
            self.rig.run(actor)
            with self.rig.watched():
                self.rig.kernel.page_fault(place, access)
            if not actor.task.alive:
                return None
            self.serve()
        raise AssertionError("the page never comes")
