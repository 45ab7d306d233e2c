"""A program of the stack's own: how it is called, what it is given, what of it is shown."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.demo import world

from slipway.act.doors import Doors
from slipway.act.program import run
from slipway.doors import Completed
from slipway.errors import CommandFailed, DeployError
from slipway.plan.actions import Run
from slipway.report import Report
from slipway.testing import FakeFolder, FakeHttp, FakeShell

TOKEN = Run(("python3",), (("TOKEN_FILE", "token", 1),))


def doors(shell: FakeShell, token: bytes = b"canary-token") -> Doors:
    """This machine, and a host that holds a secret."""
    folder = FakeFolder(files={"secrets/token/1": token})
    return replace(world().doors, shell=shell, folder=folder)


def test_smoke_job_that_cannot_start() -> None:
    """A smoke command that can't be run at all is a failed verification."""
    shell = FakeShell()
    shell.on("python3", reply=CommandFailed(["python3"], 127, "no such program", where="here"))
    with pytest.raises(DeployError, match="could not be run"):
        run(doors(shell), Run(("python3",)))
    shell.on("python3", reply=2)
    with pytest.raises(DeployError, match="failed with code 2"):
        run(doors(shell), Run(("python3", "u")))
    assert shell.calls[-1] == ("python3", "u")
    assert shell.environments[-1]["PYTHONPATH"] == "/checkout/src"


def test_what_a_good_job_remarks_is_shown() -> None:
    """Its standard error is for people, *** in place of a secret; its data is not shown."""
    shell = FakeShell()
    shell.on("python3", reply=Completed((), 0, b"data", b"busy, says canary-token\n"))
    talk = io.StringIO()
    run(replace(doors(shell), report=Report(err=talk, out=io.StringIO())), TOKEN)
    assert talk.getvalue().splitlines()[-1] == "  busy, says ***"


def test_a_secret_is_a_file_while_the_job_runs() -> None:
    """The variable names a file that only this user reads; it is gone afterwards."""
    shell, seen = FakeShell(), []

    def job(argv: tuple[str, ...], data: bytes) -> int:
        path = Path(shell.environments[-1]["TOKEN_FILE"])
        modes = (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
        seen.append((path, path.read_text("utf-8"), modes))
        return 0

    shell.on("python3", reply=job)
    run(doors(shell), TOKEN)
    ((path, text, modes),) = seen
    assert (text, modes) == ("canary-token", (0o600, 0o700))
    assert not path.parent.exists()
    assert "canary-token" not in repr((shell.calls, shell.environments, shell.inputs))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CommandFailed(["x"], 1, "", where="here")])
def test_the_file_is_gone_whatever_happens(error: BaseException) -> None:
    """Ctrl-C and a job that can't be run leave no secret behind."""
    shell, paths = FakeShell(), []

    def job(argv: tuple[str, ...], data: bytes) -> int:
        paths.append(Path(shell.environments[-1]["TOKEN_FILE"]))
        assert paths[0].is_file()
        raise error

    shell.on("python3", reply=job)
    with pytest.raises((KeyboardInterrupt, DeployError)):
        run(doors(shell), TOKEN)
    assert not paths[0].parent.exists()


@pytest.mark.parametrize(
    "ended",
    [
        Completed((), 1, b"got canary-token", b"sent canary-token"),
        CommandFailed(["python3"], 1, "canary-token\n", where="here"),
    ],
)
def test_a_job_that_repeats_a_secret_is_not_quoted(ended: Completed | CommandFailed) -> None:
    """What a failed job said is shown with *** for each secret it was given."""
    shell = FakeShell()
    shell.on("python3", reply=ended)
    with pytest.raises(DeployError) as caught:
        run(doors(shell, b"canary-token\n"), TOKEN)
    assert "***" in "".join(caught.value.details)
    assert "canary" not in repr((caught.value.message, caught.value.details))


def test_secrets_are_read_in_the_version_of_the_release() -> None:
    """The job shows the token that the release's containers have, not the newest one."""
    shell, seen = FakeShell(), []

    def job(argv: tuple[str, ...], data: bytes) -> int:
        seen.append(Path(shell.environments[-1]["TOKEN_FILE"]).read_text("utf-8"))
        return 0

    shell.on("python3", reply=job)
    made = doors(shell, b"old")
    assert isinstance(made.folder, FakeFolder)
    made.folder.files["secrets/token/2"] = b"new"
    run(made, TOKEN)
    assert seen == ["old"]


def test_a_lost_secret_is_a_sentence() -> None:
    """A version that the host has lost is named, and nothing is run."""
    shell = FakeShell()
    lost = Run(("python3",), (("TOKEN_FILE", "token", 3),))
    with pytest.raises(DeployError, match="the secret token version 3 vanished"):
        run(doors(shell), lost)
    assert shell.calls == []


def test_it_is_run_in_the_checkout_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python3`` is the one that runs this; what else it finds is what this user finds."""
    ways: list[dict[str, Any]] = []

    class Noted(FakeShell):
        def run(self, argv: Sequence[str], **how: Any) -> Completed:
            """Note how it is run."""
            ways.append({**how, "env": dict(how["env"])})
            return super().run(argv, **how)

    shell = Noted()
    shell.on("python3")
    talk = io.StringIO()
    monkeypatch.setenv("PATH", "/usr/local/bin")
    run(replace(doors(shell), report=Report(err=talk, out=io.StringIO())), Run(("python3",)))
    monkeypatch.delenv("PATH")
    run(doors(shell), Run(("python3",)))
    here = Path(sys.executable).parent
    paths = [f"{here}:/usr/local/bin", f"{here}:{os.defpath}"]
    assert ways == [
        {
            "timeout": 300.0,
            "env": {"PATH": path, "PYTHONPATH": "/checkout/src"},
            "cwd": "/checkout",
            "check": False,
        }
        for path in paths
    ]
    assert not talk.getvalue(), "the step has said it"


def test_it_is_told_of_the_way_that_leads_to_the_stack() -> None:
    """In variables: an argument would show the password to everybody on this machine."""
    shell, way = FakeShell(), "http://slipway:canary@127.0.0.1:1"
    shell.on("python3")
    run(replace(doors(shell), http=FakeHttp(through=way)), Run(("python3",)))
    (environment,) = shell.environments
    assert {name for name, value in environment.items() if value == way} == {
        "SLIPWAY_PROXY", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    }  # fmt: skip
    assert shell.calls == [("python3",)]
    assert (environment["no_proxy"], environment["NO_PROXY"]) == ("", "")
    shell.on("python3", reply=Completed((), 0, b"", b"via canary, c2xpcHdheTpjYW5hcnk=\n"))
    talk = io.StringIO()
    told = Report(err=talk, out=io.StringIO())
    run(replace(doors(shell), http=FakeHttp(through=way), report=told), Run(("python3",)))
    assert talk.getvalue() == "  via ***, ***\n"


def test_a_secret_is_handed_over_whatever_letters_it_has() -> None:
    """As UTF-8, whatever this machine's locale is; the folder says whose it is."""
    shell, seen = FakeShell(), []

    def job(argv: tuple[str, ...], data: bytes) -> int:
        path = Path(shell.environments[-1]["TOKEN_FILE"])
        seen.append((path.read_bytes(), path.parent.name[:8]))
        return 0

    shell.on("python3", reply=job)
    run(doors(shell, "größe".encode()), TOKEN)
    assert seen == [("größe".encode(), "slipway-")]
