"""What a build reads, what git says about it, and when two checkouts hold the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from slipway import config
from slipway.doors import Completed
from slipway.errors import CommandFailed, SupplyError
from slipway.supply.sources import (
    Sources,
    digest,
    ignored_text,
    is_leftover,
    read_sources,
    source_paths,
    unknown_text,
)
from slipway.testing import FakeShell

ROOT = Path(__file__).parents[3]
SETTINGS = config.load(ROOT)
PATHS = source_paths(SETTINGS)
LEFTOVERS: dict[str, list[str]] = json.loads((ROOT / "tests/cases/leftovers.json").read_text())


def git(new: bytes = b"", ignored: bytes = b"") -> FakeShell:
    """A git that knows a checkout but for these."""
    shell = FakeShell()

    def answer(argv: tuple[str, ...], _: bytes) -> bytes:
        if "--others" not in argv:
            return b"slipway.toml\n"
        return ignored if "--ignored" in argv else new

    shell.on("git", reply=answer)
    return shell


def checkout(root: Path) -> Path:
    """A folder with one file in each part that a build reads."""
    for path in PATHS:
        place = root / path
        if place.suffix:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(path)
        else:
            place.mkdir(parents=True, exist_ok=True)
            (place / "file").write_text(path)
    return root


def test_paths_are_what_slipway_toml_names() -> None:
    """The application, every role's files, and Nix's own are read."""
    assert {"src/langflix", "deploy/images/postgres", "nix", "slipway.toml"} <= set(PATHS)


def test_an_archive_needs_no_git(tmp_path: Path) -> None:
    """Without .git everything counts, also where git isn't installed."""
    shell = FakeShell()
    shell.on("git", reply=CommandFailed(("git",), 127, "no such file", where="this machine"))

    assert read_sources(shell, tmp_path, SETTINGS) == Sources(PATHS)


def test_an_archive_in_somebody_elses_repository(tmp_path: Path) -> None:
    """A repository above the folder that does not know it has no say."""
    shell = FakeShell()
    shell.on("git", reply=b"")

    assert read_sources(shell, tmp_path, SETTINGS) == Sources(PATHS)
    assert len(shell.calls) == 1


def test_a_folder_of_a_repository(tmp_path: Path) -> None:
    """A project that is a folder of a larger repository is asked about like any other."""
    found = read_sources(git(new=b"nix/new.nix\0"), tmp_path, SETTINGS)

    assert found.unknown == ("nix/new.nix",)


def test_new_files_are_named_and_ignored_ones_left_out(tmp_path: Path) -> None:
    """Names come as they are, with spaces and line ends; byte code is no news."""
    (tmp_path / ".git").mkdir()
    new = "src/langflix/neü.py\0src/langflix/a b\n.py\0src/langflix/a.pyc\0".encode()
    new += b"src/langflix/.a.py.swp\0"
    ignored = b"src/langflix/.env\0src/langflix/local/\0src/langflix/__pycache__/\0"

    found = read_sources(git(new, ignored), tmp_path, SETTINGS)

    assert found.unknown == ("src/langflix/neü.py", "src/langflix/a b\n.py")
    assert found.left_out == ("src/langflix/.env", "src/langflix/local")


def test_warnings_stay_short() -> None:
    """Of many files the first are named and the rest counted."""
    many = [f"src/{number}.py" for number in range(100)]
    for text in (unknown_text(many), ignored_text(many)):
        assert "src/0.py" in text and "and 92 more" in text and len(text) < 400
    assert "git add" in unknown_text(many)


def test_an_ignored_file_that_may_be_missed_is_named() -> None:
    """Hidden files and folders are nobody's loss; any other is told, and none is no warning."""
    text = ignored_text(["src/.env", "src/langflix/local", "src/.mypy_cache", "src/new.py"])
    assert text == "git ignores, and so no image has: src/langflix/local, src/new.py"
    assert ignored_text(["src/.env"]) == ""


@pytest.mark.parametrize(("name", "is_one"), [
    (name, kind == "leftover") for kind, names in LEFTOVERS.items() for name in names
])  # fmt: skip
def test_shared_cases_of_leftovers(name: str, is_one: bool) -> None:
    """The filter of the build and the reader of git agree about what editors leave."""
    assert is_leftover(name) is is_one


@pytest.mark.parametrize(
    ("reply", "message", "hint"),
    [
        (
            Completed(("git",), 128, b"", b"fatal: detected dubious ownership in repository"),
            "another user",
            "git config --global --add safe.directory",
        ),
        (Completed(("git",), 128, b"", b"fatal: bad index"), "can't read", "git status"),
        (CommandFailed(("git",), 127, "no such file", where="this machine"), "run", "install git"),
    ],
)
def test_a_git_that_can_not_answer(
    tmp_path: Path, reply: Completed | CommandFailed, message: str, hint: str
) -> None:
    """Where .git is there and git does not read it, the next command is said and nothing built."""
    (tmp_path / ".git").mkdir()
    shell = FakeShell()
    shell.on("git", reply=reply)

    with pytest.raises(SupplyError, match=message) as caught:
        read_sources(shell, tmp_path, SETTINGS)
    assert caught.value.hint is not None and hint in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("part", PATHS)
@pytest.mark.parametrize("change", ["byte", "new", "gone", "program"])
def test_a_change_in_any_part_is_seen(tmp_path: Path, part: str, change: str) -> None:
    """One changed byte, a new or vanished file, an executable bit: another digest."""
    root = checkout(tmp_path)
    before = digest(root, Sources(PATHS))
    file = root / part if (root / part).is_file() else root / part / "file"
    times = file.stat()
    if change == "byte":
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif change == "gone":
        file.unlink()
    elif change == "program":
        file.chmod(0o755)
    elif (root / part).is_dir():
        (root / part / "new").touch()
    else:
        file.write_bytes(b"")

    assert digest(root, Sources(PATHS)) != before


def test_what_does_not_count(tmp_path: Path) -> None:
    """Byte code, times, and what lies elsewhere change nothing; a left out file does."""
    root = checkout(tmp_path)
    before = digest(root, Sources(PATHS))
    (root / "src/langflix/__pycache__").mkdir()
    (root / "src/langflix/__pycache__/a.cpython-311.pyc").touch()
    (root / "README.md").write_text("text")
    os.utime(root / "slipway.toml", (1, 1))

    assert digest(root, Sources(PATHS)) == before
    assert digest(root, Sources(PATHS, left_out=("src/langflix/file",))) != before


def test_what_lies_behind_a_link_counts(tmp_path: Path) -> None:
    """A folder or file that is only linked is read where it is; a ring of links ends."""
    root, away = checkout(tmp_path / "checkout"), tmp_path / "away"
    away.mkdir()
    (away / "file").write_text("1")
    (root / "nix/away").symlink_to(away)
    (root / "nix/ring").symlink_to(root / "nix")
    (root / "nix/nowhere").symlink_to("nothing")
    before = digest(root, Sources(PATHS))
    (away / "file").write_text("2")

    assert digest(root, Sources(PATHS)) != before


def test_names_and_contents_do_not_run_together(tmp_path: Path) -> None:
    """Moving bytes from a name to a content is a change."""
    first, second = checkout(tmp_path / "1"), checkout(tmp_path / "2")
    (first / "nix/a").write_text("bc")
    (second / "nix/ab").write_text("c")

    assert digest(first, Sources(PATHS)) != digest(second, Sources(PATHS))
