"""Messages that cannot be written yet: the receiver's buffer is with a pager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machemu.kernel.results import KernelError, MsgReturn
from machemu.kernel.vm.pager import MustWait

if TYPE_CHECKING:
    from machemu.kernel.vm.map import VmMap


def finish_later(absent: MustWait, memory: VmMap, writes: list[tuple[int, bytes]], code: int,
                 otherwise: int = MsgReturn.RCV_INVALID_DATA) -> MustWait:
    """`absent`, with what is left of a trap whose message cannot be written yet.

    Args:
        writes: octets and where they go.
        code: the trap's result; `otherwise`, if the memory never comes.
    """
    def rest() -> int:
        try:
            for address, octets in writes:
                memory.write(address, octets)
        except MustWait as again:
            raise finish_later(again, memory, writes, code, otherwise) from None
        except KernelError:
            return otherwise
        return code

    absent.rest, absent.otherwise = rest, otherwise
    return absent
