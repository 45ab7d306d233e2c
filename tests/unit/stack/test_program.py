"""The program that reads Compose files is built when its sources change, and never else."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.stack.program import program

FILES = (
    "go/go.mod",
    "go/go.sum",
    "go/compose-model/main.go",
    "go/default.nix",
    "go/build.sh",
    "locks/go.json",
    "locks/debian.json",
    "default.nix",
)


class Builds:
    """Counts builds; each comes out at a place of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def __call__(self) -> Path:
        """Build once more."""
        self.count += 1
        path = self.folder / str(self.count) / "bin/compose-model"
        path.parent.mkdir(parents=True)
        path.write_text("")
        return path.parents[1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the sources."""
    for name in (*FILES, "go/probe/main.go", "locks/python.json"):
        path = tmp_path / "checkout/nix" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "checkout"


def test_it_is_built_once(root: Path, tmp_path: Path) -> None:
    """A second command finds it; one that was collected as garbage is built again."""
    build = Builds(tmp_path / "store")
    first = program(root, build)
    assert program(root, build) == first
    assert build.count == 1
    first.resolve().unlink()
    assert program(root, build).resolve() == tmp_path / "store/2/bin/compose-model"
    assert build.count == 2


@pytest.mark.parametrize("name", FILES)
def test_each_source_counts(name: str, root: Path, tmp_path: Path) -> None:
    """A change of any file that it is made of builds it anew; the older one is forgotten."""
    build = Builds(tmp_path / "store")
    program(root, build)
    (root / "nix" / name).write_text("changed")
    program(root, build)
    assert build.count == 2
    assert len(list((root / ".slipway/programs").iterdir())) == 1


@pytest.mark.parametrize("name", ["go/probe/main.go", "locks/python.json"])
def test_other_sources_do_not_count(name: str, root: Path, tmp_path: Path) -> None:
    """What goes into images alone is no reason to build it."""
    build = Builds(tmp_path / "store")
    program(root, build)
    (root / "nix" / name).write_text("changed")
    program(root, build)
    assert build.count == 1
