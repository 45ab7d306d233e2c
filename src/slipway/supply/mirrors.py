"""Where to download from: the machine's own settings, never an address of ours.

Order for each kind: an environment variable, ``[mirrors]`` in ``slipway.toml``, what the
machine's client (apt, pip, Go) is set to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import FetchError

DEBIAN = "SLIPWAY_DEBIAN_MIRROR"
SECURITY = "SLIPWAY_DEBIAN_SECURITY_MIRROR"
SNAPSHOT = "SLIPWAY_DEBIAN_SNAPSHOT"
_SUITE = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Base addresses of Debian's archives, without a slash at the end.

    Attributes:
        debian: of the main archive; ``dists/`` and ``pool/`` lie below it.
        security: of the security archive.
        snapshot: of the snapshot service, or empty; ``<archive>/<stamp>/pool/`` lies below it.
    """

    debian: str
    security: str
    snapshot: str = ""

    def base(self, archive: str) -> str:
        """The address of ``debian`` or ``debian-security``."""
        return self.security if archive == "debian-security" else self.debian

    def places(self, archive: str, path: str, stamp: str) -> tuple[str, ...]:
        """Every address a pool file may be had from, best first."""
        places = [f"{self.base(archive)}/{path}"]
        if self.snapshot and stamp:
            places.append(f"{self.snapshot}/{archive}/{stamp}/{path}")
        return tuple(places)


def parse_sources(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """The (address, suite) pairs of apt's sources.

    Args:
        texts: file name to content; ``.sources`` files are deb822, all others one line each.
    """
    pairs: list[tuple[str, str]] = []
    for name, text in texts.items():
        pairs += _deb822(text) if name.endswith(".sources") else _one_line(text)
    return [(uri.rstrip("/"), suite) for uri, suite in pairs]


def _one_line(text: str) -> list[tuple[str, str]]:
    pairs = []
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)", line)
        if found:
            pairs.append((found[1], found[2]))
    return pairs


def _deb822(text: str) -> list[tuple[str, str]]:
    pairs = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"^(\S+):[ \t]*(.*)$", "\n".join(lines), re.MULTILINE))
        lowered = {key.lower(): value for key, value in fields.items()}
        if lowered.get("enabled", "yes").lower() == "no" or "deb" not in lowered.get("types", ""):
            continue
        for uri in lowered.get("uris", "").split():
            pairs += [(uri, suite) for suite in lowered.get("suites", "").split()]
    return pairs


def choose(
    sources: list[tuple[str, str]], settings: Mapping[str, str], environment: Mapping[str, str]
) -> Mirrors:
    """Pick the archives' addresses.

    Args:
        sources: apt's (address, suite) pairs.
        settings: ``[mirrors]`` of ``slipway.toml``.
        environment: the process's variables.

    Raises:
        FetchError: nothing names a Debian mirror.
    """
    set_debian = environment.get(DEBIAN) or settings.get("debian", "")
    set_security = environment.get(SECURITY) or settings.get("debian_security", "")
    snapshot = environment.get(SNAPSHOT) or settings.get("debian_snapshot", "")
    debian = set_debian.rstrip("/") or next(
        (uri for uri, suite in sources if uri.endswith("/debian") and _SUITE.match(suite)), ""
    )
    security = set_security or next(
        (uri for uri, suite in sources if suite.endswith(("-security", "/updates"))), ""
    )
    if not debian:
        raise FetchError(
            "no Debian mirror is known: apt on this machine is set to none",
            hint=f"set {DEBIAN} (and {SECURITY}), or [mirrors] in slipway.toml",
            stage="fetch",
        )
    derived = re.sub(r"/debian$", "/debian-security", debian)
    return Mirrors(debian.rstrip("/"), (security or derived).rstrip("/"), snapshot.rstrip("/"))


def read_sources(root: Path = Path("/etc/apt")) -> dict[str, str]:
    """The texts of apt's source files by name; empty where there is no apt."""
    files = [root / "sources.list", *sorted((root / "sources.list.d").glob("*"))]
    return {
        file.name: file.read_text("utf-8", "replace")
        for file in files
        if file.is_file() and file.suffix in (".list", ".sources")
    }
