"""`X_user.c`: the stubs that send requests (mach-abi.md 7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.mig.c_header import user_names
from machemu.mig.c_helpers import helpers_of
from machemu.mig.c_items import Place, pack, unpack, variables
from machemu.mig.c_text import block, call, first_line, function, includes, prototype, static_asserts
from machemu.mig.c_types import (
    LARGEST_NUMBER,
    Shape,
    element_octets,
    most_elements,
    parameters,
    pointer_type,
    poly_is_out,
    shape,
    symbol,
    used_types,
)
from machemu.mig.model import (
    HEADER_OCTETS,
    MAKE_SEND_ONCE,
    POLYMORPHIC,
    RETCODE_OCTETS,
    Deallocate,
    Direction,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from machemu.mig.model import Argument, Item, Routine, Subsystem

HEADERS: Final = ("mach/mig_errors.h", "mach/mig_support.h", "mach/notify.h")
ERROR_REPLY: Final = HEADER_OCTETS + RETCODE_OCTETS
OUT: Final = "Out"  # what a stub's variable for an argument ends with


def c_user(subsystem: Subsystem) -> str:
    body = static_asserts(used_types(subsystem.routines, "user"))
    for routine in subsystem.routines:
        body += f"\n/* {routine.ident} */\n" + _stub(routine, user_names(routine, subsystem)[-1])
    head = first_line(subsystem) + includes(subsystem, "user", *HEADERS)
    return f"{head}\n{helpers_of(body)}\n{body}"


def _stub(routine: Routine, name: str) -> str:
    head = prototype(name, parameters(routine, "user"))
    return function(head, [*_variables(routine), "", *_request(routine), *_send(routine)])


def _variables(routine: Routine) -> list[str]:
    largest = max(routine.request.largest, ERROR_REPLY, routine.reply.largest)
    lines = [
        "\tunion {", "\t\tmach_msg_header_t Head;", "\t\tmig_reply_header_t Reply;", f"\t\tchar Octets[{largest}];",
        "\t} Message;", f"\tstruct mig_packer Packer = mig_packer(&Message, {HEADER_OCTETS});"]
    if not routine.simple:
        lines += ["\tstruct mig_unpacker Unpacker;", "\tkern_return_t Result;"]
    for item in routine.reply.items:
        lines += variables(item.type, Place.local(item.name + OUT), "user")
    if any(_has_room(item) for item in routine.reply.items):
        lines.append("\tboolean_t Fits = TRUE;")
    lines += [f"\tvm_address_t {item.name}{OUT}Place;" for item in routine.reply.items if item.type.indefinite]
    return lines


# --- the request ---------------------------------------------------------------------


def _request(routine: Routine) -> list[str]:
    """Check, then pack: nothing is given away by a call that fails."""
    items = list(routine.request.items)
    code = [item for item in items if item.argument.return_code]
    rest = [item for item in items if item not in code]
    lines = [line for item in rest for line in _limit(item)] + [line for item in rest for line in _pack(item)]
    if code:
        # A reply that tells of an error is no longer than its code.
        lines = _pack(code[0]) + block(f"if ({code[0].name} == KERN_SUCCESS) ", lines)
    ignored = routine.only(Direction.WAIT_TIME) if routine.simple else None
    return [f"\t(void){ignored.name}; /* nothing is waited for */", *lines] if ignored else lines


def _limit(item: Item) -> list[str]:
    kind = item.type
    most = LARGEST_NUMBER // kind.group if kind.indefinite else most_elements(kind)
    if not kind.counted or most == LARGEST_NUMBER:
        return []
    return [f"\tif ({_given(item).count} > {most})", "\t\treturn MIG_ARRAY_TOO_LARGE;"]


def _pack(item: Item) -> list[str]:
    return pack(item.type, _given(item))


def _given(item: Item) -> Place:
    """What the caller gave for an item of the request."""
    argument, name = item.argument, item.argument.name
    if item.is_count:
        return Place(f"*{name}Cnt")
    star = "*" if argument.in_reply else ""
    by_pointer = shape(item.type) in (Shape.STRING, Shape.ARRAY, Shape.PORTS) and not item.type.indefinite
    dealloc = {Deallocate.NO: "FALSE", Deallocate.YES: "TRUE", Deallocate.ASK: f"{name}Dealloc"}
    return Place(name if by_pointer else star + name, f"{star}{name}Cnt",
                 f"*{name}Poly" if poly_is_out(argument, "user") else f"{name}Poly",
                 dealloc[item.type.deallocate])


# --- sending, and the reply ------------------------------------------------------------


def _send(routine: Routine) -> list[str]:
    reply_port = routine.only(Direction.REPLY_PORT, Direction.USER_REPLY_PORT)
    own = "TRUE" if reply_port is not None else "FALSE"
    request_port = routine.request_port
    local, kind = "mig_get_reply_port()", symbol(MAKE_SEND_ONCE)
    if reply_port is not None:
        local, kind = reply_port.name, _disposition(reply_port)
    elif routine.simple:
        local, kind = "MACH_PORT_NULL", "0"
    bits = f"MACH_MSGH_BITS({_disposition(request_port)}, {kind})"
    lines = [call("mig_head(", ["&Message.Head", "&Packer", bits, request_port.name, local, str(routine.ident)])]
    if routine.simple:
        return [*lines, call("return mach_msg(", [
            "&Message.Head", _options("MACH_SEND_MSG", _option(routine)), "Message.Head.msgh_size", "0",
            "MACH_PORT_NULL", "MACH_MSG_TIMEOUT_NONE", "MACH_PORT_NULL"])]
    room = str(max(routine.reply.largest, ERROR_REPLY))
    timeout = _timeout(routine)
    options = _options(_option(routine), "" if timeout is None else "MACH_RCV_TIMEOUT") or "MACH_MSG_OPTION_NONE"
    lines.append(call("Result = mig_rpc(", ["&Message.Head", options, room, timeout or "MACH_MSG_TIMEOUT_NONE", own]))
    return [*lines, "\tif (Result != KERN_SUCCESS)", "\t\treturn Result;", *_reply(routine)]


def _disposition(argument: Argument) -> str:
    sent = argument.type.sent
    return f"{argument.name}Poly" if sent == POLYMORPHIC else symbol(sent)


def _option(routine: Routine) -> str:
    argument = routine.only(Direction.MSG_OPTION)
    if argument is not None:
        return argument.name
    return f"({routine.message_option})" if routine.message_option else ""


def _options(*options: str) -> str:
    return " | ".join(option for option in options if option)


def _timeout(routine: Routine) -> str | None:
    argument = routine.only(Direction.WAIT_TIME)
    return argument.name if argument is not None else routine.wait_time


def _reply(routine: Routine) -> list[str]:
    layout = routine.reply
    lines = [call("Unpacker = mig_unpack_reply(", ["&Message.Reply", str(layout.smallest), str(layout.largest)])]
    for item in layout.items:
        lines += unpack(item.type, Place.local(item.name + OUT), "user")
    lines += [
        "\tif (!mig_unpacked(&Unpacker, &Message.Head))", "\t\treturn mig_bad_reply(&Message.Reply);",
        "\tif (Message.Reply.RetCode != KERN_SUCCESS)",
        "\t\treturn mig_refuse(&Message.Head, Message.Reply.RetCode);"]
    lines += _fill([item for item in layout.items if _has_room(item)])
    for item in layout.items:
        if item.type.indefinite:
            lines += _place(item)
    for item in layout.items:
        lines += _give(item)
    return [*lines, "\treturn KERN_SUCCESS;"]


def _has_room(item: Item) -> bool:
    """Is it an array that goes into a buffer of the caller's, which may be too small?"""
    return item.type.counted and item.type.inline and not item.type.indefinite


def _fill(items: Iterable[Item]) -> list[str]:
    lines: list[str] = []
    for item in items:
        name, out = item.name, item.name + OUT
        given = [name, f"*{name}Cnt", out, f"{out}Cnt", str(element_octets(item.type))]
        lines += [call("Fits &= mig_fill(", given), f"\t*{name}Cnt = {out}Cnt;"]
    if lines:
        lines += ["\tif (!Fits)", "\t\treturn mig_refuse(&Message.Head, MIG_ARRAY_TOO_LARGE);"]
    return lines


def _place(item: Item) -> list[str]:
    name, out = item.name, item.name + OUT
    octets = str(element_octets(item.type))
    given = [f"(vm_address_t)*{name}", f"*{name}Cnt", f"(const void *){out}", f"{out}Inline", f"{out}Cnt", octets]
    return [call(f"{out}Place = mig_place(", given), f"\tif ({out}Place == 0 && {out}Cnt != 0)",
            "\t\treturn mig_refuse(&Message.Head, KERN_RESOURCE_SHORTAGE);"]


def _give(item: Item) -> list[str]:
    """The out argument's value, and what belongs to it, to the caller."""
    kind, name, out = item.type, item.name, item.name + OUT
    lines = []
    if kind.indefinite:
        lines.append(f"\t*{name} = ({pointer_type(kind, 'user')}){out}Place;")
    elif shape(kind) in (Shape.VALUE, Shape.PORT, Shape.REGION):
        lines.append(f"\t*{name} = {out};")
    elif shape(kind) is Shape.STRING:
        lines.append(f"\tmig_strncpy({name}, {out}, {kind.octets});")
    elif not kind.variable:
        octets = f"sizeof {out}" if shape(kind) is Shape.PORTS else str(kind.octets)
        lines.append(f"\t__builtin_memcpy({name}, {out}, {octets});")
    if kind.counted and not _has_room(item):
        lines.append(f"\t*{name}Cnt = {out}Cnt;")
    if kind.received == POLYMORPHIC:
        lines.append(f"\t*{name}Poly = {out}Poly;")
    return lines
