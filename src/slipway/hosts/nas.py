"""What a TrueNAS says of itself, as far as it may be in a deploy's way. Nothing is changed.

Its middleware is asked all of it at once; a method that a release doesn't have is an answer left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.middleware import Middleware, NasRelease, read_release


@dataclass(frozen=True, slots=True)
class Nas:
    """What a TrueNAS says.

    Attributes:
        release: which one it is; None when it doesn't say.
        docker: state of its Docker service, such as ``RUNNING`` or ``FAILED``; may be empty.
        docker_said: its words about that.
        apps: the names of its own apps.
        aclmodes: path of a dataset to its kind of permissions and their mode, such as ``NFSV4
            RESTRICTED``.
        update: a version that waits to be installed, ``reboot`` for one that waits for that, else
            empty.
    """

    release: NasRelease | None = None
    docker: str = ""
    docker_said: str = ""
    apps: tuple[str, ...] = ()
    aclmodes: Mapping[str, str] = field(default_factory=dict)
    update: str = ""

    def aclmode(self, path: str) -> str:
        """Kind and mode of the permissions that hold for a path; empty when not known."""
        above = (str(one) for one in (PurePosixPath(path), *PurePosixPath(path).parents))
        return next((self.aclmodes[one] for one in above if one in self.aclmodes), "")


def read_nas(host: Host, paths: Iterable[str]) -> Nas:
    """Ask a TrueNAS, in one round trip.

    Args:
        paths: those whose datasets are of interest.

    Raises:
        HostError: it can't be asked.
    """
    calls = {
        "version": ("system.version",),
        "docker": ("docker.status",),
        "apps": ("app.query", [], {"select": ["name"]}),
        "datasets": datasets_call(paths),
        "update": ("update.status",),
        "older": ("update.check_available",),
    }
    answers = Middleware(host).ask(*calls.values())
    return parse_nas({
        name: None if isinstance(answer, HostError) else answer
        for name, answer in zip(calls, answers, strict=True)
    })  # fmt: skip


def datasets_call(paths: Iterable[str]) -> tuple[str, list[object], dict[str, object]]:
    """What to call for the datasets that paths may lie on, as :meth:`Middleware.ask` takes it."""
    wanted: list[object] = [["id", "in", _datasets(paths)]]
    return ("pool.dataset.query", wanted, {"extra": {"retrieve_children": False}})


def _datasets(paths: Iterable[str]) -> list[str]:
    """The names of all that paths may lie on."""
    found = set()
    for path in paths:
        parts = PurePosixPath(path).parts
        if parts[:2] == ("/", "mnt"):
            found |= {"/".join(parts[2:end]) for end in range(3, len(parts) + 1)}
    return sorted(found)


def parse_nas(found: Mapping[str, Any]) -> Nas:
    """Read its answers; what isn't what was expected is as good as left out. Pure."""
    docker = _map(found.get("docker"))
    return Nas(
        release=release_of(found.get("version")),
        docker=str(docker.get("status") or ""),
        docker_said=str(docker.get("description") or ""),
        apps=tuple(str(one["name"]) for one in rows(found.get("apps")) if "name" in one),
        aclmodes={
            str(one.get("mountpoint") or f"/mnt/{one.get('id', '')}"): permissions(one)
            for one in rows(found.get("datasets"))
        },
        update=_update(_map(found.get("update")) or _map(found.get("older"))),
    )


def permissions(dataset: Mapping[str, Any]) -> str:
    """Kind and mode of a dataset's permissions, such as ``NFSV4 RESTRICTED``. Pure."""
    values = (_map(dataset.get(key)).get("value") for key in ("acltype", "aclmode"))
    return " ".join(str(one or "") for one in values)


def release_of(said: object) -> NasRelease | None:
    """What ``system.version`` answered; None when it is no release. Pure."""
    try:
        return read_release(str(said))
    except ValueError:
        return None


def _update(said: Mapping[str, Any]) -> str:
    """Of ``update.status`` (25.04 and newer) or ``update.check_available``."""
    state = said.get("status")
    if "REBOOT_REQUIRED" in (said.get("code"), state):
        return "reboot"
    if state == "AVAILABLE":
        return str(said.get("version") or "a new version")
    return str(_map(_map(state).get("new_version")).get("version") or "")


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> Sequence[Mapping[str, Any]]:
    """Those of an answer of a query; none when it is something else. Pure."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
