"""Everything a build needs, made ready: Nix, locks, inputs in the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from slipway import config
from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import ConfigError, LockError, SupplyError
from slipway.report import Report, human_bytes
from slipway.supply import debian, gotool, news, nixtool, programs
from slipway.supply import lock as locking
from slipway.supply.check import Checked, check
from slipway.supply.fetch import Fetched, Vanished, fetch
from slipway.supply.locks import DebianLock, Package, PythonLock, read_debian, read_python
from slipway.supply.mirrors import KEYRING, Finder
from slipway.supply.needs import Needs
from slipway.supply.places import Places
from slipway.supply.requirements import lock_requirements

KINDS = (*locking.KINDS, "dev")
_SIGNATURES = {str(KEYRING): "debian-archive-keyring"}


def ready(
    shell: Shell,
    root: Path,
    report: Report,
    *,
    locked: bool,
    needs: Needs | None = None,
    before: Callable[[], object] | None = None,
) -> Fetched:
    """Install or check Nix, then fetch what the store lacks.

    Args:
        locked: stop when a mirror dropped a locked package; otherwise its successor is locked,
            loudly, and work goes on.
        needs: what is going to be built or used; everything when None.
        before: called before anything is fetched.

    Raises:
        SupplyError: something can't be had; the message says what.
    """
    nixtool.ensure(shell, report)
    settings, places = config.load(root), Places(root)
    mirrors = Finder(shell, settings.mirrors, os.environ, report)
    try:
        done = fetch(shell, settings, places, mirrors, report, needs, before)
    except Vanished as gone:
        if locked:
            raise
        report.warn(f"{gone.message}; locking their successors (not with --locked)")
        _lock_debian(shell, settings, places, mirrors, report, report.warn)
        done = fetch(shell, settings, places, mirrors, report, needs)
    if done.files:
        report.say(f"  {done.files} files, {human_bytes(done.bytes)}, are new in the store")
    return done


def ensure_signatures(shell: Shell, report: Report) -> None:
    """Have the keys that Debian's indexes are signed with.

    Raises:
        SupplyError: they are missing and can't be installed here.
    """
    programs.ensure(shell, report, _SIGNATURES)


def _lock_debian(
    shell: Shell,
    settings: Config,
    places: Places,
    mirrors: Finder,
    report: Report,
    tell: Callable[[str], None],
) -> None:
    ensure_signatures(shell, report)
    before = debian.known(places)
    after = debian.lock_debian(shell, settings, places, mirrors(), report)
    for line in debian.changes(before, after):
        tell(f"locked anew: {line}")


def lock(
    shell: Shell,
    root: Path,
    report: Report,
    kinds: Sequence[str] = (),
    *,
    newest: bool = False,
) -> None:
    """Make locks anew; one that can't be made does not keep the others from it.

    Args:
        kinds: which ones (``python``, ``debian``, ``go``, ``dev``); all when empty.
        newest: take the newest release of what ``nix/go/go.mod`` says itself, too: the Go.

    Raises:
        ConfigError: a kind is unknown.
        SupplyError: something can't be resolved; all that can't be, at once.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ConfigError(
            f"there is no lock {', '.join(unknown)}", hint=f"the locks are {', '.join(KINDS)}"
        )
    nixtool.ensure(shell, report)
    settings, places = config.load(root), Places(root)
    mirrors = Finder(shell, settings.mirrors, os.environ, report)
    makers: dict[str, Callable[[], object]] = {
        "dev": lambda: lock_requirements(shell, root, report),
        "python": lambda: locking.lock_python(shell, settings, places, report),
        "debian": lambda: _lock_debian(shell, settings, places, mirrors, report, report.say),
        "go": lambda: locking.lock_go(shell, places, mirrors, report, newest=newest),
    }
    failed: list[SupplyError] = []
    for kind, make in makers.items():
        if not kinds or kind in kinds:
            try:
                make()
            except SupplyError as error:
                failed.append(error)
    if failed:
        raise together(failed)


def update(shell: Shell, root: Path, report: Report, kinds: Sequence[str] = ()) -> news.Update:
    """Make locks anew, and tell what that changed with the makers' words about it.

    Args:
        kinds: as for :func:`lock`.

    Raises:
        ConfigError: a kind is unknown.
        SupplyError: something can't be resolved, or a changed package can't be had.
    """
    places, requirements = Places(root), root / "requirements.txt"
    before = debian.known(places), known_python(places), requirements.read_text("utf-8")
    go = gotool.named(places.go)
    lock(shell, root, report, kinds, newest=True)
    after = read_debian(places.locks / "debian.json")
    changed = [one for one in after.packages.values() if _is_other(before[0], one)]
    settings = config.load(root)
    if changed:
        mirrors = Finder(shell, settings.mirrors, os.environ, report)
        debian.bring(changed, places, mirrors(), report)
    return news.Update(
        (
            *news.of_debian(
                before[0], after, lambda one: debian.package_path(one, places).read_bytes()
            ),
            *news.of_python(before[1], read_python(places.locks / "python.json")),
            *news.of_go(go, gotool.named(places.go)),
            *news.of_requirements(before[2], requirements.read_text("utf-8")),
        )
    )


def known_python(places: Places) -> PythonLock | None:
    """The Python lock as it is; None when there is none that can be read."""
    try:
        return read_python(places.locks / "python.json")
    except LockError:
        return None


def _is_other(before: DebianLock | None, package: Package) -> bool:
    """Whether a package was locked before, in another version."""
    was = before.packages.get(package.name) if before else None
    return was is not None and was.version != package.version


def check_locks(shell: Shell, root: Path, report: Report) -> Checked:
    """Compare the locks with the indexes and registries their packages come from.

    Raises:
        SupplyError: a lock can't be read, an index can't be had, or says something else.
    """
    nixtool.ensure(shell, report)
    settings = config.load(root)
    ensure_signatures(shell, report)
    mirrors = Finder(shell, settings.mirrors, os.environ, report)
    return check(shell, settings, Places(root), mirrors, report)


def together(failed: Sequence[SupplyError]) -> SupplyError:
    """Several failures as one; a single one as it is."""
    if len(failed) == 1:
        return failed[0]
    return LockError(
        f"{len(failed)} locks could not be made",
        details=[line for error in failed for line in (error.message, *error.details)],
        hint="; ".join(dict.fromkeys(error.hint for error in failed if error.hint)) or None,
        stage="lock",
    )
