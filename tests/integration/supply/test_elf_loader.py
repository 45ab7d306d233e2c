"""Libraries are found where this machine's own program loader finds them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.supply.elf_files import make_elf

from slipway.architecture import AMD64
from slipway.supply import elf
from slipway.supply.elf import Elf

LOADER = Path("/lib64") / AMD64.loader
_PATHS = st.one_of(
    st.none(),
    st.lists(
        st.sampled_from(["$ORIGIN", "${ORIGIN}/libs", "$ORIGIN/../libs", "$ORIGIN/more", ""]),
        max_size=2,
    ).map(":".join),
)
_NAMES = [f"libslip{letter}.so.1" for letter in "abcde"]
_FOLDERS = ["", "libs/", "more/", "libs/more/"]


pytestmark = pytest.mark.skipif(
    not LOADER.exists(), reason=f"{LOADER}, the loader to compare with, is missing"
)


def by_the_loader(program: Path) -> set[str]:
    """The names of libraries that the machine's loader does not find for a file."""
    done = subprocess.run(
        [LOADER, program],
        env={"LD_TRACE_LOADED_OBJECTS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = (line.split(" => ") for line in done.stdout.splitlines() if " => " in line)
    return {name.strip() for name, place in lines if place.startswith("not found")}


def ours(root: Path, program: Path) -> set[str]:
    """The names of libraries that are not found for the same file by our reckoning."""
    files: dict[str, Elf] = {}
    links: dict[str, str] = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            links[str(path)] = str(path.readlink())
        elif path.is_file() and (parsed := elf.parse(path.read_bytes())):
            files[str(path)] = parsed
    reached = {str(program): files[str(program)]} | files
    walk = elf._load(str(program), reached, elf.Tree(files, links))
    return {item.name for item in walk.missing}


def lay_out(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755)
    return root / "program.so"


_FILES = st.dictionaries(
    st.tuples(st.sampled_from(_FOLDERS), st.sampled_from(_NAMES)).map("".join),
    st.builds(
        make_elf,
        st.lists(st.sampled_from(_NAMES), unique=True, max_size=3),
        st.sampled_from(["", *_NAMES[:2]]),
        rpath=_PATHS,
        runpath=_PATHS,
    ),
    max_size=6,
)
_PROGRAM = st.builds(
    make_elf, st.lists(st.sampled_from(_NAMES), unique=True, min_size=1, max_size=3),
    rpath=_PATHS, runpath=_PATHS,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_PROGRAM, _FILES)
def test_found_where_the_loader_finds(program: bytes, files: dict[str, bytes]) -> None:
    """Whatever files with whatever search paths: we miss what the machine's loader misses."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        start = lay_out(root, {**files, "program.so": program})

        assert ours(root, start) == by_the_loader(start)


@pytest.mark.parametrize(
    ("first", "second", "lacking"),
    [
        ({"rpath": "$ORIGIN/libs"}, {}, set()),
        ({"runpath": "$ORIGIN/libs"}, {}, {"libslipb.so.1"}),
        ({"rpath": "$ORIGIN/libs", "runpath": "/nowhere"}, {}, {"libslipa.so.1"}),
        ({"rpath": "$ORIGIN/libs"}, {"runpath": ""}, {"libslipb.so.1"}),
        ({"rpath": "$ORIGIN/libs"}, {"rpath": "/nowhere"}, set()),
        ({"runpath": "$ORIGIN/libs"}, {"rpath": "$ORIGIN"}, set()),
    ],
)
def test_inherited_search_paths(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], lacking: set[str]
) -> None:
    """DT_RPATH is handed on, DT_RUNPATH is not and takes its place; the loader says the same."""
    start = lay_out(
        tmp_path,
        {
            "program.so": make_elf(["libslipa.so.1"], **first),
            "libs/libslipa.so.1": make_elf(["libslipb.so.1"], **second),
            "libs/libslipb.so.1": make_elf([]),
        },
    )

    assert by_the_loader(start) == lacking
    assert ours(tmp_path, start) == lacking
