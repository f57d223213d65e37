"""MIG: the compiler of Mach's interface language.

`compile_defs` reads a .defs file; the emitters turn what it means into C stubs and into
the Python tables of `machemu.interfaces`.
"""

from machemu.mig.compile import compile_defs
from machemu.mig.errors import MigError
from machemu.mig.model import Subsystem
from machemu.mig.python import python_module

__all__ = ["MigError", "Subsystem", "compile_defs", "python_module"]
