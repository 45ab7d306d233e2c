"""Find what is wrong with a host and what is to stand on it, all at once; change nothing.

What can't be looked at, since something else is wrong, is named; the rest is looked at all the
same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slipway.act.deploy import make_draft
from slipway.act.doors import Doors
from slipway.app.checkout import Reading, compose_texts
from slipway.app.target import Target
from slipway.app.told import Told
from slipway.app.workspace import Workspace, new_token
from slipway.hosts.checkup import Checkup, read_checkup
from slipway.hosts.config import HostEntry
from slipway.hosts.facts import Facts
from slipway.hosts.inspect import EngineState
from slipway.hosts.probe import Probe, probe
from slipway.operate.certificate import ends_soon, read_shown
from slipway.plan.doctor.files import file_findings
from slipway.plan.doctor.folders import folder_findings, trials
from slipway.plan.doctor.machine import machine_findings, names_taken, resources
from slipway.plan.doctor.truenas import truenas_findings
from slipway.plan.finding import Diagnosis, Finding
from slipway.plan.needs import Needs, first_needs, needs, networks_of
from slipway.plan.preflight import findings, unconfined
from slipway.stack.mounts import Mount, mounts
from slipway.stack.ports import published_ports
from slipway.stack.project import ONLY, project_of

_GREET_S = 30.0


class _Unbuilt(Exception):
    """The images are not built, and are not to be for this."""


def diagnose(workspace: Workspace, host: str | None, *, locked: bool = False) -> Diagnosis:
    """Look at everything.

    Args:
        workspace: where the command works.
        host: its name, or None for the default one.
        locked: as for :meth:`~slipway.app.workspace.Workspace.images`.

    Raises:
        ConfigError: there is no such host.
        SupplyError: the program that reads Compose files can't be built.
    """
    entry = workspace.entry(host)
    told = Told()
    warnings: list[str] = []
    reading = told.heed(
        lambda: workspace.reading(entry, locked=locked, warn=warnings.append),
        "ports, folders, networks and limits of the stack: its files can't be read",
    )
    target = told.heed(lambda: workspace.target(host), "the host: it can't be reached")
    truenas = any("truenas" in name for name in entry.compose)
    if target is not None:
        with target:
            visit = _Visit(workspace, entry, target, reading, told)
            visit.make()
        truenas = truenas or visit.checkup.nas is not None
    if reading is not None:
        texts = compose_texts(workspace.root, entry.compose)
        told.found += file_findings(reading.stack, texts, warnings, truenas=truenas)
    return told.diagnosis(entry.name)


class _Visit:
    """What is looked at on a host that is there.

    Attributes:
        checkup: what was seen of it; of nothing when it could not be asked.
    """

    def __init__(
        self,
        workspace: Workspace,
        entry: HostEntry,
        target: Target,
        reading: Reading | None,
        told: Told,
    ) -> None:
        self._workspace, self._entry, self._target = workspace, entry, target
        self._reading, self._told = reading, told
        self.checkup = Checkup()
        self._mounts: tuple[Mount, ...] = ()
        if reading is not None:
            self._mounts = mounts(reading.stack, reading.data_dir)

    @property
    def _doors(self) -> Doors:
        return self._target.doors

    def make(self) -> None:
        """Look at everything."""
        if not self._told.heed(self._greeted, "the host: no command can be run there"):
            return
        checkup = self._told.heed(self._checkup, "clock, names, folders and holders of ports")
        if checkup is not None:
            self.checkup = checkup
            self._told.found += self._seen(checkup)
        facts = self._told.heed(
            lambda: self._doors.engine.facts(self._entry.app_dir),
            "Docker, free space, ports, networks and what the stack's containers may do there",
        )
        if facts is None:
            return
        state = self._told.heed(self._doors.engine.state, "what Docker holds there")
        self._of_docker(facts, state)
        self._told.heed(self._certificate, "the stack's certificate")

    def _greeted(self) -> bool:
        """A command runs there.

        Raises:
            HostError: it can't be reached.
        """
        self._doors.host.run(("true",), timeout=_GREET_S)
        return True

    def _checkup(self) -> Checkup:
        stack = self._reading.stack if self._reading else None
        ports = published_ports(stack.services, stack.standing) if stack else set()
        return read_checkup(
            self._doors.host,
            self._doors.clock,
            docker=self._entry.docker,
            app_dir=self._entry.app_dir,
            ports=sorted(ports),
            folders=[one.source for one in self._mounts],
        )

    def _seen(self, checkup: Checkup) -> Iterable[Finding]:
        app_dir, kind = self._entry.app_dir, self._entry.kind
        project = project_of(self._workspace.config.application, self._entry.mode)
        for one in machine_findings(checkup, app_dir):
            # A rehearsal host has no way out, and so nobody to ask for names.
            if not (kind == "rehearsal" and one.code == "dns"):
                yield one
        if checkup.nas is not None:
            yield from truenas_findings(checkup.nas, project, app_dir)
        if self._reading is not None:
            yield from names_taken(checkup, self._reading.stack)

    def _of_docker(self, facts: Facts, state: EngineState | None) -> None:
        told, reading, checkup = self._told, self._reading, self.checkup
        told.found += [
            Finding(
                "unconfined", one, "what breaks out of a container finds less in its way",
                "switch them on in the host's kernel and Docker; on some hosts that can't be",
                "warning",
            )
            for one in unconfined(self._entry.name, facts)
        ]  # fmt: skip
        if reading is None:
            return
        told.found += resources(facts, reading.stack)
        if state is None:
            return
        told.found += findings(facts, self._needs(reading, state), checkup.holders)
        if self._entry.mode == ONLY:
            told.found += folder_findings(self._mounts, checkup.folders, Probe(), checkup.nas)
            told.unchecked.append(
                "networks, and writing in a container: nobody has a right to Docker there; folders "
                "were judged by owner and mode"
            )
            return
        tried = told.heed(lambda: self._tried(reading, state), "networks, and folders")
        if tried is not None:
            told.found += self._networks(tried, reading, state)
            told.found += folder_findings(self._mounts, checkup.folders, tried, checkup.nas)
            if not tried.tried and trials(self._mounts, checkup.folders):
                told.unchecked.append(
                    "writing in a container: no image of the stack's is there before the first "
                    "deploy; its folders were judged by owner and mode"
                )

    def _needs(self, reading: Reading, state: EngineState) -> Needs:
        """What a deploy needs; room for something, also where nothing would be sent.

        A deploy that sends nothing is not refused for a disk that is full, and what it brings up
        fails of it.
        """
        first = first_needs(reading.stack, self._entry.app_dir, state)
        lost = "how much would be sent, and whether there is a way back"
        known = self._told.heed(self._drafted, lost) or first
        return replace(known, bytes_to_send=max(1, known.bytes_to_send))

    def _drafted(self) -> Needs | None:
        """What a deploy needs, planned as it would be; None while the images are not built."""

        def unbuilt() -> None:
            raise _Unbuilt

        workspace = self._workspace
        try:
            images = workspace.images(locked=True, first=unbuilt)
        except _Unbuilt:
            self._told.unchecked.append(
                "how much would be sent, and whether there is a way back: the images are not "
                "built (./inv build)"
            )
            return None
        return needs(make_draft(workspace.wanted(self._target, images), self._doors))

    def _tried(self, reading: Reading, state: EngineState) -> Probe:
        return probe(
            self._doors.host,
            new_token(),
            docker=self._entry.docker,
            application=reading.stack.application,
            networks=max(1, len(self._lacking(reading, state))),
            trials=trials(self._mounts, self.checkup.folders),
        )

    def _lacking(self, reading: Reading, state: EngineState) -> frozenset[str]:
        """The stack's networks that are not there yet."""
        return networks_of(reading.stack) - {one.name for one in state.networks or ()}

    def _networks(self, tried: Probe, reading: Reading, state: EngineState) -> Iterable[Finding]:
        if tried.network:
            yield Finding(
                "address-pools",
                f"Docker can't make another network: {tried.network.strip().splitlines()[-1]}",
                "the stack's services talk in networks of their own",
                "remove networks that nobody uses: docker network prune; or give Docker more "
                "default-address-pools (TrueNAS: Apps > Configuration > Settings)",
                "error" if self._lacking(reading, state) else "warning",
            )

    def _certificate(self) -> None:
        live = self._doors.folder.read().records.live
        shown = read_shown(self._doors, live.url) if live is not None else None
        for said in ends_soon(shown):
            self._told.found.append(
                Finding(
                    "certificate", said, "browsers refuse the stack from then on",
                    "./inv logs --service certificate",
                    "error" if shown is not None and shown.days < 0 else "warning",
                )
            )  # fmt: skip
