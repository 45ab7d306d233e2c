"""Snapshots of a dataset and of those below it, by TrueNAS' middleware or by ``zfs``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence

from slipway.runner import putback
from slipway.runner.failure import Failed
from slipway.runner.middleware import NasError, call

#: What works on snapshots: methods of the middleware, from 25.10 on and before, or a program.
POOL, OLDER, ZFS = WAYS = ("pool.snapshot", "zfs.snapshot", "zfs")
_ZFS_S = 300.0
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
# Said by zfs(8) and by each release of the middleware.
_ABSENT = ("does not exist", "not found", "could not find any snapshots")
_WITHOUT = (
    "to deploy without a snapshot: snapshots = false in the host's table in deploy/hosts.toml or "
    "deploy/hosts.local.toml"
)


class HostDatasets:
    """Those of the machine this runs on."""

    def take(self, by: str, dataset: str, name: str) -> None:
        """See :meth:`slipway.runner.doors.Datasets.take`."""
        said = self._asked(by, "create", dataset, name)
        if said:
            lines = said.splitlines()
            raise Failed(
                f"no snapshot of {dataset} could be taken: {lines[0]}",
                details=lines[1:],
                hint=_WITHOUT,
            )

    def destroy(self, by: str, dataset: str, name: str) -> str:
        """See :meth:`slipway.runner.doors.Datasets.destroy`."""
        said = self._asked(by, "delete", dataset, name)
        return "" if any(one in said for one in _ABSENT) else said

    def revert(self, by: str, dataset: str, name: str) -> None:
        """See :meth:`slipway.runner.doors.Datasets.revert`."""
        said = self._asked(by, "rollback", dataset, name)
        if said:
            lines = said.splitlines()
            raise Failed(
                f"the data could not be made what they were at {dataset}@{name}: {lines[0]}",
                details=lines[1:],
                hint="TrueNAS: Datasets > Data Protection > Manage Snapshots: roll it back there, "
                "while the app is stopped",
            )

    def put_back(
        self, paths: Sequence[str], name: str, heed: Callable[[], None], *, room: bool
    ) -> None:
        """See :meth:`slipway.runner.doors.Datasets.put_back`."""
        putback.put_back(paths, name, heed, room=room)

    def _asked(self, by: str, act: str, dataset: str, name: str) -> str:
        """What was said against it; empty when it was done."""
        if by == ZFS:
            return _zfs("snapshot" if act == "create" else "destroy", dataset, name)
        try:
            if act == "create":
                call(f"{by}.create", {"dataset": dataset, "name": name, "recursive": True})
            elif act == "rollback":
                call(f"{by}.rollback", f"{dataset}@{name}", {"recursive_rollback": True})
            else:
                call(f"{by}.delete", f"{dataset}@{name}", {"recursive": True})
        except NasError as error:
            return error.message.strip() or error.errname or error.kind
        return ""


def _zfs(verb: str, dataset: str, name: str) -> str:
    argv = ("zfs", verb, "-r", f"{dataset}@{name}")
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=_ZFS_S, check=False, text=True, errors="replace",
            stdin=subprocess.DEVNULL, env={**os.environ, "PATH": _PATH, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"zfs: {error}"
    if done.returncode == 0:
        return ""
    return done.stderr.strip() or f"zfs ended with {done.returncode}"
