"""A host that gets its images from a registry, with a login; and when that does not work."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.functional.conftest import Ended, Site
from tests.functional.nas import Nas
from tests.functional.standin import stand_in
from tests.registries import RegistryServer, running

MAIN = "src/langflix/__main__.py"
USER, PASSWORD = "you", "canary-0451-of-this-test"
PYTHON_ROLES = {"api", "worker", "beat", "flower"}
APP = "/mnt/tank/apps/langflix"
#: Where a login could have been left.
PLACES = (APP, "/dev/shm", "/run/user", "/root", "/home", "/tmp", "/etc/docker", "/var/log")
#: Configurations of images, which are no layers.
SPARE = 1_000_000
_PULLED = re.compile(rb'"GET /v2/\S+/blobs/\S+ HTTP/1\.1" 200 (\d+) "" "docker/')
_WAIT_S = 300.0


class Trade:
    """A checkout, a host that has nothing yet, and a registry on the wire between them.

    Args:
        nas: checkout and host.
        server: the registry, with TLS and a login.
        folder: for Docker's configuration on this machine.
    """

    def __init__(self, nas: Nas, server: RegistryServer, folder: Path) -> None:
        self.nas, self.site, self.server, self.folder = nas, nas.site, server, folder
        self.name = f"{server.host}/home"
        self.log_in(PASSWORD)

    def log_in(self, password: str) -> None:
        """As ``docker login`` does it."""
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        self.folder.mkdir(exist_ok=True)
        config = {"auths": {self.server.host: {"auth": auth}}}
        (self.folder / "config.json").write_text(json.dumps(config))

    @property
    def environment(self) -> dict[str, str]:
        """What this machine's commands know of it."""
        return {"DOCKER_CONFIG": str(self.folder), "SSL_CERT_FILE": str(self.server.authority)}

    def inv(self, *arguments: str) -> Ended:
        """Run a command for the host."""
        return self.site.inv(*arguments, "--host", self.nas.name, **self.environment)

    def json(self, *arguments: str) -> Any:
        """What a command for the host prints, which succeeds."""
        words = (*arguments, "--host", self.nas.name, "--json")
        return self.site.good(*words, **self.environment).json

    def push(self) -> None:
        """Push what the checkout makes."""
        self.site.good("push", "--to", self.name, **self.environment)

    def trust(self, authority: str) -> None:
        """Have the host's Docker believe it."""
        folder = f"/etc/docker/certs.d/{self.server.host}"
        script = f'mkdir -p {folder} && printf %s "$1" >{folder}/ca.crt'
        self.nas.sh("sh", "-c", script, "sh", authority)

    def pulled(self) -> int:
        """Bytes of parts of images that the host's Docker has got so far."""
        return sum(map(int, _PULLED.findall((self.server.folder / "log").read_bytes())))

    def live(self) -> str:
        """The release that serves."""
        status = self.json("status")
        assert not status["drift"], status
        return str(status["release"])


@pytest.fixture
def trade(site: Site, tmp_path: Path) -> Iterator[Trade]:
    """One that works; hosts.toml and the changed file are put back."""
    with stand_in(site, "25.10", "compose", kept=(MAIN,)) as nas:
        info = site.good("rehearsal.up", "--name", nas.name, "--json").json
        here = str(ipaddress.IPv4Address(info["address"]) - 1)
        users = {USER: PASSWORD}
        with running(tmp_path / "registry", address=here, users=users, tls=True) as server:
            made = Trade(nas, server, tmp_path / "docker")
            made.trust(server.authority.read_text())
            yield made


def test_images_come_from_a_registry(trade: Trade) -> None:
    """The first ones, then the changed ones; whatever goes wrong, the release before serves."""
    trade.push()
    planned = trade.json("plan", "--from", trade.name)
    assert planned["bytes_to_send"] == 0
    assert planned["pull"]["registry"] == trade.name and planned["pull"]["images"] > 4
    outcome = trade.json("deploy", "--from", trade.name)
    steps = {one["name"] for one in outcome["steps"]}
    assert outcome["outcome"] == "deployed" and outcome["bytes_sent"] == 0
    assert "pull" in steps and "transfer" not in steps
    assert trade.pulled() <= planned["pull"]["bytes"] + SPARE
    _left_nothing(trade)
    assert trade.json("deploy", "--from", trade.name)["outcome"] == "unchanged"

    trade.site.replace(MAIN, '"""', '"""Changed. ')
    _goes_wrong(trade, outcome["release"])

    changed = trade.json("plan", "--from", trade.name)["pull"]
    assert changed is not None and changed["images"] < planned["pull"]["images"]
    assert changed["bytes"] < planned["pull"]["bytes"] / 10
    before = trade.pulled()
    again = trade.json("deploy", "--from", trade.name)
    assert again["outcome"] == "deployed" and again["bytes_sent"] == 0
    assert trade.pulled() - before <= changed["bytes"] + SPARE
    assert trade.live() == again["release"]
    _left_nothing(trade)


def _goes_wrong(trade: Trade, before: str) -> None:
    """Images that are not there, a wrong password, a host that doubts, a registry that goes."""
    lacking = trade.inv("deploy", "--from", trade.name)
    assert lacking.code == 4, lacking.err
    assert all(role in lacking.err for role in PYTHON_ROLES) and "postgres" not in lacking.err
    assert f"./inv push --to {trade.name}" in lacking.err
    trade.push()

    trade.log_in("wrong")
    refused = trade.inv("deploy", "--from", trade.name)
    assert refused.code == 4 and "does not take the login" in refused.err
    trade.log_in(PASSWORD)

    trade.trust("")
    doubted = trade.inv("deploy", "--from", trade.name)
    assert doubted.code == 5 and "does not believe its certificate" in doubted.err
    assert "nothing that runs was changed" in doubted.err
    trade.trust(trade.server.authority.read_text())

    gone = _deploy_while_it_goes(trade)
    assert gone.code == 5, gone.err
    assert f"can't be pulled from {trade.server.host}" in gone.err
    assert "nothing that runs was changed" in gone.err
    trade.server.start()
    assert trade.live() == before
    for said in (lacking, refused, doubted, gone):
        assert "Traceback" not in said.err and PASSWORD not in said.err + said.out
    _left_nothing(trade)


def _deploy_while_it_goes(trade: Trade) -> Ended:
    """Deploy, and end the registry as soon as the host's Docker asks it for anything."""
    log = trade.server.folder / "log"
    seen = log.stat().st_size
    argv = trade.site.argv("deploy", "--from", trade.name, "--host", trade.nas.name)
    environment = {**os.environ, **trade.environment, "PYTHONPATH": str(trade.site.root / "src")}
    with subprocess.Popen(
        argv, cwd=trade.site.root, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        end = time.monotonic() + _WAIT_S
        while b"docker/" not in log.read_bytes()[seen:] and process.poll() is None:
            assert time.monotonic() < end, trade.server.said()
            time.sleep(0.01)
        trade.server.kill()
        out, err = process.communicate(timeout=_WAIT_S)
    return Ended(process.returncode, out, err)


def _left_nothing(trade: Trade) -> None:
    """No name with the registry in it, no image without a name, no login."""
    listed = ("docker", "image", "ls", "--all", "--digests", "--format")
    names = trade.nas.sh(*listed, "{{.Repository}} {{.Tag}}").splitlines()
    assert names and not [one for one in names if trade.server.host in one or "<none>" in one]
    secrets = [PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()]
    patterns = [word for one in secrets for word in ("-e", one)]
    script = 'grep -rlsF "$@" || [ $? -le 2 ]'
    assert trade.nas.sh("sh", "-c", script, "sh", *patterns, "--", *PLACES).strip() == ""
    assert trade.nas.sh("sh", "-c", "ls -d /dev/shm/slipway-* /run/user/*/slipway-* || :") == ""
