"""What a TrueNAS says of itself, as far as it may be in a deploy's way. Nothing is changed.

``midclt call METHOD ARGUMENT…`` prints JSON, but a text as it is, and ends with 1 when it failed
(https://api.truenas.com); a method that a release doesn't have is an answer left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from slipway.doors import Host
from slipway.hosts.sections import PRELUDE, sections

_ASK_S = 240.0
_NUMBERS = re.compile(r"([0-9]+)\.([0-9]+)")

# $1 the filter of the datasets.
_NAS = f"""{PRELUDE}
call() {{
    name=$1
    shift
    found=$(timeout 40 midclt call "$@" 2>/dev/null) || found=
    text "$name" "$found"
}}
call version system.version
call docker docker.status
call apps app.query '[]' '{{"select": ["name"]}}'
call datasets pool.dataset.query "$1" '{{"extra": {{"retrieve_children": false}}}}'
call update update.status
[ -n "$found" ] || call update update.check_available
"""


@dataclass(frozen=True, slots=True)
class Nas:
    """What a TrueNAS says.

    Attributes:
        version: such as ``25.10.6``; empty when it doesn't say.
        docker: state of its Docker service, such as ``RUNNING`` or ``FAILED``; may be empty.
        docker_said: its words about that.
        apps: the names of its own apps.
        aclmodes: path of a dataset to its kind of permissions and their mode, such as ``NFSV4
            RESTRICTED``.
        update: a version that waits to be installed, ``reboot`` for one that waits for that, else
            empty.
    """

    version: str = ""
    docker: str = ""
    docker_said: str = ""
    apps: tuple[str, ...] = ()
    aclmodes: Mapping[str, str] = field(default_factory=dict)
    update: str = ""

    @property
    def release(self) -> tuple[int, int] | None:
        """The first two numbers of its version; None when it has none."""
        found = _NUMBERS.search(self.version)
        return (int(found[1]), int(found[2])) if found else None

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
    wanted = json.dumps([["id", "in", _datasets(paths)]])
    done = host.run(("sh", "-c", _NAS, "nas", wanted), timeout=_ASK_S)
    found = sections(done.stdout, where=host.name)
    return parse_nas({name: data.decode("utf-8", "replace") for name, data in found})


def _datasets(paths: Iterable[str]) -> list[str]:
    """The names of all datasets that paths may lie on."""
    found = set()
    for path in paths:
        parts = PurePosixPath(path).parts
        if parts[:2] == ("/", "mnt"):
            found |= {"/".join(parts[2:end]) for end in range(3, len(parts) + 1)}
    return sorted(found)


def parse_nas(found: Mapping[str, str]) -> Nas:
    """Read what the script printed; what isn't what was expected is as good as left out. Pure."""
    docker, update = _map(_json(found, "docker")), _map(_json(found, "update"))
    return Nas(
        version=re.sub(r"\A[A-Za-z-]+", "", found.get("version", "").strip()),
        docker=str(docker.get("status") or ""),
        docker_said=str(docker.get("description") or ""),
        apps=tuple(str(one["name"]) for one in _maps(_json(found, "apps")) if "name" in one),
        aclmodes={
            str(one.get("mountpoint") or f"/mnt/{one.get('id', '')}"): " ".join(
                str(_map(one.get(key)).get("value") or "") for key in ("acltype", "aclmode")
            )
            for one in _maps(_json(found, "datasets"))
        },
        update=_update(update),
    )


def _update(said: Mapping[str, Any]) -> str:
    """Of ``update.status`` (25.04 and newer) or ``update.check_available``."""
    state = said.get("status")
    if "REBOOT_REQUIRED" in (said.get("code"), state):
        return "reboot"
    if state == "AVAILABLE":
        return str(said.get("version") or "a new version")
    return str(_map(_map(state).get("new_version")).get("version") or "")


def _json(found: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(found.get(name) or "null")
    except ValueError:
        return None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
