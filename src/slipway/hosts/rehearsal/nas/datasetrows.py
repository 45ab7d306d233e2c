"""What ``pool.dataset.query`` tells of a dataset: every property with where it comes from.

Source: ``plugins/pool_/dataset_query_utils.py`` of the middleware.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .store import APPS, Store

Table = dict[str, Any]
INTERNAL = (".system", "ix-applications", APPS, ".ix-virt")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
# What a pool's root has when nobody said otherwise.
_DEFAULTS = {
    "acltype": "POSIX", "aclmode": "DISCARD", "atime": "OFF", "casesensitivity": "SENSITIVE",
    "checksum": "ON", "compression": "LZ4", "copies": "1", "deduplication": "OFF", "exec": "ON",
    "readonly": "OFF", "recordsize": "128K", "snapdir": "HIDDEN", "sync": "STANDARD", "xattr": "SA",
    "quota": None, "refquota": None, "reservation": None, "refreservation": None, "origin": "",
}  # fmt: skip


def internal(dataset: str) -> bool:
    """Whether a dataset is the system's own, and not shown."""
    return dataset.partition("/")[2].partition("/")[0] in INTERNAL


def entry(store: Store, dataset: str, names: list[str] | None, deep: bool) -> Table:
    """A dataset, as clients see it.

    Args:
        store: what there is.
        dataset: its name.
        names: the properties to tell of; None for all.
        deep: with the datasets below it.
    """
    kept = store.datasets()[dataset]
    row: Table = {
        "id": dataset,
        "type": "FILESYSTEM",
        "name": dataset,
        "pool": dataset.partition("/")[0],
        "encrypted": False,
        "encryption_root": None,
        "key_loaded": False,
        "children": [],
        "user_properties": {
            key: _property(value, value, "LOCAL") for key, value in kept["user_properties"].items()
        },
        "locked": False,
        "mountpoint": str(store.folder(dataset)),
    }
    if deep:
        inner = [one for one in store.children(dataset) if not internal(one)]
        row["children"] = [entry(store, one, names, deep) for one in inner]
    properties = _properties(store, dataset, kept, names)
    wanted = properties if names is None else [name for name in names if name in properties]
    return row | {name: properties[name] for name in wanted}


def _properties(store: Store, dataset: str, kept: Table, names: list[str] | None) -> Table:
    found: Table = {}
    for name, default in _DEFAULTS.items():
        value, source, whence = _inherited(store.datasets(), dataset, name, default)
        raw = "none" if value is None else str(value).lower()
        found[name] = _property(value, raw, source, whence)
    folder = store.folder(dataset)
    if names is None or {"used", "available"} & set(names):
        free = shutil.disk_usage(folder).free
        for name, size in (("used", _used(folder)), ("available", free)):
            found[name] = _property(_human(size), str(size), "NONE") | {"parsed": size}
    moment = datetime.fromtimestamp(kept["created"], UTC)
    stamp = moment.strftime("%a %b %e %H:%M %Y")
    found["creation"] = _property(stamp, str(kept["created"]), "NONE") | {"parsed": moment}
    return found


def _inherited(known: Table, dataset: str, name: str, default: object) -> tuple[Any, str, Any]:
    here = dataset
    while True:
        if name in known[here]["properties"]:
            value = known[here]["properties"][name]
            return (
                value,
                "LOCAL" if here == dataset else "INHERITED",
                None if (here == dataset) else here,
            )
        if "/" not in here:
            return default, "DEFAULT", None
        here = here.rpartition("/")[0]


def _property(value: Any, raw: str, source: str, whence: str | None = None) -> Table:
    parsed = raw if isinstance(value, str) else value
    return {
        "parsed": parsed,
        "rawvalue": raw,
        "value": value,
        "source": source,
        "source_info": whence,
    }


def _used(folder: Path) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += Path(place, name).lstat().st_blocks * 512
            except OSError:  # it went meanwhile
                continue
    return size


def _human(size: int) -> str:
    number, unit = float(size), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{round(number, 2):g} {_UNITS[unit]}"
