"""Whether services can have the host's folders as they need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from slipway.hosts.checkup import FolderState
from slipway.hosts.nas import Nas
from slipway.hosts.probe import Probe, Trial
from slipway.plan.finding import Finding
from slipway.stack.mounts import Mount

_PRIVATE = (0o700, 0o750)
_OWNS = "PostgreSQL starts in a folder of its own user's only, whatever else may be written there"


def trials(mounts: Sequence[Mount], folders: Mapping[str, FolderState | None]) -> tuple[Trial, ...]:
    """What is to be tried in a container: folders that are there."""
    return tuple(
        Trial(one.source, one.user, one.writes)
        for one in mounts
        if (state := folders.get(one.source)) is not None and state.folder
    )


def folder_findings(
    mounts: Sequence[Mount],
    folders: Mapping[str, FolderState | None],
    probe: Probe,
    nas: Nas | None,
) -> Iterator[Finding]:
    """What is wrong with them.

    Args:
        mounts: the folders that services have.
        folders: path to what is there.
        probe: what trying told; where nothing was tried, owner and mode have to do.
        nas: what a TrueNAS says of its datasets.
    """
    for path in dict.fromkeys(one.source for one in mounts):
        found = [f for one in mounts if one.source == path for f in _of(one, folders, probe, nas)]
        # Of a folder that is PostgreSQL's the cause is told, not also what comes of it.
        causes = [one for one in found if one.code not in ("not-writable", "not-readable")]
        yield from {one.code: one for one in causes or found}.values()


def _of(
    mount: Mount, folders: Mapping[str, FolderState | None], probe: Probe, nas: Nas | None
) -> Iterator[Finding]:
    state = folders.get(mount.source)
    if mount.source not in folders:
        return
    if state is None:
        if not mount.made:
            yield Finding(
                "folder-missing",
                f"{mount.source} is not there, and {mount.service} has it",
                "Docker starts no container whose folder is missing",
                f"mkdir -p {mount.source} there (TrueNAS: make a dataset), or change its variable",
            )
        return
    if mount.postgres:
        yield from _postgres(mount, state, nas)
    trial = Trial(mount.source, mount.user, mount.writes)
    access = probe.access.get(trial, "unknown")
    if access == "unknown" and mount.owner is not None:
        access = "yes" if _by_mode(mount, state, mount.owner) else "no"
    if access == "no":
        who = mount.user or "its user"
        kind = "write" if mount.writes else "read"
        yield Finding(
            "not-writable" if mount.writes else "not-readable",
            f"{mount.service} can't {kind} in {mount.source}: user {who} has no right to",
            "the service fails when it does",
            f"chown -R {who} {mount.source} there"
            if mount.writes
            else f"let user {who} read {mount.source} (TrueNAS: Datasets > Permissions > Edit)",
        )


def _postgres(mount: Mount, state: FolderState, nas: Nas | None) -> Iterator[Finding]:
    if mount.owner is not None and state.owner != mount.owner:
        yield Finding(
            "postgres-owner",
            f"{mount.source} belongs to user {state.owner}, and PostgreSQL runs as {mount.owner}",
            _OWNS,
            f"chown -R {mount.user} {mount.source} there",
        )
    if state.mode not in _PRIVATE:
        yield Finding(
            "postgres-mode",
            f"{mount.source} has mode {state.mode:04o}; PostgreSQL takes 0700 or 0750",
            _OWNS,
            f"chmod 0700 {mount.source} there",
        )
    if nas is not None and nas.aclmode(mount.source) == "NFSV4 RESTRICTED":
        yield Finding(
            "acl-restricted",
            f"the dataset of {mount.source} has NFSv4 permissions in restricted mode",
            "nobody can set a mode there, and PostgreSQL does",
            "TrueNAS: Datasets > Edit > Advanced Options > ACL Type: POSIX; or a child dataset "
            "with the preset Generic",
        )


def _by_mode(mount: Mount, state: FolderState, user: int) -> bool:
    """By owner and mode alone: access lists may say otherwise, in both directions."""
    group = mount.user.partition(":")[2]
    bits = state.mode & 0o7
    if user == 0:
        bits = 0o7
    elif user == state.owner:
        bits = state.mode >> 6 & 0o7
    elif group == str(state.group):
        bits = state.mode >> 3 & 0o7
    needed = 0o3 if mount.writes else 0o5
    return bits & needed == needed
