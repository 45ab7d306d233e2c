"""What a fresh host is asked, run for real on this machine, with sudo and Docker that are told."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from slipway.hosts.checkup import FolderState
from slipway.hosts.local import LocalHost
from slipway.hosts.site import Site, read_site

DOCKER = """#!/bin/sh
case "$1 $2" in
"version --format") {version} ;;
"compose version") {compose} ;;
esac
"""
WELL = {"version": "echo 29.0.1", "compose": "echo v2.40.0"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs before all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def program(programs: Path, name: str, text: str) -> None:
    """Put a program there."""
    path = programs / name
    path.write_text(text)
    path.chmod(0o755)


def look(app_dir: Path, *, sudo: bool = False, docker: str = "docker") -> Site:
    """This machine, as it is asked."""
    return read_site(LocalHost("here"), sudo=sudo, docker=docker, app_dir=str(app_dir))


def test_a_host_that_has_everything(programs: Path, tmp_path: Path) -> None:
    """Who, what Docker says, what is there and what can be written in."""
    program(programs, "docker", DOCKER.format(**WELL))
    folder = tmp_path / "an app"
    (folder / "data").mkdir(parents=True)
    os.chown(folder / "data", 568, 568)
    site = look(folder)
    mine = folder.stat()
    assert site == Site(
        user=getpass.getuser(), uid=os.getuid(), docker="29.0.1", compose="2.40.0", writable=True,
        folders={
            str(folder): FolderState(mine.st_uid, mine.st_gid, 0o755),
            f"{folder}/data": FolderState(568, 568, 0o755),
        },
    )  # fmt: skip


def test_a_folder_that_is_not_there(programs: Path, tmp_path: Path) -> None:
    """What is nearest to it tells whether it can be made."""
    program(programs, "docker", DOCKER.format(**WELL))
    site = look(tmp_path / "no/where")
    assert set(site.folders.values()) == {None} and site.writable
    assert look(Path("/proc/1/no")).writable is False or os.access("/proc/1", os.W_OK)


@pytest.mark.parametrize(
    ("version", "missing", "said"),
    [
        ("echo permission denied while trying to connect >&2; exit 1", False, "permission denied"),
        ("echo Cannot connect to the Docker daemon; exit 1", False, "Cannot connect"),
    ],
)
def test_a_docker_that_does_not_answer(
    programs: Path, tmp_path: Path, version: str, missing: bool, said: str
) -> None:
    """Its own words are kept; without a plugin there is no version of Compose."""
    program(programs, "docker", DOCKER.format(version=version, compose="exit 1"))
    site = look(tmp_path)
    assert (site.docker, site.docker_missing, site.compose) == ("", missing, "")
    assert said in site.docker_said


def test_no_docker(tmp_path: Path) -> None:
    """Is told apart from one that is silent."""
    site = look(tmp_path, docker="/usr/bin/nodocker")
    assert (site.docker, site.docker_missing) == ("", True)


@pytest.mark.parametrize(("code", "works"), [(0, True), (1, False)])
def test_sudo_of_another_user(
    programs: Path, tmp_path: Path, code: int, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried with what a rule allows, and then everything is asked through it."""
    program(programs, "id", "#!/bin/sh\ncase $1 in -u) echo 1000;; *) echo anna;; esac\n")
    program(
        programs, "sudo",
        f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\n[ {code} = 0 ] || exit 1\n'
        '[ "$1 $2 $3" = "-n -- sh" ] || exit 1\nshift 2\nexec "$@"\n',
    )  # fmt: skip
    program(programs, "docker", DOCKER.format(**WELL))
    site = look(tmp_path, sudo=True)
    assert (site.user, site.uid, site.sudo, site.docker) == ("anna", 1000, works, "29.0.1")
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0] == "-n -- sh -c :"
    assert (len(asked) > 1) == works
    (tmp_path / "asked").unlink()
    assert look(tmp_path).sudo is False
    assert not (tmp_path / "asked").exists(), "who wants no sudo is not asked for it"
