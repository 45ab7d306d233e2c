"""Read what a folder's script printed (:mod:`slipway.ledger.folder`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.errors import DeployError
from slipway.ledger import layout
from slipway.ledger.journal import taken_down
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.ledger.runs import parse_run
from slipway.ledger.scale import Scale, parse_scale, scaled
from slipway.secret import Secret


def parse_memory(found: Sequence[tuple[str, bytes]], *, where: str) -> Memory:
    """Read what a folder's script printed. Pure.

    What can't be read is told in the warnings, and in nobody's way as long as it is not needed.

    Args:
        where: host and folder, for messages.
    """
    releases, unreadable = _releases(found, where)
    releases.sort(key=lambda release: (release.created, release.id), reverse=True)
    known = dict(found)
    live = known.get("current", b"").decode().rpartition("/")[2] or None
    scale, warning = _scale(known.get(layout.SCALE), f"{where}/{layout.SCALE}")
    told = [
        f"{error.message}: the next deploy removes it"
        for name, error in unreadable.items()
        if name != live
    ]
    half = known.get("half", b"").decode().strip()
    if half:
        told.append(f"the data are put back by half; as they were they are in the snapshot {half}")
    sums = _sums(known.get("sums", b""))
    return Memory(
        Records(tuple(scaled(one, scale) for one in releases), live, unreadable),
        files=tuple(data.decode() for name, data in found if name == "path"),
        handed=tuple(data.decode() for name, data in found if name == "handed"),
        values=_values(found),
        run=parse_run(known),
        scale=scale,
        dumps=tuple(data.decode().split("/")[1] for name, data in found if name == "dump"),
        snapshots=_linked(found, layout.SNAPSHOT),
        left=_linked(found, layout.LEFT),
        half=half,
        bare=frozenset(one.id for one in releases if sums.get(one.id) != one.compose),
        included=known.get("included", b"").decode(),
        down=taken_down(known.get("journal", b"")),
        warnings=(*told, *warning),
    )


def _linked(found: Sequence[tuple[str, bytes]], kind: str) -> tuple[str, ...]:
    """The releases that have a link of a kind."""
    paths = [data.decode().split("/") for name, data in found if name == "snapshot"]
    return tuple(release for _, release, name in paths if name == kind)


def _releases(
    found: Sequence[tuple[str, bytes]], where: str
) -> tuple[list[Release], dict[str, DeployError]]:
    """Those that can be read, and why the others can't."""
    releases, unreadable = [], {}
    for name, data in found:
        if name.startswith("releases/"):
            folder = name.split("/")[1]
            try:
                releases.append(_recorded(data, f"{where}/{name}", folder))
            except DeployError as error:
                unreadable[folder] = error
    return releases, unreadable


def _recorded(data: bytes, where: str, folder: str) -> Release:
    release = Release.from_json(data, where)
    if release.id != folder:
        raise DeployError(
            f"{where} is the record of {release.id}", hint="remove its folder there", stage="read"
        )
    return release


def _scale(text: bytes | None, where: str) -> tuple[Scale, tuple[str, ...]]:
    """The host's own numbers, none when they can't be read; and a warning of that."""
    try:
        return (parse_scale(text, where) if text is not None else {}), ()
    except DeployError as error:
        why = "; ".join((error.message, *error.details))
        return {}, (f"{why}. The Compose files say how many containers there are",)


def _sums(text: bytes) -> dict[str, str]:
    """Of what ``sha256sum`` printed of Compose files: a release's id to the hash of its own."""
    lines = (line.partition("  ") for line in text.decode("utf-8", "replace").splitlines())
    return {path.split("/")[1]: digest for digest, _, path in lines if path.count("/") == 2}


def _values(found: Sequence[tuple[str, bytes]]) -> dict[str, dict[int, Secret]]:
    values: dict[str, dict[int, Secret]] = {}
    for title, data in found:
        if title.startswith("value "):
            _, name, version = title.removeprefix("value ").split("/")
            values.setdefault(name, {})[int(version)] = Secret(data.decode("utf-8", "replace"))
    return values
