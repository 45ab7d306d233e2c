"""Building images with Nix, with a shell that runs nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.doors import Completed
from slipway.errors import BuildError, CommandFailed
from slipway.images.build import build
from slipway.testing import FakeShell

DIGEST = f"sha256:{'4' * 64}"
HASH = "0" * 32


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


def built(*paths: Path) -> str:
    """The answer of ``nix build --json``."""
    return json.dumps([{"drvPath": "/nix/store/x.drv", "outputs": {"out": str(p)}} for p in paths])


def failing(log: str) -> FakeShell:
    shell = FakeShell()
    shell.on("nix", reply=Completed(("nix",), 1, b"", log.encode()))
    return shell


def test_one_run_builds_all_roles_in_any_order(tmp_path: Path) -> None:
    """Nix answers in its own order; each role gets its own image."""
    shell = FakeShell()
    shell.on("nix", reply=built(written(tmp_path, "worker"), written(tmp_path, "api")))
    images = build(shell, "app", ("api", "worker"), root=tmp_path)
    assert [(image.role, json.loads(image.config)["config"]["Cmd"]) for image in images] == [
        ("api", ["api"]),
        ("worker", ["worker"]),
    ]
    assert [call[3:] for call in shell.calls] == [
        (
            "build",
            "--no-link",
            "--json",
            ".#packages.x86_64-linux.api-image",
            ".#packages.x86_64-linux.worker-image",
        )
    ]


def test_rebuild_builds_layers_and_images_again(tmp_path: Path) -> None:
    """After the build, layers and images are built once more and compared by Nix."""
    shell = FakeShell()
    shell.on("nix", reply=built(written(tmp_path, "api")))
    build(shell, "app", ("api",), root=tmp_path, rebuild=True)
    assert [call[5:] for call in shell.calls[1:]] == [
        (
            "--rebuild",
            ".#layers.x86_64-linux.api-base",
            ".#layers.x86_64-linux.api-base-json",
            ".#packages.x86_64-linux.api-image",
        )
    ]


def test_a_difference_after_a_rebuild_is_an_error(tmp_path: Path) -> None:
    """Nix's word that a derivation is not deterministic is passed on."""
    log = (
        "checking outputs of '/nix/store/x.drv'...\n"
        "error: derivation '/nix/store/x.drv' may not be deterministic: output '/nix/store/x' "
        "differs"
    )
    with pytest.raises(BuildError, match="other bytes: derivation '/nix") as caught:
        build(failing(log), "app", ("api",), root=tmp_path)
    assert caught.value.stage == "rebuild"


@pytest.mark.parametrize(
    "log",
    [
        "error: the package libssl3t64 is not in the store; run ./inv fetch\n(use '--show-trace')",
        "error:\n       … while evaluating\n\n       error: the package libssl3t64 is not in the "
        "store; run ./inv fetch\n",
    ],
)
def test_a_missing_input_is_one_sentence(tmp_path: Path, log: str) -> None:
    """Nix's sentence about a missing input is the message, with old and new Nix."""
    with pytest.raises(BuildError) as caught:
        build(failing(log), "app", ("api",), root=tmp_path)
    assert caught.value.message == "the package libssl3t64 is not in the store; run ./inv fetch"
    assert caught.value.hint == "./inv fetch"
    assert caught.value.details == ()


def test_a_failed_build_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """The last lines of what Nix said come with the error."""
    log = "\n".join(f"line {number}" for number in range(100))
    with pytest.raises(BuildError) as caught:
        build(failing(log), "app", ("api",), root=tmp_path)
    assert caught.value.details[-1] == "line 99"
    assert len(caught.value.details) < 40


def test_no_nix_is_a_build_error(tmp_path: Path) -> None:
    """A machine without Nix is told so, with exit code 3 and not as an unreachable host."""
    shell = FakeShell()
    shell.on("nix", reply=CommandFailed(("nix",), 127, "no such file", where="this machine"))
    with pytest.raises(BuildError, match="Nix can't be run") as caught:
        build(shell, "app", ("api",), root=tmp_path)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "answer", ["", "{}", "[1]", '[{"outputs": 3}]', '[{"outputs": {"out": "/nix/store/other"}}]']
)
def test_an_answer_without_the_image_is_an_error(tmp_path: Path, answer: str) -> None:
    """Whatever else Nix answers, it is an error and not a traceback."""
    shell = FakeShell()
    shell.on("nix", reply=answer)
    with pytest.raises(BuildError):
        build(shell, "app", ("api",), root=tmp_path)


def test_a_description_that_vanished_is_an_error(tmp_path: Path) -> None:
    """A store path that can't be read is named."""
    shell = FakeShell()
    shell.on("nix", reply=built(tmp_path / f"{HASH}-api-image.json"))
    with pytest.raises(BuildError, match="just built, can't be read"):
        build(shell, "app", ("api",), root=tmp_path)
