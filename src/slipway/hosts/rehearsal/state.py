"""What lies in a rehearsal host's state folder: read, judged, removed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

from slipway.errors import ConfigError, HostError
from slipway.hosts.rehearsal import keys as keyfiles
from slipway.hosts.rehearsal import machine
from slipway.hosts.rehearsal.spec import PROGRAMS
from slipway.hosts.rehearsal.values import ROOT, SSH_PORT, Places, RehearsalInfo


def read_info(places: Places) -> RehearsalInfo | None:
    """What the last boot noted; None when there was none or it is damaged."""
    try:
        return RehearsalInfo.from_json(json.loads(places.info.read_text("utf-8"))["info"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def unknown(places: Places, problem: str) -> RehearsalInfo:
    """A host of which only the name is sure."""
    return RehearsalInfo(
        name=places.name,
        address="",
        ssh_port=SSH_PORT,
        user=ROOT,
        key_path=str(places.keys / keyfiles.CLIENT),
        known_hosts_path=str(places.keys / keyfiles.KNOWN_HOSTS),
        tree="",
        state_dir=str(places.state),
        booted_at="",
        docker_version="",
        problem=problem,
    )


def is_init(pid: int) -> bool:
    """Whether it is process 1 of a namespace below this one."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
            if line.startswith("NSpid:"):
                numbers = line.split()[1:]
                return len(numbers) > 1 and numbers[-1] == "1"
    return False


def remove(state: Path) -> None:
    """Remove the folder with everything in it.

    Raises:
        HostError: something is mounted inside, or a file would not go.
    """
    inside = machine.mounts_below(Path("/proc/self/mountinfo").read_text("utf-8"), state)
    if inside:
        raise HostError(
            f"{inside[0]} is mounted inside the rehearsal host's state; its data is untouched",
            hint=f"umount {inside[0]}",
            stage="rehearsal",
        )
    try:
        shutil.rmtree(state)
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostError(
            f"the rehearsal host is stopped, but {error.filename} could not be removed: "
            f"{error.strerror}",
            hint="remove it by hand, or try again",
            stage="rehearsal",
        ) from error


def checked_tree(tree: Path) -> Path:
    """The folder of programs, links resolved.

    Raises:
        ConfigError: it is no tree for a rehearsal host.
    """
    missing = [name for name in PROGRAMS if not os.path.lexists(tree / name)]
    if missing:
        raise ConfigError(
            f"{tree} is no tree for a rehearsal host: {', '.join(missing[:4])} "
            f"{'is' if len(missing) == 1 else 'are'} missing; nothing was started",
            hint="./inv rehearsal.up builds the right one",
            stage="rehearsal",
        )
    return tree.resolve()
