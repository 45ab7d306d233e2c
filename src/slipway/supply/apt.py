"""Ask apt's own solver, in a private state folder, with signature-checked indexes.

Nothing of the machine's own apt is changed: state, cache, sources and dpkg status are ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import CommandFailed, LockError
from slipway.supply.locks import Index, Package
from slipway.supply.mirrors import KEYRING, Mirrors

_INST = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)


def suites(release: str) -> tuple[tuple[str, str], ...]:
    """The (archive, suite) pairs of a release: main, updates and security."""
    return (
        ("debian", release),
        ("debian", f"{release}-updates"),
        ("debian-security", f"{release}-security"),
    )


class Apt:
    """A private apt.

    Args:
        shell: where apt runs.
        folder: its state; made when missing.
        config: which release and architecture.
        mirrors: where the archives are.
        keyring: whose signatures the indexes must have.
    """

    def __init__(
        self,
        shell: Shell,
        folder: Path,
        config: Config,
        mirrors: Mirrors,
        *,
        keyring: Path = KEYRING,
    ) -> None:
        self._shell, self._folder, self._config, self._mirrors = shell, folder, config, mirrors
        self._keyring = keyring

    def update(self) -> None:
        """Fetch and check the signed indexes.

        Raises:
            LockError: an index can't be had, or its signature is not Debian's.
        """
        if not self._keyring.exists():
            raise LockError(
                f"{self._keyring} is missing: Debian's indexes can't be checked without it",
                hint="apt-get install debian-archive-keyring",
                stage="lock",
            )
        for name in ("etc/preferences.d", "etc/apt.conf.d", "lists/partial", "cache/archives"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        (self._folder / "etc/sources.list").write_text(
            "".join(
                f"deb [signed-by={self._keyring}] {self._mirrors.base(archive)} {suite} main\n"
                for archive, suite in suites(self._config.release)
            ),
            "utf-8",
        )
        settings = _SETTINGS.format(folder=self._folder, architecture=self._config.architecture)
        (self._folder / "apt.conf").write_text(settings, "utf-8")
        self._apt("apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any", timeout=600)

    def closure(self, packages: Sequence[str]) -> dict[str, str]:
        """What apt would install for ``packages``, without recommendations: name to version.

        Raises:
            LockError: apt finds no solution.
        """
        done = self._apt(
            "apt-get", "install", "--simulate", "--no-install-recommends", *packages, timeout=120
        )
        return {found[1].split(":")[0]: found[2] for found in _INST.finditer(done)}

    def indexes(self) -> tuple[Index, ...]:
        """The signed indexes in use, with hash and date."""
        found = []
        for archive, suite in suites(self._config.release):
            path = self._one(f"*dists_{suite}_InRelease", archive)
            data = path.read_bytes()
            date = re.search(rb"^Date: (.+)$", data, re.MULTILINE)
            stamp = (
                parsedate_to_datetime(date[1].decode()).strftime("%Y%m%dT%H%M%SZ") if date else ""
            )
            found.append(Index(archive, suite, hashlib.sha256(data).hexdigest(), stamp))
        return tuple(found)

    def stanzas(self, wanted: Iterable[tuple[str, str]]) -> dict[str, Package]:
        """The index entries of (name, version) pairs, by name.

        Raises:
            LockError: an index does not have one of them.
        """
        left = dict(wanted)
        found: dict[str, Package] = {}
        for package in self.listed(left):
            if package.version == left[package.name]:
                found.setdefault(package.name, package)
        if absent := sorted(set(left) - set(found)):
            raise LockError(f"apt chose packages that no index lists: {', '.join(absent)}")
        return found

    def listed(self, names: Container[str]) -> list[Package]:
        """Every entry of the signed indexes for packages of these names."""
        found: list[Package] = []
        for archive, suite in suites(self._config.release):
            kind = f"main_binary-{self._config.architecture}_Packages"
            files = self._files(f"*dists_{suite}_{kind}", archive)
            # apt keeps no file of an index that is empty, as a new release's updates are.
            for text in "\n\n".join(file.read_text("utf-8") for file in files).split("\n\n"):
                name = text[9 : text.find("\n")] if text.startswith("Package: ") else ""
                if name in names:
                    found.append(parse_stanza(text, archive, suite))
        return found

    def _files(self, pattern: str, archive: str) -> list[Path]:
        key = self._mirrors.base(archive).split("://")[-1].replace("/", "_")
        return [p for p in (self._folder / "lists").glob(pattern) if p.name.startswith(f"{key}_")]

    def _one(self, pattern: str, archive: str) -> Path:
        files = self._files(pattern, archive)
        if len(files) != 1:
            raise LockError(
                f"apt has {len(files)} files like {pattern} where one was expected", stage="lock"
            )
        return files[0]

    def _apt(self, *argv: str, timeout: float) -> str:
        env = {"APT_CONFIG": str(self._folder / "apt.conf"), "LC_ALL": "C"}
        try:
            return self._shell.run(argv, timeout=timeout, env=env).text
        except CommandFailed as error:
            raise LockError(
                f"apt could not {argv[1]} for Debian {self._config.release}",
                details=error.details,
                hint="is the mirror that apt is set to reachable, and has it this release?",
                stage="lock",
            ) from error


_SETTINGS = """\
Dir::Etc "{folder}/etc";
Dir::Etc::sourcelist "{folder}/etc/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "{folder}/etc/preferences.d";
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
"""


def parse_stanza(text: str, archive: str, suite: str) -> Package:
    """One paragraph of a ``Packages`` index as a package.

    Raises:
        LockError: a field that every package has is missing.
    """
    fields: dict[str, str] = dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))
    try:
        return Package(
            name=fields["Package"],
            version=fields["Version"],
            source=(fields.get("Source") or fields["Package"]).split(" ")[0],
            archive=archive,
            suite=suite,
            path=fields["Filename"],
            size=int(fields["Size"]),
            sha256=fields["SHA256"],
        )
    except KeyError as error:
        raise LockError(f"an entry of the index {suite} has no {error}") from error
