"""The layer writer beside the real nix2container, over generated trees."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, example, given, reject, settings
from hypothesis import strategies as st

from slipway.errors import BuildError
from slipway.images.description import parse
from slipway.images.layers import stream, tar
from slipway.images.values import Image, LayerPath, Permission

MOST_BYTES = 3000
FOLDER_SIZES = re.compile(rb"with size '\d+' from '(.*)' while")


@dataclass(frozen=True)
class File:
    size: int
    mode: int


@dataclass(frozen=True)
class Link:
    target: bytes


@dataclass(frozen=True)
class Folder:
    mode: int
    content: dict[bytes, File | Link | Folder] = field(default_factory=dict)


@dataclass(frozen=True)
class StorePath:
    tree: Folder
    moved_to: str | None
    rules: tuple[dict[str, object], ...] = ()


_ascii_names = st.text("abcXYZ019 ._+-~%#@", min_size=1, max_size=40).map(str.encode)
_long_names = st.integers(90, 255).map(lambda n: b"n" * n)
_other_names = st.text("äßひら漢😀é" + "ab", min_size=1, max_size=30).map(str.encode)
_raw_names = st.binary(min_size=1, max_size=8).filter(lambda b: b"/" not in b and b"\0" not in b)
_names = st.one_of(_ascii_names, _ascii_names, _long_names, _other_names, _raw_names).filter(
    lambda name: name not in (b".", b"..") and len(name) <= 255
)
_shared_names = st.sampled_from([b"usr", b"bin", b"lib", b"etc"])
_sizes = st.one_of(
    st.sampled_from([0, 1, 511, 512, 513, 1023, 1024, 1025, (1 << 20) - 512, (1 << 20) + 1]),
    st.integers(0, 5000),
)
_file_modes = st.integers(0, 0o7777).map(lambda mode: mode | 0o400)
_folder_modes = st.sampled_from([0o755, 0o755, 0o755, 0o700, 0o555, 0o1777, 0o2755, 0o500])
_files = st.builds(File, _sizes, st.one_of(st.sampled_from([0o444, 0o555]), _file_modes))
_targets = st.one_of(
    _ascii_names,
    _other_names,
    st.integers(95, 300).map(lambda n: b"/t" * (n // 2)),
    st.integers(99, 102).map(lambda n: b"t" * n),
)
_links = st.builds(Link, _targets)


def _folders(content: st.SearchStrategy[File | Link | Folder]) -> st.SearchStrategy[Folder]:
    names = st.one_of(_shared_names, _names)
    return st.builds(Folder, _folder_modes, st.dictionaries(names, content, max_size=4))


_nodes: st.SearchStrategy[File | Link | Folder] = st.recursive(
    st.one_of(_files, _links), lambda inner: _folders(inner), max_leaves=12
)


@st.composite
def _deep(draw: st.DrawFn) -> Folder:
    """A chain of folders whose path grows past every limit of USTAR."""
    tree: File | Link | Folder = draw(_files)
    for length in draw(st.lists(st.integers(1, 120), min_size=1, max_size=20)):
        tree = Folder(0o755, {b"d" * length: tree})
    return Folder(0o755, {b"deep": tree})


_rules = st.builds(
    lambda regex, mode, uid, gid, uname, gname: {
        "regex": regex,
        "mode": mode,
        "uid": uid,
        "gid": gid,
        "uname": uname,
        "gname": gname,
    },
    st.sampled_from(["", ".*", "/usr", "bin$", "[a-m]+", "^/nowhere", "(etc|lib)/.", "ひ|ä.?"]),
    st.sampled_from(["", "0755", "644", "1777", "0"]),
    st.sampled_from([0, 568, 2097151, 2097152, 4294967294]),
    st.sampled_from([0, 568, 3000000]),
    st.sampled_from(["", "apps", "u" * 33, "ü"]),
    st.sampled_from(["", "apps", "g" * 32]),
)
_moved_to = st.sampled_from(["", "", "", "/opt/app", "/opt/" + "x" * 120, "/é", None, "relative"])
_store_paths = st.builds(
    StorePath,
    st.one_of(_folders(_nodes), _deep()),
    _moved_to,
    st.lists(_rules, max_size=2).map(tuple),
)


def make(name: bytes, node: File | Link | Folder) -> None:
    """Write a generated tree to disk."""
    if len(name) > MOST_BYTES:
        return
    path = Path(os.fsdecode(name))
    if isinstance(node, Link):
        path.symlink_to(os.fsdecode(node.target))
        return
    if isinstance(node, File):
        path.write_bytes((name[-7:] * (node.size // 7 + 1))[: node.size])
    else:
        path.mkdir()
        for part, child in node.content.items():
            make(name + b"/" + part, child)
    path.chmod(node.mode)


def describe(program: Path, folder: Path, paths: list[StorePath]) -> Image | None:
    """What nix2container says of a layer of ``paths``; None when it refuses them."""
    graph: list[object] = []
    rewrites: list[object] = []
    perms: list[object] = []
    for index, path in enumerate(paths):
        top = str(folder / f"p{index}")
        make(top.encode(), path.tree)
        graph.append({"path": top, "references": []})
        if path.moved_to is not None:
            regex = "^" + re.escape(top).replace(r"\_", "_")
            rewrites.append({"path": top, "regex": regex, "repl": path.moved_to})
        perms.extend({"path": top, **rule} for rule in path.rules)
    files = {
        "graph": graph,
        "rewrites": rewrites,
        "perms": perms,
        "config": {"User": "568"},
    }
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    flags = [
        part for name in ("rewrites", "perms") for part in (f"--{name}", f"{folder}/{name}.json")
    ]
    layers = [
        "layers-from-reproducible-storepaths",
        f"{folder}/layers.json",
        f"{folder}/graph.json",
        "--max-layers",
        "1",
        *flags,
    ]
    run = subprocess.run([program, *layers], capture_output=True, timeout=60, check=False)
    if run.returncode:
        clash = FOLDER_SIZES.search(run.stderr)
        if clash and Path(os.fsdecode(clash[1])).is_dir():
            reject()  # the program compares folders' sizes, which are the file system's affair
        return None
    image = [f"{folder}/image.json", f"{folder}/config.json", f"{folder}/layers.json"]
    subprocess.run(
        [program, "image", *image],
        capture_output=True,
        timeout=60,
        check=True,
    )
    text = (folder / "image.json").read_bytes()
    return parse(text, application="app", role="role", file="image.json")


def agrees(program: Path, paths: list[StorePath]) -> Image | None:
    """Whether both make the same layer, or both refuse; the image when they make one."""
    with tempfile.TemporaryDirectory(prefix="l", dir="/tmp") as name:
        folder = Path(name)
        image = describe(program, folder, paths)
        if image is None:
            with pytest.raises(BuildError):
                b"".join(tar(_as_given(folder, paths)))
            return None
        for layer in image.layers:
            data = b"".join(stream(layer))
            assert len(data) == layer.bytes
            assert f"sha256:{hashlib.sha256(data).hexdigest()}" == layer.digest
        return image


def _as_given(folder: Path, paths: list[StorePath]) -> tuple[LayerPath, ...]:
    return tuple(
        LayerPath(
            path=str(folder / f"p{index}"),
            strip="" if path.moved_to is None else "^" + re.escape(str(folder / f"p{index}")),
            replace=path.moved_to or "",
            permissions=tuple(Permission(**rule) for rule in path.rules),  # type: ignore[arg-type]
        )
        for index, path in enumerate(paths)
    )


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_store_paths, min_size=1, max_size=3))
@example([StorePath(Folder(0o755), "")])
@example([StorePath(Folder(0o755, {b"f": File(3, 0o4755)}), "")])
def test_generated_layers_are_nix2containers(nix2container: Path, paths: list[StorePath]) -> None:
    """Every layer that nix2container describes is written with its digest and size."""
    event("described" if agrees(nix2container, paths) else "refused by both")


@pytest.mark.parametrize("length", [*range(96, 106), *range(150, 162), *range(250, 262)])
def test_names_around_the_limits_of_ustar(nix2container: Path, length: int) -> None:
    """Paths as long as a field, one byte less, one more are split or extended as Go does."""
    for cut in (1, 40, 99, 100, 101):
        rest = length - cut - 2
        if not 0 < rest <= 255 or cut > 255:
            continue
        tree = Folder(0o755, {b"p" * rest: Folder(0o755, {b"n" * cut: File(1, 0o444)})})
        assert agrees(nix2container, [StorePath(tree, "")]) is not None


def test_paths_that_share_folders_become_one_tree(nix2container: Path) -> None:
    """Two store paths with the same folders are merged into one sorted tree."""
    one = Folder(0o555, {b"usr": Folder(0o555, {b"a": File(1, 0o444), b"z": File(2, 0o444)})})
    two = Folder(0o555, {b"usr": Folder(0o555, {b"m": File(3, 0o555), b"b-": Link(b"a")})})
    image = agrees(nix2container, [StorePath(one, ""), StorePath(two, "")])
    assert image is not None
    assert len(image.layers) == 1


def test_paths_that_disagree_are_refused(nix2container: Path) -> None:
    """A file with another size or mode in two store paths is refused, as nix2container does."""
    for other in (File(2, 0o444), File(1, 0o555), Link(b"x")):
        one = Folder(0o555, {b"same": File(1, 0o444)})
        two = Folder(0o555, {b"same": other})
        assert agrees(nix2container, [StorePath(one, ""), StorePath(two, "")]) is None


@pytest.mark.parametrize("target", [b"t" * 97 + b"///x", b"t" * 99 + b"/x", b"/" * 120, b"t" * 101])
def test_long_link_targets_are_cut_as_go_cuts_them(nix2container: Path, target: bytes) -> None:
    """A link target too long for its field is cut there, and a slash at the cut goes."""
    tree = Folder(0o755, {b"link": Link(target)})
    assert agrees(nix2container, [StorePath(tree, "")]) is not None
