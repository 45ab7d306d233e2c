"""Pulls by a real Docker from a real registry, with either store of images, and all refusals."""

from __future__ import annotations

import base64
import ipaddress
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.functional.variants import containerd_store
from tests.integration.images.test_registry import Watched
from tests.integration.rehearsal.conftest import Lab, ask
from tests.registries import RegistryServer, running
from tests.unit.images.sample_images import image_of, real_layer

from slipway.hosts.rehearsal import RehearsalInfo, machine
from slipway.hosts.rehearsal.values import Places
from slipway.images.registry.address import Registry
from slipway.images.registry.logins import Login as Known
from slipway.images.registry.open import open_as
from slipway.images.values import Image
from slipway.runner.docker import HostDocker
from slipway.runner.failure import Failed
from slipway.runner.login import Login
from slipway.secret import Secret

USER, PASSWORD = "you", "canary-0451"
STORES = ("overlay2", "containerd")


@dataclass
class Counter:
    """A host's Docker, and a registry on its wire that has images."""

    info: RehearsalInfo
    server: RegistryServer
    images: tuple[Image, ...]
    docker: HostDocker

    @property
    def registry(self) -> Registry:
        """Where they are."""
        return Registry(self.server.host, "home")

    def pull(self, image: Image, password: str = PASSWORD) -> None:
        """Have the host get one."""
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        login = Login(json.dumps({"auths": {self.server.host: {"auth": auth}}}))
        self.docker.pull(self.registry.pinned(image), image.reference, login)

    def trust(self, authority: str) -> None:
        """Have the host's Docker believe it, or not."""
        folder = f"/etc/docker/certs.d/{self.server.host}"
        ask(self.info, f"mkdir -p {folder} && cat >{folder}/ca.crt", data=authority.encode())

    def names(self) -> list[str]:
        """Every name of every image there, by tag and by digest."""
        form = "'{{.Repository}}:{{.Tag}}@{{.Digest}}'"
        return ask(
            self.info, f"docker image ls --all --digests --no-trunc --format {form}"
        ).splitlines()


@pytest.fixture(params=STORES)
def counter(
    request: pytest.FixtureRequest, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Counter]:
    """A host that has nothing, and a registry with two images, TLS and a login."""
    tree = lab.tree
    if request.param == "containerd":
        tree = Path(shutil.copytree(tree, tmp_path / "tree", symlinks=True))
        subprocess.run(("chmod", "-R", "u+w", tree), check=True)
        containerd_store(tree)
    info = lab.hosts.up(request.param, tree)
    driver = ask(info, "docker info --format '{{.Driver}}'")
    assert driver == {"overlay2": "overlay2", "containerd": "overlayfs"}[request.param]
    here = str(ipaddress.IPv4Address(info.address) - 1)
    base = real_layer(tmp_path, "base", 3_000_000)
    images = tuple(
        image_of(role, base, real_layer(tmp_path, role, 1000)) for role in ("api", "edge")
    )
    (pid,) = machine.processes(Places((lab.root / request.param).resolve()).marker)
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\nDOCKER_HOST=unix:///proc/{pid}/root/run/docker.sock exec docker "$@"\n'
    )
    program.chmod(0o755)
    with running(tmp_path / "registry", address=here, users={USER: PASSWORD}, tls=True) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        made = Counter(info, server, images, HostDocker("pulls", str(program), spare=str(tmp_path)))
        known = Known(USER, Secret(PASSWORD), "this test")
        with open_as(made.registry, known, lambda _: None) as there:
            there.push(images, there.look(images), Watched())
        yield made


def test_an_image_is_as_if_it_had_been_sent(counter: Counter) -> None:
    """By its own name alone, with its own id; when that goes, all of it goes."""
    counter.trust(counter.server.authority.read_text())
    for image in counter.images:
        counter.pull(image)
        found = ask(counter.info, "docker", "image", "inspect", "--format", "{{.Id}}",
                    image.reference)  # fmt: skip
        assert found in (image.config_digest, image.manifest_digest)
    assert len(counter.names()) == 2
    assert not [one for one in counter.names() if counter.server.host in one or "<none>:" in one]
    counter.pull(counter.images[0])
    assert len(counter.names()) == 2
    assert counter.docker.remove_images([one.reference for one in counter.images]) == 0
    assert counter.names() == []


def test_what_a_real_docker_says_is_understood(counter: Counter, tmp_path: Path) -> None:
    """A certificate that nobody vouches for, a wrong login, another digest, nobody at home."""
    image = counter.images[0]
    with pytest.raises(Failed, match="does not believe its certificate"):
        counter.pull(image)
    counter.trust(counter.server.authority.read_text())
    with pytest.raises(Failed, match="does not take the login"):
        counter.pull(image, "wrong")
    with pytest.raises(Failed, match="it is not there"):
        counter.pull(image_of("api", real_layer(tmp_path, "other", 10)))
    (blob,) = (counter.server.data / "docker/registry/v2/blobs").glob(
        f"sha256/*/{image.layers[1].digest.removeprefix('sha256:')}/data"
    )
    kept = blob.read_bytes()
    blob.unlink()
    with pytest.raises(Failed, match="can't be pulled from"):
        counter.pull(image)
    blob.write_bytes(kept)
    counter.server.stop()
    with pytest.raises(Failed, match="the host can't reach it"):
        counter.pull(image)
    assert counter.names() == []
    counter.server.start()
    counter.pull(image)
    assert len(counter.names()) == 1
