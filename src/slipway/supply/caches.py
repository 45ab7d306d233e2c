"""Binary caches: those of ``[cache]`` and those that Nix is set to need no mirror and no build.

What comes out of one is signed by a key that counts here, or follows from its own hash; Nix refuses
all else (nix.conf(5), ``require-sigs``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.config import CacheConfig
from slipway.doors import Shell
from slipway.errors import CommandFailed
from slipway.report import Report
from slipway.supply.nixtool import FEATURES
from slipway.supply.store import StoreFile

#: A variable with one more address, asked first.
VARIABLE = "SLIPWAY_CACHE"
_TIMEOUT_S = 1800.0
_CONNECT_S = 10
# Nix says which path it was at, then what was wrong with the bytes that came.
_COPYING = re.compile(r"copying path '(/nix/store/[^']+)' from '([^']+)'")
_FALSE = re.compile(
    r"error: (hash mismatch.*|NAR for .* is incomplete|Failed to open archive.*|bad archive.*"
    r"|input .* archive.*|.*file hash mismatch.*|.*decompress.*)",
    re.IGNORECASE,
)
_UNSIGNED = re.compile(
    r"substitute for '(/nix/store/[^']+)' from '([^']+)' is not signed by|"
    r"path '(/nix/store/[^']+)' (?:from '([^']+)' )?.*lacks a (?:valid )?signature"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that a cache offers and Nix does not take.

    Attributes:
        path: in the store.
        cache: its address.
        why: what is wrong with it.
    """

    path: str
    cache: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} of {self.cache}: {self.why}"


@dataclass(frozen=True, slots=True)
class Taken:
    """How caches were asked.

    Attributes:
        asked: whether there was one to ask.
        refused: what they offered and was not taken.
    """

    asked: bool
    refused: tuple[Refused, ...] = ()


def variables(cache: CacheConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which Nix asks them; pure.

    Args:
        cache: those of ``[cache]``.
        environment: the process's, where ``SLIPWAY_CACHE`` may name one and ``NIX_CONFIG`` more
            settings, which stay.

    Returns:
        ``NIX_CONFIG``; empty where there is nothing to set.
    """
    one = environment.get(VARIABLE, "").strip()
    addresses = [*([one] if one else []), *cache.addresses]
    if not addresses:
        return {}
    before = environment.get("NIX_CONFIG", "")
    lines = [*([before] if before else []), f"extra-substituters = {' '.join(addresses)}"]
    if cache.keys:
        lines.append(f"extra-trusted-public-keys = {' '.join(cache.keys)}")
    # Nix turns them off by itself where no interface but loopback is up, and takes an hour to ask
    # again for what a cache did not have.
    lines += ["substitute = true", "narinfo-cache-negative-ttl = 0"]
    lines.append(f"connect-timeout = {_CONNECT_S}")
    return {"NIX_CONFIG": "\n".join(lines) + "\n"}


def substituters(shell: Shell, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The caches that Nix asks on this machine; empty when it asks none or doesn't say.

    Args:
        variables: those of :func:`variables`.
    """
    # Nix 2.20 renamed the command.
    for words in (("config", "show"), ("show-config",)):
        argv = ["nix", *FEATURES, *words, "--json"]
        done = shell.run(argv, timeout=60, check=False, env=variables)
        try:
            return tuple(json.loads(done.text)["substituters"]["value"])
        except (ValueError, KeyError, TypeError):
            continue
    return ()


def take(
    shell: Shell, variables: Mapping[str, str], files: Sequence[StoreFile], report: Report
) -> Taken:
    """Have Nix take files from its caches, as far as these have them; nothing is built.

    Args:
        variables: those of :func:`variables`.
    """
    if not files or not substituters(shell, variables):
        return Taken(asked=False)
    noun = "input" if len(files) == 1 else "inputs"
    report.step("fetch", f"{len(files)} {noun} from the binary caches, if they have it")
    argv = ["nix-store", "--realise", "--keep-going", "--max-jobs", "0"]
    # What a cache lacks makes Nix fail in the end, and one that hangs is given up: then it is the
    # mirrors' turn.
    try:
        argv += [file.path for file in files]
        done = shell.run(argv, timeout=_TIMEOUT_S, check=False, env=variables)
    except CommandFailed as error:
        return Taken(asked=True, refused=refused("\n".join(error.details)))
    return Taken(asked=True, refused=refused(done.error_text))


def refused(log: str) -> tuple[Refused, ...]:
    """What Nix did not take from caches, by what it said; pure."""
    found: dict[str, Refused] = {}
    at = ("a path", "a cache")
    for line in log.splitlines():
        if copying := _COPYING.search(line):
            at = (copying[1], copying[2])
        elif unsigned := _UNSIGNED.search(line):
            path, cache = unsigned[1] or unsigned[3], unsigned[2] or unsigned[4] or at[1]
            found[path] = Refused(path, cache, "it is signed by no key that counts here")
        elif false := _FALSE.search(line):
            path = next(iter(re.findall(r"/nix/store/[^'\s]+", line)), at[0])
            found[path] = Refused(path, at[1], f"its bytes are not those signed ({false[1]})")
    return tuple(found.values())
