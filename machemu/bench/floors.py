"""The floors: what a trap, a switch, an RPC and a page fault cost at the very least.

Each is the guest program of the measurement on a `Bare` processor, whose handler does what
cannot be left out and nothing else.
"""

from __future__ import annotations

from typing import Final

from machemu.bench.bare import MACH_MSG, SEND, Bare, BareTask
from machemu.hw.api import PAGE_SHIFT, PAGE_SIZE, Access
from machemu.hw.isa.riscv64 import causes, paging
from machemu.hw.isa.riscv64 import layout as at
from machemu.hw.memory import RAM_BASE_PAGE
from machemu.hw.mmu import ENTRIES

ENDLESS: Final = 1 << 40  # rounds
SWTCH: Final = -60 % (1 << 64)
VM_ALLOCATE: Final = -65 % (1 << 64)
MESSAGE: Final = 64  # octets of the null RPC
ZEROS: Final = bytes(PAGE_SIZE)
BARE_PAGES: Final = 0x1_0000_0000  # where the guest touches pages (traps.c)


def trap(program: bytes, count: int) -> Bare:
    """A call: eight registers read, one written."""
    bare = Bare(program)
    bare.enter(bare.task("trap", ENDLESS, count))
    arguments = bare.words[at.ARGUMENTS]
    other = bare.other

    def ecall() -> None:
        given = arguments.tolist()
        arguments[0] = 0 if given[7] == MACH_MSG else other(given)

    bare.attach(ecall)
    return bare


def switch(program: bytes, count: int) -> Bare:
    """The same with a change of registers and space: two tasks, one after the other."""
    bare = Bare(program)
    first, second = bare.task("switch", ENDLESS, count), bare.task("switch", ENDLESS, ENDLESS)
    words, flush = bare.words, bare.engine.flusher
    arguments, registers = words[at.ARGUMENTS], words[:at.SAVED_WORDS]
    other = bare.other
    root_page, reservation, none = at.ROOT_PAGE, at.RESERVATION, at.NO_RESERVATION
    running, waiting = first, second

    def ecall() -> None:
        nonlocal running, waiting
        given = arguments.tolist()
        if given[7] != SWTCH:
            arguments[0] = other(given) if running is first else 0
            return
        arguments[0] = 1
        running, waiting = waiting, running
        waiting.saved[:] = registers
        saved = running.saved
        saved[reservation] = none
        registers[:] = saved
        words[root_page] = running.space.root_page
        flush()

    bare.attach(ecall)
    bare.enter(first)
    return bare


def rpc(program: bytes, count: int) -> Bare:
    """A round trip: two calls, two copies of 64 octets, two switches."""
    bare = Bare(program)
    client, server = bare.task("client", ENDLESS, count, 11), bare.task("echo", 0, 0, 12)
    client.names[11] = server
    server.names[11] = client  # where the client's own octets say
    words, data, flush = bare.words, bare.memory.data, bare.engine.flusher
    arguments, registers = words[at.ARGUMENTS], words[:at.SAVED_WORDS]
    other = bare.other
    root_page, reservation, none = at.ROOT_PAGE, at.RESERVATION, at.NO_RESERVATION
    running: BareTask = server

    def ecall() -> None:
        nonlocal running
        given = arguments.tolist()
        message, option, _, _, _, _, _, number = given
        if number != MACH_MSG:
            arguments[0] = other(given)
            return
        me = running
        me.wait = here = me.frames[message >> 12] + (message & 4095)
        if option & SEND:
            to = me.names[data[here + 8] | data[here + 9] << 8]
            there = to.wait
            data[there:there + MESSAGE] = data[here:here + MESSAGE]
        else:
            to = client  # the server waits for its first request
        arguments[0] = 0
        me.saved[:] = registers
        saved = to.saved
        saved[reservation] = none
        registers[:] = saved
        words[root_page] = to.space.root_page
        flush()
        running = to

    bare.attach(ecall)
    bare.enter(server)
    return bare


def page_fault(program: bytes, count: int) -> Bare:
    """A page cleared, its entry written, the store tried again."""
    bare = Bare(program)
    task = bare.task("touch", ENDLESS, count)
    words, data, table = bare.words, bare.memory.data, bare.memory.words
    arguments = words[at.ARGUMENTS]
    leaf = _lowest_table(bare, task, BARE_PAGES >> PAGE_SHIFT)
    fresh = [(frame, paging.leaf(RAM_BASE_PAGE + frame, Access.READ | Access.WRITE))
             for frame in (bare.frame() for _ in range(count))]
    left: list[tuple[int, int]] = []

    def ecall() -> None:
        given = arguments.tolist()
        if given[7] == VM_ALLOCATE:  # outside the time that counts
            left[:] = fresh
            for index in range(leaf, leaf + count):
                table[index] = 0
            bare.tlb.flush()
        arguments[0] = bare.other(given)

    def fault(_cause: int) -> None:
        page = words[at.FAULT_ADDRESS] >> PAGE_SHIFT
        frame, entry = left.pop()
        start = frame << PAGE_SHIFT
        data[start:start + PAGE_SIZE] = ZEROS
        table[leaf + (page & paging.INDEX_MASK)] = entry
        words[at.PC] -= causes.PC_ADVANCE

    bare.attach(ecall, fault)
    bare.enter(task)
    return bare


def _lowest_table(bare: Bare, task: BareTask, page: int) -> int:
    """Word index in RAM of the table for `page` and the 511 pages beside it, made empty."""
    task.space.map(page, bare.frame(), Access.READ)
    table = task.space.root_page - RAM_BASE_PAGE
    for shift in paging.UPPER_SHIFTS:
        entry = bare.memory.words[table * ENTRIES + (page >> shift & paging.INDEX_MASK)]
        table = (entry >> paging.PPN_SHIFT) - RAM_BASE_PAGE
    return table * ENTRIES


def work(program: bytes, count: int) -> Bare:
    """Computation with nothing that counts it."""
    bare = Bare(program)
    bare.enter(bare.task("work", ENDLESS, count))
    arguments = bare.words[at.ARGUMENTS]

    def ecall() -> None:
        arguments[0] = bare.other(arguments.tolist())

    bare.attach(ecall)
    return bare
