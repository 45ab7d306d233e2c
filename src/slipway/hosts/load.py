"""Load images into a host's Docker, and believe it only after looking.

A layer believed to be there may be gone. A graph driver then fails; containerd's store prints a
line, ends with 0 and leaves a tag that can't be run. So whatever isn't plainly right afterwards is
a doubt: its tag is removed, and the caller sends that image whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from slipway.doors import Completed, Host
from slipway.hosts.asking import ask, explain
from slipway.hosts.facts import Facts
from slipway.hosts.feed import FED
from slipway.hosts.inspect import IMAGE_FORMAT, parse_images
from slipway.images.values import Image

Encoding = Literal["zstd", "gzip", "none"]

_CHECK_TIMEOUT_S = 120.0

# $1 docker, then references. One that is missing is left out of the answer.
_INSPECT = f"""set -eu
docker=$1
shift
"$docker" image inspect --format '{IMAGE_FORMAT}' "$@" 2>/dev/null || [ $? -eq 1 ]
"""

# $1 docker.
_LOAD = f'{FED}fed | "$1" load --quiet\n'

# $1 docker. A daemon that died is started again by its host within seconds (systemd: two).
_WAIT = """docker=$1
tries=60
while [ "$tries" -gt 0 ] && ! "$docker" version >/dev/null 2>&1; do
  tries=$((tries - 1))
  sleep 1
done
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How loading ended.

    Attributes:
        good: references that are there as they should be.
        doubtful: images whose tag was removed; send them whole.
        said: what ``docker load`` wrote besides the names of the images, its last ten lines.
    """

    good: tuple[str, ...]
    doubtful: tuple[Image, ...]
    said: tuple[str, ...] = ()


def pick_encoding(facts: Facts) -> Encoding:
    """The best compression that the host's engine itself undoes in ``docker load``.

    Engines with a graph driver undo gzip, and zstd since 23.0 (moby/moby#41759); those with the
    containerd store undo either since 25.0 (moby/moby#46605). No program of the host is needed.
    """
    major, _ = facts.release
    if major >= 25 or (major >= 23 and not facts.containerd_store):
        return "zstd"
    return "none" if facts.containerd_store else "gzip"


def load(
    host: Host,
    chunks: Iterable[bytes],
    images: Sequence[Image],
    *,
    docker: str = "docker",
    stall_timeout: float = 60.0,
) -> Loaded:
    """Stream an archive into ``docker load`` and look at each image afterwards.

    Args:
        chunks: the archive, compressed as :func:`pick_encoding` says, or not.
        images: the images in it.
        docker: the docker program.
        stall_timeout: seconds without a byte taken after which it is given up.

    Returns:
        What is there now, and what is to be sent whole.

    Raises:
        HostUnreachable: the connection broke; images that were complete may be there.
        HostError: Docker doesn't answer.
    """
    argv = ("sh", "-c", _LOAD, "load", docker)
    done = host.stream(argv, chunks, stall_timeout=stall_timeout)
    return examined(host, done, images, docker=docker)


def examined(
    host: Host, done: Completed, images: Sequence[Image], *, docker: str = "docker"
) -> Loaded:
    """Look at each image after ``docker load``, and remove the tags of those in doubt.

    Args:
        done: how ``docker load`` ended.
        images: the images that were sent.
        docker: the docker program.

    Raises:
        HostError: Docker doesn't answer.
    """
    said = unexpected(done, images)
    seen = ask(
        host,
        ("sh", "-c", _INSPECT, "inspect", docker, *(image.reference for image in images)),
        timeout=_CHECK_TIMEOUT_S,
    )
    doubtful = () if not images else doubts(seen.text, images, clean=done.ok and not said)
    if doubtful:
        references = [image.reference for image in doubtful]
        host.run(
            (docker, "image", "rm", *references),
            timeout=_CHECK_TIMEOUT_S,
            check=False,
        )
    if not done.ok and not said:
        said = explain(done, where=host.name).details or (
            f"docker load ended with {done.exit_code}",
        )
    good = tuple(image.reference for image in images if image not in doubtful)
    return Loaded(good, doubtful, said[-10:])


def wait_for_docker(host: Host, docker: str = "docker") -> None:
    """Give a daemon that went away a minute to come back; whether it did shows in what follows."""
    host.run(("sh", "-c", _WAIT, "wait", docker), timeout=_CHECK_TIMEOUT_S, check=False)


def unexpected(done: Completed, images: Sequence[Image]) -> tuple[str, ...]:
    """What ``docker load`` wrote besides one line that ends in each reference. Pure."""
    lines = [*done.text.splitlines(), *done.error_text.splitlines()]
    names = {image.reference for image in images}
    return tuple(
        line.strip()
        for line in lines
        if line.strip() and not (line.startswith("Loaded image") and line.split()[-1] in names)
    )


def doubts(inspected: str, images: Sequence[Image], *, clean: bool) -> tuple[Image, ...]:
    """The images that are not plainly right. Pure.

    Args:
        inspected: what :data:`_INSPECT` printed.
        images: what should be there.
        clean: whether ``docker load`` succeeded without an unexpected word. If not, none is
            trusted: a tag that can't be run looks like any other.
    """
    if not clean:
        return tuple(images)
    held = parse_images(inspected)
    chains = {_id(line): _layers(line) for line in inspected.splitlines()}
    return tuple(
        image
        for image in images
        if (identity := held.references.get(image.reference))
        not in (image.config_digest, image.manifest_digest)
        or chains[identity] != tuple(layer.digest for layer in image.layers)
    )


def _id(line: str) -> str:
    return str(json.loads(line)["Id"])


def _layers(line: str) -> tuple[str, ...]:
    return tuple(json.loads(line)["Layers"] or ())
