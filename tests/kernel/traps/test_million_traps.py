"""A million traps of several tasks at random, from a few seeds: numbers, registers, messages and
memory contents are drawn so that many traps do something.  No Python exception leaves the
kernel, invariants and balance hold all the way, and nothing is left at the end."""

from __future__ import annotations

import random
import struct
from typing import Final, final

import pytest

from machemu.kernel.ipc.right import DEAD_NAME, PORT_SET, RECEIVE, SEND, SEND_ONCE
from machemu.kernel.ipc.space import Entry
from machemu.kernel.rpc import routine_table
from tests.kernel.rpc.test_any_request import new_actor
from tests.servers.hostile import sound_body
from tests.support.rig import (
    BUFFER,
    BUFFERS_END,
    DEAD,
    NO_NAME,
    NULL,
    NUMBERS,
    PAGE,
    RECEIVE_BUFFER,
    SCRATCH,
    UNMAPPED,
    VM_END,
    Actor,
    KernelRig,
    header,
    message,
    port_item,
    port_region_item,
    ports_item,
    region_item,
    word_item,
)

TRAPS: Final = 250_000  # of each seed
CHECKED_EVERY: Final = 10_000  # traps
ACTORS: Final = 5
NAMES_MAX: Final = 150
TASKS_MAX: Final = 60
FRAMES_OF_A_TASK: Final = 200
MS: Final = 1_000_000  # ns
REQUESTS: Final = [(ident, *sound_body(served.routine)) for ident, served in sorted(routine_table().items())]
OTHER_TRAPS: Final = sorted(set(NUMBERS.values()) - {NUMBERS["mach_msg_trap"]})
FATAL: Final = {NUMBERS["syscall_task_terminate"], NUMBERS["syscall_task_suspend"]}  # to the task itself, mostly
FITTING: Final = {SEND: (19, 19, 17), RECEIVE: (20, 21, 21, 16), SEND_ONCE: (18,), DEAD_NAME: (17, 18, 19)}
OPTIONS: Final = [0x10, 0x20, 0x80, 0x100, 0x200, 0x800, 0x1_0000, 0x10_0000, 0x20_0000]
WORDS: Final = [
    *range(9), 16, 17, 18, 19, 20, 21, 65, 69, 70, 72, 100, 512, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 2**31 - 1, 2**31,
    2**32 - 1, 2**63, 2**64 - 1, 2**64 - PAGE, BUFFER, RECEIVE_BUFFER, SCRATCH, SCRATCH + PAGE - 4, BUFFERS_END - PAGE,
    BUFFERS_END - 8, BUFFERS_END, UNMAPPED, UNMAPPED + PAGE, VM_END - PAGE, VM_END]


@final
class QuietRig(KernelRig):
    """Checks when it is asked aloud."""

    def check(self) -> None:
        """Not after every trap."""

    def another(self) -> Actor:
        actor = Actor(self, touched=False)
        self.actors.append(actor)
        return actor

    def check_all(self) -> None:
        super().check()


@final
class Fuzzer:
    """Tasks that do anything.  A history is a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.rig = QuietRig(frames=2048)
        self.friend = self.rig.actor
        self.actors: list[Actor] = []
        self.entries: list[Entry] = []  # of the actor whose turn it is
        self.names: list[int] = [NULL]  # and some that denote nothing
        self.start_over()

    def start_over(self) -> None:
        """All tasks end, and new ones begin."""
        kernel = self.rig.kernel
        for task in list(kernel.tasks.values()):
            kernel.terminate_task(task, None, "test")
        kernel.scheduler.settle()
        self.rig.actors.clear()
        self.friend = self.rig.another()
        self.actors = [self.newcomer() for _ in range(ACTORS)]

    def newcomer(self) -> Actor:
        if not self.friend.task.alive:
            self.friend = self.rig.another()
        actor, _, _ = new_actor(self.rig, self.friend)
        return actor

    def run(self, traps: int) -> None:
        for number in range(traps):
            if number % CHECKED_EVERY == 0:
                self.rig.check_all()
            self.step(self.next_actor())
        self.rig.check_all()

    def next_actor(self) -> Actor:
        """One that can run; who cannot any more is replaced, who waits is left to wait."""
        chance = self.chance
        for _ in range(4):
            place = chance.randrange(ACTORS)
            actor = self.actors[place]
            if actor.thread.runnable and len(actor.space.entries) <= NAMES_MAX:
                break
            if not actor.thread.alive or len(actor.space.entries) > NAMES_MAX or chance.random() < 0.02:
                self.replace(place)
                actor = self.actors[place]
                break
        else:
            self.replace(place)
            actor = self.actors[place]
        self.rig.actors.clear()
        self.entries = list(actor.space.entries.values())
        self.names = [*actor.space.entries, NULL, DEAD, NO_NAME]
        return actor

    def replace(self, place: int) -> None:
        kernel = self.rig.kernel
        old = self.actors[place].task
        if old.alive:
            kernel.terminate_task(old, None, "test")
            kernel.scheduler.settle()
        if kernel.pool.free_count < FRAMES_OF_A_TASK or len(kernel.tasks) > TASKS_MAX:
            self.start_over()
        else:
            self.actors[place] = self.newcomer()

    def step(self, actor: Actor) -> None:
        chance = self.chance
        kind = chance.random()
        if kind < 0.6:
            self.message_trap(actor)
        elif kind < 0.94:
            number = chance.choice(OTHER_TRAPS) if chance.random() < 0.95 else chance.randrange(-130, 1)
            if number in FATAL and chance.random() < 0.9:
                return
            self.rig.machine.cpu.extra, self.rig.machine.cpu.sp = self.word(), self.word()
            first = actor.self_name if chance.random() < 0.7 else self.word()
            assert isinstance(actor.trap_number(number, first, *(self.word() for _ in range(6))), int | str)
        elif kind < 0.98:
            self.rig.run(actor)
            sound = chance.random() < 0.97
            address = chance.randrange(BUFFER, BUFFERS_END) if sound else self.word()
            self.rig.kernel.page_fault(address, chance.choice((1, 2)) if sound else chance.choice((1, 2, 4)))
        else:
            self.rig.machine.console.type(b"typed\n")
            self.rig.machine.clock.advance(chance.choice((1, 50)) * MS)
            self.rig.kernel.scheduler.settle()

    def word(self) -> int:
        kind = self.chance.random()
        if kind < 0.45:
            return self.chance.choice(self.names)
        return self.chance.choice(WORDS) if kind < 0.95 else self.chance.getrandbits(64)

    def right(self) -> tuple[int, int]:
        """A name, and a disposition that mostly fits it."""
        chance = self.chance
        if self.entries and chance.random() < 0.9:
            entry = chance.choice(self.entries)
            kinds = [kind for kind in FITTING if entry.kind & kind]
            if kinds:
                return entry.name, chance.choice(FITTING[chance.choice(kinds)])
        return chance.choice(self.names), chance.choice((0, 16, 17, 18, 19, 20, 21, 22, 255))

    def queue(self) -> int:
        """A name that can mostly be received from."""
        queues = [entry.name for entry in self.entries if entry.kind & (RECEIVE | PORT_SET)]
        return self.chance.choice(queues) if queues and self.chance.random() < 0.9 else self.chance.choice(self.names)

    def message_trap(self, actor: Actor) -> None:
        chance = self.chance
        octets = self.request() if chance.random() < 0.3 else self.plain()
        if chance.random() < 0.15:
            octets = self.spoil(octets)
        place = BUFFER if chance.random() < 0.9 else BUFFERS_END - len(octets)
        option = chance.choice((1, 1, 2, 3)) | (0x110 if chance.random() < 0.7 else 0)  # mostly without waiting long
        for _ in range(chance.randrange(3)):
            option |= chance.choice(OPTIONS)
        try:
            actor.memory.write(place, octets)
        except Exception:  # its buffer is gone: the kernel will find nothing there
            place = self.word()
        size = len(octets) if chance.random() < 0.95 else self.word()
        limit = 0x4000 if chance.random() < 0.9 else self.word()
        actor.trap("mach_msg_trap", place, option, size, limit, self.queue(), chance.choice((0, 0, 1, 30)),
                   self.queue())

    def plain(self) -> bytes:
        """A message of tasks: rights, regions and words in any order."""
        chance, names = self.chance, self.names
        items = []
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            (name, use), place = self.right(), chance.choice(WORDS)
            items.append(chance.choice((
                lambda n=name, u=use: port_item(n, u),
                lambda u=use: ports_item(chance.choices(names, k=3), u),
                lambda p=place: region_item(p, chance.choice((0, 1, 5000, PAGE)), chance.random() < 0.2),
                lambda p=place, u=use: port_region_item(p, chance.choice((0, 1, 4)), u, chance.random() < 0.2),
                lambda n=name: word_item(n & 0xFFFF_FFFF),
            ))())
        put = message if items or chance.random() < 0.1 else lambda to, **uses: header(to, **uses)
        dest, dest_use = self.right()
        reply, reply_use = self.right() if chance.random() < 0.6 else (NULL, 0)
        return put(dest, *items, local=reply, remote_use=dest_use, local_use=reply_use, ident=chance.randrange(3000))

    def request(self) -> bytes:
        """A call on a kernel object, with words of its arguments drawn."""
        chance = self.chance
        ident, body, complex_ = chance.choice(REQUESTS)
        words = list(struct.unpack(f"<{len(body) // 8}Q", body))
        for place in range(1, len(words), 2):
            if chance.random() < 0.7:
                words[place] = self.word()
        objects = [entry.name for entry in self.entries
                   if entry.kind & SEND and entry.port is not None and entry.port.kernel_object is not None]
        dest = chance.choice(objects) if objects else NULL
        return header(dest, self.queue(), 19, 21, ident, 32 + len(body),
                      complex_ or chance.random() < 0.1) + struct.pack(f"<{len(words)}Q", *words)

    def spoil(self, octets: bytes) -> bytes:
        data = bytearray(octets)
        for _ in range(self.chance.randrange(1, 5)):
            data[self.chance.randrange(len(data))] = self.chance.randrange(256)
        return bytes(data)

    def end(self) -> None:
        kernel = self.rig.kernel
        self.rig.pass_time(2**32 * MS)
        for task in list(kernel.tasks.values()):
            kernel.terminate_task(task, None, "test")
        kernel.scheduler.settle()
        self.rig.check_all()
        assert kernel.pool.used == 0
        assert all(port.kernel_object is not None for port in kernel.zone.live), "what the kernel keeps for itself"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_history_harms_the_kernel(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(TRAPS)
    fuzzer.end()
