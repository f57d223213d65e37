"""Ports, rights and spaces against a naive model: rights are entries in dicts, a port's death
looks through all of them.  Random histories of sends, receives, moves, sets and deaths must
look the same in both."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from machemu.kernel.ipc.right import DEAD_NAME, PORT_SET, RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import KernReturn, MsgReturn
from tests.support.rig import (
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    RCV_TIMEOUT,
    Actor,
    KernelRig,
    message,
    port_item,
)

SEND_ONCE_UNUSED: Final = 71
QLIMIT: Final = 16
MOVE_MEMBER, SET_QLIMIT, DESTROY, DEALLOCATE, MOD_REFS = 3213, 3210, 3205, 3206, 3208
USES: Final = {SEND: (COPY_SEND, MOVE_SEND), RECEIVE: (MAKE_SEND, MAKE_SEND_ONCE, MOVE_RECEIVE),
               SEND_ONCE: (MOVE_SEND_ONCE,), DEAD_NAME: (COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE)}
ARRIVES: Final = {MOVE_RECEIVE: MOVE_RECEIVE, MOVE_SEND: MOVE_SEND, MOVE_SEND_ONCE: MOVE_SEND_ONCE,
                  COPY_SEND: MOVE_SEND, MAKE_SEND: MOVE_SEND, MAKE_SEND_ONCE: MOVE_SEND_ONCE}


@dataclass(eq=False)
class Port:
    place: object = None  # the Task that receives from it, the Port it is queued at, or None: dead
    queue: list[Message] = field(default_factory=list)
    member_of: Set | None = None
    dead: bool = False


@dataclass(eq=False)
class Message:
    ident: int
    dest: Port
    dest_kind: int
    right: tuple[Port, int] | None = None  # None: nothing, or dead
    order: int = 0  # of arrival


@dataclass(eq=False)
class Set:
    pass


@dataclass
class Entry:
    kind: int
    references: int
    target: Port | Set | None


@dataclass(eq=False)
class Task:
    actor: Actor
    entries: dict[int, Entry] = field(default_factory=dict)

    def name_of(self, port: Port) -> int | None:
        """The name of a port's send and receive rights."""
        return next((name for name, entry in self.entries.items()
                     if entry.target is port and entry.kind & (SEND | RECEIVE)), None)

    def pick(self, number: int, kinds: int = -1) -> int:
        """A name by number, of one of `kinds` if there is one and the number is not too odd."""
        names = [name for name in self.entries if name != self.actor.self_name]
        wanted = [name for name in names if self.entries[name].kind & kinds] if number % 7 else []
        names = wanted or names
        return names[number % len(names)] if names else 0


class World:
    """Both worlds.  Every public method is one operation: it predicts, does, and compares."""

    def __init__(self) -> None:
        self.rig = KernelRig()
        self.arrivals = count(1)
        self.idents = count(1000)
        self.tasks = [Task(self.rig.actor), Task(self.rig.another()), Task(self.rig.another())]
        for task in self.tasks:  # a name for the task port, which the kernel receives from
            task.entries[task.actor.self_name] = Entry(SEND, 1, Port(place="kernel"))
        for task in self.tasks:
            mailbox = self._new_port(task)
            for other in self.tasks:
                if other is not task:
                    name = self.rig.give(task.actor, mailbox, other.actor)
                    other.entries[name] = Entry(SEND, 1, task.entries[mailbox].target)
            task.entries[task.actor.port(Right.PORT_SET)] = Entry(PORT_SET, 1, Set())

    # -- the model's rules -------------------------------------------------------------------------

    def _new_port(self, task: Task) -> int:
        name = task.actor.port()
        task.actor.space.entries[name].port.limit = QLIMIT
        task.entries[name] = Entry(RECEIVE, 0, Port(place=task))
        return name

    def _take(self, task: Task, name: int, use: int) -> tuple[bool, tuple[Port, int] | None]:
        """Take a right out of a space: whether that works, and the right (None: dead)."""
        entry = task.entries[name]
        if entry.kind == DEAD_NAME and use in (COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE):
            if use != COPY_SEND:
                self._drop(task, name)
            return True, None
        wanted = {COPY_SEND: SEND, MOVE_SEND: SEND, MOVE_SEND_ONCE: SEND_ONCE}.get(use, RECEIVE)
        if not entry.kind & wanted:
            return False, None
        port = entry.target
        assert isinstance(port, Port)
        if use in (MOVE_SEND, MOVE_SEND_ONCE):
            self._drop(task, name)
        elif use == MOVE_RECEIVE:
            self._lose_receive(task, name)
            port.member_of = None
        return True, (port, ARRIVES[use])

    def _drop(self, task: Task, name: int) -> None:
        """One reference less, of a send, send-once or dead name."""
        entry = task.entries[name]
        entry.references -= 1
        if entry.references == 0:
            entry.kind &= RECEIVE
            if not entry.kind:
                del task.entries[name]

    def _lose_receive(self, task: Task, name: int) -> None:
        entry = task.entries[name]
        entry.kind &= ~RECEIVE
        if not entry.kind:
            del task.entries[name]

    def _insert(self, task: Task, right: tuple[Port, int] | None, name: int) -> None:
        """`name` is what the kernel calls it; it must be right."""
        if right is None or right[0].dead:
            assert name == DEAD
            return
        port, kind = right
        known = task.name_of(port) if kind != MOVE_SEND_ONCE else None
        if known is None:
            assert name not in task.entries
            task.entries[name] = Entry(0, 0, port)
        else:
            assert name == known
        entry = task.entries[name]
        if kind == MOVE_RECEIVE:
            entry.kind |= RECEIVE
            port.place = task
        else:
            entry.kind |= SEND if kind == MOVE_SEND else SEND_ONCE
            entry.references += 1

    def _destroy_right(self, right: tuple[Port, int] | None) -> None:
        if right is None or right[0].dead:
            return
        port, kind = right
        if kind == MOVE_SEND_ONCE and port.place != "kernel":
            self._enqueue(Message(SEND_ONCE_UNUSED, port, MOVE_SEND_ONCE))
        elif kind == MOVE_RECEIVE:
            self._die(port)

    def _die(self, port: Port) -> None:
        if port.dead:
            return
        port.dead, port.place, port.member_of = True, None, None
        for task in self.tasks:
            for entry in task.entries.values():
                if entry.target is port:
                    entry.kind, entry.target, entry.references = DEAD_NAME, None, max(entry.references, 1)
        queue, port.queue = port.queue, []
        for queued in queue:
            self._destroy_right(queued.right)

    def _enqueue(self, sent: Message) -> None:
        moved = sent.right[0] if sent.right is not None and sent.right[1] == MOVE_RECEIVE else None
        port: object = sent.dest
        while isinstance(port, Port):
            if port is moved:
                if sent.dest_kind == MOVE_SEND_ONCE:
                    self._destroy_right((sent.dest, MOVE_SEND_ONCE))
                self._die(port)
                return
            port = port.place
        if moved is not None:
            moved.place = sent.dest
        sent.order = next(self.arrivals)
        sent.dest.queue.append(sent)

    # -- operations -------------------------------------------------------------------------------------

    def allocate(self, task: Task, number: int, *_: int) -> None:
        if number % 4 < 2:
            self._new_port(task)
        elif number % 4 == 2:
            task.entries[task.actor.port(Right.PORT_SET)] = Entry(PORT_SET, 1, Set())
        else:
            task.entries[task.actor.port(Right.DEAD_NAME)] = Entry(DEAD_NAME, 1, None)

    def _use(self, task: Task, name: int, number: int) -> int:
        """A disposition, which mostly suits the name."""
        if number % 5 == 0:
            return MOVE_RECEIVE + number % 6
        suited = [use for kind, uses in USES.items() if task.entries[name].kind & kind for use in uses]
        return suited[number % len(suited)] if suited else COPY_SEND

    def send(self, task: Task, to: int, use: int, what: int, body_use: int) -> None:
        name, inside = task.pick(to, SEND | SEND_ONCE), task.pick(what)
        if not name:
            return
        use, body_use = self._use(task, name, use), self._use(task, inside, body_use)
        if use == MOVE_RECEIVE:
            use = MAKE_SEND
        target = task.entries[name].target
        if isinstance(target, Port) and len(target.queue) >= QLIMIT:
            return
        ident = next(self.idents)
        result = task.actor.send(message(name, port_item(inside, body_use), remote_use=use, ident=ident))
        if task.entries[name].kind == DEAD_NAME:
            assert result == MsgReturn.SEND_INVALID_DEST
            return
        works, dest = self._take(task, name, use)
        if not works:
            assert result == MsgReturn.SEND_INVALID_DEST
            return
        assert dest is not None
        works, right = self._take(task, inside, body_use) if inside in task.entries else (False, None)
        if not works:
            assert result == MsgReturn.SEND_INVALID_RIGHT
            self._destroy_right(dest)
            return
        assert result == 0
        self._enqueue(Message(ident, *dest, right))

    def receive(self, task: Task, number: int, other: int, *_: int) -> None:
        name = task.pick(number, PORT_SET if other % 2 else RECEIVE)
        if not name:
            return
        entry = task.entries[name]
        result = task.actor.receive(name, RCV_TIMEOUT)
        if entry.kind & RECEIVE:
            assert isinstance(entry.target, Port)
            ports = [entry.target]
            if entry.target.member_of is not None:
                assert result == MsgReturn.RCV_IN_SET
                return
        elif entry.kind & PORT_SET:
            ports = [other.target for other in task.entries.values()
                     if isinstance(other.target, Port) and other.kind & RECEIVE
                     and other.target.member_of is entry.target]
        else:
            assert result == MsgReturn.RCV_INVALID_NAME
            return
        waiting = [queued for port in ports for queued in port.queue]
        if not waiting:
            assert result == MsgReturn.RCV_TIMED_OUT
            return
        assert result == 0
        first = min(waiting, key=lambda queued: queued.order)
        first.dest.queue.remove(first)
        found = task.actor.received()
        assert (found.ident, found.local, found.local_use) == (first.ident, task.name_of(first.dest), first.dest_kind)
        if first.ident != SEND_ONCE_UNUSED:
            self._insert(task, first.right, found.word(8) & 0xFFFF_FFFF)

    def deallocate(self, task: Task, number: int, *_: int) -> None:
        name = task.pick(number)
        if not name:
            return
        entry = task.entries[name]
        code, _ = task.actor.rpc(task.actor.self_name, DEALLOCATE, name)
        if not entry.kind & (SEND | SEND_ONCE | DEAD_NAME):
            assert code == KernReturn.INVALID_RIGHT
            return
        assert code == 0
        port, was = entry.target, entry.kind
        self._drop(task, name)
        if was & SEND_ONCE:
            assert isinstance(port, Port)
            self._destroy_right((port, MOVE_SEND_ONCE))

    def destroy(self, task: Task, number: int, *_: int) -> None:
        name = task.pick(number)
        if not name:
            return
        task.actor.call(DESTROY, name)
        self._give_up(task, name)

    def _give_up(self, task: Task, name: int) -> None:
        entry = task.entries.pop(name)
        if isinstance(entry.target, Set):
            for other in task.entries.values():
                if isinstance(other.target, Port) and other.target.member_of is entry.target:
                    other.target.member_of = None
        elif isinstance(entry.target, Port):
            if entry.kind & SEND_ONCE:
                self._destroy_right((entry.target, MOVE_SEND_ONCE))
            elif entry.kind & RECEIVE:
                self._die(entry.target)

    def give_up_receive(self, task: Task, number: int, *_: int) -> None:
        name = task.pick(number, RECEIVE)
        if name and task.entries[name].kind & RECEIVE:
            task.actor.call(MOD_REFS, name, Right.RECEIVE, -1)
            port = task.entries[name].target
            assert isinstance(port, Port)
            self._lose_receive(task, name)
            self._die(port)

    def move_member(self, task: Task, number: int, into: int, *_: int) -> None:
        name = task.pick(number, RECEIVE)
        sets = [name for name, entry in task.entries.items() if entry.kind == PORT_SET] + [0]
        the_set = sets[into % len(sets)]
        if not name or not task.entries[name].kind & RECEIVE:
            return
        port = task.entries[name].target
        assert isinstance(port, Port)
        code, _ = task.actor.rpc(task.actor.self_name, MOVE_MEMBER, name, the_set)
        if the_set == 0:
            assert code == (KernReturn.NOT_IN_SET if port.member_of is None else 0)
            port.member_of = None
            return
        assert code == 0
        target = task.entries[the_set].target
        assert isinstance(target, Set)
        port.member_of = target
        for queued in port.queue:
            queued.order = next(self.arrivals)

    def end(self, task: Task, number: int, *_: int) -> None:
        if len(self.tasks) == 1 or number % 8:
            return
        self.rig.kernel.terminate_task(task.actor.task, None, "test")
        self.rig.check()
        while task.entries:
            self._give_up(task, next(iter(task.entries)))
        self.tasks.remove(task)

    def compare(self) -> None:
        for task in self.tasks:
            assert task.actor.names() == {name: (entry.kind, entry.references)
                                          for name, entry in task.entries.items()}
            for name, entry in task.entries.items():
                if isinstance(entry.target, Port) and entry.target.place != "kernel":
                    assert task.actor.space.entries[name].port.queued == len(entry.target.queue)


OPERATIONS: Final = (World.allocate, *[World.send] * 9, *[World.receive] * 5, World.deallocate, World.destroy,
                     World.give_up_receive, *[World.move_member] * 3, World.end)
NUMBERS: Final = st.integers(0, 60)
HISTORIES: Final = st.lists(st.tuples(st.sampled_from(OPERATIONS), NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
                            min_size=25, max_size=60)


@settings(derandomize=True, deadline=None, max_examples=240, database=None)
@given(HISTORIES)
def test_rights_are_where_the_model_says(history: list[tuple[object, int, int, int, int, int]]) -> None:
    world = World()
    for operation, task, *numbers in history:
        operation(world, world.tasks[task % len(world.tasks)], *numbers)
        world.compare()
    while len(world.tasks) > 1:
        world.end(world.tasks[0], 0)
        world.compare()
