"""The lock files as values: read strictly, written readably.

``nix/locks/debian.json`` and ``nix/locks/python.json`` are ours; Go has its own ``go.mod`` and
``go.sum``, to which ``nix/locks/go.json`` adds the hashes of the vendored tree and of the Go that
builds. Readers refuse a ``format`` they don't know. No lock names the host a file came from.

The values and their reading stand in one file: a field of one is a line of the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from slipway.errors import LockError
from slipway.reading import Reader
from slipway.supply.asked import Asked
from slipway.supply.store import StoreFile, store_name

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Index:
    """A signed index the lock was made from.

    Attributes:
        archive: ``debian`` or ``debian-security``.
        suite: such as ``trixie-updates``.
        sha256: of its ``InRelease``, hex.
        stamp: its date as the snapshot service writes it, ``20261121T091544Z``.
    """

    archive: str
    suite: str
    sha256: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Package:
    """A locked Debian package.

    Attributes:
        name: binary package name.
        version: Debian version, epoch and all.
        source: name of the source package.
        archive: ``debian`` or ``debian-security``.
        suite: the index it came from.
        path: below the archive, ``pool/main/…``.
        size: bytes.
        sha256: hex.
    """

    name: str
    version: str
    source: str
    archive: str
    suite: str
    path: str
    size: int
    sha256: str

    @property
    def file(self) -> StoreFile:
        """Where the ``.deb`` lies in the store."""
        return StoreFile(store_name(self.path.rsplit("/", 1)[-1]), self.sha256)


@dataclass(frozen=True, slots=True)
class DebianLock:
    """``nix/locks/debian.json``.

    Attributes:
        asked: what it was made for (:mod:`slipway.supply.asked`).
        indexes: what it was made from.
        packages: by name.
        groups: package names by use: ``layer.base`` …, ``image.edge`` …, ``tool.go`` …,
            ``rehearsal``.
        stage0_sha256: NAR hash of the folder that holds ``bin/busybox``.
    """

    FORMAT: ClassVar[int] = 2

    asked: Asked
    indexes: tuple[Index, ...]
    packages: dict[str, Package]
    groups: dict[str, tuple[str, ...]]
    stage0_sha256: str

    def stamp(self, package: Package) -> str:
        """The snapshot stamp under which a package can be found."""
        return next((index.stamp for index in self.indexes if index.suite == package.suite), "")

    @property
    def stage0(self) -> StoreFile:
        """Where stage 0 lies in the store."""
        return StoreFile("stage0", self.stage0_sha256, recursive=True)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A locked wheel.

    Attributes:
        name: normalised project name.
        version: its version.
        file_name: of the wheel.
        size: bytes.
        sha256: hex.
    """

    name: str
    version: str
    file_name: str
    size: int
    sha256: str

    @property
    def file(self) -> StoreFile:
        """Where the wheel lies in the store."""
        return StoreFile(store_name(self.file_name), self.sha256)


@dataclass(frozen=True, slots=True)
class PythonLock:
    """``nix/locks/python.json``.

    Attributes:
        asked: what it was made for (:mod:`slipway.supply.asked`).
        python: the version it was resolved for, such as ``3.13``.
        wheels: by name.
        sets: wheel names by set.
    """

    FORMAT: ClassVar[int] = 2

    asked: Asked
    python: str
    wheels: dict[str, Wheel]
    sets: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class GoLock:
    """``nix/locks/go.json``.

    Attributes:
        modules_sha256: hash of ``go.mod`` and ``go.sum`` together, to notice an old lock.
        toolchain_sha256: NAR hash of the Go that builds (:mod:`slipway.supply.gotool`).
        vendor_sha256: NAR hash of the vendored tree.
    """

    FORMAT: ClassVar[int] = 2

    modules_sha256: str
    toolchain_sha256: str
    vendor_sha256: str

    @property
    def toolchain(self) -> StoreFile:
        """Where the Go that builds lies in the store."""
        return StoreFile("go-toolchain", self.toolchain_sha256, recursive=True)

    @property
    def vendor(self) -> StoreFile:
        """Where the vendored tree lies in the store."""
        return StoreFile("go-vendor", self.vendor_sha256, recursive=True)


def render(lock: DebianLock | PythonLock | GoLock) -> str:
    """A lock as text: sorted, one package or wheel a line, so that a diff reads well."""
    table: dict[str, Any] = {"format": lock.FORMAT, **asdict(lock)}
    lines = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            rows = ",\n".join(
                f"    {json.dumps(name)}: {json.dumps(value[name])}" for name in sorted(value)
            )
            lines.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
        elif isinstance(value, list | tuple):
            rows = ",\n".join(f"    {json.dumps(item)}" for item in value)
            lines.append(f"  {json.dumps(key)}: [\n{rows}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _open(path: Path, form: int) -> Reader:
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise LockError(
            f"{path.name} is missing", hint="./inv lock makes it", stage="lock"
        ) from error
    except (OSError, ValueError) as error:
        raise LockError(
            f"the lock {path.name} can't be read: {error}",
            hint=f"`git checkout nix/locks/{path.name}` brings it back, ./inv lock makes it anew",
            stage="lock",
        ) from error
    reader = Reader(value)
    reader.format(form)
    return reader


def _close(path: Path, reader: Reader) -> None:
    reader.finish()
    if reader.problems:
        count = len(reader.problems)
        raise LockError(
            f"the lock {path.name} has {count} problem{'s' if count > 1 else ''}",
            details=[f"{path.name}: {problem}" for problem in reader.problems[:20]],
            hint=f"`git checkout nix/locks/{path.name}` brings it back, ./inv lock makes it anew",
            stage="lock",
        )


def _asked(reader: Reader) -> Asked:
    table = reader.table("asked", required=True)
    return {name: table.texts(name) for name in table.names()}


def _sha256(reader: Reader, key: str = "sha256") -> str:
    text = reader.text(key)
    if text and not _SHA256.match(text):
        reader.note(key, f"should be 64 hex digits, got {text!r}")
    return text


def read_debian(path: Path) -> DebianLock:
    """Read ``debian.json``.

    Raises:
        LockError: it is missing, corrupt or of an unknown format.
    """
    reader = _open(path, DebianLock.FORMAT)
    packages, groups = reader.table("packages", required=True), reader.table("groups")
    lock = DebianLock(
        asked=_asked(reader),
        indexes=tuple(
            Index(row.text("archive"), row.text("suite"), _sha256(row), row.text("stamp"))
            for row in reader.tables("indexes")
        ),
        packages={name: _package(packages.table(name)) for name in packages.names()},
        groups={name: groups.texts(name) for name in groups.names()},
        stage0_sha256=_sha256(reader, "stage0_sha256"),
    )
    for group, names in lock.groups.items():
        for index, name in enumerate(names):
            if name not in lock.packages:
                groups.note(f"{group}[{index}]", f"{name} is not among the packages")
    _close(path, reader)
    return lock


def _package(row: Reader) -> Package:
    package = Package(
        name=row.text("name"),
        version=row.text("version"),
        source=row.text("source"),
        archive=row.text("archive"),
        suite=row.text("suite"),
        path=row.text("path"),
        size=row.whole("size"),
        sha256=_sha256(row),
    )
    if package.path and not re.match(r"pool/[^:?#\s]+\.deb\Z", package.path):
        row.note("path", f"should be pool/….deb, got {package.path!r}")
    row.finish()
    return package


def read_python(path: Path) -> PythonLock:
    """Read ``python.json``.

    Raises:
        LockError: it is missing, corrupt or of an unknown format.
    """
    reader = _open(path, PythonLock.FORMAT)
    wheels, sets = reader.table("wheels", required=True), reader.table("sets", required=True)
    lock = PythonLock(
        asked=_asked(reader),
        python=reader.text("python"),
        wheels={name: _wheel(wheels.table(name)) for name in wheels.names()},
        sets={name: sets.texts(name) for name in sets.names()},
    )
    for group, names in lock.sets.items():
        for index, name in enumerate(names):
            if name not in lock.wheels:
                sets.note(f"{group}[{index}]", f"{name} is not among the wheels")
    _close(path, reader)
    return lock


def _wheel(row: Reader) -> Wheel:
    wheel = Wheel(
        row.text("name"),
        row.text("version"),
        row.text("file_name"),
        row.whole("size"),
        _sha256(row),
    )
    if wheel.file_name and not re.match(r"[A-Za-z0-9._+!-]+\.whl\Z", wheel.file_name):
        row.note("file_name", f"should be a wheel's, got {wheel.file_name!r}")
    row.finish()
    return wheel


def read_go(path: Path) -> GoLock:
    """Read ``go.json``.

    Raises:
        LockError: it is missing, corrupt or of an unknown format.
    """
    reader = _open(path, GoLock.FORMAT)
    keys = ("modules_sha256", "toolchain_sha256", "vendor_sha256")
    lock = GoLock(*(_sha256(reader, key) for key in keys))
    _close(path, reader)
    return lock
