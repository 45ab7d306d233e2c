"""The files of a layer, in the order and with the names they have in its tar.

As nix2container does it: every path is walked, each file's path is rewritten, the results are
merged into one tree, and the tree is walked in byte order of its names. A folder that only a
rewritten path implies is made up: ``0755``, owned by root.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from slipway.errors import BuildError
from slipway.images.goregex import GoRegex
from slipway.images.tarheader import DIRECTORY, FILE, SYMLINK, Entry
from slipway.images.values import LayerPath, Permission

_IMPLIED_MODE: Final = 0o755
_LINK_MODE: Final = 0o777


@dataclass(slots=True)
class _Rules:
    """A layer path's rewrite and permissions, compiled."""

    strip: GoRegex | None
    replace: bytes
    permissions: tuple[tuple[GoRegex, Permission], ...]
    given: LayerPath


@dataclass(slots=True)
class _Source:
    """A file of the store that was added to the tree."""

    path: bytes
    mode: int
    size: int
    rules: _Rules


@dataclass(slots=True)
class _Node:
    """A name in the layer's tree; ``source`` is None when only its children were added."""

    source: _Source | None = None
    children: dict[bytes, _Node] = field(default_factory=dict)


def entries(paths: Sequence[LayerPath]) -> Iterator[tuple[Entry, bytes | None]]:
    """Each entry of the layer made from ``paths``, with the file its content comes from.

    Raises:
        BuildError: a path is missing, holds something that is no file, folder or symbolic link,
            or two paths disagree about a file.
    """
    root = _Node()
    for path in paths:
        rules = _rules(path)
        for source, status in _walk(os.fsencode(path.path)):
            _add(root, source, status, rules)
    return _in_order(b"", root)


def _rules(path: LayerPath) -> _Rules:
    return _Rules(
        GoRegex(path.strip) if path.strip else None,
        os.fsencode(path.replace),
        tuple((GoRegex(rule.regex), rule) for rule in path.permissions),
        path,
    )


def _walk(top: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """A path and all below it, each folder before its content, names in byte order."""
    try:
        status = os.lstat(top)
        yield top, status
        if not stat.S_ISDIR(status.st_mode):
            return
        # One open folder at a time: a deep tree must not use up the file descriptors.
        waiting = [_listed(top)]
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                continue
            item = waiting[-1].pop()
            status = item.stat(follow_symlinks=False)
            yield item.path, status
            if stat.S_ISDIR(status.st_mode):
                waiting.append(_listed(item.path))
    except OSError as error:
        raise BuildError(
            f"{os.fsdecode(error.filename or top)}, part of a layer, can't be read: "
            f"{error.strerror}",
            hint="./inv build",
            stage="layers",
        ) from error


def _listed(folder: bytes) -> list[os.DirEntry[bytes]]:
    with os.scandir(folder) as items:
        return sorted(items, key=lambda item: item.name, reverse=True)


def _add(root: _Node, source: bytes, status: os.stat_result, rules: _Rules) -> None:
    target = rules.strip.replaced(source, rules.replace) if rules.strip else source
    if not target:
        return
    node = root
    for name in _names(target):
        child = node.children.get(name)
        if child is None:
            child = node.children[name] = _Node()
        node = child
    new = _Source(source, status.st_mode, status.st_size, rules)
    if node.source is not None:
        _check_agreement(node.source, new)
    node.source = new


def _names(target: bytes) -> list[bytes]:
    clean = posixpath.normpath(target)
    if clean.startswith(b"//"):
        clean = clean[1:]
    return [b""] if clean == b"/" else clean.split(b"/")


def _check_agreement(old: _Source, new: _Source) -> None:
    if old.mode != new.mode:
        what = f"have the modes {old.mode:o} and {new.mode:o}"
    elif not stat.S_ISDIR(old.mode) and old.size != new.size:
        what = f"have {old.size} and {new.size} bytes"
    elif old.rules.given.permissions != new.rules.given.permissions:
        what = "have different permission rules"
    else:
        return
    raise BuildError(
        f"{os.fsdecode(old.path)} and {os.fsdecode(new.path)} become the same file of a layer "
        f"but {what}",
        stage="layers",
    )


def _in_order(base: bytes, node: _Node) -> Iterator[tuple[Entry, bytes | None]]:
    # A stack of our own: recursion would end at Python's limit in a deep tree.
    waiting = [(base, name, node.children[name]) for name in sorted(node.children, reverse=True)]
    while waiting:
        folder, name, child = waiting.pop()
        target = posixpath.join(folder, name) if name else b"/"
        yield _entry(target, child)
        children = child.children
        waiting.extend((target, key, children[key]) for key in sorted(children, reverse=True))


def _entry(target: bytes, node: _Node) -> tuple[Entry, bytes | None]:
    source = node.source
    if source is None:
        return Entry(target, DIRECTORY, _IMPLIED_MODE), None
    mode, uid, gid = stat.S_IMODE(source.mode), 0, 0
    uname = gname = b"root"
    link, size = b"", 0
    if stat.S_ISLNK(source.mode):
        kind, mode, link = SYMLINK, _LINK_MODE, _target(source.path)
    elif stat.S_ISREG(source.mode):
        kind, size = FILE, source.size
    elif stat.S_ISDIR(source.mode):
        kind = DIRECTORY
    else:
        raise BuildError(
            f"{os.fsdecode(source.path)} is no file, folder or symbolic link; "
            "a layer can't hold it",
            stage="layers",
        )
    for regex, rule in source.rules.permissions:
        if regex.found_in(source.path):
            uid, gid = rule.uid, rule.gid
            uname = rule.uname.encode() or uname
            # nix2container 1.0.0 writes the user's name as the group's where a rule has both.
            gname = rule.uname.encode() if rule.gname else gname
            mode = int(rule.mode, 8) if rule.mode else mode
    entry = Entry(target, kind, mode, size, link, uid, gid, uname, gname)
    return entry, source.path if kind == FILE else None


def _target(path: bytes) -> bytes:
    try:
        return os.readlink(path)  # noqa: PTH115 - a Path holds no bytes
    except OSError as error:
        raise BuildError(
            f"{os.fsdecode(path)}, part of a layer, can't be read: {error.strerror}",
            hint="./inv build",
            stage="layers",
        ) from error
