"""From statements to a subsystem: ids, directions, messages; and what is forbidden."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from machemu.mig.errors import MigError
from machemu.mig.model import (
    HEADER_OCTETS,
    INTEGER_32,
    REPLY_DISTANCE,
    RETCODE_OCTETS,
    Argument,
    Deallocate,
    Direction,
    Item,
    Layout,
    Routine,
    Subsystem,
    Type,
)
from machemu.mig.names import clash
from machemu.mig.preprocess import Source, preprocess
from machemu.mig.syntax import (
    ArgumentSyntax,
    Flag,
    Import,
    RoutineStatement,
    Setting,
    Skip,
    Statement,
    SubsystemStatement,
    TypeDefinition,
    parse,
)
from machemu.mig.types import DEALLOC_FLAGS, LONG_FLAGS, TypeTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COUNT_TYPE: Final = Type("mach_msg_type_number_t", INTEGER_32, INTEGER_32, 32, align=4,
                         user_type="mach_msg_type_number_t", server_type="mach_msg_type_number_t")
LAST_ID: Final = 0x7FFF_FFFF - REPLY_DISTANCE
INLINE_MAX: Final = 1 << 20  # octets of a message: both stubs have them on their stacks
SPECIAL: Final = frozenset({Direction.WAIT_TIME, Direction.MSG_OPTION, Direction.SEQUENCE_NUMBER})
REPLY_PORTS: Final = (Direction.REPLY_PORT, Direction.USER_REPLY_PORT, Direction.SERVER_REPLY_PORT)


def compile_defs(path: Path, include_dirs: Sequence[Path] = (),
                 defines: Mapping[str, str] | None = None) -> Subsystem:
    """Read one .defs file.  Raises MigError, at the first mistake."""
    source = preprocess(path, include_dirs, defines)
    compiler = _Compiler(source, path.name)
    for statement in parse(source):
        compiler.take(statement)
    return compiler.finish()


class _Compiler:
    def __init__(self, source: Source, file_name: str) -> None:
        self._source = source
        self._file_name = file_name
        self._warnings = list(source.warnings)
        self._types = TypeTable(self._error, self._warn)
        self._subsystem: Subsystem | None = None
        self._imports: list[Import] = []
        self._settings: dict[str, str | None] = {
            "serverprefix": "", "userprefix": "", "serverdemux": "", "msgoption": None, "waittime": None}
        self._names: set[str] = set()

    def _error(self, line: int, text: str) -> MigError:
        return MigError(*self._source.place(max(line, 1)), text)

    def _warn(self, line: int, text: str) -> None:
        file, number = self._source.place(max(line, 1))
        self._warnings.append(f"{file}:{number}: warning: {text}")

    def take(self, statement: Statement) -> None:
        match statement:
            case SubsystemStatement():
                self._begin(statement)
            case TypeDefinition():
                self._types.define(statement)
            case RoutineStatement():
                self._routine(statement)
            case Skip():
                self._use_ids(self._started(statement.line, "skip"), statement.count, statement.line)
            case Import():
                self._imports.append(statement)
            case Setting(kind="nowaittime"):
                self._settings["waittime"] = None
            case Setting(kind="msgoption", text="MACH_MSG_OPTION_NONE"):
                self._settings["msgoption"] = None
            case Setting():
                self._settings[statement.kind] = statement.text

    def finish(self) -> Subsystem:
        subsystem = self._started(len(self._source.places), "the end of the file")
        subsystem.imports = [(item.file, item.side) for item in dict.fromkeys(self._imports)]
        subsystem.server_demux = self._settings["serverdemux"] or f"{subsystem.name}_server"
        subsystem.warnings = self._warnings
        unknown = self._source.shortcuts - {routine.name for routine in subsystem.routines}
        subsystem.shortcuts = frozenset(self._source.shortcuts - unknown)
        return subsystem

    def _begin(self, statement: SubsystemStatement) -> None:
        if self._subsystem is not None:
            raise self._error(statement.line, "a file describes one subsystem only")
        self._subsystem = Subsystem(statement.name, statement.base, self._file_name,
                                    kernel_user=statement.kernel_user,
                                    kernel_server=statement.kernel_server)
        for given, word in ((statement.kernel_user, "KernelUser"), (statement.kernel_server, "KernelServer")):
            if given:
                self._warn(statement.line, f"{word}: the stubs are those of tasks; no kernel here is written in C")

    def _started(self, line: int, what: str) -> Subsystem:
        if self._subsystem is None:
            raise self._error(line, f"the subsystem statement must come before {what}")
        return self._subsystem

    def _routine(self, statement: RoutineStatement) -> None:
        subsystem = self._started(statement.line, f"routine {statement.name}")
        if statement.name in self._names:
            raise self._error(statement.line, f"routine {statement.name} is already defined")
        self._names.add(statement.name)
        arguments = self._arguments(statement)
        self._check(statement, arguments)
        request, reply = _layouts(arguments)
        settings = self._settings
        routine = Routine(
            statement.name, subsystem.base + subsystem.count, statement.simple, arguments,
            f"{settings['userprefix']}{statement.name}", f"{settings['serverprefix']}{statement.name}",
            settings["msgoption"], settings["waittime"], request, reply, statement.line)
        if (wrong := clash(routine)) is not None:
            raise self._error(*wrong)
        for layout in (request, reply):
            if layout.largest > INLINE_MAX:
                raise self._error(statement.line, f"{routine.name}: a message of {layout.largest} octets is too "
                                  f"long; the longest has {INLINE_MAX}, and the rest goes out of line, by ^")
        self._use_ids(subsystem, 1, statement.line)
        subsystem.routines.append(routine)

    def _use_ids(self, subsystem: Subsystem, number: int, line: int) -> None:
        subsystem.count += number
        if subsystem.base + subsystem.count - 1 > LAST_ID:
            raise self._error(line, f"message ids go to {LAST_ID} only")

    def _arguments(self, statement: RoutineStatement) -> tuple[Argument, ...]:
        made: list[Argument] = []
        has_request_port = any(a.direction == "requestport" for a in statement.arguments)
        for syntax in statement.arguments:
            if syntax.direction == "sendtime":
                raise self._error(syntax.line, f"{syntax.name}: there is no sendtime; use waittime and msgoption")
            if any(a.name == syntax.name for a in made):
                raise self._error(syntax.line, f"{statement.name} has two arguments called {syntax.name}")
            direction = Direction(syntax.direction) if syntax.direction else Direction.IN
            if not syntax.direction and not has_request_port:
                direction, has_request_port = Direction.REQUEST_PORT, True
            made.append(self._argument(syntax, direction))
        return tuple(made)

    def _argument(self, syntax: ArgumentSyntax, direction: Direction) -> Argument:
        if isinstance(syntax.type, TypeDefinition):
            kind = self._types.make(syntax.type)
        else:
            kind = self._types.find(syntax.type, syntax.line)
        plain: dict[str, Flag] = {}
        wire: list[Flag] = []
        for flag in syntax.flags:
            if flag.name in LONG_FLAGS or flag.name in DEALLOC_FLAGS:
                wire.append(flag)
            elif flag.name in ("servercopy", "countinout", "retcode"):
                plain[flag.name] = flag
            else:
                raise self._error(flag.line, f"unknown flag {flag.name}")
        kind = self._types.with_flags(kind, tuple(wire))
        if kind.inline and not kind.indefinite and kind.deallocate is not Deallocate.NO:
            self._warn(syntax.line, f"{syntax.name}: Dealloc is for out-of-line data")
            kind = replace(kind, deallocate=Deallocate.NO)
        argument = Argument(syntax.name, direction, kind, "countinout" in plain, "servercopy" in plain,
                            "retcode" in plain, syntax.line)
        self._check_flags(argument)
        return argument

    def _check_flags(self, argument: Argument) -> None:
        kind = argument.type
        if argument.count_in_out and not (
                argument.direction is Direction.OUT and kind.counted and kind.inline):
            raise self._error(argument.line, f"{argument.name}: CountInOut is for out arrays that vary inline")
        if argument.server_copy and not (argument.in_request and kind.indefinite):
            raise self._error(argument.line, f"{argument.name}: ServerCopy is for indefinite in arrays")
        special = argument.direction in SPECIAL
        if special and not _is_integer(kind):
            raise self._error(argument.line, f"{argument.name}: {argument.direction.value} wants a 32-bit integer")
        is_header_port = argument.direction is Direction.REQUEST_PORT or argument.direction in REPLY_PORTS
        if is_header_port and not (kind.inline and not kind.is_array and (kind.is_port or kind.is_polymorphic)):
            raise self._error(argument.line, f"{argument.name}: {argument.direction.value} wants one port")
        if kind.in_translation is None and kind.out_translation is None:
            return
        if kind.is_array or not kind.inline:
            raise self._error(argument.line, f"{argument.name}: only single values can be translated")

    def _check(self, statement: RoutineStatement, arguments: tuple[Argument, ...]) -> None:
        name, line = statement.name, statement.line
        given = [a.direction for a in arguments]
        if Direction.REQUEST_PORT not in given:
            raise self._error(line, f"{name} has no request port")
        for direction in Direction:
            single = direction not in (Direction.IN, Direction.OUT, Direction.INOUT)
            if single and given.count(direction) > 1:
                raise self._error(line, f"{name} has more than one {direction.value}")
        if Direction.REPLY_PORT in given and any(
                d in given for d in (Direction.USER_REPLY_PORT, Direction.SERVER_REPLY_PORT)):
            raise self._error(line, f"{name}: a replyport is both ureplyport and sreplyport already")
        if statement.simple and any(a.in_reply for a in arguments):
            raise self._error(line, f"simpleroutine {name} sends no reply and cannot have out arguments")
        body = [a for a in arguments if a.in_request]
        for argument in arguments:
            if argument.return_code and not (
                    statement.simple and body[:1] == [argument] and _is_integer(argument.type)):
                raise self._error(argument.line, f"{argument.name}: RetCode is for the first in argument of a "
                                  "simpleroutine that looks like a reply, a 32-bit integer")


def _is_integer(kind: Type) -> bool:
    return kind.sent == INTEGER_32 and kind.bits == 32 and kind.number == 1 and kind.inline and not kind.is_array


def _layouts(arguments: tuple[Argument, ...]) -> tuple[Layout, Layout]:
    request: list[Item] = []
    reply: list[Item] = []
    for argument in arguments:
        if argument.in_request:
            request.append(Item(argument.name, argument.type, argument))
        if argument.in_reply:
            reply.append(Item(argument.name, argument.type, argument))
        if argument.count_in_out:
            request.append(Item(argument.name + "Cnt", COUNT_TYPE, argument, is_count=True))
    return Layout(tuple(request), HEADER_OCTETS), Layout(tuple(reply), HEADER_OCTETS + RETCODE_OCTETS)
