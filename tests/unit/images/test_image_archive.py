"""The stream that docker load reads."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.images.sample_images import image_of, real_layer

from slipway.errors import BuildError
from slipway.images.archive import archive
from slipway.images.layout import full_name
from slipway.images.transfer import Transfer, plan_transfer, whole
from slipway.images.values import HeldImages


def unpacked(transfer: Transfer) -> dict[str, bytes]:
    """The archive's files, in order, read by Python's own tar reader."""
    data = b"".join(archive(transfer))
    assert len(data) == transfer.bytes_to_send
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
        assert len({member.name for member in members}) == len(members)
        return {member.name: file.read() for member in members if (file := tar.extractfile(member))}


def test_both_layouts_point_at_the_same_blobs(tmp_path: Path) -> None:
    """Every blob has the digest of its name, and both indexes lead to every one of them."""
    base, api, worker = (real_layer(tmp_path, name) for name in ("base", "api", "worker"))
    images = (image_of("api", base, api), image_of("worker", base, worker))
    files = unpacked(whole(images))
    blobs = {name.removeprefix("blobs/sha256/") for name in files if name.startswith("blobs/")}
    for name in blobs:
        assert hashlib.sha256(files[f"blobs/sha256/{name}"]).hexdigest() == name
    index = json.loads(files["index.json"])
    reached = set()
    for entry in index["manifests"]:
        manifest = json.loads(files["blobs/" + entry["digest"].replace(":", "/")])
        assert len(files["blobs/" + entry["digest"].replace(":", "/")]) == entry["size"]
        for part in (entry, manifest["config"], *manifest["layers"]):
            reached.add(part["digest"].removeprefix("sha256:"))
    assert reached == blobs
    docker = json.loads(files["manifest.json"])
    assert [image["RepoTags"] for image in docker] == [[image.reference] for image in images]
    assert {path for image in docker for path in (image["Config"], *image["Layers"])} < set(files)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_names_are_written_as_each_store_wants_them(tmp_path: Path) -> None:
    """containerd gets the full name, the layout's own annotation the tag."""
    image = image_of("api", real_layer(tmp_path, "base"))
    (entry,) = json.loads(unpacked(whole((image,)))["index.json"])["manifests"]
    assert entry["annotations"] == {
        "io.containerd.image.name": f"docker.io/{image.reference}",
        "org.opencontainers.image.ref.name": image.reference.split(":")[1],
    }


def test_a_reference_with_a_registry_keeps_it() -> None:
    """Only a name without a registry gets Docker's default one."""
    assert full_name("nas.local:5000/app/api:1") == "nas.local:5000/app/api:1"
    assert full_name("localhost/app:1") == "localhost/app:1"
    assert full_name("app/api:1") == "docker.io/app/api:1"


def test_a_held_layer_is_named_but_not_sent(tmp_path: Path) -> None:
    """The layer the host has stays in both manifests and out of the blobs."""
    base, api = real_layer(tmp_path, "base"), real_layer(tmp_path, "api")
    image = image_of("api", base, api)
    files = unpacked(plan_transfer((image,), HeldImages(((base.digest,),))))
    path = "blobs/" + base.digest.replace(":", "/")
    assert path not in files
    assert path in json.loads(files["manifest.json"])[0]["Layers"]


def test_nothing_to_send_is_no_bytes() -> None:
    """An empty transfer is an empty stream, not an empty archive."""
    assert list(archive(Transfer())) == []


def test_a_wrong_layer_ends_the_stream_inside_itself(tmp_path: Path) -> None:
    """After a mismatch nothing follows, so what arrived can't be read as a whole archive."""
    wrong = replace(real_layer(tmp_path, "base"), digest=f"sha256:{'0' * 64}")
    transfer = whole((image_of("api", wrong),))
    arrived = bytearray()
    with pytest.raises(BuildError, match="the layer base differs from its description"):
        for chunk in archive(transfer):
            arrived += chunk
    assert len(arrived) < transfer.bytes_to_send
    with tarfile.open(fileobj=io.BytesIO(bytes(arrived))) as tar:
        with pytest.raises(tarfile.ReadError, match="unexpected end of data"):
            tar.getmembers()
