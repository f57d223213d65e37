"""A kernel on fake hardware: traps are called from Python, as if a guest had made them."""

from __future__ import annotations

import struct
from typing import Final, final

from machemu.interfaces import BY_ID
from machemu.interfaces.runtime import decode_reply, encode_request
from machemu.kernel.ipc.right import Right
from machemu.kernel.kernel import Kernel
from machemu.kernel.task.task import Task
from machemu.kernel.traps import TRAPS
from machemu.testing.balance import check_balance
from tests.support.fake_hw import FakeMachine

NUMBERS: Final = {trap.name: trap.number for trap in TRAPS}
SEND, RCV, SEND_TIMEOUT, RCV_TIMEOUT = 1, 2, 0x10, 0x100
RCV_LARGE, RCV_SENDER = 0x800, 0x100000
MOVE_RECEIVE, MOVE_SEND, MOVE_SEND_ONCE, COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE = range(16, 22)
COMPLEX: Final = 0x8000_0000
BUFFER: Final = 0x20000  # where an actor's messages are put together
RECEIVE_BUFFER: Final = 0x28000
SCRATCH: Final = 0x30000
UNMAPPED: Final = 0x7000_0000
BLOCKED: Final = "blocked"
MARK: Final = 0x5A5A_5A5A_5A5A


def header(remote: int, local: int = 0, remote_use: int = COPY_SEND, local_use: int = 0, ident: int = 1000,
           size: int = 32, complex_: bool = False) -> bytes:
    bits = remote_use | local_use << 8 | (COMPLEX if complex_ else 0)
    return struct.pack("<IIQQII", bits, size, remote, local, 0, ident)


def port_item(name: int, disposition: int) -> bytes:
    """A body item with one right."""
    return struct.pack("<QQ", 1 << 32 | 1 << 29 | 64 << 8 | disposition, name)


def region_item(address: int, octets: int, deallocate: bool = False) -> bytes:
    return struct.pack("<QQ", octets << 32 | (1 << 31 if deallocate else 0) | 1 << 30 | 8 << 8 | 9, address)


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


@final
class Actor:
    """A task with one thread, driven by a test."""

    def __init__(self, rig: KernelRig) -> None:
        kernel = rig.kernel
        self.rig = rig
        self.task: Task = kernel.create_task(None)
        self.thread = kernel.create_thread(self.task)
        self.thread.resume()
        self.space = self.task.space
        self.memory = self.task.memory
        self.memory.allocate(BUFFER, 0x20000, False)
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
        self.rig.kernel.ecall()
        return self.result()

    def result(self) -> int | str:
        """What the last trap returned."""
        if self.thread.wait is not None:
            return BLOCKED
        current = self.rig.kernel.scheduler.current is self.thread
        word = self.rig.kernel.cpu.arguments[0] if current else self.thread.context.arguments[0]
        value = word & 0xFFFF_FFFF
        return value - (1 << 32) if value >> 31 else value

    def port(self, kind: Right = Right.RECEIVE) -> int:
        return self.space.allocate(kind)

    def send(self, octets: bytes, option: int = 0, timeout: int = 0) -> int | str:
        """Send a message from BUFFER."""
        self.memory.write(BUFFER, octets)
        return self.trap("mach_msg_trap", BUFFER, SEND | option, len(octets), 0, 0, timeout, 0)

    def receive(self, name: int, option: int = 0, timeout: int = 0, size: int = 0x4000) -> int | str:
        return self.trap("mach_msg_trap", RECEIVE_BUFFER, RCV | option, 0, size, name, timeout, 0)

    def poll(self, name: int, option: int = 0) -> Received | None:
        """The next message, or None: nothing is queued."""
        if self.receive(name, RCV_TIMEOUT | option) != 0:
            return None
        return self.received(RECEIVE_BUFFER)

    def received(self, address: int = RECEIVE_BUFFER) -> Received:
        return Received(self.memory.read(address, 0x4000))

    def rpc(self, port: int, ident: int, *arguments: object) -> tuple[int, tuple[object, ...]]:
        """Call a kernel routine; its result code and results.  Rights go as Carried."""
        _, routine, _ = BY_ID[ident]
        encoded = encode_request(routine, arguments)
        reply = self.port()
        octets = bytearray(encoded.data)
        octets[:32] = header(port, reply, COPY_SEND, MAKE_SEND_ONCE, ident, len(octets), encoded.complex)
        assert not encoded.rights, "use `send` for requests with rights"
        assert self.send(bytes(octets)) == 0
        answer = self.poll(reply)
        assert answer is not None
        assert answer.ident == ident + 100
        code = struct.unpack_from("<i", answer.body, 8)[0]
        data = self.memory.read(RECEIVE_BUFFER, answer.size)
        self.space.destroy_name(reply)
        if code:
            return code, ()
        return code, tuple(decode_reply(routine, data, _Slots(data), _Slots(data))[1:])


class _Slots(dict[int, object]):
    """Rights and regions of a received message: the names and addresses in its slots."""

    def __init__(self, data: bytes) -> None:
        super().__init__({slot: struct.unpack_from("<Q", data, slot)[0] for slot in range(40, len(data) - 7, 8)})


@final
class KernelRig:
    """A kernel with a first actor; more can be made."""

    def __init__(self) -> None:
        self.machine = FakeMachine()
        self.kernel = Kernel(self.machine)
        self.actor = Actor(self)

    def another(self) -> Actor:
        return Actor(self)

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

    def pass_time(self, ns: int) -> None:
        self.machine.clock.advance(ns)

    def check(self) -> None:
        self.kernel.check()
        check_balance(self.kernel)

    # The first actor's, for tests that need only one.

    @property
    def space(self):  # type: ignore[no-untyped-def]
        return self.actor.space

    def trap(self, name: str, *arguments: int) -> int | str:
        return self.actor.trap(name, *arguments)

    def read_word(self, address: int) -> int:
        return int.from_bytes(self.actor.memory.read(address, 4), "little")
