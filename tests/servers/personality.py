"""A personality server alone: stubs of ACS, bootstrap and proc, and programs that are puppets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.servers.stub_servers import StubAcs, StubBoot, StubProc
from tests.support.stubs import Lone, Pending, Puppet, Refused

SYSTEM: Final = 2 << 26  # err_server
SUBSYSTEMS: Final = {"unix": 0x50, "dos": 0x51, "os2": 0x52, "win32": 0x53}
PERSONALITIES: Final = tuple(SUBSYSTEMS)
CONSOLE: Final = {"unix": 0, "dos": 0, "os2": 0, "win32": 4}  # a handle of it that every program has
STANDARD: Final = {"unix": 3, "dos": 5, "os2": 3, "win32": 3}  # how many such handles
START: Final[dict[str, tuple[object, ...]]] = {  # the call that starts a program
    "unix": ("spawn", b"/bin/hello", b"hello\0"), "dos": ("exec", b"\\BIN\\HELLO", b""),
    "os2": ("exec", b"C:\\bin\\hello", b"hello\0"),
    "win32": ("create_process", b"C:\\bin\\hello", b"hello\0")}
EXITED, KILLED = 0, 1  # how proc says that a program has ended
MOTD: Final = b"Welcome to the laboratory.\n"
FILES: Final = {
    "etc/motd": MOTD,
    "etc/empty": b"",
    "bin/hello": b"a program",
    "bin/dos_hello": b"another program",
    "lib/deep/down/file.text": bytes(number % 251 for number in range(10_000)),
}


class Program:
    """A client of a personality, with its session."""

    def __init__(self, server: Personality, puppet: Puppet, pid: int) -> None:
        self.server = server
        self.puppet = puppet
        self.pid = pid
        self.session = 0

    def attach(self) -> int:
        """Open the session; the number that the server gives."""
        port = self.server.port_for(self.puppet)
        self.session, number = self.puppet.call(port, f"{self.server.name}_attach", self.puppet.port())
        return int(number)

    def call(self, routine: str, *arguments: object) -> tuple[object, ...]:
        return self.puppet.call(self.session, f"{self.server.name}_{routine}", *arguments)

    def value(self, routine: str, *arguments: object) -> object:
        """The only result of a call."""
        (value,) = self.call(routine, *arguments)
        return value

    def ask(self, routine: str, *arguments: object) -> Pending:
        """A call that is not answered at once, or whose answer nobody takes."""
        pending = self.puppet.ask(self.session, f"{self.server.name}_{routine}", *arguments)
        self.server.node.settle()
        return pending

    def start(self) -> Pending:
        """Have a program started; DOS answers when it has ended."""
        routine, *arguments = START[self.server.name]
        return self.ask(str(routine), *arguments)

    def attach_error(self) -> int:
        """The personality's own code of a session that must be refused."""
        routine = f"{self.server.name}_attach"
        port = self.server.port_for(self.puppet)
        return self.server.code_of(self.puppet.refusal(port, routine, self.puppet.port()))

    def error(self, routine: str, *arguments: object) -> int:
        """The personality's own code of a call that must fail."""
        return self.server.code_of(self.puppet.refusal(self.session, f"{self.server.name}_{routine}", *arguments))


class Personality:
    """A node with a personality server."""

    def __init__(self, node: Lone, name: str, *, device: bool = True, accepted: bool = True) -> None:
        self.node = node
        self.name = name
        self.acs, self.proc = StubAcs(node), StubProc(node)
        self.acs.accepts = accepted
        self.boot = StubBoot(node, FILES, device=device)
        self.task = node.start(name, slots=[self.acs.port, self.boot.port, self.proc.port], bootstrap=self.boot.port)

    def port_for(self, puppet: Puppet) -> int:
        """The server's port."""
        return self.acs.puppet.give(self.acs.names[self.name], puppet)

    def program(self, *, pid: int = 0, attached: bool = True) -> Program:
        """A program with a session; `pid`: it is one that was started."""
        puppet = self.node.client()
        program = Program(self, puppet, self.proc.knows(puppet.task, pid=pid))
        if attached:
            program.attach()
        return program

    def stat(self) -> list[str]:
        """The lines of `stat`."""
        caller = self.acs.puppet
        (text,) = caller.call(self.acs.names[self.name], f"{self.name}_stat")
        return text.decode().splitlines()

    def code_of(self, result: int) -> int:
        """The personality's own code in the result of an RPC."""
        assert result & ~0x3FFF == SYSTEM | SUBSYSTEMS[self.name] << 14, f"{result:#x} is no error of {self.name}"
        return result & 0x3FFF

    def error_of(self, pending: Pending) -> int:
        """The same, of one that has been waited for."""
        try:
            outs = pending.take()
        except Refused as refused:
            return self.code_of(refused.code)
        raise AssertionError(f"it succeeded with {outs}")


@contextmanager
def running(name: str) -> Iterator[Personality]:
    with Lone() as node:
        server = Personality(node, name)
        server.stat()  # allocates for the first time
        yield server
        node.end_clients()
        server.proc.all_end()
