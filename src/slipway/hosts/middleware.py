"""A NAS' middleware, from this machine: its release, its methods, the jobs they start.

Calls are made by the client that TrueNAS brings along, run by the host's own Python with
:mod:`slipway.runner.middleware`; what is asked goes over standard input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slipway.doors import Completed, Host
from slipway.errors import HostError
from slipway.hosts.command import MISSING_PROGRAM
from slipway.hosts.table import TABLE
from slipway.runner import middleware

_STAGE = "truenas"
#: The oldest release with Docker; those before it had Kubernetes.
_OLDEST = (24, 10)
OLDEST_TEXT = "24.10"
#: Snapshots are ``zfs.snapshot`` before it, which 26 no longer has.
_POOL_SNAPSHOT = (25, 10)
# 24.10 says TrueNAS-SCALE-24.10.2.4, later ones TrueNAS-25.10.6 or TrueNAS-26.0.0-BETA.3.
_VERSION = re.compile(r"TrueNAS-(?:SCALE-)?(\d+)\.(\d+)(\S*)")


class NasRefused(HostError):
    """The middleware did not do it.

    Args:
        errname: such as ``EEXIST``; empty where there is none.
        kind: one of the kinds of :mod:`slipway.runner.middleware`.
    """

    def __init__(
        self, message: str, *, errname: str, kind: str, hint: str | None, details: list[str]
    ) -> None:
        super().__init__(message, hint=hint, stage=_STAGE, details=details)
        self.errname, self.kind = errname, kind


@dataclass(frozen=True, slots=True)
class NasRelease:
    """A release of TrueNAS.

    Attributes:
        numbers: its two numbers, such as 25 and 10.
        text: all of it, such as ``25.10.6``.
    """

    numbers: tuple[int, int]
    text: str

    @property
    def works(self) -> bool:
        """Whether it is new enough."""
        return self.numbers >= _OLDEST

    @property
    def snapshots(self) -> str:
        """Whose methods work on snapshots."""
        return "pool.snapshot" if self.numbers >= _POOL_SNAPSHOT else "zfs.snapshot"

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {"release": self.text}


def read_release(text: str) -> NasRelease:
    """What ``system.version`` says.

    Raises:
        ValueError: it is none of TrueNAS.
    """
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no version of TrueNAS")
    return NasRelease((int(found[1]), int(found[2])), f"{found[1]}.{found[2]}{found[3]}")


class Middleware:
    """The middleware of a host.

    Args:
        host: the machine.
        tell: is given what a job has come to, a few words and a percentage from 0 to 100.
    """

    def __init__(self, host: Host, tell: Callable[[str, float], object] = lambda *_: None) -> None:
        self._host, self._tell = host, tell

    @cached_property
    def release(self) -> NasRelease:
        """Which one it is.

        Raises:
            NasRefused: it is no TrueNAS, or its middleware does not answer.
            HostError: it is older than any that works.
        """
        text = self.call("system.version")
        try:
            release = read_release(str(text))
        except ValueError as error:
            raise HostError(
                f"{self._host.name} does not say which TrueNAS it is: {error}", stage=_STAGE
            ) from error
        if not release.works:
            raise HostError(
                f"{self._host.name} has TrueNAS {release.text}; {OLDEST_TEXT} is the oldest "
                "with Docker",
                hint="update it: System > Update",
                stage=_STAGE,
            )
        return release

    def call(self, method: str, *args: object) -> Any:
        """Call a method.

        Args:
            method: such as ``app.query``.
            args: its arguments, as JSON has them.

        Raises:
            NasRefused: it failed, or there is no middleware.
            HostUnreachable: the connection is gone.
        """
        return self._ask(method, args, job=False)

    def run(self, method: str, *args: object) -> Any:
        """Call a method that starts a job, and wait for its end; see :meth:`call`."""
        return self._ask(method, args, job=True)

    def ask(self, *calls: tuple[object, ...]) -> list[Any]:
        """Call several methods, one after another, in one round trip.

        Args:
            calls: of each the method, then its arguments.

        Returns:
            Of each its result, or the :class:`NasRefused` that says why there is none.

        Raises:
            HostError: the host gave no answer at all.
            HostUnreachable: the connection is gone.
        """
        return self._answers([(str(method), args, False) for method, *args in calls])

    def _ask(self, method: str, args: tuple[object, ...], *, job: bool) -> Any:
        (answer,) = self._answers([(method, list(args), job)])
        if isinstance(answer, NasRefused):
            raise answer
        return answer

    def _answers(self, calls: Sequence[tuple[str, list[object], bool]]) -> list[Any]:
        asked = [{"method": method, "args": args, "job": job} for method, args, job in calls]
        lines = _Lines(self._told)
        request = (json.dumps(asked) + "\n").encode()
        done = self._host.pipe(("python3", "-c", _program()), iter((request,)), lines.take)
        if len(lines.answers) != len(calls):
            raise _silent(self._host.name, done)
        return [
            one["result"] if "result" in one else refusal(self._host.name, method, one["error"])
            for (method, _, _), one in zip(calls, lines.answers, strict=True)
        ]

    def _told(self, progress: Mapping[str, Any]) -> None:
        self._tell(str(progress.get("description") or ""), float(progress.get("percent") or 0))


class _Lines:
    """Takes output as it comes and reads its lines.

    Attributes:
        answers: what calls came to, in their order.
    """

    def __init__(self, told: Callable[[Mapping[str, Any]], object]) -> None:
        self._told, self._rest = told, b""
        self.answers: list[Mapping[str, Any]] = []

    def take(self, data: bytes) -> None:
        """Take a piece of output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                continue  # a login file that prints
            if isinstance(found, dict) and isinstance(found.get("progress"), dict):
                self._told(found["progress"])
            elif isinstance(found, dict) and ("result" in found or "error" in found):
                self.answers.append(found)


def refusal(name: str, method: str, error: Mapping[str, str]) -> NasRefused:
    """What a person is told of a call that failed. Pure.

    Args:
        name: the host.
        method: what was called.
        error: ``kind``, ``errname`` and ``message``, as the program on the host writes them.
    """
    kind, errname, text = error["kind"], error["errname"], error["message"]
    lines = text.strip().splitlines() or [f"no reason was given ({errname or kind})"]
    sentence, hint = f"{name} refused {method}: {lines[0]}", None
    if kind == middleware.ABSENT:
        sentence = f"{name} is no TrueNAS: its Python has no client of the middleware"
        hint = f"leave `mode` out of {TABLE}"
    elif kind == middleware.AWAY:
        sentence = f"the middleware of {name} does not answer: {lines[0]}"
        hint = "on the server: systemctl restart middlewared"
    elif kind == middleware.LATE:
        sentence = f"the middleware of {name} gave no answer to {method} in time"
        hint = "see what it is at in the web interface, under Jobs, then try again"
    elif errname in ("ENOTAUTHENTICATED", "EACCES"):
        sentence = f"the login user on {name} may not call {method}: {lines[0]}"
        hint = "give the user's group a role in TrueNAS: Credentials > Groups > Privileges; or, " \
            'where mode is not "app-only", set sudo = true for this host'  # fmt: skip
    elif "app_lifecycle.log" in text:
        hint = "on the server, as root: tail /var/log/app_lifecycle.log"
    return NasRefused(sentence, errname=errname, kind=kind, hint=hint, details=lines[1:])


def _silent(name: str, done: Completed) -> HostError:
    if done.exit_code == MISSING_PROGRAM:
        return refusal(name, "", {"kind": middleware.ABSENT, "errname": "", "message": ""})
    return HostError(
        f"{name} gave no answer of its middleware: python3 there ended with {done.exit_code}",
        details=done.error_text.strip().splitlines()[-3:],
        stage=_STAGE,
    )


def _program() -> str:
    return Path(middleware.__file__).read_text("utf-8")
