"""A recorded release as a draft: what it takes to make it live again without a checkout. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from slipway.errors import DeployError
from slipway.images.transfer import Transfer
from slipway.ledger.layout import secret_file
from slipway.ledger.records import Records
from slipway.ledger.release import Release
from slipway.plan.changes import make_plan
from slipway.plan.draft import Draft
from slipway.plan.wanted import Seen, Wanted
from slipway.stack.model import Edge, Rolling, Stack
from slipway.stack.render import Rendered
from slipway.stack.shape import read_shapes


def chosen(records: Records, to: str) -> Release:
    """The release to go back to.

    Args:
        records: of the host.
        to: its id or the beginning of one; empty for the one that was live before.

    Raises:
        DeployError: there is none, or more than one; the message names those there are.
    """
    live, *before = records.history or (None,)
    if not to:
        if not before or before[0] is None:
            raise DeployError(
                "there is no release before the live one to go back to; nothing was changed",
                hint="./inv releases lists those the host has",
                stage="plan",
            )
        return before[0]
    found = [one for one in records.releases if one.id.startswith(to)]
    if len(found) != 1:
        names = [one.id for one in found or records.releases]
        what = "no release is" if not found else f"{len(found)} releases are"
        raise DeployError(
            f"{what} called {to}; nothing was changed",
            details=names,
            hint="./inv releases lists those the host has",
            stage="plan",
        )
    if found[0] == live:
        raise DeployError(f"{found[0].id} is live already; nothing was changed", stage="plan")
    return found[0]


def recorded(release: Release, compose: bytes, seen: Seen, *, app_dir: str, who: str) -> Draft:
    """A draft that makes a recorded release live.

    Args:
        release: the release.
        compose: its Compose file, as it lies on the host.
        seen: what the host holds.
        app_dir: the application's folder there.
        who: user and machine.

    Raises:
        DeployError: the host has lost something of it; everything is named.
    """
    gone = lost(release, seen)
    if gone:
        raise DeployError(
            f"{release.id} can't be made live again: the host has lost a part of it; nothing was "
            "changed",
            details=gone,
            hint="check out its commit and deploy that"
            + (f": {release.commit}" * bool(release.commit)),
            stage="plan",
        )
    stack = stack_of(release, json.loads(compose)).scaled(seen.memory.scale)
    wanted = Wanted(
        stack=stack, images=(), files={}, contents={}, supplied={}, app_dir=app_dir,
        data_dir=f"{app_dir}/data", url=release.url, who=who, commit=release.commit,
    )  # fmt: skip
    plan = make_plan(stack, release, seen, bytes_to_send=0, shapes=read_shapes(compose))
    rendered = Rendered(compose, release.compose, dict(release.hashes))
    return Draft(wanted, release, rendered, (), Transfer(), plan, seen)


def stack_of(release: Release, document: dict[str, Any]) -> Stack:
    """The stack of a recorded release, as far as its record and its Compose file tell.

    Args:
        release: the release.
        document: its Compose file.
    """
    rolled: dict[str, Rolling] = {
        one.service: "edge" if one.behind else "beside" for one in release.rolling
    }
    edge = Edge(**release.edge) if release.edge else Edge()
    return Stack(
        application=release.application,
        url=release.url,
        document=document,
        roles=release.roles,
        rolled=rolled,
        edge=edge,
        verify_path=release.verify,
    )


def lost(release: Release, seen: Seen) -> Sequence[str]:
    """What of a release the host has no more."""
    held = seen.engine.images.references
    gone = [
        f"the image {image.reference}"
        for image in release.images.values()
        if not image.is_id(held.get(image.reference, ""))
    ]
    needed = [*release.files, *(secret_file(*one) for one in release.secrets.items())]
    return [*gone, *(f"the file {path}" for path in needed if path not in seen.memory.files)]
