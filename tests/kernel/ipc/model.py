"""A naive model of ports, rights and spaces (mach-abi.md 5): names are entries in dicts, a
port's death looks through all of them, and nothing is cached.

It knows nothing of the kernel.  Where the kernel chooses (the name of a right that arrives),
the choice is an argument, and must be one that the reference allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from machemu.kernel.ipc.right import DEAD_NAME, PORT_SET, RECEIVE, SEND, SEND_ONCE
from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
)

PORT_DELETED, PORT_DESTROYED, NO_SENDERS, SEND_ONCE_UNUSED, DEAD_NAME_TOLD = 65, 69, 70, 71, 72
KERNEL: Final = "the kernel"
SEND_MAX, DEAD_MAX = 65534, 65535  # user references
USES: Final = {SEND: (COPY_SEND, MOVE_SEND), RECEIVE: (MAKE_SEND, MAKE_SEND_ONCE, MOVE_RECEIVE),
               SEND_ONCE: (MOVE_SEND_ONCE,), DEAD_NAME: (COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE)}
NEEDS: Final = {use: kind for kind in (SEND, RECEIVE, SEND_ONCE) for use in USES[kind]}
ARRIVES: Final = {MOVE_RECEIVE: MOVE_RECEIVE, MOVE_SEND: MOVE_SEND, MOVE_SEND_ONCE: MOVE_SEND_ONCE,
                  COPY_SEND: MOVE_SEND, MAKE_SEND: MOVE_SEND, MAKE_SEND_ONCE: MOVE_SEND_ONCE}


@dataclass(eq=False)
class Port:
    place: object = None  # the Task that receives from it, the Port it is queued at, KERNEL; None: on its way, or dead
    queue: list[Message] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)  # senders, longest wait first
    limit: int = 5
    made: int = 0  # make-send count
    sequence: int = 0
    payload: int | None = None
    member_of: Set | None = None
    dead: bool = False
    no_senders: Port | None = None  # who is told when nobody can send any more
    destroyed: Port | None = None  # who gets the receive right instead of its destruction
    watched: list[Entry] = field(default_factory=list)  # names with a dead-name request, in order


Right = tuple[Port, int] | None  # a port and what arrives; None: dead


@dataclass(eq=False)
class Message:
    ident: int
    dest: Port
    dest_kind: int
    inline: list[Right] = field(default_factory=list)
    array: list[Right] = field(default_factory=list)  # out of line
    word: int = 0  # what a notification tells
    order: int = 0  # of arrival

    @property
    def rights(self) -> list[Right]:
        return self.inline + self.array


@dataclass(eq=False)
class Waiting:
    """A thread that waits for room."""

    task: Task
    thread: int  # of its task, by number
    message: Message
    done: bool = False  # it has gone on, with success


@dataclass(eq=False)
class Set:
    pass


@dataclass(eq=False)
class Entry:
    name: int
    kind: int
    references: int
    target: Port | Set | None
    request: Port | None = None  # who is told when it becomes a dead name, or goes

    @property
    def port(self) -> Port:
        assert isinstance(self.target, Port)
        return self.target


@dataclass(eq=False)
class Task:
    entries: dict[int, Entry] = field(default_factory=dict)
    port: Port = field(default_factory=lambda: Port(place=KERNEL))  # its own

    def add(self, name: int, kind: int, references: int, target: Port | Set | None) -> Entry:
        assert name not in self.entries
        entry = self.entries[name] = Entry(name, kind, references, target)
        return entry

    def name_of(self, port: Port) -> int | None:
        """The name of a port's send and receive rights."""
        return next((name for name, entry in self.entries.items()
                     if entry.target is port and entry.kind & (SEND | RECEIVE)), None)


class Model:
    """Rights of several tasks.  Public methods return the kernel's code, and change all."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.ports: list[Port] = []
        self._arrivals = count(1)
        self._dying: list[Port] = []
        self._hands: list[Right] = []  # out of one place and not yet in another

    # -- what there is -----------------------------------------------------------------------------

    def messages(self) -> Iterator[Message]:
        for port in self.ports:
            yield from port.queue
            yield from (waiting.message for waiting in port.waiting)

    def sends(self, port: Port) -> int:
        """Names with a send right, and send rights on their way."""
        names = sum(entry.target is port and bool(entry.kind & SEND)
                    for task in self.tasks for entry in task.entries.values())
        return names + self._moving(port, MOVE_SEND)

    def onces(self, port: Port) -> int:
        """Names of send-once rights, those on their way and those that requests hold."""
        entries = [entry for task in self.tasks for entry in task.entries.values()]
        names = sum(entry.target is port and entry.kind == SEND_ONCE for entry in entries)
        held = sum(entry.request is port for entry in entries)
        held += sum((other.no_senders is port) + (other.destroyed is port) for other in self.ports)
        return names + held + self._moving(port, MOVE_SEND_ONCE)

    def _moving(self, port: Port, kind: int) -> int:
        right = (port, kind)
        return self._hands.count(right) + sum(((message.dest, message.dest_kind) == right) + message.rights.count(right)
                                              for message in self.messages())

    # -- out of a space and into one ---------------------------------------------------------------

    def take(self, task: Task, name: int, use: int) -> tuple[bool, Right]:
        """Take a right out of a space, into the hands: whether that works, and the right."""
        entry = task.entries.get(name)
        if entry is None:
            return False, None
        if entry.kind == DEAD_NAME and use in USES[DEAD_NAME]:
            if use != COPY_SEND:
                self._drop_reference(task, entry)
            return True, None
        if not entry.kind & NEEDS[use]:
            return False, None
        port = entry.port
        right = port, ARRIVES[use]
        self._hands.append(right)
        if use == MAKE_SEND:
            port.made += 1
        elif use in (MOVE_SEND, MOVE_SEND_ONCE):
            self._drop_reference(task, entry)
        elif use == MOVE_RECEIVE:
            self._leave(port)
            entry.kind &= ~RECEIVE
            self._remove_empty(task, entry)
        return True, right

    def put(self, task: Task, right: Right, name: int) -> None:
        """Out of the hands, into a space, where the kernel calls it `name`."""
        if right is None or right[0].dead:
            assert name == DEAD
            self._let_go(right)
            return
        self._hands.remove(right)
        port, kind = right
        known = task.name_of(port) if kind != MOVE_SEND_ONCE else None
        assert known is None or name == known
        entry = task.add(name, 0, 0, port) if known is None else task.entries[known]
        if kind == MOVE_RECEIVE:
            entry.kind |= RECEIVE
            port.place = task
        else:
            entry.kind |= SEND if kind == MOVE_SEND else SEND_ONCE
            entry.references = min(entry.references + 1, SEND_MAX)

    def _drop_reference(self, task: Task, entry: Entry, references: int = 1) -> None:
        entry.references -= references
        if entry.references == 0:
            entry.kind &= RECEIVE
            self._remove_empty(task, entry)

    def _remove_empty(self, task: Task, entry: Entry) -> None:
        if not entry.kind:
            self._remove(task, entry)

    def _remove(self, task: Task, entry: Entry) -> None:
        """The name goes, other than by its port's death."""
        del task.entries[entry.name]
        request = self.unwatch(entry)
        if request is not None:
            self._notify(request, PORT_DELETED, entry.name)

    def unwatch(self, entry: Entry) -> Port | None:
        request, entry.request = entry.request, None
        if request is not None and isinstance(entry.target, Port):
            entry.target.watched.remove(entry)
        return request

    def _leave(self, port: Port) -> None:
        port.place, port.member_of, port.payload, port.made, port.sequence = None, None, None, 0, 0

    # -- rights that nobody takes ------------------------------------------------------------------

    def _let_go(self, right: Right) -> None:
        if right is not None:
            self._hands.remove(right)

    def drop(self, right: Right) -> None:
        """Destroy a right in the hands."""
        self._let_go(right)
        if right is None or right[0].dead:
            return
        port, kind = right
        if kind == MOVE_SEND:
            self._sender_gone(port)
        elif kind == MOVE_RECEIVE:
            self._destroy_port(port)
        elif port.place != KERNEL:
            self._notify(port, SEND_ONCE_UNUSED)

    def _sender_gone(self, port: Port) -> None:
        if not port.dead and port.no_senders is not None and self.sends(port) == 0:
            request, port.no_senders = port.no_senders, None
            self._notify(request, NO_SENDERS, port.made)

    def _destroy_port(self, port: Port) -> None:
        if isinstance(port.place, Task):
            self._leave(port)
        port.place = None
        request, port.destroyed = port.destroyed, None
        if request is None:
            self._die(port)
        else:
            self._hands.append((port, MOVE_RECEIVE))
            self._notify(request, PORT_DESTROYED, rights=[(port, MOVE_RECEIVE)])

    def _die(self, port: Port) -> None:
        port.dead = True
        for task in self.tasks:
            for entry in task.entries.values():
                if entry.target is port:
                    entry.kind, entry.target, entry.references = DEAD_NAME, None, max(entry.references, 1)
        self._dying.append(port)
        if len(self._dying) == 1:
            while self._dying:
                self._bury(self._dying[0])
                self._dying.pop(0)

    def _bury(self, port: Port) -> None:
        """In the order of mach-abi.md 5.6."""
        if port.no_senders is not None:
            request, port.no_senders = port.no_senders, None
            self._unused(request)
        lost, port.queue = port.queue, []
        for waiting in port.waiting:
            waiting.done = True
            lost.append(waiting.message)
        port.waiting = []
        for message in lost:
            self._pick_up(message)
        for message in lost:
            self._destroy(message)
        watched, port.watched = port.watched, []
        for entry in watched:
            requester, entry.request = entry.request, None
            assert requester is not None
            entry.references = min(entry.references + 1, DEAD_MAX)
            self._notify(requester, DEAD_NAME_TOLD, entry.name)

    def _unused(self, port: Port) -> None:
        """A send-once right that a request held is destroyed."""
        self._hands.append((port, MOVE_SEND_ONCE))
        self.drop((port, MOVE_SEND_ONCE))

    # -- messages ----------------------------------------------------------------------------------

    def _pick_up(self, message: Message) -> None:
        """All its rights into the hands."""
        self._hands += [right for right in (self._way(message), *message.rights) if right is not None]

    @staticmethod
    def _way(message: Message) -> Right:
        return message.dest, message.dest_kind

    def _destroy(self, message: Message) -> None:
        """A message whose rights are in the hands."""
        for right in (self._way(message), *message.rights):
            self.drop(right)

    def _notify(self, request: Port, ident: int, word: int = 0, rights: list[Right] | None = None) -> None:
        self._hands.append((request, MOVE_SEND_ONCE))
        message = Message(ident, request, MOVE_SEND_ONCE, rights or [], word=word)
        if request.dead:
            self._destroy(message)
        else:
            self.enqueue(message)

    def enqueue(self, message: Message) -> None:
        """Queue a message whose rights are in the hands, unless it could never be received."""
        moved = [right[0] for right in message.rights if right is not None and right[1] == MOVE_RECEIVE]
        port: object = message.dest
        while isinstance(port, Port):
            if port in moved:
                self._destroy(message)
                return
            port = port.place
        for inner in moved:
            inner.place = message.dest
        for right in (self._way(message), *message.rights):
            self._let_go(right)
        message.order = next(self._arrivals)
        message.dest.queue.append(message)

    def compose(self, task: Task, ident: int, to: tuple[int, int], inline: list[tuple[int, int]],
                array: list[tuple[int, int]]) -> tuple[int, Message | None]:
        """Take what a message of these names and dispositions carries: a code, and the message."""
        entry = task.entries[to[0]]
        if entry.kind == DEAD_NAME:
            return MsgReturn.SEND_INVALID_DEST, None
        works, dest = self.take(task, *to)
        if not works:
            return MsgReturn.SEND_INVALID_DEST, None
        assert dest is not None
        message = Message(ident, *dest)
        for names, rights in ((inline, message.inline), (array, message.array)):
            for name, use in names:
                works, right = self.take(task, name, use)
                if not works:
                    self._destroy(message)
                    return MsgReturn.SEND_INVALID_RIGHT, None
                rights.append(right)
        return 0, message

    @staticmethod
    def has_room(message: Message) -> bool:
        return message.dest_kind == MOVE_SEND_ONCE or len(message.dest.queue) < message.dest.limit

    def wait(self, task: Task, thread: int, message: Message) -> None:
        for right in (self._way(message), *message.rights):
            self._let_go(right)
        message.dest.waiting.append(Waiting(task, thread, message))

    def admit(self, port: Port) -> None:
        while port.waiting and len(port.queue) < port.limit:
            waiting = port.waiting.pop(0)
            waiting.done = True
            self._pick_up(waiting.message)
            self.enqueue(waiting.message)

    def interrupt(self, waiting: Waiting) -> Message:
        """Its message, all whose rights are in the hands."""
        waiting.message.dest.waiting.remove(waiting)
        self._pick_up(waiting.message)
        return waiting.message

    def first(self, task: Task, name: int) -> tuple[int, Message | None]:
        """What a receive from `name` finds."""
        entry = task.entries[name]
        if entry.kind & RECEIVE:
            ports = [entry.port]
            if entry.port.member_of is not None:
                return MsgReturn.RCV_IN_SET, None
        elif entry.kind == PORT_SET:
            ports = [port for port in self.ports if port.member_of is entry.target]
        else:
            return MsgReturn.RCV_INVALID_NAME, None
        found = min((message for port in ports for message in port.queue),
                    key=lambda message: message.order, default=None)
        return (0, found) if found is not None else (MsgReturn.RCV_TIMED_OUT, None)

    def dequeue(self, message: Message) -> None:
        """Its rights are in the hands."""
        message.dest.queue.remove(message)
        self._pick_up(message)
        self.admit(message.dest)
        message.dest.sequence += 1

    def received(self, message: Message) -> None:
        """The body is delivered: the right that it came by is used up."""
        self._let_go(self._way(message))
        if message.dest_kind == MOVE_SEND:
            self._sender_gone(message.dest)

    # -- calls on names ----------------------------------------------------------------------------

    def deallocate(self, task: Task, name: int) -> int:
        entry = task.entries[name]
        if entry.kind == DEAD_NAME:
            return self.mod_refs(task, name, DEAD_NAME, -1)
        if entry.kind == SEND_ONCE:
            return self.mod_refs(task, name, SEND_ONCE, -1)
        return self.mod_refs(task, name, SEND, -1) if entry.kind & SEND else KernReturn.INVALID_RIGHT

    def mod_refs(self, task: Task, name: int, kind: int, delta: int) -> int:
        entry = task.entries[name]
        if not entry.kind & kind:
            return KernReturn.INVALID_RIGHT
        if delta == 0:
            return 0
        if kind in (SEND, DEAD_NAME):
            return self._mod_counted(task, entry, kind, delta)
        if delta != -1:
            return KernReturn.INVALID_VALUE
        if kind == RECEIVE:
            self._give_up_receive(task, entry)
        else:
            self.destroy(task, name)
        return 0

    def _mod_counted(self, task: Task, entry: Entry, kind: int, delta: int) -> int:
        after = entry.references + delta
        if after < 0:
            return KernReturn.INVALID_VALUE
        if after > (SEND_MAX if kind == SEND else DEAD_MAX):
            return KernReturn.UREFS_OVERFLOW
        target = entry.target
        self._drop_reference(task, entry, -delta)
        if after == 0 and isinstance(target, Port):
            self._sender_gone(target)
        return 0

    def _give_up_receive(self, task: Task, entry: Entry) -> None:
        port = entry.port
        entry.kind &= ~RECEIVE
        self._remove_empty(task, entry)
        self._destroy_port(port)

    def destroy(self, task: Task, name: int) -> None:
        entry = task.entries[name]
        kind, target = entry.kind, entry.target
        self._remove(task, entry)
        if isinstance(target, Set):
            for port in self.ports:
                if port.member_of is target:
                    port.member_of = None
        elif target is not None:
            if kind == SEND_ONCE:
                self._unused(target)
            if kind & SEND:
                self._sender_gone(target)
            if kind & RECEIVE:
                self._destroy_port(target)

    def insert_as(self, task: Task, right: Right, name: int) -> int:
        """`mach_port_insert_right` of a right in the hands."""
        code = self._refusal(task, right, name)
        if code:
            self.drop(right)
        else:
            self.put(task, right, name)
        return code

    @staticmethod
    def _refusal(task: Task, right: Right, name: int) -> int:
        if right is None or right[0].dead:
            return KernReturn.INVALID_CAPABILITY
        if name in (0, DEAD):
            return KernReturn.INVALID_VALUE
        known = task.name_of(right[0]) if right[1] != MOVE_SEND_ONCE else None
        if name not in task.entries:
            return 0 if known is None else KernReturn.RIGHT_EXISTS
        if known != name:
            return KernReturn.NAME_EXISTS
        full = right[1] == MOVE_SEND and task.entries[name].references == SEND_MAX
        return KernReturn.UREFS_OVERFLOW if full else 0

    def rename(self, task: Task, old: int, new: int) -> int:
        if new in (0, DEAD):
            return KernReturn.INVALID_VALUE
        if new in task.entries:
            return KernReturn.NAME_EXISTS
        entry = task.entries.pop(old)
        entry.name = new
        task.entries[new] = entry
        return 0

    def move_member(self, task: Task, name: int, into: int) -> int:
        port = task.entries[name].port
        if into == 0:
            code = KernReturn.NOT_IN_SET if port.member_of is None else 0
            port.member_of = None
            return code
        target = task.entries[into].target
        assert isinstance(target, Set)
        port.member_of = target
        for message in port.queue:
            message.order = next(self._arrivals)
        return 0

    def request(self, task: Task, name: int, ident: int, sync: int, told: Port | None) -> tuple[int, Port | None]:
        """Register `told` for a notification: a code, and who was registered before."""
        entry = task.entries[name]
        code, previous = self._register(entry, ident, sync, told)
        if code and told is not None:
            self._unused(told)
        return code, previous

    def _register(self, entry: Entry, ident: int, sync: int, told: Port | None) -> tuple[int, Port | None]:
        if ident == DEAD_NAME_TOLD:
            return self._watch(entry, sync, told)
        if not entry.kind & RECEIVE:
            return KernReturn.INVALID_RIGHT, None
        port = entry.port
        if ident == PORT_DESTROYED:
            if sync:
                return KernReturn.INVALID_VALUE, None
            previous, port.destroyed = port.destroyed, told
            return 0, previous
        previous, port.no_senders = port.no_senders, None
        if told is not None and self.sends(port) == 0 and sync <= port.made:
            self._notify(told, NO_SENDERS, port.made)
        else:
            port.no_senders = told
        return 0, previous

    def _watch(self, entry: Entry, sync: int, told: Port | None) -> tuple[int, Port | None]:
        if entry.kind == DEAD_NAME:
            if sync == 0 or told is None:
                return KernReturn.INVALID_ARGUMENT, None
            if entry.references == DEAD_MAX:
                return KernReturn.UREFS_OVERFLOW, None
            entry.references += 1
            self._notify(told, DEAD_NAME_TOLD, entry.name)
            return 0, None
        if entry.kind == PORT_SET:
            return KernReturn.INVALID_RIGHT, None
        previous = self.unwatch(entry)
        if told is not None:
            entry.request = told
            entry.port.watched.append(entry)
        return 0, previous

    def hold(self, port: Port) -> Right:
        """The send-once right of a request that was replaced, in the hands."""
        self._hands.append((port, MOVE_SEND_ONCE))
        return port, MOVE_SEND_ONCE

    def end(self, task: Task) -> None:
        """The task ends: its threads, then its names."""
        waits = [waiting for port in self.ports for waiting in port.waiting if waiting.task is task]
        for waiting in sorted(waits, key=lambda waiting: waiting.thread):
            if not waiting.done:  # its port may have died with a message before
                self._destroy(self.interrupt(waiting))
        for name in list(task.entries):
            if name in task.entries:
                self.destroy(task, name)
        self.tasks.remove(task)
        self._die(task.port)

    def check(self) -> None:
        assert not self._hands and not self._dying
