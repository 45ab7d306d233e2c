"""Command lines of ``docker compose``. Pure but for :func:`read_compose`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.inspect import ask


@dataclass(frozen=True, slots=True)
class Compose:
    """A project's ``docker compose``.

    Images come by ``docker load``: nothing here ever pulls or builds.

    Attributes:
        project: Compose's project name.
        files: Compose files on the host, absolute, later ones over earlier.
        docker: the docker program.
    """

    project: str
    files: tuple[str, ...]
    docker: str = "docker"

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """The command with any arguments."""
        files = [part for file in self.files for part in ("-f", file)]
        return (self.docker, "compose", "-p", self.project, *files, *arguments)

    def config(self) -> tuple[str, ...]:
        """Print the project as Compose understands it, as JSON; also a check of the files."""
        return self.argv("config", "--format", "json")

    def up(
        self,
        services: Sequence[str] = (),
        *,
        wait: float | None = None,
        dependencies: bool = True,
        recreate: bool = False,
        remove_orphans: bool = False,
    ) -> tuple[str, ...]:
        """Create and start what differs from the files.

        Args:
            services: only these; empty means all.
            wait: seconds to wait until they are healthy; None doesn't wait.
            dependencies: also those they depend on.
            recreate: also those that don't differ.
            remove_orphans: remove containers of services that the files don't have.
        """
        return self.argv(
            "up", "--detach", "--no-build", "--pull", "never",
            *(("--wait", "--wait-timeout", str(math.ceil(wait))) if wait is not None else ()),
            *(() if dependencies else ("--no-deps",)),
            *(("--force-recreate",) if recreate else ()),
            *(("--remove-orphans",) if remove_orphans else ()),
            "--", *services,
        )  # fmt: skip

    def run(
        self,
        service: str,
        command: Sequence[str],
        *,
        dependencies: bool = False,
        terminal: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Run a command in a container of its own, removed afterwards.

        Args:
            service: whose image and settings it has.
            command: program's arguments; empty runs the service's own command.
            dependencies: start what the service depends on first.
            terminal: give it a terminal.
            environment: further variables; never secrets, which show in a command line.
        """
        return self.argv(
            "run", "--rm",
            *(() if dependencies else ("--no-deps",)),
            *(() if terminal else ("--no-TTY",)),
            *(part for pair in sorted((environment or {}).items())
              for part in ("--env", "=".join(pair))),
            "--", service, *command,
        )  # fmt: skip

    def exec(
        self, service: str, command: Sequence[str], *, terminal: bool = False
    ) -> tuple[str, ...]:
        """Run a command inside a service's running container."""
        return self.argv("exec", *(() if terminal else ("--no-TTY",)), "--", service, *command)

    def ps(self) -> tuple[str, ...]:
        """List the project's containers, stopped ones too, as JSON lines."""
        return self.argv("ps", "--all", "--format", "json")

    def logs(
        self, services: Sequence[str] = (), *, tail: int = 100, follow: bool = False
    ) -> tuple[str, ...]:
        """Print the last ``tail`` lines of each service, with times."""
        return self.argv(
            "logs", "--no-color", "--timestamps", "--tail", str(tail),
            *(("--follow",) if follow else ()),
            "--", *services,
        )  # fmt: skip

    def stop(self, services: Sequence[str] = ()) -> tuple[str, ...]:
        """Stop services, each within its own stop_grace_period."""
        return self.argv("stop", "--", *services)

    def down(self, *, remove_orphans: bool = True) -> tuple[str, ...]:
        """Stop and remove containers and networks; volumes stay."""
        return self.argv("down", *(("--remove-orphans",) if remove_orphans else ()))


def version_argv(docker: str = "docker") -> tuple[str, ...]:
    """Print the version of the Compose plugin."""
    return (docker, "compose", "version", "--short")


def read_compose(host: Host, *, docker: str = "docker") -> str:
    """The version of the host's Compose plugin, such as ``2.26.1-4``.

    Raises:
        HostError: there is no Docker, or no Compose plugin.
    """
    done = host.run(version_argv(docker), timeout=60, check=False)
    if done.ok and done.text.strip():
        return done.text.strip().removeprefix("v")
    ask(host, (docker, "version", "--format", "{{json .Client}}"))
    raise HostError(
        f"Docker on {host.name} has no Compose plugin (`{docker} compose` doesn't work)",
        hint="install Compose v2 there (Debian: apt-get install docker-compose)",
        stage="docker",
        details=done.error_text.strip().splitlines()[-1:],
    )
