"""One checkout gives one set of store paths, wherever it lies and however Nix is called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from slipway import config
from slipway.errors import SupplyError
from slipway.shell import LocalShell
from slipway.supply.nixtool import FEATURES
from slipway.supply.outputs import ANSWERS, outputs
from slipway.supply.sources import read_sources, source_paths

ROOT = Path(__file__).parents[3]
SETTINGS = config.load(ROOT)
# Layers of every kind are in these: application, wheels, files of ours, Debian's packages, Go.
NAMES = ("api-image", "frontend-image", "postgres-image", "rehearsal-host", "nix2container")
ODD = "a b ä+c?d#e%20f'g\"h$i"


def copy(target: Path) -> Path:
    """What :func:`source_paths` names of this checkout, and not one file more."""
    for path in source_paths(SETTINGS):
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / path, place, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / path, place)
    return target


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, timeout=60)


def repository(target: Path) -> Path:
    """Such a copy that git knows, as a flake."""
    copy(target)
    for name in ("flake.nix", "flake.lock", ".gitignore"):
        shutil.copy(ROOT / name, target / name)
    git(target, "init", "--quiet")
    git(target, "add", "--all")
    return target


def build(root: Path, *names: str) -> dict[str, str]:
    built = outputs(LocalShell(), root, config.load(root), names or NAMES)
    return {name: str(path) for name, path in built.items()}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return build(copy(tmp_path_factory.mktemp("usual") / "checkout"))


def test_a_folder_of_any_name(tmp_path: Path, usual: dict[str, str]) -> None:
    """An unpacked archive without .git, in a folder whose name no URL takes, builds the same."""
    root = copy(tmp_path / ODD)
    (root / ".venv").mkdir()
    (root / "src/langflix/views.py~").touch()

    assert build(root) == usual


def test_tools_are_built_of_nix_alone(tmp_path: Path, usual: dict[str, str]) -> None:
    """What is no image needs no file of the application, so its answers outlive changes there."""
    root = copy(tmp_path / "checkout")
    for name in ("src", "deploy"):
        shutil.rmtree(root / name)
    attributes = "builtins.attrNames (import ./nix { }).packages.x86_64-linux"
    argv = ["nix-instantiate", "--eval", "--strict", "--json", "--expr", attributes]
    done = subprocess.run(argv, cwd=root, check=True, capture_output=True, timeout=60)
    tools = [one for one in json.loads(done.stdout) if "image" not in one]

    built = build(root, *tools)

    assert {"rehearsal-host", "nix2container"} <= set(tools)
    assert all(built[name] == path for name, path in usual.items() if name in built)


def test_a_flake(tmp_path: Path, usual: dict[str, str]) -> None:
    """``nix build .#NAME`` means the very same store paths."""
    root = repository(tmp_path / "flake")
    apply = "packages: builtins.mapAttrs (name: package: package.outPath) packages"
    argv = ["nix", *FEATURES, "eval", "--json", ".#packages.x86_64-linux", "--apply", apply]
    done = subprocess.run(argv, cwd=root, check=True, capture_output=True, timeout=300)

    paths = json.loads(done.stdout)
    assert {name: paths[name] for name in NAMES} == usual


def test_what_git_ignores_is_in_no_image(tmp_path: Path, usual: dict[str, str]) -> None:
    """An ignored file below the sources changes nothing, also where the checkout is a link."""
    root = repository(tmp_path / ODD)
    (root / "src/langflix/.env").write_text("SECRET=1")
    (root / "deploy/images/postgres/.env").write_text("SECRET=1")
    (root / ".git/info/exclude").write_text("local/\n")
    (root / "src/langflix/local").mkdir()
    (root / "src/langflix/local/more.py").write_text("x = 1")
    link = tmp_path / "link"
    link.symlink_to(root)

    assert read_sources(LocalShell(), link, SETTINGS).left_out == (
        "deploy/images/postgres/.env",
        "src/langflix/.env",
        "src/langflix/local",
    )
    assert build(link) == usual


def test_what_git_does_not_know_yet_is_built_and_named(
    tmp_path: Path, usual: dict[str, str]
) -> None:
    """A new file is in the image as if it were added, and a warning says that a flake would not
    have it; one that git ignores is not, and is named, too."""
    root = repository(tmp_path / "checkout")
    (root / ".git/info/exclude").write_text("ignored.py\n")
    folder = "src/langflix/data"
    (root / folder / "0099_neü.py").write_text("x = 1\n")
    (root / folder / "ignored.py").write_text("x = 1\n")
    said: list[str] = []

    built = outputs(LocalShell(), root, SETTINGS, ["api-image"], warn=said.append)

    assert str(built["api-image"]) != usual["api-image"]
    assert [f"{folder}/0099_neü.py" in one for one in said] == [True, False]
    assert [f"{folder}/ignored.py" in one for one in said] == [False, True]
    git(root, "add", "--all")
    assert build(root, "api-image") == {"api-image": str(built["api-image"])}


def test_what_was_built_is_kept_from_the_collector(tmp_path: Path) -> None:
    """Nix knows the links in .slipway/roots, also in a folder of any name."""
    root = copy(tmp_path / ODD)
    path = build(root, "api-image")["api-image"]

    argv = ["nix-store", "--query", "--roots", path]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)

    assert f"{root}/.slipway/roots/api-image" in done.stdout
    assert path in (root / ANSWERS).read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_checkout_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads a checkout that belongs to somebody else, without a setting of the person's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    root = repository(tmp_path / "checkout")
    (root / "src/langflix/new.py").touch()
    for place in (root, root / ".git"):
        os.chown(place, 12345, 12345)

    assert read_sources(LocalShell(), root, SETTINGS).unknown == ("src/langflix/new.py",)


def test_a_broken_repository_stops_the_build(tmp_path: Path) -> None:
    """Where git can't tell what it ignores, nothing is built."""
    root = repository(tmp_path / "checkout")
    (root / ".git/HEAD").unlink()

    with pytest.raises(SupplyError, match="git can't read this checkout"):
        build(root)


def test_line_ends_are_the_same_everywhere(tmp_path: Path) -> None:
    """A clone by a git that is set to change line ends has the bytes of any other."""
    first = tmp_path / "first"
    first.mkdir()
    for name in (".gitattributes", "inv", "nix/farm.sh", "docs/images/upload-phone.png"):
        (first / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, first / name)
    git(first, "init", "--quiet")
    git(first, "add", "--all")
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    git(first, *author, "commit", "--quiet", "--message=all")
    git(first, "clone", "--quiet", "-c", "core.autocrlf=true", ".", str(tmp_path / "second"))

    for path in first.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            there = tmp_path / "second" / path.relative_to(first)
            assert there.read_bytes() == path.read_bytes(), path
