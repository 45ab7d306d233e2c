"""Fixtures for tests of the roles' own configuration in their real programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.deploy.edges import LEND, PORTS, PROGRAMS, Edge, Names
from tests.integration.deploy.rooms import APPS, ROOT, House, Room, unpack_role

from slipway.config import load
from slipway.shell import LocalShell
from slipway.supply import gotool, locks
from slipway.supply.outputs import outputs

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
    """Runs the Go that builds in a copy of the modules' folder; returns what it said."""
    folder = tmp_path_factory.mktemp("go")
    lock = locks.read_go(ROOT / "nix/locks/go.json")
    program, vendor = gotool.program(lock.toolchain.path), Path(lock.vendor.path)
    assert program.exists() and vendor.exists(), "./inv fetch brings the locked Go"
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
def programs() -> Mapping[str, Path]:
    """Our own programs, by name, as they are in the images."""
    found = outputs(LocalShell(), ROOT, load(ROOT), (*PROGRAMS, "acl"))
    return {name: path / "bin" / name for name, path in found.items()}


@pytest.fixture(scope="session")
def acl(programs: Mapping[str, Path]) -> Path:
    """The program that makes Redis's access list."""
    return programs["acl"]


@pytest.fixture
def edge(make_room: MakeRoom, programs: Mapping[str, Path]) -> Iterator[Edge]:
    """A running edge without backends."""
    with running_edge(make_room("edge"), programs) as made:
        yield made


@contextmanager
def running_edge(
    room: Room, programs: Mapping[str, Path], before: Callable[[Edge], None] = lambda edge: None
) -> Iterator[Edge]:
    """Run the edge in a room; the frontend has another port, as all share an address.

    Args:
        room: the edge's.
        programs: our own programs.
        before: called before the edge starts.
    """
    config = (ROOT / "deploy/edge/haproxy.cfg").read_text()
    assert config.count(" frontend:8080 ") == 1
    folder, shared = room.folder / "etc", room.folder / "door"
    for one in (folder, shared):
        one.mkdir()
    (folder / "haproxy.cfg").write_text(config.replace(" frontend:8080 ", " frontend:8081 "))
    for name in PROGRAMS:
        shutil.copy2(programs[name], shared)
    os.chown(shared, APPS, APPS)
    room.binds |= {folder: "/etc/haproxy", shared: "/data"}
    (room.root / "etc/haproxy").mkdir(parents=True, exist_ok=True)
    with room.house.entered():
        Path("/proc/sys/net/ipv4/tcp_migrate_req").write_text("1")
    made = Edge(room, Names(room.house))
    made.lender = room.start(LEND)
    before(made)
    made.begin()
    yield made
    for backend in made.backends.values():
        backend.stop()
    made.names.close()


@pytest.fixture
def full(edge: Edge) -> Edge:
    """A running edge with every backend up."""
    return filled(edge)


def filled(edge: Edge) -> Edge:
    """The edge, with every backend up."""
    for number, name in enumerate(PORTS):
        edge.add(name, f"127.0.1.{number + 1}")
        edge.names.known[name] = f"127.0.1.{number + 1}"
    for name in PORTS:
        edge.wait(f"{name}/a", "UP")
    return edge
