"""Where to download from: the machine's own settings, never an address of ours.

Order for each kind: an environment variable, ``[mirrors]`` in ``slipway.toml``, what the
machine's client (apt, pip, Go) is set to. Where apt knows no Debian mirror, as on Ubuntu, the
distribution's own debootstrap has the address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import FetchError, SupplyError
from slipway.report import Report
from slipway.supply import programs

DEBIAN = "SLIPWAY_DEBIAN_MIRROR"
SECURITY = "SLIPWAY_DEBIAN_SECURITY_MIRROR"
SNAPSHOT = "SLIPWAY_DEBIAN_SNAPSHOT"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEBOOTSTRAP = "usr/sbin/debootstrap"
_SUITE = re.compile(r"[a-z]+")
_OFF = ("no", "false", "without", "off", "disable", "0")


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
    """The (address, suite) pairs of apt's sources that have packages in ``main``, as Debian's do.

    Args:
        texts: file name to content; ``.sources`` files are deb822, all others one line each
            (sources.list(5)).
    """
    pairs: list[tuple[str, str]] = []
    for name, text in texts.items():
        pairs += _deb822(text) if name.endswith(".sources") else _one_line(text)
    return [(uri.rstrip("/"), suite) for uri, suite in pairs]


def _one_line(text: str) -> list[tuple[str, str]]:
    pairs = []
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if found and "main" in found[3].split():
            pairs.append((found[1], found[2]))
    return pairs


def _deb822(text: str) -> list[tuple[str, str]]:
    pairs = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = dict(re.findall(r"^(\S+):((?:.|\n[ \t])*)$", paragraph, re.MULTILINE))
        words = {key.lower(): value.split() for key, value in fields.items()}
        enabled = "".join(words.get("enabled", ["yes"])).lower() not in _OFF
        if enabled and "deb" in words.get("types", []) and "main" in words.get("components", []):
            suites = words.get("suites", [])
            pairs += [(uri, suite) for uri in words.get("uris", []) for suite in suites]
    return pairs


def choose(
    sources: Sequence[tuple[str, str]],
    settings: Mapping[str, str],
    environment: Mapping[str, str],
    shipped: str = "",
) -> Mirrors | None:
    """Pick the archives' addresses.

    Args:
        sources: apt's (address, suite) pairs.
        settings: ``[mirrors]`` of ``slipway.toml``.
        environment: the process's variables.
        shipped: what the distribution ships as Debian's address; the last resort.

    Returns:
        None when nothing names a Debian mirror.
    """
    web = [(uri, suite) for uri, suite in sources if uri.startswith(("http://", "https://"))]
    set_debian = environment.get(DEBIAN) or settings.get("debian", "")
    set_security = environment.get(SECURITY) or settings.get("debian_security", "")
    snapshot = environment.get(SNAPSHOT) or settings.get("debian_snapshot", "")
    of_apt = (uri for uri, suite in web if uri.endswith("/debian") and _SUITE.match(suite))
    debian = (set_debian.rstrip("/") or next(of_apt, "") or shipped).rstrip("/")
    if not debian:
        return None
    derived = re.sub(r"/debian$", "/debian-security", debian)
    security = set_security
    if not set_debian:  # apt's security archive belongs to apt's main one
        of_security = (uri for uri, _ in web if uri.endswith("/debian-security"))
        security = security or next(of_security, "")
    return Mirrors(debian, (security or derived).rstrip("/"), snapshot.rstrip("/"))


def read_sources(root: Path) -> dict[str, str]:
    """The texts of apt's source files by name; empty where there is no apt.

    Args:
        root: folder that ``etc/apt`` lies in.
    """
    apt = root / "etc/apt"
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    return {
        file.name: file.read_text("utf-8", "replace")
        for file in files
        if file.is_file() and file.suffix in (".list", ".sources")
    }


def follow_lists(sources: Sequence[tuple[str, str]], root: Path) -> list[tuple[str, str]]:
    """The same with every ``mirror+file:`` address replaced by those in the file it names.

    Debian's cloud images are set up like that (apt-transport-mirror(1)).
    """
    pairs: list[tuple[str, str]] = []
    for uri, suite in sources:
        if not uri.startswith("mirror+file:"):
            pairs.append((uri, suite))
            continue
        path = root / re.sub(r"^mirror\+file:/*", "", uri)
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        listed = (line.split("\t")[0].strip() for line in text.splitlines())
        pairs += [(line.rstrip("/"), suite) for line in listed if line and line[0] != "#"]
    return pairs


def shipped_address(program: Path) -> str:
    """The address of Debian's archive that a distribution ships, in its debootstrap; or empty.

    Args:
        program: debootstrap, a shell script.
    """
    text = program.read_text("utf-8", "replace") if program.is_file() else ""
    found = re.search(r"""^DEF_MIRROR=["']?(https?://[^"'\s]+)""", text, re.MULTILINE)
    return found[1].rstrip("/") if found else ""


class Finder:
    """Finds this machine's mirrors when they are asked for, once.

    Args:
        shell: installs debootstrap where apt knows no Debian mirror, as on Ubuntu.
        settings: ``[mirrors]`` of ``slipway.toml``.
        environment: the process's variables.
        root: folder of ``etc/apt`` and of the distribution's programs.
        may_install: as for :func:`slipway.supply.programs.ensure`.
    """

    def __init__(
        self,
        shell: Shell,
        settings: Mapping[str, str],
        environment: Mapping[str, str],
        report: Report,
        *,
        root: Path = Path("/"),
        may_install: bool | None = None,
    ) -> None:
        self._shell, self._settings, self._environment = shell, settings, environment
        self._report, self._root, self._may_install = report, root, may_install
        self._found: Mirrors | None = None

    def __call__(self) -> Mirrors:
        """The mirrors.

        Raises:
            FetchError: no Debian mirror is known.
        """
        if self._found is None:
            self._found = self._find()
        return self._found

    def _find(self) -> Mirrors:
        sources = follow_lists(parse_sources(read_sources(self._root)), self._root)
        if found := choose(sources, self._settings, self._environment):
            return found
        if found := choose((), {}, {}, self._shipped()):
            self._report.say(f"  apt knows no Debian mirror; taking debootstrap's, {found.debian}")
            return found
        raise _unknown()

    def _shipped(self) -> str:
        program = self._root / _DEBOOTSTRAP
        if not program.is_file():
            try:
                programs.ensure(
                    self._shell,
                    self._report,
                    {f"/{_DEBOOTSTRAP}": "debootstrap", str(KEYRING): "debian-archive-keyring"},
                    there=lambda path: (self._root / path[1:]).is_file(),
                    may_install=self._may_install,
                )
            except SupplyError as error:
                raise _unknown(error.message, *error.details) from error
        return shipped_address(program)


def _unknown(*details: str) -> FetchError:
    return FetchError(
        "no Debian mirror is known: apt on this machine is set to none",
        details=details,
        hint=f"set {DEBIAN} (and {SECURITY}), or [mirrors] in slipway.toml, to its address; or as "
        "root: apt-get install debootstrap, which knows one",
        stage="fetch",
    )
