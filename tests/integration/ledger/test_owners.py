"""Owners that the login user can't give: TrueNAS is asked, before a file has its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.errors import CommandFailed
from slipway.hosts.local import LocalHost
from slipway.ledger.entries import Directory, Entry, File, Link, Source
from slipway.ledger.folder import HostFolder
from slipway.ledger.owners import PROGRAM

CLIENT = """
import json, os
class Client:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def call(self, method, given, job):
        if given["uid"] == 13:
            raise ValueError("[EACCES] no role")
        with open(os.environ["ASKED"], "a") as log:
            log.write(json.dumps([method, given, job]) + "\\n")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostFolder:
    """A folder on a host whose Python has the client of a TrueNAS."""
    client, bin_ = tmp_path / "client", tmp_path / "bin"
    for made in (client, bin_):
        made.mkdir()
    (client / "truenas_api_client.py").write_text(CLIENT)
    # As on a TrueNAS its own folder of modules counts, though it is started with -I.
    program = bin_ / "python3"
    program.write_text(f'#!/bin/sh\nshift\nPYTHONPATH="{client}" exec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    return HostFolder(LocalHost("here"), str(tmp_path / "app dir"), asked=True)


def secret(name: str, owner: int | None = 568) -> Entry:
    """A secret's file."""
    return File(f"secrets/{name}/1", Source("secret", name, 1), 0o440, owner, fresh=True)


def content(source: Source) -> bytes:
    """Its own name."""
    return str(source).encode()


def asked(tmp_path: Path) -> list[tuple[str, int, int]]:
    """The paths, users and groups that TrueNAS was asked for; jobs, each of them."""
    path = tmp_path / "asked"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    assert all((method, job) == ("filesystem.chown", True) for method, _, job in lines)
    return [(given["path"], given["uid"], given["gid"]) for _, given, _ in lines]


def test_files_get_their_owner_before_their_name_and_folders_afterwards(
    folder: HostFolder, tmp_path: Path
) -> None:
    """A file's group is the login user's own, who reads it again; a folder is all its owner's."""
    data = str(tmp_path / "app dir/data/db")
    entries = (
        Directory(data, 0o700, 568),
        secret("one"),
        secret("two", None),
        Link("current", "r"),
    )
    folder.write(entries, content)
    (file, made) = asked(tmp_path)
    assert file[0].startswith(f"{tmp_path}/app dir/.slipway.")
    assert file[1:] == (568, os.getgid())
    assert made == (data, 568, 568)
    written = tmp_path / "app dir/secrets/one/1"
    assert (written.read_text(), written.stat().st_mode & 0o777) == ("secret:one/1", 0o440)
    assert str((tmp_path / "app dir/current").readlink()) == "r"


def test_what_is_there_is_not_given_again(folder: HostFolder, tmp_path: Path) -> None:
    """And nobody is asked where nothing has an owner."""
    (tmp_path / "app dir/data").mkdir(parents=True)
    folder.write((Directory("data", 0o700, 568), secret("plain", None)), content)
    assert asked(tmp_path) == []


def test_nothing_is_written_when_truenas_refuses(folder: HostFolder, tmp_path: Path) -> None:
    """It says for which file, and why."""
    with pytest.raises(CommandFailed) as caught:
        folder.write((secret("one", 13), secret("two", None)), content)
    assert "TrueNAS did not change the owner of" in caught.value.details[-1]
    assert "[EACCES] no role" in caught.value.details[-1]
    assert not (tmp_path / "app dir/secrets/one/1").exists()
    assert not (tmp_path / "app dir/secrets/two/1").exists()
    assert not list((tmp_path / "app dir").glob(".slipway.*"))


def test_a_folder_that_got_no_owner_does_not_stay(folder: HostFolder, tmp_path: Path) -> None:
    """The next deploy would leave it as it is, and its service could never write there."""
    entries = (Directory("data", 0o755), Directory("data/my db", 0o700, 13), secret("two", None))
    for _ in range(2):
        with pytest.raises(CommandFailed) as caught:
            folder.write(entries, content)
        assert "[EACCES] no role" in caught.value.details[-1]
        assert not (tmp_path / "app dir/data").exists()
        (tmp_path / "app dir/secrets/two/1").unlink()
    folder.write((Directory("data/my db", 0o700, 568),), content)
    assert asked(tmp_path) == [(str(tmp_path / "app dir/data/my db"), 568, 568)]


def test_the_program_is_whole() -> None:
    """In the script it stands between single quotes."""
    assert "'" not in PROGRAM
    done = subprocess.run([sys.executable, "-I", "-c", f"compile({PROGRAM!r}, 'x', 'exec')"],
                          check=False)  # fmt: skip
    assert done.returncode == 0
