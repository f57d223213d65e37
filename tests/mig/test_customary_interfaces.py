"""The interfaces of Mach under the names and in the places where its programs look for them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from typer import Typer
from typer.testing import CliRunner

from machemu.cli.mig import mig as command
from machemu.mig import c_server, c_server_header, c_user, compile_defs
from tests.mig.stubs import DEFS
from tests.mig.test_compiled_for_the_guest import compile_c

# File: base, ids of some routines (mach-abi.md 6).
PLACES: Final[dict[str, tuple[int, dict[str, int]]]] = {
    "mach/mach.defs": (2000, {"vm_allocate": 2021, "task_create": 2007, "vm_map": 2089}),
    "mach/mach_port.defs": (3200, {"mach_port_allocate": 3204, "mach_port_insert_right": 3215}),
    "mach/mach_host.defs": (2600, {"host_get_time": 2634, "host_reboot": 2635}),
    "mach/exc.defs": (2400, {"exception_raise": 2400}),
    "mach/notify.defs": (64, {"mach_notify_port_deleted": 65, "mach_notify_msg_accepted": 66,
                              "mach_notify_port_destroyed": 69, "mach_notify_no_senders": 70,
                              "mach_notify_send_once": 71, "mach_notify_dead_name": 72}),
    "mach/default_pager.defs": (2275, {"default_pager_object_create": 2275, "default_pager_info": 2276,
                                       "default_pager_objects": 2277, "default_pager_object_pages": 2278,
                                       "default_pager_paging_file": 2279,
                                       "default_pager_register_fileserver": 2280}),
    "mach/gnumach.defs": (4200, {"task_set_name": 4202, "thread_set_name": 4213}),
    "mach/mach4.defs": (4000, {"memory_object_create_proxy": 4010, "vm_region_create_proxy": 4011}),
    "mach/bootstrap.defs": (1000000, {"bootstrap_privileged_ports": 1000000}),
    "device/device.defs": (2800, {"device_open": 2800, "device_get_status": 2811, "device_set_filter": 2812,
                                  "device_intr_register": 2813, "device_intr_ack": 2814}),
    "device/device_request.defs": (2800, {"device_open_request": 2800, "device_write_request": 2802,
                                          "device_write_request_inband": 2803, "device_read_request": 2804,
                                          "device_read_request_inband": 2805}),
    "device/device_reply.defs": (2900, {"device_open_reply": 2900, "device_write_reply": 2902,
                                        "device_write_reply_inband": 2903, "device_read_reply": 2904,
                                        "device_read_reply_inband": 2905}),
    "servers/netname.defs": (1040, {"netname_check_in": 1040, "netname_look_up": 1041, "netname_check_out": 1042,
                                    "netname_version": 1043}),
}
# Octets of some requests and replies as mach-abi.md 6 has them.
SIZES: Final = {
    ("mach/default_pager.defs", "default_pager_object_create"): (48, 64),
    ("mach/default_pager.defs", "default_pager_info"): (32, 80),
    ("mach/default_pager.defs", "default_pager_paging_file"): (328, 48),
    ("mach/default_pager.defs", "default_pager_register_fileserver"): (48, 48),
    ("mach/mach4.defs", "memory_object_create_proxy"): (80, 64),
    ("mach/mach4.defs", "vm_region_create_proxy"): (80, 64),
    ("device/device.defs", "device_set_filter"): (72, 48),
    ("device/device.defs", "device_intr_register"): (80, 48),
    ("device/device.defs", "device_intr_ack"): (48, 48),
    ("device/device_request.defs", "device_open_request"): (184, 0),
    ("device/device_reply.defs", "device_open_reply"): (64, 0),
    ("device/device_reply.defs", "device_write_reply"): (64, 0),
}


def included(folder: Path, place: str) -> Path:
    """A file of one's own that stands for the one in its customary place, as the Hurd's Makefiles make it."""
    path = folder / "own.defs"
    path.write_text(f"#include <{place}>\n")
    return path


@pytest.mark.parametrize("place", PLACES)
def test_interface_is_in_its_place_with_its_ids(tmp_path: Path, place: str) -> None:
    subsystem = compile_defs(included(tmp_path, place), [DEFS])
    base, ids = PLACES[place]
    assert (subsystem.name, subsystem.base, subsystem.warnings) == (Path(place).stem, base, [])
    found = {routine.name: routine.ident for routine in subsystem.routines}
    assert {name: found.get(name) for name in ids} == ids


@pytest.mark.parametrize(("place", "name"), SIZES)
def test_messages_have_the_octets_of_the_reference(tmp_path: Path, place: str, name: str) -> None:
    subsystem = compile_defs(included(tmp_path, place), [DEFS])
    routine = next(routine for routine in subsystem.routines if routine.name == name)
    request, reply = SIZES[place, name]
    # Of what varies the descriptor counts, as in the reference.
    assert (routine.request.smallest, 0 if routine.simple else routine.reply.smallest) == (request, reply)


def test_own_file_may_have_the_name_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "exc.defs"
    path.write_text("#include <mach/exc.defs>\n")
    assert compile_defs(path, [DEFS]).base == 2400


def test_functions_of_a_server_may_have_the_number_of_the_notification(tmp_path: Path) -> None:
    plain = c_server_header(compile_defs(included(tmp_path, "mach/notify.defs"), [DEFS]))
    assert "boolean_t notify_server(" in plain
    assert "do_mach_notify_dead_name(mach_port_t notify, mach_port_t name);" in plain
    subsystem = compile_defs(included(tmp_path, "mach/notify.defs"), [DEFS], {"SEQNOS": "1"})
    header = c_server_header(subsystem)
    assert "boolean_t seqnos_notify_server(" in header
    for name, rest in (("send_once", ""), ("dead_name", ", mach_port_t name")):
        head = f"do_seqnos_mach_notify_{name}(mach_port_t notify, mach_port_seqno_t seqno{rest});"
        assert head in " ".join(header.split())
    (tmp_path / "server.c").write_text(header + c_server(subsystem))
    compile_c(tmp_path / "server.c")


def test_default_pagers_calls_in_c(tmp_path: Path) -> None:
    subsystem = compile_defs(included(tmp_path, "mach/default_pager.defs"), [DEFS])
    text = " ".join(c_user(subsystem).split())
    # The object before its size.
    assert ("kern_return_t default_pager_object_create(mach_port_t default_pager, mach_port_t *memory_object,"
            " vm_size_t object_size)") in text
    (tmp_path / "user.c").write_text(c_user(subsystem))
    compile_c(tmp_path / "user.c")


def test_command_finds_them_without_being_told_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = included(tmp_path, "device/device.defs")
    app = Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(path)])
    assert (result.exit_code, result.output) == (0, "")
    assert "device_open(" in (tmp_path / "own.h").read_text()


def test_own_folder_goes_before_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "mach").mkdir(parents=True)
    (tmp_path / "mine" / "mach" / "exc.defs").write_text("subsystem mine 1;\n")
    path = included(tmp_path, "mach/exc.defs")
    app = Typer()
    app.command()(command)
    assert CliRunner().invoke(app, [str(path), "-I", "mine"]).exit_code == 0
    assert "mine_server" in (tmp_path / "own_server.h").read_text()
