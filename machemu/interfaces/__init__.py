"""Mach's interfaces, and the servers' own: what their messages look like.

One module per interface, made from `servers/defs/` by `tools/make_interfaces.py`;
`runtime.py` is what they run on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.interfaces.registry import SUBSYSTEMS

if TYPE_CHECKING:
    from machemu.interfaces.runtime import Routine, Subsystem

# An interface with such a name describes messages of another one again, from the other
# side (mach-abi.md 6.8): where ids meet, the other's routine is the one to show.
ECHOES: Final = ("_reply", "_request")


def _by_id() -> dict[int, tuple[Subsystem, Routine, bool]]:
    table: dict[int, tuple[Subsystem, Routine, bool]] = {}
    for subsystem in sorted(SUBSYSTEMS, key=lambda s: s.name.endswith(ECHOES)):
        for routine in subsystem.routines.values():
            table.setdefault(routine.id, (subsystem, routine, False))
        for routine in subsystem.routines.values():
            if not routine.simple:
                table.setdefault(routine.reply_id, (subsystem, routine, True))
    return table


# Message id: interface, routine, is it the reply.
BY_ID: Final = _by_id()

__all__ = ["BY_ID", "ECHOES", "SUBSYSTEMS"]
