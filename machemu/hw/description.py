"""Machine descriptions: what a machine is made of, as data (TOML).

    [machine]
    ram = 16777216           # octets, a multiple of 4096
    code_bytes_per_us = 400  # octets of code executed per microsecond
    trap_ns = 200            # what a trap costs
    quantum_ns = 1000000     # how long a thread runs while others wait

    [[device]]
    name = "eth0"
    kind = "nic"             # a row of hw/devices DEVICES
    address = 0x10010000     # bus address of its first register page, below RAM
    interrupt = 3            # its first line
    queues = 4               # whatever else the kind takes: `Device.options`
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from machemu.errors import ConfigError
from machemu.hw.api import PAGE_SIZE
from machemu.hw.memory import RAM_BASE

RAM_MIN, RAM_MAX = 1 << 20, 1 << 30  # octets
RATE_MAX: Final = 10_000  # octets of code per microsecond: what the clock can count for ten days at least
MACHINE_KEYS: Final = {"ram", "code_bytes_per_us", "trap_ns", "quantum_ns"}
DEVICE_KEYS: Final = {"name", "kind", "address", "interrupt"}

# The same text is images/machines/workstation.toml, which recipes name.
WORKSTATION: Final = """\
# The default machine: a workstation with everything machemu has.
[machine]
ram = 16777216           # octets
code_bytes_per_us = 400  # octets of code executed per microsecond
trap_ns = 200
quantum_ns = 1000000

[[device]]
name = "console"
kind = "console"
address = 0x10000000
interrupt = 1

[[device]]
name = "hd0"
kind = "disk"
address = 0x10001000
interrupt = 2

[[device]]
name = "timer"
kind = "timer"
address = 0x10100000
interrupt = 3

[[device]]
name = "power"
kind = "power"
address = 0x10002000
interrupt = 4

[[device]]
name = "eth0"
kind = "nic"
address = 0x10010000
interrupt = 16           # the privileged page's; queue n has 17 + n
queues = 4

[[device]]
name = "crypto0"
kind = "crypto"
address = 0x10200000
interrupt = 32           # of context 0; context n has 32 + n
contexts = 128
"""


@dataclass(frozen=True, slots=True)
class Device:
    """One row of a machine description."""

    name: str
    kind: str
    address: int
    interrupt: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineDescription:
    """All that makes one machine differ from another."""

    ram: int = 16 << 20  # octets
    code_bytes_per_us: int = 400
    trap_ns: int = 200
    quantum_ns: int = 1_000_000
    devices: tuple[Device, ...] = ()

    @classmethod
    def parse(cls, text: str, source: str) -> MachineDescription:
        """Raises ConfigError: `text`, which is called `source`, describes no machine."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{source}: not TOML: {error}") from None
        _refuse_unknown(document, {"machine", "device"}, source)
        machine = document.get("machine", {})
        if not isinstance(machine, dict):
            raise ConfigError(f"{source}: [machine] must be a table")
        _refuse_unknown(machine, MACHINE_KEYS, f"{source}: [machine]")
        rows = document.get("device", [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ConfigError(f"{source}: devices are written as [[device]]")
        default = cls()
        description = cls(
            ram=_integer(machine, "ram", default.ram, RAM_MIN, RAM_MAX, source),
            code_bytes_per_us=_integer(machine, "code_bytes_per_us", default.code_bytes_per_us, 1, RATE_MAX, source),
            trap_ns=_integer(machine, "trap_ns", default.trap_ns, 0, 1_000_000, source),
            quantum_ns=_integer(machine, "quantum_ns", default.quantum_ns, 1_000, 1_000_000_000, source),
            devices=tuple(_device(row, source) for row in rows))
        description._check(source)
        return description

    @classmethod
    def workstation(cls) -> MachineDescription:
        """The default machine."""
        return cls.parse(WORKSTATION, "workstation.toml")

    def _check(self, source: str) -> None:
        if self.ram % PAGE_SIZE:
            raise ConfigError(f"{source}: ram = {self.ram} is not a multiple of {PAGE_SIZE}")
        names: set[str] = set()
        for device in self.devices:
            if device.name in names:
                raise ConfigError(f"{source}: two devices are called {device.name!r}")
            names.add(device.name)


def _device(row: dict[str, Any], source: str) -> Device:
    name = row.get("name")
    if not isinstance(name, str) or not name.isidentifier():
        raise ConfigError(f"{source}: a [[device]] needs a name of letters and digits, not {name!r}")
    where = f"{source}: device {name}"
    kind = row.get("kind")
    if not isinstance(kind, str):
        raise ConfigError(f"{where}: needs a kind")
    address = _integer(row, "address", None, PAGE_SIZE, RAM_BASE - PAGE_SIZE, where)
    if address % PAGE_SIZE:
        raise ConfigError(f"{where}: address = {address:#x} is not a multiple of {PAGE_SIZE}")
    interrupt = _integer(row, "interrupt", None, 0, 0xFFFF, where)
    return Device(name, kind, address, interrupt, {key: row[key] for key in row if key not in DEVICE_KEYS})


def _integer(table: Mapping[str, Any], key: str, default: int | None, low: int, high: int, where: str) -> int:
    value = table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{where}: needs {key} = a whole number, not {value!r}")
    if not low <= value <= high:
        raise ConfigError(f"{where}: {key} = {value} must be from {low} to {high}")
    return value


def integer_option(device: Device, key: str, default: int, low: int, high: int) -> int:
    """An option of a device.  Raises ConfigError: not a whole number, or out of range."""
    return _integer(device.options, key, default, low, high, f"device {device.name}")


def refuse_unknown_options(device: Device, known: set[str]) -> None:
    """Raises ConfigError: an option that this kind of device does not take."""
    _refuse_unknown(device.options, known, f"device {device.name}")


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(table.keys() - known)
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"{where}: no such key: {', '.join(unknown)} (there are {there})")
