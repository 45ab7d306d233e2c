"""Wheels: resolved by uv for the image's Python, fetched by pip, from the index pip is set to."""

from __future__ import annotations

import functools
import io
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from slipway.architecture import AMD64
from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import CommandFailed, FetchError, LockError
from slipway.supply import asked, elf, uv
from slipway.supply.contents import Contents, is_dropped
from slipway.supply.locks import PythonLock, Wheel
from slipway.supply.places import Places

INSTALLER = "installer"
SITE = "/app/lib/python{version}/site-packages"
UV_PLATFORM = f"{AMD64.machine}-manylinux_2_40"  # the newest that uv knows
_GLIBC = range(41, 4, -1)


def platforms() -> tuple[str, ...]:
    """The platform tags Debian 13 (glibc 2.41) runs, newest first."""
    names = [f"manylinux_2_{minor}" for minor in _GLIBC]
    names += ["manylinux2014", "manylinux2010", "manylinux1"]
    return tuple(f"{name}_{AMD64.machine}" for name in names)


def _target(version: str) -> list[str]:
    """pip's flags for the image's Python."""
    flags = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
    for platform in platforms():
        flags += ["--platform", platform]
    for abi in (f"cp{version.replace('.', '')}", "abi3", "none"):
        flags += ["--abi", abi]
    return flags


def ranks(version: str) -> dict[Tag, int]:
    """How well a tag suits the image's Python: 0 is best (PEP 425)."""
    major, minor = (int(part) for part in version.split("."))
    interpreter = f"cp{major}{minor}"
    tags = [
        *cpython_tags((major, minor), [interpreter], platforms()),
        *compatible_tags((major, minor), interpreter, platforms()),
    ]
    return {tag: rank for rank, tag in enumerate(tags)}


def file_name(row: Mapping[str, Any]) -> str:
    """The file name of a wheel in a table ``packages.wheels`` of PEP 751."""
    place = row.get("url") or row.get("path", "")
    return str(row.get("name") or unquote(urlsplit(place).path).rsplit("/", 1)[-1])


def choose(package: Mapping[str, Any], ranks: Mapping[Tag, int]) -> Wheel:
    """The wheel of a resolved package that suits best, as pip would choose.

    Args:
        package: a table ``packages`` of PEP 751.
        ranks: see :func:`ranks`.

    Returns:
        Its size is 0 when the index does not tell it.

    Raises:
        LockError: none suits, or the index gives no hash.
    """
    name, version = canonicalize_name(package["name"]), package["version"]
    found: list[tuple[int, bool, str, Wheel]] = []
    for row in package.get("wheels", ()):
        file = file_name(row)
        fits = [ranks[tag] for tag in parse_wheel_filename(file)[3] if tag in ranks]
        sha256 = row.get("hashes", {}).get("sha256", "")
        if fits and sha256:
            size = row.get("size", 0)
            found.append((min(fits), not size, file, Wheel(name, version, file, size, sha256)))
    if not found:
        raise LockError(
            f"the index has no wheel with a sha256 for {name} {version}",
            hint="name a version in slipway.toml that has one",
            stage="lock",
        )
    return min(found, key=lambda item: item[:3])[3]


def resolve(shell: Shell, config: Config) -> PythonLock:
    """Resolve every set together, then each alone within the result.

    Raises:
        LockError: there is no solution in wheels.
    """
    tags = ranks(config.python_version)

    def wheels_of(
        requirements: Iterable[str], pins: Sequence[str] = (), flags: Sequence[str] = ()
    ) -> dict[str, Wheel]:
        packages = uv.resolve(
            shell,
            sorted(requirements),
            python=config.python_version,
            platform=UV_PLATFORM,
            constraints=pins,
            flags=flags,
        )
        found = (choose(package, tags) for package in packages)
        return {wheel.name: wheel for wheel in found}

    whole = wheels_of({name for names in config.python_sets.values() for name in names})
    pins = [f"{wheel.name}=={wheel.version}" for wheel in whole.values()]
    sets = {
        name: tuple(sorted(wheels_of(requirements, pins))) if requirements else ()
        for name, requirements in config.python_sets.items()
    }
    sets["samples"] = tuple(sorted({canonicalize_name(name) for name in config.samples.values()}))
    sets["build"] = (INSTALLER,)
    alone = wheels_of([*sets["samples"], INSTALLER], flags=["--no-deps"])
    return PythonLock(asked.of_python(config), config.python_version, {**whole, **alone}, sets)


def download(shell: Shell, wheels: Sequence[Wheel], version: str, folder: Path) -> list[Path]:
    """Fetch wheels with pip, which checks their hashes; the paths they were saved under.

    Raises:
        FetchError: one can't be had, or has other bytes than the locked ones.
    """
    if not wheels:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{w.name}=={w.version} --hash=sha256:{w.sha256}" for w in wheels]
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(lines) + "\n", "utf-8")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    argv += ["--dest", str(folder), "-r", str(wanted), *_target(version)]
    try:
        shell.run(argv, timeout=1800)
    except CommandFailed as error:
        raise FetchError(
            "pip could not fetch the locked wheels",
            details=error.details,
            hint="is the index pip is set to reachable? ./inv lock makes the lock anew",
            stage="fetch",
        ) from error
    return [folder / wheel.file_name for wheel in wheels]


def read(data: bytes) -> Contents:
    """What a wheel holds, by paths relative to ``site-packages``."""
    elves: dict[str, elf.Elf] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            with archive.open(info) as file:
                if file.read(4) != b"\x7fELF":
                    continue
            parsed = elf.parse(archive.read(info))
            if parsed is not None:
                elves[info.filename] = parsed
    return Contents(elves, frozenset(elves), {})


def elves(shell: Shell, lock: PythonLock, config: Config, places: Places) -> dict[str, elf.Elf]:
    """The ELF files of all wheels that go into images, by the path they have there.

    Raises:
        FetchError: a wheel that was never read can't be had.
    """
    site, shelf = SITE.format(version=lock.python), places.shelf
    skipped = {*lock.sets["samples"], *lock.sets["build"]}
    used = [wheel for wheel in lock.wheels.values() if wheel.name not in skipped]
    absent = [
        wheel for wheel in used if not shelf.has(wheel.sha256) and not _path(wheel, places).exists()
    ]
    download(shell, absent, lock.python, places.downloads)
    found: dict[str, elf.Elf] = {}
    for wheel in used:
        known = shelf.get(wheel.sha256, functools.partial(_read, wheel, places))
        drop = config.python_drop_from.get(wheel.name, ())
        found |= {
            f"{site}/{path}": parsed
            for path, parsed in known.elves.items()
            if not is_dropped(f"/{path}", drop)
        }
    return found


def _path(wheel: Wheel, places: Places) -> Path:
    waiting = places.downloads / wheel.file_name
    return waiting if waiting.exists() else Path(wheel.file.path)


def _read(wheel: Wheel, places: Places) -> Contents:
    return read(_path(wheel, places).read_bytes())
