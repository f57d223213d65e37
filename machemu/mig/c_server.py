"""`X_server.c`: the demux and the stubs that call a server's functions (mach-abi.md 7.5).

A request is hostile until all of it has been unpacked.  Out arguments that are arrays lie in
the reply from the start, at the place they have in the longest reply; packing moves them up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.mig.c_helpers import helpers_of
from machemu.mig.c_items import Place, pack, unpack, variables
from machemu.mig.c_text import block, call, first_line, function, includes, prototype, static_asserts
from machemu.mig.c_types import (
    LARGEST_NUMBER,
    NUMBER,
    POLY,
    Shape,
    asks_dealloc,
    cast,
    element_type,
    has_poly,
    most_elements,
    octets_of,
    parameters,
    pointer_type,
    poly_is_out,
    shape,
    symbol,
    used_types,
    value_type,
)
from machemu.mig.model import (
    HEADER_OCTETS,
    POLYMORPHIC,
    RETCODE_OCTETS,
    Deallocate,
    Direction,
)

if TYPE_CHECKING:
    from machemu.mig.model import Argument, Item, Routine, Subsystem

HEADERS: Final = ("mach/mig_errors.h", "mach/mig_support.h")
ERROR_REPLY: Final = HEADER_OCTETS + RETCODE_OCTETS
PORT_DIRECTIONS: Final = (Direction.REQUEST_PORT, Direction.REPLY_PORT, Direction.SERVER_REPLY_PORT)
GOES_ON: Final = "\tif (OutP->RetCode != KERN_SUCCESS)\n\t\treturn;"


def c_server(subsystem: Subsystem) -> str:
    body = static_asserts(used_types(subsystem.routines, "server"))
    for routine in subsystem.routines:
        body += f"\n/* {routine.ident} */\n{_default(routine)}\n{_stub(routine)}"
    body += f"\n{_routine_of(subsystem)}\n{_demux(subsystem)}"
    head = first_line(subsystem) + includes(subsystem, "server", *HEADERS)
    return f"{head}\n{helpers_of(body)}\n{body}"


def _routine_of(subsystem: Subsystem) -> str:
    demux = subsystem.server_demux
    cases = [f"\tcase {r.ident}:\n\t\treturn {_stub_name(r)};" for r in subsystem.routines]
    head = f"mig_routine_t {demux}_routine(const mach_msg_header_t *request)"
    return function(head, [
        "\tswitch (request->msgh_id) {", *cases, "\tdefault:", "\t\treturn NULL;", "\t}"])


def _demux(subsystem: Subsystem) -> str:
    demux = subsystem.server_demux
    head = f"boolean_t {demux}(mach_msg_header_t *request, mach_msg_header_t *reply)"
    return function(head, [
        f"\tmig_routine_t routine = {demux}_routine(request);", "",
        "\t__builtin_memset(reply, 0, sizeof(mig_reply_header_t)); /* its padding too */",
        "\tmig_reply_setup(request, reply); /* MIG_BAD_ID */", "\tif (routine == NULL)", "\t\treturn FALSE;",
        "\troutine(request, reply);", "\treturn TRUE;"])


def _stub_name(routine: Routine) -> str:
    return f"stub_{routine.name}"


def _default(routine: Routine) -> str:
    """What answers for a function that the server does not write."""
    head = prototype(routine.server_name, parameters(routine, "server"))
    if routine.server_name == routine.user_name:
        # A default would be taken for the user's stub of that name, where that is called.
        return f"extern {head};\n"
    unused = ", ".join(f"(void){p.name}" for p in parameters(routine, "server"))
    return function(f"__attribute__((weak)) {head}", [f"\t{unused};", "\treturn MIG_BAD_ID;"])


# --- the stub of a routine ------------------------------------------------------------


def _stub(routine: Routine) -> str:
    lines = [
        "\tmig_reply_header_t *OutP = (mig_reply_header_t *)OutHeadP;", *_variables(routine), "",
        *_request(routine), *_translate(routine), *_prepare(routine), *_call(routine), *_after(routine)]
    head = f"static void {_stub_name(routine)}(mach_msg_header_t *InHeadP, mach_msg_header_t *OutHeadP)"
    return function(head, lines)


def _variables(routine: Routine) -> list[str]:
    code = any(a.return_code for a in routine.arguments)
    least = ERROR_REPLY if code else routine.request.smallest
    sizes = [str(HEADER_OCTETS), str(least), str(routine.request.largest)]
    lines = [call("struct mig_unpacker Unpacker = mig_unpacker(", ["InHeadP", *sizes])]
    if routine.reply.items:
        lines.append(f"\tstruct mig_packer Packer = mig_packer(OutHeadP, {ERROR_REPLY});")
    for item in routine.request.items:
        if not item.is_count:
            const = not item.argument.in_reply
            lines += variables(item.type, _unpacked(item.argument), "server", const=const)
    for argument in routine.arguments:
        lines += _translated(argument)
    for item in routine.reply.items:
        lines += _out_variables(routine, item)
    return lines


def _unpacked(argument: Argument) -> Place:
    """The variables that an argument of the request is unpacked to."""
    kind, name = argument.type, argument.name
    place = Place.local(name)
    if kind.in_translation is not None:
        return Place(f"{name}Wire", place.count, place.poly)
    moved = shape(kind) in (Shape.STRING, Shape.ARRAY) and not kind.indefinite
    if argument.in_reply and moved:
        return Place(f"{name}In", place.count, place.poly)
    return place


def _translated(argument: Argument) -> list[str]:
    """The variable for what a port or value of the request stands for."""
    kind = argument.type
    wanted = kind.in_translation is not None or (
        argument.direction is Direction.REQUEST_PORT and kind.payload is not None)
    if not wanted or not (argument.in_request or argument.direction in PORT_DIRECTIONS):
        return []
    return [f"\t{value_type(kind, 'server')} {argument.name};"]


def _out_variables(routine: Routine, item: Item) -> list[str]:
    """The variables that the server's function sets, but for those of an inout's request."""
    argument, kind, name = item.argument, item.type, item.name
    form = shape(kind)
    new = not argument.in_request
    lines: list[str] = []
    if form is Shape.STRING:
        lines.append(f"char {name}[{kind.octets}] = \"\";")
    elif form is Shape.ARRAY and not kind.indefinite:
        lines.append(f"{element_type(kind, 'server').pointer(name)} = {_in_reply(routine, item)};")
    elif new and form in (Shape.ARRAY, Shape.PORTS):
        lines += _new_array(routine, item)
    elif new and form is Shape.REGION:
        lines.append(f"{pointer_type(kind, 'server', name)} = 0;")
    elif new:
        lines.append(f"{value_type(kind, 'server')} {name} = {{0}};")
    if kind.counted and new:
        room = 0 if form is Shape.REGION else most_elements(kind)
        lines.append(f"{NUMBER} {name}Cnt = {room};")
    if poly_is_out(argument, "server") and (new or kind.received != POLYMORPHIC):
        lines.append(f"{POLY} {name}Poly = 0;")
    if asks_dealloc(argument, "server"):
        lines.append(f"boolean_t {name}Dealloc = FALSE;")
    if kind.indefinite and kind.deallocate is not Deallocate.NO:
        lines.append(f"vm_address_t {name}Place; /* in a message: not the server's to give away */")
    return [f"\t{line}" for line in lines]


def _new_array(routine: Routine, item: Item) -> list[str]:
    """An array that only the reply has: indefinite, or of ports."""
    kind, name = item.type, item.name
    ports = shape(kind) is Shape.PORTS
    if ports and not kind.indefinite:
        return [f"mach_port_t {name}[{kind.number}] = {{0}};"]
    place = f"{name}Buffer" if ports else _in_reply(routine, item)
    buffer = [f"mach_port_t {name}Buffer[{kind.number}];"] if ports else []
    return [*buffer, f"{pointer_type(kind, 'server', name)} = {cast(kind, 'server')}{place};"]


def _in_reply(routine: Routine, item: Item) -> str:
    """Where an item's data are in the longest reply."""
    at = routine.reply.start
    for other in routine.reply.items:
        at += 8
        if other is item:
            break
        at += other.type.room
    return f"(void *)((char *)OutHeadP + {at})"


# --- the request -----------------------------------------------------------------------


def _request(routine: Routine) -> list[str]:
    items = list(routine.request.items)
    code = [item for item in items if item.argument.return_code]
    lines = [line for item in items if item not in code for line in _unpack(item)]
    if code:
        # A reply that tells of an error may end with its code.
        lines = _unpack(code[0]) + block(f"if ({code[0].name} == KERN_SUCCESS || Unpacker.left != 0) ", lines)
    wrong = ["!mig_unpacked(&Unpacker, InHeadP)"]
    reply_port = routine.only(Direction.SERVER_REPLY_PORT, Direction.REPLY_PORT)
    if reply_port is not None and reply_port.type.received != POLYMORPHIC:
        wrong.append(f"MACH_MSGH_BITS_REMOTE(InHeadP->msgh_bits) != {symbol(reply_port.type.received)}")
    refused = ["\tOutP->RetCode = MIG_BAD_ARGUMENTS;", "\treturn;"]
    return lines + block("if ({}) ".format("\n\t    || ".join(wrong)), refused)


def _unpack(item: Item) -> list[str]:
    if not item.is_count:
        return unpack(item.type, _unpacked(item.argument), "server")
    name, most = f"{item.argument.name}Cnt", most_elements(item.argument.type)
    return [*unpack(item.type, Place(name), "server"), f"\tif ({name} > {most})", f"\t\t{name} = {most};"]


def _translate(routine: Routine) -> list[str]:
    lines = []
    for argument in routine.arguments:
        function_ = argument.type.in_translation
        if argument.direction in PORT_DIRECTIONS:
            if _translated(argument):
                lines.append(f"\t{argument.name} = {_header_port(argument)};")
        elif argument.in_request and function_ is not None:
            lines.append(f"\t{argument.name} = {function_.name}({argument.name}Wire);")
    return lines


def _header_port(argument: Argument) -> str:
    """The request or reply port, as the server's function gets it."""
    kind = argument.type
    is_request = argument.direction is Direction.REQUEST_PORT
    port = "InHeadP->msgh_local_port" if is_request else "InHeadP->msgh_remote_port"
    if kind.in_translation is not None:
        port = f"{kind.in_translation.name}({port})"
    if not is_request or kind.payload is None:
        return port
    return (f"MACH_MSGH_BITS_LOCAL(InHeadP->msgh_bits) == MACH_MSG_TYPE_PROTECTED_PAYLOAD\n"
            f"\t    ? {kind.payload.name}(InHeadP->msgh_protected_payload) : {port}")


def _prepare(routine: Routine) -> list[str]:
    """Out arguments that lie in the reply or start with what the request had."""
    lines = []
    for item in routine.reply.items:
        kind, name = item.type, item.name
        form = shape(kind)
        if form is Shape.STRING and item.argument.in_request:
            lines.append(f"\tmig_strncpy({name}, {name}In, {kind.octets});")
        elif form is Shape.ARRAY and not kind.indefinite:
            octets = octets_of(kind, f"{name}Cnt") if kind.variable else str(kind.octets)
            if item.argument.in_request:
                lines.append(f"\t__builtin_memcpy({name}, {name}In, {octets});")
            elif not kind.variable:  # the reply's buffer holds what was there before
                lines.append(f"\t__builtin_memset({name}, 0, {octets});")
        elif kind.indefinite and kind.deallocate is not Deallocate.NO:
            inside = f"{name}Inline ? (vm_address_t){name} : 0" if item.argument.in_request else f"(vm_address_t){name}"
            lines.append(f"\t{name}Place = {inside};")
    return lines


# --- the call, and the reply -------------------------------------------------------------


def _call(routine: Routine) -> list[str]:
    arguments = [text for argument in routine.arguments for text in _passed(argument)]
    lines = [call(f"OutP->RetCode = {routine.server_name}(", arguments)]
    for argument in routine.arguments:
        gone = argument.direction is Direction.IN or argument.direction in PORT_DIRECTIONS
        if argument.type.destructor and gone:
            lines.append(f"\t{argument.type.destructor}({_passed(argument)[0]});")
    return lines


def _passed(argument: Argument) -> list[str]:
    """What the server's function gets for an argument, in the order of `parameters`."""
    kind, name = argument.type, argument.name
    if argument.direction in PORT_DIRECTIONS:
        found = [name if _translated(argument) else _header_port(argument)]
        side = "LOCAL" if argument.direction is Direction.REQUEST_PORT else "REMOTE"
        return found + ([f"MACH_MSGH_BITS_{side}(InHeadP->msgh_bits)"] if has_poly(argument, "server") else [])
    if argument.direction is Direction.SEQUENCE_NUMBER:
        return ["InHeadP->msgh_seqno"]
    if not (argument.in_request or argument.in_reply):
        return []
    address = "&" if argument.in_reply else ""
    found = [_main(argument)]
    if has_poly(argument, "server"):
        found.append(f"{'&' if poly_is_out(argument, 'server') else ''}{name}Poly")
    if kind.counted:
        found.append(f"{address}{name}Cnt")
    if asks_dealloc(argument, "server"):
        found.append(f"&{name}Dealloc")
    if argument.server_copy:
        found.append(f"{name}Inline")
    return found


def _main(argument: Argument) -> str:
    kind, name = argument.type, argument.name
    by_pointer = shape(kind) in (Shape.STRING, Shape.ARRAY, Shape.PORTS) and not kind.indefinite
    if not by_pointer:
        return f"&{name}" if argument.in_reply else name
    # What `ctype` names may be of other elements, or an array of arrays.
    return f"(void *){name}" if cast(kind, "server") else name


def _after(routine: Routine) -> list[str]:
    frees = [line for argument in routine.arguments for line in _free(argument)]
    if not routine.reply.items:
        return [GOES_ON, *frees] if frees else []
    lines = [GOES_ON]
    for item in routine.reply.items:
        lines += _limit(item)
    for item in routine.reply.items:
        lines += _pack(item)
    return [*lines, "\tmig_finish(OutHeadP, &Packer);", *frees]


def _limit(item: Item) -> list[str]:
    kind = item.type
    most = LARGEST_NUMBER // kind.group if kind.indefinite else most_elements(kind)
    if not kind.counted or most == LARGEST_NUMBER:
        return []
    return block(f"if ({item.name}Cnt > {most}) ", ["\tOutP->RetCode = MIG_ARRAY_TOO_LARGE;", "\treturn;"])


def _pack(item: Item) -> list[str]:
    kind, name = item.type, item.name
    at = Place(name, f"{name}Cnt", f"{name}Poly", _dealloc(item))
    translation = kind.out_translation
    if translation is None:
        return pack(kind, at)
    if shape(kind) is Shape.PORT:
        return pack(kind, Place(f"{translation.name}({name})", poly=at.poly))
    wire = f"{name}Sent"
    return block("", [f"\t{translation.result} {wire} = {translation.name}({name});", "", *pack(kind, Place(wire))])


def _dealloc(item: Item) -> str:
    """Is the memory of an out argument given away with it?"""
    kind, name = item.type, item.name
    if kind.deallocate is Deallocate.NO:
        return "FALSE"
    given_away = f"{name}Dealloc" if kind.deallocate is Deallocate.ASK else "TRUE"
    if not kind.indefinite:
        return given_away
    elsewhere = f"(vm_address_t){name} != {name}Place"
    return elsewhere if given_away == "TRUE" else f"{given_away} && {elsewhere}"


def _free(argument: Argument) -> list[str]:
    """Indefinite data that came out of line, unless the function was told of it."""
    kind, name = argument.type, argument.name
    if argument.direction is not Direction.IN or not kind.indefinite or argument.server_copy:
        return []
    return [f"\tif (!{name}Inline && {name}Cnt != 0)",
            f"\t\tmig_deallocate((vm_address_t){name}, {octets_of(kind, f'{name}Cnt')});"]
