"""The MBR: the first sector of a disk, with its table of four partitions."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import combinations
from typing import Final

SECTOR: Final = 512  # octets
FIRST_SECTOR: Final = 2048  # of partition 1: aligned to 1 MiB, as partitioning tools do
TABLE: Final = 446  # offset of the first of four rows
ROW: Final = struct.Struct("<B3sB3sII")  # status, first CHS, type, last CHS, start, sectors
ROWS: Final = 4
DISK_IDENTIFIER: Final = 440  # offset, 4 octets
SIGNATURE: Final = b"\x55\xaa"  # the last two octets
NO_CHS: Final = b"\xfe\xff\xff"  # "beyond what CHS can say": the sector numbers count
TYPE_ARCHIVE: Final = 0xDA  # "non-file-system data"
TYPE_PAGING: Final = 0x82  # "swap"


@dataclass(frozen=True, slots=True)
class Partition:
    """A run of sectors; `number` counts from 1, as in `hd0s1`."""

    number: int
    kind: int  # the partition type
    start: int  # sector
    sectors: int

    @property
    def end(self) -> int:
        """The sector after the last."""
        return self.start + self.sectors


def write_mbr(identifier: int, partitions: tuple[Partition, ...]) -> bytes:
    sector = bytearray(SECTOR)
    struct.pack_into("<I", sector, DISK_IDENTIFIER, identifier)
    for each in partitions:
        ROW.pack_into(sector, TABLE + ROW.size * (each.number - 1), 0, NO_CHS, each.kind, NO_CHS, each.start,
                      each.sectors)
    sector[-2:] = SIGNATURE
    return bytes(sector)


def read_mbr(disk: bytes) -> tuple[tuple[Partition, ...], list[str]]:
    """The partitions of a disk, and what is wrong with its table, one line each."""
    if len(disk) < SECTOR:
        return (), [f"{len(disk)} octets, less than one sector: not a disk image"]
    if disk[SECTOR - 2 : SECTOR] != SIGNATURE:
        found = disk[SECTOR - 2 : SECTOR].hex(" ")
        return (), [f"sector 0: its last octets are {found} instead of {SIGNATURE.hex(' ')}: no partition table"]
    partitions = []
    for number in range(1, ROWS + 1):
        _, _, kind, _, start, sectors = ROW.unpack_from(disk, TABLE + ROW.size * (number - 1))
        if kind:
            partitions.append(Partition(number, kind, start, sectors))
    return tuple(partitions), _problems(tuple(partitions), len(disk) // SECTOR, len(disk) % SECTOR)


def _problems(partitions: tuple[Partition, ...], sectors: int, rest: int) -> list[str]:
    problems = []
    for each in partitions:
        if each.start == 0 or each.sectors == 0:
            problems.append(f"partition {each.number}: starts at sector {each.start} and has {each.sectors} sectors")
        elif each.end > sectors:
            problems.append(f"partition {each.number}: ends at sector {each.end}, but the image has only {sectors}: "
                            "it is truncated")
    if rest:
        problems.append(f"the last sector has {rest} octets instead of {SECTOR}: the image is truncated")
    for one, other in combinations(partitions, 2):
        if one.start < other.end and other.start < one.end:
            problems.append(f"partitions {one.number} and {other.number} overlap, from sector "
                            f"{max(one.start, other.start)} on")
    return problems
