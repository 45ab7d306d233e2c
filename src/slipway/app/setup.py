"""Prepare a fresh host for its first deploy: show what it lacks, ask, make it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TextIO

from slipway.act.setup import make
from slipway.app.target import booted, open_host
from slipway.app.workspace import Workspace
from slipway.doors import Host
from slipway.errors import ConfigError, HostError, SlipwayError
from slipway.hosts.config import HostEntry
from slipway.hosts.roles import read_roles
from slipway.hosts.site import Site, read_site
from slipway.plan.setup import Thing, Wanted, plan_setup
from slipway.plan.setuponly import plan_only
from slipway.report import Report
from slipway.stack.project import ONLY

_YES = ("y", "yes")
_MARKS = {"there": "ok", "make": "make", "person": "you"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of it.

    Attributes:
        host: its name.
        things: what the host has, as it was found.
        made: whether what could be made was.
        secrets: of those that a person has to give.
        unchecked: what could not be looked at.
    """

    host: str
    things: tuple[Thing, ...]
    made: bool = False
    secrets: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def left(self) -> tuple[Thing, ...]:
        """What a person has to do."""
        return tuple(one for one in self.things if one.state == "person")

    @property
    def lacking(self) -> tuple[Thing, ...]:
        """What is made here."""
        return tuple(one for one in self.things if one.state == "make")

    @property
    def exit_code(self) -> int:
        """4 when a person has to do something, else 0."""
        return HostError.exit_code if self.left else 0

    def to_json(self) -> dict[str, object]:
        """What ``--json`` prints."""
        return {
            "host": self.host,
            "things": [one.to_json() for one in self.things],
            "made": [one.name for one in self.lacking] if self.made else [],
            "secrets": list(self.secrets),
            "unchecked": list(self.unchecked),
        }

    @property
    def verdict(self) -> str:
        """The last line."""
        if self.left:
            count = len(self.left)
            return f"{count} thing{'s' * (count != 1)} for you to do; then run it again"
        if self.made:
            return f"prepared; next: ./inv host.doctor --host {self.host}"
        if self.lacking:
            return "nothing was changed"
        return "nothing to do"


def things_text(things: Sequence[Thing], report: Report, *, made: bool = False) -> str:
    """Things for people: what is there, what is made or was, what they do."""
    lines = []
    for one in things:
        colour = {"there": "32", "make": "1;33", "person": "1;31"}[one.state]
        mark = "made" if made and one.state == "make" else _MARKS[one.state]
        lines.append(f"{report.paint(f'{mark:>4}', colour)}  {one.what}")
        lines += [f"      {report.paint('hint:', '1;32')} {one.how}"] if one.how else []
    return "\n".join(lines)


def prepared_text(found: Prepared, report: Report) -> str:
    """What came of it, for people."""
    lines = [things_text(found.things, report, made=found.made)]
    lines += [f"a secret that you give: {one}" for one in found.secrets]
    lines += [f"not looked at: {one}" for one in found.unchecked]
    return "\n".join((*lines, f"{found.host}: {found.verdict}"))


def prepare(
    workspace: Workspace, host: str | None, *, yes: bool, dry: bool, source: TextIO
) -> Prepared:
    """Look at a host, show what it lacks, and make that when somebody agrees.

    Args:
        workspace: where the command works.
        host: its name, or None for the default one.
        yes: make it without asking.
        dry: only look.
        source: where an answer comes from; without a terminal there is none.

    Raises:
        ConfigError: there is no such host; or nobody can be asked, with what would be made.
        HostError: it can't be reached, or something could not be made.
    """
    entry = workspace.entry(host)
    # A first login may have no rights at all: each question is asked without sudo.
    bare, found = replace(entry, sudo=False), booted(entry, workspace.rehearsals(), None)
    door, _ = open_host(bare, found, workspace.shell, workspace.report.warn)
    unchecked: list[str] = []
    secrets = _to_give(workspace, entry, unchecked.append)
    try:
        wanted = Wanted(entry.app_dir, entry.sudo)
        site = _seen(door, entry)
        things = _things(door, entry, wanted, site)
        if site.nas is None and "truenas" in " ".join(entry.compose):
            unchecked.append("TrueNAS' own settings: there is no midclt, so it counts as a server")
        answer = Prepared(entry.name, things, False, secrets, tuple(unchecked))
        if dry or not answer.lacking or not (yes or _agreed(answer, workspace.report, source)):
            return answer
        return _made(door, answer, wanted, site, workspace.report, lambda: _seen(door, entry))
    finally:
        door.close()


def _things(door: Host, entry: HostEntry, wanted: Wanted, site: Site) -> tuple[Thing, ...]:
    """What the host has and lacks, by the rights that its user is to have."""
    if entry.mode != ONLY:
        return plan_setup(wanted, site)
    held = read_roles(door) if site.nas is not None else frozenset()
    return plan_only(wanted, site, held, snapshots=entry.snapshots)


def _seen(door: Host, entry: HostEntry) -> Site:
    return read_site(door, sudo=entry.sudo, docker=entry.docker, app_dir=entry.app_dir)


def _made(
    door: Host,
    answer: Prepared,
    wanted: Wanted,
    site: Site,
    report: Report,
    again: Callable[[], Site],
) -> Prepared:
    """Make what is lacking, then look whether it is there.

    Raises:
        HostError: something could not be made, or is not there all the same.
    """
    make(door, answer.things, sudo=wanted.sudo and site.sudo, tell=lambda said: report.step(said))
    after = plan_setup(wanted, again())
    still = [one for one in after if one.state == "make"]
    if still:
        raise HostError(
            f"{answer.host} took everything, and still lacks {still[0].what}",
            hint=f"./inv host.setup --host {answer.host} shows it; make it by hand",
            stage="setup",
        )
    return replace(answer, made=True)


def _agreed(answer: Prepared, report: Report, source: TextIO) -> bool:
    """Show it, and ask.

    Raises:
        ConfigError: nobody is there to be asked.
    """
    report.say(things_text(answer.things, report))
    if not source.isatty():
        raise ConfigError(
            f"{answer.host} lacks {len(answer.lacking)} of these, and nobody can be asked; nothing "
            "was changed",
            hint=f"./inv host.setup --host {answer.host} --yes",
            stage="setup",
        )
    report.put("Make what is marked so? y/n [n]: ")
    return source.readline().strip().lower() in _YES


def _to_give(
    workspace: Workspace, entry: HostEntry, lost: Callable[[str], None]
) -> tuple[str, ...]:
    """The names of secrets that a person has to give and has not; a deploy makes the others."""
    try:
        reading = workspace.reading(entry)
    except SlipwayError as error:
        lost(f"which secrets you give: {error.message}")
        return ()
    return tuple(
        one.name
        for one in reading.stack.secrets
        if not (one.generate or one.derive or one.optional or one.name in reading.supplied)
    )
