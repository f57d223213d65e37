"""Protocol steps: how `trace_point` codes read, and what each step of the paper says.

A code is protocol << 16 | number << 8 | letter.  Texts follow sections 6.1 and 6.2 of the
paper (figures 2 to 5).
"""

from __future__ import annotations

from typing import Final

PROTOCOLS: Final = {1: "res", 2: "enc", 3: "reg", 4: "authl", 5: "authr"}

TEXTS: Final = {
    "res.1": "a task asks its ACS for a name",
    "res.2": "the ACS does not know it and asks its GNS",
    "res.3": "the GNS broadcasts a request with the name and its own node number",
    "res.4": "a GNS that does not know the name asks its own ACS",
    "res.5": "that ACS gives the server's port",
    "res.6": "that GNS stores it and answers with node number and port",
    "res.6a": "the two GNS set up their association",
    "res.7": "the GNS makes a proxy port and gives its ACS a send right",
    "res.8": "the ACS gives the task a send right",
    "res.9": "the task sends a message on the proxy",
    "res.10": "the GNS translates the ports and sends the message over the wire",
    "res.11": "the other GNS translates back and delivers",
    "reg.1": "a server gives the ACS its name and ports",
    "reg.2": "the ACS asks the process server who owns them",
    "reg.3": "the ACS compares the measurement with the policy",
    "reg.4": "the engine makes the server's keys",
    "reg.5": "the ACS challenges the server's door port",
    "reg.6": "the server proves its key",
    "reg.7": "the name becomes visible",
}


def step_name(code: int) -> str | None:
    """For example "res.6a"; None for a code that is no protocol step."""
    protocol = PROTOCOLS.get(code >> 16)
    number, letter = code >> 8 & 0xFF, code & 0xFF
    if protocol is None or code >> 24 or number == 0:
        return None
    if letter == 0:
        return f"{protocol}.{number}"
    if not ord("a") <= letter <= ord("z"):
        return None
    return f"{protocol}.{number}{chr(letter)}"
