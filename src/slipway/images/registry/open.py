"""Open a registry as the person at this machine: with Docker's logins and certificates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from slipway.doors import Shell
from slipway.images.registry.address import Registry
from slipway.images.registry.client import Client, open_http
from slipway.images.registry.logins import Login, config_file, find_login
from slipway.images.registry.push import Pusher


@contextmanager
def open_registry(
    registry: Registry,
    shell: Shell,
    environment: Mapping[str, str],
    home: Path,
    warn: Callable[[str], None],
) -> Iterator[Pusher]:
    """What asks a registry and brings images there; nothing is asked before it is used.

    Args:
        registry: which.
        shell: runs the helpers that keep logins.
        environment: where ``DOCKER_CONFIG`` may be.
        home: the user's folder.
        warn: told of what broke and goes on.

    Raises:
        ConfigError: the login or a certificate can't be read.
    """
    login = find_login(registry.host, config_file(environment, home), shell)
    with open_as(registry, login, warn) as there:
        yield there


@contextmanager
def open_as(
    registry: Registry, login: Login | None, warn: Callable[[str], None]
) -> Iterator[Pusher]:
    """The same with a login that is known.

    Raises:
        ConfigError: a certificate can't be read.
    """
    halted = threading.Event()
    with open_http(registry) as http:
        yield Pusher(Client(registry, http, login, halted.wait), warn, halted)
