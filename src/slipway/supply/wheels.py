"""Wheels: resolved and downloaded by pip, from the index pip is set to."""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slipway.architecture import AMD64
from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import CommandFailed, FetchError, LockError
from slipway.supply import asked, elf
from slipway.supply.locks import PythonLock, Wheel

INSTALLER = "installer"
SITE = "/app/lib/python{version}/site-packages"
_GLIBC = range(41, 4, -1)


def platforms() -> tuple[str, ...]:
    """The platform tags Debian 13 (glibc 2.41) runs, newest first."""
    names = [f"manylinux_2_{minor}" for minor in _GLIBC]
    names += ["manylinux2014", "manylinux2010", "manylinux1"]
    return tuple(f"{name}_{AMD64.machine}" for name in names)


def _target(version: str) -> list[str]:
    flags = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
    for platform in platforms():
        flags += ["--platform", platform]
    for abi in (f"cp{version.replace('.', '')}", "abi3", "none"):
        flags += ["--abi", abi]
    return flags


def resolve(shell: Shell, config: Config) -> PythonLock:
    """Resolve every set together, then each alone within the result.

    Raises:
        LockError: pip finds no solution in wheels.
    """
    everything = [name for names in config.python_sets.values() for name in names]
    whole = _report(shell, everything, config.python_version, constraints=())
    pins = [f"{row['name']}=={row['version']}" for row in whole]
    sets = {}
    for name, requirements in config.python_sets.items():
        rows = _report(shell, requirements, config.python_version, constraints=pins)
        sets[name] = tuple(sorted(_normal(row["name"]) for row in rows))
    sets["samples"] = tuple(sorted(_normal(name) for name in config.samples.values()))
    alone = [*config.samples.values(), INSTALLER]
    rows = _report(shell, alone, config.python_version, constraints=(), flags=["--no-deps"])
    sets["build"] = (INSTALLER,)
    wheels = [_wheel(row) for row in [*whole, *rows]]
    named = {wheel.name: wheel for wheel in wheels}
    return PythonLock(asked.of_python(config), config.python_version, named, sets)


def _report(
    shell: Shell,
    requirements: Sequence[str],
    version: str,
    *,
    constraints: Sequence[str],
    flags: Sequence[str] = (),
) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "constraints.txt"
        limits.write_text("\n".join(constraints) + "\n")
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-"]
        argv += ["--ignore-installed", "--target", folder, "-c", str(limits), *flags]
        argv += _target(version)
        try:
            done = shell.run([*argv, *requirements], timeout=900)
        except CommandFailed as error:
            raise LockError(
                "pip found no set of wheels for the requirements",
                details=error.details,
                hint="is every requirement available as a wheel for this Python?",
                stage="lock",
            ) from error
    rows = []
    for item in json.loads(done.text)["install"]:
        info = item["download_info"]
        rows.append(
            {
                "name": item["metadata"]["name"],
                "version": item["metadata"]["version"],
                "file": unquote(urlsplit(info["url"]).path).rsplit("/", 1)[-1],
                "sha256": info["archive_info"]["hashes"]["sha256"],
            }
        )
    return rows


def _wheel(row: dict[str, str]) -> Wheel:
    return Wheel(_normal(row["name"]), row["version"], row["file"], 0, row["sha256"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
    wanted.write_text("\n".join(lines) + "\n")
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


def read_elves(data: bytes, version: str) -> dict[str, elf.Elf]:
    """The ELF files of a wheel, by the path they have in an image."""
    site = SITE.format(version=version)
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.file_size < 64:
                continue
            with archive.open(info) as file:
                if file.read(4) != b"\x7fELF":
                    continue
            parsed = elf.parse(archive.read(info))
            if parsed is not None:
                found[f"{site}/{info.filename}"] = parsed
    return found
