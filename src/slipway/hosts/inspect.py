"""What a host's Docker is and holds: asked in few round trips, parsed by pure functions.

The fields are those of the Engine API's JSON, which ``docker … --format '{{json .}}'`` prints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from slipway.doors import Completed, Host
from slipway.errors import CommandFailed, HostError
from slipway.hosts.command import MISSING_PROGRAM
from slipway.images.values import HeldImages

PROJECT_LABEL = "com.docker.compose.project"
_ASK_TIMEOUT_S = 60.0
_SNAPSHOTTER = "io.containerd.snapshotter.v1"
_Parsed = TypeVar("_Parsed")

# $1 docker. Images that vanish between the two commands make `inspect` end with 1; the others
# are printed all the same. A daemon that doesn't answer ends the script at the first command.
_IMAGES = """set -eu
ids=$("$1" image ls --quiet --no-trunc)
[ -n "$ids" ] || exit 0
"$1" image inspect --format '{"Id":{{json .Id}},"RepoTags":{{json .RepoTags}},\
"Layers":{{json .RootFS.Layers}}}' $ids || [ $? -eq 1 ]
"""

# $1 docker, $2 project. The same holds for containers.
_CONTAINERS = """set -eu
ids=$("$1" container ls --all --quiet --no-trunc --filter "label=com.docker.compose.project=$2")
[ -n "$ids" ] || exit 0
"$1" container inspect --format '{{json .}}' $ids || [ $? -eq 1 ]
"""


@dataclass(frozen=True, slots=True)
class DockerFacts:
    """A host's Docker engine.

    Attributes:
        version: such as ``26.1.5+dfsg1``.
        architecture: as ``uname -m`` says, such as ``x86_64``.
        storage_driver: such as ``overlay2``, or ``overlayfs`` with the containerd image store.
        containerd_store: whether images live in containerd's store; else in a graph driver's.
        root: folder where it keeps images.
    """

    version: str
    architecture: str
    storage_driver: str
    containerd_store: bool
    root: str

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version; zeros where it has no numbers."""
        return version_numbers(self.version)


@dataclass(frozen=True, slots=True)
class ContainerFact:
    """One container of a Compose project.

    Attributes:
        service: its Compose service.
        name: Docker's name.
        id: Docker's id.
        image_id: id of the image it runs.
        image: the reference it was made with.
        state: ``created``, ``running``, ``restarting``, ``paused``, ``exited`` or ``dead``.
        health: ``starting``, ``healthy``, ``unhealthy``, or empty without a health check.
        restarts: how often Docker started it again.
        exit_code: of its last end.
        oom_killed: whether its memory limit killed it.
        started_at: ISO 8601; ``0001-01-01T00:00:00Z`` when it never ran.
        one_off: whether ``run`` started it, beside the service.
        ports: TCP ports of the host that it asks for.
        labels: all of its labels.
    """

    service: str
    name: str
    id: str
    image_id: str
    image: str
    state: str
    health: str = ""
    restarts: int = 0
    exit_code: int = 0
    oom_killed: bool = False
    started_at: str = ""
    one_off: bool = False
    ports: tuple[int, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def read_docker(host: Host, *, docker: str = "docker") -> DockerFacts:
    """Ask what the engine is.

    Raises:
        HostError: there is no Docker, it isn't running, or the login user may not use it.
    """
    done = ask(host, (docker, "info", "--format", "{{json .}}"))
    facts = _parsed(host, "docker info", parse_info, done.text)
    if not facts.version:
        # Some clients (26.1) end with 0 though the engine didn't answer or refused.
        raise explain(replace(done, exit_code=1), where=host.name)
    return facts


def read_images(host: Host, *, docker: str = "docker") -> HeldImages:
    """Ask for all images there, in one round trip.

    Raises:
        HostError: as for :func:`read_docker`.
    """
    done = ask(host, ("sh", "-c", _IMAGES, "images", docker))
    return _parsed(host, "docker image inspect", parse_images, done.text)


def read_containers(
    host: Host, project: str, *, docker: str = "docker"
) -> tuple[ContainerFact, ...]:
    """Ask for all containers of a Compose project, stopped and one-off ones too.

    Returns:
        Sorted by service and name.

    Raises:
        HostError: as for :func:`read_docker`.
    """
    done = ask(host, ("sh", "-c", _CONTAINERS, "containers", docker, project))
    return _parsed(host, "docker container inspect", parse_containers, done.text)


def ask(host: Host, argv: tuple[str, ...], *, timeout: float = _ASK_TIMEOUT_S) -> Completed:
    """Run a command of Docker's that must work.

    Raises:
        HostError: with the cause, see :func:`explain`.
    """
    done = host.run(argv, timeout=timeout, check=False)
    if not done.ok:
        raise explain(done, where=host.name)
    return done


def explain(done: Completed, *, where: str) -> HostError:
    """Why a command of Docker's failed. Pure.

    Docker's client ends with 1 for every cause, so its English (it has no other language) is all
    there is to tell "no daemon" from "not allowed".
    """
    text = done.error_text.lower()
    if done.exit_code == MISSING_PROGRAM or "docker: not found" in text:
        return HostError(
            f"{where} has no Docker: its program was not found",
            hint="install Docker there (TrueNAS: choose a pool for Apps), or set `docker` to the "
            "program's absolute path in deploy/hosts.toml",
            stage="docker",
        )
    if "permission denied" in text:
        return HostError(
            f"the login user on {where} may not use Docker",
            hint="set sudo = true for this host in deploy/hosts.toml, or add the user to the "
            "group docker there",
            stage="docker",
        )
    if "cannot connect to the docker daemon" in text or "is the docker daemon running" in text:
        return HostError(
            f"Docker is installed on {where} but doesn't run",
            hint="start it there: systemctl start docker (TrueNAS: Apps > Configuration > "
            "Choose Pool)",
            stage="docker",
            details=done.error_text.strip().splitlines()[-1:],
        )
    return CommandFailed(done.argv, done.exit_code, done.error_text, where=where)


def parse_info(text: str) -> DockerFacts:
    """Read ``docker info --format '{{json .}}'``. Pure.

    Raises:
        ValueError, KeyError, TypeError: it isn't that.
    """
    info = _object(json.loads(text))
    status = info.get("DriverStatus") or []
    return DockerFacts(
        version=str(info.get("ServerVersion", "")),
        architecture=str(info.get("Architecture", "")),
        storage_driver=str(info.get("Driver", "")),
        containerd_store=["driver-type", _SNAPSHOTTER] in status,
        root=str(info.get("DockerRootDir", "")),
    )


def parse_images(text: str) -> HeldImages:
    """Read one JSON object a line: ``Id``, ``RepoTags``, ``Layers``. Pure.

    Raises:
        ValueError, KeyError, TypeError: it isn't that.
    """
    chains: dict[tuple[str, ...], None] = {}
    references: dict[str, str] = {}
    for line in text.splitlines():
        image = _object(json.loads(line))
        identity = _text(image, "Id")
        chain = tuple(str(layer) for layer in image["Layers"] or ())
        if chain:
            chains[chain] = None
        for reference in image["RepoTags"] or ():
            references[str(reference)] = identity
    return HeldImages(tuple(chains), references)


def parse_containers(text: str) -> tuple[ContainerFact, ...]:
    """Read one ``docker container inspect`` object a line. Pure.

    Raises:
        ValueError, KeyError, TypeError: it isn't that.
    """
    found = [_container(_object(json.loads(line))) for line in text.splitlines()]
    return tuple(sorted(found, key=lambda one: (one.service, one.name)))


def version_numbers(text: str) -> tuple[int, int]:
    """Major and minor number of a version such as ``v2.26.1-4`` or ``26.1.5+dfsg1``."""
    parts = text.strip().removeprefix("v").split(".")
    numbers = [int(part) if part.isascii() and part.isdigit() else 0 for part in parts[:2]]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0)


def _container(raw: Mapping[str, Any]) -> ContainerFact:
    state, config = _object(raw["State"]), _object(raw["Config"])
    labels = {str(name): str(value) for name, value in (config.get("Labels") or {}).items()}
    health = _object(state.get("Health") or {}).get("Status", "")
    return ContainerFact(
        service=labels.get("com.docker.compose.service", ""),
        name=_text(raw, "Name").removeprefix("/"),
        id=_text(raw, "Id"),
        image_id=_text(raw, "Image"),
        image=_text(config, "Image"),
        state=_text(state, "Status"),
        health="" if health == "none" else str(health),
        restarts=int(raw.get("RestartCount", 0)),
        exit_code=int(state.get("ExitCode", 0)),
        oom_killed=bool(state.get("OOMKilled", False)),
        started_at=str(state.get("StartedAt", "")),
        one_off=labels.get("com.docker.compose.oneoff", "").lower() == "true",
        ports=_ports(_object(raw.get("HostConfig") or {})),
        labels=labels,
    )


def _ports(config: Mapping[str, Any]) -> tuple[int, ...]:
    wanted = {
        int(binding["HostPort"])
        for inside, bindings in (config.get("PortBindings") or {}).items()
        if str(inside).endswith("/tcp")
        for binding in bindings or ()
        if str(binding.get("HostPort", "")).isdigit()
    }
    return tuple(sorted(wanted - {0}))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value[key]
    if not isinstance(text, str):
        raise TypeError(f"{key} should be a string")
    return text


def _parsed(host: Host, what: str, parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    try:
        return parse(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(
            f"`{what}` on {host.name} printed what this version doesn't understand ({error})",
            hint="Docker 20.10 or newer is needed; look at `docker version` there",
            stage="docker",
        ) from error
