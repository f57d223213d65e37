"""proc alone, with a stub of bootstrap that has the files; what proc starts is real."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

from machemu.hw.api import PAGE_SIZE
from machemu.interfaces import proc
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MACH_PORT_DEAD, MACH_PORT_NULL
from machemu.kernel.results import KernReturn
from machemu.kernel.vm.entry import PROT_EXECUTE, PROT_READ, PROT_WRITE
from tests.servers.hostile import forged_notifications, misdeeds, random_requests
from tests.support.images import elf
from tests.support.programs import guest
from tests.support.stubs import Lone, Pending, Puppet, Refused, StubBoot, octets64

FROM_MANIFEST, RESTART = 1, 2  # flags of proc_start; and of a record, FROM_MANIFEST
MEASURED: Final = 2  # flag of a record
EXITED, KILLED = 0, 1
RESTARTS_MAX: Final = 5
REMEMBERED: Final = 256  # processes that have ended
ARGUMENTS_MAX: Final = 2048  # octets
FILE_MAX: Final = 8 << 20
STACK_TOP: Final = 0x40_0000_0000 - PAGE_SIZE
STACK_SIZE: Final = 128 << 10
SEGMENT: Final = 64  # offset of the only segment of an ELF file that `elf` makes
FAULTS: Final = elf(b"\0\0\0\0")  # its first instruction is illegal


class Record(NamedTuple):
    """What proc_who tells."""

    task: int
    pid: int
    flags: int
    name: str
    digest: bytes

    @classmethod
    def of(cls, octets: bytes) -> Record:
        task, pid, flags, name, digest = struct.unpack("<QII64s32s16x", octets)
        return cls(task, pid, flags, name.rstrip(b"\0").decode(), digest)


class Proc:
    """A node with proc, and its port for whoever asks."""

    def __init__(self, node: Lone) -> None:
        self.node = node
        self.files: dict[str, bytes] = {"bin/child": guest("child"), "bin/faults": FAULTS}
        self.boot = StubBoot(node, self.files, host=True, device=True)
        self.port = Port(node.kernel.zone)
        self.task = node.start("proc", slots=[None, self.boot.port, self.port], bootstrap=self.boot.port,
                               receives=[self.port])
        self.client = node.client()
        self.name = self.client.holds(self.port)

    def by_bootstrap(self) -> tuple[Puppet, int]:
        return self.boot.puppet, self.boot.puppet.holds(self.port)

    def call(self, routine: str, *arguments: object) -> tuple[object, ...]:
        return self.client.call(self.name, routine, *arguments)

    def refusal(self, routine: str, *arguments: object) -> int:
        return self.client.refusal(self.name, routine, *arguments)

    def start(self, *arguments: str, path: str = "bin/child", name: str = "child", flags: int = 0) -> tuple[int, int]:
        """Pid and task number of a program that proc has started; flags are bootstrap's to give."""
        caller, port = self.by_bootstrap() if flags else (self.client, self.name)
        pid, task = caller.call(port, "proc_start", path.encode(), octets64(name), block(name, *arguments), flags)
        return pid, task

    def ask_start(self, *arguments: str) -> Pending:
        return self.client.ask(self.name, "proc_start", b"bin/child", octets64("child"), block("child", *arguments), 0)

    def who(self, task: int) -> Record:
        """The record of a process, by a port that its task receives from."""
        space = self.node.kernel.tasks[task].space
        port = Port(self.node.kernel.zone)
        port.receiver, port.receiver_name = space, 0
        name = space.insert(receive_right(port))
        (octets,) = self.call("proc_who", self.client.holds(port))
        space.destroy_name(name)
        return Record.of(octets)  # type: ignore[arg-type]

    def list(self) -> list[dict[str, str]]:
        """The lines of proc_list, newest first."""
        (text,) = self.call("proc_list")
        return [dict(field.split("=") for field in line.split()[1:])
                for line in text.decode().splitlines()]  # type: ignore[attr-defined]
