"""The crypto engine's shell: contexts, rings, RANDOM, DIGEST, limits and costs (security.md 7)."""

from __future__ import annotations

import hashlib
import struct
from typing import Final

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.api import PAGE_SIZE
from tests.hw.devices.drivers import ENTRIES, Buffer, Context, engine_of, whole, workstation
from tests.hw.examples import examples
from tests.hw.guests import DATA, RW, guest

RANDOM, DIGEST = 0x01, 0x02
SHA_256, MD5 = 1, 2
FIRST, NEXT, LAST = 0x100, 0x200, 0x400
OK, BAD_COMMAND, OUTSIDE, QUOTA = 0, -1, -4, -8
COMPLETED, RING_ERROR = 1, 2  # interrupt status
SECOND: Final = 10**9
MEGABYTE: Final = 1 << 20


def generator(seed: int, epoch: int, octets: int) -> bytes:
    """The octets that security.md 7.6 promises."""
    key = hashlib.sha256(struct.pack("<QI", seed, epoch)).digest()
    return Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor().update(bytes(octets))


# -- pages --------------------------------------------------------------------------------


def test_page_tells_context_and_epoch() -> None:
    rig = workstation(epoch=9)
    page = Context(rig, "c77").registers
    assert struct.pack("<I", page[0]) == b"MCE1"
    assert (page[0x004], page[0x008], page[0x00C]) == (1, 77, 1)
    assert (page[0x050], page[0x054], page[0x05C]) == (9, 0, 0)
    rig.clock.skip_to(5 << 32)
    assert page.wide(0x048) == 5 << 32


def test_128_contexts_lie_one_behind_the_other() -> None:
    engine = engine_of(workstation())
    units = engine.units()
    assert units == tuple(f"c{n}" for n in range(128))
    assert [engine.bus_page(unit) for unit in units] == [0x10200 + n for n in range(128)]
    assert [line.number for unit in units if (line := engine.interrupt(unit))] == [32 + n for n in range(128)]


# -- RANDOM -------------------------------------------------------------------------------


def test_random_octets_are_the_seeded_stream_whoever_asks() -> None:
    rig = whole(seed=42, epoch=3)
    first, second = Context(rig, "c0"), Context(rig, "c9")
    taken = b""
    for context, octets in ((first, 16), (second, 100), (first, 1), (first, 33)):
        done = context.do(RANDOM, dst=context.data, dst_cap=octets)
        assert (done.status, done.out_len) == (OK, octets)
        taken += context.memory.read(Context.DATA, octets)
    assert taken == generator(42, 3, 150)


@pytest.mark.parametrize("options", [{"seed": 1}, {"epoch": 2}, {"seed": 2**64 - 1}, {"seed": -5}, {"seed": 2**70 + 3}])
def test_another_seed_or_epoch_gives_other_octets(options: dict[str, int]) -> None:
    context = Context(whole(**options))
    context.do(RANDOM, dst=context.data, dst_cap=64)
    octets = context.memory.read(Context.DATA, 64)
    assert octets != generator(0, 1, 64)
    assert octets == generator(options.get("seed", 0) % 2**64, options.get("epoch", 1), 64)


def test_sites_that_are_no_laboratory_bring_their_own_entropy() -> None:
    asked: list[int] = []

    def entropy(octets: int) -> bytes:
        asked.append(octets)
        return b"\xee" * octets

    context = Context(whole(entropy=entropy))
    context.do(RANDOM, dst=context.data, dst_cap=20)
    assert (asked, context.memory.read(Context.DATA, 21)) == ([20], b"\xee" * 20 + b"\0")


def test_no_random_octets_can_be_asked_for_too() -> None:
    done = Context(whole()).do(RANDOM)
    assert (done.status, done.out_len) == (OK, 0)


# -- DIGEST -------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "name"), [(SHA_256, "sha256"), (MD5, "md5")])
@pytest.mark.parametrize("octets", [b"", b"abc", bytes(range(256)) * 20])
def test_digest_of_what_lies_in_memory(octets: bytes, algorithm: int, name: str) -> None:
    context = Context(whole())
    context.memory.write(Context.DATA, octets)
    expected = hashlib.new(name, octets, usedforsecurity=False).digest()
    done = context.do(DIGEST, src=context.data, src_len=len(octets), dst=context.data, dst_cap=32, arg=algorithm)
    assert (done.status, done.out_len) == (OK, len(expected))
    assert context.memory.read(Context.DATA, len(expected)) == expected  # src and dst may overlap


@examples(15)
@given(st.lists(st.binary(max_size=300), min_size=2, max_size=6), st.sampled_from([(SHA_256, "sha256"), (MD5, "md5")]))
def test_digest_of_a_stream_is_that_of_the_whole(parts: list[bytes], algorithm: tuple[int, str]) -> None:
    number, name = algorithm
    rig = whole()
    context, other = Context(rig, "c0"), Context(rig, "c1")
    for index, part in enumerate(parts):
        stage = FIRST if not index else LAST if index == len(parts) - 1 else NEXT
        context.memory.write(Context.DATA, part)
        done = context.do(DIGEST, src=context.data, src_len=len(part), dst=context.data + PAGE_SIZE, dst_cap=32,
                          arg=number | stage)
        assert (done.status, done.out_len) == (OK, hashlib.new(name).digest_size if stage == LAST else 0)
        # Another context's digest, and a whole one of this, do not disturb the stream.
        other.do(DIGEST, src=other.data, src_len=5, arg=number | FIRST)
        context.do(DIGEST, src=context.data, src_len=5, dst=context.data + 1000, dst_cap=32, arg=SHA_256)
    expected = hashlib.new(name, b"".join(parts)).digest()
    assert context.memory.read(Context.DATA + PAGE_SIZE, len(expected)) == expected
    rig.close()


@pytest.mark.parametrize(("arg", "dst_cap"), [
    pytest.param(0, 32, id="no algorithm"),
    pytest.param(3, 32, id="unknown algorithm"),
    pytest.param(SHA_256, 31, id="no room for the digest"),
    pytest.param(MD5, 15, id="no room for the shorter one"),
    pytest.param(SHA_256 | NEXT, 32, id="next without first"),
    pytest.param(SHA_256 | LAST, 32, id="last without first"),
    pytest.param(SHA_256 | FIRST | LAST, 32, id="two stages"),
    pytest.param(SHA_256 | 0x800, 32, id="unknown bit"),
])
def test_digest_that_makes_no_sense_is_a_bad_command(arg: int, dst_cap: int) -> None:
    context = Context(whole())
    done = context.do(DIGEST, src=context.data, src_len=3, dst=context.data + 100, dst_cap=dst_cap, arg=arg)
    assert (done.status, done.out_len) == (BAD_COMMAND, 0)
    assert context.memory.read(Context.DATA + 100, 32) == bytes(32)


def test_stream_keeps_to_its_algorithm() -> None:
    context = Context(whole())
    context.do(DIGEST, arg=SHA_256 | FIRST)
    assert context.do(DIGEST, dst=context.data, dst_cap=32, arg=MD5 | LAST).status == BAD_COMMAND
    assert context.do(DIGEST, dst=context.data, dst_cap=32, arg=SHA_256 | LAST).status == OK
    assert context.do(DIGEST, dst=context.data, dst_cap=32, arg=SHA_256 | LAST).status == BAD_COMMAND  # it has ended


# -- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("op", [0, 3, 4, 0x10, 0x16, 0x20, 0x25, 0x7F, 0xFFFF])
def test_operations_it_does_not_have_are_bad_commands(op: int) -> None:
    context = Context(whole())
    done = context.do(op, src=context.data, src_len=8, dst=context.data, dst_cap=32)
    assert (done.tag, done.status) == (100, BAD_COMMAND)


@pytest.mark.parametrize("arguments", [
    pytest.param({"src_len": MEGABYTE + 1}, id="input"),
    pytest.param({"src_len": 2**32 - 1}, id="absurd input"),
    pytest.param({"dst_cap": MEGABYTE + 1}, id="output"),
])
def test_more_than_a_megabyte_at_once_is_a_bad_command(arguments: dict[str, int]) -> None:
    context = Context(whole())
    assert context.do(RANDOM, src=context.data, dst=context.data, **arguments).status == BAD_COMMAND
    rig_ns = context.rig.clock.now_ns
    assert rig_ns < SECOND  # nor does it keep the engine busy for long


@pytest.mark.parametrize("shift", [1 << 32, -(1 << 32), 3 * PAGE_SIZE - 31, 2**62])
@pytest.mark.parametrize("op", [RANDOM, DIGEST])
def test_output_outside_the_windows_is_refused_and_nothing_written(op: int, shift: int) -> None:
    rig = whole()
    context = Context(rig)
    before = bytes(rig.memory.data)
    done = context.do(op, dst=context.data + shift, dst_cap=32, arg=SHA_256)
    assert (done.status, done.out_len) == (OUTSIDE, 0)
    assert context.memory.read(Context.DATA, 3 * PAGE_SIZE) == bytes(3 * PAGE_SIZE)
    ring = context.memory.frames[0]  # command and completion
    assert all(offset // PAGE_SIZE == ring for offset in rig.changed(before))


def test_refused_random_takes_nothing_from_the_generator() -> None:
    context = Context(whole(seed=7))
    context.do(RANDOM, dst=0, dst_cap=32)
    context.do(RANDOM, dst=context.data, dst_cap=8)
    assert context.memory.read(Context.DATA, 8) == generator(7, 1, 8)


def test_read_only_window_takes_input_but_no_output() -> None:
    rig = whole()
    context = Context(rig)
    fixed = Buffer(rig, context.engine, "c0", 1, writable=False)
    fixed.write(0, b"abc")
    assert context.do(RANDOM, dst=fixed.bus, dst_cap=3).status == OUTSIDE
    assert fixed.read(0, 3) == b"abc"
    done = context.do(DIGEST, src=fixed.bus, src_len=3, dst=context.data, dst_cap=32, arg=SHA_256)
    assert done.status == OK
    assert context.memory.read(Context.DATA, 32) == hashlib.sha256(b"abc").digest()


def test_input_outside_the_windows_is_refused() -> None:
    context = Context(whole())
    done = context.do(DIGEST, src=context.data + 3 * PAGE_SIZE - 2, src_len=3, dst=context.data, dst_cap=32, arg=1)
    assert done.status == OUTSIDE


def test_no_context_reaches_the_windows_of_another() -> None:
    rig = whole()
    first, second = Context(rig, "c0"), Context(rig, "c1")
    extra = Buffer(rig, first.engine, "c0", 1)  # the second window of c0
    assert second.do(RANDOM, dst=extra.bus, dst_cap=8).status == OUTSIDE
    assert extra.read(0, 8) == bytes(8)


def test_windows_are_8_for_each_context() -> None:
    engine = engine_of(whole())
    engine.open("c0", 3)
    assert engine.open_window("c1", (5,), True) is None  # without an owner
    buses = [engine.open_window("c0", (5,), True) for _ in range(9)]
    assert (buses[-1], len(set(buses))) == (None, 9)


# -- time and order -----------------------------------------------------------------------


@pytest.mark.parametrize(("op", "arguments", "cost_ns"), [
    pytest.param(RANDOM, {"dst_cap": 100}, 300 + 100, id="RANDOM"),
    pytest.param(DIGEST, {"src_len": 1000, "dst_cap": 32, "arg": SHA_256}, 400 + 1000, id="SHA-256"),
    pytest.param(DIGEST, {"src_len": 1000, "dst_cap": 32, "arg": MD5}, 500 + 1600, id="MD5"),
    pytest.param(0x33, {}, 300, id="refused"),
])
def test_completion_comes_when_its_cost_has_passed(op: int, arguments: dict[str, int], cost_ns: int) -> None:
    rig = whole()
    context = Context(rig)
    context.ask(op, src=context.data, dst=context.data, **arguments)
    rig.settle(cost_ns - 1)
    assert context.registers[0x03C] == 0
    rig.clock.skip_to(cost_ns)
    rig.clock.run_due()
    (completion,) = context.completions()
    assert (completion.cost_ns, rig.clock.now_ns) == (cost_ns, cost_ns)


def test_input_is_copied_when_the_command_starts() -> None:
    rig = whole()
    context = Context(rig)
    context.memory.write(Context.DATA, b"before")
    context.ask(DIGEST, src=context.data, src_len=6, dst=context.data + 100, dst_cap=32, arg=SHA_256)
    rig.clock.run_due()  # it has started
    context.memory.write(Context.DATA, b"after!")
    context.memory.write(Context.COMMANDS, bytes(64))
    rig.settle()
    assert context.memory.read(Context.DATA + 100, 32) == hashlib.sha256(b"before").digest()


def test_commands_of_a_context_complete_in_order_and_contexts_take_turns() -> None:
    rig = workstation(seed=1)
    contexts = [Context(rig, f"c{n}") for n in (0, 5, 127)]
    for context in contexts:
        for number in range(3):
            context.ask(RANDOM, dst=context.data + 16 * number, dst_cap=16)
    rig.settle()
    for context in contexts:
        assert [completion.tag for completion in context.completions()] == [100, 101, 102]
    # The stream of the generator shows the order in which they were served.
    got = b"".join(context.memory.read(Context.DATA + 16 * number, 16) for number in range(3) for context in contexts)
    assert got == generator(1, 1, 144)


def test_no_command_starts_without_room_for_its_completion() -> None:
    rig = whole()
    context = Context(rig)
    for _ in range(ENTRIES):
        context.ask(RANDOM)
    rig.settle()
    for _ in range(3):
        context.ask(RANDOM)
    rig.settle()
    assert (context.registers[0x01C], context.registers[0x03C]) == (ENTRIES, ENTRIES)
    context.registers[0x040] = 2  # two are taken
    rig.settle()
    assert (context.registers[0x01C], context.registers[0x03C]) == (ENTRIES + 2, ENTRIES + 2)
    context.taken = 2
    assert [completion.tag for completion in context.completions()] == list(range(102, 110))


def test_rings_go_round() -> None:
    context = Context(whole())
    assert [context.do(RANDOM).tag for _ in range(3 * ENTRIES)] == list(range(100, 100 + 3 * ENTRIES))


def test_interrupt_is_sent_again_only_after_its_bit_was_cleared() -> None:
    rig = whole()
    context = Context(rig)
    for _ in range(2):
        context.ask(RANDOM)
        rig.settle()
    assert (context.interrupts, context.registers[0x028]) == (1, COMPLETED)
    context.registers[0x028] = COMPLETED
    context.ask(RANDOM)
    rig.settle()
    assert context.interrupts == 2


# -- quota --------------------------------------------------------------------------------


def test_plain_task_has_1000_commands_a_second() -> None:
    rig = whole()
    context = Context(rig)
    statuses = [context.do(RANDOM).status for _ in range(1003)]
    assert statuses == [OK] * 1000 + [QUOTA] * 3
    rig.clock.skip_to(SECOND * (rig.clock.now_ns // SECOND + 1))
    assert context.do(RANDOM).status == OK


def test_another_limit_counts_until_the_context_is_closed() -> None:
    rig = whole()
    context = Context(rig, "c3")
    context.engine.limit("c3", 2)
    assert [context.do(RANDOM).status for _ in range(3)] == [OK, OK, QUOTA]
    context.engine.limit("c3", 0)
    assert context.do(RANDOM).status == OK
    context.engine.close("c3")
    assert engine_of(rig).contexts[3].commands_per_s == 1000


# -- rings that are none, owners ----------------------------------------------------------


@pytest.mark.parametrize(("offset", "value"), [
    pytest.param(0x018, 7, id="7 command entries"),
    pytest.param(0x018, 2**31, id="very many command entries"),
    pytest.param(0x038, 512, id="512 completion entries"),
    pytest.param(0x020, ENTRIES + 1, id="tail more than a ring ahead"),
    pytest.param(0x020, 2**32 - 1, id="tail behind the head"),
    pytest.param(0x040, 1, id="taken what was never completed"),
])
def test_impossible_ring_is_an_error_and_stops_the_context(offset: int, value: int) -> None:
    rig = whole()
    context = Context(rig)
    context.registers[offset] = value
    assert context.registers[0x028] == RING_ERROR
    rig.settle()
    assert context.interrupts == 1
    assert [context.registers[at] for at in (0x018, 0x020, 0x038, 0x03C)] == [0, 0, 0, 0]
    context.set_up()
    assert context.do(RANDOM).status == OK


@pytest.mark.parametrize("offset", [0x010, 0x030])
@pytest.mark.parametrize("base", [0, 1 << 33, 2**64 - 32])
def test_ring_outside_the_windows_is_an_error(offset: int, base: int) -> None:
    rig = whole()
    context = Context(rig)
    context.registers.set_wide(offset, base)
    context.ask(RANDOM)
    rig.settle()
    assert context.registers[0x028] & RING_ERROR
    assert context.registers[0x018] == 0
    other = Context(rig, "c1")
    assert other.do(RANDOM).status == OK  # nobody else is held up


def test_command_under_way_when_its_rings_are_set_up_anew_completes_nowhere() -> None:
    rig = whole()
    context = Context(rig)
    context.ask(RANDOM, dst=context.data, dst_cap=8)
    rig.clock.run_due()
    context.set_up()
    rig.settle()
    assert context.registers[0x03C] == 0
    assert context.memory.read(Context.DATA, 8) == bytes(8)


def test_closed_context_forgets_everything() -> None:
    rig = whole()
    context = Context(rig)
    context.do(DIGEST, arg=SHA_256 | FIRST)
    context.ask(RANDOM, dst=context.data, dst_cap=8)
    rig.clock.run_due()
    context.engine.close("c0")
    rig.settle()
    assert context.memory.read(Context.DATA, 8) == bytes(8)
    offsets = (0x010, 0x018, 0x01C, 0x020, 0x024, 0x028, 0x038, 0x03C, 0x040)
    assert [context.registers[at] for at in offsets] == [0] * 9
    again = Context(rig, owner=99)
    assert again.do(DIGEST, dst=again.data, dst_cap=32, arg=SHA_256 | LAST).status == BAD_COMMAND


def test_context_belongs_to_one_task_at_a_time() -> None:
    engine = engine_of(whole())
    assert [engine.open("c4", task) for task in (3, 3, 4)] == [True, True, False]


def test_user_program_asks_for_random_numbers() -> None:
    """The number of the context comes from the page that is mapped, so it cannot lie about it."""
    rig = whole(seed=5)
    engine = engine_of(rig)
    context = rig.load(guest("""
        li s0, 0x40000
        li s1, 0x20000
        ld t1, 0(s1)            # the window's bus address, which the kernel left here
        addi t2, t1, 0x100
        sd t2, 0x10(s0)         # commands
        addi t2, t1, 0x400
        sd t2, 0x30(s0)         # completions
        li t0, 8
        sw t0, 0x18(s0)
        sw t0, 0x38(s0)
        li t0, 1
        sw t0, 0x100(s1)        # op
        li t0, 16
        sw t0, 0x11c(s1)        # dst_cap
        addi t2, t1, 0x600
        sd t2, 0x120(s1)        # dst
        li t0, 1
        sw t0, 0x20(s0)
    1:  lw t0, 0x3c(s0)
        beqz t0, 1b
        ld a0, 0x600(s1)
        ld a1, 0x608(s1)
        lw a2, 8(s0)
        ecall
    """))
    engine.open("c6", 5)
    frame = rig.frame_at(context.space, DATA)
    bus = engine.open_window("c6", (frame,), True)
    struct.pack_into("<Q", rig.memory.data, frame * PAGE_SIZE, bus)
    context.space.map_device(0x40, engine.bus_page("c6"), RW)
    (trap,) = rig.run(context)
    assert struct.pack("<QQ", *trap.detail[:2]) == generator(5, 1, 16)
    assert trap.detail[2] == 6
