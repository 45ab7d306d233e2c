"""``pool.snapshot.*`` (from 25.10 on) and ``zfs.snapshot.*`` (until 25.10).

Source: ``plugins/zfs_/snapshot.py``, ``snapshot_actions.py`` and ``plugins/pool_/snapshot.py`` of
the middleware, ``plugins/zfs/snapshot_*_impl.py`` of 26; texts of errors are those of zfs(8).
"""

from __future__ import annotations

import errno
import re
import time
from datetime import UTC, datetime
from typing import Any

from . import filters
from .checks import FILTERS, LEFT_OUT, OPTIONS, Field
from .errors import CallError, InstanceNotFound, ValidationError, ValidationErrors
from .middleware import Call, Method
from .releases import Release
from .store import Store

Table = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_.: -]+")
_ROLLBACK = ("recursive", "recursive_clones", "force", "recursive_rollback")


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    spaces = ["pool.snapshot"] if release.pool_snapshot else []
    spaces += ["zfs.snapshot"] if release.zfs_snapshot else []
    return [method for space in spaces for method in _methods(space, release)]


def _methods(space: str, release: Release) -> list[Method]:
    def options(*names: str) -> Field:
        fields = tuple(Field(name, "bool", False) for name in names)
        return Field("options", "table", {}, fields, model="PoolSnapshotOptions")

    number = Field("id")
    write, delete = "SNAPSHOT_WRITE", "SNAPSHOT_DELETE"
    return [
        Method(f"{space}.query", _query, (FILTERS, OPTIONS), "SNAPSHOT_READ"),
        Method(f"{space}.get_instance", _get, (number, OPTIONS), "SNAPSHOT_READ"),
        Method(f"{space}.create", _create, (_create_field(release),), write),
        Method(f"{space}.rollback", _rollback, (number, options(*_ROLLBACK)), write),
        Method(f"{space}.delete", _delete, (number, options("defer", "recursive")), delete),
        Method(f"{space}.hold", _hold, (number, options("recursive")), write),
        Method(f"{space}.release", _release, (number, options("recursive")), write),
    ]


def _create_field(release: Release) -> Field:
    flags = ["recursive", "vmware_sync"]
    flags += ["suspend_vms"] if release.suspend_vms else []
    fields = (
        Field("dataset", least=1),
        Field("name", "str", LEFT_OUT, least=1),
        Field("naming_schema", "str", LEFT_OUT, least=1),
        *(Field(name, "bool", False) for name in flags),
        Field("exclude", "list", []),
        Field("properties", "dict", {}),
    )
    name = "data" if release.strict else "snapshot_create"
    return Field(name, "table", fields=fields, model="PoolSnapshotCreateWithName")


def _number(snapshot: Table) -> str:
    return f"{snapshot['dataset']}@{snapshot['name']}"


def entry(snapshot: Table, *, bare: bool, holds: bool) -> Table:
    """A snapshot, as clients see it. Pure.

    Args:
        snapshot: what is kept of it.
        bare: without properties.
        holds: with who holds it.
    """
    moment = datetime.fromtimestamp(snapshot["created"], UTC)
    creation = {
        "value": moment.strftime("%a %b %e %H:%M %Y"),
        "rawvalue": str(snapshot["created"]),
        "source": "NONE",
        "parsed": moment,
    }
    own = {
        key: {"value": value, "rawvalue": value, "source": "LOCAL", "parsed": value}
        for key, value in snapshot["properties"].items()
    }
    row = {
        "properties": {} if bare else {"creation": creation, **own},
        "pool": snapshot["dataset"].partition("/")[0],
        "name": _number(snapshot),
        "type": "SNAPSHOT",
        "snapshot_name": snapshot["name"],
        "dataset": snapshot["dataset"],
        "id": _number(snapshot),
        "createtxg": str(snapshot["txg"]),
    }
    if holds:
        row["holds"] = {"truenas": 1} if snapshot["held"] else {}
    return row


def _query(call: Call, wanted: list[Any], options: Table) -> Any:
    release, extra = call.middleware.release, options.get("extra", {})
    bare = release.bare_snapshots and not extra.get("properties")
    holds = release.bare_snapshots or bool(extra.get("holds"))
    rows = [
        entry(one, bare=bare, holds=holds) for one in Store(call.middleware.settings).snapshots()
    ]
    return filters.query(rows, wanted, options)


def _get(call: Call, number: str, options: Table) -> Table:
    found = _query(call, [["id", "=", number]], options)
    if not found:
        raise InstanceNotFound(f"ZFSSnapshot {number} does not exist")
    return dict(found[0])


def _create(call: Call, data: Table) -> Table:
    store, release = Store(call.middleware.settings), call.middleware.release
    dataset, name = data["dataset"], _name(data)
    failed = f"Failed to snapshot {dataset}@{name}"
    if dataset not in store.datasets():
        raise CallError(f"{failed}: cannot open '{dataset}': dataset does not exist")
    taken = {_number(one) for one in store.snapshots()}
    chosen = store.below(dataset) if data["recursive"] else [dataset]
    chosen = [one for one in chosen if one not in data["exclude"]]
    for one in chosen:
        if f"{one}@{name}" in taken:
            _already(release, f"{one}@{name}", failed, name)
    kept = [store.snap(one, name, data["properties"]) for one in chosen]
    return entry(kept[0], bare=release.bare_snapshots, holds=False)


def _already(release: Release, number: str, failed: str, name: str) -> None:
    if release.bare_snapshots:
        raise ValidationError("pool.snapshot.create", f"{name} already exists.", errno.EEXIST)
    text = f"cannot create snapshot '{number}': dataset already exists"
    raise CallError(f"{failed}: {text}", errno.EEXIST)


def _name(data: Table) -> str:
    errors = ValidationErrors()
    name = data.get("name") or time.strftime(data.get("naming_schema", ""))
    if "name" in data and "naming_schema" in data:
        text = "You can't specify name and naming schema at the same time"
        errors.add("snapshot_create.naming_schema", text)
    elif not name:
        text = "You must specify either name or naming schema"
        errors.add("snapshot_create.naming_schema", text)
    elif not _NAME.fullmatch(name):
        errors.add("snapshot_create.name", "Invalid snapshot name")
    if data["exclude"] and not data["recursive"]:
        text = "This option has no sense for non-recursive snapshots"
        errors.add("snapshot_create.exclude", text)
    errors.check()
    return str(name)


def find(store: Store, number: str) -> Table | None:
    """A snapshot; None when there is no such one."""
    return next((one for one in store.snapshots() if _number(one) == number), None)


def _newer(store: Store, snapshot: Table) -> list[Table]:
    return [
        one
        for one in store.snapshots()
        if one["dataset"] == snapshot["dataset"] and one["txg"] > snapshot["txg"]
    ]


def _rollback(call: Call, number: str, options: Table) -> None:
    store, release = Store(call.middleware.settings), call.middleware.release
    dataset, _, name = number.rpartition("@")
    inner = store.below(dataset) if options["recursive_rollback"] else [dataset]
    for one in inner:
        snapshot = find(store, f"{one}@{name}")
        if snapshot is not None:
            _roll_back(store, release, snapshot, options)
        elif one == dataset or release.bare_snapshots:
            _missing(release, f"{one}@{name}")


def _missing(release: Release, number: str) -> None:
    if release.bare_snapshots:
        raise FileNotFoundError(f"{number!r} not found")
    raise CallError(f"Failed to rollback snapshot: cannot open '{number}': dataset does not exist")


def _roll_back(store: Store, release: Release, snapshot: Table, options: Table) -> None:
    newer = _newer(store, snapshot)
    if newer and not (options["recursive"] or options["recursive_clones"]):
        names = [_number(one) for one in newer]
        if release.bare_snapshots:
            listed = "\n".join(f"  {name}" for name in names)
            raise ValueError(
                "Cannot rollback: more recent snapshots or bookmarks exist. Please pass "
                "`recursive: true` to delete the following snapshots and bookmarks recursively:\n"
                f"{listed}"
            )
        listed = "\n".join(names)
        raise CallError(
            f"Failed to rollback snapshot: cannot rollback to '{_number(snapshot)}': more recent "
            "snapshots or bookmarks exist\nuse '-r' to force deletion of the following snapshots "
            f"and bookmarks:\n{listed}"
        )
    for one in newer:
        store.forget(one)
    store.roll_back(snapshot)


def _delete(call: Call, number: str, options: Table) -> bool:
    store, release = Store(call.middleware.settings), call.middleware.release
    if "@" not in number and release.bare_snapshots:
        raise ValidationError("pool.snapshot.delete", f"Invalid snapshot name: {number!r}")
    snapshot = find(store, number)
    if snapshot is None:
        absent = f"cannot open '{number}': dataset does not exist"
        raise InstanceNotFound(f"{number!r} not found" if release.bare_snapshots else absent)
    if snapshot["held"] and not options["defer"]:
        raise CallError(f"cannot destroy '{number}': dataset is busy")
    dataset = snapshot["dataset"]
    inner = store.below(dataset) if options["recursive"] else [dataset]
    for one in inner:
        if (found := find(store, f"{one}@{snapshot['name']}")) is not None:
            store.forget(found)
    return True


def _hold(call: Call, number: str, options: Table) -> None:
    _set_held(call, number, True, "hold")


def _release(call: Call, number: str, options: Table) -> None:
    _set_held(call, number, False, "release")


def _set_held(call: Call, number: str, held: bool, act: str) -> None:
    store = Store(call.middleware.settings)
    snapshot = find(store, number)
    if snapshot is None:
        text = f"cannot open '{number}': dataset does not exist"
        raise CallError(f"Failed to {act} snapshot: {text}")
    store.hold(snapshot, held)
