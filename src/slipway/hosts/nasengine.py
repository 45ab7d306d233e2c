"""What TrueNAS tells of an app and of itself, for a login user who has no right to Docker.

It fits :class:`slipway.hosts.engine.Engine`. What a container was made of, exit codes, networks and
the versions of Docker and Compose are not told; see :mod:`slipway.runner.nasapps`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.engine import FRESH_FACTS_S, FRESH_S
from slipway.hosts.facts import AROUND, DISKS, Facts
from slipway.hosts.inspect import EngineState
from slipway.hosts.middleware import Middleware, NasRefused
from slipway.hosts.roles import roles_of
from slipway.hosts.sections import PRELUDE, sections
from slipway.images.transfer import Transfer
from slipway.images.values import HeldImages
from slipway.report import Progress
from slipway.runner.containers import Container
from slipway.runner.nasapps import app_of, containers_of, images_of
from slipway.stack.project import APP_PREFIX

#: Where TrueNAS mounts what its Docker keeps (middlewared, ``plugins/docker/state_utils.py``).
_ROOT = "/mnt/.ix-apps"
_ASK_S = 60.0
# $2 the application's folder, $3 where Docker keeps its own.
_AROUND = f"""{PRELUDE}{DISKS}
app=$(near "$2")
text docker_free "$(free "$(near "$3")")"
{AROUND}"""
_UNKNOWN = "another"
_NOWHERE = "the middleware gave no answer to that"


class NasEngine:
    """An app of a TrueNAS, and the host it is on.

    Args:
        host: where.
        project: Compose's project name, with TrueNAS' own ``ix-``; of another project TrueNAS tells
            nothing.
    """

    def __init__(self, host: Host, project: str) -> None:
        self._host, self._project = host, project
        self._looked: tuple[float, EngineState] | None = None
        self._round: tuple[float, Facts] | None = None
        # Whoever needs what is being asked just now waits for it.
        self._asking = threading.Lock()

    @property
    def project(self) -> str:
        """Compose's project name."""
        return self._project

    def of(self, project: str) -> NasEngine:
        """The same for another project; see :meth:`slipway.hosts.engine.Engine.of`."""
        return NasEngine(self._host, project)

    def facts(self, app_dir: str) -> Facts:
        """What the host is like; see :meth:`slipway.hosts.engine.Engine.facts`."""
        with self._asking:
            found, self._round = self._round, None
        if found is not None and time.monotonic() - found[0] <= FRESH_FACTS_S:
            return found[1]
        return self._facts(app_dir)

    def look_round(self, app_dir: str) -> None:
        """Ask before it is needed; see :meth:`slipway.hosts.engine.Engine.look_round`."""
        with self._asking:
            asked = time.monotonic()
            self._round = (asked, self._facts(app_dir))

    def _facts(self, app_dir: str) -> Facts:
        argv = ("sh", "-c", _AROUND, "around", "", app_dir, _ROOT)
        done = self._host.run(argv, timeout=_ASK_S)
        found = {name: data.decode() for name, data in sections(done.stdout, where=self._host.name)}
        me, info = Middleware(self._host).ask(("auth.me",), ("system.info",))
        told: Mapping[str, Any] = {} if isinstance(info, HostError) else info
        try:
            return Facts(
                docker="",
                compose="",
                root=_ROOT,
                architecture=found["architecture"],
                docker_free=int(found["docker_free"]) * 1024,
                app_free=int(found["app_free"]) * 1024,
                writable=found["writable"] == "yes",
                listening=frozenset(int(port, 16) for port in found["listening"].split()),
                memory=int(told.get("physmem") or 0),
                processors=int(told.get("cores") or 0),
                nas=bool(found["nas"].strip()),
                roles=None if isinstance(me, HostError) else roles_of(me),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise self._unread("disk space and ports", error) from error

    def state(self) -> EngineState:
        """What the app holds; see :meth:`slipway.hosts.engine.Engine.state`."""
        looked, self._looked = self._looked, None
        if looked is not None and time.monotonic() - looked[0] <= FRESH_S:
            return looked[1]
        return self._state()

    def look_ahead(self) -> None:
        """Ask before it is needed; see :meth:`slipway.hosts.engine.Engine.look_ahead`."""
        asked = time.monotonic()
        self._looked = (asked, self._state())

    def containers(self) -> tuple[Container, ...]:
        """The app's containers; see :meth:`slipway.hosts.engine.Engine.containers`."""
        return self._state().containers

    def _state(self) -> EngineState:
        app = self._project.removeprefix(APP_PREFIX) if self._is_app else ""
        status, rows, images, config = Middleware(self._host).ask(
            ("docker.status",),
            ("app.query", [["name", "=", app]]),
            ("app.image.query",),
            ("app.config", app or "-"),
        )
        # Without it no app is told of, though they are all there.
        _runs(self._host.name, status)
        row = app_of(_told(rows), app) if app else None
        try:
            return EngineState(
                images=HeldImages((), images_of(_told(images))),
                containers=containers_of(row),
                app="" if row is None else _included(config),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise self._unread("its apps and images", error) from error

    @property
    def _is_app(self) -> bool:
        return self._project.startswith(APP_PREFIX)

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Nobody may; TrueNAS pulls what a registry has."""
        raise HostError(
            f"images can't be sent to {self._host.name}: its login user has no right to Docker",
            hint="./inv push brings them to the registry that the host's table names",
            stage="transfer",
        )

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """Nobody may."""
        raise HostError(
            f"the login user on {self._host.name} has no right to Docker; nothing was changed",
            hint="in TrueNAS' web interface: Apps, the app, and Shell or Logs of a container",
            stage="docker",
        )

    def _unread(self, what: str, error: Exception) -> HostError:
        return HostError(
            f"{self._host.name} did not answer what was asked of {what}: {error!r}",
            hint="is it one of the releases that docs/guides/truenas.md names?",
            stage="truenas",
        )


def _told(answer: object) -> Any:
    """What a call came to.

    Raises:
        NasRefused: it failed.
    """
    if isinstance(answer, NasRefused):
        raise answer
    return answer


def _runs(name: str, answer: object) -> None:
    """See that TrueNAS' Docker service runs.

    Raises:
        HostError: it doesn't, or nobody may ask.
    """
    status = _told(answer)
    if status.get("status") != "RUNNING":
        said = status.get("description") or _NOWHERE
        raise HostError(
            f"the Docker service of {name} is {status.get('status')}: {said}",
            hint="TrueNAS: Apps > Configuration; choose a pool there, or unset it and choose it "
            "anew",
            stage="docker",
        ).by("truenas-docker")


def _included(config: object) -> str:
    """The file that an app includes; another word where it includes none."""
    if not isinstance(config, Mapping):
        return _UNKNOWN
    files = config.get("include") or ()
    first = files[0] if isinstance(files, Sequence) and files else None
    return first if isinstance(first, str) else _UNKNOWN
