"""What a build takes and makes, sent to a binary cache and fetched from there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import CommandFailed, SupplyError
from slipway.report import Progress, Report
from slipway.supply import caches, store
from slipway.supply.fetch import read_locks
from slipway.supply.needs import everything, select
from slipway.supply.nixtool import FEATURES
from slipway.supply.outputs import derivations
from slipway.supply.places import Places
from slipway.supply.store import StoreFile

#: All that ``nix/`` makes: the images, and what a deploy, a rehearsal host or a check runs.
PACKAGES = ("images", "rehearsal-host", "compose-model", "nix2container", "actionlint")
_STAGE = "cache"
_TIMEOUT_S = 1800.0
#: Bytes of the store that are sent between two words of progress.
_PORTION = 48_000_000
# Nix remembers for an hour what a cache lacked and for a month what it had.
_ASK_ANEW = "narinfo-cache-negative-ttl = 0\nnarinfo-cache-positive-ttl = 0\n"
#: Of these Nix signs what it writes; to others it sends signatures that the store has.
_ARCHIVES = ("file", "http", "https", "s3")


@dataclass(frozen=True, slots=True)
class Stored:
    """A path in the store.

    Attributes:
        path: absolute.
        bytes: of its archive, not compressed.
    """

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Cache:
    """A binary cache that is written to.

    Attributes:
        address: as Nix has it.
        key: the file of the secret key that signs.
    """

    address: str
    key: Path

    @property
    def archives(self) -> bool:
        """Whether it holds archives that Nix signs as it writes them."""
        return self.address.partition("://")[0] in _ARCHIVES

    @property
    def written(self) -> str:
        """The address to write to."""
        if not self.archives:
            return self.address
        query = {"compression": "zstd", "parallel-compression": "true", "secret-key": str(self.key)}
        joint = "&" if "?" in self.address else "?"
        return f"{self.address}{joint}{urlencode(query, safe='/', quote_via=quote)}"


def published(shell: Shell, root: Path, settings: Config) -> tuple[Stored, ...]:
    """Every input, and whatever was built of them, that the store has.

    Raises:
        LockError: a lock can't be read.
        BuildError: Nix can't say what is built, such as where an input is missing.
    """
    inputs = [file.path for file in locked(root, settings)]
    drvs = derivations(shell, root, settings, PACKAGES)
    argv = ["nix-store", "--query", "--requisites", "--include-outputs", *drvs]
    needed = shell.run(argv, timeout=300).text.split()
    built = [path for path in needed if not path.endswith(".drv")]
    wanted = dict.fromkeys([*inputs, *built])
    known = _known(shell, list(wanted))
    return tuple(Stored(path, size) for path, size in known.items())


def locked(root: Path, settings: Config) -> tuple[StoreFile, ...]:
    """Every locked input.

    Raises:
        LockError: a lock can't be read.
    """
    files = select(everything(settings), settings, read_locks(Places(root))).files
    return tuple(sorted(files, key=lambda file: file.path))


def lacking(shell: Shell, cache: Cache, paths: Sequence[Stored]) -> tuple[Stored, ...]:
    """What a cache lacks.

    Raises:
        SupplyError: it can't be asked.
    """
    try:
        there = _known(shell, [one.path for one in paths], "--store", cache.address)
    except CommandFailed as error:
        raise _unreached(cache, error) from error
    return tuple(one for one in paths if one.path not in there)


def send(shell: Shell, cache: Cache, paths: Sequence[Stored], progress: Progress) -> None:
    """Send paths, signed; what came stays when it ends in the middle.

    Raises:
        SupplyError: the cache did not take them.
    """
    for portion in portions(paths):
        names = [one.path for one in portion]
        try:
            if not cache.archives:
                sign = ["nix", *FEATURES, "store", "sign", "--key-file", str(cache.key), *names]
                shell.run(sign, timeout=_TIMEOUT_S)
            argv = ["nix", *FEATURES, "copy", "--to", cache.written, *names]
            shell.run(argv, timeout=_TIMEOUT_S)
        except CommandFailed as error:
            raise _unreached(cache, error) from error
        progress.advance(sum(one.bytes for one in portion))


def portions(paths: Sequence[Stored]) -> list[list[Stored]]:
    """Paths in their order, as many at once as come to some megabytes. Pure."""
    made: list[list[Stored]] = []
    size = _PORTION
    for one in paths:
        if size + one.bytes > _PORTION:
            made.append([])
            size = 0
        made[-1].append(one)
        size += one.bytes
    return made


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came from caches.

    Attributes:
        inputs: how many locked inputs the store has now.
        outputs: how many of what is built.
        lacking: how many of both it lacks still.
    """

    inputs: int
    outputs: int
    lacking: int

    def to_json(self) -> dict[str, int]:
        """The form that ``--json`` prints."""
        return {"inputs": self.inputs, "outputs": self.outputs, "lacking": self.lacking}


def pull(shell: Shell, root: Path, settings: Config, report: Report) -> Pulled:
    """Take from the caches whatever they have of a build; nothing is built.

    Raises:
        SupplyError: there is no cache to ask, or one gave something that was not signed.
    """
    asked = caches.variables(settings.cache, os.environ)
    if not caches.substituters(shell, asked):
        raise SupplyError(
            "there is no binary cache to ask; nothing was fetched",
            hint=f"name one in [cache] of slipway.toml, or for once: {caches.VARIABLE}="
            "file:///srv/cache ./inv cache.pull",
            stage=_STAGE,
        )
    inputs = locked(root, settings)
    absent = store.missing(shell, inputs)
    _refuse(caches.take(shell, asked, absent, report).refused)
    absent = store.missing(shell, inputs)
    if absent:  # without them Nix can't say what is built
        return Pulled(len(inputs) - len(absent), 0, len(absent))
    drvs = derivations(shell, root, settings, PACKAGES)
    report.step(_STAGE, "images and programs, as far as a cache has them")
    argv = ["nix-store", "--realise", "--keep-going", "--max-jobs", "0", *drvs]
    done = shell.run(argv, timeout=_TIMEOUT_S, check=False, env=asked)
    _refuse(caches.refused(done.error_text))
    outputs = shell.run(["nix-store", "--query", "--outputs", *drvs], timeout=300).text.split()
    there = _known(shell, outputs)
    return Pulled(len(inputs), len(there), len(outputs) - len(there))


def _refuse(refused: Sequence[caches.Refused]) -> None:
    if refused:
        raise SupplyError(
            f"refused {refused[0]}; nothing of it was taken",
            hint="remove it there, and ./inv cache.push sends it anew; or is the key that signed "
            "it not among `keys` of [cache] in slipway.toml?",
            stage=_STAGE,
            details=[str(one) for one in refused[1:]],
        )


def _known(shell: Shell, paths: Sequence[str], *where: str) -> dict[str, int]:
    """Those of some paths that a store has, with the size of their archives."""
    if not paths:
        return {}
    argv = ["nix", *FEATURES, "path-info", "--json", *where, *paths]
    return read_known(shell.run(argv, timeout=600, env={"NIX_CONFIG": _ASK_ANEW}).text)


def read_known(text: str) -> dict[str, int]:
    """Path to size, of what ``nix path-info --json`` prints. Pure.

    Until 2.18 it is a list, where what isn't there says ``"valid": false``; then an object by path,
    where that is null.
    """
    found = json.loads(text)
    if isinstance(found, dict):
        found = [{"path": path, **value} for path, value in found.items() if value is not None]
    return {
        one["path"]: int(one.get("narSize", 0)) for one in found if one.get("valid", True)
    }  # fmt: skip


def _unreached(cache: Cache, error: CommandFailed) -> SupplyError:
    return SupplyError(
        f"the cache {cache.address} did not do it; what it has taken stays there",
        hint="look at its address and what this user may do there, then ./inv cache.push again: "
        "only what is lacking is sent",
        stage=_STAGE,
        details=error.details,
    )
