"""Programs of Docker's that Debian has not, built from their Go modules once and kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_KEPT = Path(__file__).resolve().parents[2] / ".slipway/test-programs"
_BUILD_S = 1800
_TOOLCHAIN = "go1.26.11"


@dataclass(frozen=True)
class Program:
    """A program in a module.

    Attributes:
        module: its path.
        version: of the module.
        package: of the program, below the module.
        flags: for the linker: what says its version.
        tags: of the build.
    """

    module: str
    version: str
    package: str
    flags: str = ""
    tags: str = ""


_COMPOSE = "github.com/docker/compose"
_MOBY = ("github.com/moby/moby/v2", "v2.0.0-beta.24")
PROGRAMS = {
    "compose-2.20": Program(
        f"{_COMPOSE}/v2", "v2.20.0", "./cmd", f"-X {_COMPOSE}/v2/internal.Version=2.20.0"
    ),
    "compose-5": Program(
        f"{_COMPOSE}/v5", "v5.6.0", "./cmd", f"-X {_COMPOSE}/v5/internal.Version=5.6.0"
    ),
    "moby": Program(
        *_MOBY, "./cmd/dockerd", f"-X {_MOBY[0]}/dockerversion.Version=29.0.0+beta.24",
        "exclude_graphdriver_btrfs",
    ),
    "docker-proxy": Program(*_MOBY, "./cmd/docker-proxy"),
    "docker": Program(
        "github.com/docker/cli", "v29.9.2+incompatible", "./cmd/docker",
        "-X github.com/docker/cli/cli/version.Version=29.9.2",
    ),
}  # fmt: skip


def built(name: str) -> Path:
    """A program, built when it isn't yet: that takes minutes.

    Skips the test where there is no Go to build it with.
    """
    if shutil.which("go") is None:
        pytest.skip(f"no Go on this machine to build {name} with")
    program = PROGRAMS[name]
    place = _KEPT / f"{name}-{program.version}"
    if not place.exists():
        _build(program, place)
    return place


def _build(program: Program, place: Path) -> None:
    source = place.with_name(f"{place.name}.source")
    shutil.rmtree(source, ignore_errors=True)
    wanted = f"{program.module}@{program.version}"
    told = _go("mod", "download", "-json", wanted, cwd=_KEPT.parent)
    shutil.copytree(json.loads(told)["Dir"], source)
    for folder, _, files in os.walk(source):  # the module cache is read-only
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            path.chmod(path.stat().st_mode | 0o200)
    # docker/cli names its files otherwise, since its module has no version of Go's.
    for kind in ("mod", "sum"):
        if (source / f"vendor.{kind}").exists():
            (source / f"vendor.{kind}").rename(source / f"go.{kind}")
    fresh = place.with_name(f"{place.name}.new")
    _go("build", "-trimpath", "-tags", program.tags, "-ldflags", f"-s -w {program.flags}",
        "-o", str(fresh), program.package, cwd=source)  # fmt: skip
    fresh.rename(place)
    shutil.rmtree(source)


def _go(*arguments: str, cwd: Path) -> str:
    cwd.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod",
                   "GOTOOLCHAIN": _TOOLCHAIN}  # fmt: skip
    done = subprocess.run(
        ["go", *arguments], cwd=cwd, env=environment, capture_output=True, text=True,
        timeout=_BUILD_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
