"""MIG: the compiler of Mach's interface language.

`compile_defs` reads a .defs file; the emitters turn what it means into C headers and stubs
and into the Python tables of `machemu.interfaces`.
"""

from machemu.mig.c_header import c_header, c_server_header
from machemu.mig.c_server import c_server
from machemu.mig.c_user import c_user
from machemu.mig.compile import compile_defs
from machemu.mig.errors import MigError
from machemu.mig.model import Subsystem
from machemu.mig.python import python_module

__all__ = [
    "MigError", "Subsystem", "c_header", "c_server", "c_server_header", "c_user", "compile_defs", "python_module",
]
