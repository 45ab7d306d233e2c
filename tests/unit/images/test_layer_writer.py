"""The layer writer, with digests recorded from nix2container; no program is needed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.images.sample_images import real_layer

from slipway.errors import BuildError
from slipway.images.layers import CHUNK, stream, tar
from slipway.images.values import LayerPath, Permission


def plain(top: Path) -> None:
    """Files, folders, links, as a package has them."""
    (top / "usr/bin").mkdir(parents=True)
    (top / "usr/bin/tool").write_bytes(b"#!/bin/sh\n")
    (top / "usr/bin/tool").chmod(0o555)
    (top / "usr/bin/link").symlink_to("tool")
    (top / "usr/empty").write_bytes(b"")
    (top / "usr/empty").chmod(0o444)
    for name in ("usr/bin", "usr", "."):
        (top / name).chmod(0o555)


def odd(top: Path) -> None:
    """Names and modes that plain USTAR can't hold or that sort oddly."""
    deep = top / ("d" * 120) / ("e" * 200)
    deep.mkdir(parents=True)
    (deep / "f").write_bytes(b"x" * 513)
    (deep / "f").chmod(0o4755)
    (top / "long").symlink_to("t" * 150)
    (top / "a").mkdir()
    (top / "a/z").write_bytes(b"1")
    (top / "a-b").write_bytes(b"22")
    (top / "größe-漢").write_bytes(b"3" * 1024)
    Path(os.fsdecode(bytes(top) + b"/\xff\xfe")).write_bytes(b"raw")
    for path in (
        top / "a/z",
        top / "a-b",
        top / "größe-漢",
        Path(os.fsdecode(bytes(top) + b"/\xff\xfe")),
    ):
        path.chmod(0o444)
    for path in (deep, deep.parent, top / "a", top):
        path.chmod(0o755)


def owned(top: Path) -> None:
    """A folder that another user may write."""
    (top / "data/cache").mkdir(parents=True)
    (top / "data/cache/x").write_bytes(b"x" * 512)
    (top / "data/cache/x").chmod(0o444)
    for name in ("data/cache", "data", "."):
        (top / name).chmod(0o755)


OWNER = Permission("/data", mode="0750", uid=568, gid=3000000, uname="apps", gname="apps")
RECORDED: list[tuple[Callable[[Path], None], str, tuple[Permission, ...], str, int]] = [
    (
        plain,
        "",
        (),
        "sha256:a039ab765f96f9953cb5014f3957ce9b35ebd7643e0db12ad1f7b8fe08f028cd",
        4608,
    ),
    (odd, "", (), "sha256:f1d02c1dc05fb542b3e5095c8bfa8003493600210d8ecf9383ab438546ee4843", 15872),
    (
        owned,
        "/srv/app",
        (OWNER,),
        "sha256:8b47e3f9f628d241b6b63b12288f364ed3f978a9be22fb1cd6baf4029d7ebb22",
        7680,
    ),
]


@pytest.mark.parametrize(("make", "replace", "rules", "digest", "size"), RECORDED)
def test_recorded_layers(
    tmp_path: Path,
    make: Callable[[Path], None],
    replace: str,
    rules: tuple[Permission, ...],
    digest: str,
    size: int,
) -> None:
    """A tree whose digest nix2container once gave has that digest here."""
    top = tmp_path / "top"
    top.mkdir()
    make(top)
    data = b"".join(tar([LayerPath(str(top), f"^{top}", replace, rules)]))
    assert (f"sha256:{hashlib.sha256(data).hexdigest()}", len(data)) == (digest, size)


def test_chunks_are_bounded(tmp_path: Path) -> None:
    """However large a file, no chunk is larger than the limit."""
    layer = real_layer(tmp_path, "big", 3 * CHUNK + 11)
    sizes = [len(chunk) for chunk in stream(layer)]
    assert max(sizes) <= CHUNK
    assert sum(sizes) == layer.bytes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digest": f"sha256:{'0' * 64}"}, "it should be sha256:000"),
        ({"bytes": 1024}, "and has more"),
        ({"bytes": 1 << 20}, "and has 3584"),
    ],
)
def test_a_layer_that_differs_is_never_given_whole(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    """A wrong digest or size is an error, raised before the last chunk is given out."""
    layer = real_layer(tmp_path, "x")
    given = 0
    with pytest.raises(BuildError, match=said):
        for chunk in stream(replace(layer, **change)):  # type: ignore[arg-type]
            given += len(chunk)
    assert given < layer.bytes


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    """A store path that is gone is an error that names it."""
    with pytest.raises(BuildError, match=f"{tmp_path}/gone, part of a layer, can't be read"):
        list(tar([LayerPath(f"{tmp_path}/gone")]))


def test_a_socket_or_pipe_is_refused(tmp_path: Path) -> None:
    """What is no file, folder or link is refused without opening it."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BuildError, match="is no file, folder or symbolic link"):
        list(tar([LayerPath(str(tmp_path))]))


def test_a_file_that_shrinks_or_grows_is_noticed(tmp_path: Path) -> None:
    """A file that has other bytes than when it was listed is an error."""
    (tmp_path / "a").write_bytes(b"a" * 2 * CHUNK)
    (tmp_path / "b").write_bytes(b"b" * 10)
    for size in (5, 15):
        chunks = tar([LayerPath(str(tmp_path))])
        next(chunks)
        (tmp_path / "b").write_bytes(b"b" * size)
        with pytest.raises(BuildError, match="changed while it was read"):
            list(chunks)
        (tmp_path / "b").write_bytes(b"b" * 10)


def test_a_tree_deeper_than_pythons_recursion(tmp_path: Path) -> None:
    """A very deep tree is written without recursion."""
    deep = tmp_path
    for _ in range(1100):
        deep = deep / "d"
        deep.mkdir()
    try:
        data = b"".join(tar([LayerPath(str(tmp_path), f"^{tmp_path}", "")]))
        assert len(data) > 1100 * 512
    finally:  # whoever empties the temporary folder may well use recursion
        while deep != tmp_path:
            deep.rmdir()
            deep = deep.parent
