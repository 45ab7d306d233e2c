"""Ways to change a stack from one version to the other: deploys, and other programs' ways.

All work on the rehearsal host of a copy of the checkout; the others by the Compose files that
deploys left there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.app.bench import NAME, Copy
from slipway.errors import ConfigError, SlipwayError

COMPOSE, ROLLOUT = "compose", "rollout"
_APP_DIR = "/mnt/tank/apps/langflix"
#: Another version of all that rolls: a file, a text in it, and what comes in its place.
_OTHER = (
    ("src/langflix/__init__.py", "__version__", '_OTHER = "version"\n__version__'),
    ("src/langflix/web/index.html", "<head>", "<head>\n    <!-- another version -->"),
)
#: Of these docker-rollout makes new ones beside the old; the others Compose replaces.
ROLLED, _REPLACED = ("api", "frontend", "flower"), ("worker", "beat")

#: Makes a version (0 or 1) live; raises SlipwayError.
Switch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another way to change versions, to compare with.

    Attributes:
        name: :data:`COMPOSE` or :data:`ROLLOUT`.
        script: docker-rollout on this machine.
    """

    name: str
    script: Path | None = None


def read_peers(texts: Sequence[str]) -> tuple[Peer, ...]:
    """What ``--peer`` said: ``compose`` or ``rollout=PATH``.

    Raises:
        ConfigError: it is neither, or there is no such script.
    """
    peers = []
    for text in texts:
        name, _, path = text.partition("=")
        good = not path if name == COMPOSE else name == ROLLOUT and Path(path).is_file()
        if not good:
            what = f"there is no file {path}" if name == ROLLOUT and path else "is no peer"
            raise ConfigError(
                f"--peer {text}: {what}; nothing was done",
                hint=f"--peer {COMPOSE}, or --peer {ROLLOUT}=PATH with the path of docker-rollout",
                stage="config",
            )
        peers.append(Peer(name, Path(path).resolve() if path else None))
    return tuple(peers)


class Ours:
    """Deploys of a copy in one of two versions.

    Args:
        copy: of the checkout.

    Attributes:
        releases: version to its latest release.
    """

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self._texts = {path: (copy.root / path).read_text("utf-8") for path, _, _ in _OTHER}
        self.releases: dict[int, str] = {}

    def make(self, version: int) -> None:
        """Deploy a version. Raises SlipwayError."""
        for path, old, new in _OTHER:
            text = self._texts[path]
            if old not in text:
                raise SlipwayError(f"{path} has no {old!r}, so there is no other version of it")
            (self._copy.root / path).write_text(
                text.replace(old, new, 1) if version else text, "utf-8"
            )
        self.releases[version] = json.loads(self._copy.inv("deploy", "--json"))["release"]

    def back(self) -> None:
        """Roll back to the release before the live one, from the oldest kept one to the newest.

        Raises:
            SlipwayError: it failed, or there is no other release.
        """
        kept = [one for one in json.loads(self._copy.inv("releases", "--json")) if not one["lost"]]
        live = next(at for at, one in enumerate(kept) if one["live"])
        to = kept[(live + 1) % len(kept)]["release"]
        self._copy.inv("rollback", "--to", to, "--json")


class Others:
    """Changes of version on the same host by other programs.

    Args:
        copy: of the checkout.
        releases: version to a release that the host has.
    """

    def __init__(self, copy: Copy, releases: dict[int, str]) -> None:
        self._copy = copy
        self._releases = dict(releases)

    def take(self, script: Path) -> str:
        """Bring docker-rollout to the host; the version that it names."""
        infos = json.loads(self._copy.inv("rehearsal.status", "--json"))
        state = next(info["state_dir"] for info in infos if info["name"] == NAME)
        shutil.copy(script, Path(state) / "pool/docker-rollout")
        return self._host("sh", "/mnt/tank/docker-rollout", "rollout", "--version").strip()

    def compose(self, version: int) -> None:
        """``docker compose up --detach``; waits for health only to begin the next in time."""
        self._compose(version, "up", "--detach", "--wait")

    def rollout(self, version: int) -> None:
        """``docker rollout`` for each service that may be twice, Compose for the others."""
        for service in ROLLED:
            script = ("sh", "/mnt/tank/docker-rollout", "rollout")
            self._host(*script, "-f", self._file(version), service)
        self._compose(version, "up", "--detach", "--wait", "--no-deps", *_REPLACED)

    def _compose(self, version: int, *arguments: str) -> None:
        self._host("docker", "compose", "-f", self._file(version), *arguments)

    def _file(self, version: int) -> str:
        return f"{_APP_DIR}/releases/{self._releases[version]}/compose.json"

    def _host(self, *argv: str) -> str:
        return self._copy.inv("rehearsal.shell", "--name", NAME, "--", *argv)
