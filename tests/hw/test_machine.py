"""Machine descriptions, and the machines that are built from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from machemu.errors import ConfigError
from machemu.hw.api import PAGE_SIZE
from machemu.hw.description import WORKSTATION, MachineDescription
from machemu.hw.machine import build_machine
from tests.hw.devices.drivers import workstation
from tests.hw.guests import Rig, guest

TEXT_OF_IMAGES = Path(__file__).resolve().parents[2] / "images" / "machines" / "workstation.toml"
DEVICE = '[[device]]\nname = "{name}"\nkind = "{kind}"\naddress = {address:#x}\ninterrupt = {interrupt}\n{more}\n'


def device(name: str = "console", kind: str = "console", address: int = 0x1000_0000, interrupt: int = 1,
           more: str = "") -> str:
    return DEVICE.format(name=name, kind=kind, address=address, interrupt=interrupt, more=more)


def test_workstation_has_every_device() -> None:
    machine = workstation().machine
    assert set(machine.devices) == {"console", "hd0", "timer", "power", "eth0", "crypto0"}
    assert set(machine.character_devices) == {"console"}
    assert set(machine.block_devices) == {"hd0"}
    assert set(machine.mapped_devices) == {"eth0", "crypto0"}
    assert set(machine.network_devices) == {"eth0"}
    assert machine.network_devices["eth0"] is machine.mapped_devices["eth0"]


def test_file_that_recipes_name_describes_the_default_machine() -> None:
    assert TEXT_OF_IMAGES.read_text() == WORKSTATION
    assert MachineDescription.parse(WORKSTATION, "") == MachineDescription.workstation()


def test_what_is_not_said_has_a_default() -> None:
    assert MachineDescription.parse("", "empty.toml") == MachineDescription()
    description = MachineDescription.parse("[machine]\nram = 2097152\ntrap_ns = 0", "small.toml")
    assert (description.ram, description.trap_ns, description.code_bytes_per_us) == (2 << 20, 0, 400)


@pytest.mark.parametrize(("text", "told"), [
    ("[machine", "x.toml: not TOML"),
    ("machine = 5", r"\[machine\] must be a table"),
    ("[cpu]", "x.toml: no such key: cpu"),
    ("[machine]\nrom = 1", r"\[machine\]: no such key: rom \(there are .*ram"),
    ("[machine]\nram = 1048577", "not a multiple of 4096"),
    ("[machine]\nram = 4096", "ram = 4096 must be from"),
    ("[machine]\nram = true", "needs ram = a whole number"),
    ("[machine]\ncode_bytes_per_us = 0", "must be from 1"),
    ("[machine]\ncode_bytes_per_us = 10001", "to 10000"),
    ("[machine]\ntrap_ns = -1", "must be from 0"),
    ("device = 1", r"written as \[\[device\]\]"),
    ("[[device]]\nkind = 'console'", "needs a name"),
    ("[[device]]\nname = 'a b'\nkind = 'console'", "letters and digits"),
    ("[[device]]\nname = 'a'", "device a: needs a kind"),
    ("[[device]]\nname = 'a'\nkind = 'console'\ninterrupt = 1", "needs address"),
    (device(address=0x1000_0001), "not a multiple of 4096"),
    (device(address=0x8000_0000), "must be from"),
    (device() + device(), "two devices are called 'console'"),
])
def test_bad_text_is_one_clear_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        MachineDescription.parse(text, "x.toml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("text", "told"), [
    (device(kind="abacus"), "device console: no kind 'abacus' .there are console"),
    (device() + device("other"), "console and other overlap|other and console overlap"),
    (device() + device("other", address=0x1000_1000), "two devices .* interrupt 1"),
    (device("eth0", "nic", interrupt=9) + device(interrupt=12, address=0x2000_0000), "interrupt 12"),
    (device("eth0", "nic") + device(address=0x1000_4000, interrupt=9), "overlap at 0x10004000"),
    (device("eth0", "nic", 0x7FFF_E000), "reaches into RAM"),
    (device(more="speed = 9600"), "device console: no such key: speed .there are none"),
    (device("eth0", "nic", more="queues = 0"), "queues = 0 must be from 1"),
    (device("eth0", "nic", more="queues = 33"), "to 32"),
    (device("crypto0", "crypto", more="contexts = 129"), "to 128"),
    (device("hd0", "disk", more="sectors = 'many'"), "needs sectors = a whole number"),
])
def test_machine_that_cannot_be_built_is_one_clear_line(text: str, told: str) -> None:
    description = MachineDescription.parse(text, "x.toml")
    with pytest.raises(ConfigError, match=told) as error:
        build_machine(description)
    assert "\n" not in str(error.value)


def test_machine_may_have_no_device_at_all() -> None:
    rig = Rig(MachineDescription(ram=1 << 20))
    assert rig.machine.on_console is None
    rig.machine.on_console = lambda octets: None  # nowhere to put it
    assert rig.machine.on_console is None
    assert rig.run(rig.load(guest("li a0, 1\necall")))[0].detail[0] == 1


def test_several_devices_of_a_kind_live_side_by_side() -> None:
    text = device("eth0", "nic", 0x1000_0000, 1, "queues = 1") + device("eth1", "nic", 0x1001_0000, 3, "queues = 2")
    machine = Rig(MachineDescription.parse(text, "two.toml")).machine
    assert {name: nic.units() for name, nic in machine.network_devices.items()} == \
        {"eth0": ("", "q0"), "eth1": ("", "q0", "q1")}


def test_frames_of_drivers_are_not_the_kernels() -> None:
    memory = workstation().machine.memory
    assert memory.all_frames * PAGE_SIZE == len(memory.data) == 16 << 20
    assert memory.frames == memory.all_frames - 1  # the disk's ring


def test_devices_do_not_depend_on_their_order_in_the_text() -> None:
    blocks = WORKSTATION.split("[[device]]")
    other = MachineDescription.parse("[[device]]".join([blocks[0], *reversed(blocks[1:])]) + "\n", "other.toml")
    machine = Rig(other).machine
    assert {name: machine.mapped_devices[name].bus_page(unit) for name, unit in (("eth0", "q1"), ("crypto0", "c9"))} \
        == {"eth0": 0x10012, "crypto0": 0x10209}
