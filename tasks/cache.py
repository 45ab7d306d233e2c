"""Binary caches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import JSON, LOCKED, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(
    help={
        "name": "what the key is called, such as home-1",
        "file": "where the secret key goes (default: ~/.config/slipway/cache.key)",
        "json": JSON,
    }
)
def key(workspace: Workspace, name: str, file: str = "", json: bool = False) -> Answer:
    """Make the keys that sign a binary cache."""
    from slipway.app.caching import key_file, make_key

    place = Path(file).expanduser() if file else key_file(Path.home())
    return make_key(workspace.shell, workspace.report, name, place)


@command(
    help={
        "to": "its address (default: SLIPWAY_CACHE, or the first of [cache] in slipway.toml)",
        "key": "file of the secret key (default: SLIPWAY_CACHE_KEY, ~/.config/slipway/cache.key)",
        "locked": LOCKED,
        "json": JSON,
    }
)
def push(
    workspace: Workspace, to: str = "", key: str = "", locked: bool = False, json: bool = False
) -> Answer:
    """Build everything; send a cache what it lacks."""
    from slipway.app import caching

    settings = workspace.config
    address = caching.pick_address(settings.cache, os.environ, to)
    with caching.signing(address, key, os.environ, Path.home()) as cache:
        workspace.whole(locked=locked)
        return caching.push(cache, workspace.shell, workspace.root, settings, workspace.report)


@command(help={"json": JSON})
def pull(workspace: Workspace, json: bool = False) -> Answer:
    """Fetch what binary caches have of a build."""
    from slipway.app.caching import pull_answer
    from slipway.supply import nixtool, publish

    nixtool.ensure(workspace.shell, workspace.report)
    return pull_answer(
        publish.pull(workspace.shell, workspace.root, workspace.config, workspace.report)
    )
