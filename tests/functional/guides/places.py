"""The place that each thing in docs/guides/truenas.md has in its test: how it is done, what holds.

Commands are looked up by their program or task alone, so that their words are the guide's own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

from tests.functional.guides import clicked, typed
from tests.functional.guides.reader import Kind, Move
from tests.functional.guides.typed import Doing


class Unknown(AssertionError):
    """The guide has something that its test has no place for."""


#: What can't be done here, by section and words, with the reason.
LEFT_OUT = {
    ("Prepare the server", "System > Services > SSH"): "the stand-in's sshd is always on",
    (
        "A copy elsewhere",
        "Data Protection > Replication Tasks",
    ): "the stand-in has neither ZFS nor a second pool",
    (
        "Snapshots",
        "./inv rollback --data --host truenas",
    ): "there was no migration; test_snapshots.py goes back behind one",
    ("Gemini", '"docker-compose.gemini.yml"'): "Google's API can't be asked from here",
    (
        "Gemini",
        'SLIPWAY_SECRET_GEMINI_API_KEY="$(cat gemini.key)" ./inv deploy --host truenas',
    ): "Google's API can't be asked from here; test_overlays does so with a stand-in of it",
    (
        "What the Apps page shows",
        "./inv down --host truenas",
    ): "said of a dataset that is locked or deleted; Uninstall does both",
}


def place(move: Move) -> Doing | str:
    """How to do it, or why it can't be done.

    Raises:
        Unknown: neither is known.
    """
    if (reason := LEFT_OUT.get((move.title, move.text))) is not None:
        return reason
    doing = _BY_KIND[move.kind](move)
    if doing is None:
        raise Unknown(f"{move} ({move.kind.value}) has no place in tests/functional/guides")
    return doing


def _type(move: Move) -> Doing | None:
    words = [word for word in move.text.split() if not re.match(r"[A-Z_]+=", word)]
    name = f"inv {words[1]}" if words[0] == "./inv" else words[0]
    return _AFTER_DOWN.get(move.title) if name == "inv down" else _TYPED.get(name)


def _write(move: Move) -> Doing | None:
    given = tomllib.loads(move.text)
    known = set(given) == {"host"} or set(given) <= {"compose", "variables", "mode"}
    return clicked.written if known else None


def _dataset(move: Move) -> Doing | None:
    return _DATASETS.get(move.title) if move.text.startswith("tank/apps/langflix") else None


_CLICKS: dict[str, Doing] = {
    "Storage > Create Pool": clicked.nothing,
    "Credentials > Users > truenas_admin > Edit": clicked.nothing,
    "Apps > Configuration > Choose Pool": clicked.nothing,
    "System > Services > SSH > Start Automatically": clicked.nothing,
    "Credentials > Users > truenas_admin > Edit > Allowed sudo commands with no password": (
        clicked.nothing
    ),
    "Datasets > Add Dataset": clicked.nothing,
    "System > Shell": clicked.shell,
    "Datasets > Permissions > Edit": clicked.permissions,
    "Data Protection > Periodic Snapshot Tasks": clicked.snapshot,
}
_DATASETS: dict[str, Doing] = {
    "Prepare the server": clicked.nothing,
    "Snapshots": clicked.nothing,
    "Uninstall": clicked.delete,
}
_AFTER_DOWN: dict[str, Doing] = {
    "One of TrueNAS' apps": typed.down,
    "Snapshots": typed.down_and_back_in_time,
    "Uninstall": typed.down,
}
_TYPED: dict[str, Doing] = {
    "curl": typed.runs('"status":"ok"'),
    "ssh-keygen": typed.fingerprint,
    "ssh-keyscan": typed.compared,
    "ssh": typed.over_ssh,
    "inv host.add": typed.runs("hosts.local.toml"),
    "inv host.setup": typed.setup,
    "inv host.doctor": typed.runs(),
    "inv plan": typed.runs("postgres"),
    "inv deploy": typed.deploy,
    "inv secrets.show": typed.runs(r"(?m)^\S{20,}$"),
    "inv status": typed.status,
    "inv logs": typed.runs("worker"),
    "inv releases": typed.runs("live"),
    "inv restart": typed.runs(),
    "inv scale": typed.scale,
    "inv rollback": typed.rollback,
    "inv exec": typed.dump,
    "inv run": typed.runs("A Film"),
    "inv certificate": typed.runs("BEGIN CERTIFICATE"),
}
_BY_KIND: dict[Kind, Callable[[Move], Doing | None]] = {
    Kind.TYPE: _type,
    Kind.WRITE: _write,
    Kind.CLICK: lambda move: _CLICKS.get(move.text),
    Kind.DATASET: _dataset,
    Kind.FILE: lambda move: None,
}
