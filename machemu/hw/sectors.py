"""What a disk holds: an image that is never changed, what was written over it, and what
was written but not flushed, which a crash loses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from machemu.errors import ConfigError

SECTOR: Final = 512  # octets


@final
class Sectors:
    """The sectors of one disk.

    Invariants, asserted by `check`:
      - every sector written is one of the disk's and whole.

    Args:
        image: octets of the disk; what is missing up to `sectors` reads as zeros.
        overlay: what earlier runs wrote and flushed.
        sectors: the disk's size; at least the image's.
    Raises ConfigError: the overlay was written to a larger disk.
    """

    def __init__(self, image: bytes, overlay: Mapping[int, bytes], sectors: int = 0) -> None:
        self._image = image
        self.count: Final = max(sectors, -(-len(image) // SECTOR))
        self.overlay: dict[int, bytes] = dict(overlay)  # flushed: what a crash leaves
        self._cached: dict[int, bytes] = {}  # not flushed
        if not all(0 <= sector < self.count for sector in overlay):
            raise ConfigError(f"the kept sectors belong to a disk of more than {self.count} sectors")

    def read(self, sector: int, count: int) -> bytes:
        start, end = sector * SECTOR, (sector + count) * SECTOR
        octets = self._image[start:end].ljust(end - start, b"\0")
        if not self.overlay and not self._cached:
            return octets
        parts = []
        for index in range(count):
            number = sector + index
            written = self._cached.get(number) or self.overlay.get(number)
            parts.append(written or octets[index * SECTOR:(index + 1) * SECTOR])
        return b"".join(parts)

    def write(self, sector: int, octets: bytes) -> None:
        """`octets`: whole sectors."""
        for index in range(len(octets) // SECTOR):
            self._cached[sector + index] = octets[index * SECTOR:(index + 1) * SECTOR]

    def flush(self) -> None:
        self.overlay.update(self._cached)
        self._cached.clear()

    def check(self) -> None:
        for written in (self.overlay, self._cached):
            for sector, octets in written.items():
                assert 0 <= sector < self.count
                assert len(octets) == SECTOR
