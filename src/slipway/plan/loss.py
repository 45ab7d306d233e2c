"""What of a recorded release a host has no more, and what of that a deploy writes anew. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slipway.images.values import Image
from slipway.ledger.layout import compose_file, secret_file
from slipway.ledger.records import Memory
from slipway.ledger.release import Release
from slipway.plan.secrets import SecretChoice
from slipway.plan.wanted import Seen
from slipway.stack.render import Rendered


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of a release that the host has no more.

    Attributes:
        kind: ``image``, ``file``, ``secret`` or ``compose``.
        name: the image's reference, or the path relative to the application's folder.
        anew: whether the deploy that was planned writes it anew before it changes anything.
    """

    kind: str
    name: str
    anew: bool = False

    def to_json(self) -> dict[str, object]:
        """What ``plan --json`` prints of it."""
        return {"what": str(self), "anew": self.anew}

    def __str__(self) -> str:
        nouns = {"image": "the image", "compose": "the Compose file"}
        return f"{nouns.get(self.kind, 'the file')} {self.name}"


def lost(release: Release, seen: Seen) -> tuple[Loss, ...]:
    """What of a release the host has no more; a Compose file counts when it is another one."""
    held, memory = seen.engine.images.references, seen.memory
    images = [
        Loss("image", image.reference)
        for image in release.images.values()
        if not image.is_id(held.get(image.reference, ""))
    ]
    needed = [Loss("file", path) for path in release.files]
    needed += [Loss("secret", secret_file(*one)) for one in release.secrets.items()]
    compose = [Loss("compose", compose_file(release.id))] if release.id in memory.bare else []
    return (*images, *(one for one in needed if one.name not in memory.files), *compose)


def losses(
    seen: Seen,
    release: Release,
    images: Sequence[Image],
    rendered: Rendered,
    choices: Sequence[SecretChoice],
) -> tuple[Loss, ...]:
    """What of the live release the host has no more, once a deploy is planned.

    Args:
        seen: what the host holds.
        release: the one to be made, whose files are written.
        images: those of it, which are sent.
        rendered: its Compose file. The same text is the live release's, too.
        choices: its secrets.
    """
    live = seen.memory.records.live
    if live is None:
        return ()
    brought = {image.reference for image in images} | set(release.files)
    brought |= {secret_file(one.spec.name, one.version) for one in choices if one.origin != "kept"}
    brought |= {path for path, _ in given_again(seen.memory, choices)}
    if rendered.sha256 == live.compose:
        brought.add(compose_file(live.id))
    return tuple(replace(one, anew=one.name in brought) for one in lost(live, seen))


def given_again(
    memory: Memory, choices: Sequence[SecretChoice]
) -> tuple[tuple[str, SecretChoice], ...]:
    """Versions of secrets that the live release uses and the host has lost, and their new content.

    What somebody supplies has a new version, so that whoever runs with the lost one is replaced. It
    is also the best that is known of the lost one, without which there is no way back.
    """
    live = memory.records.live
    used = live.secrets if live else {}
    gone = {name for name, version in used.items() if version not in memory.secrets.get(name, ())}
    supplied = {one.spec.name for one in choices if one.origin == "supplied"} & gone
    return tuple(
        (secret_file(one.spec.name, used[one.spec.name]), one)
        for one in choices
        if one.spec.name in gone and (one.spec.source or one.spec.name) in supplied
    )
