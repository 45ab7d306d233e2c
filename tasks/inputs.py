"""Locks, locked inputs, images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from slipway.errors import ConfigError
from tasks.command import JSON, LOCKED, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(
    help={
        "only": "python, debian, go or dev; may be given several times",
        "check": "write nothing: compare the locks with the indexes that vouch for them",
        "update": "show what changed, with the lines of each package's changelog",
        "json": JSON,
    },
    iterable=["only"],
)
def lock(
    workspace: Workspace,
    only: list[str],
    check: bool = False,
    update: bool = False,
    json: bool = False,
) -> Answer | None:
    """Resolve the inputs anew and write the locks."""
    if check and update:
        raise ConfigError(
            "--check writes nothing and --update writes the locks",
            hint="./inv lock --check, or ./inv lock --update",
        )
    if update:
        told = workspace.supplies(locked=False).update(tuple(only or ()))
        return Answer(told.to_json(), told.to_text())
    if check:
        done = workspace.supplies(locked=True).check_locks()
        return Answer(done.to_json(), talk=str(done))
    workspace.supplies(locked=False).lock(tuple(only or ()))
    return None


@command(help={"locked": LOCKED, "json": JSON})
def fetch(workspace: Workspace, locked: bool = False, json: bool = False) -> Answer:
    """Bring locked inputs into the Nix store."""
    done = workspace.supplies(locked=locked).bring()
    talk = "" if done.files else "every locked input is in the store"
    return Answer(done.to_json(), talk=talk)


@command(
    help={
        "role": "only this image; may be given several times",
        "rebuild": "build every layer a second time and compare the bytes",
        "locked": LOCKED,
        "json": JSON,
    },
    iterable=["role"],
)
def build(
    workspace: Workspace,
    role: list[str],
    rebuild: bool = False,
    locked: bool = False,
    json: bool = False,
) -> Answer:
    """Build the images; show digests, sizes and layers."""
    from slipway.images.summary import summary, summary_text

    images = workspace.images(locked=locked, roles=tuple(role or ()), rebuild=rebuild)
    return Answer(summary(images), summary_text(images))


@command(
    help={
        "to": "a registry, and folders in it, such as registry.lan:5000/home "
        "(default: `registry` of deploy/hosts.toml)",
        "dry-run": "say what would be sent, and send nothing",
        "locked": LOCKED,
        "json": JSON,
    },
)
def push(
    workspace: Workspace,
    to: str = "",
    dry_run: bool = False,
    locked: bool = False,
    json: bool = False,
) -> Answer:
    """Build the images and send a registry what it lacks."""
    from slipway.app.pushing import push_answer
    from slipway.report import alive

    registry = workspace.registry(to)
    images = workspace.images(locked=locked)
    with workspace.open_registry(registry) as there:
        workspace.report.step("push", f"{len(images)} images to {registry}")
        todo = there.look(images)
        if dry_run:
            return push_answer(registry, images, todo.bytes, pushed=False)
        progress = workspace.report.progress("sent", todo.bytes)
        with alive(progress):
            done = there.push(images, todo, progress)
        progress.done()
    return push_answer(registry, images, done.wire, pushed=True)
