"""What the kernel is told of each trap (unicorn-riscv.md 4), and that no guest does worse."""

from __future__ import annotations

import struct
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machemu.hw.api import PAGE_SIZE, Access
from machemu.hw.cpu import Context
from machemu.hw.description import MachineDescription
from tests.hw.examples import examples
from tests.hw.guests import BASE, DATA, RW, RX, Program, Rig, Trap, guest

READ, WRITE, EXECUTE = int(Access.READ), int(Access.WRITE), int(Access.EXECUTE)
READ_ONLY, EXECUTE_ONLY = 0x30000, 0x38000  # pages of the catalogue's guest
DEVICE: Final = 0x40000
MISSING: Final = 0x50000
ALL_WAYS: Final = [{}, {"live": False}, {"native": False}, {"live": False, "native": False}]
EXCEPTION_STATE: Final = 3  # flavor

# name, instructions, what the kernel is told, scause as `thread_get_state` gives it.
# The trap is at label F_name; an ecall at the end is reached only if nothing traps.
CATALOGUE: Final[list[tuple[str, str, tuple[Any, ...], int]]] = [
    ("illegal", "F: .word 0xffffffff", ("bad_instruction", 2, 0xFFFF_FFFF), 2),
    ("illegal_short", "F: .half 0", ("bad_instruction", 2, 0), 2),
    ("load", "li t0, 0x50000\nF: ld a0, 8(t0)", ("page_fault", MISSING + 8, READ), 13),
    ("short_load", "li a5, 0x50000\nF: c.ld a4, 8(a5)", ("page_fault", MISSING + 8, READ), 13),
    ("store", "li t0, 0x50000\nF: sd a0, 16(t0)", ("page_fault", MISSING + 16, WRITE), 15),
    ("amo_missing", "li t0, 0x50000\nF: amoadd.d a0, a1, (t0)", ("page_fault", MISSING, READ), 13),
    ("amo_read_only", "li t0, 0x30000\nF: amoadd.d a0, a1, (t0)", ("page_fault", READ_ONLY, WRITE), 15),
    ("lr", "li t0, 0x50000\nF: lr.d a0, (t0)", ("page_fault", MISSING, READ), 13),
    ("store_read_only", "li t0, 0x30000\nF: sd a0, 0(t0)", ("page_fault", READ_ONLY, WRITE), 15),
    ("load_execute_only", "li t0, 0x38000\nF: ld a0, 0(t0)", ("page_fault", EXECUTE_ONLY, READ), 13),
    ("load_non_canonical", "li t0, 1<<45\nF: ld a0, 0(t0)", ("page_fault", 1 << 45, READ), 13),
    ("load_last", "li t0, -1\nF: lb a0, 0(t0)", ("page_fault", 2**64 - 1, READ), 13),
    ("load_across", "li t0, 0x20ffc\nF: ld a0, 0(t0)", ("page_fault", 0x21000, READ), 13),
    ("store_across", "li t0, 0x20ffc\nF: sd t0, 0(t0)", ("page_fault", 0x21000, WRITE), 15),
    ("misaligned_amo", "li t0, 0x20004\nF: amoadd.d a0, a1, (t0)", ("misaligned", 1, 0x20004), 4),
    ("misaligned_lr", "li t0, 0x20004\nF: lr.d a0, (t0)", ("misaligned", 1, 0x20004), 4),
    ("ebreak", ".option norvc\nF: ebreak\n.option rvc", ("breakpoint", 3, None), 3),
    ("short_ebreak", "F: c.ebreak", ("breakpoint", 3, None), 3),
]

# Addresses without code.
JUMPS: Final = [
    pytest.param(0x60004, id="missing page"),
    pytest.param(DATA + 4, id="page without execute"),
    pytest.param(DEVICE, id="registers of a device"),
    pytest.param(0, id="address 0"),
    pytest.param(1 << 45, id="non-canonical"),
    pytest.param(2**64 - 4, id="last word of all"),
    pytest.param(2**64 - 2, id="last octets of all"),
]

PRIVILEGED: Final = """csrw satp,t0; csrr a0,satp; csrw sstatus,t0; csrr a0,mstatus; csrw mepc,t0; csrw pmpcfg0,t0
csrw stvec,t0; csrr a0,mhartid; csrr a0,0x000; csrw 0x000,t0; csrr a0,0x005; csrr a0,0x040; mret; sret; .word 0x00200073
wfi; sfence.vma; .word 0x22000073; rdcycle a0; rdinstret a0; csrr a0,hpmcounter3; csrw cycle,t0; csrr a0,0xc20
csrrw a0,0x015,x0; .word 0x0000000b; .word 0x20b52533; csrw 0x180,t0; csrr a0,0x306; csrs 0x306,t0; csrs 0x106,t0
csrr a0,0x340; csrw 0x300,t0; csrw 0x320,t0; csrw time,t0; csrrs a0,time,t0; csrrwi a0,time,1; csrrsi a0,time,1
.word 0x30200073; .word 0x7b200073; .word 0x10500073""".replace("\n", ";").split(";")


def catalogue() -> Program:
    parts = [f"S_{name}:\n{body.replace('F:', f'F_{name}:')}\necall" for name, body, *_ in CATALOGUE]
    return guest("\n".join(parts))


def prepared(program: Program, **way: Any) -> tuple[Rig, Context]:
    rig = Rig(**way)
    context = rig.load(program)
    context.space.map(READ_ONLY // PAGE_SIZE, rig.frame(), Access.READ)
    context.space.map(EXECUTE_ONLY // PAGE_SIZE, rig.frame(), Access.EXECUTE)
    context.space.map_device(DEVICE // PAGE_SIZE, 0x10000, RW)
    return rig, context


@pytest.mark.parametrize("way", ALL_WAYS)
@pytest.mark.parametrize(("name", "told", "scause"), [(name, told, cause) for name, _, told, cause in CATALOGUE])
def test_every_kind_of_trap(name: str, told: tuple[Any, ...], scause: int, way: dict[str, bool]) -> None:
    program = catalogue()
    rig, context = prepared(program, **way)
    context.pc = program.symbols[f"S_{name}"]
    at = program.symbols[f"F_{name}"]
    (trap,) = rig.run(context)
    kind, *detail = told
    assert (trap.kind, trap.pc) == (kind, at)
    assert trap.detail == tuple(at if value is None else value for value in detail)
    address = trap.detail[-1] if kind != "page_fault" else trap.detail[0]
    assert context.get_state(EXCEPTION_STATE) == struct.pack("<3Q", scause, address, at)


@pytest.mark.parametrize("way", ALL_WAYS)
@pytest.mark.parametrize("target", JUMPS)
def test_jump_to_where_no_code_is_faults_there(target: int, way: dict[str, bool]) -> None:
    program = guest("jr a0")
    rig, context = prepared(program, **way)
    context.set_register("a0", target)
    (trap,) = rig.run(context)
    assert trap == Trap("page_fault", target, trap.time_ns, (target, EXECUTE))


@pytest.mark.parametrize("way", ALL_WAYS)
def test_fetch_that_faults_for_ever_ends_with_the_quantum(way: dict[str, bool]) -> None:
    rig, context = prepared(guest("jr a0"), **way)
    context.set_register("a0", DEVICE)
    rig.kernel.on_fault = lambda address, access: None  # as a kernel with a bug would
    rig.cpu.switch_to(context)
    rig.cpu.run(10_000)
    assert 10_000 <= rig.clock.now_ns < 10_300
    rig.cpu.switch_to(None)


def test_store_across_a_boundary_into_a_missing_page_writes_nothing() -> None:
    program = catalogue()
    rig, context = prepared(program)
    context.pc = program.symbols["S_store_across"]
    rig.run(context)
    assert rig.octets_at(context.space, DATA + PAGE_SIZE - 8, 8) == bytes(8)


def test_plain_accesses_may_be_misaligned() -> None:
    rig = Rig()
    context = rig.load(guest("li t0, 0x20003\nli a0, 0x12345678\nsd a0, 0(t0)\nld a1, 0(t0)\necall"))
    (trap,) = rig.run(context)
    assert trap.detail[:2] == (0x12345678, 0x12345678)


def test_sc_without_reservation_fails_and_touches_no_memory() -> None:
    rig = Rig()
    (trap,) = rig.run(rig.load(guest("li t0, 0x50000\nsc.d a0, a1, (t0)\necall")))
    assert (trap.kind, trap.detail[0]) == ("ecall", 1)


@pytest.mark.parametrize("way", [{}, {"live": False}])
def test_privileged_instructions_are_illegal_and_change_nothing(way: dict[str, bool]) -> None:
    body = "\n".join(f"S{n}: li t0, -1\nli a0, 0\nF{n}: {text}\necall" for n, text in enumerate(PRIVILEGED))
    program = guest(f".option norvc\n{body}")
    rig = Rig(**way)
    context = rig.load(program)
    for number, text in enumerate(PRIVILEGED):
        rig.kernel.traps.clear()
        context.pc = program.symbols[f"S{number}"]
        at = program.symbols[f"F{number}"]
        (trap,) = rig.run(context)
        word = int.from_bytes(program.code[at - BASE:at - BASE + 4], "little")
        assert (trap.kind, trap.pc, trap.detail) == ("bad_instruction", at, (2, word)), text
        assert context.register("a0") == 0
        rig.machine.check()  # the mode that isolates programs


def test_code_that_a_guest_writes_itself_reads_no_counter_of_the_host() -> None:
    rig = Rig()
    context = rig.load(guest("""
        li s0, 0x30000
        li t0, 0xc0002573       # rdcycle a0
        sw t0, 0(s0)
        fence.i
        jr s0
    """))
    context.space.map(READ_ONLY // PAGE_SIZE, rig.frame(), Access.READ | Access.WRITE | Access.EXECUTE)
    (trap,) = rig.run(context)
    assert (trap.kind, trap.detail[1]) == ("bad_instruction", 0xC000_2573)


def test_instruction_across_two_pages_is_told_whole() -> None:
    rig = Rig()
    program = guest("j F\n.balign 4096\n.space 4096 - 6\n.option norvc\n.half 1\nF: rdcycle a0")
    at = program.symbols["F"]
    assert at % PAGE_SIZE == PAGE_SIZE - 4
    context = rig.load(program)
    first, second = at // PAGE_SIZE, at // PAGE_SIZE + 1
    for page in (first, second):  # the same octets, two further on: across the boundary
        context.space.map(page, rig.frame(), RX)
    code = struct.pack("<I", 0xC000_2573)
    for page, octets, inside in ((first, code[:2], PAGE_SIZE - 2), (second, code[2:], 0)):
        start = context.space.readable[page] + inside
        rig.memory.data[start:start + 2] = octets
    context.pc = second * PAGE_SIZE - 2
    (trap,) = rig.run(context)
    assert (trap.kind, trap.pc, trap.detail) == ("bad_instruction", second * PAGE_SIZE - 2, (2, 0xC000_2573))


def test_page_table_that_names_no_memory_ends_this_run_and_no_other() -> None:
    broken, sound = Rig(), Rig()
    program = guest("li t0, 0x50000\nld a0, 0(t0)\necall")
    context = broken.load(program)
    context.space.map_device(MISSING // PAGE_SIZE, 0x7000, RW)  # where no device is
    with pytest.raises(Exception, match="page table that names no memory"):
        broken.run(context)
    broken.cpu.switch_to(None)
    sound_context = sound.load(guest("li a0, 3\necall"))
    assert sound.run(sound_context)[0].detail[0] == 3


MAPPED: Final = MachineDescription.parse("""
[machine]
ram = 1048576
[[device]]
name = "eth0"
kind = "nic"
address = 0x10010000
interrupt = 1
[[device]]
name = "crypto0"
kind = "crypto"
address = 0x10200000
interrupt = 10
contexts = 4
""", "mapped.toml")
WORDS = st.integers(0, 2**32 - 1)
# Half the words are instructions of some kind, so that guests get further than the first.
OPCODES = st.sampled_from([0x03, 0x13, 0x17, 0x1B, 0x23, 0x2F, 0x33, 0x37, 0x3B, 0x53, 0x63, 0x67, 0x6F, 0x73, 0x0F])
INSTRUCTIONS = st.one_of(WORDS, st.builds(lambda word, opcode: word & ~0x7F | opcode, WORDS, OPCODES))


@examples(40)
@given(st.lists(INSTRUCTIONS, min_size=1, max_size=40), st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8))
def test_no_guest_code_raises_into_the_machine_or_reaches_outside(code: list[int], registers: list[int]) -> None:
    rig = Rig(MAPPED)
    space = rig.space()
    for number, device in enumerate(rig.machine.mapped_devices.values()):
        for unit in device.units()[:4]:
            device.open(unit, 1)
            space.map_device((DEVICE >> 12) + 4 * number + device.units().index(unit), device.bus_page(unit), RW)
    program = Program(BASE, b"".join(struct.pack("<I", word) for word in code), {})
    context = rig.load(program, space)
    for number, value in enumerate(registers):  # half of them are addresses of something
        context.set_register(f"a{number}", value if number % 2 else (DATA, DEVICE, BASE, DEVICE + 0x4000)[number // 2])
    before = bytearray(rig.memory.data)
    rig.kernel.on_ecall = lambda: None  # go on
    rig.run(context, 50_000)
    rig.cpu.switch_to(None)
    rig.settle(100_000)
    for start in set(space.readable.values()):  # the guest's own pages
        before[start:start + PAGE_SIZE] = rig.memory.data[start:start + PAGE_SIZE]
    assert before == rig.memory.data
    rig.close()
