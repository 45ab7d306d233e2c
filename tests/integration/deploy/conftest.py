"""Fixtures for tests of the roles' own configuration in their real programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.deploy.rooms import House, Room, unpack_role

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
