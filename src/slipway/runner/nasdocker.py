"""Containers by what TrueNAS tells and does, for a user who has no right to Docker.

It fits :class:`slipway.runner.doors.Docker`. What takes Docker itself is refused in a sentence: the
steps of mode ``app-only`` have none of it.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any

from slipway.runner.containers import Container
from slipway.runner.doors import Done, Nas, Stopping
from slipway.runner.failure import Failed
from slipway.runner.login import Login
from slipway.runner.middleware import AWAY, LATE, NasError
from slipway.runner.nasapps import app_of, containers_of, images_of
from slipway.runner.pull import failure

_RUNNING = "RUNNING"
_WAIT_S = 60.0
_AGAIN_S = 1.0
#: A log follows its container for ever; its last lines come at once.
_LINES_S = 3.0
_BROKE = "TrueNAS says that it was pulled, and has it not: unexpected EOF"


class NoEvents:
    """TrueNAS tells when an app changes, not when a container serves."""

    def end(self) -> str:
        """None."""
        return ""


class NasDocker:
    """An app's containers, by the middleware.

    Args:
        app: its name there, without ``ix-``.
        nas: the middleware.
        sleep: waits some seconds.
    """

    def __init__(self, app: str, nas: Nas, sleep: Callable[[float], None] = time.sleep) -> None:
        self._app, self._nas, self._sleep = app, nas, sleep

    def containers(self) -> tuple[Container, ...]:
        """The app's containers; a Docker service that is just starting is waited for.

        ``app.query`` answers with no app at all as long as that does not run.

        Raises:
            Failed: Docker or the middleware doesn't answer for a minute.
        """
        end = time.monotonic() + _WAIT_S
        while True:
            why = self._away()
            if not why:
                return self._told()
            if time.monotonic() >= end:
                raise Failed(why, hint="look at Apps in TrueNAS' web interface")
            self._sleep(_AGAIN_S)

    def _away(self) -> str:
        """Why nothing can be said of containers; empty where it can."""
        try:
            said = self._nas.call("docker.status")
        except NasError as error:
            if error.kind in (AWAY, LATE):
                return f"TrueNAS' middleware doesn't answer: {error.message}"
            raise _failed("does not say whether its Docker service runs", error) from error
        status = said.get("status")
        return "" if status == _RUNNING else f"TrueNAS' Docker service is {status}"

    def _told(self) -> tuple[Container, ...]:
        try:
            rows = self._nas.call("app.query", [["name", "=", self._app]])
            return containers_of(app_of(rows, self._app))
        except NasError as error:
            raise _failed(f"does not tell of the app {self._app}", error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise Failed(f"TrueNAS told of {self._app} what isn't known: {error!r}") from error

    def events(self) -> NoEvents:
        """None."""
        return NoEvents()

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines a container wrote; empty when it is gone."""
        asked = {"app_name": self._app, "container_id": container, "tail_lines": count}
        source = f"app.container_log_follow:{json.dumps(asked)}"
        try:
            found = self._nas.heard(source, count, _LINES_S)
        except NasError:
            return ()
        lines = [str(fields.get("data", "")).rstrip() for fields in found]
        return tuple(line for line in lines if line)[-count:]

    def last_check(self, container: str, count: int) -> tuple[str, ...]:
        """Nothing: only Docker knows what a health check said."""
        return ()

    def end_once(self) -> int:
        """None: nothing runs beside the services."""
        return 0

    def pull(self, source: str, reference: str, login: Login | None) -> None:
        """Have TrueNAS get an image by its digest; it gives it no other name.

        Raises:
            Failed: it can't be had.
        """
        asked: dict[str, object] = {"image": source}
        if login is not None:
            asked["auth_config"] = _named(login, source)
        try:
            self._nas.run("app.image.pull", asked)
        except NasError as error:
            raise failure(source, Done(1, "", error.message)) from error
        # What breaks once Docker has begun is no failure to TrueNAS: it reads its lines for how
        # far a pull is, and the one that says why it ended is none of those.
        if source not in images_of(self._images()):
            raise failure(source, Done(1, "", _BROKE))

    def remove_images(self, references: Sequence[str]) -> int:
        """Remove images; how many references stayed, for they or their image are in use.

        TrueNAS removes an image, not a name of it: one that has another name stays with both, and
        one of several repositories goes by force alone, which spares what a container runs.
        """
        held, going, stayed = images_of(self._images()), set(references), 0
        for identity in dict.fromkeys(held[one] for one in references if one in held):
            names = {name for name, its in held.items() if its == identity}
            if not (names <= going and self._delete(identity, force=len(names) > 1)):
                stayed += len(names & going)
        return stayed

    def _delete(self, identity: str, *, force: bool) -> bool:
        try:
            self._nas.call("app.image.delete", identity, {"force": force})
        except NasError:
            return False
        return True

    def _images(self) -> list[dict[str, Any]]:
        try:
            return list(self._nas.call("app.image.query"))
        except NasError as error:
            raise _failed("does not tell of its images", error) from error

    def compose(
        self, file: str, arguments: Sequence[str], timeout_s: float, *, output: str = "",
        input: str = "",
    ) -> Done:  # fmt: skip
        """Nobody may; see :func:`_refused`."""
        raise _refused(f"`docker compose {arguments[0]}`")

    def execute(self, container: str, argv: Sequence[str], timeout_s: float) -> Done:
        """Nobody may; see :func:`_refused`."""
        raise _refused("a program in a container")

    def stop(self, containers: Sequence[str]) -> Stopping:
        """Nobody may; see :func:`_refused`."""
        raise _refused("to stop one container")

    def remove(self, containers: Sequence[str]) -> None:
        """Nobody may; see :func:`_refused`."""
        raise _refused("to remove one container")

    def rename(self, container: str, name: str) -> bool:
        """Nobody may; see :func:`_refused`."""
        raise _refused("to rename a container")

    def remove_networks(self, names: Sequence[str]) -> None:
        """Nobody may; see :func:`_refused`."""
        raise _refused("to remove a network")


def _named(login: Login, source: str) -> dict[str, str]:
    """User and password, as TrueNAS takes them, of what Docker keeps.

    Raises:
        Failed: it is a token that only Docker's own client can use.
    """
    for one in json.loads(login.config)["auths"].values():
        name, colon, password = b64decode(one.get("auth", "")).decode().partition(":")
        if colon and not one.get("identitytoken"):
            return {"username": name, "password": password}
    host = source.partition("/")[0]
    raise Failed(
        f"TrueNAS can't use the login to {host}: it takes a user and a password",
        hint=f"docker login {host}, on the machine that deploys, by a user and a password",
    )


def _refused(what: str) -> Failed:
    return Failed(
        f"{what} takes the right to Docker, which the login user has not",
        hint='deploy with mode = "app" and a user who has it',
    )


def _failed(what: str, error: NasError) -> Failed:
    lines = error.message.strip().splitlines() or [error.kind]
    return Failed(f"TrueNAS {what}: {lines[0]}", details=lines[1:])
