"""mach_print: text on the kernel's console.  From GNU Mach `kern/syscall_sw.c`."""

from __future__ import annotations

from typing import Final

from machemu.hw.api import PAGE_SIZE
from machemu.kernel.events import Printed
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.traps.call import Trap, TrapCall
from machemu.kernel.vm.pager import MustWait

LENGTH_MAX: Final = 1024  # octets; what is longer is cut


def mach_print(call: TrapCall) -> int:
    """Argument: a NUL-terminated string, at most LENGTH_MAX octets of which are printed.

    Raises INVALID_ADDRESS: the caller cannot read it; nothing is printed.
    """
    text = _string(call, call.arguments[0])
    call.kernel.console_write(text)
    if call.kernel.events.printed:
        call.kernel.events.printed.emit(Printed(call.task.number, text.decode("utf-8", "replace")))
    return KernReturn.SUCCESS


def _string(call: TrapCall, address: int) -> bytes:
    """Octets up to the NUL.  Read by pages, for the one behind may not be there."""
    octets = b""
    while len(octets) < LENGTH_MAX:
        room = min(PAGE_SIZE - (address + len(octets)) % PAGE_SIZE, LENGTH_MAX - len(octets))
        try:
            part = call.task.memory.read(address + len(octets), room)
        except MustWait as absent:
            absent.otherwise = KernReturn.INVALID_ADDRESS
            raise
        except KernelError:
            raise KernelError(KernReturn.INVALID_ADDRESS) from None
        end = part.find(0)
        if end >= 0:
            return octets + part[:end]
        octets += part
    return octets


TRAP = Trap(number=-30, name="mach_print", handler=mach_print)
