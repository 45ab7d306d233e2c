"""The stack as a value: what Compose files say, plus what ``x-slipway`` says that Compose can't.

:mod:`slipway.stack.read` reads it; everything later works on it. One value and what can be asked of
it: the questions take its fields and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from slipway.stack.project import MODES, project_of

Rolling = Literal["edge", "beside"]


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A secret the stack needs.

    Attributes:
        name: its name in Compose's ``secrets``.
        generate: number of characters to make when nobody supplied it; 0 for a secret that the
            operator has to supply.
        derive: how it is made from ``source``; empty when it isn't.
        source: the secret it is derived from.
        optional: whether it is empty where nobody supplied it and the host has none.
        login: of a derived login, the name before ``_a`` and ``_b``.
        certificate: whether it is a certificate with its chain and key, of the stack's URL.
        owner: user id that reads it in the containers.
    """

    name: str
    generate: int = 0
    derive: str = ""
    source: str = ""
    login: str = ""
    optional: bool = False
    certificate: bool = False
    owner: int = 568


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A folder under the data path.

    Attributes:
        name: its name there.
        mode: permission bits it is made with.
        owner: user and group id it is given.
    """

    name: str
    mode: int
    owner: int


@dataclass(frozen=True, slots=True)
class Edge:
    """The proxy that requests go through, and the way to talk to it while it runs.

    Attributes:
        service: its service; empty for a stack without one.
        socket: path, in its container, of the socket that takes HAProxy's runtime commands
            (https://docs.haproxy.org/3.0/management.html#9.3).
    """

    service: str = ""
    socket: str = ""


@dataclass(frozen=True, slots=True)
class Piped:
    """A program that is run in a service's container, with a file on the host at its one end.

    Attributes:
        service: the service, which stands; empty for none.
        command: program and arguments.
    """

    service: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Soak:
    """How long a deploy watches what it switched to.

    Attributes:
        seconds: from the switch on; 0 for not at all.
        errors: share of the edge's answers, 0 to 1, that may be 5xx; at more it goes back.
    """

    seconds: float = 15.0
    errors: float = 0.05


@dataclass(frozen=True, slots=True)
class Reload:
    """How a service that runs takes secrets anew.

    Attributes:
        service: the service.
        command: program and arguments, run in each of its containers.
        files: name of a file in its ``/run/secrets`` to the secret in it.
    """

    service: str
    command: tuple[str, ...]
    files: Mapping[str, str]

    def to_json(self) -> dict[str, object]:
        """All fields but the service."""
        return {"command": list(self.command), "files": dict(self.files)}


@dataclass(frozen=True, slots=True)
class Migration:
    """How the database is brought to the release's shape.

    Attributes:
        service: the service that is run once; empty for a stack without migrations.
        command: arguments that migrate.
        plan: arguments that print the pending ones as JSON.
        source: folder of the checkout that holds the migrations; while its files stay as they
            are there is nothing to migrate, and the host is not asked. Empty: always ask.
        dump: what writes the database to standard output, before anything migrates.
        restore: what reads that from standard input, and leaves the database as it was then.
    """

    service: str = ""
    command: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    source: str = ""
    dump: Piped = Piped()
    restore: Piped = Piped()


@dataclass(frozen=True, slots=True)
class Smoke:
    """A job on the deploying machine that shows whether a deployed stack works.

    Attributes:
        command: program and arguments; empty for a stack without one.
        secrets: environment variable to a secret's name; while the job runs, the variable names a
            file that holds the secret.
    """

    command: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything the Compose files say, merged and filled in.

    Attributes:
        application: its name.
        mode: how it is deployed, one of :data:`~slipway.stack.project.MODES`.
        url: where people reach it; ``{address}`` stands for the host's address.
        document: the merged Compose document in its long form, without ``x-`` keys.
        roles: service to the role whose image it runs.
        rolled: services that can run twice for a while, so that a new container starts beside the
            old one: ``edge`` for those that the edge then switches to, ``beside`` for those that
            take up work by themselves once they are well.
        drains: seconds that an old container's requests are given before it is told to stop, for
            services that say so; those of others have the grace period of their stop.
        edge: what switches.
        secrets: by name.
        data: folders to make.
        reloads: services that take changed secrets while they run.
        migration: how to migrate.
        verify_path: path of the URL that must answer 200.
        smoke: the smoke test.
        soak: how long the new containers are watched.
        trust: path, relative to the data path, of a certificate (PEM) that vouches for the stack's
            own; empty when the system's authorities do. It may be absent.
        warnings: what a person should know of the files, a sentence each.
    """

    application: str
    url: str
    document: dict[str, Any]
    roles: dict[str, str]
    rolled: Mapping[str, Rolling] = field(default_factory=dict)
    drains: Mapping[str, float] = field(default_factory=dict)
    edge: Edge = Edge()
    secrets: tuple[SecretSpec, ...] = ()
    data: tuple[DataFolder, ...] = ()
    reloads: tuple[Reload, ...] = ()
    migration: Migration = Migration()
    verify_path: str = "/"
    smoke: Smoke = Smoke()
    soak: Soak = Soak()
    trust: str = ""
    warnings: tuple[str, ...] = ()
    mode: str = MODES[0]

    @property
    def project(self) -> str:
        """Compose's project name."""
        return project_of(self.application, self.mode)

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """Every service's definition, by name."""
        services: dict[str, dict[str, Any]] = self.document["services"]
        return services

    @property
    def standing(self) -> tuple[str, ...]:
        """The services that run all the time: those without a profile."""
        return tuple(name for name, body in self.services.items() if not body.get("profiles"))

    def dependencies(self, service: str) -> tuple[str, ...]:
        """The services that must run before ``service``, theirs included, in Compose's order."""
        found: list[str] = []
        queue = list(self.services[service].get("depends_on") or {})
        while queue:
            name = queue.pop(0)
            if name not in found and name in self.services:
                found.append(name)
                queue += list(self.services[name].get("depends_on") or {})
        return tuple(name for name in self.services if name in found)

    @property
    def database_users(self) -> tuple[str, ...]:
        """The standing services that say that they depend on what the migration depends on."""
        if not self.migration.service:
            return ()
        needed = set(self.dependencies(self.migration.service))
        return tuple(
            name
            for name in self.standing
            if name not in needed and needed & set(self.services[name].get("depends_on") or {})
        )

    def ends(self, service: str) -> bool:
        """Whether a service is a piece of work that ends: another one waits for its success."""
        waits = (body.get("depends_on") or {} for body in self.services.values())
        conditions = (needed[service].get("condition") for needed in waits if service in needed)
        return "service_completed_successfully" in conditions

    def networks_of(self, service: str) -> tuple[str, ...]:
        """The networks that a service is attached to, by their names in Compose's file."""
        return tuple(self.services[service].get("networks") or ())

    def config_files(self) -> dict[str, str]:
        """Config name to the path of its file, relative to the Compose files' folder."""
        configs = self.document.get("configs") or {}
        return {name: body["file"] for name, body in configs.items() if "file" in body}

    def config_texts(self) -> dict[str, str]:
        """Config name to its content, of those whose content stands in the Compose files."""
        configs = self.document.get("configs") or {}
        return {name: body["content"] for name, body in configs.items() if "content" in body}

    def scaled(self, counts: Mapping[str, int]) -> Stack:
        """The stack with other numbers of containers.

        Args:
            counts: service to number; those that the stack hasn't got are left out.
        """
        services = dict(self.services)
        for name in counts.keys() & services.keys():
            deploy = {**(services[name].get("deploy") or {}), "replicas": counts[name]}
            services[name] = {**services[name], "deploy": deploy}
        return replace(self, document={**self.document, "services": services})

    def with_images(self, references: Mapping[str, str], address: str = "") -> Stack:
        """The stack with what stood for what wasn't known yet put right.

        Args:
            references: role to image reference.
            address: where people reach the host, as in a URL.
        """
        names = {unbuilt(role): reference for role, reference in references.items()}
        names |= {ADDRESS: address} if address else {}
        return replace(self, document=_put(self.document, names), url=_put(self.url, names))


ADDRESS = "address.of.the.host.unbuilt"
"""What stands for a host's address until it is known."""


def unbuilt(role: str) -> str:
    """What stands for a role's image reference until it is built; nothing else has this form."""
    return f"image.of.{role}.unbuilt"


def own_variables(application: str, roles: Iterable[str], *, app_dir: str) -> dict[str, str]:
    """The variables of the Compose files that slipway alone sets.

    ``<ROLE>_IMAGE`` is a role's image reference, ``<APPLICATION>_SECRETS`` the secrets' folder,
    ``<APPLICATION>_ADDRESS`` the host's address.

    Args:
        application: its name.
        roles: those there are images for.
        app_dir: the application's folder on the host.
    """
    images = {f"{_variable(role)}_IMAGE": unbuilt(role) for role in roles}
    own = _variable(application)
    return {**images, f"{own}_SECRETS": f"{app_dir}/secrets", f"{own}_ADDRESS": ADDRESS}


def data_variable(application: str) -> str:
    """The variable ``<APPLICATION>_DATA``: the data path, which an operator may set."""
    return f"{_variable(application)}_DATA"


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _put(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _put(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_put(item, names) for item in value]
    if isinstance(value, str) and ".unbuilt" in value:
        for name, reference in names.items():
            value = value.replace(name, reference)
    return value
