"""Calls on kernel objects: a message to a kernel port becomes a handler's arguments, its
results become the reply (mach-abi.md 5.11).

Rights and regions in a request belong to the handler once it has succeeded; if it raises,
the dispatcher destroys them all, so a handler checks everything before it takes anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from machemu.interfaces.runtime import (
    BadMessage,
    Encoded,
    Routine,
    decode_request,
    encode_reply,
    error_reply,
)
from machemu.kernel.ipc.message import COMPLEX, InlineRights, Message, OutOfLine
from machemu.kernel.ipc.right import MOVE_SEND, Carried, CarriedRight, DeadRight
from machemu.kernel.results import DeviceReturn, KernelError, KernReturn, MigReturn
from machemu.kernel.vm.copy import VmCopy
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.task import Task

MASK: Final = 0xFFFF_FFFF
ANYTHING: Final = "any memory"
TRIES_PER_FRAME: Final = 4
K = TypeVar("K")


@final
class RpcCall:
    """One call.  `target` is the kernel object of the request port; `task` the sender."""

    def __init__(self, kernel: Kernel, task: Task, target: object, message: Message) -> None:
        self.kernel = kernel
        self.task = task
        self.target = target
        self._message = message
        self.pending: PendingReply | None = None

    def target_as(self, kind: type[K], otherwise: int = KernReturn.INVALID_ARGUMENT) -> K:
        """Raises `otherwise`: the request port is not of this kind."""
        if not isinstance(self.target, kind):
            raise KernelError(otherwise)
        return self.target

    def defer(self) -> PendingReply:
        """The reply comes later, or if the handler raises; what it returns is not looked at."""
        self.pending = PendingReply(self.kernel, self._message)
        return self.pending


@final
class PendingReply:
    """A device's reply that is owed.  `reply` or `forget` must be called exactly once."""

    def __init__(self, kernel: Kernel, request: Message) -> None:
        self._kernel = kernel
        self._port, self._kind = request.reply, request.reply_kind
        self._routine = kernel.routines[request.ident].routine
        request.reply, request.reply_kind = None, 0

    def reply(self, code: int, *outs: object) -> None:
        """Send the reply, or D_NO_MEMORY if its data get no frames; it is lost if the reply
        port has died meanwhile."""
        if self._port is not None:
            port, self._port = self._port, None
            send_reply(self._kernel, self._routine, port, self._kind, code, outs, shortage=DeviceReturn.NO_MEMORY)

    @property
    def awaited(self) -> bool:
        """Somebody could still receive it."""
        return self._port is not None and not self._port.dead

    def count(self, sends: Counter[Port], onces: Counter[Port]) -> None:
        """Add the right this holds, for the balance."""
        if self._port is not None:
            (sends if self._kind == MOVE_SEND else onces)[self._port] += 1

    def forget(self) -> None:
        """Give the reply right up: an RPC then fails with MIG_SERVER_DIED."""
        if self._port is not None:
            port, self._port = self._port, None
            Carried(port, self._kind).destroy()


Handler = Callable[..., Any]


@final
class Served:
    """A routine the kernel serves, with its handler."""

    __slots__ = ("handler", "routine")

    def __init__(self, routine: Routine, handler: Handler) -> None:
        self.routine = routine
        self.handler = handler


@final
class WaitingCall:
    """A request that needs memory which is not there: it is executed anew when that has come.

    Its sender goes on meanwhile, and if it wants a reply waits for that.

    Args:
        tries: how often it has waited already; what needs more pages at once than can be in
            memory would never end.
    """

    def __init__(self, kernel: Kernel, message: Message, task: Task, tries: int) -> None:
        self._kernel = kernel
        self._task = task
        self._tries = tries + 1
        self._failed: object = None
        self.message = message
        message.keep()

    def wait(self, absent: MustWait) -> None:
        self._kernel.waiting_calls[self] = None
        absent.wait(self)

    def memory_came(self, failed: object) -> None:
        self._failed = failed if self._tries < TRIES_PER_FRAME * self._kernel.pool.total else ANYTHING
        self._kernel.scheduler.later(self)

    def run(self) -> None:
        del self._kernel.waiting_calls[self]
        if self._task.alive:
            serve(self._kernel, self.message, self._task, failed=self._failed, tries=self._tries)
        else:
            self.message.destroy()

    def interrupt(self) -> None:
        """No thread waits in it."""

    abandon = interrupt


def serve(kernel: Kernel, message: Message, task: Task, *, failed: object = None, tries: int = 0) -> None:
    """Execute a request and queue its reply.  `message` is consumed.

    Args:
        failed: `key` of the memory that it has waited for in vain; ANYTHING: it waits no more.
        tries: how often it has waited.
    """
    target = message.dest.kernel_object
    served = kernel.routines.get(message.ident)
    outs: tuple[object, ...] = ()
    if served is None:
        code: int = MigReturn.BAD_ID
        message.destroy_body()
    else:
        call = RpcCall(kernel, task, target, message)
        try:
            code, outs = _run(served, call, message, failed)
        except MustWait as absent:
            WaitingCall(kernel, message, task, tries).wait(absent)
            return
        if call.pending is not None:
            message.consume_destination()
            return
    reply, kind = message.reply, message.reply_kind
    message.reply, message.reply_kind = None, 0
    message.consume_destination()
    if reply is None:
        discard(outs)
    elif served is None:
        send_message(kernel, error_reply(code), message.ident + 100 & MASK, reply, kind)
    else:
        send_reply(kernel, served.routine, reply, kind, code, outs)


def _run(served: Served, call: RpcCall, message: Message, failed: object) -> tuple[int, tuple[object, ...]]:
    """Raises MustWait, with nothing done."""
    try:
        arguments = decode_request(served.routine, message.data, rights_of(message), regions_of(message))
    except BadMessage:
        message.destroy_body()
        return MigReturn.BAD_ARGUMENTS, ()
    try:
        outs = served.handler(call, *arguments)
    except KernelError as error:
        if isinstance(error, MustWait) and call.pending is None and failed not in (error.key, ANYTHING):
            raise
        message.destroy_body()
        if call.pending is not None:
            call.pending.reply(error.code)
        return error.code, ()
    message.inline.clear()
    message.regions.clear()
    return KernReturn.SUCCESS, outs or ()


def rights_of(message: Message) -> Mapping[int, CarriedRight]:
    return {slot: right for item in message.inline for slot, right in zip(item.slots, item.rights, strict=True)}


def regions_of(message: Message) -> Mapping[int, VmCopy | list[CarriedRight] | None]:
    return {region.slot: region.rights if region.rights is not None else region.memory
            for region in message.regions}


def discard(values: tuple[object, ...]) -> None:
    """Destroy the rights and regions among results nobody gets."""
    for value in values:
        if isinstance(value, Carried):
            value.destroy()
        elif isinstance(value, VmCopy):
            value.discard()
        elif isinstance(value, list):
            discard(tuple(value))


def send_reply(kernel: Kernel, routine: Routine, port: Port, kind: int, code: int,
               outs: tuple[object, ...], shortage: int = KernReturn.RESOURCE_SHORTAGE) -> None:
    """Queue a reply past the port's limit, as the kernel may.

    Args:
        shortage: what to reply instead if there are no frames for out-of-line results.
    """
    if port.dead:
        discard(outs)
        Carried(port, kind).destroy()
        return
    encoded = encode_reply(routine, code, outs)
    try:
        if encoded.regions:
            with kernel.pagers.serving(port):
                _fill_regions(kernel, encoded)
    except KernelError:
        discard(outs)
        encoded = error_reply(shortage)
    send_message(kernel, encoded, routine.reply_id, port, kind)


def _fill_regions(kernel: Kernel, encoded: Encoded) -> None:
    """Put octets that go out of line into memory.  Raises RESOURCE_SHORTAGE, with none left."""
    made: list[VmCopy] = []
    try:
        for slot, value in encoded.regions.items():
            if isinstance(value, bytes | bytearray) and value:
                copy = encoded.regions[slot] = VmCopy.from_bytes(kernel.pool, bytes(value))
                made.append(copy)
    except KernelError:
        discard(tuple(made))
        raise


def send_message(kernel: Kernel, encoded: Encoded, ident: int, port: Port, kind: int) -> None:
    message = kernel_message(kernel, encoded, ident, port, kind)
    if kernel.events.message_sent:
        kernel.report_sent(message)
    port.enqueue(message)


def kernel_message(kernel: Kernel, encoded: Encoded, ident: int, port: Port, kind: int) -> Message:
    """A message from the kernel, with the rights and regions that `encoded` names."""
    message = Message(kernel.zone.next_message_number(), encoded.data,
                      COMPLEX if encoded.complex else 0, ident, 0, port, kind)
    items: dict[int, InlineRights] = {}
    for slot, right in encoded.rights.items():
        assert right is None or isinstance(right, Carried | DeadRight)
        descriptor = encoded.descriptors[slot]
        items.setdefault(descriptor, InlineRights(descriptor, [])).rights.append(right)
    message.inline.extend(items.values())
    for slot, value in encoded.regions.items():
        region = OutOfLine(slot - 8, slot, value if isinstance(value, VmCopy) else None)
        if isinstance(value, list):
            region.rights, region.kind = value, MOVE_SEND
        message.regions.append(region)
    return message
