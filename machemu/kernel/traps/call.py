"""What a trap handler works with: the caller, its arguments, where results go."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from machemu.kernel.ipc.right import SEND
from machemu.kernel.results import KernelError, KernReturn, MsgReturn
from machemu.kernel.task.task import Task
from machemu.kernel.task.thread import Thread
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel

BLOCKED: Final = None  # a handler's result: the thread has its result, or waits for it
K = TypeVar("K")


@final
class TrapCall:
    """One trap.  There is one per kernel, reused: a trap runs to its end before the next.

    `arguments` are a0 to a7 as 64-bit words; the trap's number was in the last.
    """

    __slots__ = ("arguments", "kernel", "task", "thread")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.thread: Thread
        self.task: Task
        self.arguments: list[int] = []

    def word(self, index: int) -> int:
        """Argument `index` as an unsigned 32-bit value (what the C ABI sign-extends)."""
        return self.arguments[index] & 0xFFFF_FFFF

    def signed(self, index: int) -> int:
        value = self.arguments[index] & 0xFFFF_FFFF
        return value - (1 << 32) if value >> 31 else value

    def one_of(self, index: int, allowed: Container[int]) -> int:
        """Raises INVALID_VALUE: the argument is none of `allowed`."""
        value = self.word(index)
        if value not in allowed:
            raise KernelError(KernReturn.INVALID_VALUE)
        return value

    def kernel_object(self, index: int, kind: type[K]) -> K:
        """The task or thread that argument `index` names.

        Raises MACH_SEND_INTERRUPTED: it names none on this node.  libmach's stub then
        sends the RPC, which may reach another node or tell what is wrong.
        """
        found = self.object_or_none(self.word(index))
        if not isinstance(found, kind):
            raise KernelError(MsgReturn.SEND_INTERRUPTED)
        return found

    def object_or_none(self, name: int) -> object | None:
        entry = self.task.space.find(name)
        if entry is None or entry.port is None or not entry.kind & SEND:
            return None
        return entry.port.kernel_object

    def live_task(self, index: int) -> Task:
        return self.kernel_object(index, Task)

    def out_word(self, index: int) -> OutValue:
        """Where a 4-octet result goes.  Raises INVALID_ADDRESS: not writable by the caller."""
        return OutValue(self, self.arguments[index], 4)

    def inout_address(self, index: int) -> OutValue:
        """An 8-octet value read and written.  Raises INVALID_ADDRESS."""
        return OutValue(self, self.arguments[index], 8)


@final
class OutValue:
    """A place in the caller's memory, checked before anything is done for its sake."""

    __slots__ = ("_address", "_memory", "_octets", "value")

    def __init__(self, call: TrapCall, address: int, octets: int) -> None:
        self._memory = call.task.memory
        self._address = address
        self._octets = octets
        try:
            old = self._memory.read(address, octets)
            self._memory.write(address, old)
        except MustWait:  # libmach's stub sends the RPC, and its results wait for the page
            raise KernelError(MsgReturn.SEND_INTERRUPTED) from None
        except KernelError:
            raise KernelError(KernReturn.INVALID_ADDRESS) from None
        self.value = int.from_bytes(old, "little")

    def write(self, value: int) -> None:
        self._memory.write(self._address, value.to_bytes(self._octets, "little"))


Handler = Callable[[TrapCall], Any]


@dataclass(frozen=True, slots=True)
class Trap:
    """One row of the trap table.  `handler` returns the result, or BLOCKED."""

    number: int  # negative, as in libmach
    name: str
    handler: Handler
