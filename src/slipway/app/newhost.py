"""Write down one more machine, in ``deploy/hosts.local.toml``, which is the operator's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from slipway.errors import ConfigError, HostError
from slipway.hosts.config import HostEntry, Hosts, is_host_name, parse_hosts
from slipway.hosts.table import HOSTS, OWN
from slipway.reading import read_text
from slipway.report import Report

_HEAD = """# Your own machines, beside those of deploy/hosts.toml; git ignores this file.
# Every key: docs/reference/hosts-toml.md
format = 1
"""
_TRUENAS_FILES = ("docker-compose.yml", "docker-compose.truenas.yml")
_TRUENAS_USER = "truenas_admin"
_YES = ("y", "yes")
REACH_S = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of a machine; what is empty, 0 or False was not said.

    Attributes:
        name: what it is to be called.
        address: name or IP address.
        user: login name.
        port: TCP port of its SSH server.
        sudo: whether everything is run there through ``sudo -n``.
        app_dir: the application's folder there.
        truenas: whether it is a TrueNAS.
    """

    name: str
    address: str = ""
    user: str = ""
    port: int = 0
    sudo: bool = False
    app_dir: str = ""
    truenas: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """What was written down.

    Attributes:
        entry: the host.
        problem: why it can't be reached yet; empty when it was.
        hint: what to do about that.
    """

    entry: HostEntry
    problem: str = ""
    hint: str = ""

    def to_json(self) -> dict[str, object]:
        """The host, the file, whether it was reached."""
        return {
            "host": self.entry.name,
            "file": OWN,
            "reached": not self.problem,
            "problem": self.problem or None,
            "hint": self.hint or None,
        }

    @property
    def talk(self) -> str:
        """What a person is told."""
        said = f"{self.entry.name} is in {OWN}"
        return said if self.problem else f"{said}, and was reached; next: {self.next}"

    @property
    def next(self) -> str:
        """The command that prepares it."""
        return f"./inv host.setup --host {self.entry.name}"


def ask(wish: Wish, application: str, report: Report, source: TextIO) -> Wish:
    """Ask for what was not said, where somebody is there to answer.

    Args:
        wish: what was said.
        application: whose folder it is about.
        report: where questions go.
        source: where answers come from; nothing is asked of what is no terminal.
    """
    if not source.isatty():
        return wish

    def answer(question: str, default: str) -> str:
        report.put(f"{question}{f' [{default}]' if default else ''}: ")
        return source.readline().strip() or default

    truenas = wish.truenas or answer("Is it a TrueNAS? y/n", "n").lower() in _YES
    wish = replace(wish, truenas=truenas)
    address = wish.address or answer("Its name or IP address", "")
    port = wish.port or _number(answer("Port of its SSH server", "22"))
    user = wish.user or answer("Who logs in there", _TRUENAS_USER if truenas else "root")
    sudo = wish.sudo or (
        user != "root" and answer("Run everything as root, by sudo? y/n", "y").lower() in _YES
    )
    usual = f"{'/mnt/tank/apps' if truenas else '/srv'}/{application}"
    folder = wish.app_dir or answer("Folder for releases, secrets and data", usual)
    return Wish(wish.name, address, user, 0 if port == 22 else port, sudo, folder, truenas)


def _number(text: str) -> int:
    """A port; what is none is one that the reader of the file refuses with a sentence."""
    return int(text) if text.isascii() and text.isdigit() else 65536


def lines_of(wish: Wish) -> str:
    """The table, as it stands in the file. Pure.

    On a TrueNAS its own admin logs in where nobody else is named, and whoever is not root needs
    sudo: nobody else may use Docker there.
    """
    user = wish.user or (_TRUENAS_USER if wish.truenas else "")
    keys: dict[str, object] = {"kind": "ssh", "address": wish.address, "app_dir": wish.app_dir}
    keys |= {"port": wish.port} if wish.port else {}
    keys |= {"user": user} if user else {}
    keys |= {"sudo": True} if wish.sudo or (wish.truenas and user != "root") else {}
    keys |= {"compose": list(_TRUENAS_FILES)} if wish.truenas else {}
    # A basic string of TOML is one of JSON, but for U+007F, which the reader refuses.
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in keys.items()}
    return f"[host.{wish.name}]\n" + "".join(f"{key} = {text}\n" for key, text in texts.items())


def with_host(text: str | None, wish: Wish, known: str, *, replace_it: bool, home: str) -> str:
    """The file's text with one more table at its end. Pure.

    Args:
        text: as it is; None when it isn't there.
        wish: the host.
        known: the text of ``deploy/hosts.toml``.
        replace_it: whether the host may be in there already, and is written anew.
        home: the folder that ``~/`` stands for.

    Raises:
        ConfigError: the host is there already, a value can't be, or the file has problems.
    """
    if not is_host_name(wish.name):
        what = "is no host name: a-z, 0-9 and -, a letter first, at most 21"
        raise _refused(f"{wish.name!r} {what}", "./inv host.add truenas")
    needed = {"--address": wish.address, "--folder": wish.app_dir}
    lacking = [flag for flag, value in needed.items() if not value]
    if lacking:
        flags = " and ".join(lacking)
        raise _refused(
            f"{flags} {'is' if len(lacking) == 1 else 'are'} needed where nobody can be asked",
            f"./inv host.add {wish.name} --address truenas.local "
            "--folder /mnt/tank/apps/langflix --truenas",
        )
    parsed = parse_hosts(known, home=home, own=text)
    if wish.name in parse_hosts(known, home=home).entries:
        raise _refused(f"{wish.name} is in {HOSTS} already", f"change it there: {HOSTS}")
    if wish.name in parsed.entries:
        if not replace_it:
            raise _refused(
                f"{wish.name} is in {OWN} already",
                f"./inv host.add {wish.name} --replace writes it anew",
            )
        text = _without(text or "", wish.name)
    kept = _HEAD if text is None else text.removeprefix("\ufeff").rstrip("\n") + "\n"
    made = f"{kept}\n{lines_of(wish)}"
    _see_that_it_fits(parsed, known, made, wish.name, home)
    return made


def _refused(what: str, hint: str) -> ConfigError:
    return ConfigError(f"{what}; nothing was changed", hint=hint, stage="config")


def _without(text: str, name: str) -> str:
    """The text without the lines of a host's tables; a comment before the next table stays."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            title = line[1:].partition("]")[0].strip()
            inside = title == f"host.{name}" or title.startswith(f"host.{name}.")
        if not inside or line.startswith("#"):
            kept.append(line)
    return "".join(kept)


def _see_that_it_fits(before: Hosts, known: str, made: str, name: str, home: str) -> None:
    """See that the new text can be read, and that no other host has become another one.

    Raises:
        ConfigError: a value can't be, or the file is written in a way that is not known here.
    """

    def others(hosts: Hosts) -> Mapping[str, HostEntry]:
        return {key: entry for key, entry in hosts.entries.items() if key != name}

    try:
        made.encode()
        after = parse_hosts(known, home=home, own=made)
    except UnicodeEncodeError as error:
        raise _refused(f"a value of {name} is no text", "type it anew") from error
    except ConfigError as error:
        raise ConfigError(
            f"{name} can't be written down like this; nothing was changed",
            details=error.details,
            hint="./inv --help host.add says what the values are",
            stage="config",
        ) from error
    if others(before) != others(after):
        raise _refused(f"{OWN} is written in a way that can't be changed from here", f"mend {OWN}")


def add(root: Path, wish: Wish, reach: Callable[[str], None], *, replace_it: bool = False) -> Added:
    """Write a host down, and see whether it can be reached.

    Args:
        root: the checkout.
        wish: the host.
        reach: asks the host of that name something.
        replace_it: as for :func:`with_host`.

    Raises:
        ConfigError: as for :func:`with_host`; nothing was changed.
    """
    path = root / OWN
    known = read_text(root / HOSTS, HOSTS)
    text = read_text(path, OWN) if path.exists() else None
    home = str(Path.home())
    made = with_host(text, wish, known, replace_it=replace_it, home=home)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(made, "utf-8")
    fresh.replace(path)
    entry = parse_hosts(known, home=home, own=made).pick(wish.name)
    try:
        reach(wish.name)
    except HostError as error:
        return Added(entry, error.message, error.hint or "")
    return Added(entry)
