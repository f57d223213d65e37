"""The settings of a site that every node of it shares (security.md 3).

They are the security configuration that a node's platform measurement covers, so a node
with other settings is another platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SUITES: Final = ("none", "paper", "modern")  # by the number that frames carry
SWITCHES: Final = ("paper_ids", "broadcast_answers", "announce_origin", "lab")  # as a manifest lists them
ASSOCIATIONS_DEFAULT: Final = 64  # security.md 4.9
ASSOCIATIONS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """One site.

    Raises ValueError: settings that do not go together; the text names the setting.
    """

    suite: str
    paper_ids: bool = False  # identifiers as in the paper: a local name, no epoch
    broadcast_answers: bool = False  # optimisation 1: step 6 goes to all nodes
    announce_origin: bool = False  # optimisation 2: step 3 carries the asking server
    lab: bool = False  # a laboratory: seeded random numbers, key logs
    associations: int = ASSOCIATIONS_DEFAULT  # peers a node speaks with at once

    def __post_init__(self) -> None:
        if self.suite not in SUITES:
            raise ValueError(f'suite: "{self.suite}" is none of {", ".join(SUITES)}')
        if self.suite == "modern":
            for name in ("paper_ids", "broadcast_answers", "announce_origin"):
                if getattr(self, name):
                    raise ValueError(f'{name}: not possible in suite "modern"')
        if not 1 <= self.associations <= ASSOCIATIONS_MAX:
            raise ValueError(f"associations: {self.associations} is not from 1 to {ASSOCIATIONS_MAX}")

    @property
    def suite_number(self) -> int:
        return SUITES.index(self.suite)
