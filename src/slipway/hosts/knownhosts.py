"""Which host keys are known, as OpenSSH's own program looks them up.

``ssh-keygen -F NAME -f FILE`` finds hashed names, patterns and markers as ssh does; the library
that speaks SSH here knows none of the last two. Judging a key is pure (:func:`judge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from paramiko.hostkeys import HostKeyEntry, HostKeys

from slipway.doors import Shell
from slipway.errors import CommandFailed

_LOOK_S = 30.0
_NOT_FOUND = 1
_NO_PROGRAM = 127
# An RSA key signs by either of these; its type in known_hosts files is the old name.
_ALGORITHMS: Mapping[str, tuple[str, ...]] = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class Verdict(Enum):
    """What known_hosts files say about a key: the last three are refused."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line of a known_hosts file.

    Attributes:
        marker: ``@revoked``, ``@cert-authority``, or empty for a host's own key.
        type: such as ``ssh-ed25519``.
        key: the key in base64.
    """

    marker: str
    type: str
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one server.

    Attributes:
        by_name: the lines for each of its names, the first name first.
    """

    by_name: Mapping[str, tuple[KnownKey, ...]] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[KnownKey, ...]:
        """All lines."""
        return tuple(key for keys in self.by_name.values() for key in keys)

    @property
    def has_authority(self) -> bool:
        """Whether it is known by a certificate authority, which is not asked here."""
        return any(key.marker == "@cert-authority" for key in self.keys)


def judge(known: Known, key_type: str, key: str) -> Verdict:
    """Whether a server's key is a known one, as OpenSSH decides.

    A key that is not known by the server's first name (with the port) may be known by its second
    (without); another key of the same type there is a changed one only for the first.

    Args:
        known: what is known of the server.
        key_type: the type of the key it showed.
        key: that key in base64.
    """
    if any(line.marker == "@revoked" and line.key == key for line in known.keys):
        return Verdict.REVOKED
    changed = False
    for index, lines in enumerate(known.by_name.values()):
        own = [line for line in lines if not line.marker and line.type == key_type]
        if any(line.key == key for line in own):
            return Verdict.CHANGED if changed else Verdict.KNOWN
        changed = changed or (index == 0 and bool(own))
    return Verdict.CHANGED if changed else Verdict.UNKNOWN


def preferred(known: Known, offered: Sequence[str], allowed: Sequence[str] = ()) -> list[str]:
    """Host key algorithms in the order to ask for them: those of known keys first.

    Args:
        known: what is known of the server.
        offered: what can be done here, in order.
        allowed: what the configuration allows; empty for all.
    """
    usable = [each for each in offered if not allowed or each in allowed] or list(offered)
    mine = {
        algorithm
        for line in known.keys
        if not line.marker
        for algorithm in _ALGORITHMS.get(line.type, (line.type,))
    }
    return sorted(usable, key=lambda each: each not in mine)


def parse_found(text: str) -> tuple[KnownKey, ...]:
    """The known_hosts lines that ``ssh-keygen -F`` printed, without its remarks."""
    found = []
    for line in text.splitlines():
        fields = line.split()
        marker = fields.pop(0) if line.startswith("@") else ""
        if len(fields) >= 3 and not line.startswith("#"):
            found.append(KnownKey(marker, fields[1], fields[2]))
    return tuple(found)


def look_up(shell: Shell, names: Sequence[str], files: Sequence[str]) -> Known:
    """Look a server's names up in known_hosts files; those that aren't there are skipped.

    Raises:
        CommandFailed: a file can't be read.
    """
    there = [file for file in files if Path(file).is_file()]
    try:
        return Known({name: _found(shell, name, there) for name in names})
    except CommandFailed as error:
        if error.command_exit_code != _NO_PROGRAM:
            raise
        return look_up_here(names, there)


def look_up_here(names: Sequence[str], files: Sequence[str]) -> Known:
    """The same without OpenSSH's program: names as they are and hashed ones, but no patterns.

    A key that is marked as revoked for anybody counts as revoked for this server.

    Raises:
        OSError: a file can't be read.
        InvalidHostKey: a file has a line that is none.
    """
    marked: list[KnownKey] = []
    entries: list[HostKeyEntry] = []
    for file in files:
        for number, line in enumerate(Path(file).read_text("utf-8", "replace").splitlines(), 1):
            if line.startswith("@"):
                marked += parse_found(line)
            elif not line.startswith("#") and (entry := HostKeyEntry.from_line(line, number)):
                entries.append(entry)
    revoked = [key for key in marked if key.marker == "@revoked"]
    return Known({name: (*_held(entries, name), *revoked) for name in names})


def _held(entries: Sequence[HostKeyEntry], name: str) -> list[KnownKey]:
    return [
        KnownKey("", entry.key.get_name(), entry.key.get_base64())
        for entry in entries
        for known in entry.hostnames or ()
        if known == (HostKeys.hash_host(name, known) if known.startswith("|1|") else name)
    ]


def _found(shell: Shell, name: str, files: Sequence[str]) -> tuple[KnownKey, ...]:
    found: list[KnownKey] = []
    for file in files:
        argv = ("ssh-keygen", "-F", name, "-f", file)
        done = shell.run(argv, timeout=_LOOK_S, check=False)
        if not done.ok and done.exit_code != _NOT_FOUND:
            raise CommandFailed(argv, done.exit_code, done.error_text, where="this machine")
        found += parse_found(done.text)
    return tuple(found)
