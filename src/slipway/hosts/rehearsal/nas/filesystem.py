"""``filesystem.stat``, ``mkdir``, ``setperm`` and ``chown``.

Source: ``plugins/filesystem.py`` and ``plugins/filesystem_/acl.py`` of the middleware.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .checks import Field
from .errors import CallError, ValidationErrors
from .middleware import Call, JobKind, Method
from .releases import Release
from .store import Store

Table = dict[str, Any]
_ATTRS = "FILESYSTEM_ATTRS_WRITE"
_OWNER = (
    Field("path", least=1),
    Field("uid", "int", None, null=True),
    Field("user", "str", None, null=True, least=1),
    Field("gid", "int", None, null=True),
    Field("group", "str", None, null=True, least=1),
)
_KINDS = {stat.S_IFDIR: "DIRECTORY", stat.S_IFREG: "FILE", stat.S_IFLNK: "SYMLINK"}


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    kind = JobKind(lambda given: "perm_change")
    names = {"chown": "filesystem_chown", "setperm": "filesystem_setperm"}
    mode = Field("mode", "str", None, null=True)
    made = (Field("mode", "str", "755"), Field("raise_chmod_error", "bool", True))
    making = Field("options", "table", {}, made, model="FilesystemMkdirOptions")
    mkdir = Field("filesystem_mkdir", "table", fields=(Field("path", least=1), making),
                  model="FilesystemMkdir")  # fmt: skip
    chown = Field(names["chown"], "table", fields=(*_OWNER, _options("recursive", "traverse")),
                  model="FilesystemChown")  # fmt: skip
    setting = (*_OWNER, mode, _options("recursive", "traverse", "stripacl"))
    setperm = Field(names["setperm"], "table", fields=setting, model="FilesystemSetperm")
    return [
        Method("filesystem.stat", _stat, (Field("path", least=1),), "FILESYSTEM_ATTRS_READ"),
        Method("filesystem.mkdir", _mkdir, (mkdir,), "FILESYSTEM_DATA_WRITE"),
        Method("filesystem.chown", _chown, (chown,), _ATTRS, kind),
        Method("filesystem.setperm", _setperm, (setperm,), _ATTRS, kind),
    ]


def _options(*names: str) -> Field:
    fields = tuple(Field(name, "bool", False) for name in names)
    return Field("options", "table", {}, fields, model="FilesystemOptions")


def _dataset_at(call: Call, path: Path) -> tuple[str, Table] | None:
    """The dataset that is mounted at a path."""
    store = Store(call.middleware.settings)
    for name, kept in store.datasets().items():
        if store.folder(name) == path:
            return name, kept
    return None


def _stat(call: Call, name: str) -> Table:
    path = Path(name)
    if not path.is_absolute():
        raise CallError(f"{name}: path must be absolute", errno.EINVAL)
    try:
        told = path.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CallError(f"Path {name} not found", errno.ENOENT) from error
    dataset = _dataset_at(call, path)
    return {
        "realpath": str(path.resolve() if path.is_symlink() else path.absolute()),
        "type": _KINDS.get(stat.S_IFMT(told.st_mode), "OTHER"),
        "size": told.st_size,
        "allocation_size": told.st_blocks * 512,
        "mode": told.st_mode,
        "uid": told.st_uid,
        "gid": told.st_gid,
        "atime": told.st_atime,
        "mtime": told.st_mtime,
        "ctime": told.st_ctime,
        "btime": told.st_ctime,
        "mount_id": told.st_dev,
        "dev": told.st_dev,
        "inode": told.st_ino,
        "nlink": told.st_nlink,
        "is_mountpoint": dataset is not None or path.is_mount(),
        "is_ctldir": ".zfs" in path.parts,
        "attributes": ["MOUNT_ROOT"] if dataset is not None else [],
        "user": _name(lambda: pwd.getpwuid(told.st_uid).pw_name),
        "group": _name(lambda: grp.getgrgid(told.st_gid).gr_name),
        "acl": bool(dataset and dataset[1].get("acl")),
    }


def _name(look: Any) -> str | None:
    try:
        return str(look())
    except KeyError:
        return None


def _mode(text: str) -> int:
    if not re.fullmatch("[0-7]{3,4}", text):
        raise ValidationErrors([("mode", "Please specify valid permissions", errno.EINVAL)])
    return int(text, 8)


def _mkdir(call: Call, data: Table) -> Table:
    name, mode = data["path"], _mode(data["options"]["mode"])
    path = Path(name)
    if not path.is_absolute():
        raise CallError(f"{name}: not an absolute path.", errno.EINVAL)
    if path.exists():
        raise CallError(f"{name}: path already exists.", errno.EEXIST)
    if not path.resolve().is_relative_to(call.middleware.settings.pools.resolve()):
        raise CallError(f"{name}: path not permitted", errno.EPERM)
    path.mkdir()
    path.chmod(mode)
    told = _stat(call, name)
    keys = ("realpath", "type", "size", "allocation_size", "mode", "acl", "uid", "gid", "mount_id")
    return {
        "name": path.name,
        "path": name,
        **{key: told[key] for key in keys},
        "is_mountpoint": False,
        "is_ctldir": False,
        "attributes": [],
        "xattrs": [],
        "zfs_attrs": ["ARCHIVE"],
    }


def _owner(data: Table, place: str, errors: ValidationErrors) -> tuple[int, int]:
    uid = -1 if data["uid"] is None else data["uid"]
    gid = -1 if data["gid"] is None else data["gid"]
    if data["user"] is not None:
        try:
            uid = pwd.getpwnam(data["user"]).pw_uid
        except KeyError:
            errors.add(f"{place}.user", f"{data['user']}: user does not exist")
    if data["group"] is not None:
        try:
            gid = grp.getgrnam(data["group"]).gr_gid
        except KeyError:
            errors.add(f"{place}.group", f"{data['group']}: group does not exist")
    return uid, gid


def _check_path(call: Call, data: Table, place: str, errors: ValidationErrors) -> None:
    told = _stat(call, data["path"])
    pools = call.middleware.settings.pools.resolve()
    real = Path(told["realpath"]).resolve()
    if told["type"] == "FILE" and data["options"]["recursive"]:
        errors.add(f"{place}.path", "Recursive operations on a file are invalid.")
    elif told["is_ctldir"]:
        text = "Permissions changes in ZFS control directory (.zfs) are not permitted"
        errors.add(f"{place}.path", text)
    elif not real.is_relative_to(pools) or real == pools:
        text = "Changes to permissions on paths that are not beneath the directory /mnt are not "
        errors.add(f"{place}.path", f"{text}permitted: {data['path']}")
    elif real.parent == pools:
        text = f'The specified path is a ZFS pool mountpoint "({data["path"]})" '
        errors.add(f"{place}.path", text)


def _chown(call: Call, data: Table) -> None:
    if all(data[key] is None for key in ("uid", "user", "gid", "group")):
        text = "At least one of uid, gid, user, and group must be set in chown payload"
        problem = ("filesystem_chown", f"Value error, {text}", errno.EINVAL)
        raise ValidationErrors([problem])
    call.progress(0, "Preparing to change owner.")
    errors = ValidationErrors()
    uid, gid = _owner(data, "filesystem.chown", errors)
    _check_path(call, data, "filesystem.chown", errors)
    errors.check()
    for path in _reached(call, data):
        os.chown(path, uid, gid, follow_symlinks=False)
    call.progress(100, "Finished changing owner.")


def _setperm(call: Call, data: Table) -> None:
    options = data["options"]
    if data["mode"] is None and not options["stripacl"]:
        text = "Payload must either explicitly specify permissions or contain the stripacl option."
        raise ValidationErrors([("filesystem_setperm", f"Value error, {text}", errno.EINVAL)])
    call.progress(0, "Preparing to set permissions.")
    errors, place = ValidationErrors(), "filesystem.setperm"
    uid, gid = _owner(data, place, errors)
    _check_path(call, data, place, errors)
    dataset = _dataset_at(call, Path(data["path"]))
    if dataset is not None and dataset[1].get("acl") and not options["stripacl"]:
        text = f'Non-trivial ACL present on [{data["path"]}]. Option "stripacl" required to '
        errors.add(f"{place}.mode", f"{text}change permission.")
    mode = _mode(data["mode"]) if data["mode"] is not None else None
    if mode == 0:
        errors.add(f"{place}.mode", "Empty permissions are not permitted.")
    errors.check()
    for path in _reached(call, data):
        os.chown(path, uid, gid, follow_symlinks=False)
        if mode is not None and not path.is_symlink():
            path.chmod(mode if path.is_dir() else mode & ~0o111 | path.stat().st_mode & 0o111)
    if dataset is not None:
        Store(call.middleware.settings).change(dataset[0], acl=False)
    call.progress(100, "Finished setting permissions.")


def _reached(call: Call, data: Table) -> Iterator[Path]:
    """The path, and all below it that the options name; other datasets only when they are."""
    top = Path(data["path"])
    yield top
    if not data["options"]["recursive"]:
        return
    store = Store(call.middleware.settings)
    others = {store.folder(name) for name in store.datasets()}
    for place, folders, files in os.walk(top):
        here = Path(place)
        if not data["options"]["traverse"]:
            folders[:] = [name for name in folders if here / name not in others]
        yield from (here / name for name in (*folders, *files))
