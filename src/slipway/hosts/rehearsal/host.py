"""Boot, look at and remove rehearsal hosts.

A rehearsal host is a machine of TrueNAS' shape on this one: its own namespaces, a real sshd, a real
Docker engine with Compose, programs from a tree of unpacked Debian packages. It has no way out to
any network. It stays until it is removed, and between boots it keeps Docker's data and the pool.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from slipway.doors import Clock, Shell
from slipway.errors import HostError
from slipway.hosts.rehearsal import keys as keyfiles
from slipway.hosts.rehearsal import machine, network, spec, state, truenas
from slipway.hosts.rehearsal.shape import PLAIN
from slipway.hosts.rehearsal.start import PROGRAMS_DIR, start, sweep
from slipway.hosts.rehearsal.values import ROOT, SSH_PORT, Places, RehearsalInfo, check_name
from slipway.report import Report

LOCK_S = 180.0
STOP_S = 45.0
KILL_S = 15.0
POLL_S = 0.2
ANSWER_S = 10.0


class Rehearsals:
    """The rehearsal hosts of one checkout.

    Args:
        root: folder of their states, each in a folder of its name; made when missing.
        shell: programs on this machine.
        clock: time.
        report: where progress is told.
    """

    def __init__(self, root: Path, *, shell: Shell, clock: Clock, report: Report) -> None:
        self._root = root.resolve()
        self._shell = shell
        self._clock = clock
        self._report = report

    def up(
        self,
        name: str,
        tree: Path,
        *,
        release: str | None = None,
        answering: RehearsalInfo | None = None,
    ) -> RehearsalInfo:
        """Have a healthy host of this name: boots it unless it runs; boots an ill one anew.

        Args:
            name: a small letter, then up to 20 small letters, digits, hyphens.
            tree: folder of unpacked Debian packages with merged ``/usr``; is only read.
            release: of TrueNAS, a key of :data:`~slipway.hosts.rehearsal.nasfiles.RELEASES`; empty
                for a plain server; None for what it was at its last boot.
            answering: the host, when it has just answered: it isn't asked again. A server of
                OpenSSH 9.8 or later counts connections on which nobody logs in, and then refuses
                all for a while (sshd_config(5), PerSourcePenalties).

        Raises:
            ConfigError: the name or the tree is not one.
            HostError: no root, a kernel that lacks something, or the host did not come up;
                what was started is stopped then, its data is kept.
        """
        check_name(name)
        machine.require_root()
        tree = state.checked_tree(tree)
        places = Places(self._root / name)
        with self._alone():
            same = answering is not None and answering == self._booted(places)[0]
            found = answering if same else self._look(places)
            release = self._release(places) if release is None else release
            if found is not None and found.healthy:
                wanted = dataclasses.replace(found, release=release)
                if self._made_from(places) == self._fingerprint(places, wanted, tree):
                    return found
                found = dataclasses.replace(found, problem="its programs or settings changed")
            if found is not None:
                self._report.say(f"  rehearsal host {name}: {found.problem}; booting it anew")
            machine.require_kernel(self._shell)
            places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            machine.require_fit(places.state)
            self._clear(places)
            return self._boot(places, tree, release)

    def status(self, name: str) -> RehearsalInfo | None:
        """The host of this name, with its problem when it is ill; None when there is none.

        Raises:
            ConfigError: the name is not one.
            HostError: not root.
        """
        check_name(name)
        machine.require_root()
        return self._look(Places(self._root / name))

    def noted(self, name: str) -> RehearsalInfo | None:
        """The host of this name as it booted, when it runs; whether it answers isn't looked at.

        Raises:
            ConfigError: the name is not one.
            HostError: not root.
        """
        check_name(name)
        machine.require_root()
        info = self._booted(Places(self._root / name))[0]
        return info if info is not None and info.healthy else None

    def list_all(self) -> tuple[RehearsalInfo, ...]:
        """Every host of this checkout, by name.

        Raises:
            HostError: not root.
        """
        machine.require_root()
        folders = sorted(self._root.iterdir()) if self._root.is_dir() else []
        infos = (self._look(Places(folder)) for folder in folders if folder.is_dir())
        return tuple(info for info in infos if info is not None)

    def down(self, name: str) -> bool:
        """Remove the host and all its data; whether there was anything to remove.

        Raises:
            ConfigError: the name is not one.
            HostError: not root, or something would not go; doing it again is safe.
        """
        check_name(name)
        machine.require_root()
        places = Places(self._root / name)
        if not places.state.exists() and not machine.processes(places.marker):
            return False
        with self._alone():
            self._report.step("rehearsal", f"removing host {name}")
            self._clear(places, gently_s=0)  # nothing of it is kept, so nothing need end well
            state.remove(places.state)
        return True

    def _booted(self, places: Places) -> tuple[RehearsalInfo | None, int]:
        """What a boot left there, and its first process; 0 when there is none."""
        pids = machine.processes(places.marker)
        info = state.read_info(places)
        if info is None:
            if not places.state.exists() and not pids:
                return None, 0
            return state.unknown(places, "its boot did not finish"), 0
        first = next((pid for pid in pids if state.is_init(pid)), 0)
        return (info if first else dataclasses.replace(info, problem="it does not run")), first

    def _look(self, places: Places) -> RehearsalInfo | None:
        info, first = self._booted(places)
        if info is None or not info.healthy:
            return info
        if not self._in_time(lambda: machine.ssh_answers(info.address, info.ssh_port)):
            return dataclasses.replace(info, problem="its sshd does not answer")
        if not self._in_time(lambda: machine.docker_version(first) is not None):
            return dataclasses.replace(info, problem="its Docker engine does not answer")
        return info

    def _in_time(self, answers: Callable[[], bool]) -> bool:
        """Ask for some seconds: who does not answer is booted anew, with all that runs on it."""
        end = self._clock.monotonic() + ANSWER_S
        while not answers():
            if self._clock.monotonic() >= end:
                return False
            self._clock.sleep(POLL_S)
        return True

    @staticmethod
    def _release(places: Places) -> str:
        info = state.read_info(places)
        return "" if info is None else info.release

    def _boot(self, places: Places, tree: Path, release: str) -> RehearsalInfo:
        started = self._clock.monotonic()
        self._report.step("rehearsal", f"booting host {places.name}")
        net = network.choose(places.key, machine.taken(self._shell))
        address = str(net.network_address + 2)
        document = self._spec(places, tree, network.there(net), release)
        for folder in (places.docker, places.pool, places.at_boot, places.scratch,
                       places.ix_apps, places.data):  # fmt: skip
            folder.mkdir(exist_ok=True)
        try:
            version = start(
                document,
                marker=places.marker,
                console=places.console,
                plug=lambda pid: machine.plug(
                    self._shell, places.interface, network.here(net), pid
                ),
                clock=self._clock,
                report=self._report,
            )
            keyfiles.write_known_hosts(places.keys, address)
            info = RehearsalInfo(
                name=places.name,
                address=address,
                ssh_port=SSH_PORT,
                user=ROOT,
                key_path=str(places.keys / keyfiles.CLIENT),
                known_hosts_path=str(places.keys / keyfiles.KNOWN_HOSTS),
                tree=str(tree),
                state_dir=str(places.state),
                booted_at=self._clock.now().isoformat(timespec="seconds"),
                docker_version=version,
                release=release,
            )
            made_from = self._fingerprint(places, info, tree)
            document = {"info": info.to_json(), "made_from": made_from}
            keyfiles.write_private(places.info, json.dumps(document, indent=2) + "\n")
        except BaseException:  # also when interrupted: nothing half booted stays
            self._clear(places)
            raise
        seconds = self._clock.monotonic() - started
        self._report.say(f"  {address}  Docker {version}  up in {seconds:.1f} s")
        return info

    def _spec(self, places: Places, tree: Path, address: str, release: str) -> dict[str, object]:
        cgroups = spec.read_cgroups(Path("/proc/self/cgroup").read_text("utf-8"))
        shape = truenas.shape(places, release) if release else PLAIN
        return spec.make(places, str(tree), address, keyfiles.ensure(places.keys), cgroups, shape)

    def _fingerprint(self, places: Places, info: RehearsalInfo, tree: Path) -> str:
        programs = tuple(
            (PROGRAMS_DIR / name).read_text("utf-8") for name in ("boot.py", "init.py")
        )
        return spec.fingerprint(self._spec(places, tree, info.address, info.release), programs)

    def _made_from(self, places: Places) -> str | None:
        document = json.loads(places.info.read_text("utf-8"))
        return document.get("made_from") if isinstance(document, dict) else None

    def _clear(self, places: Places, *, gently_s: float = STOP_S) -> None:
        """Stop what runs and remove what a boot made, but for the data."""
        left = machine.stop(machine.processes(places.marker), gently_s=gently_s, kill_s=KILL_S)
        if left:
            raise HostError(
                f"processes {', '.join(map(str, left))} of rehearsal host {places.name} would "
                "not end; its data is untouched",
                hint=f"look for what they wait for: cat /proc/{left[0]}/stack",
                stage="rehearsal",
            )
        machine.unplug(self._shell, places.interface)
        if places.state.exists():
            places.scratch.mkdir(exist_ok=True)
            cgroups = spec.read_cgroups(Path("/proc/self/cgroup").read_text("utf-8"))
            sweep(self._shell, spec.sweep(places, cgroups), places, self._clock)
            places.info.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One boot or removal at a time: they choose addresses."""
        self._root.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(descriptor)
            yield
        except OSError as error:
            raise HostError(
                f"the rehearsal hosts' state in {self._root} can't be worked on: {error}",
                hint="look at the free space and the rights there, then try again",
                stage="rehearsal",
            ) from error
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        deadline = self._clock.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if self._clock.monotonic() < deadline:
                    self._clock.sleep(POLL_S)
                    continue
            raise HostError(
                f"another slipway has been at work on rehearsal hosts for {LOCK_S:.0f} s; "
                "nothing was changed",
                hint="wait for it to end, then try again",
                stage="rehearsal",
            )
