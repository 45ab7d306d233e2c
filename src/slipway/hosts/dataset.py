"""The ZFS dataset that a path is, and what can take snapshots of it. Nothing is changed.

Which dataset is mounted where says the kernel (``/proc/self/mountinfo``, proc(5)), on a TrueNAS the
middleware, which is also asked for snapshots there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from slipway.doors import Host
from slipway.hosts.middleware import Middleware
from slipway.hosts.sections import PRELUDE, sections
from slipway.runner.datasets import ZFS

_ASK_S = 60.0
_POOLS = "/mnt/"
_SPACE = "\\040"  # how mountinfo writes it

_ASK = f"""{PRELUDE}
text nas "$(command -v midclt || :)"
text zfs "$(PATH="$PATH:/usr/sbin:/sbin"; command -v zfs || :)"
text user "$(id -u)"
text mounts "$(grep ' - zfs ' /proc/self/mountinfo || :)"
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset.

    Attributes:
        by: what works on its snapshots, one of :data:`slipway.runner.datasets.WAYS`.
        dataset: its name.
        path: where it is mounted.
        inner: where those below it are mounted.
        root: whether the login user may write every file in it.
    """

    by: str
    dataset: str
    path: str
    inner: tuple[str, ...] = ()
    root: bool = True


def find_place(host: Host, path: str) -> Place | str:
    """The dataset that is mounted at a path.

    Returns:
        It, or why no snapshots can be taken of what lies there, a clause.

    Raises:
        HostError: the host, or its middleware, can't be asked.
    """
    done = host.run(("sh", "-c", _ASK, "dataset"), timeout=_ASK_S)
    found = {
        name: data.decode("utf-8", "replace").strip()
        for name, data in sections(done.stdout, where=host.name)
    }
    if found["nas"]:
        place = _by_middleware(Middleware(host), path)
        return place if isinstance(place, str) else replace(place, root=found["user"] == "0")
    mounted = parse_mounts(found["mounts"])
    if path not in mounted:
        return no_dataset(path)
    if not found["zfs"]:
        return f"{host.name} has no program `zfs`"
    if found["user"] != "0":
        return f"only root can take snapshots on {host.name} (sudo = true)"
    return _place(ZFS, mounted, path)


def _by_middleware(nas: Middleware, path: str) -> Place | str:
    if not path.startswith(_POOLS):
        return no_dataset(path)
    options = {
        "extra": {"retrieve_children": False, "properties": []},
        "select": ["id", "mountpoint"],
    }
    rows = nas.call("pool.dataset.query", [["id", "^", path.removeprefix(_POOLS)]], options)
    mounted = {str(row["mountpoint"]): str(row["id"]) for row in rows if row.get("mountpoint")}
    if path not in mounted:
        return no_dataset(path)
    return _place(nas.release.snapshots, mounted, path)


def no_dataset(path: str) -> str:
    """Why there are no snapshots of a folder."""
    return f"{path} is no ZFS dataset of its own"


def _place(by: str, mounted: Mapping[str, str], path: str) -> Place:
    return Place(by, mounted[path], path, tuple(_below(mounted, path)))


def _below(mounted: Iterable[str], path: str) -> list[str]:
    return sorted(one for one in mounted if one.startswith(f"{path}/"))


def parse_mounts(text: str) -> dict[str, str]:
    """Lines of ``mountinfo`` as mount point to dataset. Pure."""
    found = {}
    for line in text.splitlines():
        front, _, back = line.partition(" - ")
        fields, (_, dataset, *_rest) = front.split(" "), back.split(" ")
        if fields[3] == "/":  # the whole of it, and no folder of it bound elsewhere
            found[fields[4].replace(_SPACE, " ")] = dataset.replace(_SPACE, " ")
    return found
