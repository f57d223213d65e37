"""One item of a message: the C that packs it and the C that unpacks it.

Both sides use both: the request is packed by the user's stub and unpacked by the server's,
the reply the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from machemu.mig.c_text import call
from machemu.mig.c_types import (
    NUMBER,
    POLY,
    Shape,
    cast,
    descriptor,
    element_octets,
    element_type,
    most_elements,
    octets_of,
    pointer_type,
    shape,
    symbol,
    wire_number,
    wire_type,
)
from machemu.mig.model import POLYMORPHIC

if TYPE_CHECKING:
    from machemu.mig.c_types import CSide
    from machemu.mig.model import Type

PACKER: Final = "&Packer"
UNPACKER: Final = "&Unpacker"


@dataclass(frozen=True, slots=True)
class Place:
    """C expressions for an item's value and what belongs to it.

    count: of elements, as C counts them.  poly: disposition of rights.  dealloc: truth value.
    """

    value: str
    count: str = ""
    poly: str = ""
    dealloc: str = "FALSE"
    inline: str = ""  # of an indefinite array: where it says whether it was inline

    @classmethod
    def local(cls, name: str) -> Place:
        """Variables of the stub's own."""
        return cls(name, f"{name}Cnt", f"{name}Poly", f"{name}Dealloc", f"{name}Inline")


def address(value: str) -> str:
    return value[1:] if value.startswith("*") else f"&{value}"


def pack(kind: Type, at: Place) -> list[str]:
    """Statements that put the item into the message of `Packer`."""
    name = at.poly if kind.sent == POLYMORPHIC else symbol(kind.sent)
    number = wire_number(kind, at.count) if kind.counted else str(kind.number)
    item = descriptor(kind, name, number)
    match shape(kind):
        case Shape.VALUE:
            return [call("mig_pack(", [PACKER, item, address(at.value), f"sizeof {at.value}"])]
        case Shape.PORT:
            return [call("mig_pack_port(", [PACKER, item, at.value])]
        case Shape.STRING:
            return [_pack_string(kind, name, at)]
        case Shape.REGION:
            return [_pack_region(kind, name, number, at)]
        case Shape.ARRAY if kind.indefinite:
            item = descriptor(kind, name, number, inline=False)
            rest = [f"(vm_address_t){at.value}", octets_of(kind, at.count), at.dealloc]
            return [call("mig_pack_some(", [PACKER, item, *rest])]
        case Shape.ARRAY:
            octets = octets_of(kind, at.count) if kind.counted else str(kind.octets)
            return [call("mig_pack(", [PACKER, item, at.value, octets])]
        case Shape.PORTS:
            return [_pack_ports(kind, name, number, at)]


def _pack_string(kind: Type, name: str, at: Place) -> str:
    helper = "mig_pack_text(" if kind.variable else "mig_pack_string("
    item = descriptor(kind, name, "0" if kind.variable else str(kind.number))
    return call(helper, [PACKER, item, at.value, str(kind.octets)])


def _pack_region(kind: Type, name: str, number: str, at: Place) -> str:
    given_away = {"FALSE": "", "TRUE": "MIG_DEALLOCATE"}.get(at.dealloc, f"({at.dealloc} ? MIG_DEALLOCATE : 0)")
    item = descriptor(kind, name, number, given_away)
    return call("mig_pack_region(", [PACKER, item, f"(vm_address_t){at.value}"])


def _pack_ports(kind: Type, name: str, number: str, at: Place) -> str:
    value = f"(const mach_port_t *){at.value}" if element_type(kind, "user").suffix else at.value
    if not kind.indefinite:
        return call("mig_pack_ports(", [PACKER, descriptor(kind, name, number), value, number])
    item = descriptor(kind, name, number, bits=0, inline=False)
    return call("mig_pack_some_ports(", [PACKER, item, f"(vm_address_t){at.value}", number, at.dealloc])


def unpack(kind: Type, at: Place, side: CSide) -> list[str]:
    """Statements that take the item out of the message of `Unpacker`, into variables that
    `variables` declares."""
    name = at.poly if kind.received == POLYMORPHIC else symbol(kind.received)
    lines = [f"\tmig_empty_ports({UNPACKER});"] if shape(kind) is Shape.PORTS and kind.variable else []
    if kind.received == POLYMORPHIC:
        lines.append(f"\t{at.poly} = mig_unpack_type({UNPACKER});")
    number = wire_number(kind, at.count) if kind.variable else str(kind.number)
    if kind.variable and not kind.indefinite:
        given = [UNPACKER, descriptor(kind, name, "0"), str(kind.group), str(most_elements(kind))]
        lines.append(call(f"{at.count} = mig_count(", given))
    item = descriptor(kind, name, number)
    octets = octets_of(kind, at.count) if kind.variable else str(kind.octets)
    match shape(kind):
        case Shape.VALUE:
            lines.append(call("mig_unpack_value(", [UNPACKER, item, f"&{at.value}", f"sizeof {at.value}"]))
        case Shape.PORT:
            lines.append(call(f"{at.value} = mig_unpack_port(", [UNPACKER, item]))
        case Shape.STRING:
            lines.append(call(f"{at.value} = mig_unpack_string(", [UNPACKER, item, octets]))
        case Shape.REGION:
            pointer = f"({pointer_type(kind, side)})"
            lines.append(call(f"{at.value} = {pointer}mig_unpack_region(", [UNPACKER, item]))
        case Shape.ARRAY | Shape.PORTS if kind.indefinite:
            lines.append(_unpack_some(kind, name, at, side))
        case Shape.ARRAY:
            lines.append(call(f"{at.value} = mig_unpack(", [UNPACKER, item, octets]))
        case Shape.PORTS:
            lines.append(call("mig_unpack_ports(", [UNPACKER, item, at.value, number]))
    return lines


def _unpack_some(kind: Type, name: str, at: Place, side: CSide) -> str:
    told = [f"&{at.count}", f"&{at.inline}"]
    value = f"{at.value} = {cast(kind, side)}"
    if shape(kind) is Shape.PORTS:
        item = descriptor(kind, name, "0", bits=0, inline=False)
        rest = [str(kind.group), f"{at.value}Buffer", *told]
        return call(f"{value}mig_unpack_some_ports(", [UNPACKER, item, *rest])
    item = descriptor(kind, name, "0", inline=False)
    rest = [str(kind.group), str(element_octets(kind)), *told]
    return call(f"{value}mig_unpack_some(", [UNPACKER, item, *rest])


def variables(kind: Type, at: Place, side: CSide, *, const: bool = True) -> list[str]:
    """Declarations of what `unpack` sets."""
    name = at.value
    match shape(kind):
        case Shape.VALUE:
            lines = [f"{wire_type(kind, side)} {name} = {{0}};"]
        case Shape.PORT:
            lines = [f"{wire_type(kind, side)} {name} = MACH_PORT_NULL;"]
        case Shape.STRING:
            lines = [f'const char *{name} = "";']
        case Shape.PORTS if kind.indefinite:
            lines = [f"mach_port_t {name}Buffer[{kind.number}];", f"{pointer_type(kind, side, name)} = 0;"]
        case Shape.PORTS:
            lines = [f"mach_port_t {name}[{kind.number}];"]
        case Shape.REGION:
            lines = [f"{pointer_type(kind, side, name)} = 0;"]
        case Shape.ARRAY if kind.indefinite:
            lines = [f"{pointer_type(kind, side, name, const=const)} = 0;"]
        case Shape.ARRAY:
            lines = [f"{element_type(kind, side).const().pointer(name)} = NULL;"]
    if kind.variable:
        lines.append(f"{NUMBER} {at.count} = 0;")
    if kind.received == POLYMORPHIC:
        lines.append(f"{POLY} {at.poly} = 0;")
    if kind.indefinite:
        lines.append(f"boolean_t {at.inline} = FALSE;")
    return [f"\t{line}" for line in lines]

