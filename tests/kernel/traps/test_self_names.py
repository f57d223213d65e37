"""mach_task_self, mach_thread_self, mach_host_self and mach_reply_port."""

from __future__ import annotations

import pytest

from machemu.kernel.ipc.right import RECEIVE, SEND, UREFS_MAX, Right
from tests.support.rig import NULL, Give, KernelRig

SELVES = ["mach_task_self", "mach_thread_self", "mach_host_self"]
MOD_REFS, SET_TASK_SPECIAL_PORT, SET_THREAD_SPECIAL_PORT = 3208, 2059, 2068
KERNEL_PORT = 1


@pytest.mark.req("A-M02")
@pytest.mark.parametrize("trap", SELVES)
def test_each_call_adds_a_reference_to_one_name(rig: KernelRig, trap: str) -> None:
    first = rig.trap(trap)
    before = rig.space.references(first, Right.SEND)
    assert rig.trap(trap) == first
    assert rig.space.references(first, Right.SEND) == before + 1
    assert rig.space.entries[first].kind == SEND


def test_the_names_denote_the_caller_and_its_host(rig: KernelRig) -> None:
    actor = rig.another()
    objects = [actor.space.entries[actor.trap(trap)].port.kernel_object for trap in SELVES]
    assert objects == [actor.task, actor.thread, rig.kernel.host]


@pytest.mark.parametrize("trap", SELVES)
def test_a_full_reference_count_stays_full(rig: KernelRig, trap: str) -> None:
    name = rig.trap(trap)
    rig.actor.call(MOD_REFS, name, Right.SEND, UREFS_MAX - rig.space.references(name, Right.SEND))
    assert rig.trap(trap) == name
    assert rig.space.references(name, Right.SEND) == UREFS_MAX


@pytest.mark.parametrize("trap", [*SELVES, "mach_reply_port"])
def test_a_full_space_gives_the_null_name(rig: KernelRig, trap: str) -> None:
    actor = rig.another()
    actor.space.destroy_name(actor.self_name)
    ports = len(rig.kernel.zone.live)
    with rig.no_names_left(actor):
        assert actor.trap(trap) == NULL
        assert not actor.names()
    assert len(rig.kernel.zone.live) == ports


def test_a_reply_port_is_a_new_receive_right_each_time(rig: KernelRig) -> None:
    first, second = rig.trap("mach_reply_port"), rig.trap("mach_reply_port")
    assert first != second
    assert rig.space.entries[first].kind == RECEIVE


@pytest.mark.parametrize(("trap", "ident"), [
    ("mach_task_self", SET_TASK_SPECIAL_PORT), ("mach_thread_self", SET_THREAD_SPECIAL_PORT)])
def test_an_interposed_kernel_port_is_what_self_gives(rig: KernelRig, trap: str, ident: int) -> None:
    actor = rig.actor
    real = actor.trap(trap)
    stand_in = actor.port()
    actor.space.insert(actor.space.take(stand_in, 20))
    assert actor.rpc(real, ident, KERNEL_PORT, Give(stand_in, 19))[0] == 0
    assert actor.trap(trap) == stand_in
    assert actor.rpc(real, ident, KERNEL_PORT, None)[0] == 0
    assert actor.trap(trap) == NULL
