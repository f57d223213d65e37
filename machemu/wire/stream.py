"""Puts the stream of one direction together again, from the STREAM records of its packets.

For whoever watches the wire: the network servers do this themselves.
"""

from __future__ import annotations

from typing import Final, final

from machemu.wire import schema
from machemu.wire.items import Item, decode_item, item_size
from machemu.wire.layout import Malformed
from machemu.wire.schema import Number

WINDOW: Final = Number.WINDOW_OCTETS  # a sender goes no further beyond what is acknowledged


@final
class StreamReassembler:
    """Octets of one direction, in any order, to items in theirs.

    Octets received before are not replaced by later ones.

    Invariants, asserted by `check`:
      - waiting pieces are apart, in order, and lie beyond what has arrived without a gap;
      - they lie within the window.
    """

    def __init__(self) -> None:
        self.received = 0  # octets without a gap
        self.items = 0  # taken out so far
        self._buffer = bytearray()  # of the item that is not complete, up to `received`
        self._waiting: list[tuple[int, bytes]] = []  # pieces beyond a gap, by offset

    def feed(self, offset: int, data: bytes) -> list[Item]:
        """Items that these octets complete.

        Raises Malformed: octets beyond the window, an item that is no item, or one whose
        id is not the last one's plus 1.
        """
        if offset + len(data) > self.received + WINDOW:
            raise Malformed(f"STREAM: octets up to {offset + len(data)}, {self.received} arrived")
        self._insert(offset, data)
        while self._waiting and self._waiting[0][0] == self.received:
            _, piece = self._waiting.pop(0)
            self._buffer += piece
            self.received += len(piece)
        return self._take_items()

    def _insert(self, offset: int, data: bytes) -> None:
        """Add those octets of `data` that have not arrived."""
        at, end = max(offset, self.received), offset + len(data)
        new: list[tuple[int, bytes]] = []
        for start, piece in [*self._waiting, (end, b"")]:
            if at < min(start, end):
                new.append((at, data[at - offset : min(start, end) - offset]))
            at = max(at, start + len(piece))
        self._waiting = sorted(self._waiting + new)

    def _take_items(self) -> list[Item]:
        items = []
        while len(self._buffer) >= schema.ITEM.size:
            size = item_size(bytes(self._buffer[: schema.ITEM.size]))
            if len(self._buffer) < size:
                break
            item = decode_item(bytes(self._buffer[:size]))
            if item.id != self.items + 1:
                raise Malformed(f"ITEM: id {item.id} after {self.items}")
            del self._buffer[:size]
            self.items += 1
            items.append(item)
        return items

    def check(self) -> None:
        end = self.received
        for offset, piece in self._waiting:
            assert offset > end or (offset == end and end != self.received)
            end = offset + len(piece)
        assert end <= self.received + WINDOW
