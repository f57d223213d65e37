"""Interfaces written as others write theirs: in the style of the Hurd, of GNU Mach and of CMU's first servers."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from ctypes import byref, c_char, c_double, c_float, c_int, c_int64, c_uint32, c_uint64, c_void_p, create_string_buffer
from pathlib import Path
from typing import Final

import pytest

from machemu import mig
from tests.mig.stubs import DEFS, MEMORY_DROPPED, Stubs, build
from tests.mig.test_compiled_for_the_guest import compile_c

STYLES: Final = Path(__file__).parent / "styles"
INTERFACES: Final = ("file", "file_reply", "file_request", "pager", "clock")
# What each server's Makefile says with -D.
DEFINES: Final = {
    "FILE_INTRAN": "node_t begin_using (mach_port_t)", "FILE_INTRAN_PAYLOAD": "node_t begin_using_payload",
    "FILE_DESTRUCTOR": "end_using (node_t)", "REPLY_USERPREFIX": "send_", "PAGER_SERVERPREFIX": "serve_"}
PORT: Final = 0x501
MIG_NO_REPLY: Final = -305
RCV_TIMED_OUT: Final = 0x10004003
MOVE_SEND, MOVE_SEND_ONCE, MAKE_SEND = 17, 18, 20
SEND_TIMEOUT, RCV_TIMEOUT = 0x10, 0x100


class FileTold(ctypes.Structure):
    """`hurd_told` of styles/hurd_server.c."""

    _fields_ = [("port", c_uint32), ("reply", c_uint32), ("reply_type", c_uint32), ("count", c_uint32),
                ("ports", c_uint32), ("integers", c_uint32), ("copies", c_int), ("late", c_int), ("code", c_int),
                ("text", c_char * 64)]


class PagerTold(ctypes.Structure):
    _fields_ = [("control", c_uint32), ("reply_to", c_uint32), ("reply_type", c_uint32), ("count", c_uint32),
                ("sum", c_uint32), ("lock", c_int), ("precious", c_int), ("name", c_char * 32)]


class ClockTold(ctypes.Structure):
    _fields_ = [("clock", c_uint32), ("to", c_uint32), ("now", c_int), ("seqno", c_int), ("drift", c_float)]


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> Stubs:
    return build(tmp_path_factory.mktemp("styles"), STYLES, INTERFACES, DEFINES)


def serve(stubs: Stubs, demux: str) -> ctypes.CDLL:
    stubs.library.host_reset(getattr(stubs.library, demux))
    return stubs.library


# --- the Hurd's -----------------------------------------------------------------------------


@pytest.fixture
def told(styles: Stubs) -> Iterator[FileTold]:
    serve(styles, "file_server")
    found = FileTold.in_dll(styles.library, "hurd_told")
    ctypes.memset(byref(found), 0, ctypes.sizeof(found))
    yield found
    assert styles.library.hurd_uses() == 0  # what intran began the destructor ended


@pytest.mark.parametrize(("flags", "disposition"), [(0, MOVE_SEND), (1, MAKE_SEND)])
def test_server_chooses_the_disposition_of_what_it_gives(
    styles: Stubs, told: FileTold, flags: int, disposition: int
) -> None:
    retry, name, result, kind = c_int(), create_string_buffer(1024), c_uint32(), c_uint32(99)
    assert styles.library.dir_lookup(PORT, b"home", flags, 0o600, byref(retry), name, byref(result)) == 0
    assert (retry.value, name.value, result.value, kind.value) == (flags + 0o600, b"home/", 0x700, 99)
    assert (told.port, told.reply, told.reply_type) == (PORT, styles.message("sent").port, MOVE_SEND_ONCE)
    answer = styles.message("answer").data
    assert struct.unpack_from("<B", answer, 48 + 16 + 8 + 8) == (disposition,)


def test_port_is_what_the_payload_says_where_there_is_one(styles: Stubs, told: FileTold) -> None:
    styles.variable("host_payload", c_uint64).value = 7
    assert styles.library.file_forget(PORT, 1) == 0
    assert (told.port, told.count) == (0x10007, 1)


@pytest.mark.parametrize("size", [0, 5, 2048, 2049, 9000])
def test_data_written_are_the_servers_or_the_messages(styles: Stubs, told: FileTold, size: int) -> None:
    data, amount = create_string_buffer(b"\x03" * size, max(size, 1)), c_uint64()
    assert styles.library.io_write(PORT, data, size, c_int64(100), byref(amount)) == 0
    assert amount.value == size + 100 + (3 if size else 0)
    assert told.copies == (size <= 2048)
    freed = [event.size for event in styles.events(MEMORY_DROPPED)]
    assert freed == ([] if size <= 2048 else [size])  # once: by the function, not by the stub


@pytest.mark.parametrize("size", [0, 5, 2048, 2049, 9000])
def test_data_read_come_in_the_callers_buffer_or_in_memory_of_their_own(
    styles: Stubs, told: FileTold, size: int
) -> None:
    buffer = create_string_buffer(2048)
    data, count = c_void_p(ctypes.addressof(buffer)), c_uint32(2048)
    assert styles.library.io_read(PORT, byref(data), byref(count), c_int64(9), c_uint64(size)) == 0
    assert ctypes.string_at(data.value or 0, count.value) == b"\x09" * size
    assert (data.value == ctypes.addressof(buffer)) == (size <= 2048)
    word, = struct.unpack_from("<Q", styles.message("answer").data, 48)
    assert bool(word & 1 << 31) == (size > 2048)


def test_struct_of_many_types_comes_whole(styles: Stubs, told: FileTold) -> None:
    layout = struct.Struct("<IxxxxQIH3s7xqi4x5i4x")
    stat = create_string_buffer(layout.size)
    assert styles.library.io_stat(PORT, stat) == 0
    assert layout.unpack(stat.raw) == (1, 0x123456789A, 0o644, 3, b"ab\0", -1, 5, 1, 2, 3, 4, 5)


def test_arrays_of_all_kinds_and_rights_with_their_memory(styles: Stubs, told: FileTold) -> None:
    argv, integers, ports = b"ls\0-l\0", (c_int * 3)(1, 2, 3), (c_uint32 * 300)(*range(1, 301))
    for count in (2, 300):
        styles.reset("file")
        assert styles.library.file_exec(PORT, argv, len(argv), ports, MAKE_SEND, count, 1, integers, 3) == 0
        assert (told.count, told.ports, told.integers, told.copies) == (6, sum(range(1, count + 1)), 6, 3)
        assert told.text == b"ls"
        freed = [event.address for event in styles.events(MEMORY_DROPPED)]
        assert freed == [ctypes.addressof(ports)]  # inline by the caller's stub, else by the server's


def test_answer_may_come_late_and_to_another_loop(styles: Stubs, told: FileTold) -> None:
    told.late = 1
    assert styles.library.io_read_request(PORT, 0x600, MAKE_SEND + 1, c_int64(0), c_uint64(4)) == 0
    assert (told.reply, told.reply_type) == (0x600, MOVE_SEND_ONCE)
    serve(styles, "file_reply_server")
    assert styles.library.send_io_read_reply(0x600, MOVE_SEND_ONCE, 0, b"late", 4) == 0
    assert (told.port, told.code, told.count, told.text) == (0x600, 0, 4, b"late")
    assert styles.library.send_io_read_reply(0x600, MOVE_SEND_ONCE, 5, b"lost", 4) == 0
    assert (styles.message("sent").size, told.code, told.count) == (48, 5, 0)
    serve(styles, "file_server")
    data, count = c_void_p(), c_uint32()
    assert styles.library.io_read(PORT, byref(data), byref(count), c_int64(9), c_uint64(1)) == RCV_TIMED_OUT


def test_error_of_a_simpleroutine_is_nobodys(styles: Stubs, told: FileTold) -> None:
    assert styles.library.file_forget(PORT, 77) == 0
    assert (told.count, styles.message("sent").option) == (77, 1)


# --- GNU Mach's ----------------------------------------------------------------------------


@pytest.fixture
def pager(styles: Stubs) -> PagerTold:
    serve(styles, "pager_server")
    found = PagerTold.in_dll(styles.library, "pager_told")
    ctypes.memset(byref(found), 0, ctypes.sizeof(found))
    return found


@pytest.mark.parametrize("dealloc", [False, True])
def test_pages_supplied_and_perhaps_given_away(styles: Stubs, pager: PagerTold, dealloc: bool) -> None:
    data = create_string_buffer(bytes(range(100)), 100)
    assert styles.library.pager_data_supply(
        PORT, c_uint64(7), c_uint64(ctypes.addressof(data)), 100, dealloc, 3, 1, 0x600) == 0
    assert (pager.control, pager.count, pager.sum, pager.lock, pager.precious) == (PORT, 100, 7 + sum(range(100)), 3, 1)
    assert (pager.reply_to, pager.reply_type) == (0x600, MOVE_SEND_ONCE)
    assert bool(struct.unpack_from("<Q", styles.message("sent").data, 48)[0] & 1 << 31) == dealloc


def test_list_out_of_line_both_ways(styles: Stubs, pager: PagerTold) -> None:
    pages, count, number = ctypes.POINTER(c_uint64)(), c_uint32(), c_uint32()
    assert styles.library.pager_pages(PORT, byref(pages), byref(count)) == 0
    assert pages[:count.value] == [0x1000, 0x3000, 0x5000]
    assert styles.library.pager_count(PORT, pages, count, byref(number)) == 0
    assert number.value == 3
    assert [event.size for event in styles.events(MEMORY_DROPPED)] == [24]


def test_state_fits_or_is_refused(styles: Stubs, pager: PagerTold) -> None:
    state, count = (c_uint32 * 64)(), c_uint32(64)
    assert styles.library.pager_state(PORT, 5, state, byref(count)) == 0
    assert (pager.count, count.value, state[:4]) == (64, 4, [5, 6, 7, 8])
    count.value = 3
    assert styles.library.pager_state(PORT, 5, state, byref(count)) == 4


def test_struct_string_and_value_both_ways(styles: Stubs, pager: PagerTold) -> None:
    class Window(ctypes.Structure):
        _fields_ = [("start", c_uint64), ("end", c_uint64), ("align", c_uint64)]

    function = styles.library.pager_window
    function.argtypes = [c_uint32, Window, ctypes.c_char_p, *[c_void_p] * 4]
    size, other, name, internal = c_uint64(4096), Window(), c_uint32(), c_int()
    assert function(PORT, Window(1, 2, 3), b"swap", byref(size), byref(other), byref(name), byref(internal)) == 0
    assert (size.value, other.start, other.end, other.align) == (8192, 2, 1, 4)
    assert (pager.name, name.value, internal.value) == (b"swap", 0x777, 1)


@pytest.mark.parametrize(("side", "word"), [("KERNEL_SERVER", "KernelServer"), ("KERNEL_USER", "KernelUser")])
def test_kernels_side_of_the_file_compiles_with_a_warning(tmp_path: Path, side: str, word: str) -> None:
    subsystem = mig.compile_defs(STYLES / "pager.defs", [DEFS], {side: "1"})
    warning, = subsystem.warnings
    assert f"warning: {word}: the stubs are those of tasks" in warning
    assert subsystem.count == 6 and len(subsystem.routines) == 4
    (tmp_path / "server.c").write_text(mig.c_server_header(subsystem) + mig.c_server(subsystem))
    compile_c(tmp_path / "server.c", STYLES)
    assert ("control_of(" in mig.c_server(subsystem)) == (side == "KERNEL_SERVER")


# --- CMU's ----------------------------------------------------------------------------------


@pytest.fixture
def clock(styles: Stubs) -> ClockTold:
    serve(styles, "clock_demux")
    found = ClockTold.in_dll(styles.library, "clock_told")
    ctypes.memset(byref(found), 0, ctypes.sizeof(found))
    return found


def test_values_of_old_types(styles: Stubs, clock: ClockTold) -> None:
    version, flags, rates = create_string_buffer(80), c_uint32(), (c_double * 5)()
    library = styles.library
    assert library.cl_clock_version(PORT, version) == library.cl_clock_flags(PORT, byref(flags)) == 0
    assert library.cl_clock_rates(PORT, rates) == 0
    assert (version.value, flags.value, list(rates)) == (b"clock 1.3", 0xC0000001, [0, 0.25, 0.5, 0.75, 1])
    assert clock.clock == PORT


def test_numbers_that_are_no_integers_and_options_of_the_file(styles: Stubs, clock: ClockTold) -> None:
    both = c_double(1)
    assert styles.library.cl_clock_drift(PORT, c_float(0.5), c_double(2.25), byref(both)) == 0
    assert (clock.drift, both.value) == (0.5, 3.75)
    sent = styles.message("sent")
    assert (sent.option, sent.timeout) == (3 | SEND_TIMEOUT | RCV_TIMEOUT, 2000)


def test_table_and_what_is_late_in_it(styles: Stubs, clock: ClockTold) -> None:
    table, late, count = (c_int * 6)(1, 1, 1, 2, 2, 2), (ctypes.c_short * 20)(), c_uint32(20)
    alarms = (ctypes.c_short * 4)(5, -6, 7, -8)
    assert styles.library.cl_clock_table(PORT, table, alarms, 4, late, byref(count)) == 0
    assert (list(table), late[:count.value]) == ([1, 2, 3, 12, 13, 14], [-6, -8])
    assert (styles.message("sent").option, styles.message("sent").timeout) == (3, 0)


def test_ports_number_and_patience_of_one_call(styles: Stubs, clock: ClockTold) -> None:
    styles.variable("host_seqno").value = 12
    log, count = c_uint64(), c_uint32()
    assert styles.library.cl_clock_log(PORT, 250, byref(log), byref(count)) == 0
    assert ctypes.string_at(log.value, count.value) == b"tick tock\0"
    assert (clock.seqno, styles.message("sent").timeout) == (12, 250)
    # The type says Dealloc: the server's stub gives the region away.
    assert struct.unpack_from("<Q", styles.message("answer").data, 48)[0] & 1 << 31


def test_message_without_an_answer(styles: Stubs, clock: ClockTold) -> None:
    assert styles.library.cl_clock_tick(PORT, 0x600, 99) == 0
    assert (clock.to, clock.now) == (0x600, 99)
    assert struct.unpack_from("<IIQQII", styles.message("sent").data)[3:] == (0, 0, 70008)
