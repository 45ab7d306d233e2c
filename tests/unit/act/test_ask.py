"""The stack is asked through its front door until it says that all is well."""

from __future__ import annotations

import pytest

from slipway.act.ask import ask, last_lines
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


def test_the_error_says_what_was_asked_and_how_often() -> None:
    """A minute of asking twice a second; a front door that is shut has no status."""
    clock = FakeClock(7.0)
    with pytest.raises(DeployError) as caught:
        ask(FakeHttp({"u": [Answer(0, b"refused")]}), clock, "u")
    assert caught.value.message == "GET u gave no answer: refused (121 tries in 60 s)"
    assert (caught.value.details, caught.value.hint) == ((), None)
    assert clock.seconds == 67.0


def test_a_certificate_that_is_not_believed_is_told_as_such() -> None:
    """It answers; who vouches for it can be named."""
    said = b"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed\n certificate"
    with pytest.raises(DeployError) as caught:
        ask(FakeHttp({"u": [Answer(0, said)]}), FakeClock(), "u")
    assert caught.value.message.startswith(
        "GET u is not believed: [SSL: CERTIFICATE_VERIFY_FAILED]"
    )
    assert "self-signed certificate (121 tries" in caught.value.message
    assert "SSL_CERT_FILE" in (caught.value.hint or "")


def test_no_single_answer_is_waited_for_too_long() -> None:
    """One that hangs leaves time for others within the minute."""
    waits: list[float] = []

    class Slow(FakeHttp):
        def get(self, url: str, *, timeout: float) -> Answer:
            """Note how long it would be waited for."""
            waits.append(timeout)
            return super().get(url, timeout=timeout)

    ask(Slow({"u": [Answer(200, b"")]}), FakeClock(), "u")
    assert waits == [10.0]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b" \n", []),
        (b"\xff\xfe\n", ["\ufffd\ufffd"]),
        ('{"db": "müde"}'.encode(), ["{", ' "db": "müde"', "}"]),
        (b"\n".join(b"%d" % n for n in range(30)), [str(n) for n in range(10, 30)]),
    ],
)
def test_the_last_lines_of_whatever_was_said(data: bytes, lines: list[str]) -> None:
    """Twenty at most; no bytes are too strange to be shown."""
    assert last_lines(data) == lines
