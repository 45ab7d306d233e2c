"""Which packages a layer needs besides the declared ones: computed from ELF files, not curated.

Pure: package contents in, package names out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipway.supply import elf
from slipway.supply.contents import Contents, merged
from slipway.supply.elf import Elf, Missing

_MERGED_USR = {f"/{top}": f"usr/{top}" for top in ("bin", "sbin", "lib", "lib64")}


@dataclass(frozen=True, slots=True)
class Closed:
    """The packages of a group.

    Attributes:
        names: package names, sorted.
        problems: a line for each library that no candidate has.
    """

    names: tuple[str, ...]
    problems: tuple[str, ...]


def close(
    declared: Sequence[str],
    candidates: Mapping[str, Contents],
    *,
    below: Iterable[str] = (),
    extra: Mapping[str, Elf] | None = None,
    where: str,
) -> Closed:
    """The declared packages plus those their ELF files need libraries from.

    Args:
        declared: package names.
        candidates: what every package that may be taken holds, those underneath included.
        below: packages of the layers underneath; what they offer is not taken again.
        extra: further ELF files, such as those in wheels, by path.
        where: the group's name, for messages.
    """
    under = {name for name in below if name in candidates}
    chosen = set(declared) - under
    owners = _owners(candidates)
    while True:
        left = _missing([candidates[name] for name in sorted(under | chosen)], extra or {})
        taken = {item: _owner(item, owners) for item in left}
        if new := {name for name in taken.values() if name} - chosen:
            chosen |= new
            continue
        problems = [
            f"{item.path} needs {item.name}, which no package of {where} offers"
            for item, owner in taken.items()
            if not owner
        ]
        return Closed(tuple(sorted(chosen)), tuple(problems))


def _missing(present: Sequence[Contents], extra: Mapping[str, Elf]) -> tuple[Missing, ...]:
    files: dict[str, Elf] = dict(extra)
    links = dict(_MERGED_USR)
    paths = set(extra)
    for contents in present:
        files |= contents.elves
        links |= contents.links
        paths |= contents.paths
    return elf.missing(files, elf.Tree(paths, links))


def _owner(item: Missing, owners: Mapping[str, str]) -> str:
    """The package that has a library where the loader looks for it first, or empty."""
    places = (merged(f"{folder}/{item.name}") for folder in item.folders)
    return next((owners[place] for place in places if place in owners), "")


def _owners(candidates: Mapping[str, Contents]) -> dict[str, str]:
    owners: dict[str, str] = {}
    for name in sorted(candidates):
        for path in (*candidates[name].paths, *candidates[name].links):
            owners.setdefault(path, name)
    return owners
