"""The host, privileged and not: `mach_host.defs`, `bootstrap.defs`, `machemu.defs`.

Rules and errors: mach-abi.md 6.3, 6.12, 6.13 and 10.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from machemu.kernel.ipc.port import Port, PortZone
from machemu.kernel.ipc.right import MOVE_SEND, Carried, CarriedRight
from machemu.kernel.results import KernelError, KernReturn
from machemu.kernel.task.task import Task

if TYPE_CHECKING:
    from machemu.kernel.rpc.call import Handler, RpcCall

RB_HALT: Final = 0x08
NS_PER_SECOND: Final = 1_000_000_000
SECONDS_MAX: Final = 1 << 33  # more than 250 years: nanoseconds stay within 64 bits
KERNEL_VERSION: Final = "machemu 1 (Mach 3.0, GNU Mach 64-bit user ABI), RV64"
VERSION_LENGTH: Final = 512  # octets
OWNER_TASK, OWNER_KERNEL, OWNER_IN_TRANSIT = 1, 2, 3  # kinds of `port_owner`


@dataclass(frozen=True, slots=True)
class BootInfo:
    """What `boot_info` (4602) tells, 64 octets in this order."""

    node: int = 1
    epoch: int = 1
    ram: int = 0  # octets
    code_bytes_per_second: int = 400_000_000
    harts: int = 1
    flags: int = 1  # bit 0 laboratory site, 1 paper_ids, 2 and 3 optimisations, 8 to 15 suite
    platform: bytes = bytes(32)

    def pack(self) -> bytes:
        return struct.pack("<IIQQII32s", self.node, self.epoch, self.ram, self.code_bytes_per_second,
                           self.harts, self.flags, self.platform)


@final
class Host:
    """The unprivileged host port's object."""

    def __init__(self, zone: PortZone) -> None:
        self.port = Port(zone, self)


@final
class HostPrivileged:
    """The privileged host port's object: it can do what the host port can, and more."""

    def __init__(self, zone: PortZone) -> None:
        self.port = Port(zone, self)


@final
class DeviceMaster:
    """What `device_open` is called on."""

    def __init__(self, zone: PortZone) -> None:
        self.port = Port(zone, self)


@final
class BootstrapObject:
    """The kernel as bootstrap server of a task that runs alone (mach-abi.md 10.1)."""

    def __init__(self, zone: PortZone) -> None:
        self.port = Port(zone, self)


def require_host(call: RpcCall) -> None:
    """Raises INVALID_HOST: called on another port."""
    if not isinstance(call.target, Host | HostPrivileged):
        raise KernelError(KernReturn.INVALID_HOST)


def require_privileged(call: RpcCall) -> None:
    call.target_as(HostPrivileged, KernReturn.INVALID_HOST)


def host_get_time(call: RpcCall) -> tuple[object, ...]:
    require_host(call)
    seconds, ns = divmod(call.kernel.time_ns(), NS_PER_SECOND)
    return ([seconds, ns // 1000],)


def host_get_time64(call: RpcCall) -> tuple[object, ...]:
    require_host(call)
    return (list(divmod(call.kernel.time_ns(), NS_PER_SECOND)),)


def host_set_time(call: RpcCall, time: tuple[int, int]) -> None:
    """Seconds and microseconds; the clock reads that from now on.  Raises INVALID_ARGUMENT."""
    require_privileged(call)
    seconds, microseconds = time
    _set_time(call, seconds, microseconds * 1000)


def host_set_time64(call: RpcCall, time: tuple[int, int]) -> None:
    """Seconds and nanoseconds.  Raises INVALID_ARGUMENT."""
    require_privileged(call)
    _set_time(call, *time)


def _set_time(call: RpcCall, seconds: int, ns: int) -> None:
    if not (0 <= seconds < SECONDS_MAX and 0 <= ns < NS_PER_SECOND):
        raise KernelError(KernReturn.INVALID_ARGUMENT)
    kernel = call.kernel
    kernel.time_at_boot_ns = seconds * NS_PER_SECOND + ns - kernel.clock.now_ns


def host_reboot(call: RpcCall, options: int) -> None:
    require_privileged(call)
    call.kernel.power_off(reboot=not options & RB_HALT)


def host_get_kernel_version(call: RpcCall) -> tuple[bytes]:
    require_host(call)
    return (KERNEL_VERSION.encode().ljust(VERSION_LENGTH, b"\0"),)


def bootstrap_privileged_ports(call: RpcCall) -> tuple[CarriedRight, CarriedRight]:
    call.target_as(BootstrapObject)
    kernel = call.kernel
    return kernel.host_privileged.port.make_send(), kernel.device_master.port.make_send()


def port_owner(call: RpcCall, right: CarriedRight) -> tuple[int, int]:
    """Who holds the receive right; the right given is consumed."""
    require_privileged(call)
    if not isinstance(right, Carried) or right.kind != MOVE_SEND:
        raise KernelError(KernReturn.INVALID_CAPABILITY)
    port = right.port
    right.destroy()
    if port.receiver is not None:
        return port.receiver.task_number, OWNER_TASK
    return 0, OWNER_KERNEL if port.kernel_object is not None else OWNER_IN_TRANSIT


def boot_info(call: RpcCall) -> tuple[bytes]:
    require_host(call)
    return (call.kernel.boot_info.pack(),)


def set_network_server(call: RpcCall, right: CarriedRight) -> tuple[int]:
    require_privileged(call)
    task = right.port.kernel_object if isinstance(right, Carried) else None
    if not isinstance(task, Task):
        raise KernelError(KernReturn.INVALID_TASK)
    assert isinstance(right, Carried)
    right.destroy()
    return (call.kernel.set_network_server(task),)


def machemu_exit(call: RpcCall, status: int) -> None:
    task = call.target_as(Task, KernReturn.INVALID_TASK)
    call.kernel.terminate_task(task, status, "exit")


HANDLERS: Final[dict[str, Handler]] = {
    handler.__name__: handler
    for handler in (
        host_get_time, host_get_time64, host_set_time, host_set_time64, host_reboot, host_get_kernel_version,
        bootstrap_privileged_ports, port_owner, boot_info, set_network_server, machemu_exit,
    )
}
