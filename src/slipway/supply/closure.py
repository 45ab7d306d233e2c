"""Which packages a layer needs besides the declared ones: computed from ELF files, not curated.

Pure: package contents in, package names out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from slipway.errors import LockError
from slipway.supply.deb import PackageFiles
from slipway.supply.elf import Elf, search_folders


def close(
    declared: Sequence[str],
    candidates: Mapping[str, PackageFiles],
    *,
    below: Iterable[str] = (),
    extra: Mapping[str, Elf] | None = None,
    where: str,
) -> tuple[str, ...]:
    """The declared packages plus those their ELF files need libraries from.

    Args:
        declared: package names.
        candidates: what every package that may be taken holds.
        below: packages of the layers underneath; what they offer is not taken again.
        extra: further ELF files, such as those in wheels, by path.
        where: the group's name, for messages.

    Returns:
        Package names, sorted.

    Raises:
        LockError: a library is needed that no candidate has.
    """
    present = set(below)
    chosen = set(declared) - present
    providers = _providers(candidates)
    queue: list[tuple[str, Elf]] = [
        item for name in chosen for item in candidates[name].elves.items()
    ]
    bundled = set(extra or {})
    queue += list((extra or {}).items())
    problems: list[str] = []
    while queue:
        path, elf = queue.pop()
        for name in elf.needed:
            folders = search_folders(path, elf)
            if any(posixpath.join(folder, name) in bundled for folder in folders):
                continue
            owners = [o for folder in folders for o in providers.get(f"{folder}/{name}", ())]
            if any(owner in chosen or owner in present for owner in owners):
                continue
            if not owners:
                problems.append(f"{path} needs {name}, which no package of {where} offers")
                continue
            chosen.add(owners[0])
            queue += list(candidates[owners[0]].elves.items())
    if problems:
        raise LockError(
            f"{len(problems)} libraries that {where} needs are missing",
            details=sorted(problems)[:20],
            hint="name the package that has them in slipway.toml, or drop the file that needs them",
            stage="lock",
        )
    return tuple(sorted(chosen))


def _providers(candidates: Mapping[str, PackageFiles]) -> dict[str, tuple[str, ...]]:
    owners: dict[str, list[str]] = {}
    for name in sorted(candidates):
        for path in candidates[name].paths:
            if ".so" in posixpath.basename(path):  # a run path may name any folder
                owners.setdefault(path, []).append(name)
    return {path: tuple(names) for path, names in owners.items()}
