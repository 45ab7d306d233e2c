"""The smoke job: how it is called, what it is given, what of it is shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from slipway.act.smoke import run_smoke, smoke_secrets

from slipway.doors import Completed
from slipway.errors import CommandFailed, DeployError
from slipway.secret import Secret
from slipway.stack.model import Smoke
from slipway.testing import FakeHost, FakeShell

ROOT = Path("/checkout")
TOKEN = {"TOKEN_FILE": Secret("canary-token")}


def test_smoke_job_that_cannot_start() -> None:
    """A smoke command that can't be run at all is a failed verification."""
    shell = FakeShell()
    shell.on("python3", reply=CommandFailed(["python3"], 127, "no such program", where="here"))
    with pytest.raises(DeployError, match="could not be run"):
        run_smoke(shell, ["python3"], {}, ROOT, {})
    shell.on("python3", reply=2)
    with pytest.raises(DeployError, match="failed with code 2"):
        run_smoke(shell, ["python3", "{url}"], {"url": "u"}, ROOT, {})
    assert shell.calls[-1] == ("python3", "u")


def test_a_secret_is_a_file_while_the_job_runs() -> None:
    """The variable names a file that only this user reads; it is gone afterwards."""
    shell, seen = FakeShell(), []

    def job(argv: tuple[str, ...], data: bytes) -> int:
        path = Path(shell.environments[-1]["TOKEN_FILE"])
        modes = (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
        seen.append((path, path.read_text("utf-8"), modes))
        return 0

    shell.on("python3", reply=job)
    run_smoke(shell, ["python3"], {}, ROOT, TOKEN)
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
        run_smoke(shell, ["python3"], {}, ROOT, TOKEN)
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
        run_smoke(shell, ["python3"], {}, ROOT, {"TOKEN_FILE": Secret("canary-token\n")})
    assert "***" in "".join(caught.value.details)
    assert "canary" not in repr((caught.value.message, caught.value.details))


def test_secrets_are_read_in_the_version_of_the_release() -> None:
    """The job shows the token that the release's containers have, not the newest one."""
    host = FakeHost(files={"/app/secrets/token/1": b"old", "/app/secrets/token/2": b"new"})
    smoke = Smoke(("x",), {"TOKEN_FILE": "token"})
    assert smoke_secrets(host, "/app", smoke, {"token": 1}) == {"TOKEN_FILE": Secret("old")}


def test_a_lost_secret_is_a_sentence() -> None:
    """A version that the host has lost is named."""
    smoke = Smoke(("x",), {"TOKEN_FILE": "token"})
    with pytest.raises(DeployError, match="the secret token version 3 vanished from fake"):
        smoke_secrets(FakeHost(), "/app", smoke, {"token": 3})
