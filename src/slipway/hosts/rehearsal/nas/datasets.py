"""``pool.query`` and ``pool.dataset.*``.

Source: ``plugins/pool_/{pool,dataset,dataset_query_utils}.py`` of the middleware.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from typing import Any

from . import datasetrows, filters
from .checks import FILTERS, LEFT_OUT, OPTIONS, Field
from .errors import CallError, InstanceNotFound, ValidationErrors
from .middleware import Call, Method
from .releases import Release
from .store import Store

Table = dict[str, Any]
APPS_ID = 568
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-][A-Za-z0-9_.: -]*)*")
_CHOSEN = ("acltype", "aclmode", "atime", "casesensitivity", "exec", "readonly", "recordsize",
           "compression", "sync", "snapdir", "copies", "checksum", "deduplication")  # fmt: skip
_SHARED = {
    "casesensitivity": "SENSITIVE",
    "atime": "OFF",
    "acltype": "NFSV4",
    "aclmode": "PASSTHROUGH",
}
_BY_SHARE = {
    "GENERIC": {},
    "APPS": _SHARED,
    "MULTIPROTOCOL": _SHARED,
    "NFS": _SHARED,
    "SMB": {"casesensitivity": "INSENSITIVE", "acltype": "NFSV4", "aclmode": "RESTRICTED"},
}


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    delete = Field(
        "options",
        "table",
        {},
        (Field("recursive", "bool", False), Field("force", "bool", False)),
        model="PoolDatasetDeleteOptions",
    )
    name = "data" if release.strict else "pool_dataset_create"
    create = Field(name, "table", fields=_create_fields(), model="PoolDatasetCreateFilesystem")
    return [
        Method("pool.query", _pools, (FILTERS, OPTIONS), "POOL_READ"),
        Method("pool.dataset.query", _query, (FILTERS, OPTIONS), "DATASET_READ"),
        Method("pool.dataset.get_instance", _instance, (Field("id"), OPTIONS), "DATASET_READ"),
        Method("pool.dataset.create", _create, (create,), "DATASET_WRITE"),
        Method("pool.dataset.delete", _delete, (Field("id"), delete), "DATASET_DELETE"),
    ]


def _create_fields() -> tuple[Field, ...]:
    chosen = [Field(name, "any", LEFT_OUT) for name in (*_CHOSEN, "comments", "managedby", "quota",
              "refquota", "reservation", "refreservation", "snapdev", "quota_warning",
              "quota_critical", "refquota_warning", "refquota_critical", "encryption",
              "encryption_options", "special_small_block_size")]  # fmt: skip
    return (
        Field("name", least=1),
        Field("type", "str", "FILESYSTEM", choices=("FILESYSTEM", "VOLUME")),
        Field("share_type", "str", "GENERIC", choices=tuple(_BY_SHARE)),
        Field("create_ancestors", "bool", False),
        Field("inherit_encryption", "bool", True),
        Field("user_properties", "list", []),
        *chosen,
    )


def _pools(call: Call, wanted: list[Any], options: Table) -> Any:
    store = Store(call.middleware.settings)
    rows = [_pool(number, pool, store) for number, pool in enumerate(store.pools(), 1)]
    return filters.query(rows, wanted, options)


def _pool(number: int, pool: str, store: Store) -> Table:
    folder = store.folder(pool)
    room = shutil.disk_usage(folder)
    return {
        "id": number,
        "name": pool,
        "guid": str(folder.stat().st_ino),
        "status": "ONLINE",
        "path": str(folder),
        "scan": None,
        "expand": None,
        "is_upgraded": True,
        "healthy": True,
        "warning": False,
        "status_code": "OK",
        "status_detail": None,
        "size": room.total,
        "allocated": room.used,
        "free": room.free,
        "freeing": 0,
        "fragmentation": "0",
        "autotrim": {"parsed": "off", "rawvalue": "off", "source": "DEFAULT", "value": "off"},
        "topology": {"data": [], "log": [], "cache": [], "spare": [], "special": [], "dedup": []},
    }


def _query(call: Call, wanted: list[Any], options: Table) -> Any:
    extra = options.get("extra", {})
    store = Store(call.middleware.settings)
    shown = [one for one in store.datasets() if not datasetrows.internal(one)]
    if not extra.get("flat", True):
        shown = [one for one in shown if "/" not in one]
    names = extra.get("properties")
    deep = extra.get("retrieve_children", True)
    rows = [datasetrows.entry(store, one, names, deep) for one in shown]
    return filters.query(rows, wanted, options)


def _instance(call: Call, dataset: str, options: Table) -> Table:
    found = _query(call, [["id", "=", dataset]], options)
    if not found:
        raise InstanceNotFound(f"PoolDataset {dataset} does not exist")
    return dict(found[0])


def _create(call: Call, data: Table) -> Table:
    store = Store(call.middleware.settings)
    name = data["name"]
    _check(store, data)
    missing = [name]
    while (parent := missing[-1].rpartition("/")[0]) not in store.datasets():
        missing.append(parent)
    for ancestor in reversed(missing[1:]):
        store.add(ancestor, {"properties": {}, "user_properties": {}})
    store.add(name, _kept(data))
    if data["share_type"] == "APPS":
        # For want of NFSv4's access lists the group lets apps in.
        folder = store.folder(name)
        os.chown(folder, 0, APPS_ID)
        folder.chmod(0o770)
    return _instance(call, name, {})


def _kept(data: Table) -> Table:
    chosen = {key: data[key] for key in _CHOSEN if data.get(key, "INHERIT") != "INHERIT"}
    return {
        "properties": chosen | _BY_SHARE[data["share_type"]],
        "user_properties": {one["key"]: one["value"] for one in data["user_properties"]},
        "acl": data["share_type"] == "APPS",
    }


def _check(store: Store, data: Table) -> None:
    """Refuse what can't be made.

    Raises:
        ValidationErrors: says why.
    """
    name, errors = data["name"], ValidationErrors()
    place = "pool_dataset_create.name"
    if data["type"] == "VOLUME":
        errors.add("pool_dataset_create.type", "The stand-in has no volumes")
    if "/" not in name:
        errors.add(place, "You need a full name, e.g. pool/newdataset")
    elif not _NAME.fullmatch(name):
        errors.add(place, "Invalid dataset name")
    elif name.endswith(" "):
        errors.add(place, "Trailing spaces are not permitted in dataset names")
    errors.check()
    if datasetrows.internal(name):
        text = "is using system internal managed dataset. Please specify a different parent."
        errors.add(place, f"{name!r} {text}")
    if (why := _parent(store, data)) is not None:
        errors.add(place, why)
    errors.check()
    if (folder := store.folder(name)).exists():
        errors.add(place, f"Path {folder} already exists")
    errors.check()


def _parent(store: Store, data: Table) -> str | None:
    """What is wrong with where a dataset should be made."""
    parent = data["name"].rpartition("/")[0]
    if parent in store.datasets():
        return None
    if data["create_ancestors"]:
        if parent.partition("/")[0] in store.pools():
            return None
        return "Please specify a pool which exists for the dataset/volume to be created"
    kind = "Parent dataset" if "/" in parent else "zpool"
    return f"{kind} ({parent}) does not exist."


def _delete(call: Call, dataset: str, options: Table) -> bool:
    store = Store(call.middleware.settings)
    if not options["recursive"] and store.children(dataset):
        raise CallError(
            f"Failed to delete dataset: cannot destroy {dataset!r}: filesystem has children",
            errno.ENOTEMPTY,
        )
    _instance(call, dataset, {"extra": {"properties": [], "retrieve_children": False}})
    taken = [one for one in store.snapshots() if one["dataset"] == dataset]
    if taken and not options["recursive"]:
        names = "\n".join(f"{one['dataset']}@{one['name']}" for one in taken)
        raise CallError(
            f"Failed to delete dataset: cannot destroy '{dataset}': filesystem has children\n"
            f"use '-r' to destroy the following datasets:\n{names}"
        )
    if "/" in dataset:
        store.remove(dataset)
    return True
