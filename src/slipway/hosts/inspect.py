"""What a host's Docker holds, asked in one round trip and read by pure functions.

The fields are those of the Engine API's JSON. ``docker … inspect --format`` knows them by these
names when it reads the JSON itself, which it does as soon as one name (``Id``) is not the client's
own; a field that is absent there is an error, unless it is taken by ``index``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.asking import ask
from slipway.hosts.networks import Network, parse_networks
from slipway.hosts.sections import PRELUDE, compact, sections
from slipway.images.values import HeldImages
from slipway.runner.containers import (
    CONTAINER_FORMAT,
    PROJECT_LABEL,
    WIDE_FORMAT,
    Container,
    parse_containers,
)
from slipway.stack.project import APP_PREFIX

_Parsed = TypeVar("_Parsed")
#: Where TrueNAS keeps its own Compose files of apps (middlewared, ``plugins/apps/ix_apps``).
APPS = "/mnt/.ix-apps/app_configs"


IMAGE_FORMAT = (
    '{"Id":{{json .Id}},"RepoTags":{{json (index . "RepoTags")}},'
    '"RepoDigests":{{json (index . "RepoDigests")}},'
    '"Layers":{{json (index .RootFS "Layers")}}}'
)
# containers DOCKER PROJECT FORMAT, as lines of JSON. One that vanishes between the two commands
# makes `inspect` end with 1; the others are printed all the same. A daemon that doesn't answer ends
# the script at the first command.
_CONTAINERS = f"""containers() {{
    ids=$("$1" container ls --all --quiet --no-trunc --filter "label={PROJECT_LABEL}=$2")
    [ -n "$ids" ] || return 0
    "$1" container inspect --format "$3" $ids || [ $? -eq 1 ]
}}
"""

# $1 docker, $2 project, $3 where TrueNAS keeps what it knows of its apps. Docker's client takes
# longer to start than the engine to answer, so images and containers are asked for side by side. A
# client that fails ends the script with its code.
_STATE = compact(f"""{_CONTAINERS}
held=$(mktemp -d)
trap 'rm -rf -- "$held"' EXIT
containers "$1" "$2" '{WIDE_FORMAT}' >"$held/containers" &
containers=$!
"$1" network ls --no-trunc --format '{{{{json .}}}}' >"$held/networks" &
networks=$!
ids=$("$1" image ls --quiet --no-trunc)
images=
[ -z "$ids" ] || images=$("$1" image inspect --format '{IMAGE_FORMAT}' $ids) || [ $? -eq 1 ]
wait "$containers"
wait "$networks"
app=
case $2 in
{APP_PREFIX}*)
    for made in "$3/${{2#{APP_PREFIX}}}"/versions/*/templates/rendered/docker-compose.yaml; do
        [ -e "$made" ] || continue
        app=$(sed -n 's|^[^/]*\\(/.*[.]json\\).*$|\\1|p' "$made" | head -n 1)
        app=${{app:-another}}
    done
    ;;
esac
text app "$app"
text images "$images"
file containers "$held/containers"
file networks "$held/networks"
""")

_LOOK = f"""{PRELUDE}{_CONTAINERS}
found=$(containers "$1" "$2" '{CONTAINER_FORMAT}')
text containers "$found"
"""


@dataclass(frozen=True, slots=True)
class EngineState:
    """What an engine holds of an application, and all of its images.

    Attributes:
        images: those there.
        containers: the application's, stopped and one-off ones included.
        networks: all there are; None when that was not asked.
        app: the file that TrueNAS' own app of this project includes, or another word where it
            includes none; empty when there is no such app.
    """

    images: HeldImages = field(default_factory=HeldImages)
    containers: tuple[Container, ...] = ()
    networks: tuple[Network, ...] | None = None
    app: str = ""

    @property
    def identified(self) -> tuple[Container, ...]:
        """The containers with their images' ids, also where only references were told."""
        ids = self.images.references
        return tuple(
            replace(one, image_id=ids.get(one.image_id, one.image_id)) for one in self.containers
        )


def read_state(host: Host, project: str, *, docker: str = "docker") -> EngineState:
    """Ask a host's engine what it holds, in one round trip.

    Raises:
        HostError: there is no Docker, it isn't running, or the login user may not use it.
    """
    done = ask(host, ("sh", "-c", _STATE, "state", docker, project, APPS))
    found = dict(sections(done.stdout, where=host.name))
    return _parsed(host, "docker inspect", _state, found)


def read_containers(host: Host, project: str, *, docker: str = "docker") -> tuple[Container, ...]:
    """Ask for all containers of a Compose project, stopped and one-off ones too.

    Returns:
        Sorted by service and name.

    Raises:
        HostError: as for :func:`read_state`.
    """
    done = ask(host, ("sh", "-c", _LOOK, "look", docker, project))
    found = dict(sections(done.stdout, where=host.name))
    return _parsed(host, "docker container inspect", _found_containers, found)


def parse_images(text: str) -> HeldImages:
    """Read one JSON object a line: ``Id``, ``RepoTags``, ``RepoDigests``, ``Layers``. Pure.

    A digest counts as a reference where nothing else calls an image by its repository: so a release
    calls one that TrueNAS pulled. containerd's store has a digest of every image's own repository.

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
        tags = [str(one) for one in image["RepoTags"] or ()]
        named = {tag.rpartition(":")[0] for tag in tags}
        digests = [str(one) for one in image.get("RepoDigests") or ()]
        tags += [one for one in digests if one.partition("@")[0] not in named]
        references |= dict.fromkeys(tags, identity)
    return HeldImages(tuple(chains), references)


def version_numbers(text: str) -> tuple[int, int]:
    """Major and minor number of a version such as ``v2.26.1-4`` or ``26.1.5+dfsg1``."""
    parts = text.strip().removeprefix("v").split(".")
    numbers = [int(part) if part.isascii() and part.isdigit() else 0 for part in parts[:2]]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0)


def _state(found: Mapping[str, bytes]) -> EngineState:
    return EngineState(
        images=parse_images(found["images"].decode()),
        containers=_found_containers(found),
        networks=parse_networks(found["networks"].decode()) if "networks" in found else None,
        app=found.get("app", b"").decode().strip(),
    )


def _found_containers(found: Mapping[str, bytes]) -> tuple[Container, ...]:
    return parse_containers(found["containers"].decode())


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value[key]
    if not isinstance(text, str):
        raise TypeError(f"{key} should be a string")
    return text


def _parsed(
    host: Host,
    what: str,
    parse: Callable[[Mapping[str, bytes]], _Parsed],
    found: Mapping[str, bytes],
) -> _Parsed:
    try:
        return parse(found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(
            f"`{what}` on {host.name} printed what this version doesn't understand ({error})",
            hint="Docker 20.10 or newer is needed; look at `docker version` there",
            stage="docker",
        ) from error
