"""A kernel on fake hardware: traps are called from Python, as if a guest had made them.

After every trap the kernel's invariants are asserted and its ports, rights and frames
counted, so a test fails at the trap that breaks one of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access
from machemu.interfaces import BY_ID
from machemu.interfaces.runtime import POLYMORPHIC, decode_reply, encode_request
from machemu.kernel.ipc.right import Right
from machemu.kernel.ipc.space import NAMES_MAX
from machemu.kernel.kernel import Kernel
from machemu.kernel.task.task import Task
from machemu.kernel.traps import TRAPS
from machemu.testing.balance import check_balance
from tests.support.fake_hw import FRAMES, FakeMachine

NUMBERS: Final = {trap.name: trap.number for trap in TRAPS}
SEND, RCV, SEND_TIMEOUT, RCV_TIMEOUT = 1, 2, 0x10, 0x100
RCV_LARGE, RCV_SENDER, SEND_PEER = 0x800, 0x100000, 0x200000
MOVE_RECEIVE, MOVE_SEND, MOVE_SEND_ONCE, COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE = range(16, 22)
COMPLEX: Final = 0x8000_0000
INLINE, LONG_FORM, DEALLOCATE = 1 << 29, 1 << 30, 1 << 31  # bits of a descriptor
NULL, DEAD = 0, 0xFFFF_FFFF
NO_NAME: Final = 0x77_7700  # denotes nothing in any space
PAGE: Final = PAGE_SIZE

BUFFER: Final = 0x20000  # where an actor's messages are put together
RECEIVE_BUFFER: Final = 0x28000
SCRATCH: Final = 0x30000
OUT_OF_LINE: Final = 0x3A000  # where `Actor.rpc` puts out-of-line arguments
STACK: Final = 0x3F000
BUFFERS_END: Final = 0x40000  # the page behind is not mapped
UNMAPPED: Final = 0x7000_0000
VM_END: Final = 0x40_0000_0000  # end of an address space
BLOCKED: Final = "blocked"
MARK: Final = 0x5A5A_5A5A_5A5A


class Give(NamedTuple):
    """A right that a request carries: the name it has here and its disposition."""

    name: int
    use: int


class At(NamedTuple):
    """Out-of-line data of a request that is in the caller's memory already."""

    address: int
    size: int  # octets


class Region(NamedTuple):
    """Out-of-line data of a reply."""

    address: int
    octets: bytes

    @property
    def words(self) -> list[int]:
        return [word for (word,) in struct.iter_unpack("<I", self.octets)]


def header(remote: int, local: int = 0, remote_use: int = COPY_SEND, local_use: int = 0, ident: int = 1000,
           size: int = 32, complex_: bool = False) -> bytes:
    bits = remote_use | local_use << 8 | (COMPLEX if complex_ else 0)
    return struct.pack("<IIQQII", bits, size, remote, local, 0, ident)


def message(remote: int, *items: bytes, local: int = 0, remote_use: int = COPY_SEND, local_use: int = 0,
            ident: int = 1000) -> bytes:
    """A complex message with these body items."""
    body = b"".join(items)
    return header(remote, local, remote_use, local_use, ident, 32 + len(body), complex_=True) + body


def descriptor(kind: int, bits: int, number: int, flags: int = INLINE) -> int:
    return number << 32 | flags | bits << 8 | kind


def port_item(name: int, disposition: int) -> bytes:
    """A body item with one right."""
    return struct.pack("<QQ", descriptor(disposition, 64, 1), name)


def ports_item(names: list[int], disposition: int) -> bytes:
    """A body item with an inline array of rights."""
    return struct.pack(f"<Q{len(names)}Q", descriptor(disposition, 64, len(names)), *names)


def region_item(address: int, octets: int, deallocate: bool = False) -> bytes:
    flags = LONG_FORM | (DEALLOCATE if deallocate else 0)
    return struct.pack("<QQ", descriptor(9, 8, octets, flags), address)


def port_region_item(address: int, number: int, disposition: int, deallocate: bool = False) -> bytes:
    """A body item with an out-of-line array of rights, whose names are at `address`."""
    flags = LONG_FORM | (DEALLOCATE if deallocate else 0)
    return struct.pack("<QQ", descriptor(disposition, 32, number, flags), address)


def word_item(value: int, kind: int = 2) -> bytes:
    """A body item with one 32-bit integer."""
    return struct.pack("<QI4x", descriptor(kind, 32, 1), value)


@final
class Received:
    """A message as its receiver finds it."""

    def __init__(self, octets: bytes) -> None:
        self.bits, self.size, remote, local, self.sequence, self.ident = struct.unpack_from("<IIQQII", octets)
        self.remote, self.local = remote & 0xFFFF_FFFF, local
        self.body = octets[32:self.size]
        self.trailer = octets[self.size:]

    @property
    def remote_use(self) -> int:
        return self.bits & 0xFF

    @property
    def local_use(self) -> int:
        return self.bits >> 8 & 0xFF

    def word(self, offset: int) -> int:
        """The 8-octet word of the body at `offset`."""
        return int(struct.unpack_from("<Q", self.body, offset)[0])

    @property
    def code(self) -> int:
        """The return code of a reply."""
        return int(struct.unpack_from("<i", self.body, 8)[0])


@final
class Actor:
    """A task with one thread, driven by a test."""

    def __init__(self, rig: KernelRig, task: Task | None = None, *, touched: bool = True) -> None:
        kernel = rig.kernel
        self.rig = rig
        self.task: Task = task or kernel.create_task(None)
        self.thread = kernel.create_thread(self.task)
        self.thread.resume()
        self.space = self.task.space
        self.memory = self.task.memory
        if task is None:
            self.memory.allocate(BUFFER, BUFFERS_END - BUFFER, False)
            for page in range(BUFFER, BUFFERS_END, PAGE) if touched else ():
                self.memory.write(page, b"\0")  # has its frame, so that tests can count frames
        self.self_name = kernel.give_send(self.task, self.task.self_port)

    # -- traps ------------------------------------------------------------------

    def trap(self, name: str, *arguments: int) -> int | str:
        """The result as a signed 32-bit value, or BLOCKED."""
        return self.trap_number(NUMBERS[name], *arguments)

    def trap_number(self, number: int, *arguments: int) -> int | str:
        self.rig.run(self)
        cpu = self.rig.kernel.cpu
        for index in range(7):
            cpu.arguments[index] = (arguments[index] if index < len(arguments) else 0) % (1 << 64)
        cpu.arguments[7] = number % (1 << 64)
        with self.rig.watched():
            self.rig.kernel.ecall()
        self.rig.check()
        return self.result()

    def trap_vm_map(self, *arguments: int) -> int | str:
        """syscall_vm_map, whose eleven arguments do not fit the registers."""
        self.rig.run(self)
        cpu = self.rig.machine.cpu
        cpu.extra, cpu.sp = arguments[7] % (1 << 64), STACK
        self.memory.write(STACK, struct.pack("<3Q", *(word % (1 << 64) for word in arguments[8:])))
        return self.trap("syscall_vm_map", *arguments[:7])

    @property
    def register(self) -> int:
        """The 64-bit register with the last trap's result."""
        current = self.rig.kernel.scheduler.current is self.thread
        return int(self.rig.kernel.cpu.arguments[0] if current else self.thread.context.arguments[0])

    def result(self) -> int | str:
        """What the last trap returned."""
        if self.thread.wait is not None:
            return BLOCKED
        value = self.register & 0xFFFF_FFFF
        return value - (1 << 32) if value >> 31 else value

    # -- messages ---------------------------------------------------------------

    def port(self, kind: Right = Right.RECEIVE) -> int:
        return self.space.allocate(kind)

    def send(self, octets: bytes, option: int = 0, timeout: int = 0) -> int | str:
        """Send a message from BUFFER."""
        self.memory.write(BUFFER, octets)
        return self.trap("mach_msg_trap", BUFFER, SEND | option, len(octets), 0, 0, timeout, 0)

    def receive(self, name: int, option: int = 0, timeout: int = 0, size: int = 0x4000) -> int | str:
        return self.trap("mach_msg_trap", RECEIVE_BUFFER, RCV | option, 0, size, name, timeout, 0)

    def send_and_receive(self, octets: bytes, name: int, option: int = 0, timeout: int = 0,
                         size: int = 0x4000) -> int | str:
        """Both halves in one trap; what arrives is in BUFFER."""
        self.memory.write(BUFFER, octets)
        return self.trap("mach_msg_trap", BUFFER, SEND | RCV | option, len(octets), size, name, timeout, 0)

    def poll(self, name: int, option: int = 0) -> Received | None:
        """The next message, or None: nothing is queued."""
        if self.receive(name, RCV_TIMEOUT | option) != 0:
            return None
        return self.received(RECEIVE_BUFFER)

    def take(self, name: int, option: int = 0) -> Received:
        """The next message, of which there must be one."""
        found = self.poll(name, option)
        assert found is not None, "no message is queued"
        return found

    def received(self, address: int = RECEIVE_BUFFER) -> Received:
        return Received(self.memory.read(address, 0x4000))

    # -- calls on kernel objects ---------------------------------------------------

    def request(self, port: int, ident: int, body: bytes = b"", complex_: bool = False) -> Received:
        """Send any body to a kernel port; the reply."""
        reply = self.port()
        octets = header(port, reply, COPY_SEND, MAKE_SEND_ONCE, ident, 32 + len(body), complex_) + body
        assert self.send(octets) == 0
        answer = self.take(reply)
        self.space.destroy_name(reply)
        return answer

    def request_body(self, ident: int, *arguments: object) -> tuple[bytes, bool]:
        """The body of a well-formed request, and whether it is complex."""
        _, routine, _ = BY_ID[ident]
        values: list[object] = []
        for item, value in zip(routine.request, arguments, strict=True):
            values.append(value)
            if item.type == POLYMORPHIC:
                values.append(value.use if isinstance(value, Give) else MOVE_SEND)
        encoded = encode_request(routine, values)
        octets = bytearray(encoded.data)
        for slot, right in encoded.rights.items():
            if isinstance(right, Give):
                octets[encoded.descriptors[slot]] = right.use
                struct.pack_into("<Q", octets, slot, right.name)
        place = OUT_OF_LINE
        for slot, value in encoded.regions.items():
            if isinstance(value, list):  # of Give, with the one disposition
                octets[slot - 8] = value[0].use if value else COPY_SEND
                value = struct.pack(f"<{len(value)}I", *(right.name for right in value))
            if isinstance(value, At):
                struct.pack_into("<Q", octets, slot, value.address)
            elif isinstance(value, bytes):
                self.memory.write(place, value or b"\0")
                struct.pack_into("<Q", octets, slot, place)
                place += len(value) + 7 & ~7
        return bytes(octets[32:]), encoded.complex

    def rpc(self, port: int, ident: int, *arguments: object) -> tuple[int, tuple[object, ...]]:
        """Call a kernel routine; its result code and results.

        Rights go as Give, in lists if they are an array; out-of-line data as bytes or At.
        Rights come as names, out-of-line data as Region.
        """
        _, routine, _ = BY_ID[ident]
        answer = self.request(port, ident, *self.request_body(ident, *arguments))
        assert answer.ident == ident + 100
        if answer.code:
            assert answer.size == 48
            return answer.code, ()
        data = self.memory.read(RECEIVE_BUFFER, answer.size)
        return 0, tuple(decode_reply(routine, data, _Names(data), _Regions(data, self))[1])

    def call(self, ident: int, *arguments: object) -> tuple[object, ...]:
        """`rpc` on the own task, which must succeed; its results."""
        code, results = self.rpc(self.self_name, ident, *arguments)
        assert code == 0
        return results

    # -- memory as the guest uses it ---------------------------------------------------

    def load(self, address: int, size: int) -> bytes | None:
        """Read through the translations, with page faults; None: the task died of it."""
        found = b""
        while len(found) < size:
            at = address + len(found)
            place = self._reach(at, Access.READ, self.memory.space.readable)
            if place is None:
                return None
            part = min(size - len(found), PAGE - at % PAGE)
            found += bytes(self.rig.machine.memory.data[place:place + part])
        return found

    def store(self, address: int, data: bytes) -> bool:
        """Write likewise; False: the task died of it."""
        done = 0
        while done < len(data):
            at = address + done
            place = self._reach(at, Access.WRITE, self.memory.space.writable)
            if place is None:
                return False
            part = min(len(data) - done, PAGE - at % PAGE)
            self.rig.machine.memory.data[place:place + part] = data[done:done + part]
            done += part
        return True

    def _reach(self, address: int, access: Access, table: dict[int, int]) -> int | None:
        if address >> PAGE_SHIFT not in table:
            self.rig.run(self)
            with self.rig.watched():
                self.rig.kernel.page_fault(address, access)
            self.rig.check()
            if not self.task.alive:
                return None
        return table[address >> PAGE_SHIFT] + address % PAGE

    def names(self) -> dict[int, tuple[int, int]]:
        """Kind and user references of every name."""
        found = [self.space.lookup(name) for name in list(self.space.entries)]
        return {entry.name: (entry.kind, entry.urefs) for entry in found}


class _Names(Mapping[int, object]):
    """Rights of a received message: the names in its slots."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __getitem__(self, slot: int) -> object:
        return struct.unpack_from("<Q", self._data, slot)[0]

    def __iter__(self) -> Iterator[int]:
        return iter(range(40, len(self._data) - 7, 8))

    def __len__(self) -> int:
        return len(self._data)


@final
class _Regions(_Names):
    """Out-of-line data of a received message: where it is and what it holds."""

    def __init__(self, data: bytes, actor: Actor) -> None:
        super().__init__(data)
        self._actor = actor

    def __getitem__(self, slot: int) -> object:
        word, address = struct.unpack_from("<QQ", self._data, slot - 8)
        octets = (word >> 32) * (word >> 8 & 0xFFFF) // 8
        return Region(address, self._actor.memory.read(address, octets) if octets else b"")


class Channel(NamedTuple):
    """A port of one task with a send right of another."""

    sender: Actor
    to: int  # the sender's name
    receiver: Actor
    port: int  # the receiver's name


class Counts(NamedTuple):
    """What there is at one instant, for "nothing was done"."""

    tasks: int
    frames: int
    ports: list[tuple[int, ...]]  # number and counts of each
    names: list[dict[int, tuple[int, int]]]  # of each task


@final
class KernelRig:
    """A kernel with a first actor; more can be made."""

    def __init__(self, frames: int = FRAMES) -> None:
        self.machine = FakeMachine(frames)
        self.kernel = Kernel(self.machine)
        self.broken = False  # a check or the kernel has raised: that one failure is enough
        self.actors: list[Actor] = []
        self.actor = self.another()

    def another(self) -> Actor:
        actor = Actor(self)
        self.actors.append(actor)
        return actor

    def second_thread(self, actor: Actor) -> Actor:
        """One more thread of the actor's task, driven on its own."""
        return Actor(self, actor.task)

    def run(self, actor: Actor) -> None:
        """Make `actor`'s thread the current one."""
        scheduler = self.kernel.scheduler
        assert actor.thread.runnable, "the thread is blocked, suspended or has ended"
        if scheduler.current is not actor.thread:
            scheduler.yield_to(actor.thread)
        assert scheduler.current is actor.thread

    def give(self, giver: Actor, name: int, taker: Actor, disposition: int = MAKE_SEND) -> int:
        """Hand a right from one space to another; its name there."""
        return taker.space.insert(giver.space.take(name, disposition))

    def name_of(self, actor: Actor, kernel_object: Task | object) -> int:
        """A send right on the port of a task, thread, host …; its name."""
        port = getattr(kernel_object, "self_port", None) or getattr(kernel_object, "port")  # noqa: B009
        return self.kernel.give_send(actor.task, port)

    def channel(self, sender: Actor | None = None, receiver: Actor | None = None) -> Channel:
        """From the first actor to a new one, if nothing else is said."""
        sender, receiver = sender or self.actor, receiver or self.another()
        port = receiver.port()
        return Channel(sender, self.give(receiver, port, sender), receiver, port)

    def names_of_every_kind(self, actor: Actor) -> dict[str, int]:
        """A name of each kind that a space can hold; the other rights are another task's."""
        other = self.another()
        both = actor.port()
        actor.space.insert(actor.space.take(both, MAKE_SEND))
        return {
            "receive": actor.port(),
            "send": self.give(other, other.port(), actor),
            "send and receive": both,
            "send-once": self.give(other, other.port(), actor, MAKE_SEND_ONCE),
            "port set": actor.port(Right.PORT_SET),
            "dead name": actor.port(Right.DEAD_NAME),
        }

    def host_privileged(self, actor: Actor) -> int:
        return self.name_of(actor, self.kernel.host_privileged)

    def pass_time(self, ns: int) -> None:
        with self.watched():
            self.machine.clock.advance(ns)
            self.kernel.scheduler.settle()
        self.check()

    # -- what must hold ------------------------------------------------------------

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Run the kernel: what it raises breaks the rig."""
        try:
            yield
        except BaseException:
            self.broken = True
            raise

    def check(self) -> None:
        """Assert every invariant and that ports, rights and frames balance."""
        if not self.broken:
            with self.watched():
                self.kernel.check()
                check_balance(self.kernel)

    @contextmanager
    def checked_at_the_end(self) -> Iterator[None]:
        """One check for all that is done inside: for long runs."""
        self.broken = True
        yield
        self.broken = False
        self.check()

    def counts(self) -> Counts:
        live = sorted(self.kernel.zone.live, key=lambda port: port.number)
        return Counts(len(self.kernel.tasks), self.kernel.pool.used,
                      [(port.number, port.send_rights, port.send_once_rights, port.make_send_count, port.queued)
                       for port in live],
                      [actor.names() for actor in self.actors])

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Assert that what is done inside leaves no trace: no frame, port, right or name."""
        before = self.counts()
        yield
        for field, old, new in zip(Counts._fields, before, self.counts(), strict=True):
            assert new == old, f"{field} were {old} and are {new}"

    # -- shortage ----------------------------------------------------------------------

    @contextmanager
    def frames_left(self, count: int) -> Iterator[None]:
        """RAM has only `count` free frames."""
        pool = self.kernel.pool
        taken = [pool.allocate_raw() for _ in range(pool.free_count - count)]
        try:
            yield
        finally:
            for frame in taken:
                pool.free(frame)

    @contextmanager
    def no_names_left(self, actor: Actor) -> Iterator[None]:
        """The actor's space is full, as after a million names."""
        space = actor.space
        free, following = space._free, space._next_index
        space._free, space._next_index = [], NAMES_MAX
        try:
            yield
        finally:
            space._free, space._next_index = free + space._free, following

    # -- the first actor's, for tests that need only one ----------------------------------

    @property
    def space(self):  # type: ignore[no-untyped-def]
        return self.actor.space

    def trap(self, name: str, *arguments: int) -> int | str:
        return self.actor.trap(name, *arguments)

    def read_word(self, address: int) -> int:
        return int.from_bytes(self.actor.memory.read(address, 4), "little")
