"""One command's working place: the checkout, this machine, the person; doors opened when needed.

It is one module because it is one value: every task asks it for what it works with.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from slipway import config
from slipway.act.doors import Doors
from slipway.act.runner import HostRunner, own_python
from slipway.app.approach import Approach
from slipway.app.checkout import Reading, git_commit, make_wanted, maker, read_checkout
from slipway.app.commands import read_commands
from slipway.app.http import Detour, StackHttp
from slipway.app.supplies import Supplies
from slipway.app.target import Target, booted, open_host, rehearsals
from slipway.config import Config
from slipway.doors import Clock, Host, Shell, SystemClock
from slipway.hosts.config import HostEntry, read_hosts
from slipway.hosts.counting import CountingHost
from slipway.hosts.docker import DockerEngine
from slipway.hosts.engine import Engine
from slipway.hosts.rehearsal import RehearsalInfo, Rehearsals, require_root
from slipway.images.build import build_again, image_attribute, read_images
from slipway.images.values import Image
from slipway.ledger.folder import HostFolder
from slipway.plan.wanted import Wanted
from slipway.report import Building, Report
from slipway.secret import Secret
from slipway.shell import LocalShell
from slipway.stack.compose import ComposeModel
from slipway.stack.program import ATTRIBUTE, program
from slipway.stack.project import ONLY, project_of
from slipway.supply.needs import Needs, everything
from slipway.supply.outputs import outputs
from slipway.supply.sources import source_paths

if TYPE_CHECKING:
    from slipway.act.change import Origin
    from slipway.hosts.delta import Delta
    from slipway.images.registry.address import Registry
    from slipway.images.registry.push import Pusher

_TREE = "rehearsal-host"


class Workspace:
    """Everything a command of the command line works with.

    Args:
        root: the checkout.
        report: the person.
        shell: this machine.
        clock: time.
        environment: variables for Compose files, and those that supply secrets (default: the
            process's own).
    """

    def __init__(
        self,
        root: Path,
        report: Report,
        *,
        shell: Shell | None = None,
        clock: Clock | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.root, self.report = root, report
        self._environment = os.environ if environment is None else environment
        self.shell: Shell = shell or LocalShell()
        self.clock: Clock = clock or SystemClock()
        self._readings: dict[str, Reading] = {}
        self._paths: dict[str, Path] = {}

    @cached_property
    def config(self) -> Config:
        """``slipway.toml``, read once.

        Raises:
            ConfigError: it has problems.
        """
        return config.load(self.root)

    def entry(self, host: str | None) -> HostEntry:
        """A host of ``deploy/hosts.toml``, or its default one.

        Raises:
            ConfigError: the file has problems, or no such host.
        """
        return read_hosts(self.root / "deploy/hosts.toml").pick(host)

    def registry(self, to: str) -> Registry:
        """The registry that is named, or else that of ``deploy/hosts.toml``.

        Raises:
            ConfigError: the file has problems, it is no address, or there is none.
        """
        from slipway.app.pushing import pick_registry

        return pick_registry(read_hosts(self.root / "deploy/hosts.toml"), to)

    def open_registry(self, registry: Registry) -> AbstractContextManager[Pusher]:
        """What asks a registry and brings images there, with Docker's logins of this user."""
        from slipway.images.registry.open import open_registry

        return open_registry(registry, self.shell, self._environment, Path.home(), self.report.warn)

    def origin(self, registry: Registry | None) -> Origin | None:
        """What sees that a registry has a host's images; None where they are sent to it."""
        from slipway.app.pulling import origin_of

        if registry is None:
            return None
        return origin_of(registry, self.shell, self._environment, self.report.warn)

    def release_of(self, name: str) -> str:
        """The TrueNAS that a rehearsal host of ``deploy/hosts.toml`` stands for; empty for none.

        Raises:
            ConfigError: the file has problems.
        """
        entry = read_hosts(self.root / "deploy/hosts.toml").entries.get(name)
        return entry.release if entry is not None else ""

    def rehearsals(self) -> Rehearsals:
        """The rehearsal hosts of this checkout."""
        return rehearsals(self.root, self.shell, self.clock, self.report)

    def reading(
        self,
        entry: HostEntry,
        *,
        locked: bool = False,
        warn: Callable[[str], None] | None = None,
    ) -> Reading:
        """What the checkout's files say about a host; read once a command, before anything is
        built.

        Args:
            entry: the host.
            locked: as for :meth:`images`.
            warn: told what a person should know of the files (default: the person).

        Raises:
            ConfigError: naming everything that is wrong.
            SupplyError: the program that reads Compose files can't be built.
        """
        if entry.name not in self._readings:
            settings = self.config
            found = read_checkout(
                self.root,
                entry,
                settings.roles,
                settings.application,
                self.compose_model(locked=locked),
                self._environment,
                read_commands(self.shell, self.report, self.root),
            )
            for warning in found.stack.warnings:
                (warn or self.report.warn)(warning)
            self._readings[entry.name] = found
        return self._readings[entry.name]

    def compose_model(self, *, locked: bool = False) -> ComposeModel:
        """What reads Compose files; built when it isn't.

        Raises:
            SupplyError: an input can't be had, or Nix failed.
        """
        return ComposeModel(
            self.shell,
            program(self.root, lambda: self._tool(ATTRIBUTE, locked=locked)),
        )

    def images(
        self,
        *,
        locked: bool,
        roles: tuple[str, ...] = (),
        rebuild: bool = False,
        samples: bool = False,
        tree: bool = False,
        first: Callable[[], object] | None = None,
        fetching: Callable[[], object] | None = None,
    ) -> tuple[Image, ...]:
        """Have images built, after fetching what they lack.

        Args:
            locked: stop instead of locking anew when a mirror dropped a package.
            roles: all when empty.
            rebuild: build every image and layer a second time and compare the bytes.
            samples: have the files of ``[samples]`` there as well, which smoke tests use.
            tree: have :meth:`tree` built with them, in the same run of Nix.
            first: called before anything is fetched or built.
            fetching: called before anything is fetched.

        Raises:
            ConfigError: there is no such role.
            SupplyError: an input can't be had, or Nix failed.
        """
        settings = self.config
        wanted = settings.known_roles(roles)
        if samples:
            self.supplies(locked=locked).bring_samples(settings)
        self.report.step("build", f"{len(wanted)} images")
        names = (*(image_attribute(role) for role in wanted), *((_TREE,) if tree else ()))
        needs = Needs(roles=wanted, rehearsal=tree)
        warn = self.report.warn
        paths = self._built(names, needs, locked, warn=warn, first=first, fetching=fetching)
        images = read_images(paths, settings.application, wanted)
        if rebuild:
            build_again(self.shell, self.root, settings, images, watch=Building(self.report))
        return images

    def tree(self, *, locked: bool) -> Path:
        """The programs a rehearsal host boots from, built when they aren't.

        Raises:
            HostError: not root.
            SupplyError: an input can't be had, or Nix failed.
        """
        from slipway.supply import programs

        require_root()
        programs.ensure(self.shell, self.report, programs.REHEARSAL)
        return self._built((_TREE,), Needs(rehearsal=True), locked)[_TREE]

    def whole(self, *, locked: bool) -> None:
        """Have everything fetched and built that ``nix/`` makes.

        Raises:
            SupplyError: an input can't be had, or Nix failed.
        """
        from slipway.supply.publish import PACKAGES

        self._built(PACKAGES, everything(self.config), locked, warn=self.report.warn)

    def _tool(self, package: str, *, locked: bool) -> Path:
        """The store path of a program of ours."""
        return self._built((package,), Needs(tools=True), locked)[package]

    def supplies(self, *, locked: bool, before: Callable[[], object] | None = None) -> Supplies:
        """The way to locked inputs; as for :meth:`images`, where ``before`` is ``fetching``."""
        return Supplies(self.shell, self.root, self.report, locked, before)

    def _built(
        self,
        packages: Sequence[str],
        needs: Needs,
        locked: bool,
        *,
        warn: Callable[[str], None] | None = None,
        first: Callable[[], object] | None = None,
        fetching: Callable[[], object] | None = None,
    ) -> dict[str, Path]:
        """The store paths of packages of ``nix/``, built when they aren't; asked for once."""

        def prepare() -> None:
            if first is not None:
                first()
            self.supplies(locked=locked, before=fetching).bring(needs)

        lacking = [name for name in packages if name not in self._paths]
        if lacking:
            self._paths |= outputs(
                self.shell,
                self.root,
                self.config,
                lacking,
                prepare=prepare,
                watch=Building(self.report),
                warn=warn,
            )
        return {name: self._paths[name] for name in packages}

    def target(self, host: str | None, *, boot: bool = False, locked: bool = False) -> Target:
        """A host to work on.

        Args:
            host: its name, or None for the default one.
            boot: boot it when it is a rehearsal host that isn't up.
            locked: as for :meth:`tree`.

        Raises:
            ConfigError: there is no such host.
            HostError: it can't be reached, or did not boot.
        """
        entry = self.entry(host)
        tree = self.tree(locked=locked) if boot and entry.kind == "rehearsal" else None
        return self._opened(entry, booted(entry, self.rehearsals(), tree))

    def _opened(self, entry: HostEntry, found: RehearsalInfo | None) -> Target:
        machine, address = open_host(entry, found, self.shell, self.report.warn)
        return Target(entry, address, self._doors(entry, CountingHost(machine)))

    def _doors(self, entry: HostEntry, host: CountingHost) -> Doors:
        """Everything a deploy to this host acts through."""
        only = entry.mode == ONLY
        return Doors(
            host=host,
            engine=self._engine(entry, host),
            folder=HostFolder(host, entry.app_dir, asked=only),
            runner=HostRunner(host, entry.app_dir, self.config.application, entry.docker),
            shell=self.shell,
            http=StackHttp(
                Detour(
                    None if entry.kind == "local" else host,
                    self.report.warn,
                    own_python(entry.app_dir),
                )
            ),
            clock=self.clock,
            report=self.report,
            root=self.root,
            docker=entry.docker,
            only=only,
        )

    def _engine(self, entry: HostEntry, host: Host) -> Engine:
        """What is asked of containers and images there."""
        project = project_of(self.config.application, entry.mode)
        if entry.mode == ONLY:
            from slipway.hosts.nasengine import NasEngine

            return NasEngine(host, project)
        return DockerEngine(
            host,
            project,
            entry.docker,
            # This machine is its own host, with no way between on which to save bytes.
            delta=None if entry.kind == "local" else partial(self._delta, entry, host),
            warn=self.report.warn,
        )

    def _delta(self, entry: HostEntry, host: Host) -> Delta:
        """What saves bytes on the way to a host."""
        from slipway.hosts.delta import Delta
        from slipway.hosts.shelf import Shelf

        return Delta(
            host,
            f"{entry.app_dir}/cache",
            Shelf(self.root / ".slipway/references" / entry.name),
            self.report.warn,
            docker=entry.docker,
        )

    def ready_for(
        self, host: str | None, *, locked: bool, boot: bool = True
    ) -> tuple[tuple[Image, ...], Target]:
        """Images and host of a deploy; what can be found wrong is found before anything is fetched.

        Args:
            host: its name, or None for the default one.
            locked: as for :meth:`images`.
            boot: boot a rehearsal host that isn't up, after the build.

        Raises:
            ConfigError: the stack, its settings or the host's name are wrong.
            HostError: the host can't be reached, or did not boot.
            SupplyError: an image can't be built.
        """
        entry = self.entry(host)
        way = Approach(entry, self.rehearsals(), self._opened, boots=boot)
        try:
            self.reading(entry, locked=locked)
            images = self.images(
                locked=locked,
                samples=True,
                tree=way.boots,
                first=way.look_round,
                fetching=way.arrive,
            )
            return images, way.settle(lambda: self.tree(locked=locked))
        except BaseException:
            way.turn_back()
            raise

    def wanted(
        self,
        target: Target,
        images: tuple[Image, ...],
        *,
        supplied: Mapping[str, Secret] | None = None,
        anew: Collection[str] = (),
        registry: Registry | None = None,
    ) -> Wanted:
        """What the checkout says about a deploy to this host.

        Args:
            target: the host.
            images: every role's image.
            supplied: further secrets of the operator's.
            anew: those that are to be generated anew.
            registry: where the host gets the images; None for what its table says.

        Raises:
            ConfigError: naming everything that is wrong.
        """
        found = make_wanted(
            self.reading(target.entry),
            self.root,
            target.entry,
            target.address,
            images,
            who=maker(),
            commit=git_commit(self.shell, self.root, source_paths(self.config)),
            registry=registry or target.entry.registry,
        )
        given = {**found.supplied, **(supplied or {})}
        return replace(found, supplied=given, anew=frozenset(anew))


def new_token() -> str:
    """Letters and digits that mark a lease as ours."""
    return secrets.token_hex(8)
