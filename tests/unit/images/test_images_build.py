"""Building images with Nix, with a shell that runs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from slipway import config
from slipway.errors import BuildError
from slipway.images.build import build_again, read_images
from slipway.testing import FakeShell

DIGEST = f"sha256:{'4' * 64}"
HASH = "0" * 32
SETTINGS = replace(config.load(Path(__file__).parents[3]), application="app")


def written(folder: Path, role: str) -> Path:
    """A description as it lies in the store."""
    path = folder / f"{HASH}-{role}-image.json"
    layer = {
        "digest": DIGEST,
        "size": 3584,
        "diff_ids": DIGEST,
        "paths": [{"path": f"/nix/store/{HASH}-layer-base"}],
        "mediatype": "application/vnd.oci.image.layer.v1.tar",
    }
    value = {"version": 1, "image-config": {"Cmd": [role]}, "layers": [layer], "arch": "amd64"}
    path.write_text(json.dumps(value))
    return path


def test_each_role_gets_its_own_image(tmp_path: Path) -> None:
    """Images come in the order of the roles, whatever the order of what was built."""
    paths = {f"{role}-image": written(tmp_path, role) for role in ("worker", "api")}

    images = read_images(paths, "app", ("api", "worker"))

    assert [(image.role, json.loads(image.config)["config"]["Cmd"]) for image in images] == [
        ("api", ["api"]),
        ("worker", ["worker"]),
    ]


def test_rebuild_builds_layers_and_images_again(tmp_path: Path) -> None:
    """Every layer and image is built once more and compared by Nix."""
    shell = FakeShell()
    shell.on("nix-build", reply=f"/nix/store/{HASH}-x\n")
    shell.on("git", reply=b"")
    images = read_images({"api-image": written(tmp_path, "api")}, "app", ("api",))

    build_again(shell, tmp_path, SETTINGS, images)

    calls = [call for call in shell.calls if call[0] == "nix-build"]
    assert "--check" in calls[-1]
    assert [word for word in calls[-1] if "x86_64-linux" in word] == [
        "layers.x86_64-linux.api-base",
        "layers.x86_64-linux.api-base-json",
        "packages.x86_64-linux.api-image",
    ]


def test_a_description_that_vanished_is_an_error(tmp_path: Path) -> None:
    """A store path that can't be read is named."""
    with pytest.raises(BuildError, match="just built, can't be read"):
        read_images({"api-image": tmp_path / "gone"}, "app", ("api",))
