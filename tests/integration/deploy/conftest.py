"""Fixtures for tests of the roles' own configuration in their real programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.deploy.rooms import ROOT, House, Room, unpack_role

from slipway.supply import locks
from slipway.supply.gomod import unpack_go

MakeRoom = Callable[[str], Room]


@pytest.fixture(scope="session")
def role_root(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A role's root file system, unpacked once a session."""
    made: dict[str, Path] = {}

    def make(role: str) -> Path:
        if role not in made:
            made[role] = unpack_role(role, tmp_path_factory.mktemp(role))
        return made[role]

    return make


@pytest.fixture
def house() -> Iterator[House]:
    """A network namespace of the test's own."""
    built = House.build()
    yield built
    os.close(built.handle)


@pytest.fixture
def make_room(role_root: Callable[[str], Path], house: House, tmp_path: Path) -> Iterator[MakeRoom]:
    """Make a room for a role; what was started in it ends with the test."""
    rooms: list[Room] = []

    def make(role: str) -> Room:
        folder = tmp_path / f"{role}-{len(rooms)}"
        folder.mkdir()
        room = Room(role_root(role), house, folder)
        rooms.append(room)
        return room

    yield make
    for room in rooms:
        room.close()


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs the locked Go in a copy of the modules' folder; returns what it said."""
    folder = tmp_path_factory.mktemp("go")
    lock = locks.read_debian(ROOT / "nix/locks/debian.json")
    packages = [Path(lock.packages[name].file.path) for name in lock.groups["tool.go"]]
    vendor = Path(locks.read_go(ROOT / "nix/locks/go.json").vendor.path)
    assert all(path.exists() for path in [*packages, vendor]), "./inv fetch brings the locked Go"
    program = unpack_go(packages, folder / "go")
    shutil.copytree(ROOT / "nix/go", folder / "tools")
    (folder / "tools/vendor").symlink_to(vendor)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOCACHE": str(folder / "cache"),
        "GOROOT": str(program.parent.parent),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(program), *arguments], cwd=folder / "tools", env=env, capture_output=True,
            timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    return run


@pytest.fixture(scope="session")
def door(go: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that lends the edge its socket."""
    program = tmp_path_factory.mktemp("door") / "door"
    go("build", "-o", str(program), "./door")
    return program
