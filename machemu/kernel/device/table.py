"""The devices of a node by name: `console`, `hd0`, `hd0s1`, `eth0`, `eth0q0`, `crypto0c5`."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, final

from machemu.kernel.device.instance import Console, DeviceInstance, Disk, Mapped
from machemu.kernel.ipc.port import Port
from machemu.kernel.results import DeviceReturn, KernelError

if TYPE_CHECKING:
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.task import Task
    from machemu.kernel.vm.object import DeviceObject


@final
class MemoryObject:
    """What `device_map` gives: a port that `vm_map` turns into the device's registers."""

    def __init__(self, kernel: Kernel, memory: DeviceObject) -> None:
        self.memory = memory
        self.port = Port(kernel.zone, self)


@final
class DeviceTable:
    """Devices that can be opened, and those that are."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._open: dict[str, DeviceInstance] = {}
        self._memory: dict[str, MemoryObject] = {}
        self._partitions: dict[str, tuple[str, int, int]] = {}
        self._closing: list[DeviceInstance] = []  # closed, with replies that they owe

    def add_partition(self, name: str, parent: str, first: int, sectors: int) -> None:
        """Tell of a partition: `sectors` sectors of disk `parent` from `first`."""
        self._partitions[name] = (parent, first, sectors)

    def open(self, name: str, task: Task) -> DeviceInstance:
        """Raises D_NO_SUCH_DEVICE, D_ALREADY_OPEN."""
        instance = self._open.get(name)
        if instance is None:
            instance = self._make(name, task)
            self._open[name] = instance
        elif isinstance(instance, Mapped):
            raise KernelError(DeviceReturn.ALREADY_OPEN)
        instance.opens += 1
        return instance

    def _make(self, name: str, task: Task) -> DeviceInstance:
        machine = self._kernel.machine
        if name in machine.character_devices:
            return Console(self._kernel, name, machine.character_devices[name])
        if name in machine.block_devices:
            disk = machine.block_devices[name]
            return Disk(self._kernel, name, disk, 0, disk.sectors)
        if name in self._partitions:
            parent, first, sectors = self._partitions[name]
            if parent not in machine.block_devices:
                raise KernelError(DeviceReturn.NO_SUCH_DEVICE)
            return Disk(self._kernel, name, machine.block_devices[parent], first, sectors)
        for base, device in machine.mapped_devices.items():
            unit = name.removeprefix(base)
            if name.startswith(base) and unit in device.units():
                if not device.open(unit, task.number):
                    raise KernelError(DeviceReturn.ALREADY_OPEN)
                instance = Mapped(self._kernel, name, device, unit, task)
                task.at_end[instance] = partial(self._close_for_good, instance)
                return instance
        raise KernelError(DeviceReturn.NO_SUCH_DEVICE)

    def close(self, instance: DeviceInstance) -> None:
        instance.opens -= 1
        if instance.opens == 0:
            self._close_for_good(instance)

    def _close_for_good(self, instance: DeviceInstance) -> None:
        """The last opener has closed the device, or the owner of a mapped one has ended."""
        del self._open[instance.name]
        if isinstance(instance, Mapped):
            del instance.owner.at_end[instance]
        instance.closed()
        instance.port.die()
        memory = self._memory.pop(instance.name, None)
        if memory is not None:
            memory.memory.revoke()
            memory.port.die()
        self._closing = [one for one in (*self._closing, instance) if one.owed_replies()]

    def map(self, instance: DeviceInstance, offset: int, size: int) -> Port:
        """The memory object of a device's registers, the same one each time."""
        registers = instance.memory(offset, size)
        if instance.name not in self._memory:
            self._memory[instance.name] = MemoryObject(self._kernel, registers)
        return self._memory[instance.name].port

    def memory_object(self, target: object | None) -> DeviceObject | None:
        """What `vm_map` maps for a kernel object, or None."""
        return target.memory if isinstance(target, MemoryObject) else None

    def count_own_rights(self, sends: Counter[Port], onces: Counter[Port]) -> None:
        """Add the rights that devices hold."""
        for instance in (*self._open.values(), *self._closing):
            port = instance.kept_port()
            if port is not None:
                sends[port] += 1
            for reply in instance.owed_replies():
                reply.count(sends, onces)
