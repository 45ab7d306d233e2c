"""The application's containers, as Docker tells of them. Pure.

The fields are those of the Engine API's JSON. ``docker container inspect --format`` knows them by
these names when it reads the JSON itself, which it does as soon as one name (``Id``) is not the
client's own; a field that is absent there is an error, unless it is taken by ``index``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CONFIG_LABEL = "io.slipway.config"
#: The state of a container that has ended, or ends again and again: who told did not tell which.
ENDED = "ended"
PROJECT_LABEL = "com.docker.compose.project"


def _label(name: str) -> str:
    return f'{{{{json (index .Config.Labels "{name}")}}}}'


CONTAINER_FORMAT = (
    '{"Id":{{json .Id}},"Name":{{json .Name}},"Image":{{json .Image}},'
    '"Status":{{json .State.Status}},'
    '"Health":{{with index .State "Health"}}{{json .Status}}{{else}}""{{end}},'
    '"Restarts":{{json .RestartCount}},"ExitCode":{{json .State.ExitCode}},'
    '"OOMKilled":{{json .State.OOMKilled}},'
    f'"Service":{_label("com.docker.compose.service")},'
    f'"OneOff":{_label("com.docker.compose.oneoff")},'
    f'"Config":{_label(CONFIG_LABEL)},'
    f'"File":{_label("com.docker.compose.project.config_files")},'
    '"Ports":{{json .HostConfig.PortBindings}},'
    '"Networks":{{json .NetworkSettings.Networks}}}'
)


WIDE_FORMAT = CONTAINER_FORMAT[:-1] + (
    ',"Made":{"Env":{{json .Config.Env}},"Mounts":{{json .Mounts}},'
    '"Memory":{{json .HostConfig.Memory}},"NanoCpus":{{json .HostConfig.NanoCpus}},'
    '"PidsLimit":{{json .HostConfig.PidsLimit}},"Restart":{{json .HostConfig.RestartPolicy}}}}'
)
"""Also what a container was made of, or somebody changed of it since."""


@dataclass(frozen=True)
class Made:
    """What a container was made of.

    Attributes:
        environment: variables, each with its value's :func:`veiled` form, sorted.
        mounts: places in it, each with the path or the volume's name that is there, sorted; those
            without a source are left out.
        networks: Docker's names of those it is in, sorted.
        memory: bytes it may take; 0 for no limit.
        processors: likewise.
        processes: likewise.
        restart: its restart policy.
    """

    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()
    networks: tuple[str, ...] = ()
    memory: int = 0
    processors: float = 0.0
    processes: int = 0
    restart: str = "no"


def veiled(value: str) -> str:
    """A value that may be secret, in a form that can be compared."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Container:
    """What is known of one container of the application.

    Attributes:
        service: its Compose service.
        id: Docker's id.
        name: Docker's name.
        image_id: id of the image it runs.
        state: ``created``, ``running``, ``restarting``, ``paused``, ``exited`` or ``dead``; or
            :data:`ENDED`.
        health: ``starting``, ``healthy``, ``unhealthy``, or empty without a health check.
        restarts: how often Docker started it again.
        exit_code: of its last end.
        oom_killed: whether its memory limit killed it.
        config: the value of its ``io.slipway.config`` label; empty without one.
        one_off: whether it was started by ``run``, beside the service.
        file: the Compose file on the host that it was made from; empty when it doesn't say.
        ports: TCP ports of the host that it asks for.
        addresses: Docker's names of its networks, each with its IPv4 address there; a network in
            which it has none yet is left out.
        made: what it was made of; None when that was not asked.
    """

    service: str
    id: str
    name: str
    image_id: str
    state: str
    health: str = ""
    restarts: int = 0
    exit_code: int = 0
    oom_killed: bool = False
    config: str = ""
    one_off: bool = False
    file: str = ""
    ports: tuple[int, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    made: Made | None = None

    def fits(self, config: str, images: tuple[str, ...]) -> bool:
        """Whether it was made from a definition and an image.

        Args:
            config: the label's value; empty for any.
            images: the ids that the image may have; empty for any.
        """
        return (not config or self.config == config) and (not images or self.image_id in images)

    @property
    def ended(self) -> bool:
        """Whether its work ended with success."""
        return self.state in ("exited", ENDED) and self.exit_code == 0

    @property
    def well(self) -> bool:
        """Whether it runs, and is healthy where it says."""
        return self.state == "running" and self.health in ("", "healthy")


def standing(containers: Iterable[Container]) -> tuple[Container, ...]:
    """The containers of services: without those that ``run`` started once, beside a service."""
    return tuple(one for one in containers if not one.one_off)


def fingerprint(containers: Iterable[Container]) -> tuple[tuple[str, str, str], ...]:
    """What of the services' containers a plan relies on: service, id, image id, sorted."""
    return tuple(sorted((one.service, one.id, one.image_id) for one in standing(containers)))


def parse_containers(text: str) -> tuple[Container, ...]:
    """Read one object of :data:`CONTAINER_FORMAT` a line.

    Returns:
        Sorted by service and name.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it isn't that.
    """
    found = [_container(_object(json.loads(line))) for line in text.splitlines()]
    return tuple(sorted(found, key=lambda one: (one.service, one.name)))


def _container(raw: Mapping[str, Any]) -> Container:
    health = _text(raw, "Health")
    return Container(
        service=_value(raw, "Service"),
        id=_text(raw, "Id"),
        name=_text(raw, "Name").lstrip("/"),
        image_id=_text(raw, "Image"),
        state=_text(raw, "Status"),
        health="" if health == "none" else health,
        restarts=int(raw["Restarts"]),
        exit_code=int(raw["ExitCode"]),
        oom_killed=bool(raw["OOMKilled"]),
        config=_value(raw, "Config"),
        one_off=_value(raw, "OneOff").lower() == "true",
        file=_value(raw, "File"),
        ports=_ports(raw),
        addresses=_addresses(raw),
        made=_made(raw),
    )


def _made(raw: Mapping[str, Any]) -> Made | None:
    made = raw.get("Made")
    if made is None:
        return None
    variables = (str(one).partition("=") for one in made["Env"] or ())
    return Made(
        environment=tuple(sorted((name, veiled(value)) for name, _, value in variables)),
        mounts=tuple(sorted(_mounts(made["Mounts"] or ()))),
        networks=tuple(sorted(raw["Networks"] or ())),
        memory=int(made["Memory"] or 0),
        processors=int(made["NanoCpus"] or 0) / 1e9,
        processes=max(0, int(made["PidsLimit"] or 0)),
        restart=str((made["Restart"] or {}).get("Name") or "no"),
    )


def _mounts(mounts: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for one in mounts:
        source = one.get("Name") if one.get("Type") == "volume" else one.get("Source")
        if source:
            yield str(one["Destination"]), str(source)


def _ports(raw: Mapping[str, Any]) -> tuple[int, ...]:
    wanted = {
        int(binding["HostPort"])
        for inside, bindings in (raw.get("Ports") or {}).items()
        if str(inside).endswith("/tcp")
        for binding in bindings or ()
        if str(binding.get("HostPort", "")).isdigit()
    }
    return tuple(sorted(wanted - {0}))


def _addresses(raw: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = {name: (body or {}).get("IPAddress") for name, body in (raw["Networks"] or {}).items()}
    return tuple(sorted((str(name), str(address)) for name, address in found.items() if address))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _value(value: Mapping[str, Any], label: str) -> str:
    """A label's value; a container that hasn't got it is as one that has it empty."""
    return "" if value[label] is None else _text(value, label)


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value[key]
    if not isinstance(text, str):
        raise TypeError(f"{key} should be a string")
    return text
