"""Boot: what happens on a node before its first instruction.

The boot loader reads the partition table and the archive, measures what the node's
trust rests on, and loads `bootstrap` and `proc`; the rest is theirs (architecture: order
of boot).  Measurements follow security.md 7.6.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from machemu.errors import ConfigError
from machemu.kernel.ipc.port import Port
from machemu.kernel.ipc.right import MOVE_RECEIVE, Carried
from machemu.kernel.rpc.host import KERNEL_VERSION, BootInfo
from machemu.node.loader import parse_elf, start

if TYPE_CHECKING:
    from machemu.image.disk_image import NodeImage
    from machemu.kernel.kernel import Kernel
    from machemu.kernel.task.task import Task

SLOT_ACS, SLOT_BOOT, SLOT_PROC = 0, 1, 2  # of mach_ports (mach-abi.md 10.2)
MEASURED_BASE: Final = ("bootstrap", "proc", "acs", "gns")
SUITES: Final = ("none", "paper", "modern")


def boot_node(kernel: Kernel, image: NodeImage, *, epoch: int) -> None:
    """Load the first two tasks of a node and let them run.

    Raises ConfigError: the image lacks something the boot needs.
    """
    kernel.boot_info = _boot_info(kernel.boot_info, image, epoch)
    for partition in image.partitions:
        kernel.devices.add_partition(f"hd0s{partition.number}", "hd0", partition.start, partition.sectors)
    bootstrap = kernel.create_task(None)
    proc = kernel.create_task(None)
    ports = {SLOT_ACS: _port_of(kernel, bootstrap), SLOT_BOOT: _port_of(kernel, bootstrap),
             SLOT_PROC: _port_of(kernel, proc)}
    for task in (bootstrap, proc):
        for slot, port in ports.items():
            task.registered[slot] = port.make_send().port
    bootstrap.bootstrap_port = kernel.bootstrap.port.make_send().port
    proc.bootstrap_port = ports[SLOT_BOOT].make_send().port
    for task, name in ((bootstrap, "bootstrap"), (proc, "proc")):
        task.name = name
        path = f"bin/{name}"
        if path not in image.files:
            raise ConfigError(f"{image.name}: the archive has no {path}, without which no node boots")
        start(kernel, task, parse_elf(image.files[path], path), [name], path)


def boot_alone(kernel: Kernel, program: bytes, name: str, arguments: list[str]) -> Task:
    """Load one program as the only task, with the kernel as its bootstrap server.

    Raises ConfigError: not a program for this machine.
    """
    task = kernel.create_task(None)
    task.name = name
    task.bootstrap_port = kernel.bootstrap.port.make_send().port
    start(kernel, task, parse_elf(program, name), [name, *arguments], name)
    return task


def _port_of(kernel: Kernel, task: Task) -> Port:
    """A new port with its receive right in `task`, which finds it through its slots."""
    port = Port(kernel.zone)
    task.space.insert(Carried(port, MOVE_RECEIVE))
    return port


def _boot_info(info: BootInfo, image: NodeImage, epoch: int) -> BootInfo:
    site = image.site
    flags = (int(site.lab) | int(site.paper_ids) << 1 | int(site.broadcast_answers) << 2
             | int(site.announce_origin) << 3 | SUITES.index(site.suite) << 8)
    return replace(info, node=image.number, epoch=epoch, flags=flags, platform=measure(image))


def measure(image: NodeImage) -> bytes:
    """The platform measurement, 32 octets (security.md 7.6)."""
    parts = [b"machemu kernel" + KERNEL_VERSION.encode() + image.site.suite.encode(),
             image.files.get("boot.manifest", b"")]
    parts += [image.files[f"bin/{name}"] for name in MEASURED_BASE if f"bin/{name}" in image.files]
    value = bytes(32)
    for part in parts:
        value = hashlib.sha256(value + hashlib.sha256(part).digest()).digest()
    return value
