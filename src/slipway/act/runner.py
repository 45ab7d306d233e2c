"""The door to the runner on a host: start a run there, hear of it, say a word, end a lost one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from slipway.act.pack import Packed, packed
from slipway.act.python import PLACE, bring, why
from slipway.doors import Completed, Host
from slipway.errors import CommandFailed, HostError
from slipway.hosts.command import MISSING_PROGRAM

Event = Mapping[str, Any]

_VERB_S = 30.0
_SETTLE_S = 1800.0
_NOT_THERE = 66
_TOO_OLD = 69

# $1 the runner, then its arguments. -I: what lies in the folder it is started in is no module.
_RUN = f"""[ -f "$1" ] || exit 66
own=${{1%/*}}/{PLACE}
[ ! -x "$own" ] || exec "$own" -I "$@"
exec python3 -I "$@"
"""


class Runner(Protocol):
    """The runner on a host. Every method is one round trip."""

    def start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin a run, which goes on whether anybody listens or not.

        Returns:
            ``{"started": its id}``, or ``{"busy": who is at work there}``.

        Raises:
            HostError: it could not be started; nothing was changed.
        """

    def follow(self, run: str, first: int) -> Sequence[Event]:
        """A run's events from number ``first`` on; waits for some seconds until there are any.

        Raises:
            HostUnreachable: the connection is gone; the run isn't.
        """

    def tell(self, run: str, word: str, value: Mapping[str, Any]) -> None:
        """Leave a run a word."""

    def settle(self) -> Mapping[str, Any]:
        """End the latest run, should its process be gone.

        Returns:
            ``{"settled": how it ended}``, ``{"busy": who is at work there}``, or ``{}``.
        """


def own_python(app_dir: str) -> str:
    """Where an application's folder has the Python that was brought for the runner, if it was."""
    return f"{app_dir}/runner/{PLACE}"


def packed_request(request: Mapping[str, Any]) -> bytes:
    """What a run is asked, as the host reads it: of LangFlix 40 kB become 4."""
    return zlib.compress(json.dumps(request).encode())


class HostRunner:
    """The :class:`Runner` on a real host; it is sent there when it isn't.

    Args:
        host: where.
        app_dir: the application's folder there.
        application: its name.
        docker: the docker program there.
    """

    def __init__(self, host: Host, app_dir: str, application: str, docker: str = "docker") -> None:
        self._host, self._app_dir = host, app_dir
        self._application, self._docker = application, docker

    def start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin a run; see :meth:`Runner.start`."""
        answer = self._asked("start", input=packed_request(request))[0]
        if "failed" in answer:
            raise HostError(
                f"{self._host.name} could not begin: {answer['failed']}; nothing was changed",
                hint=f"look at {self._app_dir} there: its free space, and who may write it",
                stage="runner",
            )
        return answer

    def follow(self, run: str, first: int) -> Sequence[Event]:
        """A run's events; see :meth:`Runner.follow`."""
        return self._asked("follow", run, str(first))

    def tell(self, run: str, word: str, value: Mapping[str, Any]) -> None:
        """Leave a run a word; see :meth:`Runner.tell`."""
        self._asked("tell", run, word, input=json.dumps(value).encode())

    def settle(self) -> Mapping[str, Any]:
        """End the latest run, should its process be gone; see :meth:`Runner.settle`."""
        return self._asked("settle", timeout=_SETTLE_S)[0]

    def _asked(
        self, verb: str, *words: str, input: bytes = b"", timeout: float = _VERB_S
    ) -> list[Event]:
        file = packed()
        done = self._run(file, verb, words, input, timeout)
        if done.exit_code == _NOT_THERE:
            self._host.put(self._path(file), file.data, mode=0o644)
            done = self._run(file, verb, words, input, timeout)
        if done.exit_code in (MISSING_PROGRAM, _TOO_OLD):
            self._bring_python(done)
            done = self._run(file, verb, words, input, timeout)
        if not done.ok:
            raise CommandFailed(
                ("runner", verb), done.exit_code, done.error_text, where=self._host.name,
                hint=f"the login user must be able to write {self._app_dir}",
            )  # fmt: skip
        return [json.loads(line) for line in done.text.splitlines()]

    def _bring_python(self, found: Completed) -> None:
        """Have a Python there that the host itself hasn't.

        Args:
            found: what the host said without one.

        Raises:
            HostError: there is none to be had.
        """
        folder = f"{self._app_dir}/runner"
        done = bring(self._host, folder, self._application, self._docker)
        if not done.ok:
            raise HostError(
                f"{self._host.name} has no Python that can carry out a deploy: 3.9 or later is "
                "needed; nothing was changed",
                details=(*found.error_text.strip().splitlines()[-1:], *why(done)),
                hint="install python3 there",
                stage="runner",
            )

    def _run(
        self, file: Packed, verb: str, words: Sequence[str], input: bytes, timeout: float
    ) -> Completed:
        argv = ("sh", "-c", _RUN, "runner", self._path(file), verb, self._app_dir, *words)
        if verb == "start":
            return self._host.launch(argv, timeout=timeout, input=input)
        return self._host.run(argv, timeout=timeout, input=input, check=False)

    def _path(self, file: Packed) -> str:
        return f"{self._app_dir}/runner/{file.name}"
