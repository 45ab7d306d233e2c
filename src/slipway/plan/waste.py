"""What no kept release needs: image tags, config files, secret versions, old records. Pure.

Only what is ours is ever looked at: image references that begin with the application's name and a
slash, or are of a repository that a record names; and paths below the application's folder that
slipway itself wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipway.ledger.layout import secret_file
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release, ReleaseImage
from slipway.runner.handed import HANDED, UNTOLD


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
) -> Waste:
    """What no kept release needs.

    A record that can't be read is of no use: nothing can be gone back to by it.

    Newest secret versions stay even when no kept release names them: a first deploy that failed
    made them, and the next one goes on with them.

    Args:
        application: prefix of our image references.
        records: every release the host knows.
        references: every image tag on the host.
        paths: those of config files, secret versions and handed secrets below the application's
            folder.
    """
    paths = tuple(paths)
    kept = records.kept()
    needed = {image.reference for release in kept for image in release.images.values()}
    pulled = {
        _repository(image.reference)
        for release in records.releases
        for image in release.images.values()
        if "@" in image.reference
    }
    gone = tuple(
        sorted(
            reference
            for reference in references
            if reference not in needed
            and (reference.startswith(f"{application}/") or _repository(reference) in pulled)
        )
    )
    needed_paths = {path for release in kept for path in _paths(release)}
    needed_paths |= {path for path in paths if _service_of(path) in _taking(kept)}
    newest = {name: max(held) for name, held in Memory(files=paths).secrets.items()}
    needed_paths |= {secret_file(name, version) for name, version in newest.items()}
    kept_ids = {release.id for release in kept}
    return Waste(
        references=gone,
        paths=tuple(sorted(path for path in paths if path not in needed_paths)),
        releases=(
            *(one.id for one in records.releases if one.id not in kept_ids),
            *records.unreadable,
        ),
        bytes=_freed(records.releases, kept, set(gone)),
    )


def _repository(reference: str) -> str:
    """What an image is called that is known by its digest in a registry; empty for others."""
    name, pinned, _ = reference.partition("@")
    return name if pinned else ""


def _service_of(path: str) -> str:
    """Whose secrets lie there while it runs; empty for another path."""
    folder, _, rest = path.partition("/")
    return rest.partition("/")[0].removesuffix(UNTOLD) if folder == HANDED else ""


def _taking(kept: Iterable[Release]) -> set[str]:
    return {one.service for release in kept for one in release.reloads}


def _paths(release: Release) -> set[str]:
    versions = release.secrets.items()
    return {*release.files, *(secret_file(name, version) for name, version in versions)}


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
