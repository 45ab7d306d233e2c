"""Where what a host remembers lies, relative to the application's folder. Pure.

``releases/ID/{compose.json,release.json}`` are written before a release goes live; the database as
it was before its migration is ``database.dump`` beside them; ``snapshot`` and ``left`` are links to
snapshots of the data path (:mod:`slipway.ledger.snapshots`). ``current`` is a symbolic link to the
live one's folder, ``journal.jsonl`` gets a line of intent before and a line of outcome after each
run. A secret's versions are ``secrets/NAME/1``, ``2``, …; config files lie below ``files/`` under
the hash of their content. ``handed/SERVICE/`` holds the secrets of a service that takes them while
it runs (:mod:`slipway.stack.reloads`). ``scale.json`` holds how many containers of services are
wanted whatever the Compose files say (:mod:`slipway.ledger.scale`). ``app.json`` is what
TrueNAS' own Compose file of the app includes, a link to the live release's. ``runs/`` and ``lease``
are the runner's (:mod:`slipway.runner.spool`, :mod:`slipway.runner.lease`).
"""

from __future__ import annotations

CURRENT = "current"
JOURNAL = "journal.jsonl"
SECRETS = "secrets"
SCALE = "scale.json"
DUMP = "database.dump"
SNAPSHOT = "snapshot"
LEFT = "left"
COMPOSE = "compose.json"
APP_FILE = "app.json"


def release_folder(release: str) -> str:
    """A release's own folder."""
    return f"releases/{release}"


def compose_file(release: str) -> str:
    """A release's Compose file."""
    return f"{release_folder(release)}/{COMPOSE}"


def record_file(release: str) -> str:
    """A release's record."""
    return f"{release_folder(release)}/release.json"


def dump_file(release: str) -> str:
    """The database as it was before a release's migration."""
    return f"{release_folder(release)}/{DUMP}"


def undone_file(release: str) -> str:
    """The database as it was when a release was left, and its data with it."""
    return f"{release_folder(release)}/undone.dump"


def snapshot_link(release: str) -> str:
    """What leads to the data as they were before a release's migration."""
    return f"{release_folder(release)}/{SNAPSHOT}"


def left_link(release: str) -> str:
    """What leads to the data as they were when a release was left, and its data with it."""
    return f"{release_folder(release)}/{LEFT}"


def secret_file(name: str, version: int) -> str:
    """A version of a secret."""
    return f"{SECRETS}/{name}/{version}"
