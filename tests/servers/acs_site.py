"""A node with an ACS, its clients, and a stub of its GNS."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import COPY_SEND, MACH_PORT_NULL
from tests.servers.stub_servers import StubBoot, StubProc
from tests.support.stubs import Late, Lone, Puppet, Refused, Request, octets64

NO_NAME, NOT_ALLOWED, BUSY, LIMIT = 1, 2, 6, 7
NOT_YOURS, NOT_CHECKED_IN, NO_SUCH_HOST, INVALID_PORT = 1000, 1001, 1002, 1004
PUBLIC: Final = 1  # the interface asked for
REMOTE: Final = 4  # flag of an answer
LOCAL_TTL: Final = 300  # seconds
ANSWERS_TO_ALL, ORIGIN_TO_ALL = 4, 8  # flags of boot_info: optimisations 1 and 2
NAMES_OF_NODE, NAMES_OF_TASK = 256, 4
WAITING_MAX: Final = 64  # lookups, and askers of each
ECHO: Final = octets64("echo")
FAR: Final = octets64("far")


class Site:
    """A node with an ACS, and stubs of bootstrap and proc.

    Args:
        flags: the site's optimisations.
    """

    def __init__(self, node: Lone, flags: int = 0) -> None:
        self.node = node
        node.kernel.boot_info = replace(node.kernel.boot_info, flags=flags)
        self.proc = StubProc(node)
        self.boot = StubBoot(node)
        self.start()

    def start(self) -> None:
        self.node.start("acs", slots=[self.boot.acs_port, self.boot.port, self.proc.port])

    def client(self, *, known: bool = True, manifest: bool = False) -> Client:
        client = Client(self.node.client(), self)
        if known:
            self.proc.knows(client.puppet.task, manifest=manifest)
        return client


class Client:
    """A task that talks to the ACS."""

    def __init__(self, puppet: Puppet, site: Site) -> None:
        self.puppet = puppet
        self.acs = puppet.holds(site.boot.acs_port)

    def call(self, routine: str, *arguments: object) -> tuple[object, ...]:
        return self.puppet.call(self.acs, routine, *arguments)

    def refusal(self, routine: str, *arguments: object) -> int:
        return self.puppet.refusal(self.acs, routine, *arguments)

    def register(self, name: str, port: int | None = None, door: int | None = None) -> int:
        """Register `port`, or a new one; its name."""
        port = self.puppet.service() if port is None else port
        assert self.call("acs_register", registration(name), port, port if door is None else door) == ()
        return port

    def resolve(self, name: bytes) -> tuple[int, int, int]:
        """Flags, ttl and port."""
        flags, ttl, port = self.call("acs_resolve", name, PUBLIC)
        return flags, ttl, port

    def text(self, routine: str) -> list[str]:
        return self.call(routine)[0].decode().splitlines()


def registration(name: str, length: int | None = None, zero: int = 0) -> bytes:
    """REG_REQ: flags, length of the name, zero, name."""
    return struct.pack("<IHH64s", 0, len(name) if length is None else length, zero, name.encode())


class Gns:
    """A stub of the GNS, registered as the manifest's."""

    def __init__(self, site: Site, *, manifest: bool = True) -> None:
        self.client = site.client(manifest=manifest)
        self.asked: list[bytes] = []
        self.waiting: list[Request] = []
        self.told: list[tuple[str, bytes, Port | None]] = []  # what it was told: about which name and port
        self.port = self.client.register("gns")
        self.answer: Callable[[], tuple[object, ...]] = self.wait
        self.serve()

    def serve(self) -> None:
        self.client.puppet.serve(self.port, {
            "gns_lookup": self._lookup, "gns_asker": self._asker, "gns_unregistered": self._unregistered})

    def wait(self) -> tuple[object, ...]:
        raise Late

    def found(self, flags: int = 0, ttl: int = 60) -> int:
        """From now on lookups find a port; its name."""
        proxy = self.client.puppet.service()

        def answer() -> tuple[object, ...]:
            self.client.puppet.space.insert(self.client.puppet.object(proxy).copy_send())  # the reply moves one
            return flags, ttl, proxy

        self.answer = answer
        return proxy

    def refuses(self, status: int, *, with_all_its_items: bool = True) -> None:
        """From now on lookups fail.  The reply ends with the status, or goes on, as the GNS's does."""

        def answer() -> tuple[object, ...]:
            if not with_all_its_items:
                raise Refused(status)
            self.waiting[-1].answer_by("gns_lookup_reply", status, 0, 0, MACH_PORT_NULL, COPY_SEND)
            raise Late

        self.answer = answer

    def _lookup(self, request: Request, name: bytes) -> tuple[object, ...]:
        self.asked.append(name)
        self.waiting.append(request)
        return self.answer()

    def _asker(self, request: Request, wanted: bytes, name: bytes, port: int) -> None:
        assert request.sender == request.stub.node.server.number
        self._note(f"asks for {wanted.rstrip(bytes(1)).decode()}", name, port)

    def _unregistered(self, request: Request, name: bytes, port: int) -> None:
        self._note("unregistered", name, port)

    def _note(self, what: str, name: bytes, port: int) -> None:
        puppet = self.client.puppet
        held = port in puppet.space.entries  # else it came dead
        self.told.append((what, name, puppet.space.lookup(port).port if held else None))
        if held:
            puppet.drop(port)
