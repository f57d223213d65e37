"""Traps with any arguments, one after the other: whatever the guest does, no Python exception
leaves the kernel, every invariant holds after each trap, and nothing is left at the end."""

from __future__ import annotations

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rig import (
    BUFFER,
    BUFFERS_END,
    DEAD,
    NO_NAME,
    NULL,
    NUMBERS,
    PAGE,
    RECEIVE_BUFFER,
    SCRATCH,
    STACK,
    UNMAPPED,
    VM_END,
    Actor,
    KernelRig,
    message,
    port_item,
    region_item,
)

TRAPS: Final = st.one_of(st.sampled_from(sorted(NUMBERS.values())), st.integers(-140, 5))
NAMES: Final = 12  # that a drawn index chooses from
WORDS: Final = st.one_of(
    st.tuples(st.just("name"), st.integers(0, NAMES - 1)),
    st.tuples(st.just("word"), st.sampled_from([
        0, 1, 2, 3, 7, 16, 17, 20, 21, 31, 32, 33, 64, 0x101, 0x111, 0x103, 0x13, 0x800, PAGE - 1, PAGE, PAGE + 1,
        2**31, 2**32 - 1, 2**63, 2**64 - 1, BUFFER, RECEIVE_BUFFER, SCRATCH, SCRATCH + PAGE - 4, STACK, BUFFERS_END - 8,
        BUFFERS_END, UNMAPPED, VM_END - PAGE, VM_END])),
    st.tuples(st.just("word"), st.integers(0, 2**64 - 1)))
HISTORIES: Final = st.lists(st.tuples(TRAPS, st.lists(WORDS, min_size=11, max_size=11)), min_size=1, max_size=14)


def new_actor(rig: KernelRig, friend: Actor) -> tuple[Actor, list[int]]:
    """An actor with something to lose, and its names."""
    actor = rig.another()
    names = [*rig.names_of_every_kind(actor).values(), actor.self_name, rig.name_of(actor, actor.thread),
             rig.name_of(actor, friend.task), NULL, DEAD, NO_NAME]
    assert len(names) == NAMES
    actor.memory.write(BUFFER, message(names[0], port_item(names[1], 19), region_item(SCRATCH, 5000), remote_use=20,
                                       local=names[0], local_use=21))
    actor.memory.write(SCRATCH, b"".join(name.to_bytes(8, "little") for name in names))
    return actor, names


def can_run(actor: Actor) -> bool:
    return actor.thread.runnable


@settings(derandomize=True, deadline=None, max_examples=50, database=None)
@given(HISTORIES)
def test_no_sequence_of_traps_harms_the_kernel(history: list[tuple[int, list[tuple[str, int]]]]) -> None:
    rig = KernelRig(frames=4096)
    friend = rig.actor
    actor, names = new_actor(rig, friend)
    for number, drawn in history:
        if not can_run(actor):
            actor, names = new_actor(rig, friend)
        words = [names[value] if kind == "name" else value for kind, value in drawn]
        rig.machine.cpu.extra, rig.machine.cpu.sp = words[7], words[8]
        result = actor.trap_number(number, *words[:7])
        assert isinstance(result, int | str)
    rig.pass_time(2**32 * 1_000_000)
    for task in list(rig.kernel.tasks.values()):
        rig.kernel.terminate_task(task, None, "test")
        rig.check()
    assert rig.kernel.pool.used == 0
    assert all(port.kernel_object is not None for port in rig.kernel.zone.live), "what the kernel keeps for itself"
