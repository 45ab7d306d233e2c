"""What a token lets do."""

from __future__ import annotations

import pytest

from langflix.domain.scope import Scope, wanted


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("GET", "/api/v1/jobs", Scope.READ),
        ("HEAD", "/api/v1/jobs/1/videos/lesson/file", Scope.READ),
        ("OPTIONS", "/", Scope.READ),
        ("POST", "/api/v1/jobs", Scope.UPLOAD),
        ("DELETE", "/api/v1/jobs/1", Scope.UPLOAD),
        ("BREW", "/coffee", Scope.UPLOAD),
        ("GET", "/api/v1/tokens", Scope.ADMIN),
        ("DELETE", "/api/v1/tokens/x", Scope.ADMIN),
        ("GET", "/api/v1/sessions", Scope.ADMIN),
        ("GET", "/api/v1/tokensomething", Scope.READ),
        ("GET", "/api/v1/session", Scope.READ),
    ],
)
def test_what_a_request_takes(method: str, path: str, takes: Scope) -> None:
    """Looking is reading, all else is more, and letting others in is most."""
    assert wanted(method, path) is takes


def test_each_scope_covers_those_before_it() -> None:
    """In their order."""
    covered = {held: [one for one in Scope if held.covers(one)] for held in Scope}
    assert covered == {
        Scope.READ: [Scope.READ],
        Scope.UPLOAD: [Scope.READ, Scope.UPLOAD],
        Scope.ADMIN: [Scope.READ, Scope.UPLOAD, Scope.ADMIN],
    }
