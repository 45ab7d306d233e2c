"""What a host remembers: releases, which one is live, and the journal.

``{app_dir}/releases/ID/{compose.json,release.json}`` are written before a release goes live,
``{app_dir}/current`` is a symbolic link to the live one's folder, switched by a rename, and
``{app_dir}/journal.jsonl`` gets a line of intent before and a line of outcome after each deploy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from slipway.doors import Host
from slipway.errors import DeployError
from slipway.ledger.release import FORMAT, Release, as_json

KEEP = 3

# $1 the application's folder. One round trip: the link's target, then every release's file, each
# before a line that no JSON can hold.
_READ_ALL = """set -eu
cd -- "$1" 2>/dev/null || exit 0
readlink current || echo
for file in releases/*/release.json; do
    [ -e "$file" ] || continue
    printf '%s\\036' "$file"
    cat -- "$file"
    printf '\\036'
done
"""

# $1 the application's folder, $2 the release. The link is made aside and renamed over the old one.
_SWITCH = """set -eu
cd -- "$1"
ln -sfn -- "releases/$2" current.new
mv -fT -- current.new current
"""

# $1 the journal; the line comes on standard input. O_APPEND keeps lines whole.
_APPEND = """set -eu
umask 077
mkdir -p -- "$(dirname -- "$1")"
cat >>"$1"
"""


@dataclass(frozen=True, slots=True)
class Records:
    """The releases a host knows.

    Attributes:
        releases: newest first.
        current: id of the live one, or None.
    """

    releases: tuple[Release, ...] = ()
    current: str | None = None

    @property
    def live(self) -> Release | None:
        """The live release, or None before the first.

        Raises:
            DeployError: the host says which release is live but has no record of it.
        """
        if self.current is None:
            return None
        for release in self.releases:
            if release.id == self.current:
                return release
        raise DeployError(
            f"the host says that {self.current} is live but holds no record of it",
            hint="restore its folder below releases/, or remove the link `current` and deploy anew",
            stage="read",
        )

    def kept(self, newest: int = KEEP) -> tuple[Release, ...]:
        """The releases to keep: the live one and the newest besides."""
        live = [release for release in self.releases if release.id == self.current]
        others = [release for release in self.releases if release.id != self.current]
        return (*live, *others[: newest - len(live)])


def compose_path(app_dir: str, release: str) -> str:
    """Where a release's Compose file lies on the host."""
    return f"{app_dir}/releases/{release}/compose.json"


def read_records(host: Host, app_dir: str) -> Records:
    """Ask a host for its releases, in one round trip.

    Raises:
        DeployError: a record can't be read.
        HostError: the host can't be asked.
    """
    argv = ("sh", "-c", _READ_ALL, "read", app_dir)
    text = host.run(argv, timeout=60).text
    link, _, rest = text.partition("\n")
    fields = rest.split("\x1e")
    releases = [
        Release.from_json(body.encode(), f"{host.name}:{app_dir}/{file}")
        for file, body in zip(fields[0::2], fields[1::2], strict=False)
    ]
    releases.sort(key=lambda release: (release.created, release.id), reverse=True)
    return Records(tuple(releases), link.rpartition("/")[2] or None)


def write_release(host: Host, app_dir: str, release: Release, compose: bytes) -> None:
    """Put a release's folder on the host; it isn't live by that."""
    host.put(compose_path(app_dir, release.id), compose, mode=0o644)
    path = f"{app_dir}/releases/{release.id}/release.json"
    host.put(path, as_json(release.to_json()), mode=0o644)


def switch_current(host: Host, app_dir: str, release: str) -> None:
    """Record a release as the live one, in one indivisible step."""
    host.run(("sh", "-c", _SWITCH, "switch", app_dir, release), timeout=30)


def journal(host: Host, app_dir: str, now: datetime, event: str, **fields: object) -> None:
    """Append a line to the host's journal.

    Args:
        now: the time, in UTC.
        event: ``intent`` or ``outcome``.
        fields: what else to note; never a secret.
    """
    entry = {"format": FORMAT, "time": now.isoformat(timespec="seconds"), "event": event, **fields}
    line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
    argv = ("sh", "-c", _APPEND, "journal", f"{app_dir}/journal.jsonl")
    host.run(argv, timeout=30, input=line)
