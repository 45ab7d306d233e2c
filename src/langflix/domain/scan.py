"""What a scan of the media share must do.  Pure: the seen and the known in, a plan out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

#: A film that was written to more recently is most likely still being copied.
SETTLED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A film that lies on the share; paths are relative to it, ``modified`` has a zone."""

    path: str
    subtitle: str | None
    bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """A film as an earlier scan saw it, and whether there is more to learn about it."""

    seen: Seen
    looked: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; the films of ``probe``, most wanted first, are known by then."""

    add: tuple[Seen, ...]
    change: tuple[Seen, ...]
    same: tuple[str, ...]
    remove: tuple[str, ...]
    probe: tuple[Seen, ...]


def decide(
    seen: Iterable[Seen],
    known: Mapping[str, Known],
    unread: Collection[str],
    now: datetime,
) -> Plan:
    """Return what brings the known films in step with the seen ones.

    Args:
        seen: the films that lie on the share, each path once.
        known: the films of earlier scans by their paths.
        unread: folders that could not be looked into (``""`` is the share); what is known below
            them stays.
        now: the time of the scan.

    """
    add, change, same, probe = [], [], [], []
    there = set()
    for film in seen:
        there.add(film.path)
        before = known.get(film.path)
        if before is None and _is_fresh(film, now):
            continue
        if before is None:
            add.append(film)
        elif before.seen != film:
            change.append(film)
        else:
            same.append(film.path)
        if _is_wanted(film, before) and _is_settled(film, before, now):
            probe.append(film)
    gone = [path for path in known if path not in there and not _is_below(path, unread)]
    probe.sort(key=lambda film: film.path)
    probe.sort(key=lambda film: film.modified, reverse=True)
    probe.sort(key=lambda film: film.subtitle is None)
    return Plan(tuple(add), tuple(change), tuple(same), tuple(gone), tuple(probe))


def _is_fresh(film: Seen, now: datetime) -> bool:
    return now - SETTLED_AFTER < film.modified <= now


def _is_wanted(film: Seen, before: Known | None) -> bool:
    return before is None or not before.looked or _changed(film, before)


def _is_settled(film: Seen, before: Known | None, now: datetime) -> bool:
    if before is not None and before.seen.bytes != film.bytes:
        return False
    if film.modified > now:  # the share's clock is ahead: only a second look tells
        return before is not None and not _changed(film, before)
    return not _is_fresh(film, now)


def _changed(film: Seen, before: Known) -> bool:
    return (before.seen.bytes, before.seen.modified) != (film.bytes, film.modified)


def _is_below(path: str, folders: Collection[str]) -> bool:
    return "" in folders or any(str(above) in folders for above in PurePosixPath(path).parents)
