"""Exceptions: a thread that cannot go on asks its exception port, then its task's.

Whoever answers KERN_SUCCESS lets the thread go on as it then is, with registers that may
have been set meanwhile.  If nobody does, the task ends.

Rules and codes: mach-abi.md 6.4, 9.4 and 9.5.  Follows Mach 3 `kern/exception.c`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

from machemu.interfaces import exc as interface
from machemu.interfaces.runtime import BadMessage, decode_error, encode_request
from machemu.kernel.ipc.message import COMPLEX, InlineRights, Message
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_SEND, MOVE_SEND_ONCE, Carried
from machemu.kernel.results import KernReturn, MigReturn

if TYPE_CHECKING:
    from machemu.hw.api import CpuException
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.thread import Thread

EXC_BAD_ACCESS: Final = 1
EXC_BAD_INSTRUCTION: Final = 2
EXC_BREAKPOINT: Final = 6
NUMBERS: Final = {  # by the processor's kind
    "bad_access": EXC_BAD_ACCESS,
    "misaligned": EXC_BAD_ACCESS,
    "bad_instruction": EXC_BAD_INSTRUCTION,
    "breakpoint": EXC_BREAKPOINT,
}
EXCEPTION_RAISE: Final = 2400
REPLY_SIZE: Final = 48  # octets, and no other form counts

_ROUTINE: Final = interface.SUBSYSTEM.routines[EXCEPTION_RAISE]


@final
class ExceptionWait:
    """A thread that waits for the answer to its exception.

    It receives at a reply port of which nobody has the receive right; each port that is
    asked gets a new one.  An answer may come while tasks end, or end a task in its turn,
    so what follows from a refusal is left for the end of the trap (`run`).
    """

    __slots__ = ("_cause", "_kernel", "_pc", "_ports", "_reply", "_thread")

    def __init__(self, kernel: Kernel, thread: Thread, cause: CpuException) -> None:
        self._kernel = kernel
        self._thread = thread
        self._cause = cause
        self._pc = kernel.cpu.pc
        self._ports = self._ports_to_ask()
        self._reply: Port | None = None

    def _ports_to_ask(self) -> Iterator[Port | None]:
        """Each is looked up when its turn comes: it may be set meanwhile."""
        yield self._thread.exception_port
        yield self._thread.task.exception_port

    def ask_next(self) -> None:
        """Ask the next port that can answer, or end the task."""
        for port in self._ports:
            # The kernel's own ports would answer MIG_BAD_ID.
            if port is not None and not port.dead and port.kernel_object is None:
                self._ask(port)
                return
        self._end_task()

    def _ask(self, port: Port) -> None:
        self._reply = Port(self._kernel.zone)
        self._reply.queue.receivers.append(self)
        message = self._message(port, self._reply)
        self._thread.wait = self
        if self._kernel.events.message_sent:
            self._kernel.report_sent(message)
        self._kernel.clock.charge(message.size >> 3)
        port.enqueue(message)  # past the limit, as the kernel may
        # A receiver with too small a buffer has refused it already.
        self._thread.block(self._thread.wait)

    def _message(self, port: Port, reply: Port) -> Message:
        thread, cause = self._thread, self._cause
        encoded = encode_request(_ROUTINE, (_right_on(thread.kernel_port), _right_on(thread.task.kernel_port),
                                            NUMBERS[cause.kind], cause.code, cause.subcode))
        message = Message(self._kernel.zone.next_message_number(), encoded.data, COMPLEX, EXCEPTION_RAISE, 0,
                          port.copy_send().port, MOVE_SEND)
        message.reply, message.reply_kind = reply.make_send_once().port, MOVE_SEND_ONCE
        for slot, right in encoded.rights.items():
            assert right is None or isinstance(right, Carried)
            message.inline.append(InlineRights(encoded.descriptors[slot], [right]))
        return message

    # -- the answer -----------------------------------------------------------------

    def offer(self, message: Message) -> bool:
        """A message for the reply port: the answer, or news that there will be none."""
        code = _answer(message)
        self._close()
        message.destroy()
        if code == KernReturn.SUCCESS:
            self._thread.go_on_unchanged()
        else:
            self._thread.go_on_later(self)
        return True

    def fail(self, code: int) -> None:
        raise AssertionError("nobody can take the reply port away")

    def run(self) -> None:
        """The rest of a refusal."""
        if self._thread.wait is self and self._reply is None:
            self.ask_next()

    def _end_task(self) -> None:
        task, cause = self._thread.task, self._cause
        reason = f"{cause.kind} (code {cause.code}, subcode {cause.subcode:#x}) at pc {self._pc:#x}"
        self._kernel.console_write(f"kernel: task {task.number} {task.name}: {reason}\n".encode())
        self._kernel.terminate_task(task, None, reason)

    # -- no answer ------------------------------------------------------------------

    def interrupt(self) -> None:
        """The thread goes on as if it had been answered."""
        self._close()
        self._thread.go_on_unchanged()

    def abandon(self) -> None:
        self._close()

    def _close(self) -> None:
        """Answers are too late from now on: the reply port dies."""
        if self._reply is not None:
            reply, self._reply = self._reply, None
            reply.queue.receivers.clear()
            reply.destroy()


def _right_on(port: Port | None) -> Carried | None:
    """A send right on what the thread or task takes for its own port."""
    if port is None or port.dead:
        return None
    return port.make_send() if port.kernel_object is not None else port.copy_send()


def _answer(message: Message) -> int:
    """The return code of a reply of exactly the right form, or MIG_REPLY_MISMATCH."""
    if (message.ident != _ROUTINE.reply_id or message.size != REPLY_SIZE or message.bits
            or message.reply_kind):
        return MigReturn.REPLY_MISMATCH
    try:
        return decode_error(message.data)
    except BadMessage:
        return MigReturn.REPLY_MISMATCH
