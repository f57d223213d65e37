"""Headers under the names that Mach's programs include, and programs that do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from machemu.sdk.cc import Job, run
from machemu.sdk.layout import Built
from machemu.sdk.toolchain import toolchain

PROGRAMS: Final = Path(__file__).parent / "programs"
CUSTOMARY: Final = """
mach.h mach_error.h mach_init.h mach/mach.h mach/mach_error.h mach/mach_init.h mach/mach_interface.h mach/mach_port.h
mach/mach_host.h mach/mach_traps.h mach/mach_types.h mach/std_types.h mach/message.h mach/mig_errors.h
mach/mig_support.h mach/notify.h mach/notify_server.h mach/exc.h mach/exc_server.h mach/exception.h mach/error.h
mach/kern_return.h mach/port.h mach/boolean.h mach/vm_param.h mach/vm_prot.h mach/vm_inherit.h mach/vm_statistics.h
mach/vm_attributes.h mach/time_value.h mach/task_info.h mach/thread_info.h mach/host_info.h mach/processor_info.h
mach/policy.h mach/task_special_ports.h mach/thread_special_ports.h mach/thread_status.h mach/thread_switch.h
mach/memory_object.h mach/default_pager.h mach/default_pager_server.h mach/default_pager_types.h mach/bootstrap.h
mach/gnumach.h mach/mach4.h mach/machine.h mach/machine/vm_types.h mach/machine/vm_param.h mach/machine/boolean.h
mach/machine/thread_status.h device/device.h device/device_types.h device/device_request.h device/device_reply.h
device/device_reply_server.h device/net_status.h device/tty_status.h servers/netname.h servers/netname_defs.h
servers/netname_server.h
"""
NAMES: Final = tuple(CUSTOMARY.split())


def test_customary_headers_are_there() -> None:
    folder = Built().include
    assert [name for name in NAMES if not (folder / name).is_file()] == []


def test_every_header_compiles_alone_and_twice(tmp_path: Path) -> None:
    tools, built = toolchain(), Built()
    sources = []
    for number, path in enumerate(sorted(built.include.rglob("*.h"))):
        name = path.relative_to(built.include).as_posix()
        sources.append(tmp_path / f"{number}_{path.stem}.c")
        sources[-1].write_text(f"#include <{name}>\n#include <{name}>\nextern int something;\n")
    own = tools.zig.parent / "lib" / "include"  # the compiler's, as <stdint.h>
    folders = [f"-I{folder}" for folder in built.include_path()]
    tools.run("clang", "-target", "riscv64-unknown-none-elf", "-march=rv64gc", "-ffreestanding", "-nostdinc",
              "-fsyntax-only", "-std=gnu17", "-Wall", "-Wextra", "-Werror", *folders, "-isystem", own, *sources)


@pytest.mark.parametrize("order", ["as customary", "backwards"])
def test_headers_go_together_in_any_order(tmp_path: Path, order: str) -> None:
    names = NAMES if order == "as customary" else NAMES[::-1]
    source = tmp_path / "all.c"
    source.write_text("".join(f"#include <{name}>\n" for name in names) + "int main(void) { return 0; }\n")
    run(Job((source,), tmp_path / "all", flags=("-O2", "-Wextra", "-Werror")), print)
    assert (tmp_path / "all").read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize("program", sorted(PROGRAMS.glob("*.c")), ids=lambda path: path.stem)
def test_program_in_the_style_of_the_time_compiles_unchanged(tmp_path: Path, program: Path) -> None:
    run(Job((program,), tmp_path / "program", flags=("-O2", "-Werror")), print)
    assert (tmp_path / "program").read_bytes()[:4] == b"\x7fELF"


def test_interface_gets_the_options_of_its_program_and_tells_its_warnings(tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "size_types.defs").write_text("#warning old file\ntype block_t = array[SIZE] of int;\n")
    (tmp_path / "disk.defs").write_text(
        "subsystem disk 9000;\n#include <mach/std_types.defs>\n#include <size_types.defs>\n"
        "#ifdef PREFIX\nuserprefix PREFIX;\n#endif\nroutine disk_get(port : mach_port_t; out block : block_t);\n")
    (tmp_path / "main.c").write_text(
        "#include <disk.h>\nint block[SIZE];\nint main(void) { return my_disk_get(0, block); }\n")
    said: list[str] = []
    run(Job((tmp_path / "main.c",), tmp_path / "program", (tmp_path / "disk.defs",),
            ("-O2", "-DPREFIX=my_", "-DSIZE=12", f"-I{tmp_path / 'inc'}")), said.append)
    assert said == [f"{tmp_path / 'inc' / 'size_types.defs'}:1: warning: old file"]
