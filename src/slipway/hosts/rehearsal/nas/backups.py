"""``docker.backup`` and its kin, from 25.04 on.

Source: ``plugins/docker/{backup,restore_backup}.py`` of the middleware. A restore destroys all that
Docker has, also of stacks the middleware knows nothing of, and starts registered apps alone.
"""

from __future__ import annotations

import errno
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import docker, snapshots, yamls
from .appfiles import AppFiles
from .checks import Field
from .engine import Engine
from .errors import CallError
from .middleware import Call, JobKind, Method
from .releases import Release
from .store import Store

Table = dict[str, Any]
_PREFIX = "ix-apps-backup-"
_NAME = re.compile(r"[A-Za-z0-9_.: -]+")
_STATE = "apps_state.json"
_ALL = {
    "force": True,
    "recursive": True,
    "recursive_clones": True,
    "recursive_rollback": True,
}


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    if not release.backups:
        return []
    name = Field("backup_name", least=1)
    write = "DOCKER_WRITE"
    return [
        Method("docker.backup", _backup, (Field("backup_name", "str", None, null=True, least=1),),
               write, JobKind(lambda given: "docker_backup")),
        Method("docker.list_backups", _list, role="DOCKER_READ"),
        Method("docker.restore_backup", _restore, (name,), write,
               JobKind(lambda given: "docker_restore_backup")),
        Method("docker.delete_backup", _delete, (name,), write),
    ]  # fmt: skip


def _folder(call: Call, name: str) -> Path:
    return call.middleware.settings.apps / "backups" / name


def _backup(call: Call, given: str | None) -> str:
    docker.require(call)
    settings = call.middleware.settings
    name = given or time.strftime("%F_%T")
    if not _NAME.fullmatch(name):
        text = "is not a valid snapshot name. It should be a valid ZFS snapshot name"
        raise CallError(f"{name!r} {text}")
    base = docker.ensure(settings, docker.config(settings)["pool"])
    if snapshots.find(Store(settings), f"{base}@{_PREFIX}{name}") is not None:
        raise CallError(f"{_PREFIX + name!r} snapshot already exists", errno.EEXIST)
    call.progress(10, "Basic validation complete")
    _write(call, _folder(call, name))
    call.progress(95, "Taking snapshot of ix-applications")
    for inner in ("", "/app_configs", "/app_mounts"):
        Store(settings).snap(base + inner, _PREFIX + name, {})
    call.progress(100, f"Backup {name!r} complete")
    return name


def _write(call: Call, folder: Path) -> None:
    files, quotes = AppFiles(call.middleware.settings), call.middleware.release.quotes
    folder.mkdir(parents=True)
    call.middleware.call("app.metadata.generate")
    shutil.copy(files.root / "metadata.yaml", folder / "collective_metadata.yaml")
    shutil.copy(files.root / "user_config.yaml", folder / "collective_config.yaml")
    apps = {row["name"]: row for row in call.middleware.call("app.query")}
    for name, told in ((_STATE, apps), ("docker_config.yaml", docker.config_of(call))):
        yamls.write(folder / name, yamls.dump(told, quotes=quotes), 0o644)


def _list(call: Call) -> dict[str, Table]:
    settings = call.middleware.settings
    pool = docker.config(settings)["pool"]
    found: dict[str, Table] = {}
    for one in Store(settings).snapshots():
        name = one["name"].removeprefix(_PREFIX)
        folder = _folder(call, name)
        if one["dataset"] != f"{pool}/ix-apps" or name == one["name"] or not folder.exists():
            continue
        apps = yamls.load_table(folder / _STATE)
        found[name] = {
            "name": name,
            "apps": [{key: app[key] for key in ("id", "name", "state")} for app in apps.values()],
            "snapshot_name": f"{one['dataset']}@{one['name']}",
            "created_on": str(datetime.fromtimestamp(one["created"], UTC)),
            "backup_path": str(folder),
        }
    return found


def _restore(call: Call, name: str) -> None:
    backup = _list(call).get(name)
    if backup is None:
        raise CallError(f"Backup {name!r} not found", errno.ENOENT)
    settings = call.middleware.settings
    call.progress(10, "Basic validation complete")
    Engine(settings).wipe()
    call.progress(20, "Stopped Docker service")
    call.progress(25, f"Rolling back to {name!r} backup")
    space = "pool.snapshot" if call.middleware.release.pool_snapshot else "zfs.snapshot"
    for inner in ("", "/app_configs", "/app_mounts"):
        dataset, _, snapshot = backup["snapshot_name"].rpartition("@")
        options = _ALL | {"recursive_rollback": False}
        call.middleware.call(f"{space}.rollback", f"{dataset}{inner}@{snapshot}", options)
    call.progress(30, "Rolled back snapshots")
    call.middleware.call("app.metadata.generate")
    call.progress(50, "Generated metadata for apps")
    call.progress(70, "Started Docker service")
    there = AppFiles(settings).names()
    apps = [app["id"] for app in backup["apps"] if app["id"] in there]
    running = {app["id"] for app in backup["apps"] if app["state"] == docker.RUNNING}
    docker.redeploy(call, [app for app in apps if app in running])
    call.progress(100, f"Restore {name!r} complete")


def _delete(call: Call, name: str) -> None:
    docker.require(call)
    backup = _list(call).get(name)
    if backup is None:
        raise CallError(f"Backup {name!r} does not exist", errno.ENOENT)
    space = "pool.snapshot" if call.middleware.release.pool_snapshot else "zfs.snapshot"
    call.middleware.call(f"{space}.delete", backup["snapshot_name"], {"recursive": True})
    shutil.rmtree(_folder(call, name), ignore_errors=True)
