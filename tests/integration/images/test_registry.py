"""Images pushed to Debian's ``docker-registry``: what goes there, what is there, what breaks."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.registries import RegistryServer, registry, running
from tests.registry_tokens import Tokens
from tests.unit.images.sample_images import image_of, real_layer

from slipway.errors import RegistryError
from slipway.images.layers import CHUNK
from slipway.images.registry import client as clients
from slipway.images.registry import push as pushing
from slipway.images.registry.address import Registry, parse_registry
from slipway.images.registry.client import Client, manifest_headers, open_http, repository_scope
from slipway.images.registry.decide import blobs
from slipway.images.registry.open import open_registry
from slipway.images.registry.push import Pushed, Pusher
from slipway.images.registry.upload import PIECE_BYTES, Upload
from slipway.images.values import Image
from slipway.shell import LocalShell

__all__ = ["registry"]

MB = 1_000_000


@dataclass
class Watched:
    """A count that calls somebody with each piece."""

    told: Callable[[int], None] = field(default=lambda _: None)
    count: int = 0

    def advance(self, amount: int, note: str = "") -> None:
        """Count."""
        self.count += amount
        self.told(self.count)

    def expect(self, amount: int) -> None:
        """More is to come."""

    def still(self) -> None:
        """Nothing is shown."""

    def done(self) -> None:
        """Nothing is shown."""


@pytest.fixture
def images(tmp_path: Path) -> tuple[Image, ...]:
    """Two images with a layer in common."""
    base = real_layer(tmp_path, "base", 9 * MB)
    api, edge = real_layer(tmp_path, "api", 6 * MB), real_layer(tmp_path, "edge", 1000)
    return image_of("api", base, api), image_of("edge", base, edge)


@contextmanager
def opened(
    server: RegistryServer, *, config: Path | None = None, warn: Callable[[str], None] | None = None
) -> Iterator[Pusher]:
    """What pushes there, with the logins of a folder."""
    where = Registry(server.host, "home", plain=server.url.startswith("http:"))
    environment = {"DOCKER_CONFIG": str(config or server.folder)}
    said = warn or (lambda _: None)
    with open_registry(where, LocalShell(), environment, server.folder, said) as there:
        yield there


def pushed(
    server: RegistryServer, images: Sequence[Image], *, config: Path | None = None,
    progress: Watched | None = None, warn: Callable[[str], None] | None = None,
) -> Pushed:  # fmt: skip
    """Push, as the task does."""
    with opened(server, config=config, warn=warn) as there:
        return there.push(images, there.look(images), progress or Watched())


def size(images: Sequence[Image]) -> int:
    """Bytes of all parts of images, each once."""
    return sum({one.digest: one.size for image in images for one in blobs(image)}.values())


def has_all(
    server: RegistryServer, images: Sequence[Image], login: tuple[str, str] | None = None
) -> None:
    """Whoever asks by digest or tag gets the manifest that ``build`` names, and every blob."""
    with httpx.Client(trust_env=False, verify=server.trust(), auth=login) as asked:
        for image in images:
            name, _, tag = image.reference.rpartition(":")
            base = f"{server.url}/v2/home/{name}"
            for which in (image.manifest_digest, tag):
                answer = asked.get(f"{base}/manifests/{which}", headers=manifest_headers())
                assert answer.content == image.manifest
            for blob in blobs(image):
                answer = asked.get(f"{base}/blobs/{blob.digest}")
                assert answer.content == b"".join(blob.open())


def logins(folder: Path, host: str, user: str, password: str) -> Path:
    """A folder with Docker's configuration, as ``docker login`` writes it."""
    folder.mkdir(exist_ok=True)
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return folder


def test_images_are_there_as_build_names_them(
    registry: RegistryServer, images: tuple[Image, ...]
) -> None:
    """Each part goes once, though two images have it; a second push sends nothing at all."""
    with opened(registry) as there:
        assert there.there(images) == {image.reference: False for image in images}
    progress = Watched()
    done = pushed(registry, images, progress=progress)
    assert done.wire == done.done.bytes == progress.count == size(images)
    assert [one.source for one in done.done.mounted] == ["home/app/api"]
    has_all(registry, images)

    again = pushed(registry, images)
    assert (again.wire, again.done.named) == (0, ())
    with opened(registry) as there:
        assert there.there(images) == {image.reference: True for image in images}


def test_only_what_changed_goes(
    registry: RegistryServer, images: tuple[Image, ...], tmp_path: Path
) -> None:
    """A new version with one other layer costs that layer and its configuration."""
    pushed(registry, images)
    new = image_of("api", images[0].layers[0], real_layer(tmp_path, "newer", 5000))
    done = pushed(registry, [new, images[1]])
    assert done.wire == new.layers[1].bytes + len(new.config)
    has_all(registry, [new, images[0], images[1]])


def test_with_a_login(images: tuple[Image, ...], tmp_path: Path) -> None:
    """Without one, and with a wrong one, it says which; with the right one all goes."""
    with running(tmp_path / "registry", users={"me": "s3cret-words"}) as server:
        with pytest.raises(RegistryError, match="it wants a login") as none:
            pushed(server, images)
        assert none.value.hint == f"docker login {server.host}"
        wrong = logins(tmp_path / "wrong", server.host, "me", "other-words")
        with pytest.raises(RegistryError, match=f"does not take the login of {wrong}") as other:
            pushed(server, images, config=wrong)
        assert "other-words" not in f"{other.value.message}{other.value.details}"
        right = logins(tmp_path / "right", server.host, "me", "s3cret-words")
        pushed(server, images, config=right)
        has_all(server, images, ("me", "s3cret-words"))
        assert "s3cret-words" not in (server.folder / "log").read_text()


def test_with_a_token_server(images: tuple[Image, ...], tmp_path: Path) -> None:
    """Tokens are asked for by login; who may only read is told so; mounting takes both scopes."""
    with Tokens(tmp_path, {"me": "s3cret", "guest": "words"}, readers=("guest",)) as tokens:
        with running(tmp_path / "registry", token=tokens.settings) as server:
            guest = logins(tmp_path / "guest", server.host, "guest", "words")
            with pytest.raises(RegistryError, match="has no right to") as denied:
                pushed(server, images, config=guest)
            assert denied.value.cause == "denied"
            stranger = logins(tmp_path / "stranger", server.host, "me", "guessed")
            with pytest.raises(RegistryError, match="does not take the login"):
                pushed(server, images, config=stranger)
            me = logins(tmp_path / "me", server.host, "me", "s3cret")
            done = pushed(server, images, config=me)
            assert done.wire == size(images)
            with opened(server, config=guest) as there:
                assert all(there.there(images).values())


def test_tls_of_an_authority_of_ones_own(
    images: tuple[Image, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that nobody vouches for is refused, with the place that mends it."""
    with running(tmp_path / "registry", tls=True) as server:
        with pytest.raises(RegistryError, match="certificate is not to be believed") as caught:
            pushed(server, images)
        place = f"/etc/docker/certs.d/{server.host}/ca.crt"
        assert caught.value.hint == f"put its authority's certificate into {place}"
        certs = tmp_path / "certs.d" / server.host
        certs.mkdir(parents=True)
        (certs / "ca.crt").write_bytes(server.authority.read_bytes())
        monkeypatch.setattr(clients, "CERTS", tmp_path / "certs.d")
        pushed(server, images)
        has_all(server, images)


def test_a_plain_server_is_said_to_be_none_of_tls(registry: RegistryServer) -> None:
    """Somebody forgot to write ``http://``."""
    registry_over_tls = Registry(registry.host)
    with (
        open_registry(registry_over_tls, LocalShell(), {}, registry.folder, print) as there,
        pytest.raises(RegistryError, match="does not speak TLS") as caught,
    ):
        there.there([image_of("api")])
    assert caught.value.hint == f"where that is meant, say so: http://{registry.host}"


def test_killed_and_started_again_in_the_middle(
    images: tuple[Image, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was whole is not sent again; the layer that broke off is, and the push goes on."""
    monkeypatch.setattr(pushing, "BESIDE", 1)
    with running(tmp_path / "registry") as server:
        base, api = images[0].layers
        killed: list[int] = []

        def kill(count: int) -> None:
            if count > base.bytes + 2 * MB and not killed:
                killed.append(count)
                server.kill()
                server.start()

        said: list[str] = []
        done = pushed(server, images, progress=Watched(kill), warn=said.append)
        assert killed and len(said) == 1 and "going on in" in said[0]
        assert size(images) < done.wire <= size(images) + api.bytes
        has_all(server, images)


def test_a_push_that_was_given_up_is_taken_up_by_the_next(
    images: tuple[Image, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with its cause; the next push sends what is missing only."""
    monkeypatch.setattr(pushing, "BESIDE", 1)
    monkeypatch.setattr("slipway.images.registry.upload.PAUSES_S", (0.01,))
    monkeypatch.setattr("slipway.images.registry.client.PAUSES_S", (0.01,))
    with running(tmp_path / "registry") as server:
        base = images[0].layers[0]
        with pytest.raises(RegistryError, match=r"nothing listens there|connection broke"):
            pushed(server, images, progress=Watched(
                lambda count: server.kill() if count > base.bytes + MB else None))  # fmt: skip
        server.start()
        assert pushed(server, images).wire == size(images) - base.bytes
        has_all(server, images)


def test_a_layer_in_pieces_goes_on_where_it_was(
    registry: RegistryServer, images: tuple[Image, ...]
) -> None:
    """Killed between two pieces, it knows the first ones: these don't go again."""
    blob, name = next(blobs(images[0])), "home/app/api"
    where = parse_registry(f"{registry.host}/home")
    told: list[int] = []

    def tell(count: int) -> None:
        if sum(told) == 2 * PIECE_BYTES:  # nothing of the third piece is on its way yet
            registry.kill()
            registry.start()
        told.append(count)

    with open_http(where) as http:
        upload = Upload(
            Client(where, http, None), name, repository_scope(name), blob, tell, lambda _: None,
            most=PIECE_BYTES,
        )  # fmt: skip
        upload.run()
    assert sum(told) == blob.size
    assert blob.size < upload.wire <= blob.size + CHUNK  # the chunk that was on its way went twice
    answer = httpx.get(f"{registry.url}/v2/home/app/api/blobs/{blob.digest}", trust_env=False)
    assert answer.content == b"".join(blob.open())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told(
    images: tuple[Image, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is too large, and with what helps; nothing is asked again and again."""
    monkeypatch.setattr(pushing, "BESIDE", 1)
    folder = tmp_path / "registry"
    small = ("unshare", "--mount", "sh", "-c",
             'mkdir -p "$0" && mount -t tmpfs -o size=4m small "$0" && exec "$@"',
             f"{folder}/data")  # fmt: skip
    said: list[str] = []
    with running(folder, prefix=small) as server:
        with pytest.raises(RegistryError, match="no room for the layer base") as caught:
            pushed(server, images, warn=said.append)
    assert caught.value.cause == "full" and "garbage collection" in str(caught.value.hint)
    assert not said
