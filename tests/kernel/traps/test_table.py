"""The trap table: every number a guest can try, and what its registers hold afterwards."""

from __future__ import annotations

from typing import Final

import pytest

from machemu.kernel.events import ExceptionRaised
from machemu.kernel.ipc.right import Right
from machemu.kernel.results import KernReturn
from tests.support.rig import MAKE_SEND, NUMBERS, KernelRig

PLACEHOLDERS: Final = (-10, -11, -12, -13, -55, -56)
NOT_YET: Final = (-39, -40)  # device_write by trap
UNUSED: Final = sorted(set(range(-129, 1)) - set(NUMBERS.values()) - set(PLACEHOLDERS) - set(NOT_YET))
RENAME: Final = 3202


@pytest.mark.req("A-M02")
def test_unused_numbers_are_invalid_arguments(rig: KernelRig) -> None:
    with rig.unchanged():
        for number in UNUSED:
            assert rig.actor.trap_number(number, 1, 2, 3) == KernReturn.INVALID_ARGUMENT, number


@pytest.mark.req("A-M02")
def test_placeholders_return_success(rig: KernelRig) -> None:
    with rig.unchanged():
        for number in PLACEHOLDERS:
            assert rig.actor.trap_number(number, 1, 2, 3) == 0, number


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("number", [-130, -131, -5000, -(2**63), 1, 25, 2**31, 0xFFFF_FFE7, 2**63 - 1])
def test_a_number_outside_the_table_is_a_bad_instruction(rig: KernelRig, number: int) -> None:
    raised: list[ExceptionRaised] = []
    rig.kernel.events.exception_raised.attach(raised.append)
    victim = rig.another()
    victim.trap_number(number)
    assert [(event.task, event.kind, event.code, event.subcode) for event in raised] == [
        (victim.task.number, "bad_instruction", 8, number % 2**64)]
    assert not victim.task.alive
    assert rig.trap("swtch") == 0, "the node goes on"


@pytest.mark.parametrize("name", ["mach_task_self", "mach_host_self", "mach_reply_port", "trace_point", "swtch"])
def test_a_trap_changes_no_register_but_the_result(rig: KernelRig, name: str) -> None:
    rig.actor.trap(name, *range(101, 108))
    assert list(rig.kernel.cpu.arguments[1:7]) == list(range(102, 108))


def test_a_name_with_its_top_bit_set_is_sign_extended(rig: KernelRig) -> None:
    rig.actor.call(RENAME, rig.actor.self_name, 0x8000_0001)
    rig.actor.self_name = 0x8000_0001
    rig.trap("mach_task_self")
    assert rig.actor.register == 0xFFFF_FFFF_8000_0001


def test_words_are_the_low_halves_of_their_registers(rig: KernelRig) -> None:
    port = rig.actor.port()
    assert rig.trap("syscall_mach_port_insert_right", rig.actor.self_name | 0xABCD << 32, port | 1 << 63,
                    port | 1 << 40, MAKE_SEND | 7 << 32) == 0
    assert rig.space.references(port, Right.SEND) == 1
