"""Ask the stack itself, as people reach it."""

from __future__ import annotations

import contextlib
import json

from slipway.doors import Clock, Http
from slipway.errors import DeployError
from slipway.plan.actions import ASK_S

_ASK_S = 10.0
_PAUSE_S = 0.5
_SHOWN_LINES = 20
# As OpenSSL says it, whatever the reason is.
_UNBELIEVED = b"certificate verify failed"
_BELIEVE = (
    "where an authority vouches for it that this machine does not know, begin the command with "
    "SSL_CERT_FILE=its-certificate.pem"
)


def ask(http: Http, clock: Clock, url: str) -> None:
    """Ask the stack through its front door until it says that all is well.

    Raises:
        DeployError: it didn't within a minute; the last answer is in the details.
    """
    deadline = clock.monotonic() + ASK_S
    tries = 0
    while True:
        answer = http.get(url, timeout=_ASK_S)
        tries += 1
        if answer.status == 200:
            return
        if clock.monotonic() >= deadline:
            break
        clock.sleep(_PAUSE_S)
    got = f"gave {answer.status}" if answer.status else _unanswered(answer.body)
    raise DeployError(
        f"GET {url} {got} ({tries} tries in {ASK_S:.0f} s)",
        details=last_lines(answer.body) if answer.status else (),
        hint=_BELIEVE if _UNBELIEVED in answer.body else None,
    )


def _unanswered(body: bytes) -> str:
    """That there was no answer, or none that can be believed, with the reason."""
    why = " ".join(body.decode("utf-8", "replace").split())
    return f"is not believed: {why}" if _UNBELIEVED in body else f"gave no answer: {why}"


def last_lines(data: bytes) -> list[str]:
    """The last lines of a text; a JSON document is set out first."""
    text = data.decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return text.splitlines()[-_SHOWN_LINES:] if text else []
