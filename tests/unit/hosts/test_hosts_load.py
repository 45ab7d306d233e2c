"""Loading images is believed only after looking. What Docker says was recorded from 26.1.5."""

from __future__ import annotations

import json

import pytest

from slipway.doors import Completed
from slipway.errors import HostError
from slipway.hosts.facts import Facts
from slipway.hosts.load import _LOAD, Loaded, load, pick_encoding
from slipway.images.values import Image, Layer
from slipway.testing import FakeHost

MISSING_LAYER = b"open /d/tmp/docker-import-1/blobs/sha256/1f: no such file or directory\n"


def image(role: str) -> Image:
    """An image of two layers."""
    layers = (Layer("sha256:base", 1, "base", ()), Layer(f"sha256:{role}", 1, role, ()))
    return Image(role, f"t/{role}:1", b"", f"sha256:c-{role}", b"", f"sha256:m-{role}", layers)


API, WEB = image("api"), image("web")


def seen(one: Image, identity: str, *layers: str) -> str:
    """The line that inspecting an image prints."""
    return json.dumps({"Id": identity, "RepoTags": [one.reference], "Layers": layers}) + "\n"


def good(one: Image) -> str:
    """The line of an image that is as it should be."""
    return seen(one, one.config_digest, *(layer.digest for layer in one.layers))


def loading(said: Completed | str, inspected: str) -> tuple[FakeHost, Loaded]:
    """Load both images on a host that answers so."""
    host = FakeHost(name="nas")
    host.on("sh", "-c", _LOAD, reply=said)
    host.on("sh", "-c", reply=inspected)
    host.on("docker", "image", "rm")
    return host, load(host, [b"ab", b"c"], [API, WEB])


def removed(host: FakeHost) -> list[tuple[str, ...]]:
    """What was asked to be removed."""
    return [call[3:] for call in host.calls if call[:3] == ("docker", "image", "rm")]


BOTH = "Loaded image: t/api:1\nLoaded image: t/web:1\n"


def test_all_is_well() -> None:
    """Images that are there with their own ids and layers are believed; nothing is removed."""
    host, loaded = loading(BOTH, good(API) + good(WEB))
    assert loaded == Loaded(("t/api:1", "t/web:1"), ())
    assert (host.streamed, removed(host)) == ([b"abc"], [])


def test_the_containerd_stores_id_is_the_manifests() -> None:
    """With containerd's store the id is the manifest's digest, and as good."""
    layers = [layer.digest for layer in API.layers]
    _, loaded = loading(BOTH, seen(API, API.manifest_digest, *layers) + good(WEB))
    assert loaded.doubtful == ()


@pytest.mark.parametrize(
    "web",
    ["", seen(WEB, "sha256:other", "sha256:base", "sha256:web"),
     seen(WEB, WEB.config_digest, "sha256:base"),
     seen(WEB, WEB.config_digest, "sha256:web", "sha256:base")],
    ids=["absent", "another id", "a layer less", "another order"],
)  # fmt: skip
def test_an_image_that_is_not_right(web: str) -> None:
    """An image that is absent or another is doubted alone, and its tag removed."""
    host, loaded = loading(BOTH, good(API) + web)
    assert (loaded.good, loaded.doubtful) == (("t/api:1",), (WEB,))
    assert removed(host) == [("t/web:1",)]


def test_a_failed_load_is_doubted_whole() -> None:
    """When Docker failed nothing is believed, and its words are kept."""
    host, loaded = loading(Completed((), 1, b"", MISSING_LAYER), good(API) + good(WEB))
    assert (loaded.good, loaded.doubtful) == ((), (API, WEB))
    assert loaded.said == (MISSING_LAYER.decode().strip(),)
    assert removed(host) == [("t/api:1", "t/web:1")]


def test_an_unexpected_word_is_a_doubt() -> None:
    """containerd's store ends with 0 and prints a line when it could not unpack an image."""
    said = BOTH + "Error unpacking image t/web:1: content digest not found\n"
    _, loaded = loading(said, good(API) + good(WEB))
    assert loaded.doubtful == (API, WEB)
    assert loaded.said == ("Error unpacking image t/web:1: content digest not found",)


def test_a_silent_failure_has_words_too() -> None:
    """A load that fails without a word names its exit code."""
    _, loaded = loading(Completed((), 3, b"", b""), "")
    assert loaded.said == ("docker load ended with 3",)


def test_docker_that_is_gone_is_an_error() -> None:
    """When Docker doesn't answer at all, sending again would be of no use."""
    host = FakeHost(name="nas")
    host.on("sh", "-c", _LOAD, reply=127)
    host.on("sh", "-c", reply=127)
    with pytest.raises(HostError, match="nas has no Docker"):
        load(host, [b"x"], [API])


@pytest.mark.parametrize(
    ("version", "containerd", "encoding"),
    [("20.10.24", False, "gzip"), ("23.0.1", False, "zstd"), ("24.0.7", True, "none"),
     ("25.0.0", True, "zstd"), ("26.1.5+dfsg1", False, "zstd"), ("dev", False, "gzip")],
)  # fmt: skip
def test_the_encoding_fits_the_engine(version: str, containerd: bool, encoding: str) -> None:
    """Only what the engine itself undoes is sent."""
    facts = Facts(version, "2.26.1", containerd_store=containerd)
    assert pick_encoding(facts) == encoding
