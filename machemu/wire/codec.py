"""What all codecs share: values whose octets a layout describes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from machemu.wire.layout import Kind, Layout, Malformed
from machemu.wire.schema import Number


class Coded:
    """A frozen dataclass whose fields are the free fields of `LAYOUT`, in its order.

    `PARTS` names the class of each field that is a layout of its own.
    """

    __slots__ = ()
    LAYOUT: ClassVar[Layout]
    PARTS: ClassVar[dict[str, type[Coded]]] = {}

    def check(self) -> None:
        """Raises ValueError: a rule that sizes alone do not say is broken."""

    def encode(self) -> bytes:
        """Raises ValueError: a value that does not fit; the caller's mistake."""
        self.check()
        values: dict[str, Any] = {}
        for field in self.LAYOUT.fields:
            if field.kind not in (Kind.ZERO, Kind.LENGTH):
                value = getattr(self, field.name)
                values[field.name] = value.encode() if field.kind is Kind.PART else value
        return self.LAYOUT.encode(values)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises Malformed."""
        values = cls.LAYOUT.decode(data)
        for name, part in cls.PARTS.items():
            values[name] = part.decode(values[name])
        value = cls(**values)
        value.refuse()
        return value

    def refuse(self) -> None:
        """Raises Malformed where `check` finds fault with octets that came in."""
        try:
            self.check()
        except ValueError as error:
            raise Malformed(f"{self.LAYOUT.name}: {error}") from None


def check_name(name: bytes) -> None:
    if not 1 <= len(name) <= Number.NAME_MAX:
        raise ValueError(f"a name of {len(name)} octets instead of 1 to {Number.NAME_MAX}")


def check_flags(flags: int, known: int) -> None:
    if flags & ~known:
        raise ValueError(f"flags {flags:#x}: bits {flags & ~known:#x} are reserved and not zero")
