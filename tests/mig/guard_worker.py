"""Runs a demux on requests that end where memory ends: reading past one kills this process.

    python guard_worker.py LIBRARY DEMUX

reads from stdin, for each request: its octets' number, the octets that a reply may have, the
request; writes ANSWER: what the demux said, the code in the reply, calls of functions, octets
of the reply and its bits.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
import sys
from typing import Final

QUESTION: Final = struct.Struct("<II")
ANSWER: Final = struct.Struct("<iiIII")
PAGES: Final = 4  # of a buffer
PROT_NONE: Final = 0
OLD_OCTET: Final = 0xA5


class Buffer:
    """Memory with an inaccessible page behind it."""

    def __init__(self, libc: ctypes.CDLL) -> None:
        self._memory = mmap.mmap(-1, (PAGES + 1) * mmap.PAGESIZE)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.end = first + PAGES * mmap.PAGESIZE
        if libc.mprotect(ctypes.c_void_p(self.end), mmap.PAGESIZE, PROT_NONE) != 0:
            raise OSError("mprotect")

    def start(self, size: int) -> int:
        """Where `size` octets begin that end as near the end as alignment lets them."""
        return self.end - (size + 7 & ~7)


def main(library: str, demux: str) -> None:
    stubs = ctypes.CDLL(library)
    libc = ctypes.CDLL(None)
    serve = getattr(stubs, demux)
    serve.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    requests, replies = Buffer(libc), Buffer(libc)
    calls = ctypes.c_ulong.in_dll(stubs, "calls")
    ctypes.c_int.in_dll(stubs, "quiet").value = 1
    while question := sys.stdin.buffer.read(QUESTION.size):
        size, room = QUESTION.unpack(question)
        request, reply = requests.start(size), replies.start(room)
        ctypes.memmove(request, sys.stdin.buffer.read(size), size)
        ctypes.memset(reply, OLD_OCTET, room)
        stubs.host_reset(serve)
        calls.value = 0
        known = serve(request, reply)
        bits, octets = struct.unpack("<II", ctypes.string_at(reply, 8))
        code, = struct.unpack("<i", ctypes.string_at(reply + 40, 4))
        sys.stdout.buffer.write(ANSWER.pack(known, code, calls.value, octets, bits))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
