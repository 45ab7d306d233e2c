"""TrueNAS' middleware in memory, as far as the runner asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.runner.middleware import FAILED, INVALID, NasError


@dataclass
class FakeNas:
    """A :class:`slipway.runner.doors.Nas`.

    Attributes:
        apps: name to Compose file.
        asked: every method with its arguments.
        broken: why it takes no app; empty when it does.
    """

    apps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    broken: str = ""

    @property
    def included(self) -> str:
        """What the app that there is includes; empty when there is none."""
        return next((str(one["include"][0]) for one in self.apps.values()), "")

    def run(self, method: str, *args: object) -> Any:
        """Do what ``app.create`` and ``app.delete`` do."""
        self.asked.append((method, *args))
        if self.broken:
            raise NasError(FAILED, "EFAULT", self.broken)
        if method == "app.delete":
            if self.apps.pop(str(args[0]), None) is None:
                raise NasError(INVALID, "ENOENT", f"[ENOENT] ALL: App {args[0]} does not exist")
            return True
        (asked,) = args
        if method != "app.create" or not isinstance(asked, Mapping):
            raise NasError(FAILED, "ENOMETHOD", f"Method does not exist: {method}")
        if asked["app_name"] in self.apps:
            raise NasError(INVALID, "EEXIST", "[EEXIST] app_create.app_name: is there already")
        self.apps[asked["app_name"]] = asked["custom_compose_config"]
        return {"name": asked["app_name"]}
