"""Stubs of the servers that others cannot do without: bootstrap, proc and the ACS."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, final

from machemu.kernel.results import KernReturn
from machemu.kernel.task.task import Task
from tests.support.stubs import Late, Lone, Refused, Request, Value, octets64


@final
class StubBoot:
    """bootstrap, as far as others ask it: files, `ready`, privileged ports, the ACS's port.

    Args:
        files: the boot archive.
        host, device: whether the privileged ports are given to who asks.
    """

    def __init__(self, node: Lone, files: Mapping[str, bytes] = MappingProxyType({}), *, host: bool = False,
                 device: bool = False) -> None:
        self.files = files
        self.ready: list[int] = []  # task numbers
        self.restarted: list[tuple[int, int]] = []  # pid and task number
        self.checks_in = True
        self.puppet = node.stub()
        kernel = node.kernel
        self._host = self.puppet.holds(kernel.host_privileged.port) if host else 0
        self._device = self.puppet.holds(kernel.device_master.port) if device else 0
        self._name = self.puppet.service()
        self._acs = self.puppet.service()
        self.port = self.puppet.object(self._name)
        self.acs_port = self.puppet.object(self._acs)
        self.puppet.serve(self._name, {
            "boot_list": self._list, "boot_size": self._size, "boot_read": self._read, "boot_ready": self._note_ready,
            "boot_check_in": self._check_in, "boot_restarted": self._note_restarted,
            "bootstrap_privileged_ports": self._privileged, "mach_notify_port_destroyed": self._take_back})

    def _file(self, path: bytes) -> bytes:
        data = self.files.get(path.decode())
        if data is None:
            raise Refused(KernReturn.INVALID_NAME)
        return data

    def _list(self, request: Request) -> tuple[Value, ...]:
        return ("".join(f"{len(data)} {path}\n" for path, data in self.files.items()).encode(),)

    def _size(self, request: Request, path: bytes) -> tuple[Value, ...]:
        return (len(self._file(path)),)

    def _read(self, request: Request, path: bytes, offset: int, size: int) -> tuple[Value, ...]:
        return (self._file(path)[offset:offset + size],)

    def _note_ready(self, request: Request) -> None:
        self.ready.append(request.sender)

    def _note_restarted(self, request: Request, pid: int, task: int) -> None:
        self.restarted.append((pid, task))

    def _privileged(self, request: Request) -> tuple[Value, ...]:
        if not self._host and not self._device:
            raise Refused(KernReturn.NO_ACCESS)
        return self._host, self._device

    def _check_in(self, request: Request, name: bytes) -> tuple[Value, ...]:
        """The port comes back here when whoever gets it dies, as bootstrap has it."""
        if name != octets64("acs") or not self.checks_in:
            raise Refused(KernReturn.NO_ACCESS)
        self.acs_port.port_destroyed = self.port.make_send_once().port
        return (self._acs,)

    def _take_back(self, request: Request, right: int) -> None:
        assert right == self._acs


class Started(NamedTuple):
    """A program that somebody had proc start."""

    pid: int
    path: str
    name: str
    arguments: list[str]
    flags: int


@final
class StubProc:
    """proc, as far as others ask it: which process receives from a port, and programs that
    end when the test says so.

    Args:
        task_of: the task number to give for a program that was started.
    """

    def __init__(self, node: Lone, task_of: Callable[[Started], int] | None = None) -> None:
        self.started: list[Started] = []
        self.refuses = 0  # the result of every start, if it is not 0
        self._task_of = task_of or (lambda started: 1000 + started.pid)
        self.exits: list[tuple[int, int]] = []  # task number and status
        self.killed: list[int] = []  # pids
        self.on_start: Callable[[], None] = lambda: None  # before a start is answered
        self._records: dict[int, bytes] = {}  # by task number
        self._waits: dict[int, list[Request]] = {}  # by pid
        self._last_pid = 0
        self.puppet = node.stub()
        self._name = self.puppet.service()
        self.port = self.puppet.object(self._name)
        self.goes_on()

    def goes_on(self) -> None:
        self.puppet.serve(self._name, {
            "proc_who": self._who, "proc_start": self._start, "proc_wait": self._wait, "proc_exit": self._exit,
            "proc_kill": self._kill})

    def stops(self) -> None:
        """It receives nothing until `goes_on`, as while it makes an RPC itself."""
        self.puppet.ignore(self._name)

    def knows(self, task: Task, *, manifest: bool = False, pid: int = 0) -> int:
        """From now on `task` is a process, a new one if no pid is given; its pid."""
        if not pid:
            pid = self._last_pid = self._last_pid + 1
        self._records[task.number] = struct.pack("<QII64s32s16x", task.number, pid, int(manifest),
                                                 task.name.encode(), bytes(32))
        return pid

    def ends(self, pid: int, status: int, how: int = 0) -> None:
        """A program that was started has ended: whoever waits is told."""
        for request in self.waits(pid):
            request.answer(status, how)
        self.puppet.node.settle()

    def all_end(self) -> None:
        """Whatever has been started and is waited for has ended."""
        for pid in list(self._waits):
            self.ends(pid, 0)

    def waits(self, pid: int) -> list[Request]:
        """Those who wait for the end of a program, to be answered by the caller."""
        return self._waits.pop(pid)

    def _who(self, request: Request, port: int) -> tuple[Value, ...]:
        receiver = self.puppet.object(port).receiver if port in self.puppet.space.entries else None
        if port in self.puppet.space.entries:
            self.puppet.drop(port)
        record = self._records.get(receiver.task_number) if receiver is not None else None
        if record is None:
            raise Refused(KernReturn.INVALID_ARGUMENT)
        return (record,)

    def _start(self, request: Request, path: bytes, name: bytes, arguments: bytes, flags: int) -> tuple[Value, ...]:
        if self.refuses:
            raise Refused(self.refuses)
        self._last_pid += 1
        started = Started(self._last_pid, path.decode(), name.rstrip(b"\0").decode(),
                          arguments[:-1].decode().split("\0"), flags)
        self.started.append(started)
        self.on_start()
        return started.pid, self._task_of(started)

    def _wait(self, request: Request, pid: int) -> None:
        self._waits.setdefault(pid, []).append(request)
        raise Late

    def _kill(self, request: Request, pid: int) -> None:
        self.killed.append(pid)

    def _exit(self, request: Request, status: int) -> None:
        self.exits.append((request.sender, status))


@final
class StubAcs:
    """The ACS, as far as a server needs one to make itself known."""

    def __init__(self, node: Lone) -> None:
        self.names: dict[str, int] = {}  # the public ports, in `puppet`
        self.accepts = True
        self.puppet = node.stub()
        self._name = self.puppet.service()
        self.port = self.puppet.object(self._name)
        self.puppet.serve(self._name, {"acs_register": self._register, "acs_resolve": self._resolve})

    def _register(self, request: Request, octets: bytes, public: int, door: int) -> None:
        if not self.accepts:
            raise Refused(2)
        self.names[octets[8:].rstrip(b"\0").decode()] = public

    def _resolve(self, request: Request, name: bytes, interface: int) -> tuple[Value, ...]:
        raise Refused(1)
