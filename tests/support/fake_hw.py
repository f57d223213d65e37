"""Hardware without an engine: what the kernel sees, in plain Python."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access, TrapHandler

FRAMES: Final = 1024
RESULT, ARGUMENTS, STATE_WORDS = 0, 8, 64
READ, WRITE, EXECUTE = int(Access.READ), int(Access.WRITE), int(Access.EXECUTE)


@final
class FakeMemory:
    def __init__(self, frames: int = FRAMES) -> None:
        self.frames = frames
        self.data = memoryview(bytearray(frames * PAGE_SIZE))
        self.held_code = bytearray(frames)
        self.invalidated: list[int] = []

    def invalidate_code(self, frame: int) -> None:
        self.invalidated.append(frame)
        self.held_code[frame] = 0


@final
class FakeSpace:
    """Translations in dicts; one table frame stands for the page tables."""

    def __init__(self, memory: FakeMemory, allocate: Callable[[], int], free: Callable[[int], None]) -> None:
        self._memory = memory
        self._free = free
        self._table = allocate()
        self.readable: dict[int, int] = {}
        self.writable: dict[int, int] = {}
        self.devices: dict[int, int] = {}

    def map(self, page: int, frame: int, access: int) -> None:
        self.unmap(page)
        if access & READ:
            self.readable[page] = frame << PAGE_SHIFT
        if access & WRITE:
            self.writable[page] = frame << PAGE_SHIFT
        if access & EXECUTE:
            self._memory.held_code[frame] = 1

    def map_device(self, page: int, bus_page: int, access: int) -> None:
        self.devices[page] = bus_page

    def unmap(self, page: int) -> None:
        self.readable.pop(page, None)
        self.writable.pop(page, None)
        self.devices.pop(page, None)

    def destroy(self) -> None:
        self.readable.clear()
        self.writable.clear()
        self._free(self._table)


@final
class FakeContext:
    def __init__(self, space: FakeSpace) -> None:
        self.space = space
        self.arguments = memoryview(bytearray(ARGUMENTS * 8)).cast("Q")
        self.pc = self.sp = 0
        self.state: bytes = bytes(STATE_WORDS * 4)

    def get_state(self, flavor: int) -> bytes | None:
        return self.state if flavor == 1 else None

    def set_state(self, flavor: int, state: bytes) -> bool:
        if flavor != 1 or len(state) != len(self.state):
            return False
        self.state = state
        return True


@final
class FakeCpu:
    """Its running registers are a copy of the current context's, as in the real one."""

    def __init__(self) -> None:
        self.arguments = memoryview(bytearray(ARGUMENTS * 8)).cast("Q")
        self.current: FakeContext | None = None
        self.extra = 0
        self.pc = self.sp = 0
        self.preempted = 0

    def attach(self, handler: TrapHandler) -> None:
        """Tests call the kernel themselves."""

    def new_context(self, space: FakeSpace) -> FakeContext:
        return FakeContext(space)

    def switch_to(self, context: FakeContext | None) -> None:
        if self.current is not None:
            self.current.arguments[:] = self.arguments
        self.current = context
        if context is not None:
            self.arguments[:] = context.arguments

    def extra_argument(self) -> int:
        return self.extra

    def preempt(self) -> None:
        self.preempted += 1


@final
class FakeTimer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


@final
class FakeClock:
    kind = "fake"

    def __init__(self) -> None:
        self.now_ns = 0
        self._events: list[tuple[int, int, FakeTimer]] = []
        self._count = 0

    def units(self) -> int:
        return self.now_ns * 2

    def ns_of(self, units: int) -> int:
        return units // 2

    def charge(self, ns: int) -> None:
        """Tests count time in events only."""

    def call_at(self, time_ns: int, call: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(call)
        self._count += 1
        heapq.heappush(self._events, (time_ns, self._count, timer))
        return timer

    @property
    def next_event_ns(self) -> int | None:
        return self._events[0][0] if self._events else None

    def advance(self, ns: int) -> None:
        """Let time pass, and what falls due with it."""
        end = self.now_ns + ns
        while self._events and self._events[0][0] <= end:
            self.now_ns, _, timer = heapq.heappop(self._events)
            if timer.call is not None:
                timer.call()
        self.now_ns = end


@final
class FakeLine:
    def __init__(self, number: int) -> None:
        self.number = number
        self.handler: Callable[[], None] | None = None

    def attach(self, handler: Callable[[], None] | None) -> None:
        self.handler = handler

    def fire(self) -> None:
        if self.handler is not None:
            self.handler()


@final
class FakeConsole:
    def __init__(self) -> None:
        self.interrupt = FakeLine(1)
        self.written = bytearray()
        self.typed = bytearray()

    def write(self, data: bytes) -> None:
        self.written += data

    def read(self, wanted: int) -> bytes:
        taken = bytes(self.typed[:wanted])
        del self.typed[:wanted]
        return taken

    def type(self, data: bytes) -> None:
        self.typed += data
        self.interrupt.fire()


@final
class FakeDisk:
    """Sectors in memory; commands finish when the test lets time pass."""

    def __init__(self, memory: FakeMemory, clock: FakeClock, sectors: int = 4096) -> None:
        self.sectors = sectors
        self.contents = bytearray(sectors * 512)
        self.fail = False
        self._memory = memory
        self._clock = clock

    def submit(self, operation: str, sector: int, frames: tuple[int, ...], octets: int,
               done: Callable[[bool], None]) -> None:
        self._clock.call_at(self._clock.now_ns + 1000, lambda: self._finish(operation, sector, frames, octets, done))

    def _finish(self, operation: str, sector: int, frames: tuple[int, ...], octets: int,
                done: Callable[[bool], None]) -> None:
        if not self.fail:
            for number, frame in enumerate(frames):
                at = sector * 512 + number * PAGE_SIZE
                part = min(PAGE_SIZE, octets - number * PAGE_SIZE)
                place = frame * PAGE_SIZE
                if operation == "read":
                    self._memory.data[place:place + part] = self.contents[at:at + part]
                elif operation == "write":
                    self.contents[at:at + part] = self._memory.data[place:place + part]
        done(not self.fail)


@final
class FakeMapped:
    """A device of register pages; it records what it was told."""

    def __init__(self, *units: str) -> None:
        self._units = units
        self.owners: dict[str, int] = {}
        self.lines = {unit: FakeLine(10 + number) for number, unit in enumerate(units)}
        self.windows: list[tuple[str, tuple[int, ...], bool]] = []

    def units(self) -> tuple[str, ...]:
        return self._units

    def open(self, unit: str, task_number: int) -> bool:
        if unit in self.owners:
            return False
        self.owners[unit] = task_number
        return True

    def close(self, unit: str) -> None:
        self.owners.pop(unit, None)
        self.windows = [window for window in self.windows if window[0] != unit]

    def bus_page(self, unit: str) -> int:
        return 0x10000 + self._units.index(unit)

    def interrupt(self, unit: str) -> FakeLine:
        return self.lines[unit]

    def open_window(self, unit: str, frames: tuple[int, ...], writable: bool) -> int | None:
        if len(self.windows) >= 8:
            return None
        self.windows.append((unit, frames, writable))
        return 0x8000_0000 + frames[0] * PAGE_SIZE


@final
class FakeMachine:
    cpu_type = 99

    def __init__(self, frames: int = FRAMES) -> None:
        self.memory = FakeMemory(frames)
        self.cpu = FakeCpu()
        self.clock = FakeClock()
        self.console = FakeConsole()
        self.disk = FakeDisk(self.memory, self.clock)
        self.nic = FakeMapped("", "q0", "q1")
        self.character_devices = {"console": self.console}
        self.block_devices = {"hd0": self.disk}
        self.mapped_devices = {"eth0": self.nic, "crypto0": FakeMapped("c0", "c1")}
        self.halted: bool | None = None

    def new_space(self, allocate: Callable[[], int], free: Callable[[int], None]) -> FakeSpace:
        return FakeSpace(self.memory, allocate, free)

    def halt(self, reboot: bool) -> None:
        self.halted = reboot
