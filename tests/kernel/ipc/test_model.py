"""Ports, rights and spaces against the naive model: random histories of sends, receives,
moves, sets, notifications and deaths must look the same in both, after every step."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, PORT_SET, RECEIVE, SEND, SEND_ONCE, Right
from machemu.kernel.results import KernReturn, MsgReturn
from tests.kernel.ipc import model as naive
from tests.kernel.ipc.model import NEEDS, Message, Model, Port, Set
from tests.support.rig import (
    BLOCKED,
    BUFFER,
    COPY_SEND,
    DEAD,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    RCV_TIMEOUT,
    SCRATCH,
    SEND_TIMEOUT,
    Actor,
    Give,
    KernelRig,
    Received,
    message,
    port_item,
    port_region_item,
)

RENAME, DESTROY, DEALLOCATE, MOD_REFS = 3202, 3205, 3206, 3208
SET_QLIMIT, SET_MSCOUNT, MOVE_MEMBER, REQUEST_NOTIFICATION = 3210, 3211, 3213, 3214
INSERT_RIGHT, EXTRACT_RIGHT, SET_SEQNO, SET_PAYLOAD, CLEAR_PAYLOAD = 3215, 3216, 3218, 3221, 3222
PAYLOAD_KIND: Final = 23
# Dispositions that suit a name, the usual more often: else all rights are soon gone.
SUITED: Final = {SEND: (COPY_SEND, COPY_SEND, MOVE_SEND), SEND_ONCE: (MOVE_SEND_ONCE,),
                 RECEIVE: (MAKE_SEND, MAKE_SEND, MAKE_SEND, MAKE_SEND_ONCE, MOVE_RECEIVE),
                 DEAD_NAME: (COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE)}
ITEM: Final = 16  # octets of an item with one right, and of one out of line
DELTAS: Final = (-1, -1, -1, 1, 2, 0, -2, -3, 65532, 65533, 70000)


class Task(naive.Task):
    """A task of both: the model's names, and who makes the kernel's traps."""

    def __init__(self, rig: KernelRig, actor: Actor) -> None:
        super().__init__()
        self.rig = rig
        self.actor = actor
        self.threads: list[Actor] = []  # those that send, by number
        self.add(actor.self_name, SEND, 1, self.port)

    def pick(self, number: int, kinds: int = -1) -> int:
        """A name by number, of one of `kinds` if there is one and the number is not too odd."""
        names = [name for name, entry in self.entries.items()
                 if not (isinstance(entry.target, Port) and entry.target.place == naive.KERNEL)]
        wanted = [name for name in names if self.entries[name].kind & kinds] if number % 16 else []
        names = wanted or names
        return names[number % len(names)] if names else 0

    def free_thread(self) -> int:
        """The number of a thread that does not wait."""
        for number, thread in enumerate(self.threads):
            if thread.result() != BLOCKED:
                return number
        self.threads.append(self.rig.second_thread(self.actor))
        self.entries[self.actor.self_name].references += 1  # each has the name of its task
        return len(self.threads) - 1


class World:
    """Both worlds.  Every public method is one operation: it predicts, does, and compares."""

    def __init__(self) -> None:
        self.rig = KernelRig()
        self.model = Model()
        self.idents = count(1000)
        self.tasks = [Task(self.rig, self.rig.actor), *(Task(self.rig, self.rig.another()) for _ in range(2))]
        self.model.tasks[:] = self.tasks
        for task in self.tasks:
            mailbox = self._new_port(task)
            for other in self.tasks:
                if other is not task:
                    other.add(self.rig.name_of(other.actor, task.actor.task), SEND, 1, task.port)
                    name = self.rig.give(task.actor, mailbox, other.actor)
                    port = task.entries[mailbox].port
                    other.add(name, SEND, 1, port)
                    port.made += 1
            self._new_set(task)

    def _new_port(self, task: Task) -> int:
        name = task.actor.port()
        port = Port(place=task)
        self.model.ports.append(port)
        task.add(name, RECEIVE, 0, port)
        return name

    def _new_set(self, task: Task) -> None:
        task.add(task.actor.port(Right.PORT_SET), PORT_SET, 1, Set())

    def allocate(self, task: Task, number: int, *_: int) -> None:
        if number % 8 < 6:
            self._new_port(task)
        elif number % 8 == 6:
            self._new_set(task)
        else:
            task.add(task.actor.port(Right.DEAD_NAME), DEAD_NAME, 1, None)

    # -- messages ----------------------------------------------------------------------------------

    def _use(self, task: Task, name: int, number: int) -> int:
        """A disposition, which mostly suits the name."""
        if number % 16 == 0:
            return MOVE_RECEIVE + number // 16 % 6
        suited = [use for kind, uses in SUITED.items() if task.entries[name].kind & kind for use in uses]
        return suited[number % len(suited)] if suited else COPY_SEND

    def send(self, task: Task, to: int, use: int, what: int, how: int) -> None:
        """A right inline, an array of them, or both; waits for room, or not."""
        name = task.pick(to, SEND | SEND_ONCE | RECEIVE)
        if not name:
            return
        use = self._use(task, name, use)
        dest = name, MAKE_SEND if use == MOVE_RECEIVE else use
        first = task.pick(what, ~PORT_SET)
        body_use = self._use(task, first, how // 4)
        inline = [(first, body_use)] if how % 4 != 2 else []
        suits = NEEDS[body_use] | DEAD_NAME
        array = [(task.pick(what + extra, suits), body_use) for extra in range(1, how % 4 + 1)] if how % 4 < 3 else []
        option = SEND_TIMEOUT if to % 3 == 0 else 0

        ident = next(self.idents)
        octets = self._octets(task.actor, dest, inline, array, ident)
        thread = task.free_thread()
        result = task.threads[thread].send(octets, option)
        code, sent = self.model.compose(task, ident, dest, inline, array)
        if sent is None:
            assert result == code
        elif self.model.has_room(sent):
            assert result == 0
            self.model.enqueue(sent)
        elif option:
            assert result == MsgReturn.SEND_TIMED_OUT
            self._given_back(task, sent)
        else:
            assert result == BLOCKED
            self.model.wait(task, thread, sent)

    @staticmethod
    def _octets(actor: Actor, dest: tuple[int, int], inline: list[tuple[int, int]], array: list[tuple[int, int]],
                ident: int) -> bytes:
        items = [port_item(*right) for right in inline]
        if array:
            actor.memory.write(SCRATCH, struct.pack(f"<{len(array)}I", *(name for name, _ in array)))
            items.append(port_region_item(SCRATCH, len(array), array[0][1]))
        return message(dest[0], *items, remote_use=dest[1], ident=ident)

    def interrupt(self, task: Task, number: int, *_: int) -> None:
        """Break the wait of a sender."""
        waits = [waiting for port in self.model.ports for waiting in port.waiting if waiting.task is task]
        if not waits:
            return
        waiting = waits[number % len(waits)]
        actor = task.threads[waiting.thread]
        assert actor.thread.wait is not None
        actor.thread.wait.interrupt()
        assert actor.result() == MsgReturn.SEND_INTERRUPTED
        self._given_back(task, self.model.interrupt(waiting))

    def _given_back(self, task: Task, sent: Message) -> None:
        """A message that was not sent is in its sender's buffer: the body's rights, then the header's."""
        found = task.actor.received(BUFFER)
        assert (found.ident, found.remote_use) == (sent.ident, sent.dest_kind)
        self._put_body(task, sent, found)
        self.model.put(task, (sent.dest, sent.dest_kind), found.remote)

    def _put_body(self, task: Task, carried: Message, found: Received) -> None:
        """The names of what arrived must be such as the model allows."""
        for right in carried.inline:
            self.model.put(task, right, found.word(8) & DEAD)
        if carried.array:
            address, size = found.word(ITEM * len(carried.inline) + 8), 4 * len(carried.array)
            names = struct.unpack(f"<{len(carried.array)}I", task.actor.memory.read(address, size))
            task.actor.memory.deallocate(address, size)
            for right, name in zip(carried.array, names, strict=True):
                self.model.put(task, right, name)

    def receive(self, task: Task, number: int, other: int, *_: int) -> None:
        waiting = [name for name in task.entries if self.model.first(task, name)[1] is not None] if other % 4 else []
        name = waiting[number % len(waiting)] if waiting else task.pick(number, PORT_SET if other % 8 else RECEIVE)
        if not name:
            return
        code, first = self.model.first(task, name)
        assert task.actor.receive(name, RCV_TIMEOUT) == code
        if first is None:
            return
        found = task.actor.received()
        local = ((task.name_of(first.dest), first.dest_kind) if first.dest.payload is None
                 else (first.dest.payload, PAYLOAD_KIND))
        assert (found.ident, (found.local, found.local_use)) == (first.ident, local)
        assert found.sequence == first.dest.sequence
        if first.word:
            assert found.word(8) & DEAD == first.word
        self.model.dequeue(first)
        self._put_body(task, first, found)
        self.model.received(first)

    # -- calls on names ----------------------------------------------------------------------------

    def set_numbers(self, task: Task, number: int, which: int, value: int, *_: int) -> None:
        """Make-send count, sequence number or payload of a port."""
        name = task.pick(number, RECEIVE)
        if not name or not task.entries[name].kind & RECEIVE:
            return
        port = task.entries[name].port
        if which % 4 == 0:
            port.made = value % 4
            task.actor.call(SET_MSCOUNT, name, port.made)
        elif which % 4 == 1:
            port.sequence = value
            task.actor.call(SET_SEQNO, name, value)
        elif which % 4 == 2:
            port.payload = value << 40
            task.actor.call(SET_PAYLOAD, name, port.payload)
        else:
            port.payload = None
            task.actor.call(CLEAR_PAYLOAD, name)

    def insert_right(self, task: Task, number: int, use: int, whose: int, into: int) -> None:
        """Put a right under a name of some task's: taken, free, or none."""
        name, other = task.pick(number, ~PORT_SET), self.tasks[whose % len(self.tasks)]
        uses = [use for kind, uses in SUITED.items() if name and task.entries[name].kind & kind for use in uses]
        if not uses:
            return
        how = uses[use % len(uses)]
        chosen = (0, DEAD, other.pick(into), *[max(other.entries) + 512 * (into % 3 + 1)] * 3)[into % 6]
        known = other.name_of(task.entries[name].port) if task.entries[name].kind != DEAD_NAME else None
        if known is not None and into % 4:
            chosen = known
        code, _ = task.actor.rpc(task.name_of(other.port) or 0, INSERT_RIGHT, chosen, Give(name, how))
        works, right = self.model.take(task, name, how)
        assert works
        assert code == self.model.insert_as(other, right, chosen)

    def extract_right(self, task: Task, number: int, use: int, whose: int, *_: int) -> None:
        other = self.tasks[whose % len(self.tasks)]
        name = other.pick(number)
        if not name:
            return
        how = self._use(other, name, use)
        code, results = task.actor.rpc(task.name_of(other.port) or 0, EXTRACT_RIGHT, name, how)
        works, right = self.model.take(other, name, how)
        assert code == (0 if works else KernReturn.INVALID_RIGHT)
        if works:
            assert isinstance(results[0], int)
            self.model.put(task, right, results[0])

    def deallocate(self, task: Task, number: int, *_: int) -> None:
        name = task.pick(number, SEND | SEND_ONCE | DEAD_NAME)
        if name:
            code, _ = task.actor.rpc(task.actor.self_name, DEALLOCATE, name)
            assert code == self.model.deallocate(task, name)

    def destroy(self, task: Task, number: int, *_: int) -> None:
        name = task.pick(number)
        if name:
            task.actor.call(DESTROY, name)
            self.model.destroy(task, name)

    def mod_refs(self, task: Task, number: int, delta: int, kind: int, *_: int) -> None:
        name = task.pick(number)
        if not name:
            return
        has = [right for right in Right if task.entries[name].kind & right.type_bit]
        right, change = has[kind % len(has)] if kind % 5 else Right(kind % 4), DELTAS[delta % len(DELTAS)]
        code, _ = task.actor.rpc(task.actor.self_name, MOD_REFS, name, right, change)
        assert code == self.model.mod_refs(task, name, right.type_bit, change)

    def give_up_receive(self, task: Task, number: int, *_: int) -> None:
        name = task.pick(number, RECEIVE)
        if name:
            code, _ = task.actor.rpc(task.actor.self_name, MOD_REFS, name, Right.RECEIVE, -1)
            assert code == self.model.mod_refs(task, name, RECEIVE, -1)

    def rename(self, task: Task, number: int, into: int, *_: int) -> None:
        """To a name that is taken, to one that the kernel would choose soon, or not at all."""
        old = task.pick(number)
        if old:
            new = (0, DEAD, task.pick(into), max(task.entries) + 512, max(task.entries) + 768)[into % 5]
            code, _ = task.actor.rpc(task.actor.self_name, RENAME, old, new)
            assert code == self.model.rename(task, old, new)

    def set_qlimit(self, task: Task, number: int, limit: int, *_: int) -> None:
        name = task.pick(number, RECEIVE)
        if name and task.entries[name].kind & RECEIVE:
            task.actor.call(SET_QLIMIT, name, limit % 4)
            port = task.entries[name].port
            port.limit = limit % 4
            self.model.admit(port)

    def move_member(self, task: Task, number: int, into: int, *_: int) -> None:
        name = task.pick(number, RECEIVE)
        sets = [name for name, entry in task.entries.items() if entry.kind == PORT_SET] + [0]
        the_set = sets[into % len(sets)]
        if name and task.entries[name].kind & RECEIVE:
            code, _ = task.actor.rpc(task.actor.self_name, MOVE_MEMBER, name, the_set)
            assert code == self.model.move_member(task, name, the_set)

    def request(self, task: Task, number: int, which: int, told: int, sync: int) -> None:
        """Ask for a notification to one of the task's ports, or for no more."""
        ident = (naive.DEAD_NAME_TOLD, naive.NO_SENDERS, naive.PORT_DESTROYED)[which % 3]
        name = task.pick(number, SEND | SEND_ONCE if ident == naive.DEAD_NAME_TOLD else RECEIVE)
        notify = task.pick(told, RECEIVE)
        if not name or not task.entries[notify].kind & RECEIVE:
            return
        sync = sync % 4 if sync % 3 else 0
        port = task.entries[notify].port if told % 5 else None
        given = Give(notify, MAKE_SEND_ONCE) if port is not None else None
        code, results = task.actor.rpc(task.actor.self_name, REQUEST_NOTIFICATION, name, ident, sync, given)
        expected, previous = self.model.request(task, name, ident, sync, port)
        assert code == expected
        if previous is not None:
            assert isinstance(results[0], int)
            self.model.put(task, self.model.hold(previous), results[0])
        elif code == 0:
            assert results[0] == 0

    def end(self, task: Task, number: int, *_: int) -> None:
        if len(self.tasks) > 1 and number % 8 == 0:
            self.rig.kernel.terminate_task(task.actor.task, None, "test")
            self.rig.check()
            self.model.end(task)
            self.tasks.remove(task)

    # -- after each --------------------------------------------------------------------------------

    def compare(self) -> None:
        self.model.check()
        waits = {(waiting.task, waiting.thread) for port in self.model.ports for waiting in port.waiting}
        for task in self.tasks:
            names = {name: (entry.kind, entry.references) for name, entry in task.entries.items()}
            assert task.actor.names() == names
            for name, entry in task.entries.items():
                if entry.kind & RECEIVE:
                    self._compare_port(task, name, entry.port)
                assert (task.actor.space.entries[name].dead_name_request is None) == (entry.request is None)
            for number, thread in enumerate(task.threads):
                assert (thread.result() == BLOCKED) == ((task, number) in waits)

    def _compare_port(self, task: Task, name: int, port: Port) -> None:
        found = task.actor.space.entries[name].port
        assert found is not None
        assert (found.queued, found.limit, found.sequence, found.make_send_count, len(found.blocked_senders)) == (
            len(port.queue), port.limit, port.sequence, port.made, len(port.waiting))
        assert (found.send_rights, found.send_once_rights) == (self.model.sends(port), self.model.onces(port))
        assert (found.no_senders is None, found.port_destroyed is None, found.port_set is None) == (
            port.no_senders is None, port.destroyed is None, port.member_of is None)


Operation = Callable[..., None]
OPERATIONS: Final[tuple[Operation, ...]] = (
    *[World.allocate] * 3, *[World.send] * 14, *[World.receive] * 7, World.interrupt, *[World.deallocate] * 4,
    World.destroy, *[World.mod_refs] * 2, World.give_up_receive, World.rename, *[World.set_qlimit] * 2,
    *[World.move_member] * 2, *[World.request] * 5, World.set_numbers, *[World.insert_right] * 2,
    *[World.extract_right] * 2, World.end)
WORLDS, STEPS = 10, 100  # for each seed


@pytest.mark.parametrize("seed", range(10))
def test_rights_are_where_the_model_says(seed: int) -> None:
    random = Random(seed)
    for _ in range(WORLDS):
        world = World()
        for _ in range(STEPS):
            operation, task = random.choice(OPERATIONS), random.choice(world.tasks)
            operation(world, task, *(random.randrange(1 << 16) for _ in range(4)))
            world.compare()
        while len(world.tasks) > 1:
            world.end(world.tasks[0], 0)
            world.compare()
