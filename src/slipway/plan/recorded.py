"""A recorded release as a draft: what it takes to make it live again without a checkout. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from slipway.errors import ConfigError, DeployError
from slipway.images.transfer import Transfer
from slipway.ledger.records import Records
from slipway.ledger.release import Release
from slipway.plan.changes import make_plan
from slipway.plan.draft import Draft
from slipway.plan.loss import lost
from slipway.plan.wanted import Seen, Wanted
from slipway.stack.health import replicas
from slipway.stack.model import Edge, Rolling, Stack
from slipway.stack.project import ONLY
from slipway.stack.render import Rendered
from slipway.stack.shape import read_shapes

_LISTED = "./inv releases lists those the host has"


def older_secrets(release: Release, live: Release | None) -> tuple[str, ...]:
    """Secrets that are, with a release, what they were before the live one changed them."""
    now = live.secrets if live is not None else {}
    return tuple(
        name for name, version in sorted(release.secrets.items()) if version < now.get(name, 0)
    )


def chosen(records: Records, to: str) -> Release:
    """The release to go back to.

    Args:
        records: of the host.
        to: its id or the beginning of one; empty for the one that was live before.

    Raises:
        ConfigError: none, or more than one, is called so; the message names those there are.
        DeployError: there is none before the live one, it is the live one, or nobody knows.
    """
    live = records.live
    if not to:
        return _before(records, live)
    found = [one for one in records.releases if one.id.startswith(to)]
    if to in records.unreadable and not found:
        raise records.unreadable[to]
    if not found:
        raise ConfigError(
            f"no release is called {to}; nothing was changed",
            details=[one.id for one in records.releases],
            hint=_LISTED,
            stage="plan",
        )
    if len(found) > 1:
        raise ConfigError(
            f"{len(found)} releases are called {to}; nothing was changed",
            hint=f"give more of the id: {', '.join(one.id for one in found)}",
            stage="plan",
        )
    if found[0] == live:
        raise DeployError(
            f"{found[0].id} is live already; nothing was changed",
            hint="./inv deploy heals what drifted from it; " + _LISTED,
            stage="plan",
        )
    return found[0]


def _before(records: Records, live: Release | None) -> Release:
    """The one that was live before."""
    if len(records.history) > 1:
        return records.history[1]
    if live is None:
        why = "no release is live, and so none was before it"
    elif live.previous in records.unreadable:
        why = f"the record of {live.previous}, which was live before, can't be read"
    else:
        why = "there is no release before the live one to go back to"
    hint = f"{_LISTED}; --to goes back to one of them"
    raise DeployError(
        f"{why}; nothing was changed", hint=hint if records.releases else _LISTED, stage="plan"
    )


def recorded(
    release: Release,
    compose: bytes,
    seen: Seen,
    *,
    app_dir: str,
    who: str,
    ends: bool = False,
    only: bool = False,
) -> Draft:
    """A draft that makes a recorded release live.

    Args:
        release: the release.
        compose: its Compose file, as it lies on the host.
        seen: what the host holds.
        app_dir: the application's folder there.
        who: user and machine.
        ends: whether it is to be ended only, for which its Compose file is enough.
        only: whether TrueNAS alone starts it now, however it was deployed then.

    Raises:
        DeployError: the host has lost something of it; everything is named.
    """
    if not ends:
        whole(release, seen)
    if only:  # it starts what the file says, and is told of no other numbers
        seen = replace(seen, memory=replace(seen.memory, scale={}))
        release = _as_its_file_says(release, json.loads(compose))
    stack = stack_of(release, json.loads(compose)).scaled(seen.memory.scale)
    wanted = Wanted(
        stack=stack, images=(), files={}, contents={}, supplied={}, app_dir=app_dir,
        data_dir=f"{app_dir}/data", url=release.url, who=who, commit=release.commit,
    )  # fmt: skip
    plan = make_plan(stack, release, seen, bytes_to_send=0, shapes=read_shapes(compose))
    live = seen.memory.records.live
    plan = replace(plan, lost=lost(live, seen) if live else ())
    rendered = Rendered(compose, release.compose, dict(release.hashes))
    return Draft(wanted, release, rendered, (), Transfer(), plan, seen)


def _as_its_file_says(release: Release, document: dict[str, Any]) -> Release:
    """A release with the numbers of containers in its Compose file, as TrueNAS starts it."""
    bodies = document["services"]
    expected = tuple(
        replace(one, containers=replicas(bodies[one.service])) for one in release.expected
    )
    return replace(release, mode=ONLY, reloads=(), expected=expected)


def whole(release: Release, seen: Seen) -> None:
    """See whether the host has all of a release.

    Raises:
        DeployError: it has not; everything is named.
    """
    gone = lost(release, seen)
    if gone:
        raise DeployError(
            f"{release.id} can't be made live again: the host has lost a part of it; nothing was "
            "changed",
            details=[str(one) for one in gone],
            hint="check out its commit and deploy that"
            + (f": {release.commit}" * bool(release.commit)),
            stage="plan",
        )


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
        mode=release.mode,
    )
