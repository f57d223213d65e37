"""Build what is compiled: interfaces, libraries, servers and apps, into `machemu/_built/`.

    python -m machemu.sdk.build [--only NAME] [--jobs N]

What was built before from the same octets is taken from the cache.  The result depends on
nothing but sources and compiler: no paths, no times, no order of threads.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from machemu.errors import ConfigError
from machemu.sdk import interfaces
from machemu.sdk.layout import PACKAGE, Built, Sources, sources_in
from machemu.sdk.objects import ObjectStore, Unit, install
from machemu.sdk.toolchain import STRICT, CompileError, cache_directory, digest, toolchain

OWN_FLAGS: Final = ("-O2", "-gline-tables-only", *STRICT)
# The compiler makes a call of memcpy from what looks like one, also inside memcpy.
LIBRARY_FLAGS: Final = {"c": ("-fno-builtin",)}
JOBS: Final = 2


@dataclass(slots=True)
class Builder:
    """One run of the build.  `failures` holds what the compiler said, one text a failed part."""

    sources: Sources
    built: Built
    store: ObjectStore
    jobs: int
    say: Callable[[str], None]
    failures: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.store.root

    def includes(self) -> tuple[Path, ...]:
        return (self.sources.include, *self.built.include_path())

    # --- interfaces and headers ---------------------------------------------

    def make_interfaces(self) -> list[Path]:
        """Stubs of every interface under servers/defs; returns their C sources."""
        made: list[Path] = []
        folder = self.root / "build" / "mig"
        key, stamp = interfaces.compiler_key(self.sources.defs), folder / "key"
        fresh = stamp.exists() and stamp.read_text() == key
        for defs in sorted(self.sources.defs.rglob("*.defs")):
            if not interfaces.is_interface(defs):
                continue
            stubs = interfaces.Stubs.of(defs.stem, self.built.include / "mig", folder)
            with self._going_on(defs.stem):
                if not (fresh and stubs.exist()):
                    self.say(f"mig {self._shown(defs)}")
                    interfaces.make_stubs(defs, [self.sources.defs], self.built.include / "mig", folder)
                made += [stubs.user, stubs.server]
        if not self.failures:
            interfaces.write_if_new(stamp, key)
        return made

    def stage(self) -> None:
        """Headers, interfaces and the linker script, for those who have no checkout."""
        mirror(self.sources.include, self.built.include, keep="mig")
        mirror(self.sources.defs, self.built.defs)
        install(self.sources.directory / "lib" / "start" / "program.ld", self.built.script)

    # --- compiling and linking -----------------------------------------------

    def objects(self, units: Sequence[Unit]) -> list[Path]:
        """Compile, several at a time.  Raises CompileError: the first that failed."""
        def compile_one(unit: Unit) -> Path:
            if not self.store.is_known(unit):
                self.say(f"cc {self._shown(unit.source)}")
            return self.store.object_of(unit)

        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(compile_one, units))

    def unit(self, source: Path, flags: Iterable[str] = ()) -> Unit:
        return Unit(source, (*OWN_FLAGS, *flags), self.includes())

    def make_library(self, name: str, sources: Sequence[Path], flags: Iterable[str] = ()) -> None:
        objects = self.objects([self.unit(source, flags) for source in sources])
        key = digest("ar", self.store.tools.version, *(path.name for path in objects))

        def archive(output: Path) -> None:
            self.say(f"ar lib{name}.a")
            self.store.tools.archive(output, objects)

        install(self._kept(f"{key}.a", archive), self.built.lib / f"lib{name}.a")

    def make_start(self) -> None:
        """start.o: the two halves of start-up as one object."""
        objects = self.objects([self.unit(path) for path in sources_in(self.sources.directory / "lib" / "start")])
        key = digest("start", self.store.tools.version, *(path.name for path in objects))

        def join(output: Path) -> None:
            self.store.tools.run("ld.lld", "-r", "-o", output, *objects)

        install(self._kept(f"{key}.o", join), self.built.start)

    def make_program(self, name: str, sources: Sequence[Path]) -> None:
        objects = self.objects([self.unit(source) for source in sources])
        inputs = [self.built.start, *objects, *self.built.libraries()]
        script = self.built.script
        key = digest("ld", self.store.tools.version, *(path.read_bytes() for path in (script, *inputs)))

        def link(output: Path, *flags: str) -> None:
            self.store.tools.link(output, script, inputs, flags)

        def link_stripped(output: Path) -> None:
            self.say(f"ld {name}")
            link(output, "--strip-debug")

        install(self._kept(f"{key}.elf", link_stripped), self.built.programs / name)
        install(self._kept(f"{key}.debug", link), self.built.debug / name)

    def _kept(self, name: str, make: Callable[[Path], None]) -> Path:
        """The cached file of that name, made by `make` if it is not there."""
        kept = self.store.directory / name
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=self.store.directory) as work:
                made = Path(work) / "made"
                make(made)
                os.replace(made, kept)
        return kept

    # --- all of it -------------------------------------------------------------

    def build_libraries(self) -> None:
        stubs = self.make_interfaces()
        self.stage()
        with self._going_on("start"):
            self.make_start()
        with self._going_on("libmig"):
            self.make_library("mig", stubs)
        for folder in self.sources.libraries():
            with self._going_on(f"lib{folder.name}"):
                self.make_library(folder.name, sources_in(folder), LIBRARY_FLAGS.get(folder.name, ()))

    def build_programs(self, only: str | None = None) -> list[str]:
        """Raises ConfigError: there is no program `only`."""
        programs = self.sources.programs()
        if only is not None and only not in programs:
            raise ConfigError(f"no program `{only}` under servers/; there are: {', '.join(programs)}")
        wanted = {name: files for name, files in programs.items() if only in (None, name)}
        for name, files in wanted.items():
            with self._going_on(name):
                self.make_program(name, files)
        if only is None:
            remove_others(self.built.programs, programs)
            remove_others(self.built.debug, programs)
        return list(wanted)

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        """Go on with the other parts when one fails: whoever broke it reads all there is."""
        try:
            yield
        except ConfigError as error:
            self.failures.append(f"{what}: {error}")

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def mirror(source: Path, target: Path, keep: str | None = None) -> None:
    """Make `target` hold the files of `source` and, but for its folder `keep`, no others."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for relative in wanted:
        install(source / relative, target / relative)
    for path in sorted(target.rglob("*"), reverse=True):
        relative = path.relative_to(target)
        if relative.parts[0] == keep:
            continue
        if path.is_file() and relative not in wanted:
            path.unlink(missing_ok=True)
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def remove_others(folder: Path, wanted: Iterable[str]) -> None:
    names = set(wanted)
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.name not in names and path.is_file():
            path.unlink(missing_ok=True)


def build(
    *, only: str | None = None, jobs: int = JOBS, say: Callable[[str], None] = print,
    sources: Sources | None = None, built: Built | None = None,
) -> list[str]:
    """Build everything, or the libraries and one program.

    Returns the programs' names.  Raises ConfigError: no compiler, or something failed; the
    other libraries, or programs, were built all the same.
    """
    sources, built = sources or Sources(), built or Built()
    store = ObjectStore(toolchain(), cache_directory() / "objects", PACKAGE.parent)
    builder = Builder(sources, built, store, jobs, say)
    builder.store.directory.mkdir(parents=True, exist_ok=True)
    builder.build_libraries()
    if builder.failures:  # no program would link: that would be told a thousand times
        raise CompileError("\n\n".join(builder.failures))
    names = builder.build_programs(only)
    if builder.failures:
        raise CompileError("\n\n".join(builder.failures))
    say(f"built {len(names)} programs ({store.compiled} compiled, {store.reused} from the cache)")
    return names


def clean_cache() -> None:
    shutil.rmtree(cache_directory() / "objects", ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m machemu.sdk.build", description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="NAME", help="this program alone, and the libraries")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"compilations at a time (default {JOBS})")
    parser.add_argument("--clean", action="store_true", help="forget what was compiled before")
    chosen = parser.parse_args(arguments)
    if chosen.clean:
        clean_cache()
    try:
        build(only=chosen.only, jobs=chosen.jobs, say=lambda line: print(line, flush=True))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
