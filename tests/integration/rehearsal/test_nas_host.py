"""The stand-in's middleware on a rehearsal host, with its Python, its Docker and its Compose."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.rehearsal.conftest import Lab, ask, busybox_archive, ssh

from slipway.hosts.rehearsal import RehearsalInfo
from slipway.hosts.rehearsal.nasfiles import RELEASES, Release

#: The release that most people have; all others take the same questions in the long run.
USUAL = "25.10"


class Host:
    """A rehearsal host that is a TrueNAS."""

    def __init__(self, info: RehearsalInfo, release: Release) -> None:
        self.info = info
        self.release = release

    def shell(self, *argv: str, data: bytes = b"") -> str:
        return ask(self.info, *argv, data=data)

    def call(self, method: str, *params: object) -> Any:
        """Call a method as a program on the host does; a job's result is waited for."""
        told = json.dumps([method, *params])
        code = (
            "import json, sys; from truenas_api_client import Client, ejson; "
            "told = json.load(sys.stdin); client = Client(); "
            f"print(ejson.dumps(client.call(*told, job={_is_job(method)}))); client.close()"
        )
        return json.loads(self.shell("python3", "-c", f"'{code}'", data=told.encode()))

    def refusal(self, *words: str) -> str:
        """What ``midclt`` says when it fails."""
        done = ssh(self.info, "midclt", "call", *words)
        assert done.returncode == 1
        return done.stderr.decode()

    def names(self, kind: str, *flags: str) -> list[str]:
        """The names of what Docker has."""
        shown = "'{{.Names}}'" if kind == "container" else "'{{.Name}}'"
        return self.shell("docker", kind, "ls", *flags, "--format", shown).split()


def _is_job(method: str) -> bool:
    space, _, name = method.rpartition(".")
    asks = ("query", "get_instance", "config", "status", "list_backups", "version")
    return name not in asks and space in ("app", "docker")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name == USUAL else pytest.mark.long) for name in RELEASES
    ],
)
def host(request: pytest.FixtureRequest, make_lab: Callable[[], Lab]) -> Host:
    """A host of each release in turn, with the image ``box:1``."""
    lab = make_lab()
    info = lab.hosts.up("nas", lab.tree, release=request.param)
    ask(info, "docker", "import", "-", "box:1", data=busybox_archive(lab.tree))
    return Host(info, RELEASES[request.param])


def _stack(**more: object) -> dict[str, Any]:
    command = ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]
    return {
        "services": {"web": {"image": "box:1", "command": command, "volumes": ["data:/data"]}},
        "volumes": {"data": {}},
        **more,
    }


def _create(config: dict[str, Any], app: str = "web") -> dict[str, Any]:
    return {"app_name": app, "custom_app": True, "custom_compose_config": config}


def test_the_life_of_an_app(host: Host) -> None:
    """Real Compose brings it up, takes it down, and takes its named volume at the end."""
    row = host.call("app.create", _create(_stack()))
    assert row["state"] == "RUNNING"
    assert row["active_workloads"]["container_details"][0]["image"] == "box:1"
    first = host.names("container")
    assert first == ["ix-web-web-1"]

    host.call("app.stop", "web")
    assert host.names("container", "--all") == []
    assert host.call("app.query", [])[0]["state"] == "STOPPED"
    host.call("app.start", "web")
    assert host.names("container") == first
    assert host.names("volume") == ["ix-web_data"]
    host.call("app.delete", "web", {"remove_images": False})
    assert host.names("container", "--all") == []
    assert host.names("volume") == []
    assert host.names("network").count("ix-web_default") == 0


def test_an_app_that_cannot_come_up(host: Host) -> None:
    """An image that nobody has: all is wiped, and the log on the host says why."""
    config = {"services": {"web": {"image": "nobody-has-this:1", "pull_policy": "never"}}}
    number = host.shell("midclt", "call", "app.create", f"'{json.dumps(_create(config))}'")
    (job,) = _ended(host, int(number))

    assert job["state"] == "FAILED"
    assert job["error"].startswith("[EFAULT] Failed 'up' action for 'web' app.")
    assert "nobody-has-this" in host.shell("cat", "/var/log/app_lifecycle.log")
    assert host.call("app.query", []) == []


def _ended(host: Host, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(100):
        found = host.call("core.get_jobs", [["id", "=", number]])
        if found[0]["time_finished"]:
            break
    return found


def test_a_file_that_compose_refuses(host: Host) -> None:
    """Where the release asks Compose first, its words are in the error of arguments."""
    if not host.release.checks_compose:
        pytest.skip(f"{host.release.name} doesn't ask Compose about a file first")
    config = _create({"services": {"web": {"image": "box:1", "prots": ["1:1"]}}})
    flags = ["-j", "app.create", f"'{json.dumps(config)}'"]
    said = host.refusal(*flags)

    assert "[EINVAL] app_create.custom_compose_config: Invalid compose configuration: " in said
    assert "prots" in said


def test_health_is_read_as_truenas_does(host: Host) -> None:
    """A container that is not healthy keeps its app in DEPLOYING."""
    stack = _stack()
    stack["services"]["web"]["healthcheck"] = {"test": ["CMD", "/bin/sh", "-c", "exit 1"],
                                               "interval": "1s", "retries": 1}  # fmt: skip
    assert host.call("app.create", _create(stack))["state"] == "DEPLOYING"
    host.call("app.delete", "web", {"remove_images": False})


def test_a_restore_destroys_what_others_started(host: Host) -> None:
    """Registered apps come back running; a stack beside them is gone with its volume."""
    if not host.release.backups:
        pytest.skip(f"{host.release.name} has no backups of Docker")
    host.call("app.create", _create(_stack()))
    image = host.shell("docker", "image", "ls", "-q", "box:1")
    host.shell("docker", "save", "-o", "/root/box.tar", "box:1")
    host.call("docker.backup", "b1")
    argv = ["docker", "run", "-d", "--name", "stranger", "-v", "theirs:/x", "box:1"]
    host.shell(*argv, "/bin/sleep", "600")

    host.call("docker.restore_backup", "b1")

    assert "stranger" not in host.names("container", "--all")
    assert "theirs" not in host.names("volume")
    # Its image is gone, too, and nobody is there to pull it from.
    assert host.call("app.query", [])[0]["state"] == "STOPPED"
    host.shell("docker", "load", "-i", "/root/box.tar")
    assert host.shell("docker", "image", "ls", "-q", "box:1") == image
    assert host.call("app.redeploy", "web")["state"] == "RUNNING"
    host.call("app.delete", "web", {"remove_images": False})


def test_the_release_says_who_it_is(host: Host) -> None:
    """As a script on a NAS asks."""
    assert host.shell("midclt", "call", "system.version") == host.release.version
