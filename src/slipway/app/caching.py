"""Which binary cache is meant, by which key it is signed, what was done; for people."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from slipway.app.answer import Answer
from slipway.config import CacheConfig, Config
from slipway.doors import Shell
from slipway.errors import CommandFailed, ConfigError, SupplyError
from slipway.report import Report, alive, human_bytes
from slipway.supply import nixtool
from slipway.supply.caches import VARIABLE
from slipway.supply.publish import Cache, Pulled, Stored, lacking, published, send

#: A variable that holds a secret key's text, where no file does: in a forge's job.
KEY_VARIABLE = "SLIPWAY_CACHE_KEY"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def pick_address(cache: CacheConfig, environment: Mapping[str, str], to: str) -> str:
    """The cache that is named, else that of the environment, else the first of ``[cache]``.

    Raises:
        ConfigError: there is none, or it is no address.
    """
    address = to or environment.get(VARIABLE, "").strip() or next(iter(cache.addresses), "")
    if "://" not in address:
        what = f"{address!r} is no address of a cache" if address else "no cache is named"
        raise ConfigError(
            f"{what}; nothing was sent",
            hint="./inv cache.push --to file:///srv/cache, or [cache] in slipway.toml",
            stage="config",
        )
    return address


def key_file(home: Path) -> Path:
    """Where a secret key lies when nobody says otherwise."""
    return home / ".config/slipway/cache.key"


@contextmanager
def signing(address: str, key: str, environment: Mapping[str, str], home: Path) -> Iterator[Cache]:
    """A cache to write to, with its key in a file.

    Args:
        address: as Nix has it.
        key: the key's file; empty for that of :func:`key_file`.
        environment: where ``SLIPWAY_CACHE_KEY`` may hold the key itself.

    Raises:
        ConfigError: there is no key.
    """
    text = environment.get(KEY_VARIABLE, "").strip()
    if text and not key:
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:  # for its owner only
            file = Path(folder, "key")
            file.write_text(f"{text}\n", "utf-8")
            yield Cache(address, file)
        return
    place = Path(key).expanduser() if key else key_file(home)
    if not place.is_file():
        raise ConfigError(
            f"there is no key at {place} to sign with; nothing was sent",
            hint=f"./inv cache.key NAME makes one; --key names another file, {KEY_VARIABLE} its "
            "text",
            stage="config",
        )
    yield Cache(address, place.resolve())


def make_key(shell: Shell, report: Report, name: str, place: Path) -> Answer:
    """Make a pair of keys: the secret one in a file, the public one as the answer.

    Args:
        name: what the key is called in signatures.
        place: the file; it must not be there.

    Raises:
        ConfigError: the name can't be one, or the file is there.
        SupplyError: Nix did not make them.
    """
    if not _NAME.match(name):
        raise ConfigError(
            f"{name!r} can't name a key: letters, digits, '.', '_' and '-'; none was made",
            hint="./inv cache.key home-1",
            stage="config",
        )
    if place.exists():
        raise ConfigError(
            f"{place} is there already, and whoever has it would be shut out; none was made",
            hint=f"./inv cache.key {name} --file OTHER",
            stage="config",
        )
    nixtool.ensure(shell, report)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    argv = ["nix-store", "--generate-binary-cache-key", name]
    with tempfile.TemporaryDirectory(prefix=".key-", dir=place.parent) as folder:
        secret, public = Path(folder, "secret"), Path(folder, "public")
        try:
            shell.run([*argv, str(secret), str(public)], timeout=60)
        except CommandFailed as error:
            raise SupplyError(
                "Nix made no key", hint="nix --version; 2.8 or newer", details=error.details,
                stage="cache",
            ) from error  # fmt: skip
        secret.chmod(0o600)
        os.link(secret, place)  # which fails where another made one meanwhile
        text = public.read_text("utf-8").strip()
    return key_answer(name, text, place)


def key_answer(name: str, public: str, place: Path) -> Answer:
    """A pair of keys. Pure.

    Args:
        public: the public key.
        place: where the secret one is.
    """
    talk = (
        f"the secret key is in {place}; it signs what ./inv cache.push sends. In slipway.toml:\n"
        f'[cache]\naddresses = ["https://cache.lan"]\nkeys = ["{public}"]'
    )
    return Answer({"name": name, "public": public, "file": str(place)}, public, talk)


def push(cache: Cache, shell: Shell, root: Path, settings: Config, report: Report) -> Answer:
    """Send a cache what it lacks of all that was fetched and built.

    Raises:
        SupplyError: it can't be asked, or did not take it.
    """
    nixtool.ensure(shell, report)
    paths = published(shell, root, settings)
    todo = lacking(shell, cache, paths)
    report.step("cache", f"{len(todo)} of {len(paths)} paths to {cache.address}")
    size = sum(one.bytes for one in todo)
    progress = report.progress("sent", size)
    with alive(progress):
        send(shell, cache, todo, progress)
    progress.done()
    return push_answer(cache.address, len(paths), todo)


def push_answer(address: str, paths: int, sent: Sequence[Stored]) -> Answer:
    """What a push to a cache came to. Pure.

    Args:
        paths: how many there are.
        sent: those that it lacked.
    """
    size = sum(one.bytes for one in sent)
    talk = f"{address} has all {paths} paths; {len(sent)} were new, {human_bytes(size)}"
    return Answer({"cache": address, "paths": paths, "sent": len(sent), "bytes": size}, talk=talk)


def pull_answer(pulled: Pulled) -> Answer:
    """What a pull came to."""
    rest = "" if not pulled.lacking else f"; {pulled.lacking} no cache has: ./inv build makes them"
    talk = f"{pulled.inputs} inputs and {pulled.outputs} outputs are in the store{rest}"
    return Answer(pulled.to_json(), talk=talk)
