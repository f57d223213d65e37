"""Open devices: one kernel object per kind, all with the same calls.

Semantics and errors: mach-abi.md 11.  A call that a device cannot do raises
D_INVALID_OPERATION; one that takes time answers later through the `PendingReply`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, final

from machemu.hw.api import PAGE_SIZE
from machemu.interfaces import device_intr as interrupt_interface
from machemu.interfaces.runtime import encode_request
from machemu.kernel.ipc.message import Message
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_SEND
from machemu.kernel.results import DeviceReturn, KernelError
from machemu.kernel.vm.object import DeviceObject
from machemu.kernel.vm.wiring import Wiring, wire

if TYPE_CHECKING:
    from machemu.hw.api import BlockDevice, CharacterDevice, MappedDevice
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.rpc.call import PendingReply
    from machemu.kernel.task.task import Task

NOWAIT: Final = 8  # mode bit of read and write
SECTOR: Final = 512  # octets
TRANSFER_MAX: Final = 1 << 20  # octets of one disk command
DEV_GET_SIZE: Final = 0
DEV_GET_RECORDS: Final = 1
TTY_STATUS: Final = ord("t") << 16 | 1
NET_ADDRESS: Final = ord("n") << 16 | 2
INTERRUPT_ID: Final = 100  # msgh_id of device_intr_notify


class DeviceInstance:
    """An open device.  Opening it again raises `opens` and gives the same port."""

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel = kernel
        self.name = name
        self.opens = 0
        self.port = Port(kernel.zone, self)

    def read(self, reply: PendingReply, mode: int, record: int, wanted: int) -> None:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def write(self, reply: PendingReply, mode: int, record: int, data: bytes) -> None:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def check_read(self, mode: int, record: int, wanted: int) -> None:
        """Raise what is wrong with a read before its reply is put off."""
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def check_write(self, mode: int, record: int, octets: int) -> None:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def status(self, flavor: int) -> list[int]:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def memory(self, offset: int, size: int) -> DeviceObject:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def set_interrupt_port(self, port: Port) -> None:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def window(self, task: Task, address: int, size: int, writable: bool) -> int:
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def kept_port(self) -> Port | None:
        """A port this device holds a send right on."""
        return None

    def owed_replies(self) -> list[PendingReply]:
        """Replies this device still owes."""
        return []

    def closed(self) -> None:
        """The last opener has closed it."""


@final
class Console(DeviceInstance):
    """A terminal.  A read gives at most a line; readers wait in the order they came."""

    def __init__(self, kernel: Kernel, name: str, line: CharacterDevice) -> None:
        super().__init__(kernel, name)
        self._line = line
        self._readers: deque[tuple[PendingReply, int]] = deque()
        line.interrupt.attach(self._input)

    def owed_replies(self) -> list[PendingReply]:
        return [reply for reply, _ in self._readers]

    def check_read(self, mode: int, record: int, wanted: int) -> None:
        if wanted <= 0:
            raise KernelError(DeviceReturn.INVALID_SIZE)

    def read(self, reply: PendingReply, mode: int, record: int, wanted: int) -> None:
        data = b"" if self._readers else self._line.read(wanted)
        if data:
            reply.reply(DeviceReturn.SUCCESS, data)
        elif mode & NOWAIT:
            reply.reply(DeviceReturn.WOULD_BLOCK)
        else:
            self._readers.append((reply, wanted))

    def _input(self) -> None:
        while self._readers:
            reply, wanted = self._readers[0]
            data = self._line.read(wanted) if reply.awaited else b""
            if reply.awaited and not data:
                return
            self._readers.popleft()
            reply.reply(DeviceReturn.SUCCESS, data)

    def check_write(self, mode: int, record: int, octets: int) -> None:
        """Any length, of which none is left over."""

    def write(self, reply: PendingReply, mode: int, record: int, data: bytes) -> None:
        self._line.write(data)
        reply.reply(DeviceReturn.SUCCESS, len(data))

    def status(self, flavor: int) -> list[int]:
        if flavor == TTY_STATUS:
            return [0, 0, 0, 0]
        if flavor == DEV_GET_SIZE:
            return [0, 1]
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def closed(self) -> None:
        while self._readers:
            self._readers.popleft()[0].reply(DeviceReturn.DEVICE_DOWN)


@final
class Disk(DeviceInstance):
    """A disk or a partition of one: `sectors` sectors from `first`."""

    def __init__(self, kernel: Kernel, name: str, device: BlockDevice, first: int, sectors: int) -> None:
        super().__init__(kernel, name)
        self._device = device
        self._first = first
        self._sectors = sectors
        self._owed: list[PendingReply] = []

    def owed_replies(self) -> list[PendingReply]:
        return list(self._owed)

    def _check(self, record: int, octets: int) -> None:
        if octets <= 0 or octets % SECTOR or octets > TRANSFER_MAX:
            raise KernelError(DeviceReturn.INVALID_SIZE)
        if record + octets // SECTOR > self._sectors:
            raise KernelError(DeviceReturn.INVALID_RECNUM)

    def check_read(self, mode: int, record: int, wanted: int) -> None:
        self._check(record, wanted)

    def check_write(self, mode: int, record: int, octets: int) -> None:
        self._check(record, octets)

    def _frames(self, octets: int) -> tuple[int, ...]:
        """Frames to transfer through.  Raises D_NO_MEMORY."""
        frames: list[int] = []
        try:
            for _ in range(0, octets, PAGE_SIZE):
                frames.append(self.kernel.pool.allocate())
        except KernelError:
            self._free(tuple(frames))
            raise KernelError(DeviceReturn.NO_MEMORY) from None
        return tuple(frames)

    def _free(self, frames: tuple[int, ...]) -> None:
        for frame in frames:
            self.kernel.pool.free(frame)

    def read(self, reply: PendingReply, mode: int, record: int, wanted: int) -> None:
        frames = self._frames(wanted)
        self._owed.append(reply)

        def done(succeeded: bool) -> None:
            self._owed.remove(reply)
            ram = self.kernel.machine.memory.data
            data = b"".join(ram[frame * PAGE_SIZE:(frame + 1) * PAGE_SIZE] for frame in frames)[:wanted]
            self._free(frames)
            if succeeded:
                reply.reply(DeviceReturn.SUCCESS, data)
            else:
                reply.reply(DeviceReturn.IO_ERROR)

        self._device.submit("read", self._first + record, frames, wanted, done)

    def write(self, reply: PendingReply, mode: int, record: int, data: bytes) -> None:
        frames = self._frames(len(data))
        ram = self.kernel.machine.memory.data
        for number, frame in enumerate(frames):
            part = data[number * PAGE_SIZE:(number + 1) * PAGE_SIZE]
            ram[frame * PAGE_SIZE:frame * PAGE_SIZE + len(part)] = part

        self._owed.append(reply)

        def done(succeeded: bool) -> None:
            self._owed.remove(reply)
            self._free(frames)
            if succeeded:
                reply.reply(DeviceReturn.SUCCESS, len(data))
            else:
                reply.reply(DeviceReturn.IO_ERROR)

        self._device.submit("write", self._first + record, frames, len(data), done)

    def status(self, flavor: int) -> list[int]:
        if flavor == DEV_GET_SIZE:
            return [self._sectors * SECTOR, SECTOR]
        if flavor == DEV_GET_RECORDS:
            return [self._sectors, SECTOR]
        raise KernelError(DeviceReturn.INVALID_OPERATION)


@final
class Mapped(DeviceInstance):
    """A register page that its opener maps; interrupts arrive as messages (11.5).

    It closes with `owner`, the task that opened it.
    """

    def __init__(self, kernel: Kernel, name: str, device: MappedDevice, unit: str, owner: Task) -> None:
        super().__init__(kernel, name)
        self.owner = owner
        self._device = device
        self._unit = unit
        self._line = device.interrupt(unit)
        self._interrupt_port: Port | None = None
        self._wirings: list[Wiring] = []

    def memory(self, offset: int, size: int) -> DeviceObject:
        if offset or size > PAGE_SIZE:
            raise KernelError(DeviceReturn.INVALID_SIZE)
        return DeviceObject(self._device.bus_page(self._unit))

    def status(self, flavor: int) -> list[int]:
        if flavor == DEV_GET_SIZE:
            return [PAGE_SIZE, PAGE_SIZE]
        raise KernelError(DeviceReturn.INVALID_OPERATION)

    def kept_port(self) -> Port | None:
        return self._interrupt_port

    def set_interrupt_port(self, port: Port) -> None:
        """Keep the send right the caller gives.  Raises D_INVALID_OPERATION: no interrupt."""
        if self._line is None:
            raise KernelError(DeviceReturn.INVALID_OPERATION)
        self._drop_port()
        self._interrupt_port = port
        self._line.attach(self._interrupted)

    def _drop_port(self) -> None:
        if self._interrupt_port is not None:
            port, self._interrupt_port = self._interrupt_port, None
            port.drop_send()

    def _interrupted(self) -> None:
        port = self._interrupt_port
        if port is None or port.dead or self._line is None:
            return
        port.send_rights += 1
        encoded = encode_request(interrupt_interface.SUBSYSTEM.routines[INTERRUPT_ID], (self._line.number,))
        message = Message(self.kernel.zone.next_message_number(), encoded.data, 0, INTERRUPT_ID, 0, port, MOVE_SEND)
        if self.kernel.events.message_sent:
            self.kernel.report_sent(message)
        port.enqueue(message)

    def window(self, task: Task, address: int, size: int, writable: bool) -> int:
        """Open a window on `task`'s memory; its bus address.

        Raises what `wire` raises, D_NO_MEMORY: no window is left.
        """
        wiring = wire(task.memory, address, size, writable=writable)
        bus = self._device.open_window(self._unit, wiring.frames, writable)
        if bus is None:
            wiring.release()
            raise KernelError(DeviceReturn.NO_MEMORY)
        self._wirings.append(wiring)
        return bus

    def closed(self) -> None:
        self._device.close(self._unit)
        if self._line is not None:
            self._line.attach(None)
        self._drop_port()
        for wiring in self._wirings:
            wiring.release()
        self._wirings.clear()
