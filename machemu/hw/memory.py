"""RAM: one range of host memory, seen by the guest at RAM_BASE."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE

RAM_BASE: Final = 0x8000_0000  # bus address; device registers lie below
RAM_BASE_PAGE: Final = RAM_BASE >> PAGE_SHIFT


@final
class Memory:
    """RAM of `size` octets, a multiple of PAGE_SIZE.

    Args:
        reserved: frames at the top that belong to devices' drivers; `frames` counts the
            others, which are the kernel's to give out.
    """

    def __init__(self, size: int, reserved: int = 0) -> None:
        private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
        # Private, so that a forked run has RAM of its own.  Never closed by hand: the
        # last view to go frees it (unicorn-riscv.md 10).
        self.data: memoryview = memoryview(mmap.mmap(-1, size, **private))
        self.words: memoryview = self.data.cast("Q")
        self.frames = (size >> PAGE_SHIFT) - reserved
        self.all_frames: Final = size >> PAGE_SHIFT
        self.held_code = bytearray(self.all_frames)
        self._forget_code: Callable[[int, int], None] | None = None

    def on_invalidate(self, forget_code: Callable[[int, int], None] | None) -> None:
        """`forget_code(bus address, octets)` drops what was translated from there; None:
        nothing ever is."""
        self._forget_code = forget_code

    def invalidate_code(self, frame: int) -> None:
        self.held_code[frame] = 0
        if self._forget_code is not None:
            self._forget_code(RAM_BASE + (frame << PAGE_SHIFT), PAGE_SIZE)

    def overwrite(self, offset: int, octets: bytes | memoryview) -> None:
        """What a device's DMA does: code stays right even where it was executable."""
        end = offset + len(octets)
        self.data[offset:end] = octets
        for frame in range(offset >> PAGE_SHIFT, (end + PAGE_SIZE - 1) >> PAGE_SHIFT):
            if self.held_code[frame]:
                self.invalidate_code(frame)
                self.held_code[frame] = 1  # it still is mapped executable, as far as we know
