"""What the rest of machemu sees of the hardware.

The kernel imports this module of `hw` and no other; its tests put fakes behind it.
Nothing here names an instruction set: register names, page-table formats and trap
causes stay in `hw/isa/`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

PAGE_SIZE: Final = 4096  # octets
PAGE_SHIFT: Final = 12


class Access(enum.IntFlag):
    """Kinds of access to memory; the values are Mach's VM_PROT_ bits."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXECUTE = 4


@dataclass(frozen=True, slots=True)
class CpuException:
    """A trap that is neither a system call nor a page fault.

    `kind` is one of KINDS; `code` and `subcode` are what Mach's exception message
    carries (mach-abi.md 9.4).  The context's pc is at the instruction; after a single step
    (a breakpoint with code 1), at the next.
    """

    kind: str  # "bad_instruction" | "breakpoint" | "misaligned" | "bad_access"
    code: int
    subcode: int


class Context(Protocol):
    """The saved state of one thread: registers, floating point, address space.

    While it is the cpu's current context, `arguments` here are old: `Cpu.arguments` has
    the present ones.  Everything else is right at any time.
    """

    @property
    def arguments(self) -> memoryview:
        """8 words: the argument registers; [0] is also the result."""

    @property
    def space(self) -> AddressSpace: ...
    @property
    def pc(self) -> int: ...
    @pc.setter
    def pc(self, value: int) -> None: ...
    @property
    def sp(self) -> int: ...
    @sp.setter
    def sp(self, value: int) -> None: ...

    def get_state(self, flavor: int) -> bytes | None:
        """Machine state in a flavor's layout (mach-abi.md 9.2), or None: no such flavor."""

    def set_state(self, flavor: int, state: bytes) -> bool:
        """False: no such flavor, wrong length, read-only, an odd pc, or a debug state that is
        none; nothing changed."""


class TrapHandler(Protocol):
    """The kernel, as the cpu calls it.  All run with the trapped context current.

    A handler either returns (the current context goes on; a fault is retried) or has
    chosen another with `Cpu.switch_to`.  It must not raise: what it raises stops the
    node (`Cpu.run` raises it again).
    """

    def ecall(self) -> None: ...
    def page_fault(self, address: int, access: int) -> None:
        """`access`: the bits of `Access` that were refused."""

    def exception(self, cause: CpuException) -> None: ...


class AddressSpace(Protocol):
    """One task's translations.  Its page tables live in frames of RAM that come from
    the allocator given when it was made.

    `readable` and `writable` mirror what the guest may do, for the kernel's own
    copies: virtual page number -> offset in octets into `Memory.data`.  Device pages
    are in neither.
    """

    readable: dict[int, int]
    writable: dict[int, int]

    def map(self, page: int, frame: int, access: int) -> None:
        """Map virtual page number `page` to RAM frame `frame`, replacing what was there.

        Args:
            access: bits of `Access`; plain numbers, since this is on the way of every fault.
        """

    def map_device(self, page: int, bus_page: int, access: int) -> None:
        """Map a page of device registers (`bus_page`: bus address >> 12), never to be executed."""

    def unmap(self, page: int) -> None:
        """Remove a translation; a page that has none is ignored."""

    def destroy(self) -> None:
        """Give all page-table frames back.  The space must not be current."""


class Memory(Protocol):
    """RAM.  A frame is PAGE_SIZE octets; frame n is at offset n * PAGE_SIZE of `data`."""

    data: memoryview  # octets
    frames: int
    held_code: bytearray  # per frame: 1 if it was ever mapped executable

    def invalidate_code(self, frame: int) -> None:
        """Forget translated code of a frame whose contents change; clears `held_code`."""


class TimerHandle(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """Virtual time of one node, in ns since power-on."""

    @property
    def now_ns(self) -> int: ...

    def units(self) -> int:
        """As `now_ns`, in what the clock counts: the cheap way to measure a turn."""

    def ns_of(self, units: int) -> int: ...

    def charge(self, ns: int) -> None:
        """Let time pass for work that executes no guest code."""

    def call_at(self, time_ns: int, call: Callable[[], None]) -> TimerHandle:
        """Run `call` once, outside the engine, at `time_ns` or as soon after as the
        guest reaches the end of a block.  Calls due at one time run in the order asked."""

    @property
    def next_event_ns(self) -> int | None: ...


class InterruptLine(Protocol):
    """An edge from a device.  The kernel attaches one handler; it runs outside the engine."""

    number: int

    def attach(self, handler: Callable[[], None] | None) -> None: ...


class Cpu(Protocol):
    """The processor.  It runs the contexts that it made itself, and no others."""

    @property
    def arguments(self) -> memoryview:
        """8 words: argument registers of the *running* context."""

    @property
    def current(self) -> Context | None: ...

    def attach(self, handler: TrapHandler) -> None:
        """Make `handler` the kernel that traps go to.  Once, before anything runs."""

    def new_context(self, space: AddressSpace) -> Context:
        """A context with all registers zero."""

    def switch_to(self, context: Context | None) -> None:
        """Save the current context and load another, whose registers and space count
        from here on.  None: nothing can run; `run` returns as soon as it can."""

    @property
    def pc(self) -> int:
        """Program counter of the running context."""

    @property
    def sp(self) -> int:
        """Stack pointer of the running context."""

    def extra_argument(self) -> int:
        """The register that carries a trap's eighth argument where a7 has its number (t0)."""

    def preempt(self) -> None:
        """Make `run` return at the next block boundary; if none is under way, the next one
        at once."""


class CharacterDevice(Protocol):
    """A terminal line."""

    @property
    def interrupt(self) -> InterruptLine:
        """Raised when input arrives."""

    def write(self, data: bytes) -> None: ...
    def read(self, wanted: int) -> bytes:
        """At most `wanted` octets of typed input, none behind the first line end; empty
        if there are none."""


class MappedDevice(Protocol):
    """A device whose register pages are mapped into tasks and which reaches memory
    only through windows (mach-abi.md 11.5, security.md 7.1).

    A `unit` is one register page: "" for the privileged page, "q0", "q1" … for queue
    pairs, "c0" … for contexts.
    """

    def units(self) -> tuple[str, ...]: ...
    def open(self, unit: str, task_number: int) -> bool:
        """False: already open, by another task."""

    def close(self, unit: str) -> None:
        """Stop the unit, forget its rings and windows."""

    def bus_page(self, unit: str) -> int:
        """Bus address >> 12 of the unit's register page."""

    def interrupt(self, unit: str) -> InterruptLine | None: ...

    def open_window(self, unit: str, frames: tuple[int, ...], writable: bool) -> int | None:
        """Let the unit reach `frames` as one contiguous range of bus addresses; its
        first address, or None: no window left."""


class NetworkDevice(MappedDevice, Protocol):
    """An Ethernet adapter, and its end of the cable.  A frame is given without its FCS."""

    on_transmit: Callable[[bytes], None] | None  # told each frame as its last octet leaves

    @property
    def mac(self) -> bytes: ...

    def receive(self, frame: bytes, fcs_ok: bool) -> None:
        """A frame arrives.  Outside the engine, in a clock event."""


class BlockDevice(Protocol):
    """A disk of 512-octet sectors."""

    @property
    def sectors(self) -> int: ...

    def submit(self, operation: str, sector: int, frames: tuple[int, ...], octets: int,
               done: Callable[[bool], None]) -> None:
        """Put a command in the disk's ring: operation "read" | "write" | "flush",
        data in whole frames in order.  `done(ok)` runs outside the engine."""


class Machine(Protocol):
    """All of one node's hardware."""

    @property
    def cpu(self) -> Cpu: ...
    @property
    def cpu_type(self) -> int:
        """Its kind in Mach's numbers, CPU_TYPE_."""

    @property
    def memory(self) -> Memory: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def character_devices(self) -> Mapping[str, CharacterDevice]:
        """By name: "console"."""

    @property
    def block_devices(self) -> Mapping[str, BlockDevice]:
        """By name: "hd0"."""

    @property
    def mapped_devices(self) -> Mapping[str, MappedDevice]:
        """By name: "eth0", "crypto0"."""

    @property
    def network_devices(self) -> Mapping[str, NetworkDevice]:
        """Those of the mapped devices that are on a cable: "eth0"."""

    def new_space(self, allocate: Callable[[], int], free: Callable[[int], None]) -> AddressSpace:
        """An empty address space; `allocate` gives a zeroed frame number."""

    def halt(self, reboot: bool) -> None:
        """The power switch."""
