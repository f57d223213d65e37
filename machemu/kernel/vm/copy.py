"""Copies of memory on their way in messages: out-of-line data (mach-abi.md 1.5, 8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE
from machemu.kernel.vm.object import VmObject

if TYPE_CHECKING:
    from machemu.kernel.vm.page import PagePool

OFFSET_IN_PAGE: Final = PAGE_SIZE - 1


@dataclass(slots=True)
class Piece:
    """Whole pages of one object, of which the copy holds a reference.

    None: pages of zeros.  `sole`: nobody else has the object.
    """

    memory: VmObject | None
    first: int  # page index in the object
    pages: int
    sole: bool


@final
class VmCopy:
    """`size` octets, beginning `offset` octets into the first page of the first piece.

    The octets around the datum on its first and last page are zeros.  Whoever holds a
    VmCopy must map it (`VmMap.copyout`) or `discard` it.
    """

    __slots__ = ("offset", "pieces", "size")

    def __init__(self, offset: int, size: int, pieces: list[Piece]) -> None:
        self.offset = offset
        self.size = size
        self.pieces = pieces

    @classmethod
    def from_bytes(cls, pool: PagePool, data: bytes, offset: int = 0) -> VmCopy:
        """Memory with these octets.  Raises RESOURCE_SHORTAGE."""
        memory = fill(pool, offset, data)
        pages = (offset + len(data) + OFFSET_IN_PAGE) >> PAGE_SHIFT
        return cls(offset, len(data), [Piece(memory, 0, pages, sole=True)])

    @property
    def pages(self) -> int:
        return sum(piece.pages for piece in self.pieces)

    def read(self) -> bytes:
        """All octets.  Raises PageAbsent, MEMORY_ERROR: a pager has some."""
        return self._read(self.size, resident=False)

    def peek(self, most: int) -> bytes:
        """The first octets, at most `most`, for observers: zeros where a pager has them."""
        return self._read(most, resident=True)

    def _read(self, most: int, *, resident: bool) -> bytes:
        wanted = min(self.size, most)
        left = self.offset + wanted
        parts = []
        for piece in self.pieces:
            if left <= 0:
                break
            part = min(left, piece.pages << PAGE_SHIFT)
            parts.append(piece.memory.read(piece.first << PAGE_SHIFT, part, resident=resident)
                         if piece.memory else bytes(part))
            left -= part
        return b"".join(parts)[self.offset:]

    def discard(self) -> None:
        """Give the memory up."""
        pieces, self.pieces = self.pieces, []
        for piece in pieces:
            if piece.memory is not None:
                piece.memory.release()


def fill(pool: PagePool, offset: int, data: bytes) -> VmObject:
    """An object with `data` at `offset`.  Raises RESOURCE_SHORTAGE, with nothing lost."""
    memory = VmObject(pool)
    ram = pool.memory.data
    try:
        at, index = 0, 0
        while at < len(data):
            part = data[at:at + PAGE_SIZE - offset]
            frame = pool.allocate_raw() if len(part) == PAGE_SIZE else pool.allocate()
            memory.pages[index] = frame
            place = frame * PAGE_SIZE + offset
            ram[place:place + len(part)] = part
            at += len(part)
            index, offset = index + 1, 0
    except Exception:
        memory.release()
        raise
    return memory
