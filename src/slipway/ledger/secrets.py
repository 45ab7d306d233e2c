"""Secrets: made once, kept on the host, versioned, never shown.

A secret's versions are files ``{app_dir}/secrets/NAME/1``, ``2``, …: mode 0400, owned by the user
that reads them in the containers, in a folder of mode 0700. A version is never written twice. The
operator's own value (``deploy/secrets/NAME`` or ``SLIPWAY_SECRET_NAME``) becomes a new version
when it differs from the newest; one that nobody supplied is generated when the host has none. A
derived secret has the version of the one it is made from.

Values exist as :class:`~slipway.secret.Secret` between their reader and :meth:`Host.put`, which
sends them on standard input. Plans and records name versions only.
"""

from __future__ import annotations

import hashlib
import secrets as random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.doors import Host
from slipway.errors import ConfigError, DeployError, Problem
from slipway.secret import Secret
from slipway.stack.model import SecretSpec
from slipway.stack.render import secret_path

_ALPHABET = string.ascii_letters + string.digits

# $1 the secrets' folder: prints NAME/VERSION of every file.
_LIST = """set -eu
cd -- "$1" 2>/dev/null || exit 0
for file in */*; do [ ! -f "$file" ] || printf '%s\\n' "$file"; done
"""

# $1 the secrets' folder, further arguments secrets' names.
_FOLDERS = """set -eu
umask 077
folder=$1
shift
mkdir -p -- "$folder"
chmod 0700 -- "$folder"
for name; do mkdir -p -- "$folder/$name"; chmod 0700 -- "$folder/$name"; done
"""


@dataclass(frozen=True, slots=True)
class SecretChoice:
    """Which version of a secret a release uses, and how it comes to be.

    Attributes:
        spec: the secret.
        version: its number.
        origin: ``kept``, ``generated``, ``supplied`` or ``derived``.
    """

    spec: SecretSpec
    version: int
    origin: str


def choose(
    specs: Sequence[SecretSpec],
    *,
    held: Mapping[str, Sequence[int]],
    newest: Mapping[str, Secret],
    supplied: Mapping[str, Secret],
    live: Mapping[str, int] | None = None,
) -> tuple[SecretChoice, ...]:
    """Decide each secret's version. Pure.

    A secret that the live release uses and the host has lost gets a new version, so that whoever
    runs with the lost one is replaced.

    Args:
        specs: the secrets of the stack.
        held: name to the versions on the host.
        newest: the newest version's value, for those in ``supplied`` that the host has.
        supplied: the operator's values.
        live: name to the version that the live release uses.

    Raises:
        ConfigError: one is neither supplied, nor held, nor generated, nor derived; or a derived
            one was supplied. All are named.
    """
    problems: list[Problem] = []
    chosen: dict[str, SecretChoice] = {}
    for spec in specs:
        if spec.derive:
            if spec.name in supplied:
                problems.append(
                    Problem(spec.name, f"is derived from {spec.source}: supply that instead")
                )
            continue
        last = max(held.get(spec.name, ()), default=0)
        used = max(last, (live or {}).get(spec.name, 0))
        given = supplied.get(spec.name)
        if given is not None and (not last or newest.get(spec.name) != given):
            chosen[spec.name] = SecretChoice(spec, used + 1, "supplied")
        elif last:
            chosen[spec.name] = SecretChoice(spec, last, "kept")
        elif spec.generate:
            chosen[spec.name] = SecretChoice(spec, used + 1, "generated")
        else:
            problems.append(
                Problem(
                    spec.name,
                    f"is missing: put it into deploy/secrets/{spec.name} or {variable(spec.name)}",
                )
            )
    if problems:
        raise ConfigError.from_problems("the secrets", problems)
    for spec in specs:
        if spec.derive:
            version = chosen[spec.source].version
            origin = "kept" if version in held.get(spec.name, ()) else "derived"
            chosen[spec.name] = SecretChoice(spec, version, origin)
    return tuple(chosen[spec.name] for spec in specs)


def variable(name: str) -> str:
    """The environment variable that supplies a secret."""
    return "SLIPWAY_SECRET_" + name.upper().replace("-", "_")


def derive(how: str, source: Secret) -> Secret:
    """Make a derived secret.

    Args:
        how: ``redis-acl``: a Redis ACL file that lets the default user in with the password whose
            SHA-256 it holds (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
        source: the secret it is made from.
    """
    if how != "redis-acl":
        raise DeployError(f"there is no way {how!r} to derive a secret", stage="secrets")
    digest = hashlib.sha256(source.reveal().encode()).hexdigest()
    return Secret(f"user default on #{digest} ~* &* +@all\n")


def generate(length: int) -> Secret:
    """A random secret of letters and digits, which no file format or URL has to quote."""
    return Secret("".join(random.choice(_ALPHABET) for _ in range(length)))


def read_supplied(
    specs: Sequence[SecretSpec], folder: Path, environment: Mapping[str, str]
) -> dict[str, Secret]:
    """The operator's values: the environment's, else those of files in ``folder``.

    One newline at a file's end is the editor's, not the secret's.

    Raises:
        ConfigError: a file can't be read, or a value is empty.
    """
    found: dict[str, Secret] = {}
    problems: list[Problem] = []
    for spec in specs:
        path = folder / spec.name
        text = environment.get(variable(spec.name))
        if text is None and path.is_file():
            try:
                text = path.read_text("utf-8").removesuffix("\n")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem(spec.name, f"can't be read: {type(error).__name__}"))
        if text == "":
            problems.append(Problem(spec.name, "is empty"))
        elif text is not None:
            found[spec.name] = Secret(text)
    if problems:
        raise ConfigError.from_problems("deploy/secrets", problems)
    return found


def read_held(host: Host, app_dir: str) -> dict[str, tuple[int, ...]]:
    """The versions of every secret on the host, in one round trip; no value is read."""
    argv = ("sh", "-c", _LIST, "list", f"{app_dir}/secrets")
    held: dict[str, tuple[int, ...]] = {}
    for line in host.run(argv, timeout=30).text.splitlines():
        name, _, version = line.partition("/")
        if version.isascii() and version.isdigit():
            held[name] = tuple(sorted((*held.get(name, ()), int(version))))
    return held


def read_newest(
    host: Host, app_dir: str, held: Mapping[str, Sequence[int]], names: Sequence[str]
) -> dict[str, Secret]:
    """The newest value of each named secret that the host has."""
    found = {}
    for name in names:
        if held.get(name):
            data = host.read(secret_path(app_dir, name, max(held[name])))
            if data is not None:
                found[name] = Secret(data.decode("utf-8", "replace"))
    return found


def read_version(host: Host, app_dir: str, name: str, version: int) -> Secret:
    """The value of one version of a secret.

    Raises:
        DeployError: the host has lost it.
    """
    data = host.read(secret_path(app_dir, name, version))
    if data is None:
        raise DeployError(
            f"the secret {name} version {version} vanished from {host.name}",
            hint="deploy again",
            stage="secrets",
        )
    return Secret(data.decode("utf-8", "replace"))


def write_secrets(
    host: Host,
    app_dir: str,
    choices: Sequence[SecretChoice],
    supplied: Mapping[str, Secret],
    make: Callable[[int], Secret] = generate,
) -> tuple[str, ...]:
    """Put every version that isn't on the host there.

    Returns:
        The names of those that were written.

    Raises:
        DeployError: the version of a secret to write exists already, or its source vanished.
    """
    fresh = [choice for choice in choices if choice.origin != "kept"]
    if not fresh:
        return ()
    names = [choice.spec.name for choice in fresh]
    host.run(("sh", "-c", _FOLDERS, "folders", f"{app_dir}/secrets", *names), timeout=30)
    values: dict[str, Secret] = {}
    for choice in sorted(fresh, key=lambda choice: bool(choice.spec.derive)):
        spec, path = choice.spec, secret_path(app_dir, choice.spec.name, choice.version)
        if host.read(path) is not None:
            raise DeployError(
                f"the secret {spec.name} version {choice.version} exists on {host.name} already; "
                "it was left as it is",
                hint="somebody else deployed meanwhile: deploy again",
                stage="secrets",
            )
        if choice.origin == "supplied":
            values[spec.name] = supplied[spec.name]
        elif choice.origin == "generated":
            values[spec.name] = make(spec.generate)
        else:
            values[spec.name] = derive(spec.derive, _source(host, app_dir, choice, values))
        data = values[spec.name].reveal().encode()
        host.put(path, data, mode=0o400, owner=spec.owner)
    return tuple(names)


def _source(host: Host, app_dir: str, choice: SecretChoice, values: Mapping[str, Secret]) -> Secret:
    source = choice.spec.source
    if source in values:
        return values[source]
    return read_version(host, app_dir, source, choice.version)
