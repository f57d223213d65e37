"""Make the trap stubs of libmach, `servers/lib/mach/traps.S`, from the kernel's table.

    python tools/make_traps.py [--check]

With `--check` nothing is written; exit status 1 tells that the file is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from machemu.kernel.traps import TRAPS

OUTPUT: Final = Path(__file__).parents[1] / "servers" / "lib" / "mach" / "traps.S"

HEAD: Final = """\
/* Made by tools/make_traps.py from machemu/kernel/traps: change those, not this.

   Trap number, negative, in a7; arguments in a0 to a6; the result in a0; all other
   registers are preserved (mach-abi.md 3.1). */

"""
STUB: Final = """\
\t.section .text.{name}, "ax", @progbits
\t.globl {name}
\t.type {name}, @function
{name}:
{eighth}\tli a7, {number}
\tecall
\tret
\t.size {name}, . - {name}

"""
# The C ABI puts an eighth argument where the trap's number goes; those behind it are
# at 0(sp) and up already.
EIGHTH_ARGUMENT: Final = "\tmv t0, a7\n"
MORE_THAN_SEVEN: Final = frozenset({"syscall_vm_map"})


def stubs() -> str:
    """The assembler source of one stub for each trap, in the table's order."""
    return HEAD + "".join(
        STUB.format(
            name=trap.name,
            number=trap.number,
            eighth=EIGHTH_ARGUMENT if trap.name in MORE_THAN_SEVEN else "",
        )
        for trap in TRAPS
    )


def main(arguments: list[str]) -> int:
    made = stubs()
    if "--check" in arguments:
        if OUTPUT.exists() and OUTPUT.read_text() == made:
            return 0
        print(f"{OUTPUT.name} is stale: run python tools/make_traps.py", file=sys.stderr)
        return 1
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
