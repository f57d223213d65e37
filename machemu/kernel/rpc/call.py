"""Calls on kernel objects: a message to a kernel port becomes a handler's arguments, its
results become the reply (mach-abi.md 5.11).

Rights and regions in a request belong to the handler once it has succeeded; if it raises,
the dispatcher destroys them all, so a handler checks everything before it takes anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, final

from machemu.interfaces.runtime import BadMessage, Encoded, Routine, decode_request, encode_reply
from machemu.kernel.ipc.message import COMPLEX, InlineRight, Message, OutOfLine
from machemu.kernel.ipc.right import MOVE_SEND, Carried, CarriedRight, DeadRight
from machemu.kernel.results import KernelError, KernReturn, MigReturn
from machemu.kernel.vm.copy import VmCopy

if TYPE_CHECKING:
    from machemu.kernel.ipc.port import Port
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.task import Task

K = TypeVar("K")


@final
class RpcCall:
    """One call.  `target` is the kernel object of the request port; `task` the sender."""

    def __init__(self, kernel: Kernel, task: Task, target: object, message: Message) -> None:
        self.kernel = kernel
        self.task = task
        self.target = target
        self._message = message
        self.deferred = False

    def target_as(self, kind: type[K], otherwise: int = KernReturn.INVALID_ARGUMENT) -> K:
        """Raises `otherwise`: the request port is not of this kind."""
        if not isinstance(self.target, kind):
            raise KernelError(otherwise)
        return self.target

    def defer(self) -> PendingReply:
        """The reply comes later; what the handler returns is not looked at."""
        self.deferred = True
        return PendingReply(self.kernel, self._message)


@final
class PendingReply:
    """A reply owed.  `reply` or `forget` must be called exactly once."""

    def __init__(self, kernel: Kernel, request: Message) -> None:
        self._kernel = kernel
        self._port, self._kind = request.reply, request.reply_kind
        self._routine = kernel.routines[request.ident].routine
        request.reply, request.reply_kind = None, 0

    def reply(self, code: int, *outs: object) -> None:
        """Send the reply; it is lost if the reply port has died meanwhile."""
        if self._port is not None:
            port, self._port = self._port, None
            send_reply(self._kernel, self._routine, port, self._kind, code, outs)

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


def serve(kernel: Kernel, message: Message, task: Task) -> None:
    """Execute a request and queue its reply.  `message` is consumed."""
    target = message.dest.kernel_object
    served = kernel.routines.get(message.ident)
    outs: tuple[object, ...] = ()
    if served is None:
        code: int = MigReturn.BAD_ID
        message.destroy_body()
    else:
        call = RpcCall(kernel, task, target, message)
        code, outs = _run(served, call, message)
        if call.deferred:
            _consume(message)
            return
    reply, kind = message.reply, message.reply_kind
    message.reply, message.reply_kind = None, 0
    _consume(message)
    if reply is None:
        discard(outs)
    elif served is None:
        send_reply(kernel, None, reply, kind, code, (), ident=message.ident)
    else:
        send_reply(kernel, served.routine, reply, kind, code, outs)


def _consume(message: Message) -> None:
    """The request's destination right is used up, as if the kernel had received it."""
    if message.dest_kind == MOVE_SEND:
        message.dest.drop_send()
    else:
        message.dest.send_once_rights -= 1


def _run(served: Served, call: RpcCall, message: Message) -> tuple[int, tuple[object, ...]]:
    try:
        arguments = decode_request(served.routine, message.data, rights_of(message), regions_of(message))
    except BadMessage:
        message.destroy_body()
        return MigReturn.BAD_ARGUMENTS, ()
    try:
        outs = served.handler(call, *arguments)
    except KernelError as error:
        message.destroy_body()
        return error.code, ()
    message.inline.clear()
    message.regions.clear()
    return KernReturn.SUCCESS, outs or ()


def rights_of(message: Message) -> Mapping[int, CarriedRight]:
    return {item.slot: item.right for item in message.inline}


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


def send_reply(kernel: Kernel, routine: Routine | None, port: Port, kind: int, code: int,
               outs: tuple[object, ...], ident: int = 0) -> None:
    """Queue a reply past the port's limit, as the kernel may."""
    if port.dead:
        discard(outs)
        Carried(port, kind).destroy()
        return
    encoded = encode_reply(routine, code, outs) if routine else kernel.error_reply(code)
    number = routine.id if routine else ident
    message = kernel_message(kernel, encoded, number + 100, port, kind)
    if kernel.events.message_sent:
        kernel.report_sent(message)
    port.enqueue(message)


def kernel_message(kernel: Kernel, encoded: Encoded, ident: int, port: Port, kind: int) -> Message:
    """A message from the kernel, with rights and regions that `encoded` names."""
    message = Message(kernel.zone.next_message_number(), encoded.data,
                      COMPLEX if encoded.complex else 0, ident, 0, port, kind)
    for slot, right in encoded.rights.items():
        assert right is None or isinstance(right, Carried | DeadRight)
        message.inline.append(InlineRight(encoded.descriptors.get(slot, slot - 8), slot, right))
    for slot, value in encoded.regions.items():
        region = OutOfLine(slot - 8, slot, None)
        if isinstance(value, bytes | bytearray):
            region.memory = VmCopy.from_bytes(kernel.pool, bytes(value)) if value else None
        elif isinstance(value, VmCopy):
            region.memory = value
        elif isinstance(value, list | tuple):
            region.rights, region.kind = list(value), MOVE_SEND
        message.regions.append(region)
    return message


