"""A daemon that dies while it answers: what it did not come to say is no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.runner import docker
from slipway.runner.docker import HostDocker
from slipway.runner.failure import Failed

ONE = (
    '{"Id":"a","Name":"/x-web-1","Image":"sha256:1","Status":"running","Health":"",'
    '"Restarts":0,"ExitCode":0,"OOMKilled":false,"Service":"web","OneOff":"False","Config":"c",'
    '"File":"f","Ports":{},"Networks":{}}'
)


def _docker(tmp_path: Path, first: str) -> HostDocker:
    """A program that answers an inspection badly the first time, and lists two containers."""
    (tmp_path / "one").write_text(ONE + "\n")
    program = tmp_path / "docker"
    program.write_text(
        f"#!/bin/sh\ncd {tmp_path}\n"
        'case "$2" in ls) echo a; echo b; exit;; esac\n'
        f"[ -e again ] || {{ touch again; {first}; exit 1; }}\n"
        'cat one; echo "Error response from daemon: No such container: b" >&2; exit 1\n'
    )
    program.chmod(0o755)
    return HostDocker("x", str(program))


@pytest.mark.parametrize(
    "first",
    [
        "cat one; echo 'error during connect: EOF' >&2",
        'printf \'{"Id":"a","Na\'',
        "echo 'Cannot connect to the Docker daemon' >&2",
    ],
)
def test_a_broken_off_answer_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Containers that it left out are not gone; one that Docker says is gone is."""
    monkeypatch.setattr(docker, "_AGAIN_S", 0.01)
    asked = _docker(tmp_path, first)
    assert [one.id for one in asked.containers()] == ["a"]
    assert (tmp_path / "again").exists()


def test_an_answer_that_is_never_known_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries it isn't the daemon's end."""
    monkeypatch.setattr(docker, "_AGAIN_S", 0.01)
    asked = _docker(tmp_path, "true")
    (tmp_path / "one").write_text("what?\n")
    with pytest.raises(Failed, match="isn't known"):
        asked.containers()
