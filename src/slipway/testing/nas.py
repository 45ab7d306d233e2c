"""TrueNAS' middleware in memory, as far as the runner asks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.runner.middleware import FAILED, INVALID, NasError
from slipway.runner.nasapps import images_of


@dataclass
class FakeNas:
    """A :class:`slipway.runner.doors.Nas`.

    Attributes:
        apps: name to Compose file.
        asked: every method with its arguments.
        broken: why it takes no app; empty when it does.
        docker: what ``docker.status`` says.
        details: containers of each app, as ``app.query`` tells of them.
        images: as ``app.image.query`` tells of them.
        held: ids of images that can't be deleted.
        lines: container to what it wrote.
        jobs: what ``core.get_jobs`` answers, one after the other; then that there are none.
        started: called with an app that is started or started anew.
    """

    apps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    broken: str = ""
    docker: str = "RUNNING"
    details: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    images: list[dict[str, Any]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    lines: dict[str, list[str]] = field(default_factory=dict)
    jobs: list[list[dict[str, Any]]] = field(default_factory=list)
    started: Callable[[str], object] = lambda app: None

    @property
    def included(self) -> str:
        """What the app that there is includes; empty when there is none."""
        return next((str(one["include"][0]) for one in self.apps.values()), "")

    def call(self, method: str, *args: object) -> Any:
        """Answer what is asked of Docker's service, of apps and images; delete an image."""
        self.asked.append((method, *args))
        if method == "docker.status":
            return {"status": self.docker, "description": ""}
        if method == "core.get_jobs":
            return self.jobs.pop(0) if self.jobs else []
        if method == "app.query":
            return [
                {"name": app, "active_workloads": {"container_details": self.details.get(app, [])}}
                for app in self.apps
            ]
        if method == "app.image.query":
            return self.images
        if method == "app.image.delete" and self._can_go(args[0], args[1]):
            self.images = [one for one in self.images if one["id"] != args[0]]
            return True
        raise NasError(FAILED, "EFAULT", f"{method} was refused")

    def _can_go(self, identity: object, options: object) -> bool:
        """Whether Docker would remove an image: of several repositories it does by force."""
        names = images_of(one for one in self.images if one["id"] == identity)
        forced = isinstance(options, Mapping) and options.get("force") is True
        return identity not in self.held and (forced or len(names) == 1)

    def heard(self, source: str, count: int, seconds: float) -> Sequence[Mapping[str, Any]]:
        """The last lines of a container."""
        name, _, arguments = source.partition(":")
        if name != "app.container_log_follow":
            raise NasError(INVALID, "ENOENT", f"no such source: {name}")
        lines = self.lines.get(json.loads(arguments)["container_id"], [])
        return [{"data": line, "timestamp": None} for line in lines[-count:]]

    def run(self, method: str, *args: object) -> Any:
        """Do what those methods do to an app that start jobs."""
        self.asked.append((method, *args))
        if self.broken:
            raise NasError(FAILED, "EFAULT", self.broken)
        if method == "app.delete":
            if self.apps.pop(str(args[0]), None) is None:
                raise NasError(INVALID, "ENOENT", f"[ENOENT] ALL: App {args[0]} does not exist")
            return True
        if method == "app.image.pull" and isinstance(args[0], Mapping):
            source = str(args[0]["image"])
            self.images.append({"id": f"id of {source}", "repo_digests": [source]})
            return None
        if method in ("app.start", "app.stop", "app.redeploy"):
            return self._turn(method, str(args[0]))
        (asked,) = args
        if method != "app.create" or not isinstance(asked, Mapping):
            raise NasError(FAILED, "ENOMETHOD", f"Method does not exist: {method}")
        if asked["app_name"] in self.apps:
            raise NasError(INVALID, "EEXIST", "[EEXIST] app_create.app_name: is there already")
        self.apps[asked["app_name"]] = asked["custom_compose_config"]
        return {"name": asked["app_name"]}

    def _turn(self, method: str, app: str) -> None:
        if app not in self.apps:
            raise NasError(INVALID, "ENOENT", f"[ENOENT] ALL: App {app} does not exist")
        self.details.pop(app, None)
        if method != "app.stop":
            self.started(app)
