"""Spaces: one task's names and the rights they denote.

Follows Mach 3 `ipc/ipc_space.c`, `ipc/ipc_entry.c` and `ipc/ipc_right.c`; the rules are
those of mach-abi.md 5.1 to 5.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from machemu.kernel.ipc import notify
from machemu.kernel.ipc.port import Port, PortZone
from machemu.kernel.ipc.port_set import PortSet
from machemu.kernel.ipc.right import (
    COPY_SEND,
    DEAD,
    DEAD_NAME,
    DEAD_UREFS_MAX,
    MACH_PORT_DEAD,
    MACH_PORT_NULL,
    MAKE_SEND,
    MAKE_SEND_ONCE,
    MOVE_RECEIVE,
    MOVE_SEND,
    MOVE_SEND_ONCE,
    PORT_SET,
    RECEIVE,
    SEND,
    SEND_ONCE,
    UREFS_MAX,
    Carried,
    CarriedRight,
    DeadRight,
    Right,
)
from machemu.kernel.results import KernelError, KernReturn

if TYPE_CHECKING:
    from machemu.kernel.ipc.forced import AcceptedRequest

GENERATION_BITS: Final = 8  # low bits of a name, so that a stale name is noticed
GENERATIONS: Final = 1 << GENERATION_BITS
NAMES_MAX: Final = 1 << 20  # names of one space


@final
class Entry:
    """What one name denotes.

    `kind` is a set of type bits: SEND and RECEIVE may be together, every other kind
    stands alone.  `urefs` counts references of SEND or DEAD_NAME, else it is 1 or,
    for a lone receive right, 0.
    """

    __slots__ = ("dead_name_request", "kind", "name", "port", "port_set", "space", "urefs")

    def __init__(self, space: Space, name: int, kind: int, port: Port | None, urefs: int) -> None:
        self.space = space
        self.name = name
        self.kind = kind
        self.port = port
        self.urefs = urefs
        self.port_set: PortSet | None = None
        self.dead_name_request: Port | None = None

    def port_died(self, requester: Port) -> None:
        """The port of this entry, on which a dead-name request is registered, has died."""
        self.dead_name_request = None
        self.space.bury(self)
        self.urefs = min(self.urefs + 1, DEAD_UREFS_MAX)  # the notification's reference
        notify.dead_name(requester, self.name)


@final
class Space:
    """Names of one task.

    A port that dies turns its entries into dead names when they are next looked at;
    `lookup` is the one place that sees to it.

    Invariants, asserted by `check`:
      - a live port with send or receive rights here has exactly one name for them;
      - that name is `names_by_port[port]`;
      - an index below `_next_index` belongs to one entry or one free name.
    """

    def __init__(self, zone: PortZone) -> None:
        self.zone = zone
        self.task_number = 0
        self.alive = True
        self.messages_sent = self.messages_received = 0
        self.entries: dict[int, Entry] = {}
        self.names_by_port: dict[Port, int] = {}
        self.accepted_requests: dict[int, AcceptedRequest] = {}  # by name of the right that forced
        self._free: list[int] = []  # names whose index is free; the last freed is used first
        self._next_index = 1  # the high bits of the next name that was never used
        self._chosen: set[int] = set()  # names that the task or a sender chose

    # -- names ----------------------------------------------------------------

    def lookup(self, name: int) -> Entry:
        """Raises INVALID_NAME: `name` denotes nothing."""
        entry = self.entries.get(name)
        if entry is None:
            raise KernelError(KernReturn.INVALID_NAME)
        port = entry.port
        if port is not None and port.dead:
            self.bury(entry)
        return entry

    def find(self, name: int) -> Entry | None:
        """As `lookup`, with None for a name that denotes nothing."""
        entry = self.entries.get(name)
        if entry is not None and entry.port is not None and entry.port.dead:
            self.bury(entry)
        return entry

    def bury(self, entry: Entry) -> None:
        """Make `entry`, whose port is dead, a dead name."""
        port = entry.port
        if port is None:
            return
        if entry.kind & SEND_ONCE:
            port.send_once_rights -= 1
            entry.urefs = 1
        else:
            if entry.kind & SEND:
                port.send_rights -= 1
            self.names_by_port.pop(port, None)
        entry.kind, entry.port = DEAD_NAME, None
        if self.accepted_requests:
            self._forget_accepted(entry.name)

    def _forget_accepted(self, name: int) -> None:
        """A name goes, or is a dead name now: a message it forced is not told of by name."""
        request = self.accepted_requests.pop(name, None)
        if request is not None:
            request.name = MACH_PORT_NULL

    def _new_name(self) -> int:
        """A name for an entry that is made at once.  Raises NO_SPACE: too many names."""
        while True:
            if self._free:
                name = self._free.pop()
            elif self._next_index < NAMES_MAX:
                name = self._next_index << GENERATION_BITS
                self._next_index += 1
            else:
                raise KernelError(KernReturn.NO_SPACE)
            if not self._chosen:
                return name
            for _ in range(GENERATIONS):
                if name not in self.entries:
                    return name
                name = _successor(name)  # somebody chose it

    def _add(self, name: int, kind: int, port: Port | None, urefs: int) -> Entry:
        entry = self.entries[name] = Entry(self, name, kind, port, urefs)
        return entry

    def remove(self, entry: Entry) -> None:
        """Free the name of an entry that has given its rights up; a dead-name request on it
        gets port-deleted."""
        name = entry.name
        del self.entries[name]
        self._free_name(name)
        if self.accepted_requests:
            self._forget_accepted(name)
        if entry.dead_name_request is not None:
            request = self.cancel_dead_name_request(entry)
            assert request is not None
            notify.port_deleted(request, name)

    def _free_name(self, name: int) -> None:
        if self._chosen and name in self._chosen:
            self._chosen.discard(name)
        else:
            self._free.append(_successor(name))

    def cancel_dead_name_request(self, entry: Entry) -> Port | None:
        """Take the request off `entry`; the caller owns its send-once right."""
        request, entry.dead_name_request = entry.dead_name_request, None
        if entry.port is not None and request is not None:
            del entry.port.dead_name_requests[entry]
        return request

    def request_dead_name(self, entry: Entry, request: Port) -> Port | None:
        """Register `request`, one of whose send-once rights is given; the port registered
        before, whose right is the caller's now.  The entry has a port."""
        assert entry.port is not None
        previous = self.cancel_dead_name_request(entry)
        entry.dead_name_request = entry.port.dead_name_requests[entry] = request
        return previous

    def _check_new(self, name: int) -> None:
        if name in (MACH_PORT_NULL, MACH_PORT_DEAD):
            raise KernelError(KernReturn.INVALID_VALUE)
        if name in self.entries:
            raise KernelError(KernReturn.NAME_EXISTS)

    def allocate(self, kind: Right, name: int | None = None) -> int:
        """Make a receive right, port set or dead name; its name, `name` if given.

        Raises NO_SPACE, NAME_EXISTS, INVALID_VALUE (a kind that cannot be made alone).
        """
        if kind not in (Right.RECEIVE, Right.PORT_SET, Right.DEAD_NAME):
            raise KernelError(KernReturn.INVALID_VALUE)
        if name is None:
            name = self._new_name()
        else:
            self._check_new(name)
            self._chosen.add(name)
        if kind is Right.RECEIVE:
            port = Port(self.zone)
            self._add(name, RECEIVE, port, 0)
            port.receiver, port.receiver_name = self, name
            self.names_by_port[port] = name
        elif kind is Right.PORT_SET:
            entry = self._add(name, PORT_SET, None, 1)
            entry.port_set = PortSet()
            entry.port_set.name = name
        else:
            self._add(name, DEAD_NAME, None, 1)
        return name

    # -- rights out of the space ------------------------------------------------

    def take(self, name: int, disposition: int) -> CarriedRight:
        """The right that `disposition` takes from `name` (mach-abi.md 5.2).

        Raises INVALID_NAME, INVALID_RIGHT; nothing was changed then.
        """
        entry = self.lookup(name)
        kind, port = entry.kind, entry.port
        if port is None:
            return self._take_dead(entry, disposition)
        if disposition == COPY_SEND and kind & SEND:
            return port.copy_send()
        if disposition == MOVE_SEND and kind & SEND:
            return self._take_send(entry, port)
        if disposition == MOVE_SEND_ONCE and kind & SEND_ONCE:
            self.remove(entry)
            return Carried(port, MOVE_SEND_ONCE)
        if kind & RECEIVE:
            if disposition == MAKE_SEND:
                return port.make_send()
            if disposition == MAKE_SEND_ONCE:
                return port.make_send_once()
            if disposition == MOVE_RECEIVE:
                return self._take_receive(entry, port)
        raise KernelError(KernReturn.INVALID_RIGHT)

    def _take_dead(self, entry: Entry, disposition: int) -> DeadRight:
        if entry.kind != DEAD_NAME or disposition not in (COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE):
            raise KernelError(KernReturn.INVALID_RIGHT)
        if disposition != COPY_SEND:
            self._drop_reference(entry)
        return DEAD

    def _take_send(self, entry: Entry, port: Port) -> Carried:
        if entry.urefs > 1:
            entry.urefs -= 1
            return port.copy_send()
        self._send_part_gone(entry, port)
        return Carried(port, MOVE_SEND)

    def _send_part_gone(self, entry: Entry, port: Port) -> None:
        """The entry's send right has left it; without a receive right the name goes."""
        entry.urefs = 0
        if entry.kind & RECEIVE:
            entry.kind = RECEIVE
        else:
            del self.names_by_port[port]
            self.remove(entry)

    def _take_receive(self, entry: Entry, port: Port) -> Carried:
        port.leave_receiver()
        if entry.kind & SEND:
            entry.kind = SEND
        else:
            del self.names_by_port[port]
            self.remove(entry)
        return Carried(port, MOVE_RECEIVE)

    # -- rights into the space --------------------------------------------------

    def insert(self, right: CarriedRight) -> int:
        """Give the space a right; its name (mach-abi.md 5.3).

        Raises NO_SPACE; the caller still holds the right then.
        """
        if right is None:
            return MACH_PORT_NULL
        if isinstance(right, DeadRight):
            return MACH_PORT_DEAD
        port = right.port
        if port.dead:
            right.destroy()
            return MACH_PORT_DEAD
        if right.kind == MOVE_SEND_ONCE:
            return self.insert_send_once(port)
        known = self.names_by_port.get(port)
        if known is None:
            name = self._new_name()
            self._add_named(name, right)
            return name
        self._merge(self.entries[known], right)
        return known

    def insert_send_once(self, port: Port) -> int:
        """As `insert`, for a send-once right on a port that lives: the way of every reply."""
        name = self._new_name()
        self.entries[name] = Entry(self, name, SEND_ONCE, port, 1)
        return name

    def insert_as(self, right: CarriedRight, name: int) -> None:
        """Give the space a right under `name`.

        Raises INVALID_CAPABILITY, INVALID_VALUE, NAME_EXISTS, RIGHT_EXISTS,
        UREFS_OVERFLOW; the caller still holds the right then.
        """
        if right is None or isinstance(right, DeadRight) or right.port.dead:
            raise KernelError(KernReturn.INVALID_CAPABILITY)
        if name in (MACH_PORT_NULL, MACH_PORT_DEAD):
            raise KernelError(KernReturn.INVALID_VALUE)
        known = None if right.kind == MOVE_SEND_ONCE else self.names_by_port.get(right.port)
        entry = self.find(name)
        if entry is not None:
            if known != name:
                raise KernelError(KernReturn.NAME_EXISTS)
            if right.kind == MOVE_SEND and entry.urefs >= UREFS_MAX:
                raise KernelError(KernReturn.UREFS_OVERFLOW)
            self._merge(entry, right)
            return
        if known is not None:
            raise KernelError(KernReturn.RIGHT_EXISTS)
        self._chosen.add(name)
        if right.kind == MOVE_SEND_ONCE:
            self._add(name, SEND_ONCE, right.port, 1)
        else:
            self._add_named(name, right)

    def _add_named(self, name: int, right: Carried) -> None:
        port = right.port
        if right.kind == MOVE_SEND:
            self._add(name, SEND, port, 1)
        else:
            self._add(name, RECEIVE, port, 0)
            self._receive_here(port, name)
        self.names_by_port[port] = name

    def _merge(self, entry: Entry, right: Carried) -> None:
        """Add a send or receive right to the name that denotes its port already."""
        port = right.port
        if right.kind == MOVE_RECEIVE:
            entry.kind |= RECEIVE
            self._receive_here(port, entry.name)
        elif entry.kind & SEND:
            entry.urefs = min(entry.urefs + 1, UREFS_MAX)
            port.drop_send()  # this name's right stands for all its references
        else:
            entry.kind |= SEND
            entry.urefs = 1

    def _receive_here(self, port: Port, name: int) -> None:
        port.receiver, port.receiver_name, port.destination = self, name, None

    # -- references -------------------------------------------------------------

    def _drop_reference(self, entry: Entry) -> None:
        """One reference less of a dead name."""
        entry.urefs -= 1
        if entry.urefs == 0:
            self.remove(entry)

    def deallocate(self, name: int) -> None:
        """Raises INVALID_NAME, INVALID_RIGHT (mach-abi.md 5.9)."""
        entry = self.lookup(name)
        if entry.kind == DEAD_NAME:
            self._drop_reference(entry)
        elif entry.kind & SEND_ONCE:
            right = self.take(name, MOVE_SEND_ONCE)
            assert right is not None
            right.destroy()
        elif entry.kind & SEND:
            self.change_references(name, Right.SEND, -1)
        else:
            raise KernelError(KernReturn.INVALID_RIGHT)

    def destroy_name(self, name: int) -> None:
        """Give up all that `name` denotes.  Raises INVALID_NAME."""
        entry = self.lookup(name)
        if entry.kind == DEAD_NAME:
            self.remove(entry)
        elif entry.kind & PORT_SET:
            self._destroy_set(entry)
        elif entry.kind & SEND_ONCE:
            self.deallocate(name)
        else:
            port = entry.port
            assert port is not None
            had_send, had_receive = entry.kind & SEND, entry.kind & RECEIVE
            del self.names_by_port[port]
            self.remove(entry)
            entry.kind, entry.port = 0, None
            if had_send:
                port.drop_send()
            if had_receive:
                port.destroy()

    def _destroy_set(self, entry: Entry) -> None:
        assert entry.port_set is not None
        entry.port_set.destroy()
        self.remove(entry)

    def references(self, name: int, kind: Right) -> int:
        """User references of one kind of right; 0 if the name lacks it."""
        entry = self.lookup(name)
        if not entry.kind & kind.type_bit:
            return 0
        return entry.urefs if kind in (Right.SEND, Right.DEAD_NAME) else 1

    def change_references(self, name: int, kind: Right, delta: int) -> None:
        """`mach_port_mod_refs`.

        Raises INVALID_NAME, INVALID_RIGHT, INVALID_VALUE, UREFS_OVERFLOW.
        """
        entry = self.lookup(name)
        if not entry.kind & kind.type_bit:
            raise KernelError(KernReturn.INVALID_RIGHT)
        if delta == 0:
            return
        if kind in (Right.SEND, Right.DEAD_NAME):
            self._change_counted(entry, kind, delta)
        elif delta != -1:
            raise KernelError(KernReturn.INVALID_VALUE)
        elif kind is Right.PORT_SET:
            self._destroy_set(entry)
        elif kind is Right.SEND_ONCE:
            self.deallocate(name)
        else:
            self._destroy_receive(entry)

    def _change_counted(self, entry: Entry, kind: Right, delta: int) -> None:
        count = entry.urefs + delta
        if count < 0:
            raise KernelError(KernReturn.INVALID_VALUE)
        if count > (UREFS_MAX if kind is Right.SEND else DEAD_UREFS_MAX):
            raise KernelError(KernReturn.UREFS_OVERFLOW)
        entry.urefs = count
        if count == 0:
            port = entry.port
            if port is None:
                self.remove(entry)
            else:
                self._send_part_gone(entry, port)
                port.drop_send()

    def _destroy_receive(self, entry: Entry) -> None:
        """The receive part goes; with a send part the name turns into a dead name."""
        port = entry.port
        assert port is not None
        if entry.kind & SEND:
            entry.kind = SEND
            port.destroy()
            self.find(entry.name)
        else:
            del self.names_by_port[port]
            self.remove(entry)
            entry.kind, entry.port = 0, None
            port.destroy()

    def rename(self, old: int, new: int) -> None:
        """Raises INVALID_NAME, INVALID_VALUE, NAME_EXISTS."""
        entry = self.lookup(old)
        self._check_new(new)
        del self.entries[old]
        self._free_name(old)
        self._chosen.add(new)
        entry.name = new
        self.entries[new] = entry
        port = entry.port
        if port is not None and not entry.kind & SEND_ONCE:
            self.names_by_port[port] = new
            if entry.kind & RECEIVE:
                port.receiver_name = new
        if entry.port_set is not None:
            entry.port_set.name = new
        request = self.accepted_requests.pop(old, None)
        if request is not None:
            request.name = new
            self.accepted_requests[new] = request

    # -- the whole space ----------------------------------------------------------

    def destroy(self) -> None:
        """The task has ended: every entry is given up as by `mach_port_destroy`."""
        self.alive = False
        for name in list(self.entries):
            if name in self.entries:
                self.destroy_name(name)

    def check(self) -> None:
        for name, entry in self.entries.items():
            assert entry.name == name and entry.space is self
            if entry.port is None or entry.port.dead:
                continue
            if entry.kind & (SEND | RECEIVE):
                assert self.names_by_port[entry.port] == name
                assert bool(entry.kind & SEND) == (entry.urefs > 0)
            if entry.kind & RECEIVE:
                assert entry.port.receiver is self and entry.port.receiver_name == name
        for port, name in self.names_by_port.items():
            assert self.entries[name].port is port
        assert self._chosen <= self.entries.keys()
        assert self.accepted_requests.keys() <= self.entries.keys()
        assert len(self._free) + len(self.entries) - len(self._chosen) <= self._next_index - 1


def _successor(name: int) -> int:
    """The name with the same index and the next generation."""
    return name & -GENERATIONS | (name + 1) & (GENERATIONS - 1)
