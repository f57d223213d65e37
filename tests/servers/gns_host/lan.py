"""A LAN of network servers on the host: each is the real C, on a real kernel of its own.

Below each server are a kernel on fake hardware (ports, rights and messages are the real
ones) and a segment that loses, doubles and reorders as told; above it are tasks that a
test drives, and a small ACS.  Time is the test's and passes only when nobody has
anything to do.
"""

from __future__ import annotations

import _ctypes
import ctypes
import heapq
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, final

from machemu.cluster.segment import Segment
from machemu.interfaces import BY_ID
from machemu.interfaces.runtime import encode_reply
from machemu.kernel.events import StepAnnounced
from machemu.kernel.ipc.message import Message
from machemu.kernel.ipc.right import MOVE_SEND
from machemu.kernel.task.task import Task
from machemu.kernel.vm.copy import VmCopy
from machemu.kernel.vm.page import PagePool
from machemu.trace.steps import step_name
from machemu.wire.watch import WireWatcher
from tests.servers.gns_host.build import load
from tests.support.rig import (
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_SEND_ONCE,
    SEND_TIMEOUT,
    Actor,
    Give,
    KernelRig,
    Received,
    header,
)

PAGE: Final = 4096
MS: Final = 1_000_000  # ns
SECOND: Final = 1000 * MS
MAC_PREFIX: Final = bytes.fromhex("024d4b")
RESULT: Final = ctypes.c_int32
TRAP: Final = ctypes.CFUNCTYPE(RESULT, ctypes.c_int64, ctypes.POINTER(ctypes.c_uint64))
TIME: Final = ctypes.CFUNCTYPE(ctypes.c_uint64)
NEXT_FRAME: Final = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p))
TRANSMIT: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)
ANSWERS_TO_ALL, ORIGIN_TO_ALL = 4, 8  # flags of boot_info: optimisations 1 and 2
ACS_QUERY: Final = 0x4011
GNS_LOOKUP: Final = 0x4301
GNS_NODE_DOWN: Final = 0x4302
GNS_ASKER: Final = 0x4303
GNS_UNREGISTERED: Final = 0x4304
NEVER: Final = 2**64 - 1
RCV_TIMED_OUT: Final = 0x1000_4003


class Calls(ctypes.Structure):
    """`struct host_calls`."""

    _fields_ = [("trap", TRAP), ("time", TIME), ("next_frame", NEXT_FRAME), ("transmit", TRANSMIT)]


@final
class HostMemory:
    """The memory of a task that lives in this process: addresses are those of the host."""

    def __init__(self, pool: PagePool, library: ctypes.CDLL, space: Any) -> None:
        self.pool = pool
        self.space = space
        self._library = library

    def read(self, address: int, size: int) -> bytes:
        return ctypes.string_at(address, size)

    view = read

    def place_to_write(self, address: int, size: int) -> None:
        """Nothing of it lies in the memory of the kernel's machine."""

    def write(self, address: int, data: bytes) -> None:
        ctypes.memmove(address, bytes(data), len(data))

    def copyin(self, address: int, size: int, deallocate: bool) -> VmCopy:
        copy = VmCopy.from_bytes(self.pool, self.read(address, size), address % PAGE)
        if deallocate:
            self.deallocate(address, size)
        return copy

    def copyout(self, copy: VmCopy) -> int:
        address = self.allocate(0, copy.offset + copy.size, anywhere=True) + copy.offset
        self.write(address, copy.read())
        copy.discard()
        return address

    def allocate(self, address: int, size: int, anywhere: bool) -> int:
        assert anywhere
        at = ctypes.c_uint64()
        assert self._library.vm_allocate(1, ctypes.byref(at), ctypes.c_uint64(size), 1) == 0
        return at.value

    def deallocate(self, address: int, size: int) -> None:
        assert self._library.vm_deallocate(1, ctypes.c_uint64(address), ctypes.c_uint64(size)) == 0

    def check(self) -> None:
        """Nothing to be wrong with."""

    def destroy(self) -> None:
        self.space.destroy()


@final
class GuardPage:
    """Octets that end where memory does: to read behind them is a fault."""

    def __init__(self) -> None:
        self._pages = mmap.mmap(-1, 2 * PAGE)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._pages))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.mprotect(ctypes.c_void_p(self._start + PAGE), ctypes.c_size_t(PAGE), 0) == 0

    def put(self, octets: bytes) -> int:
        assert len(octets) <= PAGE
        address = self._start + PAGE - len(octets)
        ctypes.memmove(address, octets, len(octets))
        return address


class QuietRig(KernelRig):
    """Checks when asked, not after every trap: there are many."""

    quiet = True

    def check(self) -> None:
        if not self.quiet:
            super().check()


@final
class Server:
    """One node: its kernel, its network server, an ACS, and tasks that tests make."""

    def __init__(self, lan: Lan, number: int, copy: Path, *, epoch: int = 1, flags: int = 0) -> None:
        self.lan = lan
        self.number = number
        self.epoch = epoch
        self.flags = flags
        self.mac = MAC_PREFIX + number.to_bytes(3, "big")
        self.rig = QuietRig(frames=4096)
        self.kernel = self.rig.kernel
        self.steps: list[str] = []
        self.kernel.events.step_announced.attach(self._step)
        self.acs = Acs(self)
        self.received: list[bytes] = []  # frames the adapter holds
        self.sent: list[bytes] = []  # all frames sent
        self.traps = 0  # by the server
        self.failure: BaseException | None = None
        self._guard = GuardPage()
        self._instances = 0
        self._copy = copy
        self.start()

    # -- the server's life ------------------------------------------------------------

    def start(self) -> None:
        """A new instance, as the process server starts one."""
        instance = self._instances
        self._instances += 1
        path = self._copy.with_name(f"{self._copy.stem}-{self.epoch}-{instance}.so")
        self.library = load(self.lan.library, path)
        self.library.host_next.restype = self.library.host_counter.restype = ctypes.c_uint64
        self.library.host_stat.restype = ctypes.c_size_t
        self.task: Task = self.kernel.create_task(None)
        self.task.name = "gns"
        self.task.memory.destroy()
        self.task.memory = HostMemory(self.kernel.pool, self.library, _NoSpace())  # type: ignore[assignment]
        self.thread = self.kernel.create_thread(self.task)
        self.thread.resume()
        self.kernel.set_network_server(self.task)
        name = self.kernel.give_send(self.task, self.task.self_port)
        acs = self.task.space.insert(self.acs.actor.space.take(self.acs.port, MAKE_SEND))
        host = self.kernel.give_send(self.task, self.kernel.host_privileged.port)
        self._calls = Calls(TRAP(self._trap), TIME(lambda: self.lan.now), NEXT_FRAME(self._next_frame),
                            TRANSMIT(self._transmit))
        self.library.host_start(ctypes.byref(self._calls), name, acs, host, self.number, self.epoch, instance,
                                self.flags, self.mac)
        self.set, self.notify, self.interrupts, self.service = (
            self.library.host_port(which) for which in range(4))

    def stop(self) -> None:
        """The server's task ends; the rest of the node goes on."""
        self.received.clear()
        self.kernel.terminate_task(self.task, None, "stopped")
        self._unload()

    def _unload(self) -> None:
        handle, self.library = self.library._handle, None  # type: ignore[assignment]
        _ctypes.dlclose(handle)

    def close(self) -> None:
        if self.task.alive:
            self._unload()

    # -- what the C calls ----------------------------------------------------------------

    def _trap(self, number: int, arguments: Any) -> int:
        try:
            assert number != 0, "the server complains"
            scheduler = self.kernel.scheduler
            if scheduler.current is not self.thread:
                scheduler.yield_to(self.thread)
            cpu = self.kernel.cpu
            for index in range(7):
                cpu.arguments[index] = arguments[index]
            cpu.arguments[7] = number % (1 << 64)
            self.kernel.ecall()
            assert self.thread.wait is None, f"trap {number} of the server waits"
            current = scheduler.current is self.thread
            word = (cpu.arguments if current else self.thread.context.arguments)[0] & 0xFFFF_FFFF
            # A receive that finds nothing would still wait, and be the next one.
            self.traps += word != RCV_TIMED_OUT or bool(arguments[1] & SEND_TIMEOUT)
            return int(word - (1 << 32) if word >> 31 else word)
        except BaseException as failure:  # nothing may be raised through C
            self.failure = self.failure or failure
            return 5  # KERN_FAILURE

    def _next_frame(self, place: Any) -> int:
        if not self.received:
            return 0
        frame = self.received.pop(0)
        place[0] = self._guard.put(frame)
        return len(frame)

    def _transmit(self, frame: int, length: int) -> None:
        octets = ctypes.string_at(frame, length)
        self.sent.append(octets)
        self.lan.transmit(self, octets)

    def _step(self, event: StepAnnounced) -> None:
        name = step_name(event.code)
        assert name is not None
        self.steps.append(name)
        self.lan.steps.append((self.number, name))

    # -- running -----------------------------------------------------------------------

    @property
    def queue(self) -> Any:
        return self.task.space.entries[self.set].port_set.queue.messages

    @property
    def has_work(self) -> bool:
        return self.task.alive and (bool(self.queue) or self.library.host_next() <= self.lan.now)

    def turn(self) -> None:
        """One message, if there is one; then the server waits for the next.

        It waits by receiving, and what it has put off until then is sent by that.
        """
        self.library.turn()
        if not self.queue:
            self.library.turn()
        if self.failure is not None:
            raise self.failure

    def receive(self, frame: bytes) -> None:
        """The adapter gets a frame, and interrupts."""
        if not self.task.alive:
            return
        self.received.append(frame)
        port = self.task.space.entries[self.interrupts].port
        assert port is not None
        if not any(message.dest is port for message in self.queue):
            body = b"\x02\x20\x00\x20\x01\0\0\0" + bytes(8)
            self._post(port, 100, body)

    def _post(self, port: Any, ident: int, body: bytes) -> None:
        port.send_rights += 1
        octets = header(0, ident=ident, size=32 + len(body)) + body
        port.enqueue(Message(self.kernel.zone.next_message_number(), octets, 0, ident, 0, port, MOVE_SEND))

    # -- what tests ask ------------------------------------------------------------------

    def actor(self) -> Client:
        client = Client(self.rig)
        self.rig.actors.append(client)
        return client

    def counter(self, name: str) -> int:
        value = int(self.library.host_counter(name.encode()))
        assert value != NEVER, f"no counter {name}"
        return value

    def stat(self, table: str | None = None) -> list[dict[str, str]]:
        """Rows of a table of `gns_stat`."""
        room = ctypes.create_string_buffer(1 << 20)
        length = self.library.host_stat(room, ctypes.c_size_t(len(room)))
        assert length
        rows = []
        for line in room.raw[:length].decode().splitlines():
            kind, *fields = line.split(" ")
            rows.append({"table": kind, **dict(field.split("=", 1) for field in fields)})
        return [row for row in rows if table in (None, row["table"])]

    def memory(self) -> tuple[int, int]:
        """Blocks of the allocator that are in use, and pages of the arena."""
        blocks = ctypes.c_size_t()
        assert self.library.host_memory_is_sound(ctypes.byref(blocks)), "the heap is damaged"
        return blocks.value, ctypes.c_long.in_dll(self.library, "host_pages_taken").value

    def check(self) -> None:
        """Everything that must hold on this node now."""
        self.rig.quiet = False
        try:
            self.rig.check()
        finally:
            self.rig.quiet = True
        if self.task.alive:
            self.memory()

    def lookup_port(self, client: Client) -> int:
        """A send right on the service port, for a task."""
        return client.space.insert(self.task.space.take(self.service, MAKE_SEND))


class _NoSpace:
    """Nobody walks the translations of a task of the host."""

    def destroy(self) -> None:
        """Nothing was mapped."""


class Client(Actor):
    """A task that a test drives."""

    def names_of(self, port_name: int) -> int:
        """User references of a name."""
        return self.space.lookup(port_name).urefs

    def give_port(self, qlimit: int | None = None) -> int:
        """A port of its own."""
        name = self.port()
        if qlimit is not None:
            self.space.lookup(name).port.limit = qlimit  # type: ignore[union-attr]
        return name

    def tell(self, server: Server, ident: int, *arguments: object) -> None:
        """Send the network server a request that has no answer."""
        encoded, complex_ = self.request_body(ident, *arguments)
        gns = server.lookup_port(self)
        assert self.send(header(gns, 0, MOVE_SEND, 0, ident, 32 + len(encoded), complex_) + encoded) == 0

    def lookup(self, server: Server, name: bytes) -> int:
        """Ask the network server for a name; the port on which the answer will come."""
        gns, reply = server.lookup_port(self), self.port()
        encoded, _ = self.request_body(GNS_LOOKUP, name.ljust(64, b"\0"))
        octets = header(gns, reply, MOVE_SEND, MAKE_SEND_ONCE, GNS_LOOKUP, 32 + len(encoded)) + encoded
        assert self.send(octets) == 0
        return reply

    def answer(self, reply: int) -> tuple[int, int]:
        """Status and port of a lookup's answer, which must be there."""
        message = self.take(reply)
        self.space.destroy_name(reply)
        assert message.ident == GNS_LOOKUP + 100
        return message.code, int(message.word(56)) & 0xFFFF_FFFF if message.code == 0 else 0


@final
class Acs:
    """Names of one node, for its network server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.actor = Client(server.rig)
        server.rig.actors.append(self.actor)
        self.port = self.actor.port()
        self.names: dict[bytes, int] = {}
        self.silent = False
        self.asked = 0

    def register(self, name: bytes, owner: Actor, port: int) -> None:
        self.names[name] = self.actor.space.insert(owner.space.take(port, MAKE_SEND))

    def forget(self, name: bytes) -> None:
        self.actor.space.deallocate(self.names.pop(name))

    def look_up_for(self, asker: bytes, name: bytes) -> int:
        """Ask for a name of another node, for a server of this one; where the answer will come."""
        self.actor.tell(self.server, GNS_ASKER, name.ljust(64, b"\0"), asker.ljust(64, b"\0"),
                        Give(self.names[asker], COPY_SEND))
        return self.actor.lookup(self.server, name)

    def unregister(self, name: bytes) -> None:
        """The registration is over, while the port lives on; the network server is told."""
        self.actor.tell(self.server, GNS_UNREGISTERED, name.ljust(64, b"\0"), Give(self.names[name], COPY_SEND))
        self.forget(name)

    def serve(self) -> bool:
        """Answer one query.  False: there was none."""
        if self.silent:
            return False
        query = self.actor.poll(self.port)
        if query is None:
            return False
        assert query.ident == ACS_QUERY
        self.asked += 1
        routine = BY_ID[ACS_QUERY][1]
        name = self.names.get(query.body[8:72].rstrip(b"\0"))
        if name is None:
            octets = bytearray(encode_reply(routine, 1, ()).data)
            bits = MOVE_SEND_ONCE
        else:
            encoded = encode_reply(routine, 0, (0, Give(name, COPY_SEND)))
            octets = bytearray(encoded.data)
            for slot in encoded.rights:
                octets[encoded.descriptors[slot]] = COPY_SEND
                octets[slot:slot + 8] = name.to_bytes(8, "little")
            bits = MOVE_SEND_ONCE | 1 << 31
        octets[:32] = bits.to_bytes(4, "little") + header(query.remote, ident=ACS_QUERY + 100, size=len(octets))[4:]
        assert self.actor.send(bytes(octets)) == 0
        return True


@final
class Lan:
    """Nodes on one segment."""

    def __init__(self, library: Path, folder: Path, *, nodes: int = 2, flags: int = 0, **faults: Any) -> None:
        self.library = library
        self.now = SECOND  # ns
        self.segment = Segment(**faults)
        self.steps: list[tuple[int, str]] = []
        self.watcher = WireWatcher()
        self.frames: list[bytes] = []  # that nodes sent, in order
        self._folder = folder
        self._arrivals: list[tuple[int, int, int, bytes]] = []
        self._count = 0
        self.nodes: list[Server] = []
        for number in range(1, nodes + 1):
            self.boot(number, flags=flags)

    def boot(self, number: int, *, epoch: int = 1, flags: int = 0) -> Server:
        server = Server(self, number, self._folder / f"node{number}.so", epoch=epoch, flags=flags)
        self.segment.attach(number, server.mac, lambda when, octets, good: self._arrive(number, when, octets, good))
        self.nodes = [node for node in self.nodes if node.number != number] + [server]
        return server

    def crash(self, node: Server) -> None:
        """The node loses its power."""
        self.segment.detach(node.number)
        self.nodes.remove(node)
        node.close()

    def __getitem__(self, number: int) -> Server:
        return next(node for node in self.nodes if node.number == number)

    # -- frames ----------------------------------------------------------------------------

    def transmit(self, server: Server, frame: bytes) -> None:
        self.frames.append(frame)
        self.segment.transmit(server.number, self.now, frame.ljust(60, b"\0"))

    def _arrive(self, number: int, when: int, octets: bytes, good: bool) -> None:
        self._count += 1
        if good:  # else the adapter drops it
            heapq.heappush(self._arrivals, (when, self._count, number, octets))

    # -- time ---------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everybody do what there is to do at this instant."""
        busy = True
        while busy:
            busy = False
            for node in list(self.nodes):
                while node.acs.serve():
                    busy = True
                if node.has_work:
                    node.turn()
                    busy = True
            self.segment.deliver(self.now)

    def run(self, for_ns: int = 0, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass, at most `for_ns`; whether `until` came true."""
        end = self.now + for_ns
        while True:
            self.settle()
            if until is not None and until():
                return True
            due = [when for when, *_ in self._arrivals[:1]]
            due += [node.library.host_next() for node in self.nodes if node.task.alive]
            if not due or min(due) > end:
                self._advance(end)
                return False
            self._advance(max(self.now, min(due)))
            while self._arrivals and self._arrivals[0][0] <= self.now:
                _, _, number, octets = heapq.heappop(self._arrivals)
                for node in self.nodes:
                    if node.number == number:
                        node.receive(octets)

    def _advance(self, to_ns: int) -> None:
        step, self.now = to_ns - self.now, to_ns
        for node in self.nodes:
            node.rig.machine.clock.advance(step)

    def check(self) -> None:
        for node in self.nodes:
            node.check()

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.nodes = []

    # -- common scenes ---------------------------------------------------------------------------

    def resolve(self, client: Client, on: Server, name: bytes) -> int:
        """Look a name up as an ACS would; the port found."""
        reply = client.lookup(on, name)
        assert self.run(10 * SECOND, lambda: client.space.lookup(reply).port.queued > 0)  # type: ignore[union-attr]
        status, port = client.answer(reply)
        assert status == 0, f"status {status}"
        return port

    def connect(self, name: bytes = b"server") -> tuple[Client, int, Client, int]:
        """A client on node 1 with a right to a server's port on node 2, and that server."""
        server = self[2].actor()
        port = server.port()
        self[2].acs.register(name, server, port)
        client = self[1].actor()
        return client, self.resolve(client, self[1], name), server, port


MakeLan = Callable[..., Lan]  # the fixture `make_lan`


def sender_of(message: Received) -> tuple[int, int]:
    """Node and epoch of the sender's record (received with RCV_SENDER)."""
    return int.from_bytes(message.trailer[16:20], "little"), int.from_bytes(message.trailer[20:24], "little")


