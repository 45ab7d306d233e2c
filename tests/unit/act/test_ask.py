"""The stack is asked through its front door until it says that all is well."""

from __future__ import annotations

import pytest

from slipway.act.ask import ask
from slipway.doors import Answer
from slipway.errors import DeployError
from slipway.testing import FakeClock, FakeHttp


def test_health_page_is_asked_until_it_agrees() -> None:
    """Workers may need a moment: a 503 is asked again."""
    http = FakeHttp({"u": [Answer(0, b"refused"), Answer(503, b""), Answer(200, b"{}")]})
    ask(http, FakeClock(), "u")
    assert len(http.asked) == 3


def test_health_page_that_never_agrees() -> None:
    """After a minute the last answer is shown, set out when it is JSON."""
    http = FakeHttp({"u": [Answer(503, b'{"checks":{"redis":"down"}}')]})
    clock = FakeClock()
    with pytest.raises(DeployError, match="gave 503") as caught:
        ask(http, clock, "u")
    assert 60 <= clock.seconds < 62
    assert any('"redis": "down"' in line for line in caught.value.details)
