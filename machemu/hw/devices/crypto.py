"""The crypto engine: contexts, each a register page with rings of its own (security.md 7).

This is its shell: rings, windows, limits, the generator, operations 01 and 02.  Any other
operation is answered with BAD_COMMAND.

Page of context n, unit "cn" (offsets hexadecimal, 4 octets unless said):

| offset | register | |
|---|---|---|
| 000, 004 | id "MCE1", version 1 | read only |
| 008 | context number | read only |
| 00C | status | read only; bit 0 ready, 1 boot locked, 2 slots lost |
| 010:8, 018 | command ring: base, entries | writing the entries empties the ring; 0: off |
| 01C | head | read only: commands taken |
| 020 | tail | doorbell |
| 024 | interrupt enable | bits as below |
| 028 | interrupt status | bit 0 completion, 1 ring error, 2 slots lost; write 1 to clear |
| 030:8, 038 | completion ring: base, entries | as above |
| 03C | producer | read only: completions written |
| 040 | consumer | completions the driver has taken |
| 048:8 | time, ns | read only |
| 050, 054, 058, 05C | boot epoch, policy floor, engine generation, GNS instance | read only |

Command, 64 octets: u16 op, u16 flags, u32 tag, u32 key, u32 key2, u64 src, u32 src_len,
u32 dst_cap, u64 dst, u64 aad, u32 aad_len, u32 arg, u64 aux.  Completion, 32 octets: u32
tag, i32 status, u32 out_len, u32 handle, u64 value, u64 cost in ns.

  01 RANDOM   dst_cap octets to dst.
  02 DIGEST   arg bits 0-7: 1 SHA-256, 2 MD5; src to dst.  A stream of several commands
              has bit 8 in its first and bit 10 in its last, bit 9 in those between; only
              the last writes dst.  One command without these bits is a whole digest.

A context executes its commands in order; the engine works on one at a time, contexts in
turn, and a completion is written when the command's cost has passed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from machemu.hw.api import InterruptLine as Line
from machemu.hw.description import Device, integer_option, refuse_unknown_options
from machemu.hw.dma import DmaError, Windows
from machemu.hw.parts import DeviceKind, Host, Parts
from machemu.hw.registers import RegisterPage
from machemu.hw.ring import Ring, RingError
from machemu.hw.units import InterruptBits, Unit, UnitTable

if TYPE_CHECKING:
    from machemu.hw.clock import Clock
    from machemu.hw.interrupt import InterruptLine
    from machemu.hw.memory import Memory

ID: Final = 0x3145434D
VERSION: Final = 1
CONTEXTS: Final = 128
WINDOWS: Final = 8  # per context
COMMANDS_PER_S: Final = 1000  # of a context without a role
SECOND: Final = 1_000_000_000  # ns

COMMAND: Final = struct.Struct("<HHIIIQIIQQIIQ")
COMPLETION: Final = struct.Struct("<IiIIQQ")

OK, BAD_COMMAND, NO_HANDLE, NOT_PERMITTED, OUTSIDE = 0, -1, -2, -3, -4
QUOTA: Final = -8
READY, BOOT_LOCKED, SLOTS_LOST = 1, 2, 4  # status register
COMPLETED, RING_FAILED = 1, 2  # interrupt bits

RANDOM, DIGEST = 0x01, 0x02
SHA_256, MD5 = 1, 2
ALGORITHM: Final = 0xFF
FIRST, NEXT, LAST = 0x100, 0x200, 0x400
LENGTH_MAX: Final = 1 << 20  # octets, of any input or output

# Cost of a command: ns fixed, and tenths of a ns per octet of src (security.md 7.7).
COSTS: Final = {(RANDOM, 0): (300, 10), (DIGEST, SHA_256): (400, 10), (DIGEST, MD5): (500, 16)}
OTHER_COST: Final = (300, 10)


@final
class Generator:
    """The engine's random numbers: a ChaCha20 stream keyed with SHA-256(seed || epoch), seed
    8 octets and epoch 4, little-endian; or the host's, on sites that are no laboratory."""

    def __init__(self, host: Host) -> None:
        seed = host.seed % 2**64
        key = hashlib.sha256(seed.to_bytes(8, "little") + host.epoch.to_bytes(4, "little")).digest()
        self._stream = Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
        self._entropy = host.entropy

    def take(self, octets: int) -> bytes:
        return self._stream.update(bytes(octets)) if self._entropy is None else self._entropy(octets)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, copied out of its ring once."""

    op: int
    flags: int
    tag: int
    key: int
    key2: int
    src: int
    src_len: int
    dst_cap: int
    dst: int
    aad: int
    aad_len: int
    arg: int
    aux: int

    def cost_ns(self) -> int:
        kind = (self.op, self.arg & ALGORITHM if self.op == DIGEST else 0)
        fixed, tenths = COSTS.get(kind, OTHER_COST)
        octets = self.dst_cap if self.op == RANDOM else self.src_len
        return fixed + min(octets, LENGTH_MAX) * tenths // 10


class Refused(Exception):
    """A command that is answered with an error.  args[0]: the status."""


@final
class EngineContext:
    """One context.

    Args:
        serve: called when there may be commands.
    """

    def __init__(self, number: int, windows: Windows, line: InterruptLine, clock: Clock, epoch: int,
                 serve: Callable[[], None]) -> None:
        self.number: Final = number
        self.windows: Final = windows
        self.commands: Final = Ring(windows, COMMAND.size)
        self.completions: Final = Ring(windows, COMPLETION.size)
        self.interrupts: Final = InterruptBits(line)
        self.commands_per_s = COMMANDS_PER_S  # 0: no limit
        self.generation = 0  # a command under way belongs to the one it came from
        self.digest: hashlib._Hash | None = None  # of a stream not yet at its end
        self._consumed = 0  # completions the driver has taken
        self._clock = clock
        self._serve = serve
        self._second, self._in_second = 0, 0  # commands executed in a second of time
        self.registers: Final = RegisterPage(f"crypto context {number}")
        self._add_registers(epoch)

    def _add_registers(self, epoch: int) -> None:
        page, commands, completions = self.registers, self.commands, self.completions
        for offset, value in ((0x000, ID), (0x004, VERSION), (0x008, self.number), (0x00C, READY),
                              (0x050, epoch), (0x054, 0), (0x058, epoch), (0x05C, 0)):
            page.constant(offset, value)
        page.add_wide(0x010, lambda: commands.base, commands.set_base)
        page.add(0x018, lambda: commands.entries, lambda value: self._set_entries(commands, value))
        page.add(0x01C, lambda: commands.head)
        page.add(0x020, lambda: commands.tail, self._doorbell)
        self.interrupts.add_to(page, 0x024, 0x028)
        page.add_wide(0x030, lambda: completions.base, completions.set_base)
        page.add(0x038, lambda: completions.entries, lambda value: self._set_entries(completions, value))
        page.add(0x03C, lambda: completions.head)
        page.add(0x040, lambda: self._consumed, self._consume)
        page.add_wide(0x048, lambda: self._clock.now_ns)

    def _set_entries(self, ring: Ring, entries: int) -> None:
        self.generation += 1
        try:
            ring.set_entries(entries)
            if ring is self.completions:
                self._consume(0)
        except RingError:
            self.fail()

    def _consume(self, consumed: int) -> None:
        """The driver has taken completions: as many again may be written."""
        if not self.completions.entries:
            return
        try:
            self.completions.set_tail(consumed + self.completions.entries & 0xFFFF_FFFF)
        except RingError:
            self.fail()
        else:
            self._consumed = consumed
            self._serve()

    def _doorbell(self, tail: int) -> None:
        try:
            self.commands.set_tail(tail)
        except RingError:
            self.fail()
        else:
            self._serve()

    def fail(self) -> None:
        self.generation += 1
        self.commands.reset()
        self.completions.reset()
        self.interrupts.set(RING_FAILED)

    def stop(self) -> None:
        self.generation += 1
        self.commands.reset()
        self.completions.reset()
        self.interrupts.reset()
        self.digest = None
        self.commands_per_s = COMMANDS_PER_S
        self._consumed = 0

    def next_command(self) -> Command | None:
        """The next command for whose completion there is room; None: there is none."""
        if not self.commands.waiting or not self.completions.waiting:
            return None
        try:
            command = Command(*COMMAND.unpack(self.commands.first()))
        except RingError:
            self.fail()
            return None
        self.commands.skip()
        return command

    def within_quota(self) -> bool:
        """Count a command; False: it is one too many in this second."""
        second = self._clock.now_ns // SECOND
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return not self.commands_per_s or self._in_second <= self.commands_per_s

    def complete(self, command: Command, status: int, out_len: int) -> None:
        try:
            self.completions.finish(0, COMPLETION.pack(command.tag, status, out_len, 0, 0, command.cost_ns()))
        except RingError:
            self.fail()
        else:
            self.interrupts.set(COMPLETED)


@final
class CryptoEngine:
    """The engine."""

    def __init__(self, base: int, host: Host, clock: Clock, memory: Memory, lines: list[InterruptLine]) -> None:
        self._clock = clock
        self._busy = False
        self._queued = False  # `_serve` is due
        self._turn = 0
        self.generator: Final = Generator(host)
        self.contexts = [EngineContext(number, Windows(memory, WINDOWS), line, clock, host.epoch, self._ring)
                         for number, line in enumerate(lines)]
        self.registers: Final = UnitTable(base, [
            Unit(f"c{context.number}", context.registers, context.windows, lines[context.number], context.stop)
            for context in self.contexts])

    # -- what hw.api.MappedDevice asks ------------------------------------------------

    def units(self) -> tuple[str, ...]:
        return self.registers.names()

    def open(self, unit: str, task_number: int) -> bool:
        return self.registers.open(unit, task_number)

    def close(self, unit: str) -> None:
        self.registers.close(unit)

    def bus_page(self, unit: str) -> int:
        return self.registers.bus_page(unit)

    def interrupt(self, unit: str) -> Line | None:
        return self.registers[unit].line

    def open_window(self, unit: str, frames: tuple[int, ...], writable: bool) -> int | None:
        return self.registers.open_window(unit, frames, writable)

    def limit(self, unit: str, commands_per_s: int) -> None:
        """How much a context may ask for until it is closed; 0: no limit."""
        self.contexts[self.registers.names().index(unit)].commands_per_s = commands_per_s

    # -- work -------------------------------------------------------------------------

    def _ring(self) -> None:
        """A doorbell.  In a register callback: only noted."""
        if not self._busy and not self._queued:
            self._queued = True
            self._clock.call_at(self._clock.now_ns, self._serve)

    def _serve(self) -> None:
        """Begin the next command; the contexts take turns."""
        self._queued = False
        count = len(self.contexts)
        for step in range(count):
            context = self.contexts[(self._turn + step) % count]
            command = context.next_command()
            if command is not None:
                self._turn = (context.number + 1) % count
                self._begin(context, command)
                return

    def _begin(self, context: EngineContext, command: Command) -> None:
        """Inputs are copied before anything is checked, and not looked at again."""
        self._busy = True
        generation = context.generation
        source: bytes | None
        try:
            source = context.windows.read(command.src, command.src_len) if 0 < command.src_len <= LENGTH_MAX else b""
        except DmaError:
            source = None
        self._clock.call_at(self._clock.now_ns + command.cost_ns(),
                            lambda: self._finish(context, generation, command, source))

    def _finish(self, context: EngineContext, generation: int, command: Command, source: bytes | None) -> None:
        self._busy = False
        if context.generation == generation:
            status, written = OK, 0
            try:
                written = self._execute(context, command, source)
            except Refused as refusal:
                status = refusal.args[0]
            except DmaError:
                status = OUTSIDE
            context.complete(command, status, written)
        self._ring()

    def _execute(self, context: EngineContext, command: Command, source: bytes | None) -> int:
        """Do a command; octets written to dst.  Raises Refused, DmaError."""
        if not context.within_quota():
            raise Refused(QUOTA)
        if max(command.src_len, command.dst_cap) > LENGTH_MAX:
            raise Refused(BAD_COMMAND)
        if source is None:
            raise Refused(OUTSIDE)
        if command.op == RANDOM:
            context.windows.check_range(command.dst, command.dst_cap, write=True)
            output = self.generator.take(command.dst_cap)
        elif command.op == DIGEST:
            output = _digest(context, command, source)
        else:
            raise Refused(BAD_COMMAND)
        if output:
            context.windows.write(command.dst, output)
        return len(output)

    def check(self) -> None:
        self.registers.check()
        for context in self.contexts:
            context.commands.check()
            context.completions.check()


def _digest(context: EngineContext, command: Command, source: bytes) -> bytes:
    """Operation 02; nothing unless this command ends a digest.  Raises Refused."""
    stage = command.arg & ~ALGORITHM
    name = {SHA_256: "sha256", MD5: "md5"}.get(command.arg & ALGORITHM)
    if name is None or stage not in (0, FIRST, NEXT, LAST):
        raise Refused(BAD_COMMAND)
    if stage in (0, LAST):
        context.windows.check_range(command.dst, command.dst_cap, write=True)
    if stage in (0, FIRST):
        digest = hashlib.new(name, usedforsecurity=False)
    elif context.digest is None or context.digest.name != name:
        raise Refused(BAD_COMMAND)
    else:
        digest = context.digest
    if stage in (0, LAST) and command.dst_cap < digest.digest_size:
        raise Refused(BAD_COMMAND)
    digest.update(source)
    if stage:
        context.digest = None if stage == LAST else digest
    return digest.digest() if stage in (0, LAST) else b""


def _contexts(device: Device) -> int:
    refuse_unknown_options(device, {"contexts"})
    return integer_option(device, "contexts", CONTEXTS, 1, CONTEXTS)


def build(device: Device, parts: Parts) -> CryptoEngine:
    lines = [parts.line(device.interrupt + number) for number in range(_contexts(device))]
    engine = CryptoEngine(device.address, parts.host, parts.clock, parts.memory, lines)
    parts.roles.mapped[device.name] = engine
    return engine


KIND: Final = DeviceKind(pages=_contexts, build=build)
