"""The headers of an interface: for its callers, and for the server that implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.mig.c_text import first_line, guarded, includes, prototype
from machemu.mig.c_types import parameters

if TYPE_CHECKING:
    from machemu.mig.model import Routine, Subsystem

HEADERS: Final = ("mach/message.h", "mach/std_types.h")


def c_header(subsystem: Subsystem) -> str:
    """`X.h`: the user's stubs."""
    body = includes(subsystem, "user", *HEADERS)
    for routine in subsystem.routines:
        body += f"\n/* {routine.ident} */\n"
        for name in user_names(routine, subsystem):
            body += f"extern {prototype(name, parameters(routine, 'user'))};\n"
    return first_line(subsystem) + guarded(subsystem.name, body)


def c_server_header(subsystem: Subsystem) -> str:
    """`X_server.h`: the demux, and the functions that a server writes."""
    demux = subsystem.server_demux
    body = includes(subsystem, "server", *HEADERS, "mach/mig_errors.h")
    body += (
        "\n/* Answers `request` in `reply`; FALSE: it is none of this interface. */\n"
        f"extern boolean_t {demux}(mach_msg_header_t *request, mach_msg_header_t *reply);\n"
        "\n/* The routine that would answer it; NULL: none of this interface. */\n"
        f"extern mig_routine_t {demux}_routine(const mach_msg_header_t *request);\n"
        "\n/* The server's own functions; one that is not written answers MIG_BAD_ID. */\n")
    for routine in subsystem.routines:
        body += f"\n/* {routine.ident} */\nextern {prototype(routine.server_name, parameters(routine, 'server'))};\n"
    return first_line(subsystem) + guarded(f"{subsystem.name}_server", body)


def user_names(routine: Routine, subsystem: Subsystem) -> list[str]:
    """What callers may call; the last is the stub that sends the message."""
    if routine.name in subsystem.shortcuts:
        return [routine.user_name, f"{routine.user_name}_rpc"]
    return [routine.user_name]
