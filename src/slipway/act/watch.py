"""Carry out what :mod:`slipway.plan.watch` asks for, then ask the stack itself."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence

from slipway.doors import Clock, Http
from slipway.errors import DeployError
from slipway.hosts.container import Container
from slipway.plan.watch import Expected, Look, Sight, Verdict, Wait, watch

_ANSWER_S = 60.0
_ASK_S = 10.0
_PAUSE_S = 0.5
_SHOWN_LINES = 10


def watch_containers(
    wanted: Sequence[Expected],
    look: Callable[[], tuple[Container, ...]],
    clock: Clock,
    tell: Callable[[str], None],
) -> Verdict:
    """Watch services until the verdict.

    Args:
        wanted: what they should come to.
        look: asks the host for its containers.
        clock: time.
        tell: gets a line whenever the services still waited for change.
    """
    asking = watch(wanted)
    request: Look | Wait = next(asking)
    told: tuple[str, ...] = ()
    while True:
        answer: Sight | None = None
        if isinstance(request, Look):
            containers = look()
            answer = Sight(clock.monotonic(), containers)
        else:
            if request.waiting_for != told:
                told = request.waiting_for
                tell(f"  waiting for {', '.join(dict.fromkeys(told))}")
            clock.sleep(request.seconds)
        try:
            request = asking.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict


def ask_health(http: Http, clock: Clock, url: str) -> None:
    """Ask the stack through its front door until it says that all is well.

    Raises:
        DeployError: it didn't within a minute; the last answer is in the details.
    """
    deadline = clock.monotonic() + _ANSWER_S
    tries = 0
    while True:
        answer = http.get(url, timeout=_ASK_S)
        tries += 1
        if answer.status == 200:
            return
        if clock.monotonic() >= deadline:
            break
        clock.sleep(_PAUSE_S)
    got = str(answer.status) if answer.status else "no answer"
    raise DeployError(
        f"GET {url} gave {got} ({tries} tries in {_ANSWER_S:.0f} s)",
        details=last_lines(answer.body),
        stage="verify",
    )


def last_lines(data: bytes) -> list[str]:
    """The last lines of a text; a JSON document is set out first."""
    text = data.decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return text.splitlines()[-_SHOWN_LINES * 2 :] if text else []
