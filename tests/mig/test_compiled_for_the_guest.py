"""Made C compiles without a warning for the guest, and headers go together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from machemu import mig
from machemu.sdk.toolchain import STRICT, CompileError, toolchain
from tests.mig.stubs import DEFS, HOST
from tests.support.host_c import ROOT

INTERFACES: Final = (HOST / "every.defs", HOST / "special.defs", DEFS / "mach.defs", DEFS / "device.defs")


def compile_c(source: Path, *includes: Path) -> None:
    words = [f"-I{path}" for path in (*includes, HOST, ROOT / "servers" / "include")]
    toolchain().compile(source, source.with_suffix(".o"), (*STRICT, *words), source.with_suffix(".d"))


@pytest.mark.parametrize("defs", INTERFACES, ids=lambda path: path.stem)
def test_callers_stubs_compile_without_a_warning(tmp_path: Path, defs: Path) -> None:
    subsystem = mig.compile_defs(defs, [DEFS])
    (tmp_path / "own.h").write_text(mig.c_header(subsystem))
    # The header twice and in front of what it declares: they have to agree.
    source = tmp_path / "user.c"
    source.write_text('#include "own.h"\n#include "own.h"\n' + mig.c_user(subsystem))
    compile_c(source, tmp_path)


@pytest.mark.parametrize("defs", INTERFACES, ids=lambda path: path.stem)
def test_servers_stubs_compile_without_a_warning(tmp_path: Path, defs: Path) -> None:
    subsystem = mig.compile_defs(defs, [DEFS])
    (tmp_path / "own.h").write_text(mig.c_server_header(subsystem))
    source = tmp_path / "server.c"
    source.write_text('#include "own.h"\n#include "own.h"\n' + mig.c_server(subsystem))
    compile_c(source, tmp_path)


def test_interface_without_routines_compiles(tmp_path: Path) -> None:
    defs = tmp_path / "empty.defs"
    defs.write_text("subsystem empty 1000;\nskip 3;\n")
    subsystem = mig.compile_defs(defs)
    for emit in (mig.c_header, mig.c_server_header, mig.c_user, mig.c_server):
        source = tmp_path / "one.c"
        source.write_text(emit(subsystem) + "\nextern int something;\n")
        compile_c(source)


def test_c_type_of_another_size_than_the_interface_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "types.h").write_text("#include <stdint.h>\ntypedef int64_t wide_t;\n")
    defs = tmp_path / "wide.defs"
    defs.write_text("subsystem wide 1000;\n#include <mach/std_types.defs>\ntype wide_t = int;\n"
                    'import "types.h";\nroutine r(port : mach_port_t; x : wide_t);\n')
    source = tmp_path / "wide.c"
    source.write_text(mig.c_user(mig.compile_defs(defs, [DEFS])))
    with pytest.raises(CompileError, match="wide_t"):
        compile_c(source, tmp_path)
