"""What of the host's folders a stack has in its containers. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from slipway.stack.model import Stack

_POSTGRES = "/var/lib/postgresql"
"""PostgreSQL has to own what is there or below (https://www.postgresql.org/docs/17/creating-cluster.html)."""


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """A folder of the host that a service has.

    Attributes:
        source: its path on the host.
        user: as whom the service runs, as Compose says: ``568:568``; empty for the image's own.
        writes: whether the service may write there.
        service: the first service that has it so.
        postgres: whether it holds PostgreSQL's data.
        made: whether a deploy makes it when it isn't there.
    """

    source: str
    user: str
    writes: bool
    service: str
    postgres: bool = False
    made: bool = False

    @property
    def owner(self) -> int | None:
        """The user's id; None when only the image or the host knows it."""
        word = self.user.partition(":")[0]
        return int(word) if word.isascii() and word.isdigit() else None


def mounts(stack: Stack, data_dir: str) -> tuple[Mount, ...]:
    """The folders that services have, each once for each user and right; sorted by path.

    Args:
        stack: the services.
        data_dir: the data path on the host.
    """
    made = {f"{data_dir}/{folder.name}" for folder in stack.data} | {data_dir}
    found: dict[tuple[str, str, bool], Mount] = {}
    for name, body in stack.services.items():
        user = str(body.get("user") or "")
        for mount in body.get("volumes") or ():
            if mount.get("type") != "bind":
                continue
            source = posixpath.normpath(str(mount["source"]).replace("$$", "$"))
            writes = not mount.get("read_only")
            target = posixpath.normpath(str(mount["target"]))
            one = Mount(
                source, user, writes, name,
                postgres=writes and f"{target}/".startswith(f"{_POSTGRES}/"),
                made=source in made,
            )  # fmt: skip
            found.setdefault((source, user, writes), one)
    return tuple(sorted(found.values()))


def named_volumes(stack: Stack) -> tuple[str, ...]:
    """Docker's own volumes that services keep something in, by their names in Compose's file."""
    used = {
        str(mount["source"])
        for body in stack.services.values()
        for mount in body.get("volumes") or ()
        if mount.get("type") == "volume" and mount.get("source")
    }
    return tuple(sorted(used))
