"""One server alone on a node: whoever it talks to is played by the test.

A `Puppet` is a task without threads.  The test sends and receives for it, through the
kernel's own copy-in and copy-out, so rights, names and memory go the way that a program's
would.  A puppet is a client when it calls, and a stub when it serves a port: its handlers,
by the names of routines, answer what the server asks while `Lone.settle` runs the node.
"""

from __future__ import annotations

import functools
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, NamedTuple, Self, TypeAlias, final

from machemu.hw.description import Device, MachineDescription
from machemu.interfaces import SUBSYSTEMS
from machemu.interfaces.runtime import Encoded, Routine, decode_reply, decode_request, encode_reply, encode_request
from machemu.kernel.ipc.body import INLINE, read_descriptor
from machemu.kernel.ipc.message import COMPLEX, HEADER, SENDER_TRAILER, SENDER_TRAILER_SIZE
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.receive import MACH_RCV_SENDER, queue_of, take_first
from machemu.kernel.ipc.right import (
    COPY_SEND,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND_ONCE,
    Carried,
    Right,
)
from machemu.kernel.ipc.send import copy_in, pseudo_receive
from machemu.kernel.results import KernelError, MigReturn, MsgReturn
from machemu.kernel.task.task import Task
from machemu.node.loader import Program, parse_elf, start
from machemu.node.node import Node
from machemu.testing.balance import check_balance
from machemu.testing.runs import BUILT

SECOND: Final = 1_000_000_000  # ns
SLICE_NS: Final = 50_000  # how long the node runs before the stubs look at their queues
REST_NS: Final = SECOND  # an idle node with nothing to do for so long is at rest
BUFFER_OCTETS: Final = 0x1_0000  # of a puppet, for one message
SEND_ONCE_ID: Final = 71  # the reply right was destroyed unused
ROUTINES: Final[Mapping[str, Routine]] = {
    routine.name: routine for subsystem in SUBSYSTEMS for routine in subsystem.routines.values()}

Value: TypeAlias = Any  # of an argument; ports are names in the puppet's space
Handler: TypeAlias = Callable[..., tuple[Value, ...] | None]


class Refused(Exception):
    """An RPC that failed, with its result: raised by clients, and by handlers of stubs."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Late(Exception):
    """Raised by a handler that keeps its request, to answer it later."""


class Arrived(NamedTuple):
    """A message as a puppet finds it."""

    ident: int
    reply: int  # the reply right's name, 0: none
    reply_use: int  # and its kind
    data: bytes
    rights: dict[int, int]  # name by slot
    regions: dict[int, Any]  # octets, or names, by slot
    sender: int  # task number, 0: the kernel


@final
class Request:
    """A request that a stub has received and owes an answer."""

    def __init__(self, stub: Puppet, routine: Routine, message: Arrived) -> None:
        self.stub = stub
        self.routine = routine
        self.sender = message.sender
        self._reply, self._use = message.reply, message.reply_use

    def answer(self, *outs: Value) -> None:
        self._send(encode_reply(self.routine, 0, outs))

    def refuse(self, code: int) -> None:
        self._send(encode_reply(self.routine, code))

    def answer_by(self, routine: str, *arguments: Value) -> None:
        """Answer with a routine of an interface of late answers, such as `proc_wait_reply`."""
        what = ROUTINES[routine]
        self.stub.send(self.stub.message(encode_request(what, arguments), self._reply, self._use, ident=what.id))

    def drop(self) -> None:
        """Give the reply right up: whoever waits learns that the stub has died."""
        self.stub.drop(self._reply)

    def _send(self, encoded: Encoded) -> None:
        if self._reply:
            self.stub.send(self.stub.message(encoded, self._reply, self._use, ident=self.routine.reply_id))


@final
class Pending:
    """An RPC that a client waits for."""

    def __init__(self, client: Puppet, routine: Routine, reply: int) -> None:
        self.client = client
        self._routine = routine
        self._reply = reply

    @property
    def answered(self) -> bool:
        return bool(queue_of(self.client.space, self._reply).messages)

    def take(self) -> tuple[Value, ...]:
        """The results; the reply must have arrived.  Raises Refused."""
        message = self.client.take(self._reply)
        assert message is not None, f"no reply to {self._routine.name}"
        assert not self.answered, f"two replies to {self._routine.name}"
        self.abandon()
        if message.ident == SEND_ONCE_ID:
            raise Refused(MigReturn.SERVER_DIED)
        assert message.ident == self._routine.reply_id
        code, outs = decode_reply(self._routine, message.data, message.rights, message.regions)
        if code:
            raise Refused(code)
        return outs

    def abandon(self) -> None:
        """The client waits no longer: its reply port goes."""
        self.client.space.destroy_name(self._reply)


@final
class Puppet:
    """A task whose messages a test sends and receives."""

    def __init__(self, node: Lone) -> None:
        self.node = node
        self.task: Task = node.kernel.create_task(None)
        self.space = self.task.space
        self.memory = self.task.memory
        self._buffer = self.memory.allocate(0, BUFFER_OCTETS, True)
        self._served: dict[int, Mapping[str, Handler]] = {}

    # -- rights -------------------------------------------------------------------

    def port(self) -> int:
        """A new receive right."""
        return self.space.allocate(Right.RECEIVE)

    def service(self) -> int:
        """A new receive right, with a send right under the same name."""
        name = self.port()
        self.space.insert(self.space.take(name, MAKE_SEND))
        return name

    def holds(self, port: Port | None) -> int:
        """A send right on any port, out of nothing, as a boot loader gives it; its name."""
        return self.node.kernel.give_send(self.task, port)

    def object(self, name: int) -> Port:
        """What a name denotes."""
        port = self.space.lookup(name).port
        assert port is not None
        return port

    def give(self, name: int, to: Puppet, use: int = COPY_SEND) -> int:
        """Hand a right to another puppet; its name there."""
        return to.space.insert(self.space.take(name, use))

    def drop(self, name: int) -> None:
        """Give up one reference of a send or send-once right."""
        self.space.deallocate(name)

    def close(self, name: int) -> None:
        """Give up all that a name denotes: the port dies if it is a receive right."""
        self.space.destroy_name(name)

    def end(self) -> None:
        """The task ends."""
        if self.task.alive:
            self.node.kernel.terminate_task(self.task, None, "the test is done with it")

    # -- messages -----------------------------------------------------------------

    def message(self, encoded: Encoded, to: int, use: int = COPY_SEND, reply: int = 0, reply_use: int = 0,
                ident: int = 0) -> bytes:
        """Octets to send, with names and addresses of this task."""
        data = bytearray(encoded.data)
        bits = use | reply_use << 8 | (COMPLEX if encoded.complex else 0)
        HEADER.pack_into(data, 0, bits, len(data), to, reply, 0, ident)
        for slot, name in encoded.rights.items():
            struct.pack_into("<Q", data, slot, name or 0)
        for slot, octets in encoded.regions.items():
            if octets:
                assert isinstance(octets, bytes)
                address = self.memory.allocate(0, len(octets), True)
                self.memory.write(address, octets)
                struct.pack_into("<Q", data, slot, address)
        return bytes(data)

    def right_item(self, name: int, use: int = COPY_SEND) -> bytes:
        """The item of a body that carries a right."""
        return struct.pack("<QQ", 1 << 32 | INLINE | 64 << 8 | use, name)

    def send(self, octets: bytes) -> int:
        """mach_msg with a send timeout of 0; its result."""
        self.memory.write(self._buffer, octets)
        try:
            message = copy_in(self.space, self.memory, self._buffer, len(octets))
        except KernelError as error:
            return error.code
        assert message.dest.kernel_object is None, "a puppet talks to servers only"
        if message.dest.full and message.dest_kind != MOVE_SEND_ONCE:
            return pseudo_receive(message, self.space, self.memory, self._buffer, MsgReturn.SEND_TIMED_OUT)
        message.dest.enqueue(message)
        return 0

    def take(self, name: int) -> Arrived | None:
        """The next message of a port, None if nothing is queued."""
        queue = queue_of(self.space, name)
        if not queue.messages:
            return None
        code = take_first(queue, self.space, self.memory, self._buffer, BUFFER_OCTETS, MACH_RCV_SENDER, 0)
        assert code == 0
        bits, size, remote, _, _, ident = HEADER.unpack(self.memory.read(self._buffer, HEADER.size))
        octets = self.memory.read(self._buffer, size + SENDER_TRAILER_SIZE)
        sender = SENDER_TRAILER.unpack_from(octets, size)[2]
        data = octets[:size]
        rights, regions = self._unpack(data) if bits & COMPLEX else ({}, {})
        return Arrived(ident, remote, bits & 0xFF, data, rights, regions, sender)

    def _unpack(self, data: bytes) -> tuple[dict[int, int], dict[int, Any]]:
        """What a complex body carries; out-of-line memory is read and freed."""
        rights: dict[int, int] = {}
        regions: dict[int, Any] = {}
        offset = HEADER.size
        while offset < len(data):
            item, at = read_descriptor(data, offset), offset + 8
            if not item.flags & INLINE:
                octets = self._fetch(struct.unpack_from("<Q", data, at)[0], item.octets)
                regions[at] = [name for name, in struct.iter_unpack("<I", octets)] if item.is_port else octets
                offset = at + 8
                continue
            offset = at + (item.octets + 7 & ~7)
            if item.is_port:
                rights |= {slot: struct.unpack_from("<I", data, slot)[0] for slot in range(at, offset, 8)}
        return rights, regions

    def _fetch(self, address: int, size: int) -> bytes:
        if not size:
            return b""
        octets = self.memory.read(address, size)
        self.memory.deallocate(address, size)
        return octets

    # -- a client's side ------------------------------------------------------------

    def ask(self, port: int, routine: str, *arguments: Value, reply_use: int = MAKE_SEND_ONCE) -> Pending:
        """Send a request; the node does not run yet."""
        what = ROUTINES[routine]
        reply = self.port()
        code = self.send(self.message(encode_request(what, arguments), port, COPY_SEND, reply, reply_use, what.id))
        assert code == 0, f"{routine}: not sent ({code:#x})"
        return Pending(self, what, reply)

    def call(self, port: int, routine: str, *arguments: Value) -> tuple[Value, ...]:
        """An RPC; its results.  Raises Refused."""
        pending = self.ask(port, routine, *arguments)
        self.node.settle()
        return pending.take()

    def refusal(self, port: int, routine: str, *arguments: Value) -> int:
        """The result of an RPC that must fail."""
        try:
            outs = self.call(port, routine, *arguments)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{routine} succeeded with {outs}")

    def tell(self, port: int, routine: str, *arguments: Value) -> None:
        """A simple routine: nothing comes back."""
        what = ROUTINES[routine]
        assert self.send(self.message(encode_request(what, arguments), port, what.target, ident=what.id)) == 0
        self.node.settle()

    def probe(self, port: int, ident: int, body: bytes = b"", *, complex_: bool = False,
              reply_use: int = MAKE_SEND_ONCE) -> int | None:
        """Send any octets as the body of a request.

        Returns the return code of the reply, SERVER_DIED if it was given up, the send's own
        error, or None: nothing has come back.
        """
        reply = self.port() if reply_use else 0
        head = HEADER.pack(COPY_SEND | reply_use << 8 | (COMPLEX if complex_ else 0), 32 + len(body), port, reply, 0,
                           ident)
        code = self.send(head + body)
        self.node.settle()
        message = self.take(reply) if reply else None
        if reply:
            self.close(reply)
        if code or message is None:
            return code or None
        if message.ident == SEND_ONCE_ID:
            return int(MigReturn.SERVER_DIED)
        assert message.ident == ident + 100
        return int(struct.unpack_from("<i", message.data, 40)[0])

    # -- a stub's side ----------------------------------------------------------------

    def serve(self, name: int, handlers: Mapping[str, Handler]) -> None:
        """Answer requests on a port: `handlers` by routine, called with the request and its
        arguments.  They return results, or raise Refused or Late."""
        self._served[name] = handlers

    def ignore(self, name: int) -> None:
        """From now on leave what comes to a port in its queue."""
        del self._served[name]

    def answer_all(self) -> bool:
        """Answer what is queued; False: nothing was."""
        found = False
        for name, handlers in list(self._served.items()):
            while self.task.alive and name in self.space.entries and (message := self.take(name)) is not None:
                found = True
                self._answer(message, handlers)
        return found

    def _answer(self, message: Arrived, handlers: Mapping[str, Handler]) -> None:
        routine = next((ROUTINES[name] for name in handlers if ROUTINES[name].id == message.ident), None)
        assert routine is not None, f"the stub does not expect message {message.ident} ({message.ident:#x})"
        request = Request(self, routine, message)
        arguments = decode_request(routine, message.data, message.rights, message.regions)
        try:
            outs = handlers[routine.name](request, *arguments)
        except Refused as refused:
            request.refuse(refused.code)
        except Late:
            pass
        else:
            request.answer(*outs or ())


class Census(NamedTuple):
    """What a task holds, for comparison."""

    names: Counter[tuple[int, int]]  # by kind and references
    memory: int  # octets allocated


@final
class Lone:
    """A node on which one server runs.

    As a context manager it asserts at its end that the server holds no name more than
    when it was ready, all its clients having gone; that every invariant holds; and that
    without tasks no page frame is in use.

    Args:
        devices: which of a workstation's devices there are, by name.
    """

    def __init__(self, devices: Collection[str] = ("console",), *, disk: bytes = b"") -> None:
        description = MachineDescription(devices=tuple(each for each in _workstation() if each.name in devices))
        self.written = bytearray()
        self._node = Node("lone", 1, description, disk=disk, on_console=self.written.extend)
        self.kernel = self._node.kernel
        self.machine = self._node.machine
        self._frames = self.kernel.pool.used
        self._puppets: list[Puppet] = []
        self._clients: list[Puppet] = []
        self._server: Task | None = None
        self._ready: Census | None = None

    # -- what there is ------------------------------------------------------------------

    def stub(self) -> Puppet:
        """A puppet that stays to the end."""
        puppet = Puppet(self)
        self._puppets.append(puppet)
        return puppet

    def client(self) -> Puppet:
        """A puppet that has gone before the last look at what the server holds."""
        puppet = self.stub()
        self._clients.append(puppet)
        return puppet

    def start(self, name: str, *, slots: Sequence[Port | None] = (), bootstrap: Port | None = None,
              receives: Sequence[Port] = (), ready: bool = True) -> Task:
        """Run a built program, with these ports in its slots of mach_ports.

        Args:
            receives: ports without a receiver, whose receive rights it gets.
            ready: let it come to rest; what it then holds is what it must hold at the end.
        """
        task = self.kernel.create_task(None)
        task.name = name
        for port in receives:
            task.space.insert(Carried(port, MOVE_RECEIVE))
        for slot, port in enumerate(slots):
            task.registered[slot] = port.make_send().port if port else None
        task.bootstrap_port = bootstrap.make_send().port if bootstrap else None
        start(self.kernel, task, _parsed(name), [name], name)
        self._server = task
        if ready:
            self.settle()
            self._ready = self.census()
        return task

    @property
    def server(self) -> Task:
        assert self._server is not None
        return self._server

    @property
    def console(self) -> str:
        return self.written.decode()

    @property
    def halted(self) -> str | None:
        """Why the node was halted."""
        return self._node.halted

    @property
    def now_ns(self) -> int:
        return self._node.now_ns

    def type(self, text: str) -> None:
        """What someone types at the console."""
        self.machine.devices["console"].type(text.encode())

    # -- time -----------------------------------------------------------------------------

    def settle(self, limit_ns: int = 10 * SECOND) -> None:
        """Run until nothing more happens by itself, the stubs answering meanwhile."""
        end = self.now_ns + limit_ns
        while self.step():
            assert self.now_ns < end, "the node does not come to rest"

    def step(self) -> bool:
        """Let the stubs answer what they have received, or else the node run for a moment;
        False: it is at rest, or halted."""
        answered = [puppet.answer_all() for puppet in self._puppets]
        if any(answered):
            return True
        node = self._node
        if node.halted or node.next_ns is None or node.next_ns > node.now_ns + REST_NS:
            return False
        node.run_until(max(node.next_ns, node.now_ns) + SLICE_NS)
        return True

    def let_pass(self, ns: int) -> None:
        self._node.run_until(self._node.now_ns + ns)
        self.settle()

    # -- what must hold --------------------------------------------------------------------

    def census(self) -> Census:
        """What the server holds, but for the host port, which programs ask for when they
        first need it."""
        task = self.server
        entries = [task.space.find(name) for name in list(task.space.entries)]
        return Census(Counter((entry.kind, entry.urefs) for entry in entries
                              if entry is not None and entry.port is not self.kernel.host.port),
                      sum(region.size for region in task.memory.regions()))

    @contextmanager
    def nothing_kept(self) -> Iterator[None]:
        """Assert that the server holds afterwards, in names and memory, what it held before.
        What it allocates only once must have been allocated."""
        before = self.census()
        yield
        self.settle()
        _compare(before, self.census())

    def end_clients(self) -> None:
        for client in self._clients:
            client.end()
        self.settle()

    def check(self) -> None:
        self.kernel.check()
        self.machine.check()
        check_balance(self.kernel)

    def finish(self) -> None:
        """Let the clients go, then look for what the server has kept of them."""
        self.settle()
        self.check()
        self.end_clients()
        self.check()
        if self._ready is not None and self.server.alive:
            _compare(self._ready._replace(memory=0), self.census()._replace(memory=0))
        for task in list(self.kernel.tasks.values()):
            self.kernel.terminate_task(task, None, "the test is over")
        assert self.kernel.pool.used == self._frames, "page frames that nobody has freed"

    def close(self) -> None:
        self._node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self.close()


def _compare(before: Census, after: Census) -> None:
    """Assert that they are equal; in words, because this module's asserts are plain."""
    more, less = after.names - before.names, before.names - after.names
    assert not more and not less, f"names (kind, references) more {dict(more)}, less {dict(less)}"
    assert before.memory == after.memory, f"memory was {before.memory:#x}, is {after.memory:#x}"


@functools.cache
def _workstation() -> tuple[Device, ...]:
    devices = MachineDescription.workstation().devices
    # A crypto engine has 128 contexts, most of the time that it takes to make a machine.
    return tuple(replace(each, options={"contexts": 4}) if each.kind == "crypto" else each for each in devices)


@functools.cache
def _parsed(name: str) -> Program:
    return parse_elf(program(name), name)


def program(name: str) -> bytes:
    """A built program."""
    return (BUILT / "programs" / name).read_bytes()


def octets64(text: str) -> bytes:
    """A name as the servers' interfaces carry it."""
    return text.encode().ljust(64, b"\0")
