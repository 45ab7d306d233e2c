"""The runner's file: the same bytes each time, all it needs, nothing that a host may lack."""

from __future__ import annotations

import ast
import io
import sys
import zipfile
from pathlib import Path

import slipway.runner
from slipway.act.pack import packed

ROOM = Path(slipway.runner.__file__).parent
FILES = sorted(ROOM.glob("*.py"))


def test_it_has_the_same_bytes_each_time() -> None:
    """So that a host which has it already is sent nothing."""
    first = packed()
    packed.cache_clear()
    assert packed() == first
    assert first.name.endswith(".pyz")


def test_it_holds_the_whole_room_and_a_beginning() -> None:
    """And nothing else of slipway."""
    with zipfile.ZipFile(io.BytesIO(packed().data)) as archive:
        names = set(archive.namelist())
        for path in FILES:
            assert archive.read(f"slipway/runner/{path.name}") == path.read_bytes()
    ours = {f"slipway/runner/{path.name}" for path in FILES}
    assert names == {"__main__.py", "slipway/__init__.py", *ours}


def test_the_oldest_python_it_may_meet_can_read_it() -> None:
    """The grammar of 3.9."""
    for path in FILES:
        ast.parse(path.read_text("utf-8"), str(path), feature_version=(3, 9))


def test_it_needs_the_standard_library_only() -> None:
    """A host's own packages are of unknown versions, and often none are there.

    TrueNAS' client of its middleware is as old as the middleware, and asked for where it is used.
    """
    known = {*sys.stdlib_module_names, "truenas_api_client"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                assert root in known or name.startswith("slipway.runner"), path


def test_annotations_are_never_evaluated() -> None:
    """``int | None`` is an error in 3.9 where it is not only read."""
    for path in FILES:
        if path.name not in ("__init__.py", "__main__.py"):
            assert "from __future__ import annotations" in path.read_text("utf-8"), path
