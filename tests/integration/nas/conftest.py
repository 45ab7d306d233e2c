"""A stand-in for each release; what a test left is gone before the next."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.nas.bench import Nas

from slipway.hosts.rehearsal.nasfiles import RELEASES

#: The release that most people have; all others take the same questions in the long run.
USUAL = "25.10"


def _started(release: str) -> Iterator[Nas]:
    # Not below pytest's own folder, which only its user may enter: other users call, too.
    folder = Path(tempfile.mkdtemp(prefix="nas-"))
    folder.chmod(0o755)
    one = Nas(folder, RELEASES[release])
    one.reset()
    one.place()
    one.start()
    yield one
    one.stop()
    shutil.rmtree(folder)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name == USUAL else pytest.mark.long) for name in RELEASES
    ],
)
def _any_nas(
    request: pytest.FixtureRequest,
) -> Iterator[Nas]:
    yield from _started(request.param)


@pytest.fixture(scope="module")
def _one_nas() -> Iterator[Nas]:
    yield from _started(USUAL)


@pytest.fixture
def nas(_any_nas: Nas) -> Nas:
    """A stand-in of each release in turn."""
    _any_nas.reset()
    return _any_nas


@pytest.fixture
def nas2510(_one_nas: Nas) -> Nas:
    """A stand-in of 25.10, for what all releases have alike."""
    _one_nas.reset()
    return _one_nas
