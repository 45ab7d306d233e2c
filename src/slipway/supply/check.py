"""``./inv lock --check``: what the locks name stands in the signed index or registry it came from.

A lock is trusted: whatever bytes it names go into images. This asks, for each line of it, those who
sign or keep the packages: Debian's indexes (apt checks their signatures), the Python index, Go's
checksum database. Comparing is pure; the rest is asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import LockError
from slipway.report import Report
from slipway.supply import asked, gomod, gotool, uv, wheels
from slipway.supply.apt import Apt
from slipway.supply.debian import add_stage0, bring, package_path
from slipway.supply.fetch import read_locks
from slipway.supply.lock import go_packages, unpacked_go
from slipway.supply.locks import DebianLock, Package, PythonLock, Wheel
from slipway.supply.mirrors import Finder
from slipway.supply.needs import Locks
from slipway.supply.places import Places

_NO_SOLUTION = "No solution found"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a lock says that nobody vouches for.

    Attributes:
        lock: ``debian``, ``python`` or ``go``.
        name: package, wheel or module.
        version: its locked version.
        what: what is wrong with it.
    """

    lock: str
    name: str
    version: str
    what: str

    def __str__(self) -> str:
        return f"{self.lock}.json: {self.name} {self.version}: {self.what}"


class Unvouched(LockError):
    """Entries of locks that no index vouches for.

    Args:
        findings: all of them.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        noun = "entry" if len(findings) == 1 else "entries"
        super().__init__(
            f"the locks have {len(findings)} {noun} that no index vouches for",
            details=[str(finding) for finding in findings],
            hint="other bytes than the index lists mean that the lock or a mirror was tampered "
            "with: look at `git log nix/locks`; ./inv lock makes the locks anew",
            stage="lock",
        )
        self.findings = tuple(findings)

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints: an error's, with ``findings``."""
        return super().to_json() | {"findings": [asdict(finding) for finding in self.findings]}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at; all of it is vouched for.

    Attributes:
        packages: how many Debian packages.
        wheels: how many wheels.
        modules: how many lines of ``go.sum``.
    """

    packages: int
    wheels: int
    modules: int

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.packages} Debian packages, {self.wheels} wheels and {self.modules} sums of Go "
            "modules stand in their indexes as they are locked"
        )


def compare_debian(lock: DebianLock, listed: Iterable[Package]) -> list[Finding]:
    """Packages of a lock that stand in no signed index as they are locked."""
    by_name: dict[str, list[Package]] = {}
    for entry in listed:
        by_name.setdefault(entry.name, []).append(entry)
    found = []
    for package in lock.packages.values():
        entries = by_name.get(package.name, [])
        same = [entry for entry in entries if entry.version == package.version]
        if any(_bytes(entry) == _bytes(package) for entry in same):
            continue
        if same:
            what = f"the signed index has {_words(same[0])}, the lock {_words(package)}"
        else:
            others = ", ".join(sorted({entry.version for entry in entries})) or "none"
            what = f"no signed index has this version; there are: {others}"
        found.append(Finding("debian", package.name, package.version, what))
    return found


def _bytes(package: Package) -> tuple[str, int, str]:
    return package.sha256, package.size, package.path


def _words(package: Package) -> str:
    return f"sha256 {package.sha256}, {package.size} bytes, {package.path}"


def compare_wheel(wheel: Wheel, packages: Sequence[Mapping[str, Any]]) -> Finding | None:
    """Whether an index's answer for a wheel's release has the wheel as it is locked."""
    rows = [row for package in packages for row in package.get("wheels", ())]
    files = {(wheels.file_name(row), row.get("hashes", {}).get("sha256")) for row in rows}
    if (wheel.file_name, wheel.sha256) in files:
        return None
    same = [sha256 for name, sha256 in files if name == wheel.file_name]
    what = f"the index has no {wheel.file_name}"
    if same:
        what = f"the index has sha256 {same[0]}, the lock {wheel.sha256}"
    return Finding("python", wheel.name, wheel.version, what)


def compare_go(locked: str, fresh: str) -> list[Finding]:
    """Lines of a ``go.sum`` that the one Go writes now doesn't have.

    Args:
        locked: text of the locked file: ``module version hash`` a line.
        fresh: text of the new one.
    """
    now = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in fresh.splitlines()}
    found = []
    for line in filter(None, locked.splitlines()):
        key, _, sum_ = line.rpartition(" ")
        if now.get(key) == sum_:
            continue
        name, _, version = key.partition(" ")
        what = "Go needs it for nothing"
        if key in now:
            what = f"its sum is {now[key]}, the lock has {sum_}"
        found.append(Finding("go", name, version, what))
    return found


def check(shell: Shell, config: Config, places: Places, mirrors: Finder, report: Report) -> Checked:
    """Compare every lock with what its index or registry says now.

    Raises:
        LockError: a lock can't be read, or is older than what ``slipway.toml`` asks.
        Unvouched: an index says something else; all differences at once.
        SupplyError: an index can't be had, so nothing can be said.
    """
    locks = read_locks(places)
    asked.check(config, debian=locks.debian.asked, python=locks.python.asked)
    gomod.check(locks.go, places.go)
    findings = [
        *_debian(shell, config, places, mirrors, locks.debian, report),
        *_python(shell, locks.python, report),
        *_go(shell, places, locks, mirrors, report),
    ]
    if findings:
        raise Unvouched(findings)
    lines = (places.go / "go.sum").read_text("utf-8").count("\n")
    return Checked(len(locks.debian.packages), len(locks.python.wheels), lines)


def _debian(
    shell: Shell,
    config: Config,
    places: Places,
    mirrors: Finder,
    lock: DebianLock,
    report: Report,
) -> list[Finding]:
    report.step("check", f"{len(lock.packages)} Debian packages, in the signed indexes")
    apt = Apt(shell, places.apt, config, mirrors())
    apt.update()
    found = compare_debian(lock, apt.listed(lock.packages))
    (name,) = lock.groups["tool.stage0"]
    if any(finding.name == name for finding in found):
        return found
    made = add_stage0(shell, places, lock.packages[name], mirrors())
    if made != lock.stage0_sha256:
        what = f"{name} makes sha256 {made}, the lock has {lock.stage0_sha256}"
        found.append(Finding("debian", "stage0", lock.packages[name].version, what))
    return found


def _python(shell: Shell, lock: PythonLock, report: Report) -> list[Finding]:
    locked = list(lock.wheels.values())
    report.step("check", f"{len(locked)} wheels, in the index")
    try:
        packages = _releases(shell, lock.python, locked)
    except LockError as error:
        if not _has_no_solution(error):
            raise
        return _python_one_by_one(shell, lock, report)
    by_name = {package["name"]: package for package in packages}
    found = (compare_wheel(wheel, [by_name.get(wheel.name, {})]) for wheel in locked)
    return [finding for finding in found if finding]


def _python_one_by_one(shell: Shell, lock: PythonLock, report: Report) -> list[Finding]:
    """For each wheel alone: a release that the index lacks would hide all others from uv."""
    counter = report.progress("wheels", len(lock.wheels), unit="wheels")
    found: list[Finding | None] = []
    for wheel in lock.wheels.values():
        try:
            found.append(compare_wheel(wheel, _releases(shell, lock.python, [wheel])))
        except LockError as error:
            if not _has_no_solution(error):
                raise
            what = "the index has no wheel of this version"
            found.append(Finding("python", wheel.name, wheel.version, what))
        counter.advance(1, wheel.name)
    counter.done()
    return [finding for finding in found if finding]


def _releases(shell: Shell, python: str, locked: Sequence[Wheel]) -> list[dict[str, Any]]:
    return uv.resolve(
        shell,
        [f"{wheel.name}=={wheel.version}" for wheel in locked],
        python=python,
        platform=wheels.UV_PLATFORM,
        flags=["--no-deps"],
    )


def _has_no_solution(error: LockError) -> bool:
    """Whether the index answered and lacks something, as against one that was not reached."""
    return any(_NO_SOLUTION in line for line in error.details)


def _go(
    shell: Shell, places: Places, locks: Locks, mirrors: Finder, report: Report
) -> list[Finding]:
    locked = (places.go / "go.sum").read_text("utf-8")
    report.step(
        "check", f"{locked.count(chr(10))} sums of Go modules, by Go (minutes the first time)"
    )
    lacking = [p for p in go_packages(locks.debian) if not package_path(p, places).exists()]
    bring(lacking, places, mirrors(), report)
    toolchain, vouches = _toolchain(shell, unpacked_go(locks.debian, places), places, locked)
    fresh, vouched = gomod.fresh_sums(shell, toolchain.program, places.go, places.modules)
    if not vouches:
        report.say("  Go's checksum database can't be reached: compared with the proxy's Go")
    if not vouched:
        report.say("  Go's checksum database can't be reached: compared with the proxy's modules")
    found = compare_go(locked, gotool.with_sums(fresh, toolchain.sums))
    if not found:
        found = _compare_folder("go-toolchain", toolchain.sha256, locks.go.toolchain_sha256)
    if not found:
        made = gomod.vendor(shell, toolchain.program, places.go, tidy=False)
        found = _compare_folder("go-vendor", made, locks.go.vendor_sha256)
    return found


def _toolchain(
    shell: Shell, go: Path, places: Places, locked: str
) -> tuple[gotool.Toolchain, bool]:
    """The Go that ``go.mod`` names, and whether Go's checksum database vouched for it.

    Args:
        go: the program that fetches it.
        locked: text of ``go.sum``, which counts only where the database can't be reached.
    """
    version = gotool.named(places.go)
    try:
        return gotool.obtain(shell, go, version, (), places.scratch), True
    except gotool.Unasked:
        sums = gotool.sums_of(locked, version)
        return gotool.obtain(shell, go, version, sums, places.scratch), False


def _compare_folder(name: str, made: str, locked: str) -> list[Finding]:
    if made == locked:
        return []
    return [Finding("go", name, "", f"it comes out as sha256 {made}, the lock has {locked}")]
