"""What a new lock changes, with what the makers say about it."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from debian.changelog import Changelog, ChangelogParseError
from debian.debian_support import NativeVersion

from slipway.supply import deb
from slipway.supply.locks import DebianLock, Package, PythonLock

_HOLE = re.compile(r"CVE-\d{4}-\d{4,}")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)
_NONE = "—"
Read = Callable[[Package], bytes]


@dataclass(frozen=True, slots=True)
class Change:
    """A changed package.

    Attributes:
        lock: ``debian``, ``python``, ``go`` or ``dev``.
        names: binary packages of one source, one wheel, or the Go that builds.
        old: the version that was locked, empty for a new one.
        new: the version that is, empty for one that is gone.
        lines: the changelog's lines of all versions in between; empty where there are none.
        holes: known holes that these lines name.
    """

    lock: str
    names: tuple[str, ...]
    old: str
    new: str
    lines: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """All that new locks change.

    Attributes:
        changes: by lock, then by name.
    """

    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "holes": sorted({hole for change in self.changes for hole in change.holes}),
            "changes": [asdict(change) for change in self.changes],
        }

    def to_text(self) -> str:
        """The form that people read: a paragraph each, as a commit's message may have it."""
        if not self.changes:
            return "every lock names the newest already"
        parts = []
        for one in self.changes:
            head = f"{', '.join(one.names)} {one.old or _NONE} → {one.new or _NONE}"
            closes = [f"  mends {', '.join(one.holes)}"] if one.holes else []
            parts.append("\n".join([head, *closes, *(f"  {line}" for line in one.lines)]))
        return "\n\n".join(parts)


def of_debian(old: DebianLock | None, new: DebianLock, read: Read) -> list[Change]:
    """Changed Debian packages, those of one source together.

    Args:
        old: the lock before; None when there was none that could be read.
        read: the bytes of a package of the new lock.
    """
    before = old.packages if old else {}
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name in sorted({*before, *new.packages}):
        was, now = before.get(name), new.packages.get(name)
        if (was and was.version) != (now and now.version):
            source = (now or was or new.packages[name]).source
            versions = (was.version if was else "", now.version if now else "")
            groups.setdefault((source, *versions), []).append(name)
    found = []
    for (_, was_version, now_version), names in sorted(groups.items()):
        lines: tuple[str, ...] = ()
        if was_version and now_version:
            texts = (changelog(read(new.packages[name]), name) for name in names)
            lines = since(next(filter(None, texts), ""), was_version)
        holes = tuple(sorted(set(_HOLE.findall("\n".join(lines)))))
        found.append(Change("debian", tuple(names), was_version, now_version, lines, holes))
    return found


def of_python(old: PythonLock | None, new: PythonLock) -> list[Change]:
    """Changed wheels."""
    before = {name: wheel.version for name, wheel in old.wheels.items()} if old else {}
    after = {name: wheel.version for name, wheel in new.wheels.items()}
    return list(_plain("python", before, after))


def of_go(old: str, new: str) -> list[Change]:
    """The Go that builds, when it is another: versions such as ``go1.26.9``."""
    return list(_plain("go", {"go": old.removeprefix("go")}, {"go": new.removeprefix("go")}))


def of_requirements(old: str, new: str) -> list[Change]:
    """Changed packages of ``.venv``, from the text of ``requirements.txt``."""
    return list(_plain("dev", dict(_PIN.findall(old)), dict(_PIN.findall(new))))


def _plain(lock: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[Change]:
    for name in sorted({*before, *after}):
        was, now = before.get(name, ""), after.get(name, "")
        if was != now:
            yield Change(lock, (name,), was, now)


def changelog(data: bytes, name: str) -> str:
    """The Debian changelog that a package brings; empty where it brings none.

    Debian policy 12.7: ``changelog.Debian.gz``, or ``changelog.gz`` in a package that is Debian's
    own. A folder that is a link to another package's has none.

    Args:
        data: the ``.deb``.
        name: the package's name.
    """
    wanted = [f"./usr/share/doc/{name}/{file}.gz" for file in ("changelog.Debian", "changelog")]
    with deb.open_data(data) as tar:
        found = {member.name: member for member in tar if member.name in wanted}
        for path in wanted:
            file = tar.extractfile(found[path]) if path in found else None
            if file is not None:
                try:
                    return gzip.decompress(file.read()).decode("utf-8", "replace")
                except (OSError, EOFError, zlib.error):
                    return ""
    return ""


def since(text: str, version: str) -> tuple[str, ...]:
    """The lines of a changelog's entries that are newer than a version.

    Args:
        text: a Debian changelog (deb-changelog(5)), newest entry first.
        version: of the package that was locked.
    """
    try:
        entries = list(Changelog(text, strict=False)) if text else []
    except ChangelogParseError:
        return ()
    old = NativeVersion(version)  # a rebuild of it, +b1, is older than any later entry
    lines: list[str] = []
    for entry in entries:
        if entry.version is None or NativeVersion(str(entry.version)) <= old:
            break
        said = _tidy(str(line) for line in entry.changes())
        lines += [f"{entry.version}:", *(f"  {line}" for line in said)]
    return tuple(lines)


def _tidy(lines: Iterable[str]) -> Sequence[str]:
    """Each point at the margin, its further lines below its text."""
    plain = [line.strip() for line in lines if line.strip()]
    return [line if line.startswith(("*", "[")) else f"  {line}" for line in plain]
