"""The emulator behind a node's processor: the one module that talks to Unicorn 2.1.4.

What it may be told and when is in unicorn-riscv.md, whose rules are cited by number.
Its processor state is seen in one of two ways:

  live     a view of the running state itself, found by probing (Linux);
  context  a saved copy, with `pull` before looking at it and `push` after.

Everything above reads and writes `words` and does not know which it is.  `flags`, the
floating-point flags, are in no context: they count at once in either way.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import struct
import warnings
from collections.abc import Callable
from typing import Any, Final, final

from unicorn import UC_ARCH_RISCV, UC_MODE_RISCV64, UC_PROT_ALL, Uc
from unicorn import riscv_const as reg
from unicorn import unicorn_const as const
from unicorn.unicorn_py3.unicorn import uclib

from machemu.hw.api import PAGE_SIZE
from machemu.hw.isa.riscv64 import layout as at

TRANSLATIONS_SIZE: Final = 32 << 20  # octets of host memory for translated code
ENGINE_WORDS: Final = 512  # of the engine's own structure that are searched
STATE_REACH: Final = 65536  # octets behind one of its pointers in which the state must lie
LOWEST_ADDRESS, HIGHEST_ADDRESS = 1 << 16, 1 << 47  # what can be a pointer at all
FLUSH_CODE: Final = const.UC_CTL_IO_WRITE << 30 | const.UC_CTL_TLB_FLUSH
NOP: Final = b"\x13\0\0\0"
PRIV_VER_DEFAULT: Final = 0x11100  # what the engine comes up with
PROBE_COUNTS: Final = (37, 54, 91)
OK: Final = const.UC_ERR_OK
BREAKPOINT: Final = const.UC_ERR_INSN_INVALID  # how an ebreak ends a run (rule 3)

TrapHook = Callable[[int | None, int], None]
ReadHook = Callable[[int | None, int, int, int | None], int]
WriteHook = Callable[[int | None, int, int, int, int | None], None]
TRAP_HOOK: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32)
READ_HOOK: Final = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_void_p)
WRITE_HOOK: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_uint64,
                                     ctypes.c_void_p)

# Three handles of one library: `_slow` lets other threads run during a call, `_fast`
# does not, which is cheaper for what takes far less than a microsecond.
_slow: Final = ctypes.CDLL(uclib._name)
_fast: Final = ctypes.PyDLL(uclib._name)
_slow.uc_emu_start.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_size_t]


class EngineError(Exception):
    """The emulator failed: a bug of ours, or an engine other than the one we know."""


@final
class FlagsRegister:
    """The flags octet where there is no live view: item 0, by way of the fflags register."""

    def __init__(self, uc: Any) -> None:
        self._uc = uc

    def __getitem__(self, index: int) -> int:
        return at.from_fflags(self._uc.reg_read(reg.UC_RISCV_REG_FFLAGS))

    def __setitem__(self, index: int, value: int) -> None:
        self._uc.reg_write(reg.UC_RISCV_REG_FFLAGS, at.to_fflags(value))

    def release(self) -> None:
        """As a memoryview's: the engine is not kept alive any longer."""
        self._uc = None


@final
class Engine:
    """One Unicorn instance in mode 1.9.1 with Sv39 on, in user mode, with `ram` at `base`.

    Args:
        ram: kept alive as long as the engine (rule 11).
        live: False asks for the context way.
    """

    def __init__(self, ram: memoryview, base: int, *, live: bool = True) -> None:
        self._ram = ram
        self._keep: list[Any] = []  # rule 11: a hook that is collected is a crash
        self._uc: Any = Uc(UC_ARCH_RISCV, UC_MODE_RISCV64)
        self._uc.ctl_set_tcg_buffer_size(TRANSLATIONS_SIZE)
        self._uc.mem_map_ptr(base, len(ram), UC_PROT_ALL, address_of(ram))
        self._uc.ctl_exits_enabled(True)  # rule 4: and the list of exits stays empty
        self.handle: Final = ctypes.c_void_p(self._uc._uch.value)
        self._flush_code: Final = ctypes.c_int(FLUSH_CODE)
        self._context: Any = None
        self.stopped = False  # the run was ended in the trap hook
        found = find_state(self._uc) if live else None
        if live and found is None:
            _warn_of_contexts()
        self.live: Final = found is not None
        self.words: memoryview
        self.flags: memoryview | FlagsRegister
        self.words, self.flags = self._context_views() if found is None else self._live_views(found)
        self._enter_user_mode()

    # -- the processor's state ----------------------------------------------------

    def _live_views(self, address: int) -> tuple[memoryview, memoryview]:
        octets = memoryview((ctypes.c_uint8 * (at.FLAGS_OCTET + 1)).from_address(address)).cast("B")
        return octets[:at.STATE_WORDS * 8].cast("Q"), octets[at.FLAGS_OCTET:]

    def _context_views(self) -> tuple[memoryview, FlagsRegister]:
        self._write_context()
        octets = memoryview((ctypes.c_uint8 * self._context.size).from_address(self._context._context.value))
        words = octets.cast("B").cast("Q")
        # The header's length is found, not assumed.
        base = words.tolist().index(at.PRIV_VER_1_9_1) - at.PRIV_VER
        return words[base:base + at.STATE_WORDS], FlagsRegister(self._uc)

    def _write_context(self) -> None:
        """Make the context, with the mode already in it."""
        self._context = self._uc.context_save()
        words = memoryview((ctypes.c_uint64 * (self._context.size // 8)).from_address(self._context._context.value))
        words = words.cast("B").cast("Q")
        default = words.tolist().index(PRIV_VER_DEFAULT)
        words[default] = at.PRIV_VER_1_9_1
        self._uc.context_restore(self._context)

    def _enter_user_mode(self) -> None:
        if self.live:
            self.words[at.PRIV_VER] = at.PRIV_VER_1_9_1
            self.words[at.MSTATUS] = self.words[at.MSTATUS] & ~at.MSTATUS_VM | at.MSTATUS_SET
            self.words[at.PRIV] = at.USER
        else:
            self._uc.reg_write(reg.UC_RISCV_REG_PRIV, at.MACHINE)
            self._uc.reg_write(reg.UC_RISCV_REG_MSTATUS, at.MSTATUS_SET)
            self._uc.reg_write(reg.UC_RISCV_REG_PRIV, at.USER)
            self.pull()
        self.check()

    def pull(self) -> None:
        """Bring `words` up to date.  Nothing to do where they are live."""
        if not self.live:
            _fast.uc_context_save(self.handle, self._context._context)

    def push(self) -> None:
        """Make what was written to `words` count.  Nothing to do where they are live."""
        if not self.live:
            _fast.uc_context_restore(self.handle, self._context._context)

    def check(self) -> None:
        """Assert the mode, on which user programs' isolation rests."""
        words = self.words
        assert words[at.PRIV_VER] == at.PRIV_VER_1_9_1
        assert words[at.MSTATUS] & at.MSTATUS_VM == at.MSTATUS_SET & at.MSTATUS_VM
        assert words[at.MSTATUS] & at.MSTATUS_FS == at.MSTATUS_FS
        assert words[at.PRIV] == at.USER

    # -- running ------------------------------------------------------------------

    def start(self, count: int = 0) -> int:
        """Run from `pc` on; the engine's error code.  `count`: instructions, 0: no limit."""
        self.stopped = False
        return int(_slow.uc_emu_start(self.handle, self.words[at.PC], 0, 0, count))

    def stop(self) -> None:
        """End the run.  Only in the trap hook: rule 9, and unicorn-riscv.md 8."""
        self.stopped = True
        _fast.uc_emu_stop(self.handle)

    def flush_translations(self) -> None:
        """Empty the TLB: rule 1."""
        _fast.uc_ctl(self.handle, self._flush_code)

    @property
    def flusher(self) -> Callable[[], None]:
        """`flush_translations` with the look-ups done beforehand."""
        control, handle, code = _fast.uc_ctl, self.handle, self._flush_code

        def flush() -> None:
            control(handle, code)

        return flush

    def forget_code(self, address: int, octets: int) -> None:
        """Drop code translated from physical addresses: rule 7."""
        if self.live:
            self.words[at.PRIV] = at.MACHINE
        else:
            self._uc.reg_write(reg.UC_RISCV_REG_PRIV, at.MACHINE)
        try:
            self._uc.ctl_remove_cache(address, address + octets)
        finally:
            if self.live:
                self.words[at.PRIV] = at.USER
            else:
                self._uc.reg_write(reg.UC_RISCV_REG_PRIV, at.USER)

    def forget_all_code(self) -> None:
        """Drop all translated code, and the TLB with it: after a snapshot is put back."""
        self._uc.ctl_flush_tb()
        self.flush_translations()

    # -- hooks: each kind once, before the first instruction, for good (rule 5) ---

    def hook_traps(self, hook: TrapHook) -> None:
        self._add_hook(const.UC_HOOK_INTR, TRAP_HOOK(hook), None)

    def hook_blocks(self, function: Any, user: Any) -> None:
        """`function` is native; `user` the structure it is given."""
        self._add_hook(const.UC_HOOK_BLOCK, ctypes.cast(function, ctypes.c_void_p), user)

    def _add_hook(self, kind: int, function: Any, user: Any) -> None:
        self._keep.append((function, user))
        number = ctypes.c_size_t()
        argument = ctypes.byref(user) if user is not None else ctypes.c_void_p(0)
        self._expect(_slow.uc_hook_add(self.handle, ctypes.byref(number), kind, function, argument,
                                       ctypes.c_uint64(1), ctypes.c_uint64(0)), "a hook")

    def map_device(self, address: int, octets: int, read: ReadHook, write: WriteHook) -> None:
        """Call `read(engine, offset, width, _)` and `write(engine, offset, width, value, _)`
        for accesses to a range of bus addresses.  They must not raise."""
        functions = READ_HOOK(read), WRITE_HOOK(write)
        self._keep.append(functions)
        self._expect(_slow.uc_mmio_map(self.handle, ctypes.c_uint64(address), ctypes.c_uint64(octets), functions[0],
                                       ctypes.c_void_p(0), functions[1], ctypes.c_void_p(0)), "device pages")

    @staticmethod
    def _expect(status: int, what: str) -> None:
        if status != OK:
            raise EngineError(f"the engine refuses {what}: error {status}")

    @property
    def stop_function(self) -> int:
        """Address of the native function that ends a run, for the native helper."""
        return ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value or 0

    def counter(self) -> memoryview:
        """Two words, live in a run with a count: instructions begun, and the count."""
        address = (self.handle.value or 0) + 8 * find_counter()
        return memoryview((ctypes.c_uint64 * 2).from_address(address)).cast("B").cast("Q")

    def close(self) -> None:
        """Free the emulator.  Not from a hook.

        Whoever made views of `words` must have released them; `words` itself raises
        ValueError from now on, where it would otherwise show memory that has been freed.
        """
        self.words.release()
        self.flags.release()
        self._context = None
        self._uc = None
        self._keep.clear()


@functools.cache
def _warn_of_contexts() -> None:
    """Once, however many nodes there are."""
    warnings.warn("the processor's state cannot be found in the emulator: saved copies are used instead, "
                  "which is slower", RuntimeWarning, stacklevel=2)


def address_of(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def find_counter() -> int:
    """Index of the instruction counter among the words of an engine's structure; the word
    behind it is the count asked for.

    Raises EngineError: an engine whose structure we do not know.
    """
    ram = mmap.mmap(-1, PAGE_SIZE)
    ram[:] = NOP * (PAGE_SIZE // len(NOP))
    code = ctypes.c_char.from_buffer(ram)
    uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV64)
    uc.mem_map_ptr(0, PAGE_SIZE, UC_PROT_ALL, ctypes.addressof(code))
    hits = set(range(ENGINE_WORDS - 1))
    for count in PROBE_COUNTS:
        uc.emu_start(0, PAGE_SIZE, count=count)
        words = list((ctypes.c_uint64 * ENGINE_WORDS).from_address(uc._uch.value))
        hits = {index for index in hits if words[index:index + 2] == [count + 1, count]}
    if len(hits) != 1:
        raise EngineError("this engine's instruction counter cannot be found; install ziglang for the native clock")
    return hits.pop()


def find_state(uc: Any) -> int | None:
    """The address of the running processor state, or None: not found.

    The library hands out no pointer to it, but one word of the engine's structure points
    to the object that contains it.  Plant values in the registers and look for them
    behind every word that can be a pointer; reading by /proc/self/mem cannot fault.
    """
    try:
        memory = os.open("/proc/self/mem", os.O_RDONLY)
    except OSError:
        return None
    try:
        # What we looked for and what we have read lie in memory as well, and can be found.
        found = {address for address in _search(uc, memory) if _is_state(uc, memory, address)}
    finally:
        os.close(memory)
    return found.pop() if len(found) == 1 else None


def _search(uc: Any, memory: int) -> set[int]:
    """Addresses at which the registers, or a copy of them, seem to be."""
    tag = int.from_bytes(os.urandom(6), "little") << 8  # only a mark: it never reaches a guest
    for n in range(1, 32):
        uc.reg_write(reg.UC_RISCV_REG_X0 + n, tag + n)
    pattern = struct.pack("<31Q", *(tag + n for n in range(1, 32)))
    found = set()
    for pointer in set((ctypes.c_uint64 * ENGINE_WORDS).from_address(uc._uch.value)):
        if LOWEST_ADDRESS < pointer < HIGHEST_ADDRESS:
            try:
                octets = os.pread(memory, STATE_REACH, pointer)
            except OSError:
                continue
            index = octets.find(pattern, 8)  # x1 to x31; x0 is before them
            while index >= 0:
                found.add(pointer + index - 8)
                index = octets.find(pattern, index + 1)
    for n in range(1, 32):
        uc.reg_write(reg.UC_RISCV_REG_X0 + n, 0)
    return found


def _is_state(uc: Any, memory: int, address: int) -> bool:
    """Whether the words and the flags octet at `address` follow the registers, and are where
    the layout says."""
    def octets() -> bytes:
        try:
            return os.pread(memory, at.FLAGS_OCTET + 1, address)
        except OSError:  # a copy that has gone
            return b""

    uc.reg_write(reg.UC_RISCV_REG_PC, 0x1230)
    uc.reg_write(reg.UC_RISCV_REG_PRIV, at.MACHINE)
    uc.reg_write(reg.UC_RISCV_REG_MSTATUS, at.MSTATUS_FS)
    uc.reg_write(reg.UC_RISCV_REG_FFLAGS, 0)
    before = octets()
    uc.reg_write(reg.UC_RISCV_REG_FFLAGS, 0x15)
    after = octets()
    uc.reg_write(reg.UC_RISCV_REG_FFLAGS, 0)
    uc.reg_write(reg.UC_RISCV_REG_PC, 0)
    if min(len(before), len(after)) <= at.FLAGS_OCTET:
        return False
    words = struct.unpack_from(f"<{at.STATE_WORDS}Q", after)
    return (words[at.PC] == 0x1230 and words[at.PRIV] == at.MACHINE and bool(words[at.MSTATUS] & at.MSTATUS_FS)
            and words[at.PRIV_VER] == PRIV_VER_DEFAULT
            and before[at.FLAGS_OCTET] == 0 and after[at.FLAGS_OCTET] == at.from_fflags(0x15))
