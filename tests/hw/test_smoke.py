"""A small guest through traps, page faults and a device page, in every way a machine can run."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.hw.api import PAGE_SIZE, Access
from tests.hw.guests import RW, Rig, guest

DEVICE: Final = 0x40000
WAYS = [
    pytest.param({}, id="live, native"),
    pytest.param({"live": False}, id="contexts, native"),
    pytest.param({"native": False}, id="live, counted"),
    pytest.param({"live": False, "native": False}, id="contexts, counted"),
]


@pytest.mark.parametrize("way", WAYS)
def test_guest_traps_faults_and_reaches_a_device(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    written: list[bytes] = []
    rig.machine.devices["console"].on_output = written.append  # type: ignore[attr-defined]
    space = rig.space()
    space.map_device(DEVICE // PAGE_SIZE, 0x10000, RW)
    context = rig.load(guest("""
        li s0, 0x50000
        li s1, 0x40000
        li a0, 5
        li a7, -25
        ecall                   # a0 := a0 + 1
        sd a0, 8(s0)            # demand-zero page
        ld a1, 8(s0)
        li t1, 'A'
        sw t1, 0(s1)            # console data
        lw a2, 4(s1)            # console status
        li a7, -1
        ecall
    """), space)

    def ecall() -> None:
        if rig.cpu.arguments[7] == 2**64 - 25:
            rig.cpu.arguments[0] += 1
        else:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    rig.kernel.on_fault = lambda address, access: space.map(address // PAGE_SIZE, rig.frame(), RW)
    traps = rig.run(context)
    assert [trap.kind for trap in traps] == ["ecall", "page_fault", "ecall"]
    assert traps[1].detail == (0x50008, Access.WRITE)
    assert traps[2].detail[:3] == (6, 6, 2)
    assert written == [b"A"]
    assert rig.cpu.current is None
    rig.machine.check()
