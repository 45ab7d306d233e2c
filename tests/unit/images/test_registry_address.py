"""What is an address of a registry, and what images are called there."""

from __future__ import annotations

import pytest
from tests.unit.images.sample_images import image_of, layer

from slipway.images.registry.address import Registry, is_loopback, parse_registry


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("registry.lan:5000", Registry("registry.lan:5000")),
        ("registry.lan:5000/home", Registry("registry.lan:5000", "home")),
        ("ghcr.io/me/stacks/", Registry("ghcr.io", "me/stacks")),
        ("https://registry.lan/a__b/c-d.e_f", Registry("registry.lan", "a__b/c-d.e_f")),
        ("http://registry.lan:80/x", Registry("registry.lan:80", "x", plain=True)),
        ("localhost/x", Registry("localhost", "x", plain=True)),
        ("localhost:5000", Registry("localhost:5000", plain=True)),
        ("127.0.0.1:5000", Registry("127.0.0.1:5000", plain=True)),
        ("[::1]:5000/x", Registry("[::1]:5000", "x", plain=True)),
        ("https://localhost:5000", Registry("localhost:5000")),
        ("10.0.0.7:5000", Registry("10.0.0.7:5000")),
        ("[fd00::7]:5000", Registry("[fd00::7]:5000")),
    ],
)
def test_addresses(text: str, found: Registry) -> None:
    """Without a scheme it is TLS, but to this machine."""
    assert parse_registry(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "should be a server"),
        ("registry", "should be a server"),
        ("langflix/api", "should be a server"),
        ("ftp://registry.lan", "should begin with a server or https://"),
        ("oci://registry.lan/x", "should begin with a server or https://"),
        ("me:words@registry.lan", "should be a server"),
        ("registry.lan:five", "should be a server"),
        ("-registry.lan", "should be a server"),
        ("registry.lan/Home", "a-z and 0-9"),
        ("registry.lan/a//b", "a-z and 0-9"),
        ("registry.lan/api:latest", "without a tag"),
        ("registry.lan/../x", "a-z and 0-9"),
        ("registry.lan/a?b=c", "a-z and 0-9"),
        ("docker.io/me", "can't be Docker Hub"),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    """Each with its reason."""
    with pytest.raises(ValueError, match=why):
        parse_registry(text)


def test_names_of_images() -> None:
    """By digest for machines, by tag for people, below the folder if there is one."""
    image = image_of("api", layer("a"))
    where = parse_registry("registry.lan:5000/home")
    assert where.pinned(image) == f"registry.lan:5000/home/app/api@{image.manifest_digest}"
    assert where.tagged(image) == f"registry.lan:5000/home/{image.reference}"
    assert Registry("r.lan").repository(image) == "app/api"
    assert (str(where), where.url) == ("registry.lan:5000/home", "https://registry.lan:5000")
    assert str(Registry("r.lan")) == "r.lan"


def test_this_machine_by_its_name() -> None:
    """Only by names that can be no other's."""
    assert all(map(is_loopback, ("localhost", "localhost:5000", "127.9.9.9:1", "[::1]:5000")))
    assert not any(map(is_loopback, ("localhost.example", "128.0.0.1", "[::2]:1", "a.b:5000")))
