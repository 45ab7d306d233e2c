"""The stack: ordinary Compose files plus what ``x-slipway`` says that Compose can't.

:func:`read_stack` goes from the files' texts to one :class:`Stack`; everything later works on it.
What slipway can't carry to a host (a build, a file beside the Compose file that isn't declared as
a config) is refused here, with its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.reading import Reader
from slipway.release.interpolate import interpolate
from slipway.release.merge import merge
from slipway.release.yamlfile import parse_yaml

OWN = "x-slipway"
_REFUSED = {
    "build": "images come from slipway.toml: name the role in x-slipway and leave this out",
    "extends": "is not read: write the service out, or share parts by YAML anchors",
    "env_file": "would not be on the host: use environment, or a secret",
    "container_name": "two containers of a service must be able to exist: leave it out",
}
_OWNER = "568:568"


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A secret the stack needs.

    Attributes:
        name: its name in Compose's ``secrets``.
        generate: number of characters to make when nobody supplied it; 0 for a secret that the
            operator has to supply.
        derive: how it is made from ``source``; empty when it isn't.
        source: the secret it is derived from.
        owner: user id that reads it in the containers.
    """

    name: str
    generate: int = 0
    derive: str = ""
    source: str = ""
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
class Migration:
    """How the database is brought to the release's shape.

    Attributes:
        service: the service that is run once; empty for a stack without migrations.
        command: arguments that migrate.
        plan: arguments that print the pending ones as JSON.
    """

    service: str = ""
    command: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything the Compose files say, merged and filled in.

    Attributes:
        application: Compose's project name.
        url: where people reach it; ``{address}`` stands for the host's address.
        document: the merged Compose document without ``x-`` keys.
        roles: service to the role whose image it runs.
        rolled: services of which the new container starts beside the old one.
        secrets: by name.
        data: folders to make.
        migration: how to migrate.
        verify_path: path of the URL that must answer 200.
        smoke: command of the smoke job on the deploying machine; empty for none.
    """

    application: str
    url: str
    document: dict[str, Any]
    roles: dict[str, str]
    rolled: frozenset[str] = frozenset()
    secrets: tuple[SecretSpec, ...] = ()
    data: tuple[DataFolder, ...] = ()
    migration: Migration = Migration()
    verify_path: str = "/"
    smoke: tuple[str, ...] = ()

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

    def config_files(self) -> dict[str, str]:
        """Config name to the path of its file, relative to the Compose files' folder."""
        configs = self.document.get("configs") or {}
        return {name: body["file"] for name, body in configs.items() if "file" in body}


def own_variables(
    application: str, roles: Mapping[str, str], *, app_dir: str, data_dir: str | None = None
) -> dict[str, str]:
    """The variables slipway itself sets for the Compose files.

    ``<ROLE>_IMAGE`` is a role's image reference, ``<APPLICATION>_SECRETS`` the secrets' folder
    and ``<APPLICATION>_DATA`` the data path.

    Args:
        application: its name.
        roles: role to image reference.
        app_dir: the application's folder on the host.
        data_dir: the data path when the operator set one.
    """
    prefix = _variable(application)
    images = {f"{_variable(role)}_IMAGE": reference for role, reference in roles.items()}
    return {
        **images,
        f"{prefix}_SECRETS": f"{app_dir}/secrets",
        f"{prefix}_DATA": data_dir or f"{app_dir}/data",
    }


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def read_stack(files: Sequence[tuple[str, str]], variables: Mapping[str, str]) -> Stack:
    """Read Compose files.

    Args:
        files: name and text of each, later ones over earlier.
        variables: values for ``${…}``.

    Raises:
        ConfigError: a file is no YAML, a variable is missing, or the stack holds something that
            slipway can't carry out; every problem of all files is named.
    """
    problems: list[Problem] = []
    documents: list[dict[str, Any]] = []
    for name, text in files:
        found: list[Problem] = []
        document = interpolate(parse_yaml(text, name), variables, found)
        if isinstance(document, dict):
            documents.append(document)
        else:
            found.append(Problem("", "should be a map with services"))
        problems += [Problem(f"{name}: {p.where}", p.what) for p in found]
    if problems:
        raise ConfigError.from_problems(
            "the stack", problems, hint="set the variables in deploy/.env or deploy/hosts.toml"
        )
    return _stack(merge(documents), ", ".join(name for name, _ in files))


def _stack(document: dict[str, Any], where: str) -> Stack:
    problems = _shape_problems(document)
    if problems:
        raise ConfigError.from_problems(where, problems)
    reader = Reader(document.get(OWN) or {}, OWN, problems)
    roles, rolled = _roles(document["services"], problems)
    migrate, verify = reader.table("migrate"), reader.table("verify")
    smoke = reader.table("smoke")
    stack = Stack(
        application=reader.text("application"),
        url=reader.text("url"),
        document=_plain_compose(document),
        roles=roles,
        rolled=rolled,
        secrets=_secrets(reader.table("secrets")),
        data=_data(reader.table("data")),
        migration=Migration(
            migrate.text("service", ""), migrate.texts("command", []), migrate.texts("plan", [])
        ),
        verify_path=verify.text("path", "/"),
        smoke=smoke.texts("command", []),
    )
    for table in (reader, migrate, verify, smoke):
        table.finish()
    problems += _reference_problems(stack)
    if problems:
        raise ConfigError.from_problems(where, problems)
    return stack


def _shape_problems(document: dict[str, Any]) -> list[Problem]:
    services = document.get("services")
    if not isinstance(services, dict) or not services:
        return [Problem("services", "should be a map of at least one service")]
    problems = [Problem("include", "is not read: list the file in deploy/hosts.toml")]
    problems = problems if "include" in document else []
    for name, body in services.items():
        if not isinstance(body, dict):
            problems.append(Problem(f"services.{name}", "should be a map"))
            continue
        for key, why in _REFUSED.items():
            if key in body:
                problems.append(Problem(f"services.{name}.{key}", why))
        problems += _mount_problems(f"services.{name}.volumes", body.get("volumes") or [])
    for kind in ("configs", "secrets"):
        for name, body in (document.get(kind) or {}).items():
            if not isinstance(body, dict):
                problems.append(Problem(f"{kind}.{name}", "should be a map"))
    return problems


def _mount_problems(where: str, volumes: list[Any]) -> list[Problem]:
    problems = []
    for index, item in enumerate(volumes):
        source = item.get("source", "") if isinstance(item, dict) else str(item).split(":")[0]
        if str(source).startswith((".", "~")):
            problems.append(
                Problem(f"{where}[{index}]", f"{source} is not on the host: declare it in configs")
            )
    return problems


def _roles(
    services: dict[str, dict[str, Any]], problems: list[Problem]
) -> tuple[dict[str, str], frozenset[str]]:
    roles, rolled = {}, set()
    for name, body in services.items():
        reader = Reader(body.get(OWN) or {}, f"services.{name}.{OWN}", problems)
        role = reader.text("role", name if OWN in body else "")
        if role:
            roles[name] = role
        if reader.flag("roll", False):
            rolled.add(name)
        reader.finish()
    return roles, frozenset(rolled)


def _secrets(reader: Reader) -> tuple[SecretSpec, ...]:
    specs = []
    for name in reader.names():
        table = reader.table(name)
        specs.append(
            SecretSpec(
                name=name,
                generate=table.whole("generate", 0),
                derive=table.text("derive", ""),
                source=table.text("from", ""),
                owner=table.whole("owner", 568),
            )
        )
        table.finish()
    return tuple(specs)


def _data(reader: Reader) -> tuple[DataFolder, ...]:
    folders = []
    for name in reader.names():
        table = reader.table(name)
        mode = table.text("mode", "0755")
        owner = table.whole("owner", 568)
        if not mode or mode.strip("01234567"):
            table.note("mode", f'should be octal digits in quotes such as "0700", got {mode!r}')
            mode = "0"
        folders.append(DataFolder(name, int(mode, 8), owner))
        table.finish()
    return tuple(folders)


def _reference_problems(stack: Stack) -> list[Problem]:
    problems = []
    names = {spec.name for spec in stack.secrets}
    for name, body in (stack.document.get("secrets") or {}).items():
        if name not in names and not body.get("external"):
            problems.append(Problem(f"secrets.{name}", f"is not declared in {OWN}.secrets"))
    for spec in stack.secrets:
        where = f"{OWN}.secrets.{spec.name}"
        if spec.derive and spec.derive not in DERIVATIONS:
            problems.append(Problem(where, f"can't derive {spec.derive!r}: {DERIVATIONS}"))
        if spec.derive and spec.source not in names:
            problems.append(Problem(where, f"is derived from {spec.source!r}, which is not there"))
        if spec.derive and spec.generate:
            problems.append(Problem(where, "is either generated or derived, not both"))
    service = stack.migration.service
    if service and service not in stack.services:
        problems.append(Problem(f"{OWN}.migrate.service", f"there is no service {service}"))
    for name, body in stack.services.items():
        if name not in stack.roles and not str(body.get("image", "")):
            problems.append(Problem(f"services.{name}", f"has neither {OWN}.role nor an image"))
    return problems


DERIVATIONS = ("redis-acl",)


def _plain_compose(document: dict[str, Any]) -> dict[str, Any]:
    """The document without ``x-`` keys of the top level and of services."""
    plain = {key: value for key, value in document.items() if not key.startswith("x-")}
    plain.pop("version", None)
    plain["services"] = {
        name: {key: value for key, value in body.items() if not key.startswith("x-")}
        for name, body in document["services"].items()
    }
    return plain
