"""Our Go programs: their own tests, run with the locked Go and the vendored modules."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("probe", "TestAnswers"),
        ("acl", "TestATemplateBecomesAList"),
        ("certificate", "TestAnAuthorityCanNotStandForOthers"),
        ("door", "TestEachSocketIsLentBoundButNotListening"),
        ("edge", "TestTwoBorrowersServeUntilOneEnds"),
        ("compose-model", "TestFilesBesideAreRead"),
    ],
)
def test_a_program_keeps_its_contract(name: str, test: str, go: Callable[..., str]) -> None:
    """Each program's own tests pass, and nothing in it looks like a mistake."""
    go("vet", f"./{name}")
    assert f"--- PASS: {test}" in go("test", "-count=1", "-v", f"./{name}")
