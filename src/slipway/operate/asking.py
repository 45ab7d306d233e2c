"""Ask the application's own command line, and take its answer as a value.

It answers in JSON, a failure as well (``docs/reference/langflix-cli.md``); what it says to people
is passed over, so that a task's failures have one form whoever noticed them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from slipway.act.doors import Doors
from slipway.act.rights import need_docker
from slipway.doors import Completed
from slipway.errors import ConfigError, HostError
from slipway.operate.running import known_service, live_release

SERVICE = "cli"
_STAGE = "ask"
# A container begins, and its program waits a minute at most for the API.
_TIMEOUT_S = 120.0
_REFUSED = re.compile(r"(.*) \(([0-9]{3})\)\Z", re.DOTALL)
# HTTP's: not there, there already, no such value.
_WRONG = ("404", "409", "422")
# Of argparse, and of the application for what it can't take.
_MISUSED = 2


def ask(doors: Doors, words: Sequence[str], *, hint: str) -> dict[str, object]:
    """What the command line of the live release answers, in a container that is removed afterwards.

    Args:
        doors: to the host.
        words: the command, without ``--json``.
        hint: what to do when something that the operator named is wrong.

    Raises:
        ConfigError: something that was named is wrong, as the application says.
        HostError: it could not answer.
        DeployError: nothing is deployed there.
    """
    live = live_release(doors)
    known_service(doors, live, SERVICE, stands=False)
    way = f"Apps > {live.application} > Workloads > api > Shell"
    need_docker(doors, "asking the application's command line", f"in TrueNAS: {way}")
    arguments = ("run", "--rm", "--no-deps", "--no-TTY", SERVICE, *words, "--json")
    argv = doors.engine.compose_argv(doors.compose_file(live.id), arguments)
    return answer_of(doors.host.run(argv, timeout=_TIMEOUT_S, check=False), hint=hint)


def answer_of(done: Completed, *, hint: str) -> dict[str, object]:
    """The JSON object that a command ended with; raises as :func:`ask` does. Pure."""
    try:
        told = json.loads(done.text)
    except ValueError:
        told = None
    if done.ok and isinstance(told, dict):
        return told
    if not isinstance(told, dict) or not isinstance(told.get("error"), str):
        raise HostError(
            f"the application's command line gave no answer: it ended with code {done.exit_code}",
            details=done.error_text.strip().splitlines()[-10:],
            hint="./inv status shows what runs; an older release may not know this command",
            stage=_STAGE,
        )
    refused = _REFUSED.match(told["error"])
    message = refused[1] if refused else told["error"]
    if done.exit_code == _MISUSED or (refused and refused[2] in _WRONG):
        raise ConfigError(f"{message}; nothing was changed", hint=hint, stage=_STAGE)
    raise HostError(f"the application did not do it: {message}", hint="./inv status", stage=_STAGE)
