"""Have a host get its images from a registry: which one, whether it has them, by which login."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import ConfigError, RegistryError
from slipway.hosts.config import HostEntry

if TYPE_CHECKING:
    from slipway.act.change import Origin
    from slipway.doors import Shell
    from slipway.images.registry.address import Registry
    from slipway.images.registry.push import Pusher
    from slipway.images.values import Image
    from slipway.secret import Secret


def pick_origin(entry: HostEntry, named: str) -> Registry | None:
    """The registry that a host gets images from; None when they are sent to it.

    Args:
        entry: the host, whose own is meant when none is named.
        named: an address; empty when none was named.

    Raises:
        ConfigError: it is none, or is another one there than here.
    """
    registry, where = entry.registry, f"registry of the host {entry.name}"
    if named:
        from slipway.images.registry.address import parse_registry

        where = "--from"
        try:
            registry = parse_registry(named)
        except ValueError as error:
            raise ConfigError(
                f"--from {error}; nothing was changed",
                hint="./inv deploy --from registry.lan:5000/home",
                stage="config",
            ) from error
    if registry is None or entry.kind == "local":
        return registry
    from slipway.images.registry.address import is_loopback

    if is_loopback(registry.host):
        raise ConfigError(
            f"{where}: {registry.host} is this machine here, and another one on {entry.name}; "
            "nothing was changed",
            hint="name the registry by an address that both reach it by",
            stage="config",
        )
    return registry


def origin_of(
    registry: Registry,
    shell: Shell,
    environment: Mapping[str, str],
    warn: Callable[[str], None],
) -> Origin:
    """What sees that a registry has images, and gives the login that a host shows there.

    Args:
        registry: which.
        shell: runs the helpers that keep logins.
        environment: where ``DOCKER_CONFIG`` may be.
        warn: told of what broke and goes on.
    """

    def ready(images: Sequence[Image]) -> Secret | None:
        from slipway.images.registry.logins import config_file, find_login
        from slipway.images.registry.open import open_as

        login = find_login(registry.host, config_file(environment, Path.home()), shell)
        with open_as(registry, login, warn) as there:
            require(there, registry, images)
        return login.docker_config(registry.host) if login is not None else None

    return ready


def require(there: Pusher, registry: Registry, images: Sequence[Image]) -> None:
    """See that images can be pulled.

    Raises:
        RegistryError: the registry can't be asked, or lacks some; all of them are named.
    """
    has = there.there(images)
    lacking = [image.role for image in images if not has[image.reference]]
    if lacking:
        scheme = "http://" if registry.plain else ""
        raise RegistryError(
            f"the registry {registry} has no image for {', '.join(lacking)} as built here; "
            "nothing was changed",
            hint=f"./inv push --to {scheme}{registry}",
            stage="registry",
        )
