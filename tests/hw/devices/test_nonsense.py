"""Devices under drivers that write anything anywhere: nothing is raised, nothing outside the windows is reached."""

from __future__ import annotations

import contextlib
import struct
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.api import PAGE_SIZE
from machemu.hw.bus import BusError
from machemu.hw.description import MachineDescription
from machemu.hw.dma import WINDOW_SHIFT
from tests.hw.devices.drivers import OWNER
from tests.hw.examples import examples
from tests.hw.guests import LONG_NS, Rig

SMALL: Final = MachineDescription.parse("""
[machine]
ram = 1048576
[[device]]
name = "eth0"
kind = "nic"
address = 0x10010000
interrupt = 1
queues = 2
[[device]]
name = "crypto0"
kind = "crypto"
address = 0x10200000
interrupt = 10
contexts = 2
""", "small.toml")
UNITS: Final = [("eth0", unit) for unit in ("", "q0", "q1")] + [("crypto0", "c0"), ("crypto0", "c1")]
WINDOW: Final = 1 << WINDOW_SHIFT  # bus address of a unit's first window
PAGES: Final = 3

# Numbers that mean something to some register, more often than any others.
ADDRESSES = st.builds(lambda window, offset: window * WINDOW + offset & 2**64 - 1, st.integers(0, 3),
                      st.one_of(st.sampled_from([0, 64, PAGE_SIZE, PAGES * PAGE_SIZE - 16]),
                                st.integers(-70, PAGES * PAGE_SIZE + 70)))
NUMBERS = st.one_of(st.integers(0, 12), st.sampled_from([8, 16, 64, 256, 2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))
VALUES = st.one_of(NUMBERS, ADDRESSES)
OFFSETS = st.one_of(st.sampled_from([*range(0, 0x64, 4), 0x100, 0x104, 0x108, 0x300]), st.integers(0, PAGE_SIZE - 1))

SETTING_UP = st.tuples(st.just("wide"), st.sampled_from(UNITS), st.sampled_from([0x10, 0x30]), ADDRESSES)
ENTRIES = st.tuples(st.just("write"), st.sampled_from(UNITS), st.sampled_from([0x18, 0x38]), st.just(8))
TAILS = st.tuples(st.just("write"), st.sampled_from(UNITS), st.sampled_from([0x20, 0x40]), st.integers(0, 9))
STEPS = st.one_of(
    SETTING_UP, ENTRIES, TAILS,
    st.tuples(st.just("write"), st.sampled_from(UNITS), OFFSETS, NUMBERS),
    st.tuples(st.just("read"), st.sampled_from(UNITS), OFFSETS, st.sampled_from([1, 2, 4])),
    st.tuples(st.just("narrow"), st.sampled_from(UNITS), OFFSETS, NUMBERS),
    st.tuples(st.just("memory"), st.integers(0, PAGES * PAGE_SIZE - 64), st.lists(VALUES, min_size=1, max_size=8)),
    st.tuples(st.just("frame"), st.binary(max_size=80), st.booleans()),
    st.tuples(st.just("close"), st.sampled_from(UNITS)),
    st.tuples(st.just("pass"), st.integers(0, 20_000)),
)


@examples(120)
@given(st.lists(STEPS, max_size=60))
def test_no_driver_hurts_anyone_but_itself(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    rig = Rig(SMALL)
    machine = rig.machine
    sent: list[bytes] = []
    machine.network_devices["eth0"].on_transmit = sent.append
    shared = tuple(rig.frame() for _ in range(PAGES))  # one window each: what one writes is what another reads
    for name, unit in UNITS:
        machine.mapped_devices[name].open(unit, OWNER)
        machine.mapped_devices[name].open_window(unit, shared, True)
    fixed = rig.frame()
    machine.mapped_devices["eth0"].open_window("q0", (fixed,), False)
    before = bytes(rig.memory.data)
    for what, *arguments in steps:
        if what == "memory":
            offset, values = arguments
            octets = struct.pack(f"<{len(values)}Q", *values)
            for number, octet in enumerate(octets, offset):
                rig.memory.data[shared[number // PAGE_SIZE] * PAGE_SIZE + number % PAGE_SIZE] = octet
        elif what == "frame":
            machine.network_devices["eth0"].receive(b"\xff" * 12 + arguments[0], arguments[1])
        elif what == "pass":
            rig.settle(arguments[0])
        elif what == "close":
            name, unit = arguments[0]
            machine.mapped_devices[name].close(unit)
        else:
            (name, unit), offset, value = arguments
            page = machine.devices[name].registers[unit].registers  # type: ignore[attr-defined]
            with contextlib.suppress(BusError):  # the only thing that may be raised
                if what == "read":
                    assert 0 <= page.read(offset, value) < 2**32
                elif what == "wide":
                    page.write(offset, 4, value & 0xFFFF_FFFF)
                    page.write(offset + 4, 4, value >> 32)
                else:
                    page.write(offset, 4 if what == "write" else 2, value)
        machine.check()
    rig.settle(LONG_NS)
    assert {offset // PAGE_SIZE for offset in rig.changed(before)} <= set(shared)
    assert all(60 <= len(octets) <= 1514 for octets in sent)
    rig.close()
