"""A host's releases: what each changed against the one before it, and which can come back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slipway.ledger.release import Release
from slipway.ledger.snapshots import Taken
from slipway.plan.loss import lost
from slipway.plan.wanted import Seen
from slipway.report import table

_GOES = "goes with the next deploy"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a release changed against another one.

    Attributes:
        images: roles whose image is another.
        settings: services whose definition is another, new or gone; their config files and secrets
            are a part of it.
        files: config files of another content, new or gone; by name.
        secrets: name to the versions before and after; 0 for none.
        migrations: names of those that are new.
    """

    images: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    secrets: Mapping[str, tuple[int, int]] | None = None
    migrations: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "images": list(self.images),
            "settings": list(self.settings),
            "files": list(self.files),
            "secrets": {name: list(each) for name, each in (self.secrets or {}).items()},
            "migrations": list(self.migrations),
        }

    def __str__(self) -> str:
        secrets = [
            f"{name} {old or 'none'} → {new or 'none'}"
            for name, (old, new) in (self.secrets or {}).items()
        ]
        parts = (
            ("images", self.images),
            ("settings", self.settings),
            ("files", self.files),
            ("secrets", secrets),
            ("migrations", self.migrations),
        )
        said = [f"{title} {', '.join(names)}" for title, names in parts if names]
        return "; ".join(said) or "nothing but its name"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A release of a list whose record can't be read.

    Attributes:
        id: its id.
        live: whether it is the live one.
        problem: why.
    """

    id: str
    live: bool
    problem: str

    def to_json(self) -> dict[str, object]:
        """An entry of what ``releases --json`` prints; what nobody knows is empty."""
        return {
            "release": self.id,
            "live": self.live,
            "created": "",
            "who": "",
            "commit": "",
            "previous": None,
            "images": {},
            "kept": self.live,
            "lost": [f"the record: {self.problem}"],
            "dump": False,
            "snapshot": None,
            "left": False,
            "changes": None,
        }


@dataclass(frozen=True, slots=True)
class Listed:
    """A release of a list.

    Attributes:
        release: itself.
        live: whether it is the live one.
        kept: whether the next deploy leaves it on the host.
        lost: what of it the host has no more; it can be gone back to when that is empty.
        dump: whether the database is kept as it was before its migration.
        snapshot: of all data as they were then; None when there is none.
        left: whether there is one of its own data, as they were when others took their place.
        changes: against the release before it; None when that isn't known any more.
    """

    release: Release
    live: bool
    kept: bool
    lost: tuple[str, ...]
    dump: bool
    snapshot: Taken | None
    left: bool
    changes: Changes | None

    @property
    def id(self) -> str:
        """Its id."""
        return self.release.id

    def to_json(self) -> dict[str, object]:
        """An entry of what ``releases --json`` prints."""
        return {
            "release": self.release.id,
            "live": self.live,
            "created": self.release.created,
            "who": self.release.who,
            "commit": self.release.commit,
            "previous": self.release.previous,
            "images": {role: image.reference for role, image in self.release.images.items()},
            "kept": self.kept,
            "lost": list(self.lost),
            "dump": self.dump,
            "snapshot": str(self.snapshot) if self.snapshot else None,
            "left": self.left,
            "changes": self.changes.to_json() if self.changes else None,
        }


def listed(seen: Seen) -> tuple[Listed | Unreadable, ...]:
    """A host's releases, newest first."""
    current, unreadable = seen.memory.records.current, seen.memory.records.unreadable
    hidden = [Unreadable(id, id == current, str(error)) for id, error in unreadable.items()]
    # An id begins with the time.
    return tuple(
        sorted((*_readable(seen), *hidden), key=lambda one: one.id, reverse=True)
        if hidden
        else _readable(seen)
    )


def _readable(seen: Seen) -> tuple[Listed, ...]:
    records, known = seen.memory.records, {one.id: one for one in seen.memory.records.releases}
    kept = {one.id for one in records.kept()}
    return tuple(
        Listed(
            release=one,
            live=one.id == records.current,
            kept=one.id in kept,
            lost=tuple(str(each) for each in lost(one, seen)),
            dump=one.id in seen.memory.dumps,
            snapshot=one.snapshot if one.id in seen.memory.snapshots else None,
            left=one.id in seen.memory.left,
            changes=changes(known[one.previous], one) if one.previous in known else None,
        )
        for one in records.releases
    )


def changes(old: Release, new: Release) -> Changes:
    """What one release changed against another."""
    before = {role: image.config_digest for role, image in old.images.items()}
    after = {role: image.config_digest for role, image in new.images.items()}
    versions = {
        name: (old.secrets.get(name, 0), new.secrets.get(name, 0))
        for name in _other(old.secrets, new.secrets)
    }
    names = {path.rpartition("/")[2] for path in {*old.files} ^ {*new.files}}
    return Changes(
        images=_other(before, after),
        settings=_other(old.hashes, new.hashes),
        files=tuple(sorted(names)),
        secrets=versions,
        migrations=tuple(name for name in new.revisions if name not in old.revisions),
    )


def _other(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))


def releases_json(releases: Sequence[Listed | Unreadable]) -> list[dict[str, object]]:
    """What ``releases --json`` prints."""
    return [one.to_json() for one in releases]


def releases_text(releases: Sequence[Listed | Unreadable]) -> str:
    """The releases for people, each with what it changed."""
    if not releases:
        return "nothing was released yet"
    head = ("live", "release", "created (UTC)", "who", "commit", "back to it", "dump")
    top, *lines = table([_row(one) for one in releases], head=head).splitlines()
    shown = [top]
    for one, line in zip(releases, lines, strict=True):
        shown += [line, *(f"      {more}" for more in _more(one))]
    return "\n".join(shown)


def _row(one: Listed | Unreadable) -> tuple[str, ...]:
    mark = "*" if one.live else ""
    if isinstance(one, Unreadable):
        return (mark, one.id, "", "", "", "live" if one.live else "no", "")
    return (
        mark,
        one.id,
        one.release.created[:19].replace("T", " "),
        one.release.who,
        _commit(one.release.commit),
        "live" if one.live else "yes" if not one.lost else "no",
        "yes" if one.dump else "",
    )


def _more(one: Listed | Unreadable) -> Iterator[str]:
    """Further lines about a release."""
    if isinstance(one, Unreadable):
        yield one.problem
        if not one.live:
            yield _GOES
        return
    if one.changes is not None:
        yield f"changed {one.changes}"
    if one.snapshot is not None:
        yield f"before it the data were as in {one.snapshot}"
    if one.left:
        yield "its data as they were when it was left are kept by a snapshot"
    if one.lost:
        yield f"the host has no more: {', '.join(one.lost)}"
    if not one.kept:
        yield _GOES


def _commit(commit: str) -> str:
    return commit[:12] + ("+changes" if commit.endswith("+changes") else "")
