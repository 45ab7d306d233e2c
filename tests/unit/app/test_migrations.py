"""What the files of a folder of migrations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.app.migrations import Migrations, read_migrations
from slipway.errors import ConfigError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with two migrations, in a folder of another name than its place."""
    (tmp_path / "db/versions").mkdir(parents=True)
    for name, text in (
        ("0002_more.py", "x = 2\n"),
        ("0001_first.sql", "select 1;\n"),
        ("__init__.py", "# slipway: downtime\n"),
    ):
        (tmp_path / "db/versions" / name).write_text(text)
    return tmp_path


def test_names_and_hash(root: Path) -> None:
    """Files in order, without endings; any changed byte or name is another hash."""
    first = read_migrations(root, "db/versions")
    assert (first.revisions, first.downtimes) == (("0001_first", "0002_more"), frozenset())
    (root / "db/versions/0002_more.py").write_text("x = 3\n")
    second = read_migrations(root, "db/versions")
    (root / "db/versions/0002_more.py").rename(root / "db/versions/0003_more.py")
    third = read_migrations(root, "db/versions")
    assert len({first.sha256, second.sha256, third.sha256, ""}) == 4
    assert third.revisions == ("0001_first", "0003_more")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("x = 1\n# slipway: downtime\ny = 2\n", True),
        ("# slipway: downtime", True),
        ("# slipway: downtime \r\nx = 1\r\n", True),
        ("-- slipway: downtime\nselect 1;\n", True),
        ("// slipway: downtime\n", True),
        ("\udcff# slipway: downtime\n", False),
        ("no # slipway: downtime\n", False),
        ("# slipway: downtime is not needed\n", False),
        ("#slipway: downtime\n", False),
    ],
)
def test_the_mark_stands_alone_in_its_line(root: Path, text: str, marked: bool) -> None:
    """A sentence about the mark is none; no byte of the file matters otherwise."""
    path = root / "db/versions/0003_gone.py"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert ("0003_gone" in read_migrations(root, "db/versions").downtimes) == marked


def test_what_editors_leave_is_no_migration(root: Path) -> None:
    """It changes neither names nor hash, as it changes no image."""
    before = read_migrations(root, "db/versions")
    (root / "db/versions/__pycache__").mkdir()
    for name in ("__pycache__/0001.pyc", ".0002_more.py.swp", "0002_more.py~", ".#0002_more.py"):
        (root / "db/versions" / name).write_text("# slipway: downtime\n")
    assert read_migrations(root, "db/versions") == before


def test_no_folder(root: Path) -> None:
    """Without a source there is nothing to tell; a wrong one is named."""
    assert read_migrations(root, "") == Migrations()
    with pytest.raises(ConfigError, match="there is no folder db/nowhere"):
        read_migrations(root, "db/nowhere")
