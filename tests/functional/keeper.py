"""Somebody who may look after apps of a TrueNAS and their data, and has no right to Docker.

Images come from a registry on the wire between this machine and the stand-in.
"""

from __future__ import annotations

import ipaddress
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.functional.conftest import FILES, Ended
from tests.functional.nas import APP, STANDING, Nas
from tests.functional.test_other_hosts import add_host
from tests.registries import RegistryServer, running

from slipway.hosts.rehearsal import POOL
from slipway.hosts.rehearsal.nas.people import KEEPER
from slipway.stack.project import ONLY

APP_DIR = f"{POOL}/apps/{APP}"
USER, PASSWORD = "anna", "a-word-that-nobody-logs"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Keeper:
    """A login without sudo.

    Attributes:
        nas: the stand-in, as somebody at its web interface sees it.
        server: the registry.
        folder: for Docker's configuration on this machine.
        address: of the stand-in.
    """

    nas: Nas
    server: RegistryServer
    folder: Path
    address: str

    @property
    def host(self) -> str:
        """The host's name in hosts.toml."""
        return f"{self.nas.name}-{KEEPER}"

    @property
    def registry(self) -> str:
        """Where images are."""
        return f"{self.server.host}/home"

    def inv(self, *arguments: str) -> Ended:
        """Run a command; what is deployed was pushed before."""
        known = {"DOCKER_CONFIG": str(self.folder), "SSL_CERT_FILE": str(self.server.authority)}
        if arguments[0] in ("deploy", "plan"):
            pushed = self.nas.site.inv("push", "--to", self.registry, **known)
            assert pushed.code == 0, pushed.err
        return self.nas.site.inv(*arguments, **known)

    def good(self, *arguments: str) -> Any:
        """What a command for this host prints, which has to succeed."""
        done = self.inv(*arguments, "--host", self.host, "--json")
        assert done.code == 0, done.err + done.out
        assert PASSWORD not in done.err + done.out
        return done.json

    def healthy(self) -> bool:
        """Whether all of the stack is well."""
        seen = self.inv("status", "--host", self.host, "--json")
        return (
            seen.code == 0
            and [one["health"] for one in seen.json["services"]] == ["healthy"] * STANDING
        )

    def jobs(self) -> list[str]:
        """What the stack's database remembers."""
        told = httpx.get(f"http://{self.address}:8080/api/v1/jobs", timeout=60).json()
        return [one["id"] for one in told["jobs"]]

    def send_film(self) -> None:
        """Have the database remember one more."""
        film = ROOT / ".slipway/samples/bigbuckbunny.mp4"
        text = ROOT / "tests/data/bigbuckbunny.srt"
        files = {
            "video": (film.name, film.read_bytes()),
            "subtitle": (text.name, text.read_bytes()),
        }
        made = httpx.post(f"http://{self.address}:8080/api/v1/jobs", files=files, timeout=60)
        assert made.status_code in (201, 202), made.text

    def own(self) -> None:
        """Give what root wrote to the keeper, as docs/guides/app-only.md says."""
        script = """mkdir -p "$1"; cd "$1"
            find . -path ./data -prune -o -user root -exec chown "$2" {} +
            [ ! -d secrets ] || { chgrp -R "$(id -g "$2")" secrets; chmod -R g+r secrets; }"""
        self.nas.sh("sh", "-euc", script, "x", APP_DIR, KEEPER)


@contextmanager
def keeper(nas: Nas, folder: Path) -> Iterator[Keeper]:
    """A keeper of a stand-in, which it boots, with a registry that its Docker believes.

    Args:
        folder: for the registry and for Docker's configuration.
    """
    info = nas.site.good("rehearsal.up", "--name", nas.name, "--json").json
    here = str(ipaddress.IPv4Address(info["address"]) - 1)
    users = {USER: PASSWORD}
    with running(folder / "registry", address=here, users=users, tls=True) as server:
        made = Keeper(nas, server, folder / "docker", info["address"])
        made.folder.mkdir()
        auth = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        config = {"auths": {server.host: {"auth": auth}}}
        (made.folder / "config.json").write_text(json.dumps(config))
        trust(made)
        made.own()
        add_host(nas.site, made.host, {
            "kind": "ssh",
            "address": info["address"],
            "user": KEEPER,
            "key_file": info["key_path"],
            "known_hosts": info["known_hosts_path"],
            "mode": ONLY,
            "registry": made.registry,
            "app_dir": APP_DIR,
            "compose": FILES,
            "variables": {"LANGFLIX_API_TOKEN_FILE": ""},
        })  # fmt: skip
        yield made


def trust(keeper: Keeper) -> None:
    """Have the NAS' Docker believe the registry, until it boots again."""
    folder = f"/etc/docker/certs.d/{keeper.server.host}"
    script = f'mkdir -p {folder} && printf %s "$1" >{folder}/ca.crt'
    keeper.nas.sh("sh", "-c", script, "sh", keeper.server.authority.read_text())
