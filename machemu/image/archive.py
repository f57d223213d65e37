"""The boot archive: a POSIX ustar archive in partition 1.

Written with `tarfile` and fixed owners, modes and times, so that the same files give the
same octets.  Read here record by record, because what is wrong must be said with its place.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Final

RECORD: Final = 512  # octets
MAGIC: Final = b"ustar"
PROGRAMS: Final = "bin/"  # what lies below is executable
REGULAR: Final = (b"0", b"\0")
DIRECTORY: Final = b"5"


class BadArchive(Exception):
    """Octets that are no archive of ours; the text says what is wrong and in which record."""


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """An archive of `files`, in their order."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = 0o755 if path.startswith(PROGRAMS) else 0o644
            member.uname = member.gname = "root"
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def read_archive(data: bytes) -> dict[str, bytes]:
    """The files of an archive, in its order.

    Raises BadArchive.
    """
    files: dict[str, bytes] = {}
    at = 0
    while True:
        header = data[at : at + RECORD]
        where = f"record {at // RECORD}"
        if len(header) < RECORD:
            raise BadArchive(f"{where}: the archive ends without its two zero records")
        if not any(header):
            return files
        path, size, kind = _read_header(header, where)
        start, at = at + RECORD, at + RECORD + -(-size // RECORD) * RECORD
        if start + size > len(data):
            raise BadArchive(f"{where}: {path} has {size} octets, but only {len(data) - start} are left")
        if kind == DIRECTORY:
            continue
        if kind not in REGULAR:
            raise BadArchive(f"{where}: {path} is no regular file but of type {kind!r}")
        if path in files:
            raise BadArchive(f"{where}: a second file {path}")
        files[path] = data[start : start + size]


def _read_header(header: bytes, where: str) -> tuple[str, int, bytes]:
    """Path, size and type of a member."""
    counted = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    stated = _octal(header[148:156])
    if stated != counted:
        found = "is no number" if stated is None else f"is {stated}"
        raise BadArchive(f"{where}: the header's checksum {found}, but its octets give {counted}")
    if header[257:262] != MAGIC:
        raise BadArchive(f"{where}: the header is not POSIX ustar's")
    name, prefix = _text(header[:100]), _text(header[345:500])
    path = f"{prefix}/{name}" if prefix else name
    size = _octal(header[124:136])
    if size is None:
        raise BadArchive(f"{where}: the size of {path} is no octal number")
    return path, size, header[156:157]


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and all(digit in b"01234567" for digit in digits) else None


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
