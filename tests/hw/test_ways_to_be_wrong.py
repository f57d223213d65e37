"""The rules of unicorn-riscv.md 1, in its order: each is a way to be wrong without noticing."""

from __future__ import annotations

import gc
import struct

import pytest

from machemu.hw.api import PAGE_SIZE, Access, CpuException
from machemu.hw.native import load_helper
from tests.hw.guests import BASE, DATA, RW, RX, Rig, guest


def li_a0_ret(value: int) -> bytes:
    """A function that returns a small constant."""
    return struct.pack("<II", value << 20 | 10 << 7 | 0x13, 0x8067)


def test_1_each_space_keeps_its_own_code_and_data() -> None:
    rig = Rig()
    program = """
        li s0, 0x20000
        ld a0, 0(s0)
        li a1, {code}
        ecall
    again: ld a0, 0(s0)
        addi a1, a1, 1
        ecall
        j again
    """
    contexts = [rig.load(guest(program.format(code=code))) for code in (100, 200)]
    for value, context in enumerate(contexts):
        frame = context.space.readable[DATA // PAGE_SIZE] // PAGE_SIZE
        rig.memory.data[frame * PAGE_SIZE] = 7 + value
    turns = 0

    def ecall() -> None:
        nonlocal turns
        turns += 1
        rig.cpu.switch_to(contexts[turns % 2] if turns < 6 else None)

    rig.kernel.on_ecall = ecall
    seen = [trap.detail[:2] for trap in rig.run(contexts[0])]
    assert seen == [(7, 100), (8, 200), (7, 101), (8, 201), (7, 102), (8, 202)]


@pytest.mark.parametrize("body", [
    pytest.param(".option norvc\nF: ld a0, 8(s1)", id="4 octets"),
    pytest.param("F: c.ld a0, 8(s1)", id="2 octets"),
])
def test_2_fault_is_told_at_the_instruction_and_retried(body: str) -> None:
    rig = Rig()
    program = guest(f"li s1, 0x50000\nli a1, 3\naddi a1, a1, 1\n{body}\necall\nafter:")
    context = rig.load(program)
    rig.kernel.on_fault = lambda address, _: context.space.map(address // PAGE_SIZE, rig.frame(), RW)
    fault, ecall = rig.run(context)
    assert (fault.kind, fault.pc, fault.detail) == ("page_fault", program.symbols["F"], (0x50008, Access.READ))
    assert (ecall.kind, ecall.pc, ecall.detail[:2]) == ("ecall", program.symbols["after"], (0, 4))


def test_2_fetch_fault_tells_the_missing_page_and_restarts_the_block() -> None:
    rig = Rig()
    program = guest("""
        j edge
        .balign 4096
        .space 4096 - 6
    edge: addi a0, a0, 1
        .option norvc
        lui a1, 0x12345
        addi a1, a1, 1
        ecall
    """)
    assert (program.symbols["edge"] + 2) % PAGE_SIZE == PAGE_SIZE - 4
    rig = Rig()
    context = rig.load(program)
    missing = (program.symbols["edge"] + 8) // PAGE_SIZE
    frame = context.space.readable[missing] // PAGE_SIZE
    context.space.unmap(missing)
    rig.kernel.on_fault = lambda address, _: context.space.map(address // PAGE_SIZE, frame, RX)
    fault, ecall = rig.run(context)
    assert fault.detail == (missing * PAGE_SIZE, Access.EXECUTE)
    assert ecall.detail[:2] == (1, 0x12345001)


@pytest.mark.parametrize("instruction", [".option norvc\nB: ebreak", "B: c.ebreak"])
def test_3_breakpoint_reaches_the_kernel_with_pc_at_it(instruction: str) -> None:
    rig = Rig()
    program = guest(f"li a0, 1\n{instruction}\n.option rvc\nrest: li a0, 2\necall")

    def skip(cause: CpuException) -> None:
        context.pc = program.symbols["rest"]

    context = rig.load(program)
    rig.kernel.on_exception = skip
    stop, ecall = rig.run(context)
    at = program.symbols["B"]
    assert (stop.kind, stop.pc, stop.detail) == ("breakpoint", at, (3, at))
    assert ecall.detail[0] == 2


def test_4_address_0_and_any_other_can_hold_code() -> None:
    rig = Rig()
    context = rig.load(guest("li t0, 0\njr t0"))
    frame = rig.frame()
    code = guest("li a0, 9\necall").code
    rig.memory.data[frame * PAGE_SIZE:frame * PAGE_SIZE + len(code)] = code
    context.space.map(0, frame, RX)
    (trap,) = rig.run(context)
    assert (trap.kind, trap.detail[0]) == ("ecall", 9)


def test_5_hooks_are_installed_once() -> None:
    rig = Rig()
    with pytest.raises(AssertionError):
        rig.cpu.attach(rig.kernel)


def test_6_counted_runs_stop_in_blocks_translated_before() -> None:
    rig = Rig(native=False)
    context = rig.load(guest("1: addi s0, s0, 1\nj 1b"))
    rig.cpu.switch_to(context)
    for stop in (1000, 2000, 5000, 5100):
        rig.cpu.run(stop)
        assert stop <= rig.clock.now_ns < stop + 30
    assert rig.clock.kind == "instructions"


@pytest.mark.parametrize("way", [{}, {"live": False}, {"native": False}])
def test_7_new_contents_of_a_code_frame_are_executed(way: dict[str, bool]) -> None:
    rig = Rig(**way)
    context = rig.load(guest("li s0, 0x30000\n1: jalr s0\necall\nj 1b"))
    frame = rig.frame()
    start = frame * PAGE_SIZE
    rig.memory.data[start:start + 8] = li_a0_ret(5)
    context.space.map(0x30, frame, RX)
    assert rig.memory.held_code[frame]

    def ecall() -> None:
        if rig.cpu.arguments[0] == 5:  # as the kernel does when it reuses a frame
            rig.memory.invalidate_code(frame)
            rig.memory.data[start:start + 8] = li_a0_ret(6)
            context.space.map(0x30, frame, RX)
        elif rig.cpu.arguments[0] == 6:  # as a device does
            rig.memory.overwrite(start, li_a0_ret(7))
        else:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    assert [trap.detail[0] for trap in rig.run(context)] == [5, 6, 7]
    assert rig.memory.held_code[frame]


def test_8_one_hart_runs_one_context_at_a_time() -> None:
    rig = Rig()
    space = rig.space()
    program = guest("li s0, 0x20000\nli s1, 2000\nli t0, 1\n"
                    "1: amoadd.d zero, t0, (s0)\naddi s1, s1, -1\nbnez s1, 1b\necall")
    first = rig.load(program, space)
    second = rig.cpu.new_context(space)
    second.pc = program.entry
    waiting = [second]
    rig.kernel.on_ecall = lambda: rig.cpu.switch_to(waiting.pop() if waiting else None)
    rig.run(first)
    offset = space.readable[DATA // PAGE_SIZE]
    assert int.from_bytes(rig.memory.data[offset:offset + 8], "little") == 4000


def test_9_what_a_device_does_in_a_callback_happens_once_and_later() -> None:
    rig = Rig()
    fired = []
    rig.machine.devices["timer"].interrupt.attach(lambda: fired.append(rig.clock.now_ns))  # type: ignore[attr-defined]
    space = rig.space()
    for page in range(12):
        space.map_device(0x40 + page, 0x10100 + page, RW)
    context = rig.load(guest("""
        li s0, 0x44000      # mtimecmp
        li t0, 1
        sw t0, 0(s0)
        addi s1, s1, 1
        sw zero, 4(s0)      # due at once: the run ends, after this block
        addi s1, s1, 1
        j next
    next: addi s1, s1, 1
        mv a0, s1
        ecall
    """), space)
    (trap,) = rig.run(context)
    assert trap.detail[0] == 3
    assert len(fired) == 1
    assert 0 < fired[0] < trap.time_ns


@pytest.mark.parametrize("instruction", ["rdcycle a0", "rdinstret a0", "csrr a0, 0xc03", "csrrw a0, 0xc01, a1"])
@pytest.mark.parametrize("options", [{}, {"live": False}])
def test_10_no_counter_of_the_host_can_be_read(instruction: str, options: dict[str, bool]) -> None:
    rig = Rig(**options)
    program = guest(f"li a0, 77\nF: {instruction}\necall")
    context = rig.load(program)
    (trap,) = rig.run(context)
    word = int.from_bytes(program.code[program.symbols["F"] - BASE:][:4], "little")
    assert (trap.kind, trap.pc, trap.detail) == ("bad_instruction", program.symbols["F"], (2, word))
    assert context.register("a0") == 77


@pytest.mark.parametrize("options", [{}, {"live": False}, {"native": False}])
def test_10_rdtime_reads_the_virtual_clock(options: dict[str, bool]) -> None:
    rig = Rig(**options)
    context = rig.load(guest("rdtime a0\nrdtime a1\ncsrrc a2, time, zero\nrdtime zero\necall"))
    (trap,) = rig.run(context)
    first, second, third = trap.detail[:3]
    assert 0 < first < second < third < trap.time_ns


def test_11_nothing_the_engine_needs_is_collected() -> None:
    rig = Rig()
    context = rig.load(guest("li s0, 0x40000\n1: lw a0, 4(s0)\necall\nj 1b"))
    context.space.map_device(0x40, 0x10000, RW)
    turns = 0

    def ecall() -> None:
        nonlocal turns
        turns += 1
        gc.collect()
        if turns == 5:
            rig.cpu.switch_to(None)

    rig.kernel.on_ecall = ecall
    assert [trap.detail[0] for trap in rig.run(context)] == [2] * 5


def test_the_native_helper_is_there() -> None:
    assert load_helper() is not None
    assert Rig().clock.kind == "bytes"
