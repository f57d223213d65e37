"""mach_print and trace_point: what a program says about itself."""

from __future__ import annotations

import pytest

from machemu.kernel.events import Printed, StepAnnounced
from machemu.kernel.traps.mach_print import LENGTH_MAX
from tests.support.rig import BUFFERS_END, SCRATCH, KernelRig


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("address", [SCRATCH, SCRATCH + 4093, BUFFERS_END - 6])
def test_a_string_is_printed_up_to_its_nul(rig: KernelRig, address: int) -> None:
    told: list[Printed] = []
    rig.kernel.events.printed.attach(told.append)
    rig.actor.memory.write(address, b"hello\0")
    assert rig.trap("mach_print", address) == 0
    assert bytes(rig.machine.console.written) == b"hello"
    assert [(event.task, event.text) for event in told] == [(rig.actor.task.number, "hello")]


def test_a_string_without_end_is_cut(rig: KernelRig) -> None:
    rig.actor.memory.write(SCRATCH, b"x" * 0x4000)
    assert rig.trap("mach_print", SCRATCH) == 0
    assert bytes(rig.machine.console.written) == b"x" * LENGTH_MAX


def test_octets_that_are_no_text_do_no_harm(rig: KernelRig) -> None:
    rig.actor.memory.write(SCRATCH, b"\xff\xfe\x80\0")
    assert rig.trap("mach_print", SCRATCH) == 0
    assert bytes(rig.machine.console.written) == b"\xff\xfe\x80"


@pytest.mark.req("A-M02")
def test_a_trace_point_tells_observers_and_does_nothing_else(rig: KernelRig) -> None:
    steps: list[StepAnnounced] = []
    with rig.unchanged():
        assert rig.trap("trace_point", 1, 2, 3, 4) == 0
    rig.kernel.events.step_announced.attach(steps.append)
    with rig.unchanged():
        assert rig.trap("trace_point", 2**64 - 1, 1, 2, 2**63) == 0
    assert steps == [StepAnnounced(rig.actor.task.number, 2**64 - 1, (1, 2, 2**63))]
