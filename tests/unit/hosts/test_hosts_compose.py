"""Command lines of docker compose."""

from __future__ import annotations

import pytest

from slipway.doors import Completed
from slipway.errors import HostError
from slipway.hosts.compose import Compose, read_compose
from slipway.testing import FakeHost

TRIAL = Compose("trial", ("/a/one.yml", "/a/two.yml"), docker="/usr/bin/docker")
START = ("/usr/bin/docker", "compose", "-p", "trial", "-f", "/a/one.yml", "-f", "/a/two.yml")


def test_up_never_pulls_or_builds() -> None:
    """Images come by load alone."""
    assert TRIAL.up() == (*START, "up", "--detach", "--no-build", "--pull", "never", "--")


def test_up_with_everything() -> None:
    """Each choice is its option; a time is rounded up."""
    argv = TRIAL.up(
        ["web", "api"], wait=1.5, dependencies=False, recreate=True, remove_orphans=True
    )
    assert argv[len(START) + 5 :] == (
        "--wait", "--wait-timeout", "2", "--no-deps", "--force-recreate", "--remove-orphans",
        "--", "web", "api",
    )  # fmt: skip


def test_run_keeps_the_commands_own_options() -> None:
    """Options of the command come after --, so Compose doesn't take them."""
    argv = TRIAL.run("cli", ["migrate", "--plan"], environment={"B": "2", "A": "1 x"})
    assert argv[len(START) :] == (
        "run", "--rm", "--no-deps", "--no-TTY", "--env", "A=1 x", "--env", "B=2",
        "--", "cli", "migrate", "--plan",
    )  # fmt: skip
    assert TRIAL.run("cli", [], dependencies=True, terminal=True)[len(START) :] == (
        "run", "--rm", "--", "cli",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "rest"),
    [
        (TRIAL.exec("db", ["psql", "-l"]), ("exec", "--no-TTY", "--", "db", "psql", "-l")),
        (TRIAL.exec("db", ["sh"], terminal=True), ("exec", "--", "db", "sh")),
        (TRIAL.ps(), ("ps", "--all", "--format", "json")),
        (TRIAL.config(), ("config", "--format", "json")),
        (TRIAL.stop(["web"]), ("stop", "--", "web")),
        (TRIAL.down(), ("down", "--remove-orphans")),
        (TRIAL.down(remove_orphans=False), ("down",)),
        (
            TRIAL.logs(["web"], tail=5, follow=True),
            ("logs", "--no-color", "--timestamps", "--tail", "5", "--follow", "--", "web"),
        ),
    ],
)
def test_the_other_commands(argv: tuple[str, ...], rest: tuple[str, ...]) -> None:
    """Each command is what it says."""
    assert argv == (*START, *rest)


def test_the_plugins_version() -> None:
    """A leading v of older versions is dropped."""
    fake = FakeHost(name="nas")
    fake.on("docker", "compose", reply="v2.20.3\n")
    assert read_compose(fake) == "2.20.3"


def test_docker_without_compose() -> None:
    """Docker without its plugin is told apart from no Docker."""
    fake = FakeHost(name="nas")
    fake.on("docker", "compose", reply=Completed((), 1, b"", b"docker: 'compose' is not a ..."))
    fake.on("docker", "version", reply='{"Version":"20.10"}')
    with pytest.raises(HostError, match="has no Compose plugin"):
        read_compose(fake)
    fake.on("docker", reply=Completed((), 127, b"", b""))
    fake.on("docker", "compose", reply=127)
    fake.on("docker", "version", reply=127)
    with pytest.raises(HostError, match="nas has no Docker"):
        read_compose(fake)
