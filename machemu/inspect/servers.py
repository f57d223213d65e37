"""What servers tell of themselves: their `stat` listings, asked for by messages.

Unlike the views of `views.py`, asking is part of the run: the servers execute, and time
passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

from machemu.interfaces import SUBSYSTEMS
from machemu.interfaces.runtime import decode_reply, encode_request
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_RECEIVE, MOVE_SEND, Carried
from machemu.kernel.rpc.call import kernel_message, regions_of, rights_of
from machemu.kernel.vm.copy import VmCopy

if TYPE_CHECKING:
    from machemu.interfaces.runtime import Routine
    from machemu.kernel.ipc.message import Message
    from machemu.node.node import Node

Advance = Callable[[int | None, Callable[[], str | None] | None], str]
Row = dict[str, str]

SLOTS: Final = {"acs": 0, "boot": 1, "proc": 2}  # servers found in mach_ports
PATIENCE_NS: Final = 10_000_000_000  # of virtual time, for one answer
PUBLIC: Final = 1  # the interface asked for
_ROUTINES: Final = {routine.name: routine for subsystem in SUBSYSTEMS for routine in subsystem.routines.values()
                    if not subsystem.name.endswith(("_request", "_reply"))}


class NoAnswer(Exception):
    """A server has not answered, or refused; the text says which."""


@final
class Servers:
    """Asks the servers of one node.

    Args:
        advance: runs the LAN until a time or a reason to stop, as `Lan.advance`.
    """

    def __init__(self, node: Node, advance: Advance) -> None:
        self._node = node
        self._kernel = node.kernel
        self._advance = advance
        self._task = self._kernel.create_task(None)  # holds the rights on the servers' ports
        self._task.name = "inspector"
        self._known: dict[str, Port] = {}

    def close(self) -> None:
        self._kernel.terminate_task(self._task, None, "the inspector leaves")

    def stat(self, name: str) -> list[Row]:
        """The listing of a server: a row a line, `table` and its keys.  Raises NoAnswer."""
        (text,) = self.call(name, f"{name}_stat")
        return [_row(line) for line in text.decode().splitlines()]

    def table(self, name: str, table: str) -> list[Row]:
        """One table of a server's listing."""
        return [row for row in self.stat(name) if row["table"] == table]

    def counters(self, name: str) -> dict[str, int]:
        return {key: int(value) for row in self.table(name, "counter") for key, value in row.items()
                if key != "table"}

    def call(self, name: str, routine: str, *arguments: object) -> tuple[Any, ...]:
        """The results of a routine of a server; rights among them are the caller's.

        Raises NoAnswer.
        """
        return self._call(self._find(name), _ROUTINES[routine], *arguments)

    def start(self, path: str, name: str, *arguments: str) -> int:
        """Have proc start a program of the boot archive; its pid.  Raises NoAnswer."""
        octets = b"".join(word.encode() + b"\0" for word in (name, *arguments))
        pid, task = self.call("proc", "proc_start", path.encode(), name.encode().ljust(64, b"\0"), octets, 0)
        if isinstance(task, Carried):
            task.destroy()
        return int(pid)

    def _find(self, name: str) -> Port:
        """The port of a server, on which the inspector holds a right.  Raises NoAnswer."""
        port = self._known.get(name)
        if port is None or port.dead:
            right = self._slot(name) if name in SLOTS else self._resolve(name)
            self._task.space.insert(right)
            port = self._known[name] = right.port
        return port

    def _resolve(self, name: str) -> Carried:
        _flags, _ttl, right = self.call("acs", "acs_resolve", name.encode().ljust(64, b"\0"), PUBLIC)
        assert isinstance(right, Carried)
        return right

    def _slot(self, name: str) -> Carried:
        for task in self._kernel.tasks.values():
            port = task.registered[SLOTS[name]]
            if port is not None and not port.dead:
                return port.copy_send()
        raise NoAnswer(f"no task of {self._node.name} has the {name} port")

    def _call(self, port: Port, routine: Routine, *arguments: object) -> tuple[Any, ...]:
        encoded = encode_request(routine, arguments)
        message = kernel_message(self._kernel, encoded, routine.id, port, MOVE_SEND)
        port.copy_send()
        reply = Port(self._kernel.zone)
        name = self._task.space.insert(Carried(reply, MOVE_RECEIVE))
        message.sender = self._task.number
        message.reply, message.reply_kind = reply, reply.make_send_once().kind
        port.enqueue(message)
        queue = reply.queue.messages
        self._advance(self._node.now_ns + PATIENCE_NS, lambda: "an answer" if queue else None)
        if not queue:
            self._task.space.destroy_name(name)
            raise NoAnswer(f"{routine.name}: no answer from {self._node.name}")
        answer = queue.popleft()
        reply.dequeued()
        try:
            return self._outs(routine, answer)
        finally:
            answer.destroy()
            self._task.space.destroy_name(name)

    @staticmethod
    def _outs(routine: Routine, answer: Message) -> tuple[Any, ...]:
        if answer.ident != routine.reply_id:
            raise NoAnswer(f"{routine.name}: the server gave the reply right up")
        code, outs = decode_reply(routine, answer.data, rights_of(answer), regions_of(answer))
        if code:
            raise NoAnswer(f"{routine.name}: result {code}")
        answer.inline.clear()  # the rights are the caller's now
        return tuple(value.read() if isinstance(value, VmCopy) else value for value in outs)


def _row(line: str) -> Row:
    table, *fields = line.split()
    return {"table": table, **dict(field.partition("=")[::2] for field in fields)}
