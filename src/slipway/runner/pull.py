"""Get images from a registry, and say in a sentence why one can't be had.

Docker's words for it are those of its daemon (28.2, 26.1), of containerd's resolver and of Go's
``net`` and ``crypto/tls``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slipway.runner.doors import Done, Doors
from slipway.runner.failure import Failed
from slipway.runner.login import Login, login_folder

#: Runs docker with arguments, within seconds; with ``heed`` whoever wants the end is heeded.
Program = Callable[..., Done]

PULL_S = 3600.0
_ASK_S = 60.0
_REMOVE_S = 300.0
_SHOWN_LINES = 3
_CERTS = "/etc/docker/certs.d"

# Words of Docker, why it is, and what to do; {host} is the registry's server. The first that fits.
_REASONS = (
    (
        r"no space left on device",
        "the host's disk is full",
        "make room for Docker there; ./inv status shows what it has",
    ),
    (
        r"server gave HTTP response to HTTPS client",
        "it speaks no TLS, and the host's Docker wants it",
        'write {{"insecure-registries": ["{host}"]}} into the host\'s /etc/docker/daemon.json, or '
        "give the registry a certificate",
    ),
    (
        r"x509:|certificate|tls: ",
        "the host's Docker does not believe its certificate",
        f"put its authority's certificate into {_CERTS}/{{host}}/ca.crt on the host",
    ),
    (
        r"unauthorized|no basic auth credentials|authentication required|incorrect username",
        "it does not take the login",
        "docker login {host}, on the machine that deploys",
    ),
    (
        r"denied|forbidden",
        "the login may not pull there",
        "let it read there, or docker login {host} as somebody who may",
    ),
    (
        r"manifest unknown|not found|no such manifest|name unknown|repository does not exist",
        "it is not there",
        "./inv push --to {registry}",
    ),
    (
        r"no such host|server misbehaving|Temporary failure in name resolution",
        "the host knows no server of that name",
        "see that the host resolves {host}, or name the registry by its address",
    ),
    (
        r"connection refused|no route to host|network is unreachable|i/o timeout|deadline exceeded"
        r"|Client\.Timeout|TLS handshake timeout",
        "the host can't reach it",
        "see that the registry runs, and that the host reaches {host}",
    ),
    (
        r"connection reset|unexpected EOF|\bEOF\b|broken pipe",
        "the connection to it broke",
        "deploy again: layers that came whole stay",
    ),
)


def carry_out(doors: Doors, action: Mapping[str, Any], login: Login | None) -> None:
    """Get every image, one after the other, and tell of each.

    Raises:
        Failed: one can't be had. Those before it stay, and nothing of it does but whole layers.
    """
    images = action["images"]
    for number, one in enumerate(images, 1):
        doors.listener.heed()
        name = one["source"].partition("@")[0].rpartition("/")[2]
        doors.listener.tell("say", text=f"  {number} of {len(images)}: {name}")
        doors.docker.pull(one["source"], one["reference"], login)


def get(
    docker: Program, source: str, reference: str, login: Login | None, places: tuple[str, str]
) -> None:
    """Get one; see :meth:`slipway.runner.doors.Docker.pull`.

    Args:
        docker: runs it.
        source: which, by digest.
        reference: its name here.
        login: to the registry.
        places: as ``name`` and ``spare`` of :func:`~slipway.runner.login.login_folder`.
    """
    try:
        with _shown(docker, login, places) as options:
            done = docker((*options, "pull", source), PULL_S, heed=True)
        if done.ok:
            done = docker(("image", "tag", source, reference), _ASK_S)
    except OSError as error:
        raise Failed(f"the login for the registry can't be kept: {error}") from error
    finally:
        # By its digest it would stay when its name here goes, and be nobody's.
        docker(("image", "rm", source), _REMOVE_S)
    if not done.ok:
        raise failure(source, done)


@contextlib.contextmanager
def _shown(
    docker: Program, login: Login | None, places: tuple[str, str]
) -> Iterator[tuple[str, ...]]:
    """Options by which Docker shows a login, and still speaks to the daemon it speaks to."""
    if login is None:
        yield ()
        return
    asked = docker(("context", "inspect", "--format", "{{.Endpoints.docker.Host}}"), _ASK_S)
    daemon = asked.out.strip() if asked.ok else ""
    same = ("--host", daemon) if daemon.startswith("unix://") else ()
    with login_folder(login, *places) as folder:
        yield ("--config", folder, *same)


def failure(source: str, done: Done) -> Failed:
    """Why an image can't be had. Pure.

    Args:
        source: which, by digest.
        done: how Docker ended.
    """
    name = source.partition("@")[0]
    host = name.partition("/")[0]
    lines = [line for line in done.err.strip().splitlines() if line.strip()][-_SHOWN_LINES:]
    why, hint = "Docker did not get it", "look at the host's own log of Docker"
    if done.code == 124:
        why, hint = f"it was not there after {PULL_S:.0f} s", _REASONS[-1][2]
    for words, reason, todo in _REASONS:
        if re.search(words, done.err, re.IGNORECASE):
            why, hint = reason, todo
            break
    return Failed(
        f"{name} can't be pulled from {host}: {why}",
        details=lines,
        hint=hint.format(host=host, registry=_registry(name)),
    )


def _registry(name: str) -> str:
    """The registry of an image's name, whose last two parts are the image's own."""
    return "/".join(name.split("/")[:-2])
