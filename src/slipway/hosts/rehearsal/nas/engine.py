"""Docker, asked and told by its client program.

The middleware asks over Docker's socket; the answers are the same.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from typing import Any

from .appstates import PROJECT, Resources
from .errors import CallError
from .settings import Settings

ASK_S = 60
_TRIES = 2


def run(
    argv: list[str], timeout: float = ASK_S, *, both: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a program; one that takes too long is ended, and says so.

    Args:
        argv: the program and its arguments.
        timeout: seconds it may take.
        both: standard error comes with standard output.
    """
    try:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if both else subprocess.PIPE,
            encoding="utf-8",
            errors="ignore",
            timeout=timeout,
            check=False,
            env=dict(os.environ),
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, -1, "", "Timed out waiting for response")


class Engine:
    """Docker on this host."""

    def __init__(self, settings: Settings) -> None:
        self._docker = settings.docker

    def answers(self) -> bool:
        """Whether the engine runs."""
        return run([self._docker, "version", "--format", "{{.Server.Version}}"]).returncode == 0

    def projects(self, project: str = "") -> dict[str, Resources]:
        """What there is of each Compose project, or of one.

        Raises:
            CallError: Docker says no.
        """
        for left in reversed(range(_TRIES)):
            try:
                return self._projects(project)
            except _Vanished:
                if not left:
                    raise
        raise AssertionError

    def images(self) -> list[dict[str, Any]]:
        """All images, as ``docker image inspect`` tells them."""
        return self._inspect("image", self._list("image", "ls", "--quiet", "--no-trunc"))

    def wipe(self) -> None:
        """Remove every container, image, volume and network, whoever made it."""
        for kind, listed, removed in (
            ("container", ("ls", "--all", "--quiet"), ("rm", "--force", "--volumes")),
            ("volume", ("ls", "--quiet"), ("rm", "--force")),
            ("image", ("ls", "--all", "--quiet"), ("rm", "--force")),
        ):
            if found := self._list(kind, *listed):
                self._ask(kind, *removed, *found)
        self._ask("network", "prune", "--force")

    def _projects(self, project: str) -> dict[str, Resources]:
        label = f"label={PROJECT}={project}" if project else f"label={PROJECT}"
        listed = ("ls", "--quiet", "--no-trunc", "--filter", label)
        found: dict[str, Resources] = defaultdict(Resources)
        for one in self._inspect("container", self._list("container", *listed, "--all")):
            found[one["Config"]["Labels"][PROJECT]].containers.append(one)
        for one in self._inspect("network", self._list("network", *listed)):
            found[one["Labels"][PROJECT]].networks.append(one)
        return dict(found)

    def _list(self, *argv: str) -> list[str]:
        return list(dict.fromkeys(self._ask(*argv).split()))

    def _inspect(self, kind: str, names: list[str]) -> list[dict[str, Any]]:
        if not names:
            return []
        done = run([self._docker, kind, "inspect", *names])
        if done.returncode:
            raise _Vanished(done.stderr.strip())
        return list(json.loads(done.stdout))

    def _ask(self, *argv: str) -> str:
        done = run([self._docker, *argv])
        if done.returncode:
            raise CallError(done.stderr.strip())
        return done.stdout


class _Vanished(CallError):
    """Something went while it was looked at."""
