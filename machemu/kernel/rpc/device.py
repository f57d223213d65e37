"""device (2800) and dma_window (4604): open, read, write, map, status, windows.

Rules and errors: mach-abi.md 11.  Follows Mach 3 `device/ds_routines.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from machemu.kernel.device.instance import DeviceInstance
from machemu.kernel.ipc.right import COPY_SEND, Carried, CarriedRight
from machemu.kernel.results import DeviceReturn, KernelError, KernReturn
from machemu.kernel.rpc.host import DeviceMaster
from machemu.kernel.task.task import Task
from machemu.kernel.vm.copy import VmCopy

if TYPE_CHECKING:
    from machemu.kernel.rpc.call import Handler, RpcCall

IO_INBAND_MAX: Final = 128  # octets
PROT_WRITE: Final = 2
DEVICE_INTERRUPT_PORT: Final = ord("m") << 16 | 1  # flavor of set_status: one word, a port's name


def _instance(call: RpcCall) -> DeviceInstance:
    return call.target_as(DeviceInstance)


def device_open(call: RpcCall, mode: int, name: bytes) -> tuple[CarriedRight]:
    call.target_as(DeviceMaster, DeviceReturn.INVALID_OPERATION)
    text = name.split(b"\0")[0].decode("latin-1")
    return (call.kernel.devices.open(text, call.task).port.make_send(),)


def device_close(call: RpcCall) -> None:
    call.kernel.devices.close(_instance(call))


def _read(call: RpcCall, mode: int, record: int, wanted: int) -> None:
    device = _instance(call)
    device.check_read(mode, record, wanted)
    device.read(call.defer(), mode, record, wanted)


def device_read(call: RpcCall, mode: int, record: int, wanted: int) -> None:
    _read(call, mode, record, wanted)


def device_read_inband(call: RpcCall, mode: int, record: int, wanted: int) -> None:
    _read(call, mode, record, min(wanted, IO_INBAND_MAX))


def device_write(call: RpcCall, mode: int, record: int, region: VmCopy | None) -> None:
    device = _instance(call)
    if region is None:
        raise KernelError(DeviceReturn.INVALID_SIZE)
    device.check_write(mode, record, region.size)
    if not call.kernel.pool.could_hold(region.size):
        raise KernelError(DeviceReturn.NO_MEMORY)
    data = region.read()
    region.discard()
    device.write(call.defer(), mode, record, data)


def device_write_inband(call: RpcCall, mode: int, record: int, data: bytes) -> None:
    device = _instance(call)
    device.check_write(mode, record, len(data))
    device.write(call.defer(), mode, record, bytes(data))


def device_map(call: RpcCall, protection: int, offset: int, size: int, unmap: int) -> tuple[CarriedRight]:
    return (call.kernel.devices.map(_instance(call), offset, size).make_send(),)


def device_set_status(call: RpcCall, flavor: int, words: list[int]) -> None:
    device = _instance(call)
    if flavor != DEVICE_INTERRUPT_PORT:
        raise KernelError(DeviceReturn.INVALID_OPERATION)
    if len(words) != 1:
        raise KernelError(DeviceReturn.INVALID_SIZE)
    right = call.task.space.take(words[0] & 0xFFFF_FFFF, COPY_SEND)
    if not isinstance(right, Carried):
        raise KernelError(KernReturn.INVALID_CAPABILITY)
    try:
        device.set_interrupt_port(right.port)
    except KernelError:
        right.destroy()
        raise


def device_get_status(call: RpcCall, flavor: int, room: int) -> tuple[list[int]]:
    words = _instance(call).status(flavor)
    if len(words) > room:
        raise KernelError(DeviceReturn.INVALID_SIZE)
    return (words,)


def dma_window(call: RpcCall, right: CarriedRight, address: int, size: int, protection: int) -> tuple[int]:
    """The pages stay pinned until the device is closed."""
    device = _instance(call)
    task = right.port.kernel_object if isinstance(right, Carried) else None
    if not isinstance(task, Task):
        raise KernelError(KernReturn.INVALID_TASK)
    bus = device.window(task, address, size, bool(protection & PROT_WRITE))
    assert isinstance(right, Carried)
    right.destroy()
    return (bus,)


def device_set_filter(call: RpcCall, _port: CarriedRight, _priority: int, _program: list[int]) -> None:
    """Raises INVALID_OPERATION: no packet passes the kernel (mach-abi.md 11.5)."""
    _instance(call)
    raise KernelError(DeviceReturn.INVALID_OPERATION)


HANDLERS: Final[dict[str, Handler]] = {
    "device_open": device_open,
    "device_open_new": device_open,
    "device_close": device_close,
    "device_read": device_read,
    "device_read_inband": device_read_inband,
    "device_write": device_write,
    "device_write_inband": device_write_inband,
    "device_map": device_map,
    "device_set_status": device_set_status,
    "device_get_status": device_get_status,
    "device_set_filter": device_set_filter,
    "dma_window": dma_window,
}
