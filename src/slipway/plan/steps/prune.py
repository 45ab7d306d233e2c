"""Remove what no kept release needs. That it fails does not make a live release bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slipway.ledger.layout import release_folder
from slipway.plan.actions import Action, Remove
from slipway.plan.draft import Draft
from slipway.plan.snapshotting import Forget, to_forget
from slipway.plan.step import Step
from slipway.plan.waste import waste
from slipway.stack.project import ONLY

NAME = "prune"


def step(draft: Draft) -> Step | None:
    """None when everything is needed; reckoned with what this deploy itself brings."""
    memory, release = draft.seen.memory, draft.release
    fresh = (f"secrets/{name}/{version}" for name, version in release.secrets.items())
    held = draft.seen.engine.images.references
    found = waste(
        release.application,
        replace(memory.records, releases=(release, *memory.records.releases), current=release.id),
        references=held,
        paths=dict.fromkeys((*memory.files, *memory.handed, *release.files, *fresh)),
    )
    if draft.wanted.stack.mode == ONLY:
        found = replace(found, references=_alone(found.references, held))
    if found.empty:
        return None
    folders = tuple(release_folder(one) for one in found.releases)
    kept = to_forget(memory, found.releases)
    do: tuple[Action, ...] = (Forget(kept),) if kept else ()
    do += (Remove(images=found.references, paths=(*found.paths, *folders), bytes=found.bytes),)
    reason = "nothing that could come back"
    return Step(NAME, "remove what no kept release needs", do=do, reason=reason)


def _alone(gone: Sequence[str], held: Mapping[str, str]) -> tuple[str, ...]:
    """Those whose image has no name that stays: TrueNAS removes images, not names of them.

    An image has two where it was sent to the host before it was pulled.
    """
    staying = {identity for reference, identity in held.items() if reference not in gone}
    return tuple(reference for reference in gone if held[reference] not in staying)
