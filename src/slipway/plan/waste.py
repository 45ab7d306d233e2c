"""Remove what no kept release needs: image tags, config files, secret versions, old records.

Only what is ours is ever looked at: image references that begin with the application's name and
whose layers a record names, and paths below the application's folder that slipway itself wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipway.doors import Host
from slipway.hosts.engine import Engine
from slipway.ledger.records import Records
from slipway.ledger.release import Release, ReleaseImage

# $1 the application's folder; prints the paths of files and secret versions below it.
_LIST = """set -eu
cd -- "$1"
for file in files/*/* secrets/*/*; do [ ! -f "$file" ] || printf '%s\\n' "$file"; done
"""

# $1 the application's folder, then paths below it. A config file's folder goes with it.
_REMOVE = """set -eu
cd -- "$1"
shift
for path; do
    rm -rf -- "$path"
    rmdir -- "$(dirname -- "$path")" 2>/dev/null || :
done
"""
_MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Waste:
    """What can go.

    Attributes:
        references: image tags.
        paths: relative to the application's folder.
        releases: ids of releases whose records go.
        bytes: size of the layers that only those images use.
    """

    references: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    bytes: int = 0

    @property
    def empty(self) -> bool:
        """Whether everything is needed."""
        return not (self.references or self.paths or self.releases)


def waste(
    application: str,
    records: Records,
    *,
    references: Iterable[str],
    paths: Iterable[str],
    in_use: Iterable[str] = (),
) -> Waste:
    """What no kept release needs. Pure.

    Args:
        application: prefix of our image references.
        records: every release the host knows.
        references: every image tag on the host.
        paths: what :data:`_LIST` printed.
        in_use: references that containers use now.
    """
    kept = records.kept()
    needed = {image.reference for release in kept for image in release.images.values()}
    needed |= set(in_use)
    gone = tuple(
        sorted(
            reference
            for reference in references
            if reference.startswith(f"{application}/") and reference not in needed
        )
    )
    needed_paths = {path for release in kept for path in _paths(release)}
    kept_ids = {release.id for release in kept}
    return Waste(
        references=gone,
        paths=tuple(sorted(path for path in paths if path not in needed_paths)),
        releases=tuple(r.id for r in records.releases if r.id not in kept_ids),
        bytes=_freed(records.releases, kept, set(gone)),
    )


def _paths(release: Release) -> set[str]:
    versions = release.secrets.items()
    return {*release.files, *(f"secrets/{name}/{version}" for name, version in versions)}


def _freed(releases: Sequence[Release], kept: Sequence[Release], gone: set[str]) -> int:
    """Bytes of the layers that only removed images use, as far as records know them."""
    known: dict[str, ReleaseImage] = {
        image.reference: image for release in releases for image in release.images.values()
    }
    staying: set[str] = {
        digest
        for reference, image in known.items()
        if reference not in gone
        for digest in image.layers
    }
    going: Mapping[str, int] = {
        digest: size
        for reference in gone
        if reference in known
        for digest, size in known[reference].layers.items()
    }
    return sum(size for digest, size in going.items() if digest not in staying)


def find_waste(
    host: Host, engine: Engine, application: str, app_dir: str, records: Records
) -> Waste:
    """Ask a host what it holds, and decide what can go.

    Newest secret versions stay even when no kept release names them: a first deploy that failed
    made them, and the next one goes on with them.
    """
    listed = host.run(("sh", "-c", _LIST, "list", app_dir), timeout=60).text.splitlines()
    newest: dict[str, int] = {}
    for path in listed:
        parts = path.split("/")
        if parts[0] == "secrets" and parts[2].isdigit():
            newest[parts[1]] = max(newest.get(parts[1], 0), int(parts[2]))
    keep = {f"secrets/{name}/{version}" for name, version in newest.items()}
    return waste(
        application,
        records,
        references=engine.images().references,
        paths=[path for path in listed if path not in keep],
    )


def remove_waste(host: Host, engine: Engine, app_dir: str, found: Waste) -> tuple[str, ...]:
    """Remove it.

    Returns:
        Image tags that stayed because a container uses them.
    """
    stayed = engine.remove_images(found.references) if found.references else ()
    paths = [*found.paths, *(f"releases/{release}" for release in found.releases)]
    for start in range(0, len(paths), _MOST_AT_ONCE):
        batch = paths[start : start + _MOST_AT_ONCE]
        host.run(("sh", "-c", _REMOVE, "remove", app_dir, *batch), timeout=60)
    return stayed
