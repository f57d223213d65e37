"""Stubs made from the .defs files in `host/`, compiled for this host and called from Python.

In the library `mach_msg` calls the server's demux (host/kernel.c), so that a call of a user's
stub runs both stubs and the server's function.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from machemu import mig
from machemu.interfaces import runtime
from machemu.mig.model import Subsystem
from machemu.sdk.toolchain import toolchain
from tests.support.host_c import FLAGS, ROOT

HOST: Final = Path(__file__).parent / "host"
DEFS: Final = ROOT / "servers" / "defs"
LIBMACH: Final = ROOT / "servers" / "lib" / "mach"
INTERFACES: Final = ("every", "special")
KERNEL_INTERFACES: Final = ("mach", "mach_host", "mach_port")  # which libmach's headers include

MESSAGE_MAX: Final = 65536  # octets
RIGHT_DROPPED, RECEIVE_RIGHT_DROPPED, MEMORY_DROPPED, MEMORY_GIVEN = range(1, 5)


class Message(ctypes.Structure):
    """struct message of host/kernel.c."""

    _fields_ = [
        ("size", ctypes.c_uint32), ("option", ctypes.c_uint32), ("room", ctypes.c_uint32),
        ("port", ctypes.c_uint32), ("timeout", ctypes.c_uint32), ("_", ctypes.c_uint32),
        ("octets", ctypes.c_char * MESSAGE_MAX),
    ]

    @property
    def data(self) -> bytes:
        return ctypes.string_at(ctypes.addressof(self) + Message.octets.offset, self.size)

    @data.setter
    def data(self, data: bytes) -> None:
        ctypes.memmove(ctypes.addressof(self) + Message.octets.offset, data, len(data))
        self.size = len(data)


class Event(ctypes.Structure):
    _fields_ = [("what", ctypes.c_uint32), ("port", ctypes.c_uint32), ("address", ctypes.c_uint64),
                ("size", ctypes.c_uint64)]


@dataclass(frozen=True, slots=True)
class Stubs:
    """The library, and what its interfaces mean: to the compiler, and as the tables for Python."""

    library: ctypes.CDLL
    path: Path
    meaning: dict[str, Subsystem]
    table: dict[str, runtime.Subsystem]

    def reset(self, interface: str) -> None:
        """Nothing has happened yet; requests go to this interface."""
        demux = "serve_special" if interface == "special" else f"{interface}_server"
        self.library.host_reset(getattr(self.library, demux))

    def message(self, which: str) -> Message:
        """host_sent, host_came, host_answer or host_reply."""
        return Message.in_dll(self.library, f"host_{which}")

    def variable(self, name: str, ctype: type[Any] = ctypes.c_uint32) -> Any:
        return ctype.in_dll(self.library, name)

    def events(self, what: int) -> list[Event]:
        count = self.variable("host_events").value
        log = (Event * 256).in_dll(self.library, "host_log")
        return [event for event in log[:count] if event.what == what]


def table_of(subsystem: Subsystem) -> runtime.Subsystem:
    """What `machemu.interfaces` would hold for it."""
    module = ModuleType(subsystem.name)
    exec(mig.python_module(subsystem), module.__dict__)
    table = module.__dict__["SUBSYSTEM"]
    assert isinstance(table, runtime.Subsystem)
    return table


def build(folder: Path, home: Path = HOST, interfaces: Sequence[str] = INTERFACES,
          defines: Mapping[str, str] | None = None) -> Stubs:
    """Compile the interfaces in `home` and then their C, with every warning an error."""
    meaning = {name: mig.compile_defs(home / f"{name}.defs", [DEFS], defines) for name in interfaces}
    (folder / "mig").mkdir()
    for name in KERNEL_INTERFACES:
        (folder / "mig" / f"{name}.h").write_text(mig.c_header(mig.compile_defs(DEFS / f"{name}.defs", [DEFS])))
    sources = [HOST / "kernel.c", LIBMACH / "mig_support.c", LIBMACH / "mach_msg_destroy.c"]
    for name, subsystem in meaning.items():
        (folder / f"{name}.h").write_text(mig.c_header(subsystem))
        (folder / f"{name}_server.h").write_text(mig.c_server_header(subsystem))
        for end, emit in (("user", mig.c_user), ("server", mig.c_server)):
            made = folder / f"{name}_{end}_stubs.c"
            made.write_text(emit(subsystem))
            sources.append(made)
    sources += sorted(home.glob("*_server.c"))
    output = folder / "stubs.so"
    includes = [f"-I{path}" for path in (folder, home, ROOT / "servers" / "include")]
    toolchain().run("cc", *FLAGS, *includes, *sources, "-o", output)
    return Stubs(ctypes.CDLL(str(output)), output, meaning, {name: table_of(s) for name, s in meaning.items()})
