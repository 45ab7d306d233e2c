"""``./inv lock``: resolve every input anew and write the locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import SupplyError
from slipway.report import Report
from slipway.supply import gomod, gotool, wheels
from slipway.supply.debian import bring, package_path
from slipway.supply.locks import DebianLock, GoLock, Package, PythonLock, read_debian, render
from slipway.supply.mirrors import Mirrors
from slipway.supply.places import Places, write

KINDS = ("python", "debian", "go")


def lock_python(shell: Shell, config: Config, places: Places, report: Report) -> PythonLock:
    """Resolve the Python sets with uv and write ``python.json``.

    Raises:
        LockError: there is no solution in wheels.
    """
    report.step("lock", f"Python wheels for Python {config.python_version}, by uv")
    resolved = wheels.resolve(shell, config)
    unsized = [wheel for wheel in resolved.wheels.values() if not wheel.size]
    paths = wheels.download(shell, unsized, config.python_version, places.downloads)
    sized = {
        wheel.name: replace(wheel, size=path.stat().st_size)
        for wheel, path in zip(unsized, paths, strict=True)
    }
    done = replace(resolved, wheels={**resolved.wheels, **sized})
    write(places.locks / "python.json", render(done))
    report.say(f"  {len(done.wheels)} wheels")
    return done


def lock_go(
    shell: Shell,
    places: Places,
    mirrors: Callable[[], Mirrors],
    report: Report,
    *,
    newest: bool = False,
) -> GoLock:
    """Have the Go that ``go.mod`` names, bring ``go.sum`` up to date, vendor, write ``go.json``.

    Args:
        newest: name the newest release of that Go's line in ``go.mod`` first.

    Raises:
        LockError: ``go.mod`` names no Go.
        FetchError: that Go or a module can't be had, or nobody vouches for it.
    """
    debian = read_debian(places.locks / "debian.json")
    lacking = [p for p in go_packages(debian) if not package_path(p, places).exists()]
    if lacking:
        bring(lacking, places, mirrors(), report)
    first = unpacked_go(debian, places)
    version = gotool.named(places.go)
    if newest:
        version, told = gotool.newest(shell, first, version, places.scratch)
        if told:
            report.warn(told)
    report.step("lock", f"Go {version[2:]}, by the locked Go, and with it the modules")
    mod, sums = places.go / "go.mod", places.go / "go.sum"
    known = gotool.sums_of(sums.read_text("utf-8"), version)
    toolchain = gotool.obtain(shell, first, version, known, places.scratch)
    with _as_it_was(mod, sums):
        write(mod, gotool.renamed(mod.read_text("utf-8"), version))
        vendor_sha256 = gomod.vendor(shell, toolchain.program, places.go, tidy=True)
        write(sums, gotool.with_sums(sums.read_text("utf-8"), toolchain.sums))
    done = GoLock(gomod.modules_hash(places.go), toolchain.sha256, vendor_sha256)
    write(places.locks / "go.json", render(done))
    return done


@contextmanager
def _as_it_was(*files: Path) -> Iterator[None]:
    """Files as they were before, when what writes them fails."""
    before = {file: file.read_text("utf-8") for file in files}
    try:
        yield
    except SupplyError:
        for file, text in before.items():
            write(file, text)
        raise


def go_packages(debian: DebianLock) -> list[Package]:
    """The packages of the locked Go, which fetches the one that builds."""
    return [debian.packages[name] for name in debian.groups["tool.go"]]


def unpacked_go(debian: DebianLock, places: Places) -> Path:
    """The locked Go, unpacked on this machine; the path of its program."""
    packages = go_packages(debian)
    target = places.root / ".slipway/go" / packages[0].sha256[:12]
    found = sorted((target / "usr/lib").glob("go-*/bin/go"))
    if found and (target / "complete").exists():
        return found[0]
    go = gomod.unpack_go([package_path(p, places) for p in packages], target)
    (target / "complete").touch()
    return go
