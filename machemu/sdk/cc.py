"""The compiler driver behind `machemu cc`: C, assembler and interfaces to a guest program."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from machemu.errors import ConfigError
from machemu.sdk.interfaces import make_stubs
from machemu.sdk.layout import Built
from machemu.sdk.toolchain import Toolchain, toolchain

SOURCES: Final = frozenset({".c", ".S", ".s"})
LINKED: Final = frozenset({".o", ".a"})
DEFAULT_FLAGS: Final = ("-std=gnu17", "-Wall", "-gline-tables-only")
DEFAULT_OUTPUT: Final = Path("a.out")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be made of what.

    inputs: sources (.c, .S, .s), objects and libraries (.o, .a), in any mixture.
    defs: interfaces; their stubs are compiled and their headers found by name.  -I and -D are theirs too.
    flags: the compiler's own, as -O2, -g, -I or -W...; after the default ones, so that they win.
    output: the program, or the object when only compiling one source.
    """

    inputs: tuple[Path, ...]
    output: Path | None = None
    defs: tuple[Path, ...] = ()
    flags: tuple[str, ...] = ("-O2",)
    compile_only: bool = False


def check(job: Job) -> None:
    """Raises ConfigError: the job cannot be done as asked."""
    if not job.inputs:
        raise ConfigError("nothing to compile: name a .c file")
    for path in (*job.inputs, *job.defs):
        if not path.is_file():
            raise ConfigError(f"{path}: no such file")
    for path in job.inputs:
        if path.suffix not in SOURCES | LINKED:
            raise ConfigError(f"{path}: neither a source (.c, .S), an object (.o) nor a library (.a)")
    if job.compile_only and job.output is not None and sum(path.suffix in SOURCES for path in job.inputs) > 1:
        raise ConfigError("-o with -c takes one source")


def run(job: Job, say: Callable[[str], None], built: Built | None = None) -> list[Path]:
    """Do `job`; `say` gets the compiler's warnings.  Returns the files made.

    Raises CompileError, with the compiler's words; ConfigError: an interface or the request is wrong,
    there is no compiler, or the SDK's libraries are not built.
    """
    check(job)
    built = built or Built()
    with tempfile.TemporaryDirectory() as folder:
        driver = _Driver(job, toolchain(), built, Path(folder), say)
        return driver.compile_all() if job.compile_only else [driver.link()]


@dataclass(frozen=True, slots=True)
class _Driver:
    job: Job
    tools: Toolchain
    built: Built
    work: Path
    say: Callable[[str], None]

    def compile_all(self) -> list[Path]:
        self._make_stubs()
        sources = [path for path in self.job.inputs if path.suffix in SOURCES]
        outputs = [self.job.output or Path(f"{path.stem}.o") for path in sources]
        for source, output in zip(sources, outputs, strict=True):
            self._compile(source, output)
        return outputs

    def link(self) -> Path:
        # Looked for first: nobody wants to wait for this error.
        libraries = self.built.libraries()
        stubs = self._make_stubs()
        objects = [self._object(path, index) for index, path in enumerate(self.job.inputs)]
        made = [self._object(path, index) for index, path in enumerate(stubs, len(objects))]
        if made:
            archive = self.work / "libdefs.a"
            self.tools.archive(archive, made)
            libraries.insert(0, archive)
        output = self.job.output or DEFAULT_OUTPUT
        self.tools.link(output, self.built.script, [self.built.start, *objects, *libraries])
        return output

    def _make_stubs(self) -> list[Path]:
        sources: list[Path] = []
        own = [Path(flag[2:]) for flag in self.job.flags if flag.startswith("-I")]
        macros = [flag[2:].partition("=") for flag in self.job.flags if flag.startswith("-D")]
        defines = {name: value if equals else "1" for name, equals, value in macros}
        for defs in self.job.defs:
            folders = [defs.resolve().parent, *own, self.built.defs]
            stubs = make_stubs(defs, folders, self.work, self.work, defines, self.say)
            sources += [stubs.user, stubs.server]
        return sources

    def _object(self, path: Path, index: int) -> Path:
        if path.suffix in LINKED:
            return path
        output = self.work / f"{index}-{path.stem}.o"
        self._compile(path, output)
        return output

    def _compile(self, source: Path, output: Path) -> None:
        ours = [word for directory in self.built.include_path() for word in ("-isystem", str(directory))]
        flags = (*DEFAULT_FLAGS, *self.job.flags, f"-I{self.work}", *ours)
        warnings = self.tools.compile(source, output, flags, Path(os.devnull))
        if warnings:
            self.say(warnings.rstrip())
