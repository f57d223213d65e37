"""Random walks of tasks that raise, answer, refuse, abort, suspend and end each other: after
each step every invariant holds, and in the end nothing is left."""

from __future__ import annotations

import random
import struct
from typing import Final, final

import pytest

from machemu.hw.api import CpuException
from machemu.kernel.ipc.right import Carried, Right
from machemu.kernel.results import KernReturn
from machemu.kernel.task.exceptions import ExceptionWait
from tests.support.rig import MAKE_SEND, MOVE_SEND_ONCE, Actor, KernelRig, Received, header

STEPS: Final = 300
TASKS: Final = 4
RET_CODE: Final = 0x0000_0001_2000_2002
ABORT, SUSPEND, RESUME, THREAD_TERMINATE, TASK_TERMINATE = 2064, 2062, 2063, 2016, 2008


@final
class Walk:
    """`rig.actor` is the judge: it neither raises nor ends, and acts on all others."""

    def __init__(self, rig: KernelRig, seed: int) -> None:
        self.rig = rig
        self.chance = random.Random(seed)
        self.judge = rig.actor
        self.actors: list[Actor] = []
        self.held: list[tuple[Actor, int]] = []  # reply rights in handlers' hands
        self.outcomes: set[str] = set()

    def pick(self, **wanted: bool) -> Actor | None:
        """Some live actor: `runnable` or not, if that is said."""
        found = [actor for actor in self.actors if actor.thread.alive
                 and wanted.get("runnable", actor.thread.runnable) == actor.thread.runnable]
        return self.chance.choice(found) if found else None

    # -- steps ----------------------------------------------------------------------

    def arrive(self) -> None:
        if len({actor.task for actor in self.actors if actor.task.alive}) < TASKS:
            self.actors.append(self.rig.another())
            self.set_port(self.actors[-1])
        elif (actor := self.pick()) is not None:
            self.actors.append(self.rig.second_thread(actor))

    def set_port(self, victim: Actor | None = None) -> None:
        """Some task or thread gets a port of some other's, or of its own, or none."""
        victim, handler = victim or self.pick(), self.chance.choice([*self.actors, *[self.judge] * 4])
        if victim is None or not handler.task.alive:
            return
        owner = self.chance.choice([victim.thread, victim.task, victim.task])
        port = None
        if self.chance.random() < 0.9:
            right = handler.space.take(handler.port(), MAKE_SEND)
            assert isinstance(right, Carried)
            port = right.port
        if owner.exception_port is not None:
            owner.exception_port.drop_send()
        owner.exception_port = port

    def raise_one(self) -> None:
        if (actor := self.pick(runnable=True)) is not None:
            self.rig.run(actor)
            self.rig.kernel.exception(CpuException("breakpoint", 3, 0x10000))
            self.outcomes.add("waits" if actor.thread.alive else "ends at once")

    def take(self) -> None:
        """Some handler receives what is in one of its ports."""
        handler = self.judge if self.chance.random() < 0.5 else self.pick(runnable=True)
        if handler is None or not handler.thread.runnable:
            return
        queued = [entry.name for entry in handler.space.entries.values()
                  if entry.kind & Right.RECEIVE.type_bit and entry.port is not None and entry.port.queued]
        if queued:
            request: Received = handler.take(self.chance.choice(queued))
            if request.ident == 2400 and request.remote not in (0, 0xFFFF_FFFF):
                self.held.append((handler, request.remote))

    def answer(self) -> None:
        if not self.held:
            return
        handler, name = self.held.pop(self.chance.randrange(len(self.held)))
        if not handler.thread.runnable:
            return
        code = self.chance.choice([0, 0, 0, KernReturn.FAILURE])
        body = struct.pack("<Qi4x", RET_CODE, code)
        result = handler.send(header(name, 0, MOVE_SEND_ONCE, 0, 2500, 48) + body)
        self.outcomes.add(f"answered {code}" if result == 0 else "too late")

    def lose(self) -> None:
        if self.held:
            handler, name = self.held.pop()
            if handler.task.alive:
                handler.space.destroy_name(name)
                self.outcomes.add("lost")

    def lose_port(self) -> None:
        handler = self.chance.choice([*self.actors, self.judge])
        ports = [entry.name for entry in handler.space.entries.values() if entry.kind & Right.RECEIVE.type_bit]
        if ports:
            handler.space.destroy_name(self.chance.choice(ports))

    def act(self) -> None:
        """The judge does something to some thread or task."""
        if (victim := self.pick()) is None:
            return
        ident = self.chance.choice([ABORT] * 4 + [SUSPEND, RESUME] * 3 + [THREAD_TERMINATE, TASK_TERMINATE])
        target = victim.task if ident == TASK_TERMINATE else victim.thread
        if isinstance(victim.thread.wait, ExceptionWait):
            self.outcomes.add(f"{ident} in a wait")
        self.judge.rpc(self.rig.name_of(self.judge, target), ident)

    def step(self) -> None:
        steps = [self.arrive, self.set_port, self.raise_one, self.take, self.answer, self.lose, self.lose_port,
                 self.act]
        with self.rig.watched():
            self.chance.choices(steps, [3, 4, 8, 8, 6, 3, 1, 4])[0]()
            self.rig.kernel.scheduler.settle()
        self.rig.check()

    def finish(self) -> None:
        for actor in self.actors:
            if actor.task.alive:
                self.rig.kernel.terminate_task(actor.task, None, "test")
                self.rig.kernel.scheduler.settle()
        for name in list(self.judge.space.entries):
            if name != self.judge.self_name:
                self.judge.space.destroy_name(name)
        self.rig.kernel.scheduler.settle()
        self.rig.check()


def walked(seed: int) -> Walk:
    rig = KernelRig()
    walk = Walk(rig, seed)
    before = rig.counts()
    for _ in range(STEPS):
        walk.step()
    walk.finish()
    after = rig.counts()
    assert (after.tasks, len(after.ports), after.frames) == (before.tasks, len(before.ports), before.frames)
    return walk


@pytest.mark.parametrize("seed", range(6))
def test_any_walk_leaves_nothing(seed: int) -> None:
    walked(seed)


def test_the_walks_go_everywhere() -> None:
    seen = set().union(*(walked(seed).outcomes for seed in range(100, 108)))
    assert seen >= {"waits", "ends at once", "answered 0", "answered 5", "too late", "lost", f"{ABORT} in a wait",
                    f"{SUSPEND} in a wait", f"{THREAD_TERMINATE} in a wait", f"{TASK_TERMINATE} in a wait"}, seen
