"""Carry out what :mod:`slipway.release.verify` asks for, then ask the stack itself."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from slipway.doors import Clock, Http, Shell
from slipway.errors import CommandFailed, DeployError
from slipway.release.values import Container
from slipway.release.verify import Expected, Look, Sight, Verdict, Wait, watch

_ANSWER_S = 60.0
_ASK_S = 10.0
_PAUSE_S = 0.5
_SMOKE_S = 300.0
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
        details=_last_lines(answer.body),
        stage="verify",
    )


def run_smoke(shell: Shell, command: Sequence[str], places: Mapping[str, str], root: Path) -> None:
    """Run the stack's smoke job on this machine.

    Args:
        command: arguments; ``{url}`` and the other names of ``places`` in them are filled in.
            ``python3`` is the one that runs this, with the checkout's ``src`` on its path.
        places: values by name.
        root: folder it runs in: the checkout.

    Raises:
        DeployError: it failed; what it said last is in the details.
    """
    argv = [_filled(argument, places) for argument in command]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    env = {"PATH": path, "PYTHONPATH": str(root / "src")}
    try:
        done = shell.run(argv, timeout=_SMOKE_S, env=env, cwd=str(root), check=False)
    except CommandFailed as error:
        raise DeployError(
            f"the smoke job could not be run: {error.message}",
            details=error.details,
            stage="verify",
        ) from error
    if not done.ok:
        raise DeployError(
            f"the smoke job failed with code {done.exit_code}",
            details=[*_last_lines(done.stdout), *_last_lines(done.stderr)],
            stage="verify",
        )


def _filled(argument: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        argument = argument.replace("{" + name + "}", value)
    return argument


def _last_lines(data: bytes) -> list[str]:
    """The last lines of a text; a JSON document is set out first."""
    text = data.decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return text.splitlines()[-_SHOWN_LINES * 2 :] if text else []
