"""Everything a build needs, made ready: Nix, locks, inputs in the store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from slipway import config
from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import ConfigError
from slipway.report import Report, human_bytes
from slipway.supply import lock as locking
from slipway.supply import mirrors, nixtool
from slipway.supply.fetch import Fetched, Vanished, fetch
from slipway.supply.lock import Places
from slipway.supply.locks import read_debian
from slipway.supply.mirrors import Mirrors
from slipway.supply.requirements import lock_requirements

KINDS = (*locking.KINDS, "dev")


def find_mirrors(settings: Config) -> Mirrors:
    """The mirrors of this machine.

    Raises:
        FetchError: no Debian mirror is known.
    """
    sources = mirrors.parse_sources(mirrors.read_sources())
    return mirrors.choose(sources, settings.mirrors, os.environ)


def ready(shell: Shell, root: Path, report: Report, *, locked: bool) -> Fetched:
    """Install or check Nix, then fetch what the store lacks.

    Args:
        locked: stop when a mirror dropped a locked package; otherwise its successor is locked,
            loudly, and work goes on.

    Raises:
        SupplyError: something can't be had; the message says what.
    """
    nixtool.ensure(shell, report)
    settings, places = config.load(root), Places(root)
    sources = find_mirrors(settings)
    try:
        done = fetch(shell, settings, places, sources, report)
    except Vanished as gone:
        if locked:
            raise
        report.warn(f"{gone.message}; locking their successors (not with --locked)")
        _relock(shell, settings, places, sources, report)
        done = fetch(shell, settings, places, sources, report)
    if done.files:
        report.say(f"  {done.files} files, {human_bytes(done.bytes)}, are new in the store")
    return done


def _relock(
    shell: Shell, settings: Config, places: Places, sources: Mirrors, report: Report
) -> None:
    before = read_debian(places.locks / "debian.json")
    after = locking.lock_debian(shell, settings, places, sources, report)
    for line in locking.changes(before, after):
        report.warn(f"locked anew: {line}")


def lock(shell: Shell, root: Path, report: Report, kinds: Sequence[str] = ()) -> None:
    """Make locks anew.

    Args:
        kinds: which ones (``python``, ``debian``, ``go``, ``dev``); all when empty.

    Raises:
        ConfigError: a kind is unknown.
        SupplyError: something can't be resolved.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ConfigError(
            f"there is no lock {', '.join(unknown)}", hint=f"the locks are {', '.join(KINDS)}"
        )
    wanted = tuple(kinds) or KINDS
    nixtool.ensure(shell, report)
    settings, places = config.load(root), Places(root)
    sources = find_mirrors(settings)
    if "dev" in wanted:
        lock_requirements(shell, root, report)
    if "python" in wanted:
        locking.lock_python(shell, settings, places, report)
    if "debian" in wanted:
        path = places.locks / "debian.json"
        before = read_debian(path) if path.exists() else None
        after = locking.lock_debian(shell, settings, places, sources, report)
        for line in locking.changes(before, after):
            report.say(f"  {line}")
    if "go" in wanted:
        locking.lock_go(shell, places, report)
