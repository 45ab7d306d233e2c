"""Why a build failed, by what Nix said. Pure."""

from __future__ import annotations

import re
from typing import Final

from slipway.errors import BuildError
from slipway.supply import caches

_LOG_LINES: Final = 25
_MISSING: Final = re.compile(
    r"error: (.*\./inv fetch.*)|([^\s']+ is not in the Nix store: run \./inv fetch)"
)
_DIFFERS: Final = re.compile(r"error: (derivation .* may not be deterministic.*)")
_NO_SUBSTITUTE: Final = "some substitutes for the outputs of"


def failure(log: str) -> BuildError:
    """What Nix's words mean for the person who started the build."""
    if missing := _MISSING.search(log):
        said = missing[1] or missing[2]
        return BuildError(said.strip(), hint="./inv fetch", stage="build")
    lines = [line for line in log.splitlines() if line.strip()][-_LOG_LINES:]
    refused = caches.refused(log)
    if refused and _NO_SUBSTITUTE in log:
        return BuildError(
            f"a binary cache gave something else than what was signed; nothing of it was taken, "
            f"and nothing was built: {refused[0]}",
            hint="remove it there, and ./inv cache.push sends it anew; without that cache it is "
            f"built here: take it out of [cache] in slipway.toml, {caches.VARIABLE} or nix.conf",
            stage="build",
            details=[str(one) for one in refused[1:]],
        )
    if differs := _DIFFERS.search(log):
        return BuildError(
            f"building again gave other bytes: {differs[1].strip()}",
            hint="find what in that derivation depends on time, order or machine",
            stage="rebuild",
            details=lines,
        )
    return BuildError(
        "Nix could not build this checkout; what runs on the hosts is as it was",
        hint="read the last lines above; `nix-store --read-log DERIVATION` has the whole log",
        stage="build",
        details=lines,
    )
