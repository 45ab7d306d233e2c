"""Some cases of the matrix: ``./inv dev.faults`` runs all of them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from tests.functional.faults.cases import CASES
from tests.functional.faults.matrix import heal, prepared, run
from tests.functional.faults.place import Place

_CHOSEN = (
    "client killed at roll",
    "runner killed at roll",
    "host rebooted at roll",
    "disk full at roll",
    "ends again and again at plan",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A host with the small stack."""
    if os.geteuid() != 0:
        pytest.fail("a rehearsal host needs root: sudo ./inv test --functional")
    folder = tmp_path_factory.mktemp("faults") / "checkout"
    with prepared(folder, f"faults-{secrets.token_hex(3)}") as made:
        yield made


@pytest.mark.parametrize("name", _CHOSEN)
def test_a_release_is_whole_after_a_fault(place: Place, name: str) -> None:
    """The old one or the new one serves, nothing is left behind, no job is lost or done twice."""
    (case,) = (one for one in CASES if one.name == name)
    heal(place)
    seen = run(place, case)
    assert seen.well, f"{seen.ended}\n{seen.said}\n" + "\n".join(seen.log)
