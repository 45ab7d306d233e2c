"""A host without Python runs what carries out deploys with that of an image."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.act import python
from slipway.act.runner import HostRunner
from slipway.config import load
from slipway.doors import Completed
from slipway.errors import HostError
from slipway.hosts.local import LocalHost
from slipway.shell import LocalShell
from slipway.supply.outputs import outputs

ROOT = Path(__file__).parents[3]
PROGRAMS = ("sh", "env", "cat", "chmod", "chown", "dirname", "ln", "mkdir", "mktemp", "mv",
            "printf", "rm", "sed", "sync", "tar", "timeout", "uname", "wc")  # fmt: skip

#: Two images, of which the second one has the files of TREE, with Debian's name of Python alone.
DOCKER = """#!/bin/sh
echo "$@" >>"$0.asked"
case $1 in
    image) [ ! -f "$0.empty" ] || exit 0; echo demo/web:1; echo demo/api:1 ;;
    create) echo "$4" >"$0.made" ;;
    rm) rm -f "$0.made" ;;
    cp)
        [ "$(cat "$0.made")" = demo/api:1 ] || exec tar -c -C TREE usr/bin/env
        case $2 in
            demo-python:/usr/bin) tar -c -C TREE/usr --exclude=bin/python3 bin ;;
            demo-python:/usr) tar -c -C TREE --exclude=usr/bin/python3 usr/bin usr/lib usr/lib64 ;;
        esac ;;
esac
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application's folder on this machine, as one without Python, with a docker of its own."""
    (tree,) = outputs(LocalShell(), ROOT, load(ROOT), ("rehearsal-host",)).values()
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(str(shutil.which(name)))
    docker = folder / "docker"
    docker.write_text(DOCKER.replace("TREE", str(tree)))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path / "app"


def test_an_images_python_is_brought_once(app: Path, tmp_path: Path) -> None:
    """Out of the first image that has one; the runner answers by it, and starts itself by it."""
    runner = HostRunner(LocalHost("here"), str(app), "demo")
    assert runner.settle() == {}
    own = app / "runner" / python.PLACE
    shown = LocalShell().run((str(own), "-I", "-c", "import sys; print(sys.executable)"), timeout=9)
    assert shown.text == f"{own}\n"
    assert not (tmp_path / "bin/docker.made").exists()
    assert {one.suffix for one in (app / "runner").iterdir()} == {".pyz", ""}
    (tmp_path / "bin/docker").unlink()
    assert runner.settle() == {}


def test_where_no_image_has_one(app: Path, tmp_path: Path) -> None:
    """It is said, with what to do; nothing is left."""
    (tmp_path / "bin/docker.empty").touch()
    with pytest.raises(HostError, match="has no Python that can carry out a deploy") as caught:
        HostRunner(LocalHost("here"), str(app), "demo").settle()
    assert caught.value.details[-1] == "no image of the application has one, either"
    assert {one.suffix for one in (app / "runner").iterdir()} == {".pyz"}


def test_what_else_is_in_the_way_is_said() -> None:
    """In the words of whoever was in the way."""
    done = Completed(("sh",), 1, b"", b"tar: no space\nleft on device\n")
    assert python.why(done) == ("left on device",)
